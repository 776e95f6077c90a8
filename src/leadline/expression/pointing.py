"""The errors of this package: the text, a caret under the refused part, and what to write.

A person who places a probe reads nothing but this message, so each one shows where and says
what to write instead.
"""

import unicodedata

from leadline.wire.errors import UsageError
from leadline.wire.struct import dataclass

MAX_SHOWN = 100
"""Characters of a text that are shown around the refused part: about one line of a terminal."""


class ExpressionError(UsageError):
    """A condition or template that cannot be placed.

    `text` is all that was written; `start` and `end` count its characters up to the refused
    part, and `sentence` says why and what to write instead.
    """

    def __init__(self, slug: str, sentence: str, text: str, start: int, end: int) -> None:
        super().__init__(slug, f"{_point(text, start, end)}\n{sentence}")
        self.sentence = sentence
        self.text = text
        self.start = start
        self.end = end


@dataclass(frozen=True, slots=True)
class Source:
    """One expression and the text that it stands in: a template, or just itself."""

    whole: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.whole[self.start : self.end]

    def error(
        self, slug: str, sentence: str, start: int = 0, end: int | None = None
    ) -> ExpressionError:
        """Return an error about `text[start:end]`; without numbers, about all of it."""
        stop = self.end if end is None else self.start + end
        return ExpressionError(slug, sentence, self.whole, self.start + start, stop)


def _point(text: str, start: int, end: int) -> str:
    """Return the text on one line, and carets in the line below."""
    start = min(start, len(text))
    end = max(start + 1, end)
    first = 0
    if len(text) > MAX_SHOWN:
        first = max(0, min(start - MAX_SHOWN // 4, len(text) - MAX_SHOWN))
    last = first + MAX_SHOWN
    before = "…" if first else ""
    after = "…" if last < len(text) else ""
    line = "".join(character if character.isprintable() else " " for character in text)
    shown = f"{before}{line[first:last]}{after}"
    indent = _columns(before + line[first:start])
    carets = _columns(line[start : min(end, last)]) or 1
    return f"{shown}\n{' ' * indent}{'^' * carets}"


def _columns(text: str) -> int:
    """Return how wide a terminal shows `text`: wide characters are two, accents none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
