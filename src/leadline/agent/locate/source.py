"""The text of one source line, for a person to see what was armed.

A line can hold a secret as well: `connect(token="...")`. Where one of its words is a secret
name, its texts in quotes and its comment are blanked before anything leaves the process.
"""

import re
from collections.abc import Sequence

from leadline.agent.locate.text import Text, text_of
from leadline.wire.redaction import secret_name
from leadline.wire.scrubbing import scrub_text

MAX_LINE_CHARS = 200
BLANK = "…"

_WORD = re.compile(r"[^\W\d][\w-]*")
_QUOTE = re.compile(r"\"\"\"|'''|[\"'#]")
_ENDS = {
    quote: re.compile(rf"(?:[^\\]|\\.)*?(?:{quote}|\Z)", re.DOTALL)
    for quote in ('"""', "'''", '"', "'")
}
_FORMATTED = re.compile(r"\b(?:[fFtT][rR]?|[rR][fFtT])[\"']")


def line_text(path: str, line: int) -> str:
    """Return the stripped text of a line, or an empty string when it cannot be read.

    Reads the file as it is now, which may not be what the process has loaded.
    """
    text = text_of(path)
    return shown(text, line) if text is not None else ""


def shown(text: Text, line: int) -> str:
    """Return a line as it may leave the process, stripped and not too long."""
    return safe(text.at(line).strip(), text.lines[: line - 1])[:MAX_LINE_CHARS]


def safe(part: str, above: Sequence[str]) -> str:
    """Return a line without what may be a secret in it.

    `above` are the lines before it, from one that does not begin within a text in quotes.
    """
    if mentions_secret(part):
        part = blanked(part, open_quote("\n".join(above)))
    return scrub_text(part)


def blanked(text: str, opened: str = "") -> str:
    """Return a line of source without the content of its texts in quotes and its comment.

    `opened` are the three quotes of a text that an earlier line began and that is still open.
    In the braces of a format text quotes can stand within quotes: then all is blanked from the
    first to the last one.
    """
    out: list[str] = []
    index = 0
    if opened:
        index = _end(text, 0, opened)
        closed = text[:index].endswith(opened)
        out.append(BLANK + opened if closed else BLANK)
    rest = text[index:]
    if _FORMATTED.search(rest):
        first = min(place for quote in "\"'" if (place := rest.find(quote)) >= 0)
        last = max(rest.rfind(quote) for quote in "\"'")
        tail = rest[last] if last > first else ""
        return "".join((*out, rest[:first], rest[first], BLANK, tail))
    while (found := _QUOTE.search(text, index)) is not None:
        out.append(text[index : found.end()])
        if (quote := found.group()) == "#":
            return "".join((*out, " ", BLANK))
        index = _end(text, found.end(), quote)
        closed = text.endswith(quote, found.end(), index)
        out.append(BLANK + quote if closed else BLANK)
    out.append(text[index:])
    return "".join(out)


def mentions_secret(text: str) -> bool:
    """Whether a word in a line of source is the name of a secret."""
    return any(secret_name(word) for word in _WORD.findall(text))


def open_quote(text: str) -> str:
    """Return the three quotes that are open where `text`, the beginning of a file, ends."""
    index = 0
    while (found := _QUOTE.search(text, index)) is not None:
        quote = found.group()
        if quote == "#":
            index = text.find("\n", found.end())
            if index < 0:
                return ""
            continue
        index = _end(text, found.end(), quote)
        if len(quote) == 3 and not text.endswith(quote, found.end(), index):
            return quote
    return ""


def _end(text: str, start: int, quote: str) -> int:
    """Return the index after the closing `quote`, or where the text or the line ends."""
    stop = len(text)
    if len(quote) == 1 and (newline := text.find("\n", start)) >= 0:
        stop = newline
    found = _ENDS[quote].match(text, start, stop)
    return found.end() if found is not None else stop
