"""The text of the line that a person means, so that other code under its number is noticed.

A probe is placed by somebody who looks at a checkout. When the file is there, under the working
directory, its line goes along, and an instance in which the line reads differently says so.
"""

import re
import stat
from itertools import islice
from pathlib import Path
from typing import TextIO

from leadline.wire.limits import MAX_ANCHOR_CHARS
from leadline.wire.probe import Anchor
from leadline.wire.redaction import secret_name
from leadline.wire.target import Place, Target

_MAX_COOKIE_BYTES = 1_000
"""Of a line that may name the file's encoding."""
_MAX_SOURCE_BYTES = 10_000_000
"""No module of anybody's is longer; reading it must not take noticeable time."""


def anchor_of(place: Place) -> Anchor | None:
    """Return the anchor of a line that can be read here, and none for anything else."""
    if not isinstance(place, Target):
        return None
    text = _line(Path(place.file), place.line)
    normalised = " ".join(text.split())[:MAX_ANCHOR_CHARS]
    if not normalised or _may_hold_secret(normalised):
        return None
    return Anchor(text=normalised)


def _may_hold_secret(text: str) -> bool:
    """Whether a line must stay here; then the place alone says what is meant."""
    from leadline.wire.scrubbing import scrub_text  # noqa: PLC0415 - most commands need none

    words = re.findall(r"[^\W\d][\w-]*", text)
    return any(secret_name(word) for word in words) or scrub_text(text) != text


def _line(file: Path, number: int) -> str:
    """Return a line of a file as Python would read it; empty if there is none."""
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > _MAX_SOURCE_BYTES:
            return ""
        with _opened(file) as source:
            return next(islice(source, number - 1, number), "")
    except (OSError, SyntaxError, UnicodeError, ValueError):
        return ""


def _opened(file: Path) -> TextIO:
    """Open a file as Python would: UTF-8, unless one of its first two lines says otherwise."""
    with file.open("rb") as source:
        first = [source.readline(_MAX_COOKIE_BYTES) for _ in range(2)]
    if not any(b"coding" in line for line in first):
        return file.open(encoding="utf-8-sig")
    import tokenize  # noqa: PLC0415 - hardly any file needs it

    return tokenize.open(file)
