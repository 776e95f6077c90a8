"""Which file a person means by the end of its path, as this process sees its files.

`app.py` names the `app.py` that an import from here would find, before any other file of that
name; failing that, the one loaded file whose path ends so. Two that fit are an ambiguity that
is said, never a guess.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass

_NEAREST = 3
_ALIKE = 0.6
"""Below this, names of Python files have little but their ending in common."""


@dataclass(frozen=True, slots=True)
class File:
    """The file that a target means. `path` is absolute; empty when it is not known yet."""

    suffix: str
    path: str = ""

    def matches(self, filename: str) -> bool:
        """Whether code compiled from `filename` is code of this file."""
        if self.path:
            return same_file(filename, self.path)
        return ends_with(filename, self.suffix)


def file_of(suffix: str) -> File:
    """Resolve `suffix` against the working directory and the import path."""
    if os.path.isabs(suffix):
        return File(suffix, os.path.realpath(suffix))
    for root in ("", *_roots()):
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
    """Return up to three known files that a person may have meant."""
    names = list(filenames)
    base = _parts(suffix)[-1]
    same_base = [name for name in names if _parts(name)[-1] == base]
    if same_base:
        return sorted(same_base, key=len)[:_NEAREST]
    alike = sorted(
        ((_likeness(base, _parts(name)[-1]), name) for name in names), key=lambda pair: -pair[0]
    )
    return [name for likeness, name in alike[:_NEAREST] if likeness > _ALIKE]


def _likeness(one: str, other: str) -> float:
    """Return the share of letter pairs that two names have in common, from 0 to 1."""
    pairs = {one[at : at + 2] for at in range(len(one) - 1)}
    others = {other[at : at + 2] for at in range(len(other) - 1)}
    return 2 * len(pairs & others) / max(1, len(pairs) + len(others))


def _roots() -> list[str]:
    return [root for root in sys.path if type(root) is str]


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
