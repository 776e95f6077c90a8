"""Text for a terminal: columns, times, and captured text made harmless."""

import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence

_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Unicode categories that a terminal acts on or does not show: control characters, direction
marks, lone surrogates, private use, line and paragraph separators."""


def harmless(text: str) -> str:
    """Return captured text with everything that could steer a terminal written as an escape.

    Newlines and tabs too: one hit stays one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() and unicodedata.category(letter) not in _HIDDEN
        else letter.encode("unicode_escape", "surrogatepass").decode("ascii")
        for letter in text
    )


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return left-aligned columns; the last one may be as long as it likes."""
    cells = [list(headers), *([harmless(str(cell)) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def clock(seconds: float) -> str:
    """Return the local time of day with milliseconds."""
    local = time.localtime(seconds)
    return f"{time.strftime('%H:%M:%S', local)}.{int(seconds % 1 * 1000):03d}"


def short_path(path: str, parts: int = 2) -> str:
    """Return the end of a path: enough to know the file, short enough for a line."""
    return "/".join(path.split("/")[-parts:])


def out(text: str = "") -> None:
    """Print at once: whoever reads a pipe wants each line when it happens."""
    print(text, flush=True)


def err(text: str) -> None:
    """Print to stderr; where that is closed, or nobody reads on, nowhere: stdout is somebody
    else's, and an exit status says more than a line of progress."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{text}\n")  # at once: a program that is run may write there, too
        sys.stderr.flush()
    except BrokenPipeError:
        sys.stderr = None  # the interpreter must not flush into it again
