"""Which file a person means by the end of its path, as this process sees its files.

`app.py` names the `app.py` that an import from here would find, before any other file of that
name; failing that, the one loaded file whose path ends so. Two that fit are an ambiguity that
is said, never a guess.
"""

import os
import sys
from collections.abc import Iterable
from itertools import islice

from leadline.wire.struct import dataclass

NEAREST = 3
"""More than three guesses are not read."""
MAX_COMPARED = 20_000
"""Names looked at; four times the modules of a large service, some tens of milliseconds."""
_FOLDER = 0.2
"""What a folder of the same name counts for, beside the file's own name."""
_ALIKE = 0.6
"""Below this, names of Python files have little but their ending in common."""
_SLIP = 0.75
"""What names count for that one slip of the finger tells apart: a short name loses most of its
letter pairs by it."""
_SLIPPED_CHARS = 4
"""Shorter names differ by one letter without any slip."""


@dataclass(frozen=True, slots=True)
class File:
    """The file that a target means. `path` is absolute; empty when it is not known yet.

    `other` is the end of another path that it may have. One that is at the `top` lies in a
    folder of the import path itself: `app` is not `flask.app`.
    """

    suffix: str
    path: str = ""
    other: str = ""
    top: bool = False

    def matches(self, filename: str) -> bool:
        """Whether code compiled from `filename` is code of this file."""
        if self.path:
            return same_file(filename, self.path)
        for suffix in filter(None, (self.suffix, self.other)):
            if ends_with(filename, suffix):
                root = filename[: -len(suffix)].rstrip("/")
                return not self.top or root in import_roots()
        return False


def file_of(suffix: str) -> File:
    """Resolve `suffix` against the working directory and the import path."""
    if os.path.isabs(suffix):
        return File(suffix, os.path.realpath(suffix))
    for root in ("", *import_roots()):
        path = os.path.join(root or os.getcwd(), suffix)
        if os.path.isfile(path):
            return File(suffix, os.path.realpath(path))
    return File(suffix)


def same_file(filename: str, path: str) -> bool:
    """Whether `filename`, as a code object has it, is the real path `path`."""
    if os.path.basename(filename) != os.path.basename(path):
        return False  # the usual case, without a system call
    return filename == path or os.path.realpath(filename) == path


def ends_with(filename: str, suffix: str) -> bool:
    """Whether the path `filename` ends with the whole components of `suffix`."""
    wanted = _parts(suffix)
    return _parts(filename)[-len(wanted) :] == wanted


def nearest(suffix: str, filenames: Iterable[str]) -> list[str]:
    """Return up to three known files that a person may have meant, the likeliest first.

    The name counts most, then the folders above it from right to left.
    """
    wanted = _parts(suffix)
    scored = []
    for name in islice(filenames, MAX_COMPARED):
        parts = _parts(name)
        likeness = alike(wanted[-1], parts[-1]) if parts else 0.0
        if likeness > _ALIKE:
            folders = zip(wanted[-2::-1], parts[-2::-1], strict=False)
            above = sum(alike(one, other) for one, other in folders)
            scored.append((-likeness - _FOLDER * above, len(name), name))
    found: dict[str, str] = {}  # one file may be known by several paths
    for *_, name in sorted(scored)[: 4 * NEAREST]:
        found.setdefault(os.path.realpath(name), name)
    return list(found.values())[:NEAREST]


def nearest_names(wanted: str, names: Iterable[str]) -> list[str]:
    """Return up to three dotted names that a person may have meant, the likeliest first."""
    last = wanted.rpartition(".")[2]
    scored = []
    for name in islice(names, MAX_COMPARED):
        likeness = max(alike(wanted, name), alike(last, name.rpartition(".")[2]) - 0.1)
        if likeness > _ALIKE:
            scored.append((-likeness, -alike(wanted, name), len(name), name))
    return [name for *_, name in sorted(scored)[:NEAREST]]


def alike(one: str, other: str) -> float:
    """Return the share of letter pairs that two names have in common, from 0 to 1; of names
    that one slip tells apart, at least `_SLIP`."""
    if one == other:
        return 1.0
    pairs = {one[at : at + 2] for at in range(len(one) - 1)}
    others = {other[at : at + 2] for at in range(len(other) - 1)}
    common = 2 * len(pairs & others) / max(1, len(pairs) + len(others))
    return max(common, _SLIP) if _one_slip(one, other) else common


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter is missing, too many or another, or two have changed places."""
    shorter = min(len(one.partition(".")[0]), len(other.partition(".")[0]))
    if shorter < _SLIPPED_CHARS or abs(len(one) - len(other)) > 1:
        return False
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])


def import_roots() -> list[str]:
    """Return the folders of the import path."""
    return [root for root in sys.path if type(root) is str]


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
