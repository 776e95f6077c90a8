"""A unified diff in lines: coloured as source is, numbered on both sides, with what reached it.

The text was sent by somebody: what is no diff is shown as it is, and never fails.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from markupsafe import Markup

from leadline.web.highlight import lines as coloured
from leadline.web.visible import marked
from leadline.wire.struct import dataclass

MAX_LINES = 4_000
"""A longer diff is cut: nobody reads it on a page."""
_QUOTES = ('"""', "'''")
_CODE = re.compile(
    r"\s*(?:(?:if|for|while|return|def|class|with|try|raise|import|from)\b|\w+ = )"
)
"""What looks like a line of code, and is rarely one of a text."""
_TEXTS = ('<span class="s">', '<span class="c">')
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@(.*)", re.DOTALL)
type Reached = Mapping[tuple[str, bool], Mapping[int, int]]
"""By file and side (the candidate's is True): how many calls reached each line that counts."""


class Side(StrEnum):
    """Which of both sides has a line."""

    BOTH = "both"
    OLD = "old"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line. `calls` is how many calls reached it; None where it does not count."""

    side: Side
    old: int | None
    new: int | None
    code: Markup
    calls: int | None

    @property
    def sign(self) -> str:
        """What a diff has before the line."""
        return {Side.OLD: "-", Side.NEW: "+"}.get(self.side, " ")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that follow each other; `title` is what the diff says they are in."""

    title: str
    lines: list[DiffLine]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What is changed of one file; `loose` are lines that are of no hunk."""

    name: str
    hunks: list[Hunk]
    loose: list[str]


def files(text: str, reached: Reached) -> tuple[list[FileDiff], int]:
    """Return a diff by files, and how many of its lines were left out."""
    every = text.split("\n")
    if every[-1:] == [""]:
        every.pop()
    kept = every[:MAX_LINES]
    found: list[FileDiff] = []
    at = 0
    while at < len(kept):
        new = kept[at + 1] if at + 1 < len(kept) else ""
        if kept[at].startswith("--- ") and new.startswith("+++ "):
            found.append(FileDiff(_name(kept[at], new), [], []))
            at += 2
            continue
        if not found:
            found.append(FileDiff("", [], []))
        if hunk := _HUNK.fullmatch(kept[at]):
            taken, read = _hunk(hunk, kept[at + 1 :], found[-1].name, reached)
            found[-1].hunks.append(taken)
            at += 1 + read
            continue
        found[-1].loose.append(kept[at])
        at += 1
    return found, len(every) - len(kept)


def _name(old: str, new: str) -> str:
    """Return the file's name, as the coverage has it: the new side's, unless it is gone."""
    said = new if not new.startswith("+++ /dev/null") else old
    said = said[4:].partition("\t")[0]
    return said[2:] if said[:2] in ("a/", "b/") else said


def _hunk(
    head: re.Match[str], rest: list[str], name: str, reached: Reached
) -> tuple[Hunk, int]:
    """Return a hunk, and how many of the lines behind its head are of it."""
    old, new = int(head[1]), int(head[3])
    left = [int(head[2] or 1), int(head[4] or 1)]
    raw: list[tuple[Side, int | None, int | None, str]] = []
    read = 0
    for line in rest:
        sign = line[:1]
        if sign == "\\":
            read += 1
            continue
        if left[0] <= 0 and left[1] <= 0:
            break
        if sign == "-" and left[0] > 0:
            raw.append((Side.OLD, old, None, line[1:]))
            old, left[0] = old + 1, left[0] - 1
        elif sign == "+" and left[1] > 0:
            raw.append((Side.NEW, None, new, line[1:]))
            new, left[1] = new + 1, left[1] - 1
        elif sign in (" ", "") and min(left) > 0:
            raw.append((Side.BOTH, old, new, line[1:]))
            old, new, left = old + 1, new + 1, [left[0] - 1, left[1] - 1]
        else:
            break
        read += 1
    return Hunk(head[5].strip(), _lines(raw, name, reached)), read


def _lines(
    raw: list[tuple[Side, int | None, int | None, str]], name: str, reached: Reached
) -> list[DiffLine]:
    """Colour each side as a whole: a text over many lines has one colour."""
    code: dict[int, Markup] = {}
    for other in (Side.OLD, Side.NEW):
        mine = [number for number, one in enumerate(raw) if one[0] is not other]
        texts = [raw[number][3] for number in mine]
        code |= dict(zip(mine, _coloured(texts), strict=True))
    olds, news = reached.get((name, False), {}), reached.get((name, True), {})
    return [
        DiffLine(side, old, new, code.get(number, marked(text)), _calls(old, new, olds, news))
        for number, (side, old, new, text) in enumerate(raw)
    ]


def _coloured(texts: list[str]) -> list[Markup]:
    """Colour lines of which nobody knows what stands before the first: where a text begins or
    ends among them, it is the one reading or the other, whichever leaves more code as code."""
    shown = [line.code for line in coloured(texts)]
    for quotes in _QUOTES:
        if sum(text.count(quotes) for text in texts) % 2:
            inside = [line.code for line in coloured([quotes, *texts])][1:]
            shown = min(shown, inside, key=lambda one: _hidden(texts, one))
    return shown


def _hidden(texts: list[str], shown: list[Markup]) -> int:
    """Count the lines that look like code and are coloured as a text."""
    return sum(
        bool(_CODE.match(text)) and code.lstrip().startswith(_TEXTS)
        for text, code in zip(texts, shown, strict=True)
    )


def _calls(
    old: int | None, new: int | None, olds: Mapping[int, int], news: Mapping[int, int]
) -> int | None:
    """Return how many calls reached a line; of one that both sides have, the candidate's."""
    if new is not None and new in news:
        return news[new]
    return olds.get(old) if old is not None else None
