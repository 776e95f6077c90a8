"""What a call has changed in the modules of the service: counters, caches, registries.

Only what is another after a run than before it is told. Before is the same for all runs of a
place, since each is a copy of it.
"""

import json
import sys
from collections.abc import Callable, Mapping
from types import ModuleType

from leadline.agent.place import named, surroundings
from leadline.agent.place.changes import MODULE, Changes
from leadline.agent.place.deep import MeasuredWalk
from leadline.agent.place.definitions import Definitions
from leadline.agent.place.reach import Reach, as_plain
from leadline.trial.place import LATE, UNCOMPARED
from leadline.wire.value import LIMITS, Value

MAX_BYTES = 200_000
"""Of one value that is told as a whole: of what is larger, each part by itself."""
_CUT = tuple(f'"omitted": "{one}"' for one in LIMITS)


class Globals:
    """The modules of the service, and what a process has once, as they were before any run.
    `is_own` tells which files are the service's, `changed` are the texts of those that the
    candidate changes."""

    def __init__(
        self, is_own: Callable[[str], bool], changed: Mapping[str, str | None]
    ) -> None:
        self.is_own, self._changed = is_own, changed
        own = _own(is_own)
        named.learn(own)
        self._reach = Reach(own)
        self._definitions = Definitions(own)
        self.begin()

    def renew(self) -> None:
        """Take all as it is now for what it was before any run."""
        own = _own(self.is_own)
        named.learn(own)
        self._reach.renew()
        self._definitions = Definitions(own)
        self.begin()

    def begin(self) -> None:
        """Take what is around the call that is to be made for what it was before."""
        self._surroundings = {
            name: self._state(values) for name, values in surroundings.values().items()
        }
        self._objects = surroundings.objects()

    def knows(self, value: object) -> bool:
        """Tell whether modules led to an object before any run."""
        return self._reach.knows(value)

    def changed(self) -> dict[str, Value]:
        """Return what is another now, by path: `module:name.attribute[key]`."""
        late = {name for name in _own(self.is_own) if name not in self._reach.modules}
        found: dict[str, Value] = {**self._definitions.changed()}
        found |= Changes(self._reach, self._taken, self._changed).tell()
        found |= {f"{UNCOMPARED}{name}{MODULE}": LATE for name in late}
        for name, values in surroundings.values().items():
            known = self._surroundings.get(name)
            is_told = known is not None or name.startswith(surroundings.VARIABLE)
            if is_told and self._state(values) != known:
                found[name] = self._tree(values)
        for name, one in surroundings.objects().items():
            if one is not self._objects.get(name):
                found[name] = surroundings.named(one)
        return found

    def _state(self, values: list[object]) -> bytes | str:
        """Return what is the same only for the same."""
        plain = as_plain(values)
        return plain if plain is not None else _text(self._tree(values))

    def _tree(self, values: list[object]) -> Value:
        trees = [self._taken("", one)[0] for one in values]
        return trees[0] if len(trees) == 1 else sorted(trees, key=_text)

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
