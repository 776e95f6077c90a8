"""A unified diff, as `git diff` and `diff -u` write it, read into hunks.

Prose around it is passed over, as patch(1) does; what begins as a diff and is none is told with
its line, never half read.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from leadline.wire.errors import UsageError
from leadline.wire.struct import dataclass

MAX_DIFF_CHARS = 4_000_000
"""A change that a person reads has thousands of characters; this is a vendored library."""
BOM = "\ufeff"

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_EPOCH = re.compile(r"\t(?:1970-01-01|1969-12-31) ")
"""The time that diff(1) gives to a file that is not there, in any zone."""
_ESCAPED = re.compile(r'\\([0-7]{3}|["\\abfnrtv])')
_LETTERS = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, '"': 34, "\\": 92}
_PREFIXES = ("a", "b", "c", "i", "o", "w")
"""The first folder that git puts before both names of a file, by what it compares."""
_NOWHERE = "/dev/null"


class Kind(StrEnum):
    """What a diff does to a file."""

    MODIFIED = "modified"
    CREATED = "created"
    DELETED = "deleted"
    RENAMED = "renamed"
    COPIED = "copied"
    BINARY = "binary"


@dataclass(frozen=True, slots=True)
class Hunk:
    """One `@@` of a diff, which is on its line `line`. `lines` are pairs of the sign, which is
    blank, `+` or `-`, and the text with its own end of line."""

    line: int
    old_start: int
    old_count: int
    new_start: int
    lines: tuple[tuple[str, str], ...]

    @property
    def old(self) -> list[str]:
        """The lines that must be there."""
        return [text for sign, text in self.lines if sign != "+"]

    @property
    def new(self) -> list[str]:
        """The lines that are there afterwards."""
        return [text for sign, text in self.lines if sign != "-"]

    @property
    def at(self) -> int:
        """How many lines of the old text stand before it."""
        return self.old_start - 1 if self.old_count else self.old_start


@dataclass(frozen=True, slots=True)
class FilePatch:
    """What a diff says of one file, from its line `line` on. `old` and `new` are the names
    without git's `a/` and `b/`; they differ with plain diffs of two folders as well."""

    line: int
    kind: Kind
    old: str
    new: str
    hunks: tuple[Hunk, ...] = ()

    @property
    def name(self) -> str:
        """The name to tell a person."""
        return self.old if self.kind is Kind.DELETED else self.new

    @property
    def of_nothing(self) -> bool:
        """Whether what is changed is an empty text, or none."""
        return len(self.hunks) == 1 and self.hunks[0].old_start == self.hunks[0].old_count == 0


def lines_of(text: str) -> list[str]:
    """Return the lines with their ends, as diff counts them: only a newline ends one."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{one}\n" for one in lines] + ([last] if last else [])


def parse(text: str) -> list[FilePatch]:
    """Read a diff; raises `UsageError` (`bad-patch`) that names the line."""
    if len(text) > MAX_DIFF_CHARS:
        raise UsageError("bad-patch", f"A diff has at most {MAX_DIFF_CHARS:,} characters.")
    lines = lines_of(text.removeprefix(BOM))
    if any(one.endswith("\r\n") and one.startswith(("--- ", "@@ ")) for one in lines):
        # the whole diff went through a program that ends its lines so
        lines = [one.removesuffix("\r\n") + "\n" if "\r" in one else one for one in lines]
    patches = list(_Reading(lines).patches())
    if not patches:
        is_coloured = "\x1b[" in text
        raise UsageError(
            "bad-patch",
            f"There is no unified diff in this text{', which has colours' * is_coloured}.",
            f"Make one with `git diff{' --no-color' * is_coloured}` or `diff -u`.",
        )
    return patches


class _Reading:
    """The place in a diff that is being read."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def patches(self) -> Iterator[FilePatch]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.startswith("diff --git "):
                yield from self._git()
            elif self._names_follow():
                yield from self._plain()
            elif line.startswith(("diff --cc ", "diff --combined ")):
                raise self._wrong("is of a merge, with more than one old side")
            elif line.startswith("*** ") and self._peek(1).startswith("--- "):
                raise self._wrong("begins a context diff, and only unified ones are read")
            elif _HUNK.match(line):
                raise self._wrong("begins a hunk, and no file is named before it")
            else:
                self._at += 1

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._lines[at].rstrip("\r\n") if at < len(self._lines) else ""

    def _names_follow(self) -> bool:
        return self._peek().startswith("--- ") and self._peek(1).startswith("+++ ")

    def _wrong(self, what: str, at: int | None = None) -> UsageError:
        number = (self._at if at is None else at) + 1
        return UsageError("bad-patch", f"Line {number} of the diff {what}.")

    def _git(self) -> Iterator[FilePatch]:
        begin = self._at
        kind, names = self._git_head()
        hunks: tuple[Hunk, ...] = ()
        if self._names_follow():
            if kind not in (Kind.RENAMED, Kind.COPIED):
                found, names = self._named()
                kind = kind if found is Kind.MODIFIED else found
            self._at += 2
            hunks = tuple(self._hunks())
            if not hunks:
                raise self._wrong("should begin a hunk with @@")
        if not all(names):
            raise self._wrong("names no file that can be told", begin)
        if hunks or kind is not Kind.MODIFIED:  # else only the file's mode is another
            yield FilePatch(begin + 1, kind, *names, hunks)

    def _git_head(self) -> tuple[Kind, tuple[str, str]]:
        """Read `diff --git` and the lines of git's own below it."""
        kind, names = Kind.MODIFIED, _git_names(self._peek().removeprefix("diff --git "))
        self._at += 1
        while self._at < len(self._lines):
            line = self._peek()
            word, _, name = line.partition(" from ")
            if name and word in ("rename", "copy"):
                kind = Kind.RENAMED if word == "rename" else Kind.COPIED
                names = (_unquoted(name), names[1])
            elif line.startswith(("rename to ", "copy to ")):
                names = (names[0], _unquoted(line.partition(" to ")[2]))
            else:
                said = next((of for head, of in _EXTENDED if line.startswith(head)), None)
                if said is None:
                    break
                kind = kind if said is Kind.MODIFIED else said
            self._at += 1
        return kind, names

    def _plain(self) -> Iterator[FilePatch]:
        begin = self._at
        kind, names = self._named()
        self._at += 2
        hunks = tuple(self._hunks())
        if hunks:  # else two lines of prose that look so
            yield FilePatch(begin + 1, kind, *names, hunks)

    def _named(self) -> tuple[Kind, tuple[str, str]]:
        """Read `---` and `+++`."""
        before, after = self._peek()[4:], self._peek(1)[4:]
        old, new = _name(before), _name(after)
        if old == new == _NOWHERE:
            raise self._wrong("names no file")
        if old == _NOWHERE:
            return Kind.CREATED, (_without_prefix(new),) * 2
        if new == _NOWHERE:
            return Kind.DELETED, (_without_prefix(old),) * 2
        kind = (
            Kind.CREATED
            if _EPOCH.search(before)
            else Kind.DELETED
            if _EPOCH.search(after)
            else Kind.MODIFIED
        )
        return kind, _stripped(old, new)

    def _hunks(self) -> Iterator[Hunk]:
        while self._at < len(self._lines):
            head = _HUNK.match(self._lines[self._at])
            if head is None:
                if self._peek().startswith("@@"):
                    raise self._wrong("does not say which lines it is about: @@ -1,3 +1,4 @@")
                return
            yield self._hunk(head)

    def _hunk(self, head: re.Match[str]) -> Hunk:
        begin = self._at
        old_start, new_start = int(head[1]), int(head[3])
        old_count = 1 if head[2] is None else int(head[2])
        new_count = 1 if head[4] is None else int(head[4])
        old, new = old_count, new_count
        lines: list[tuple[str, str]] = []
        self._at += 1
        while old > 0 or new > 0:
            if self._at >= len(self._lines):
                raise self._miscounted(begin, head[0], "ends too early")
            line = self._lines[self._at]
            if line in ("\n", "\r\n"):  # an empty line whose blank was stripped on the way
                line = f" {line}"
            sign = line[0]
            if sign == "\\":
                self._unended(lines)
                continue
            if sign not in " +-":
                raise self._miscounted(begin, head[0], f"ends before line {self._at + 1}")
            old -= sign != "+"
            new -= sign != "-"
            lines.append((sign, line[1:]))
            self._at += 1
        if old or new:
            raise self._miscounted(begin, head[0], "has other lines than that")
        if self._peek().startswith("\\"):
            self._unended(lines)
        rest = self._peek()
        if rest[:1] in ("+", "-") and not self._names_follow() and rest.rstrip() != "--":
            raise self._miscounted(begin, head[0], f"goes on at line {self._at + 1}")
        return Hunk(begin + 1, old_start, old_count, new_start, tuple(lines))

    def _unended(self, lines: list[tuple[str, str]]) -> None:
        """Obey `\\ No newline at end of file`."""
        if not lines:
            raise self._wrong("says that no line has no end")
        sign, text = lines[-1]
        lines[-1] = (sign, text.removesuffix("\n"))
        self._at += 1

    def _miscounted(self, begin: int, head: str, what: str) -> UsageError:
        return UsageError(
            "bad-patch",
            f"The hunk on line {begin + 1} of the diff says {head} and {what}.",
            "Make the diff anew: its line counts must be right.",
        )


_EXTENDED = (
    ("new file mode ", Kind.CREATED),
    ("deleted file mode ", Kind.DELETED),
    ("GIT binary patch", Kind.BINARY),
    ("Binary files ", Kind.BINARY),
    ("old mode ", Kind.MODIFIED),
    ("new mode ", Kind.MODIFIED),
    ("similarity index ", Kind.MODIFIED),
    ("dissimilarity index ", Kind.MODIFIED),
    ("index ", Kind.MODIFIED),
)
"""What git says of a file above the hunks, and what that tells of its kind."""


def _git_names(head: str) -> tuple[str, str]:
    """Return the two names of `diff --git`, which are the same unless more lines name them."""
    if head.startswith('"'):
        end = re.match(r'"(?:\\.|[^"\\])*"', head)
        if end is None:
            return "", ""
        return _stripped(_unquoted(end[0]), _unquoted(head[end.end() + 1 :]))
    if head.endswith('"'):
        old, _, new = head.partition(' "')
        return _stripped(old, _unquoted(f'"{new}'))
    for at in (at for at, sign in enumerate(head) if sign == " "):
        old, new = _stripped(head[:at], head[at + 1 :])
        if old == new:
            return old, new
    old, _, new = head.partition(" ")  # a rename, whose own lines say it again
    return _stripped(old, new)


def _name(said: str) -> str:
    """Return the name of `---` or `+++`, without the time that may stand behind a tab."""
    if said.startswith('"'):
        end = re.match(r'"(?:\\.|[^"\\])*"', said)
        return _unquoted(end[0]) if end else said
    return said.partition("\t")[0].rstrip(" ")


def _unquoted(name: str) -> str:
    """Return a name that git wrote in quotes, with octal bytes, as it is."""
    if not (len(name) > 1 and name[0] == name[-1] == '"'):
        return name

    def byte(found: re.Match[str]) -> str:
        sign = found[1]
        return chr(_LETTERS[sign] if sign in _LETTERS else int(sign, 8) & 0xFF)

    raw = _ESCAPED.sub(byte, name[1:-1])
    try:
        return raw.encode("latin-1").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # `core.quotePath` is off: its letters stand as they are
        return raw


def _stripped(old: str, new: str) -> tuple[str, str]:
    """Take off git's own first folders where both names have one."""
    (first, _, one), (second, _, other) = old.partition("/"), new.partition("/")
    if one and other and first in _PREFIXES and second in _PREFIXES and first != second:
        return one, other
    return old, new


def _without_prefix(name: str) -> str:
    first, _, rest = name.partition("/")
    return rest if rest and first in _PREFIXES else name
