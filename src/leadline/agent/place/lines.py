"""Lines in and out of the one socket that a place has."""

import os

from leadline.trial.place import MAX_LINE_BYTES

_PIECE = 1 << 20


class Lines:
    """Reads whole lines from a descriptor, waiting, and writes whole lines to it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._parts: list[bytes] = []
        self._ready: list[bytes] = []
        self._size = 0

    def next(self) -> bytes | None:
        """Return the next line, or None where nobody is there any more."""
        while not self._ready:
            try:
                piece = os.read(self._descriptor, _PIECE)
            except OSError:
                return None
            self._size += len(piece)
            if not piece or self._size > MAX_LINE_BYTES:
                return None
            self._parts.append(piece)
            if b"\n" in piece:
                *lines, rest = b"".join(self._parts).split(b"\n")
                self._parts, self._size = [rest], len(rest)
                self._ready = lines
        return self._ready.pop(0)

    def close(self) -> None:
        """Let go of the descriptor."""
        os.close(self._descriptor)

    def say(self, line: bytes) -> bool:
        """Write a line; tell whether anybody is there to read it."""
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            return False
        return True
