"""The frames of a traceback, without the audit event that asking for one raises.

`traceback.tb_frame` tells the audit hooks, which are code of the application. The structure is
declared in CPython's own headers and has not changed since 3.7; whether it is as expected is
tried once, on a traceback of our own, and where it is not, only live frames are shown.
"""

import ctypes
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

MAX_ENTRIES = 1_000
"""As deep as Python calls go by default; a longer chain shows its end only."""


class _Layout(ctypes.Structure):
    _fields_ = (
        ("references", ctypes.c_ssize_t),
        ("type", ctypes.c_void_p),
        ("next", ctypes.c_void_p),
        ("frame", ctypes.py_object),
    )


_nowhere: tuple[int, ...] = ()
_there = ctypes.POINTER(ctypes.POINTER(_Layout))
_cast: Any = ctypes._cast  # type: ignore[attr-defined]  # noqa: SLF001 - `cast` itself imports


def _frame_of(traceback: TracebackType) -> FrameType:
    holder = ctypes.py_object(traceback)
    address = ctypes.pointer(holder)
    frame: FrameType = _cast(address, None, _there).contents.contents.frame
    return frame


def _tried() -> Callable[[TracebackType], FrameType] | None:
    """Return the reader of a traceback's frame if it reads the right one here."""
    try:
        _nowhere[0]
    except IndexError as error:
        here = error.__traceback__
    if here is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return None
    size = sys.getsizeof(here)
    if size < ctypes.sizeof(_Layout):
        return None
    address = id(here)
    start = ctypes.c_void_p.from_address(address + 8).value
    if start != id(TracebackType):
        return None
    return _frame_of if _frame_of(here) is sys._getframe() else None  # noqa: SLF001


_read = _tried()
_next: Any = TracebackType.__dict__["tb_next"].__get__
_line: Any = TracebackType.__dict__["tb_lineno"].__get__
_of: Any = BaseException.__dict__["__traceback__"].__get__


def frames_of(exception: BaseException, most: int) -> list[tuple[FrameType, int]]:
    """Return the frames that `exception` came through with their lines, the one that raised it
    first, the one that it has reached now last; at most the `most` first ones."""
    if _read is None:
        return []
    passed: list[TracebackType] = []
    traceback = _of(exception)
    while traceback is not None and len(passed) < MAX_ENTRIES:
        passed.append(traceback)
        traceback = _next(traceback)
    return [(_read(one), _line(one)) for one in reversed(passed[-most:])]


def readable() -> bool:
    """Whether the frames of tracebacks can be read in this interpreter."""
    return _read is not None
