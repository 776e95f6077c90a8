"""What a call has changed in the modules of the service: counters, caches, registries.

Only what is another after a run than before it is told. Before is the same for all runs of a
place, since each is a copy of it.
"""

import contextvars
import json
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from leadline.agent.place.changes import Changes
from leadline.agent.place.deep import MeasuredWalk
from leadline.agent.place.reach import Reach
from leadline.wire.value import LIMITS, Value

MAX_BYTES = 200_000
"""Of one value that is told as a whole: of what is larger, each part by itself."""
_VARIABLE = "contextvars."
_CUT = tuple(f'"omitted": "{one}"' for one in LIMITS)


class Globals:
    """The modules of the service, and what a process has once, as they were before any run."""

    def __init__(self, is_own: Callable[[str], bool]) -> None:
        self._reach = Reach(_own(is_own))
        self._surroundings = self._around()

    def renew(self) -> None:
        """Take all as it is now for what it was before any run."""
        self._reach.renew()
        self._surroundings = self._around()

    def begin(self) -> None:
        """Take what is around the call that is to be made for what it was before."""
        self._surroundings = self._around()

    def changed(self) -> dict[str, Value]:
        """Return what is another now, by path: `module:name.attribute[key]`."""
        found = Changes(self._reach, self._taken).tell()
        for name, one in _surroundings().items():
            tree = self._taken("", one)[0]
            known = self._surroundings.get(name)
            if _text(tree) != known and (known is not None or name.startswith(_VARIABLE)):
                found[name] = tree
        return found

    def _around(self) -> dict[str, str]:
        return {name: _text(self._taken("", one)[0]) for name, one in _surroundings().items()}

    def _taken(self, secret: str, value: object) -> tuple[Value, bool]:
        """Return a value as a tree, and whether it shows all of it; of one with a secret's
        name there is a digest."""
        walk = MeasuredWalk(MAX_BYTES)
        try:
            if secret:
                return walk.redacted(secret, value), True
            tree = walk.take(value, 0)
        except Exception as error:  # noqa: BLE001 - what cannot be read cannot be compared
            return type(error).__name__, False
        if walk.room.left <= 0:
            return tree, False
        text = _text(tree) if type(tree) is dict else ""
        return tree, not any(one in text for one in _CUT)


def _own(is_own: Callable[[str], bool]) -> dict[str, ModuleType]:
    """Return the modules of the service, each under one name."""
    found: dict[int, tuple[str, ModuleType]] = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(module, ModuleType) and type(file) is str and is_own(file):
            found.setdefault(id(module), (name, module))
    return dict(found.values())


def _text(tree: Value) -> str:
    return json.dumps(tree, sort_keys=True, default=str)


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
