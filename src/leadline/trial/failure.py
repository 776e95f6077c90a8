"""How an exception that left tried code reads: class, text, line, and the frames it came from.

The text is made by the exception itself, which is code of the application: whatever that does,
what comes out is a short text.
"""

import sys
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType

from leadline.expression.layout import exact, layout_of

MAX_MESSAGE_CHARS = 1_000
"""Of an exception's own text; some carry the whole answer of a server."""
MAX_FRAMES = 8
"""Of the application, innermost: above them stands what is the same for all."""
_MAX_FRAMES_WALKED = 5_000
"""An endless recursion leaves a frame a level."""

_traceback_of = BaseException.__dict__["__traceback__"].__get__
_HERE = __file__.rpartition("/")[0] + "/"
"""Frames of ours are nobody's business."""


def told(error: BaseException, name: str = "") -> str:
    """Return what an exception says, its line in the code called `name`, and its frames.

    ZeroDivisionError: division by zero (line 1)
      shop/pricing.py:88 total
    """
    lines = [message(error)]
    frames: list[str] = []
    above = 0
    for code, line in _places(_traceback_of(error)):
        if code.co_filename == name:
            lines[0] = f"{message(error)} (line {line})"
            continue
        frames.append(f"  {short(code.co_filename)}:{line} {code.co_qualname}")
        if len(frames) > MAX_FRAMES:
            del frames[0]
            above += 1
    if above:
        lines.append(f"  … {above} more")
    return "\n".join(lines + frames)


def message(error: BaseException) -> str:
    """Return class and text of an exception, as the last line of a traceback says them."""
    cls = type(error)
    layout = layout_of(cls)
    name = layout.name
    if layout.module not in ("builtins", "__main__", ""):
        name = f"{layout.module}.{name}"
    text = _text(error)
    return f"{name}: {text}" if text else name


def _text(error: BaseException) -> str:
    try:
        text = str(error)
        shown = str.__getitem__(text, slice(MAX_MESSAGE_CHARS))
    except BaseException as second:  # noqa: BLE001 - whatever its own code does
        return f"<its text cannot be had: {layout_of(type(second)).name}>"
    more = str.__len__(text) - len(shown)
    return f"{shown}… <{more:,} more>" if more else shown


def _places(traceback: TracebackType | None) -> Iterator[tuple[CodeType, int]]:
    walked = 0
    while traceback is not None and walked < _MAX_FRAMES_WALKED:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(_HERE):
            yield code, traceback.tb_lineno or 0
        traceback = traceback.tb_next
        walked += 1


def short(file: str) -> str:
    """Return the path of a file as its import path would have it, or as it is."""
    best = ""
    for root in sys.path:
        folder = exact(root).rstrip("/") + "/"
        if len(folder) > max(len(best), 1) and file.startswith(folder):
            best = folder
    return file[len(best) :]


def is_ours(frame: FrameType) -> bool:
    """Tell whether a frame runs code of this package."""
    return frame.f_code.co_filename.startswith(_HERE)
