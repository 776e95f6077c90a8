"""What ties a probe to its line when the line has another number in another version.

An anchor is the line's text, the function around it and a digest of that function's source.
With the same digest the function is the same, wherever it begins: the probe follows it. When
the function has changed the line must stand where it stood; if it does not, nothing is guessed.
Lines that could hold a secret are compared, and digested, as they may leave the process.
"""

import re
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import NamedTuple

from leadline.agent.core.passage import Site
from leadline.agent.locate.lines import nested
from leadline.agent.locate.outline import heads, region
from leadline.agent.locate.place import covers, place
from leadline.agent.locate.running import is_source_of
from leadline.agent.locate.source import (
    BLANK,
    MAX_LINE_CHARS,
    blanked,
    mentions_secret,
    open_quote,
    safe,
    shown,
)
from leadline.agent.locate.text import Text, text_of
from leadline.wire.errors import LeadlineError, UsageError
from leadline.wire.probe import Anchor
from leadline.wire.struct import dataclass

try:  # `hashlib` loads OpenSSL: 4 MB of somebody else's memory for this one digest
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:
    from hashlib import sha256

_DIGITS = 16
"""Hexadecimal digits of a digest: 64 bits tell two versions of a function apart."""
_CHANGED = "the file on disk has changed since it was loaded"
_UNREADABLE = "its source cannot be read"
_MODULE = "<module>"
_QUOTES = re.compile(f"[\"'#{BLANK}]")


class SourceMismatchError(UsageError):
    """The code here is another version than the one that the probe was placed on."""

    def __init__(self, message: str, expected: str, found: str, hint: str = "") -> None:
        super().__init__("source-mismatch", message, hint)
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class Followed:
    """Where an anchored line is here. `until` is the second line of a timer, or 0."""

    line: int
    until: int = 0
    note: str = ""


class _Body(NamedTuple):
    """A function's source: the digest, and the number of each line that went into it."""

    digest: str
    lines: tuple[int, ...]


def anchor_of(site: Site, until: int = 0) -> tuple[Anchor | None, str]:
    """Return the anchor of an armed site, or None and why there is none. Reads the file.

    `until` is the second line of a timer.
    """
    if site.code is None:
        return None, "no one line is meant"
    text = text_of(site.file)
    if text is None:
        return None, _UNREADABLE
    if not is_source_of(site.code, text):
        return None, _CHANGED
    body = _body_of(site.code, text)
    line = _normalised(shown(text, site.line))
    return Anchor(line, site.function, _mark(body, site.line, until)), ""


def follow(codes: Sequence[CodeType], line: int, anchor: Anchor, until: int = 0) -> Followed:
    """Return where, in the loaded `codes` of one file, the anchored line is. Reads the file.

    Raises `SourceMismatchError` when this is another version and the line cannot be told.
    """
    text = text_of(codes[0].co_filename)
    if text is None:
        return Followed(
            line, until, f"not compared with the version it was placed on: {_UNREADABLE}"
        )
    same = [code for code in codes if _same_name(code.co_qualname, anchor.function)]
    for code in same or [code for code in codes if covers(code, line)]:
        if not is_source_of(code, text):
            raise SourceMismatchError(
                f"Whether line {line} is the one that the probe was placed on cannot be told: "
                f"{_CHANGED}.",
                anchor.text,
                f"({_CHANGED})",
                "Restart the service, so that it runs what is on its disk.",
            )
    armed = _armed_line(codes, line)
    found = _moved((_body_of(code, text) for code in same), anchor)
    if found is not None and found[0] == armed:
        return Followed(line, found[1] or until)  # the head of a function was asked for
    if followed := _followed(line, found):
        return followed
    inside = not anchor.function or any(covers(code, armed) for code in same)
    if inside and any(_reads(anchor.text, text, one) for one in (line, armed)):
        note = f"{anchor.function} has changed, but not this line" if anchor.digest else ""
        return Followed(line, until, note)
    raise _mismatch(text, line, anchor, inside=inside)


def _armed_line(codes: Sequence[CodeType], line: int) -> int:
    """Return the line that is armed when `line` is asked for."""
    try:
        return place(codes, line, frozenset()).sites[0].line
    except LeadlineError:
        return line


def digest_of(anchor: Anchor) -> str:
    """Return the digest of the function alone, without the places in it."""
    return anchor.digest.partition(":")[0]


def foresee(path: str, line: int, anchor: Anchor, until: int = 0) -> Followed | None:
    """Return where an anchored line will be once the file is imported, if that is certain.

    For a module that is not loaded yet; what is said here holds if the file is then the same.
    """
    text = text_of(path)
    if text is None:
        return None
    if not anchor.digest or not anchor.function:
        return Followed(line, until) if _reads(anchor.text, text, line) else None
    name = anchor.function.rpartition(".")[2]
    bodies = (
        _body(text, first, region(text.lines, first)) for first in heads(text.lines, name)
    )
    return _followed(line, _moved(bodies, anchor))


def _mismatch(text: Text, line: int, anchor: Anchor, *, inside: bool) -> SourceMismatchError:
    reads = _normalised(shown(text, line))
    if line > len(text.lines):
        message = f"Line {line} is beyond the end: the file has {len(text.lines)} lines."
    elif not inside and _reads(anchor.text, text, line):
        message = f"Line {line} is no longer in {anchor.function}."
    else:
        message = (
            f"Line {line} is not the one that the probe was placed on; it reads {reads!r}."
        )
    return SourceMismatchError(message, anchor.text, reads, _hint(text, line, anchor))


def _followed(line: int, found: tuple[int, int] | None) -> Followed | None:
    if found is None:
        return None
    moved, until = found
    note = (
        ""
        if moved == line
        else f"followed from line {line} to {moved}: the function is the same"
    )
    return Followed(moved, until, note)


def _hint(text: Text, line: int, anchor: Anchor) -> str:
    function = anchor.function.rpartition(".")[2]
    why = f"{function} is not the same function as then. " if anchor.digest else ""
    close = sorted(
        (
            number
            for number in range(1, len(text.lines) + 1)
            if _reads(anchor.text, text, number)
        ),
        key=lambda number: abs(number - line),
    )
    if not close:
        return f"{why}No line of the file reads {anchor.text!r}."
    return f"{why}The nearest line that reads {anchor.text!r} is {close[0]}."


def _mark(body: _Body | None, line: int, until: int) -> str:
    """Return the digest with the places in the function of the line, and of the second."""
    if body is None or line not in body.lines:
        return ""
    mark = f"{body.digest}:{body.lines.index(line)}"
    return f"{mark}:{body.lines.index(until)}" if until in body.lines else mark


def _moved(bodies: Iterable[_Body | None], anchor: Anchor) -> tuple[int, int] | None:
    digest, *places = anchor.digest.split(":")
    if not digest or not places or not all(place.isdecimal() for place in places):
        return None
    for body in bodies:
        if body is not None and body.digest == digest and int(places[0]) < len(body.lines):
            until = body.lines[int(places[1])] if len(places) > 1 else 0
            return body.lines[int(places[0])], until
    return None


def _body_of(code: CodeType, text: Text) -> _Body | None:
    if code.co_name == _MODULE:
        return None
    if code.co_name.startswith("<"):  # a lambda or comprehension: the lines that it is on
        ends = [p[1] for one in nested(code) for p in one.co_positions() if p[1]]
        return _body(text, code.co_firstlineno, max(ends, default=code.co_firstlineno))
    return _body(text, code.co_firstlineno, region(text.lines, code.co_firstlineno))


def _body(text: Text, first: int, last: int) -> _Body:
    """Digest the lines from `first` to `last` without blank lines, comments and the indent
    that all have."""
    head = text.at(first)
    indent = head[: len(head) - len(head.lstrip())]
    digest, numbers = sha256(), []
    for number in range(first, last + 1):
        line = text.at(number).rstrip()
        stripped = line.lstrip()
        if not stripped or stripped.startswith("#"):
            continue
        depth = line[: len(line) - len(stripped)].removeprefix(indent)
        own = safe(stripped, text.lines[first - 1 : number - 1])
        digest.update(f"{depth}{own}\n".encode("utf-8", "surrogatepass"))
        numbers.append(number)
    return _Body(digest.hexdigest()[:_DIGITS], tuple(numbers))


def _reads(wanted: str, text: Text, line: int) -> bool:
    """Whether a line reads so; both sides without what may be a secret."""
    own = text.at(line).strip()
    if not wanted or _plain_part(_normalised(own)) != _plain_part(_normalised(wanted)):
        return False
    if mentions_secret(own):
        opened = open_quote("\n".join(text.lines[: line - 1]))
        own, wanted = blanked(own, opened), blanked(wanted, opened)
    return _normalised(own)[:MAX_LINE_CHARS] == _normalised(wanted)[:MAX_LINE_CHARS]


def _plain_part(line: str) -> str:
    """Return what stands before the first text in quotes or comment: cheap to compare."""
    return _QUOTES.split(line, maxsplit=1)[0].rstrip()[:MAX_LINE_CHARS]


def _normalised(line: str) -> str:
    return " ".join(line.split())


def _same_name(qualname: str, wanted: str) -> bool:
    return qualname.replace(".<locals>", "") == wanted.replace(".<locals>", "")
