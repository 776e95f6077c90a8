"""Objects of a call that were made by the old code, where the candidate makes them otherwise
(`trial.remade`)."""

import os
import sys
from collections.abc import Callable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from leadline.trial.lineage import Versions
from leadline.trial.place import FURTHER_OUT, IN_TWIN, MADE_BY, Begin
from leadline.trial.remade import Making
from leadline.trial.sources import text_on_disk

_SAID = (
    "objects of {0} that the call is given were made by the old code, and the candidate makes "
    f"{{0}} otherwise: {{1}}; {FURTHER_OUT} they are made would tell"
)
_RECKONED = (
    "{0}.{1} of what the call is given was reckoned by the old code before the call, and the "
    f"candidate reckons it otherwise: {{2}}; {FURTHER_OUT} it is asked for would tell: {{3}}"
)


class MadeBefore:
    """What stands in the way of running the candidate on what was made before it. Nothing is
    imported for it: the texts are read."""

    def __init__(self, begin: Begin, is_own: Callable[[str], bool]) -> None:
        self._is_own = is_own
        self._files: dict[str, str] = {}
        self._making: Making | None = None
        if begin.before:
            module, _, qualname = begin.entry.partition(":")
            self._versions = Versions(begin.before, begin.overlay, self._find, self._read)
            self._making = Making(self._versions, (self._file(module), qualname))

    def says(self, document: Mapping[str, Any]) -> str:
        """Return it for the objects of a document; nothing where no class of theirs is made
        otherwise."""
        if self._making is None:
            return ""
        nodes = document.get("nodes", ())
        numbers = {node["c"] for node in nodes if "c" in node and node.get("k") != "member"}
        for number in sorted(numbers):
            module, qualname = str(nodes[number].get("m")), str(nodes[number].get("t", ""))
            file = self._file(module)
            if file and qualname and (said := self._making.otherwise(file, qualname)):
                return _SAID.format(qualname, said)
        made = {
            (str(one.get("m")), str(one.get("t"))) for one in nodes if one["k"] == "function"
        }
        for module, qualname in sorted(made):
            file = self._file(module)
            if file and (line := self._versions.makes(file, qualname)):
                return MADE_BY.format(qualname.partition(".<locals>")[0], line)
        held = {
            (node["c"], name) for node in nodes if "c" in node for name in node.get("a", ())
        }
        for number, name in sorted(held):
            module, qualname = str(nodes[number].get("m")), str(nodes[number].get("t", ""))
            file = self._file(module)
            if file and qualname and (said := self._making.reckons(file, qualname, name)):
                return _RECKONED.format(qualname, name, said, IN_TWIN)
        return ""

    def _find(self, file: str, level: int, name: str) -> str:
        if not level:
            return self._file(name)
        above = Path(file).parents
        folder = above[min(level, len(above)) - 1]
        stem = folder.joinpath(*name.split("."))
        for one in (Path(f"{stem}.py"), stem / "__init__.py")[not name :]:
            if one.is_file():
                return os.path.realpath(one)
        return ""

    def _file(self, name: str) -> str:
        """Return the file of a module, imported or not."""
        if name not in self._files:
            self._files[name] = os.path.realpath(found) if (found := _origin(name)) else ""
        return self._files[name]

    def _read(self, file: str) -> str | None:
        return text_on_disk(file) if self._is_own(file) else None


def _origin(name: str) -> str:
    """Return where a module was imported from, or would be."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if type(file) is str:
        return file
    path = None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:depth]), path)
        if spec is None:
            return ""
        path = spec.submodule_search_locations
    return spec.origin or "" if spec is not None and spec.has_location else ""
