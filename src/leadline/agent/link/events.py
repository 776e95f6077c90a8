"""Server-sent events, taken apart as the bytes arrive."""

import codecs
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from leadline.agent.link.http import MAX_LINE_BYTES, HttpError


class Event(NamedTuple):
    """One event; a comment line, sent to show life, has the empty name."""

    name: str
    data: str


def events(pieces: Iterable[bytes]) -> Iterator[Event]:
    """Yield each event of a stream. Raises `HttpError` when a line or an event has no end."""
    name, rest = "", ""
    data: list[str] = []
    size = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        rest += decoder.decode(piece)
        if len(rest) > MAX_LINE_BYTES:
            raise HttpError("a line of the stream is too long")
        *lines, rest = rest.split("\n")
        for line in lines:
            field, _, value = line.rstrip("\r").partition(":")
            match field:
                case "" if line.startswith(":"):
                    yield Event("", "")
                case "":
                    if name or data:
                        yield Event(name, "\n".join(data))
                    name, data, size = "", [], 0
                case "event":
                    name = value.removeprefix(" ")
                case "data":
                    size += len(value) + 1
                    if size > MAX_LINE_BYTES:
                        raise HttpError("an event of the stream is too long")
                    data.append(value.removeprefix(" "))
