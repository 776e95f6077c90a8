"""What a call has changed in the modules of the service: counters, caches, registries.

Only names that hold another value after a run than before it are told. Before is the same for
all runs of a place, since each is a copy of it.
"""

import json
import sys
from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from leadline.agent.place.deep import MeasuredWalk
from leadline.wire.value import Value

MAX_NAMES = 2_000
"""Of all modules together: a generated module can have any number."""
MAX_BYTES = 200_000
"""Of one value: what is larger is not looked at."""
MAX_TOTAL_BYTES = 2_000_000
"""Of all of them: they are looked at once more after each run."""
_SKIPPED = (ModuleType, FunctionType, staticmethod, classmethod, property)


class Globals:
    """The modules of the service as they were before any run."""

    def __init__(self, is_own: Callable[[str], bool], salt: str) -> None:
        self._salt = salt
        self._names: list[tuple[str, str, Mapping[str, Any]]] = []
        self._before: dict[tuple[str, str], str] = {}
        self._left = MAX_TOTAL_BYTES
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if type(file) is str and is_own(file):
                self._remember(name, module)

    def changed(self) -> dict[str, Value]:
        """Return the names that hold something else now, with what they hold."""
        found: dict[str, Value] = {}
        for module, name, held in self._names:
            tree, text = self._taken(held.get(name))
            if text and text != self._before[module, name]:
                found[f"{module}.{name}"] = tree
        return found

    def _remember(self, module: str, of: ModuleType) -> None:
        self._note(module, vars(of))
        for name, value in list(vars(of).items()):
            if type(value) is type and value.__module__ == module:
                self._note(f"{module}.{name}", vars(value))

    def _note(self, where: str, held: Mapping[str, Any]) -> None:
        for name, value in list(held.items()):
            if name.startswith("__") or isinstance(value, (*_SKIPPED, type)):
                continue
            if len(self._before) >= MAX_NAMES or self._left <= 0:
                return
            _, text = self._taken(value)
            if text:
                self._left -= len(text)
                self._before[where, name] = text
                self._names.append((where, name, held))

    def _taken(self, value: object) -> tuple[Value, str]:
        """Return a value as a tree and as text; no text where it is too large to compare."""
        walk = MeasuredWalk(MAX_BYTES, self._salt)
        try:
            tree = walk.take(value, 0)
        except Exception:  # noqa: BLE001 - what cannot be read cannot be compared
            return None, ""
        if walk.room.left <= 0:
            return None, ""
        return tree, json.dumps(tree, sort_keys=True, default=str)
