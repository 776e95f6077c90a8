"""The two kinds of keys: a person's, and one for each service's agents.

The key file holds one random user key and one random root. An agent's key is derived from the
root and the service's name, so it can be made and checked without a list, and it says which
service it is for: `lla_<service>_<HMAC-SHA256(root, b"agent\\0" + service)>`, both base64url.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from leadline.wire.errors import LeadlineError, RefusedError, UnavailableError
from leadline.wire.service import check_service

USER_PREFIX = "llu_"
AGENT_PREFIX = "lla_"
KEY_BYTES = 32
MAX_KEY_FILE_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Keys:
    """What the key file holds; neither part shows in a repr, so neither ends in a log."""

    user: str = field(repr=False)
    root: bytes = field(repr=False)


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
    _create(path)
    return load(path)  # whoever was first wins, and both read the same


def load(path: Path) -> Keys:
    """Return the keys in `path`; slug `no-key-file` when it is not there."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
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
    return _parse(text, path)


def agent_key(keys: Keys, service: str) -> str:
    """Return the key of one service's agents; always the same for the same root."""
    name = check_service(service).encode("ascii")
    proof = hmac.new(keys.root, b"agent\0" + name, hashlib.sha256).digest()
    return f"{AGENT_PREFIX}{_base64(name)}_{_base64(proof)}"


def service_of(keys: Keys, presented: str) -> str | None:
    """Return the service whose agents hold the key `presented`; None if nobody does."""
    if not presented.startswith(AGENT_PREFIX):
        return None
    # base64 of the characters that a service's name may have never holds an underscore
    name, _, _ = presented.removeprefix(AGENT_PREFIX).partition("_")
    try:
        padding = "=" * (-len(name) % 4)
        service = base64.b64decode(name + padding, b"-_", validate=True).decode("ascii")
        expected = agent_key(keys, service)
    except (ValueError, binascii.Error, LeadlineError):
        return None
    return service if _same(expected, presented) else None


def is_user(keys: Keys, presented: str) -> bool:
    """Return whether `presented` is the user's key."""
    return _same(keys.user, presented)


def _same(expected: str, presented: str) -> bool:
    return hmac.compare_digest(
        expected.encode("ascii"), presented.encode("utf-8", "surrogatepass")
    )


def _parse(text: bytes, path: Path) -> Keys:
    try:
        value = json.loads(text)
        user, root = str(value["user"]), base64.urlsafe_b64decode(value["agent_root"] + "=")
    except (ValueError, KeyError, TypeError, RecursionError):
        user, root = "", b""
    good = user.isascii() and user.startswith(USER_PREFIX) and len(root) == KEY_BYTES
    if not good or len(user) < len(USER_PREFIX) + KEY_BYTES:
        raise UnavailableError(
            "bad-key-file",
            f"The key file {path} does not hold Leadline's keys.",
            "Delete it to have new ones made; agents then need their new keys too.",
        )
    return Keys(user, root)


def _create(path: Path) -> None:
    content = json.dumps(
        {
            "version": 1,
            "user": USER_PREFIX + _base64(secrets.token_bytes(KEY_BYTES)),
            "agent_root": _base64(secrets.token_bytes(KEY_BYTES)),
        }
    )
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(content + "\n")
                file.flush()
                os.fsync(descriptor)
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(draft)  # a rename would replace another server's keys
        finally:
            draft.unlink()
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


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
