"""What a call has changed in the modules of the service: counters, caches, registries.

Only names that hold another value after a run than before it are told. Before is the same for
all runs of a place, since each is a copy of it.
"""

import contextvars
import json
import marshal
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from leadline.agent.place.deep import MeasuredWalk
from leadline.wire.value import Value

MAX_NAMES = 2_000
"""Of all modules together: a generated module can have any number."""
MAX_BYTES = 200_000
"""Of one value: of what is larger, only how many items it has."""
MAX_TOTAL_BYTES = 2_000_000
"""Of all of them: they are looked at once more after each run."""
_SKIPPED = (ModuleType, FunctionType, staticmethod, classmethod, property)
"""Of these it is looked at whether they are still the same."""
_VARIABLE = "contextvars."
_GONE = "(no longer there)"


class Globals:
    """The modules of the service, and what a process has once, as they were before any run."""

    def __init__(self, is_own: Callable[[str], bool], salt: str) -> None:
        self._salt = salt
        self._spaces: list[tuple[str, Mapping[str, Any], frozenset[str]]] = []
        self._names: list[tuple[str, str, Mapping[str, Any]]] = []
        self._before: dict[tuple[str, str], str] = {}
        self._plain: dict[tuple[str, str], bytes] = {}
        """Of values that are plain data through and through: most of what modules hold."""
        self._code: list[tuple[str, str, Mapping[str, Any], object]] = []
        self._left = MAX_TOTAL_BYTES
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if type(file) is str and is_own(file):
                self._remember(name, module)
        self._surroundings = {
            name: self._taken(one)[1] for name, one in _surroundings().items()
        }

    def changed(self) -> dict[str, Value]:
        """Return the names that hold something else now, with what they hold."""
        found: dict[str, Value] = {}
        for module, name, held in self._names:
            plain = self._plain.get((module, name))
            if plain is not None and _as_plain(held.get(name, _GONE)) == plain:
                continue
            tree, text = self._taken(held.get(name, _GONE))
            if text and text != self._before[module, name]:
                found[f"{module}.{name}"] = tree
        for module, name, held, before in self._code:
            if held.get(name) is not before:
                found[f"{module}.{name}"] = self._taken(held.get(name, _GONE))[0]
        for module, held, names in self._spaces:
            for name in [one for one in held if one not in names and not _is_skipped(one)]:
                if not isinstance(held[name], ModuleType):  # a part that was imported late
                    found[f"{module}.{name}"] = self._taken(held[name])[0]
        for name, one in _surroundings().items():
            tree, text = self._taken(one)
            known = self._surroundings.get(name)
            if text != known and (known is not None or name.startswith(_VARIABLE)):
                found[name] = tree
        return found

    def _remember(self, module: str, of: ModuleType) -> None:
        self._note(module, vars(of))
        for name, value in list(vars(of).items()):
            where = f"{module}.{name}"
            if isinstance(value, type) and value.__module__ == module:
                self._note(where, vars(value))
                for method, one in list(vars(value).items()):
                    self._function(f"{where}.{method}", getattr(one, "__func__", one), module)
            else:
                self._function(where, value, module)

    def _function(self, where: str, value: object, module: str) -> None:
        """Note what a function carries: attributes, and defaults that can be changed."""
        if isinstance(value, FunctionType) and value.__module__ == module:
            self._note(where, vars(value))
            defaults = (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
            self._note(where, {f"default {at}": one for at, one in enumerate(defaults, 1)})

    def _note(self, where: str, held: Mapping[str, Any]) -> None:
        self._spaces.append((where, held, frozenset(held)))
        for name, value in list(held.items()):
            if _is_skipped(name):
                continue
            if isinstance(value, (*_SKIPPED, type)):
                self._code.append((where, name, held, value))
                continue
            if len(self._before) >= MAX_NAMES or self._left <= 0:
                return
            _, text = self._taken(value)
            if text:
                self._left -= len(text)
                self._before[where, name] = text
                if (plain := _as_plain(value)) is not None:
                    self._plain[where, name] = plain
                self._names.append((where, name, held))

    def _taken(self, value: object) -> tuple[Value, str]:
        """Return a value as a tree and as text; no text where it cannot be compared."""
        walk = MeasuredWalk(MAX_BYTES, self._salt)
        try:
            tree = walk.take(value, 0)
        except Exception:  # noqa: BLE001 - what cannot be read cannot be compared
            return None, ""
        if walk.room.left <= 0:
            if not isinstance(value, dict | list | set | deque):
                return None, ""
            tree = f"{type(value).__name__} of {len(value)} items"
        return tree, json.dumps(tree, sort_keys=True, default=str)


def _as_plain(value: Any) -> bytes | None:
    """Return a value as bytes that are the same only for the same; None for one in which
    anything is no plain data. Twenty times as quick as a walk, and asked once a run."""
    if type(value) not in (dict, list, tuple, str, int, float, bytes, bool, set, frozenset):
        return None
    try:
        return marshal.dumps(value, 2)  # later versions tell what is referred to more than once
    except (ValueError, RecursionError, MemoryError):
        return None


def _is_skipped(name: str) -> bool:
    return name.startswith(("__", "_abc_"))


def _surroundings() -> dict[str, object]:
    """Return what a process, or the thread of a call, has one of."""
    found: dict[str, object] = {
        "os.environ": dict(os.environ),
        "os.getcwd()": os.getcwd(),
        "sys.path": list(sys.path),
        "sys.getrecursionlimit()": sys.getrecursionlimit(),
    }
    for variable, value in contextvars.copy_context().items():
        if type(value).__module__ != "decimal":  # made whenever a number is reckoned with
            found[f"{_VARIABLE}{variable.name}"] = value
    decimal: Any = sys.modules.get("decimal")
    if decimal is not None:
        context = decimal.getcontext()  # but for what reckoning itself leaves there: its flags
        traps = sorted(one.__name__ for one, on in context.traps.items() if on)
        found["decimal.getcontext()"] = [context.prec, context.rounding, context.Emin,
                                         context.Emax, *traps]  # fmt: skip
    warnings: Any = sys.modules.get("warnings")
    if warnings is not None:
        found["warnings.filters"] = [repr(one) for one in warnings.filters]
    logging: Any = sys.modules.get("logging")
    if logging is not None:
        loggers = {"root": logging.root, **logging.root.manager.loggerDict}
        found["logging levels"] = {
            name: (one.level, one.disabled)
            for name, one in loggers.items()
            if getattr(one, "level", 0) or getattr(one, "disabled", False)
        }
    return found
