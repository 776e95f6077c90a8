"""The frames of a traceback, without the audit event that asking for one raises.

`traceback.tb_frame` tells the audit hooks, which are code of the application. The structure is
declared in CPython's own headers and has not changed since 3.7; whether it is as expected is
tried once, on a traceback of our own, and where it is not, only live frames are shown.
"""

import ctypes
import sys
from collections import deque
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

MAX_ENTRIES = 10_000
"""Ten times as deep as Python calls go by default, and 0.5 ms to walk. A longer chain would
have to be walked to its end to find where it was raised; of that only live frames are shown."""


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


def frames_of(
    exception: BaseException, here: FrameType, most: int
) -> tuple[list[tuple[FrameType, int]], int]:
    """Return the frames that `exception` has left on its way `here` with their lines, the one
    that raised it first, at most `most`; and how many it has left in all."""
    if _read is None:
        return [], 0
    traceback = _of(exception)
    if traceback is not None and _read(traceback) is here:
        traceback = _next(traceback)
    last: deque[TracebackType] = deque(maxlen=most)
    count = 0
    while traceback is not None:
        if count == MAX_ENTRIES:
            return [], count
        last.append(traceback)
        count += 1
        traceback = _next(traceback)
    return [(_read(one), _line(one)) for one in reversed(last)], count


def readable() -> bool:
    """Whether the frames of tracebacks can be read in this interpreter."""
    return _read is not None
