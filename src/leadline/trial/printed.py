"""What code prints while it runs: kept, within a limit, instead of going to the output."""

import io
import sys
from types import TracebackType
from typing import Any, Self

MAX_PRINTED_CHARS = 8_000
"""Of one expression or statement: about what a terminal holds; the rest is counted."""


_NAMES = ("stdin", "stdout", "stderr")
STANDARD = frozenset(f"sys.{name}" for name in _NAMES)
KEPT = STANDARD - {"sys.stdin"}
"""Those in whose place there is one that keeps what is printed."""
_stood: list[dict[str, object]] = []


def standing(place: object) -> str:
    """Return the name of the standard stream that is there, of a module and a name in it."""
    return next((f"sys.{name}" for name in _NAMES if place == ["sys", name]), "")


def standard_name(value: object) -> str:
    """Return which standard stream of the process something is, or was before what is printed
    was kept; nothing for anything else."""
    for held in (vars(sys), *_stood):
        for name in _NAMES:
            if held.get(name, _stood) is value:
                return f"sys.{name}"
    return ""


class Printed:
    """Keeps what is written to standard output and error, in their order, while it is open;
    it can be opened again inside.

    with Printed() as printed:
        ...
    printed.text()
    """

    def __init__(self, room: int = MAX_PRINTED_CHARS) -> None:
        self._pieces: list[str] = []
        self._room = room
        self._beyond = 0
        self._opened = 0

    def __enter__(self) -> Self:
        self._opened += 1
        if self._opened > 1:
            return self
        self._before = (sys.stdout, sys.stderr)
        _stood.append({"stdout": sys.stdout, "stderr": sys.stderr})
        sys.stdout, sys.stderr = _Stream(self), _Stream(self)
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._opened -= 1
        if self._opened:
            return
        _stood.pop()
        sys.stdout, sys.stderr = self._before

    def keep(self, text: str) -> None:
        """Keep what of `text` there is room for, and count the rest."""
        length = str.__len__(text)
        part = str.__getitem__(text, slice(self._room))
        self._room -= len(part)
        self._beyond += length - len(part)
        if part:
            self._pieces.append(part)

    def text(self) -> str:
        """Return what was printed, and how much more there was."""
        more = f"\n… {self._beyond:,} more characters" if self._beyond else ""
        return "".join(self._pieces) + more

    def taken(self) -> str:
        """Return what was printed since the last time."""
        text = self.text()
        self._pieces, self._room, self._beyond = [], MAX_PRINTED_CHARS, 0
        return text


class _Stream(io.TextIOBase):
    """Stands for a standard stream; what is written as bytes is taken as UTF-8."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, printed: Printed) -> None:
        self._printed = printed
        self.buffer = _Bytes(printed)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._printed.keep(text)
        return str.__len__(text)


class _Bytes(io.RawIOBase):
    def __init__(self, printed: Printed) -> None:
        self._printed = printed

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        written = memoryview(data).cast("B")
        self._printed.keep(bytes(written).decode("utf-8", "replace"))
        return len(written)
