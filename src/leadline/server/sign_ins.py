"""Browsers that were let in: a link that works once becomes a cookie with the rights of a key.

Of links, cookies and keys only the SHA-256 is kept. Sign-ins are in a file beside the database,
so that a restart of the server signs nobody out.
"""

import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from leadline.control.context import say
from leadline.server.keyring import KeyRing
from leadline.wire.errors import RefusedError
from leadline.wire.keys import KEY_BYTES, Holder, base64url, digest_of
from leadline.wire.regular_file import read_regular
from leadline.wire.struct import asdict, dataclass, field

LINK_S = 60.0
"""How long a link works: the time that a browser takes to start on a busy machine."""
SIGN_IN_S = 12 * 3_600.0
"""How long a browser stays signed in: a shift."""
MAX_LINKS = 100
"""Links that wait to be used; whoever asks for more does not use them."""
MAX_SIGN_INS = 500
"""Browsers that are signed in at once; the one that ends soonest goes."""
_MAX_FILE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class SignIn:
    """One browser that was let in until `until`, by the digests of its token and of the key."""

    digest: str = field(repr=False)
    key: str = field(repr=False)
    until: float


@dataclass(frozen=True, slots=True)
class _Link:
    key: str = field(repr=False)
    until: float


class SignIns:
    """Lives as long as the server does. Every method may be called from any thread."""

    def __init__(
        self, path: Path, ring: KeyRing, clock: Callable[[], float] = time.time
    ) -> None:
        """Read who was signed in before. `ended` is called when somebody signs out."""
        self._path = path
        self._ring = ring
        self._clock = clock
        self._lock = threading.Lock()
        self._links: dict[str, _Link] = {}
        self._sign_ins = self._read()
        self.ended: Callable[[], None] = lambda: None

    def make_link(self, key: str) -> tuple[str, float]:
        """Return a code that lets one browser in with the rights of `key`, and its end."""
        now = self._clock()
        code, until = _token(), now + LINK_S
        with self._lock:
            left = {name: one for name, one in self._links.items() if one.until > now}
            while len(left) >= MAX_LINKS:
                left.pop(next(iter(left)))  # the oldest
            self._links = {**left, digest_of(code): _Link(digest_of(key), until)}
        return code, until

    def sign_in(self, code: str) -> tuple[str, SignIn, Holder]:
        """Use a link up; returns the token for the cookie. Raises slug `bad-link`."""
        now = self._clock()
        with self._lock:
            link = self._links.pop(digest_of(code), None)
        holder = self._ring.holder_by_digest(link.key) if link and link.until > now else None
        if link is None or holder is None:
            raise RefusedError(
                "bad-link",
                "The link was used already, or is too old.",
                "Get another one: leadline open",
            )
        token = _token()
        one = SignIn(digest_of(token), link.key, now + SIGN_IN_S)
        with self._lock:
            left = [old for old in self._sign_ins.values() if old.until > now]
            left = sorted(left, key=lambda old: old.until)[-(MAX_SIGN_INS - 1) :]
            self._sign_ins = {old.digest: old for old in [*left, one]}
            self._write()
        return token, one, holder

    def holder(self, token: str) -> tuple[SignIn, Holder] | None:
        """Return whose browser shows a token; None if nobody's, or not any more."""
        one = self._find(token)
        holder = None if one is None else self._ring.holder_by_digest(one.key)
        return (one, holder) if one and holder else None

    def valid(self, token: str) -> bool:
        """Return whether a browser that was let in still may."""
        one = self._find(token)
        return one is not None and self._ring.valid_digest(one.key)

    def sign_out(self, token: str) -> None:
        """Let a browser in no more; its streams end."""
        with self._lock:
            if self._sign_ins.pop(digest_of(token), None) is not None:
                self._write()
        self.ended()

    def _find(self, token: str) -> SignIn | None:
        one = self._sign_ins.get(digest_of(token))
        return one if one and one.until > self._clock() else None

    def _read(self) -> dict[str, SignIn]:
        try:
            found = json.loads(read_regular(self._path, _MAX_FILE_BYTES))
            sign_ins = [SignIn(**one) for one in found["sign_ins"]]
            now = self._clock()
            return {one.digest: one for one in sign_ins if now < one.until <= now + SIGN_IN_S}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError):
            say(f"{self._path.name} cannot be read: every browser has to sign in again")
            return {}

    def _write(self) -> None:
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        content = {"version": 1, "sign_ins": [asdict(one) for one in self._sign_ins.values()]}
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                json.dump(content, file)
            draft.replace(self._path)
        except OSError as error:
            say(f"{self._path.name} cannot be written, a restart will ask browsers to sign in "
                f"again: {error.strerror}")  # fmt: skip


def write_token(token: str) -> str:
    """Return what a page has to send along with whatever changes something.

    It is made of the cookie, which another site's page cannot read.
    """
    return digest_of(f"write:{token}")


def may_write(token: str, presented: str) -> bool:
    """Return whether a request that carries a cookie came from a page of ours."""
    expected = write_token(token).encode("ascii")
    return hmac.compare_digest(expected, presented.encode("utf-8", "surrogatepass"))


def _token() -> str:
    return base64url(secrets.token_bytes(KEY_BYTES))
