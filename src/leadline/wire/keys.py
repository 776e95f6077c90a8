"""The two kinds of keys: a person's, and one for each service's agents.

The key file holds one random user key and one random root. An agent's key is derived from the
root and the service's name, so it can be made and checked without a list, and it says which
service it is for: `lla_<service>_<HMAC-SHA256(root, b"agent\\0" + service)>`, both base64url.
A service whose key was replaced by itself has a salt that is covered as well. Of further user
keys, and of user keys that were replaced, the file holds the SHA-256 only.
"""

import base64
import binascii
import contextlib
import json
import math
import os
import stat
import time
from enum import StrEnum
from pathlib import Path
from typing import Any

from leadline.wire.errors import LeadlineError, RefusedError, UnavailableError
from leadline.wire.service import check_service
from leadline.wire.struct import asdict, dataclass, field

USER_PREFIX = "llu_"
AGENT_PREFIX = "lla_"
KEY_BYTES = 32
MAX_KEY_FILE_BYTES = 1_000_000
"""Far more than all that `wire.rotation` lets into it."""


class KeyKind(StrEnum):
    """What there is one of, or one of each: what can be made, replaced and listed."""

    USER = "user"
    NAMED = "named"
    AGENTS = "agents"
    SERVICE = "service"


class Right(StrEnum):
    """What a user key may do beside what every one may. The key file's own has all rights."""

    TWIN = "twin"


ALL_RIGHTS = tuple(map(str, Right))


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A further user key: its SHA-256, in hexadecimal, since when it is valid, its rights."""

    name: str
    digest: str = field(repr=False)
    created_at: float = 0.0
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Salt:
    """What makes one service's agent key another than the root alone would."""

    service: str
    salt: str = field(repr=False)
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Retired:
    """A key that was replaced and is valid until `until`, in seconds since 1970.

    Of a user key there is the `digest`; agent keys are derived from `root` (base64url) and
    `salts`: of one service if `service` says so, else of all but those in `without`.
    """

    kind: KeyKind
    until: float
    created_at: float = 0.0
    digest: str = field(default="", repr=False)
    root: str = field(default="", repr=False)
    salts: tuple[Salt, ...] = field(default=(), repr=False)
    service: str = ""
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """What the key file holds; no secret of it shows in a repr, so none ends in a log."""

    user: str = field(repr=False)
    root: bytes = field(repr=False)
    user_at: float = 0.0
    root_at: float = 0.0
    named: tuple[NamedKey, ...] = ()
    salts: tuple[Salt, ...] = ()
    retired: tuple[Retired, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose key somebody showed: `kind` and `name` as keys are listed, and the `service` of an
    agent's. `until` is there for a key that was replaced; `may` are the rights of a user's."""

    kind: KeyKind
    name: str = ""
    service: str = ""
    until: float | None = None
    may: tuple[str, ...] = ()


def load_or_create(path: Path) -> Keys:
    """Return the keys in `path`, made first if the file is not there.

    Raises `RefusedError` (slug `key-file-open`) when others may read the file, and
    `UnavailableError` (`bad-key-file`, `key-file-unwritable`) when it cannot be used.
    """
    try:
        return load(path)
    except UnavailableError as error:
        if error.slug != "no-key-file":
            raise
    now = time.time()
    keys = Keys(new_user_key(), os.urandom(KEY_BYTES), now, now)
    write(path, keys, replace=False)
    return load(path)  # whoever was first wins, and both read the same


def load(path: Path) -> Keys:
    """Return the keys in `path`; slug `no-key-file` when it is not there."""
    try:
        with open(path, "rb", opener=_not_waiting) as file:
            status = os.fstat(file.fileno())
            mode = status.st_mode
            if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise RefusedError(
                    "key-file-open",
                    f"The key file {path} can be read or changed by other users.",
                    f"If nobody has read it: chmod 600 {path}; else delete it for new keys.",
                )
            text = file.read(MAX_KEY_FILE_BYTES)
    except FileNotFoundError:
        raise UnavailableError(
            "no-key-file",
            f"There is no key file at {path}.",
            "`leadline up` makes it; for a server elsewhere set LEADLINE_URL and LEADLINE_KEY.",
        ) from None
    except OSError as error:
        raise UnavailableError(
            "bad-key-file", f"The key file {path} cannot be read: {error.strerror}."
        ) from error
    return _parse(text, path, status.st_mtime)


def agent_key(keys: Keys, service: str) -> str:
    """Return the key of one service's agents; the same one until it is replaced."""
    return _derived(keys.root, keys.salts, check_service(service))


def holder_of(keys: Keys, presented: str, now: float) -> Holder | None:
    """Return whose key `presented` is; None if nobody's, or not any more."""
    if presented.startswith(AGENT_PREFIX):
        return _agent(keys, presented, now)
    return holder_by_digest(keys, digest_of(presented), now)


def holder_by_digest(keys: Keys, digest: str, now: float) -> Holder | None:
    """Return whose user key has this SHA-256; None if nobody's, or not any more."""
    if _same(digest_of(keys.user), digest):
        return Holder(KeyKind.USER, may=ALL_RIGHTS)
    for named in keys.named:
        if _same(named.digest, digest):
            return Holder(KeyKind.NAMED, name=named.name, may=named.may)
    for old in keys.retired:
        if old.kind is KeyKind.USER and old.until > now and _same(old.digest, digest):
            return Holder(KeyKind.USER, until=old.until, may=ALL_RIGHTS)
    return None


def service_of(keys: Keys, presented: str) -> str | None:
    """Return the service whose agents' own key is `presented`; None if there is none."""
    holder = holder_of(keys, presented, math.inf)
    return holder.service if holder and holder.service else None


def is_user(keys: Keys, presented: str) -> bool:
    """Return whether `presented` is a user key that was not replaced."""
    holder = holder_of(keys, presented, math.inf)
    return holder is not None and not holder.service


def new_user_key() -> str:
    """Return a user key that nobody has."""
    return USER_PREFIX + base64url(os.urandom(KEY_BYTES))


def digest_of(key: str) -> str:
    """Return what the key file holds of a key that it does not hold itself."""
    import hashlib  # noqa: PLC0415 - commands only read the file, and have little time

    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def base64url(content: bytes) -> str:
    """Return bytes as base64url without its padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def write(path: Path, keys: Keys, *, replace: bool) -> None:
    """Write the key file whole or not at all, for its owner only.

    Without `replace`, one that is there already stays. Raises slug `key-file-unwritable`.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(_formatted(keys) + "\n")
                file.flush()
                os.fsync(descriptor)
            if replace:
                draft.replace(path)
            else:
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(draft)  # a rename would replace another server's keys
        finally:
            draft.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UnavailableError(
            "key-file-unwritable",
            f"The key file {path} cannot be written: {error.strerror}.",
            "Set XDG_CONFIG_HOME to a folder that you can write.",
        ) from error


def _agent(keys: Keys, presented: str, now: float) -> Holder | None:
    # base64 of the characters that a service's name may have never holds an underscore
    name, _, _ = presented.removeprefix(AGENT_PREFIX).partition("_")
    try:
        padding = "=" * (-len(name) % 4)
        service = base64.b64decode(name + padding, b"-_", validate=True).decode("ascii")
        check_service(service)
    except (ValueError, binascii.Error, LeadlineError):
        return None
    if _same(_derived(keys.root, keys.salts, service), presented):
        own = any(one.service == service for one in keys.salts)
        return Holder(*_row(KeyKind.SERVICE if own else KeyKind.AGENTS, service), service)
    for old in keys.retired:
        if old.until <= now or not old.root or service in old.without:
            continue
        if old.service in ("", service) and _same(
            _derived(_bytes(old.root), old.salts, service), presented
        ):
            return Holder(*_row(old.kind, service), service, old.until)
    return None


def _row(kind: KeyKind, service: str) -> tuple[KeyKind, str]:
    return kind, service if kind is KeyKind.SERVICE else ""


def _derived(root: bytes, salts: tuple[Salt, ...], service: str) -> str:
    import hashlib  # noqa: PLC0415 - as above
    import hmac  # noqa: PLC0415

    name = service.encode("ascii")
    salt = next((f"\0{one.salt}" for one in salts if one.service == service), "")
    proof = hmac.new(root, b"agent\0" + name + salt.encode("ascii"), hashlib.sha256).digest()
    return f"{AGENT_PREFIX}{base64url(name)}_{base64url(proof)}"


def _same(expected: str, presented: str) -> bool:
    import hmac  # noqa: PLC0415 - as above

    return hmac.compare_digest(
        expected.encode("ascii"), presented.encode("utf-8", "surrogatepass")
    )


def _formatted(keys: Keys) -> str:
    content = asdict(keys)
    content["agent_root"] = base64url(content.pop("root"))
    return json.dumps({"version": 2, **content})


def _not_waiting(path: str, flags: int) -> int:
    """Open without waiting for whoever may write into a pipe that lies there."""
    return os.open(path, flags | os.O_NONBLOCK)


def _parse(text: bytes, path: Path, changed_at: float) -> Keys:
    try:
        value = json.loads(text)
        keys = Keys(
            str(value["user"]),
            _bytes(value["agent_root"]),
            float(value.get("user_at", changed_at)),  # a file of the first version has no times
            float(value.get("root_at", changed_at)),
            tuple(_named(one) for one in value.get("named", ())),
            tuple(Salt(**one) for one in value.get("salts", ())),
            tuple(_retired(one) for one in value.get("retired", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        keys = Keys("", b"")
    good = keys.user.isascii() and keys.user.startswith(USER_PREFIX)
    if not good or len(keys.root) != KEY_BYTES or len(keys.user) < len(USER_PREFIX) + KEY_BYTES:
        raise UnavailableError(
            "bad-key-file",
            f"The key file {path} does not hold Leadline's keys.",
            "Delete it to have new ones made; agents then need their new keys too.",
        )
    return keys


def _named(value: dict[str, Any]) -> NamedKey:
    # one that was made before there were rights has none
    return NamedKey(**{**value, "may": tuple(map(str, value.get("may", ())))})


def _retired(value: dict[str, Any]) -> Retired:
    kind = KeyKind(value["kind"])
    salts = tuple(Salt(**one) for one in value["salts"])
    return Retired(
        **{**value, "kind": kind, "salts": salts, "without": tuple(value["without"])}
    )


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
