"""Which code is the service's own, as far as a place can know it."""

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from leadline.trial.place import Begin

_INSTALLED = ("/site-packages/", "/dist-packages/")


def own_code(begin: Begin) -> Callable[[str], bool]:
    """Return what tells whether a file is the service's own: in its folders, installed together
    with a file that the candidate changes, or anywhere that is no place for what is
    installed. What it has said of a file is kept: it is asked of all modules after each run,
    and each run is in a copy of the process, which has what was kept."""
    library = os.path.dirname(os.__file__) + "/"
    ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + "/"
    folders = [os.path.realpath(one) + "/" for one in begin.scope]
    inside = (*folders, *_beside({*begin.overlay, *begin.wanted}))
    foreign = (library, sys.base_prefix + "/lib/", ours)

    @cache
    def own(file: str) -> bool:
        if file.startswith("<"):
            return False
        real = os.path.realpath(file)
        if inside and real.startswith(inside):
            return True
        return not is_installed(real) and not real.startswith(foreign)

    return own


def is_installed(file: str) -> bool:
    """Tell whether a file lies where installed ones do."""
    return any(folder in file for folder in _INSTALLED)


def _beside(files: Iterable[str]) -> set[str]:
    """Return how the paths begin of all that belongs to files: of their packages, and of what
    was installed with them."""
    found: set[str] = set()
    for file in map(os.path.realpath, files):
        if is_installed(file):
            at = max(file.rfind(folder) + len(folder) for folder in _INSTALLED)
            site, name = file[:at], file[at:]
            found |= {site + one for one in (_top(name), *_installed_with(site, name))}
        else:
            found.add(_package(file))
    return found


def _top(name: str) -> str:
    """Return the package of a file in a folder of installed ones, or that file."""
    package, inside, _ = name.partition("/")
    return f"{package}/" if inside else name


def _installed_with(site: str, name: str) -> set[str]:
    """Return the packages and files of the distribution that a file came with."""
    for record in Path(site).glob("*.dist-info/RECORD"):
        with suppress(OSError, UnicodeDecodeError):
            lines = record.read_text("utf-8").splitlines()
            names = [line.rpartition(",")[0].rpartition(",")[0] for line in lines]
            if name in names:
                return {_top(one) for one in names if one.endswith(".py")}
    return set()


def _package(file: str) -> str:
    """Return the outermost package that a file is in, or that file."""
    folder = Path(file).parent
    while (folder / "__init__.py").is_file() and (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return f"{folder}/" if (folder / "__init__.py").is_file() else file
