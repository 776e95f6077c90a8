"""Digests that tell two values of one verification apart, and give neither away.

What can be guessed could be found out by trying, were there no salt. The copies of one process
share its own, the places of one verification are given one; it never leaves them.
"""

import os
from _blake2 import blake2b
from typing import Any

_salt = bytearray(os.urandom(16))


def use_salt(salt: str) -> None:
    """Make digests from now on that can be compared with those of whoever uses the same."""
    _salt[:] = salt.encode()


def digest(text: str | bytes | memoryview) -> str:
    """Return a short text that is the same for the same text, and hardly for another."""
    plain = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    begun = begin()
    begun.update(plain)
    return str(begun.hexdigest())


def begin() -> Any:
    """Return what takes bytes, piece by piece, and comes to their digest."""
    return blake2b(digest_size=8, key=_salt)
