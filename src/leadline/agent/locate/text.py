"""The source text of code, wherever it is kept: a file, an archive, a notebook's cell.

Nothing of the application is asked for it: no loader, no hook. What a cell or generated code
was made from is in `linecache`, if whoever made it has put it there.
"""

import os
import re
import stat
import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from leadline.agent.locate.modules import module_namespace
from leadline.wire.struct import dataclass

MAX_FILE_BYTES = 2_000_000
"""Larger source files are generated; reading one costs more than its line tells."""
_KEPT = 2
"""Texts kept at once: probes come in sets on the same file, and the memory is not ours."""

_NEWLINE = re.compile(r"\r\n|\r|\n")
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_ENCODINGS = frozenset(("utf-8", "utf8", "latin-1", "iso-8859-1", "iso-latin-1", "ascii"))
"""Known to be the interpreter's own; another name could be a codec of the application."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """The lines of one source, without their ends; line 1 is `lines[0]`."""

    name: str
    lines: tuple[str, ...]

    def at(self, line: int) -> str:
        """Return a line as it is, or nothing beyond the end."""
        return self.lines[line - 1] if 1 <= line <= len(self.lines) else ""

    def segment(self, line: int, column: int, end_line: int, end_column: int) -> str:
        """Return the text between two positions as code objects have them: columns are bytes
        of UTF-8."""
        if end_line > len(self.lines):
            return ""
        if line == end_line:
            return _cut(self.at(line), column, end_column)
        parts = [_cut(self.at(line), column, None), *self.lines[line : end_line - 1]]
        return "\n".join((*parts, _cut(self.at(end_line), 0, end_column)))


def text_of(name: str) -> Text | None:
    """Return the text of a file, of a member of an archive, or of what `linecache` was given
    under this name; None when there is none, or it is too long. Never raises."""
    try:
        state = os.stat(name)
    except (OSError, ValueError):
        return _cached(name) or _archived(name)
    if not stat.S_ISREG(state.st_mode):  # a pipe would keep us waiting for who writes to it
        return _cached(name)
    return _read(name, state.st_mtime_ns, state.st_size)


def forget_texts() -> None:
    """Let go of every text: an agent without probes keeps nothing."""
    _read.cache_clear()


@lru_cache(maxsize=_KEPT)
def _read(path: str, _changed_ns: int, size: int) -> Text | None:
    if size > MAX_FILE_BYTES:
        return None
    try:
        with open(path, "rb") as file:
            octets = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError):
        return None
    return _decoded(path, octets)


def _decoded(name: str, octets: bytes) -> Text | None:
    if len(octets) > MAX_FILE_BYTES or b"\0" in octets:
        return None
    octets = octets.removeprefix(_BOM)
    encoding = "utf-8"
    for line in octets.split(b"\n", 2)[:2]:
        if found := _COOKIE.match(line):
            encoding = found[1].decode("ascii").lower().replace("_", "-")
            break
    if encoding not in _ENCODINGS:
        return None
    return Text(name, tuple(_NEWLINE.split(octets.decode(encoding, "replace"))))


def _cached(name: str) -> Text | None:
    """Return what `linecache` holds, read as plain data: an entry can be anything."""
    cache = (module_namespace(sys.modules.get("linecache")) or {}).get("cache")
    entry = cache.get(name) if type(cache) is dict else None
    lines: Any = entry[2] if type(entry) is tuple and len(entry) == 4 else None
    if type(lines) is not list or sum(_size(line) for line in lines) > MAX_FILE_BYTES:
        return None
    return Text(name, tuple(_NEWLINE.split("".join(lines))))


def _size(line: object) -> int:
    return len(line) if type(line) is str else MAX_FILE_BYTES + 1


def _archived(name: str) -> Text | None:
    """Return a member of a zip file that the application has imported from."""
    known = (module_namespace(sys.modules.get("zipimport")) or {}).get("zipimporter")
    for archive in _parents(name):
        if os.path.isfile(archive) and type(known) is type:
            try:
                return _decoded(name, known(archive).get_data(name))
            except Exception:  # noqa: BLE001 - zlib's and zipimport's own errors are many
                return None
    return None


def _parents(path: str) -> Iterator[str]:
    while len(above := os.path.dirname(path)) < len(path):
        yield above
        path = above


def _cut(line: str, start: int, stop: int | None) -> str:
    if line.isascii():
        return line[start:stop]
    return line.encode()[start:stop].decode("utf-8", "replace")
