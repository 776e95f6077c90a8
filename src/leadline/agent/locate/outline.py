"""The shape of source text: where a function's lines end, what is in quotes, what is joined.

The interpreter's own parser holds every other thread up for as long as it takes, and can say
warnings in the application's name; so this only skips strings, comments and brackets.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_REGION_LINES = 5_000
"""A function that is longer is generated, and too long for a probe anyway."""

_TOKEN = re.compile(r"[\"'#()\[\]{}\n\\]")
_STRING_PREFIX = re.compile(r"(?<![\w])([A-Za-z]{1,2})$")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_HEAD = re.compile(r"(?:async\s+def|def|class)\b")


class Logical(NamedTuple):
    """One logical line: it may go over several physical ones. `indent` in characters."""

    first: int
    last: int
    indent: int
    text: str


def logical_lines(lines: Sequence[str], first: int) -> Iterator[Logical]:
    """Yield the logical lines from physical line `first` on, which must not be within a text.

    Blank lines and comments are left out.
    """
    line = first
    while line <= len(lines):
        text = lines[line - 1]
        stripped = text.lstrip()
        if not stripped or stripped.startswith("#"):
            line += 1
            continue
        last = _last_line(lines, line)
        yield Logical(line, last, len(text) - len(stripped), stripped)
        line = last + 1


def region(lines: Sequence[str], first: int) -> int:
    """Return the last line of the function or class whose first line (a decorator, or its
    `def`) is `first`; that of the logical line for anything else."""
    last, indent, in_body = first, None, False
    for one in logical_lines(lines, first):
        if indent is None:
            indent = one.indent
        if one.first - first > MAX_REGION_LINES or (in_body and one.indent <= indent):
            break
        last = one.last
        if not in_body and not one.text.startswith("@"):
            if not _HEAD.match(one.text):
                break
            in_body = True
    return last


def heads(lines: Sequence[str], name: str) -> Iterator[int]:
    """Yield the lines at which a function or class called `name` may begin: those of its
    `def`, and of each decorator above."""
    head = re.compile(rf"\s*(?:async\s+def|def|class)\s+{re.escape(name)}\b")
    for index, text in enumerate(lines):
        if name in text and head.match(text):
            yield index + 1
            yield from _decorators(lines, index)


def _decorators(lines: Sequence[str], head: int) -> Iterator[int]:
    indent = len(lines[head]) - len(lines[head].lstrip())
    for index in range(head - 1, max(-1, head - 100), -1):
        text = lines[index]
        stripped = text.lstrip()
        depth = len(text) - len(stripped)
        if stripped.startswith("@") and depth == indent:
            yield index + 1
        elif stripped and depth <= indent and stripped[0] not in "#)]}":
            return


def _last_line(lines: Sequence[str], line: int) -> int:
    """Return the physical line on which the logical line that begins at `line` ends."""
    depth, quote, formatted = 0, "", False
    for at in range(line, min(len(lines), line + MAX_REGION_LINES) + 1):
        text = lines[at - 1]
        index, joined = 0, False
        while index < len(text):
            if quote:
                index, quote = _through(text, index, quote, formatted=formatted)
                continue
            found = _TOKEN.search(text, index)
            if found is None or found.group() == "#":
                break
            sign, index = found.group(), found.end()
            if sign in "\"'":
                quote = sign * 3 if text.startswith(sign * 3, found.start()) else sign
                index = found.start() + len(quote)
                prefix = _STRING_PREFIX.search(text, 0, found.start())
                formatted = prefix is not None and bool({*"fFtT"} & {*prefix[1]})
                if index == len(text) and len(quote) == 1:
                    quote = ""
            elif sign in _OPENING:
                depth += 1
            elif sign in _CLOSING:
                depth = max(0, depth - 1)
            elif sign == "\\" and index == len(text):
                joined = True
        if len(quote) == 1:
            joined, quote = text.endswith("\\"), quote if text.endswith("\\") else ""
        if not (depth or quote or joined):
            return at
    return line


def _through(text: str, index: int, quote: str, *, formatted: bool) -> tuple[int, str]:
    """Go on in a string; returns where, and the quote that is open there or nothing."""
    while index < len(text):
        one = text[index]
        if one == "\\":
            index += 2
        elif text.startswith(quote, index):
            return index + len(quote), ""
        elif formatted and one == "{":
            index = index + 2 if text.startswith("{{", index) else _braces(text, index + 1)
        else:
            index += 1
    return len(text), quote


def _braces(text: str, index: int) -> int:
    """Return the index behind the closing brace of a replacement field, or the line's end."""
    depth = 1
    while index < len(text) and depth:
        one = text[index]
        if one in "\"'":
            prefixed = index > 0 and text[index - 1] in "fFtT"
            index, _ = _through(text, index + 1, one, formatted=prefixed)
            continue
        depth += (one == "{") - (one == "}")
        index += 1
    return index
