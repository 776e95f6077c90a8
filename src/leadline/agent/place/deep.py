"""Outcomes taken whole, in a process that nobody waits for.

The live outcome is cut to what a live process can afford; control and candidate are compared
with each other without that limit.
"""

import itertools
import json
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any

from leadline.agent.capture.room import Room
from leadline.agent.place.belongings import contents_of, state_of
from leadline.agent.place.digests import digest
from leadline.agent.place.mappings import mapping_of
from leadline.agent.place.named import names_of
from leadline.agent.place.parts import by_class
from leadline.agent.place.whole import whole_of
from leadline.agent.twin.outcome import OutcomeWalk
from leadline.expression.layout import layout_of
from leadline.trial import withheld
from leadline.trial.outcome import ABSENT, BESIDE, CACHED, CLASS, NAMES, WHOLE
from leadline.trial.showing import seen
from leadline.trial.withheld import Withheld
from leadline.wire.gateway import BODY
from leadline.wire.kept import IN_PROCESS
from leadline.wire.redaction import secret_name
from leadline.wire.struct import dataclass
from leadline.wire.value import RESOURCE, Omission, Value


@dataclass(frozen=True, slots=True)
class Deep:
    """As `CaptureLimits`, for a process that nobody waits for."""

    depth: int = 60
    items: int = 200_000
    text: int = 2_000_000


_ORDER = "(order)"
"""Of an `OrderedDict`, which keeps it for itself."""
DEEP_BYTES = 8_000_000
_HOLDERS = (int, float, str, bytes, bytearray, list, tuple, dict, set, frozenset, deque)


class _DeepWalk(OutcomeWalk):
    """A capture that leaves hardly anything out. Of a value that is held back there is a digest
    that says whether it is the same as another one."""

    __slots__ = ("aside", "digesting")

    def __init__(self, limits: Deep, room: Room, aside: Room) -> None:
        """`aside` is the room for what is held back, of all of it together."""
        super().__init__(limits, room)  # type: ignore[arg-type]
        self.aside = aside
        self.digesting = False
        """What is taken is a part of what is held back: of that there is one digest."""

    def take(self, value: object, level: int) -> Value:
        if type(value) is Withheld:
            path, rule, name = withheld.of(value)
            if rule in ("", IN_PROCESS, BODY):
                return {"type": name, "omitted": Omission.OPAQUE, "rule": ABSENT, "text": path}
            return {"type": name, "omitted": Omission.REDACTED, "rule": rule}
        if mapping := mapping_of(value):
            return _mapped(value, mapping)
        taken = super().take(value, level)
        if type(taken) is dict and (named := _class_of(value)):
            taken[CLASS] = named
            if names := names_of(value):
                taken[NAMES] = names
            if whole := whole_of(value):
                taken[WHOLE] = whole
            if level < self.limits.depth:
                self._attributes(taken, value, level)
        if type(taken) is dict and taken.get("rule") == RESOURCE:
            return taken | self._belongings(value, level)
        if type(value) is itertools.count:
            return {"type": "itertools.count", "text": state_of(value)}
        return taken

    def _attributes(self, taken: dict[str, Any], value: object, level: int) -> None:
        """Add what else there is to tell of attributes. As the rest of it, they are told at
        each place where the value is: whether two places have one object is not compared."""
        if cached := cached_of(type(value)):
            taken[CACHED] = sorted(cached)
        layout = layout_of(type(value))
        if layout.is_enum or not issubclass(layout.cls, _HOLDERS):
            return
        held: Any = layout.namespace(value) if layout.namespace is not None else None
        is_ordered = issubclass(layout.cls, OrderedDict)
        if type(held) is not dict and not is_ordered:
            return
        if any(one is value for one in self.path):
            return
        self.path.append(value)
        try:
            order: list[Any] = list(OrderedDict.__iter__(value)) if is_ordered else []  # type: ignore[arg-type]
            taken[BESIDE] = {_ORDER: self.take(order, level + 1)} if is_ordered else {}
            taken[BESIDE] |= {
                name: self.redacted(rule, one)
                if (rule := secret_name(name))
                else self.take(one, level + 1)
                for name, one in list((held or {}).items())
                if type(name) is str
            }
        finally:
            self.path.pop()

    def _belongings(self, value: object, level: int) -> dict[str, Any]:
        """Return what is told of a resource of the process; the run is over."""
        said: dict[str, Any] = {}
        if state := state_of(value):
            said["text"] = state
        try:
            inside = contents_of(value)
        except Exception:  # noqa: BLE001 - it is changed by a thread that goes on
            return said
        if inside and level < self.limits.depth:
            said["fields"] = {name: self.take(one, level + 1) for name, one in inside.items()}
        return said

    def redacted(self, rule: str, value: object) -> Value:
        if type(value) is Withheld:
            return self.take(value, 0)
        if mapping := mapping_of(value):
            return _mapped(value, mapping)
        if self.digesting:
            return self.take(value, len(self.path))
        held: dict[str, Any] = dict(super().redacted(rule, value))
        inside = _DeepWalk(Deep(), self.aside, self.aside)
        inside.digesting, inside.path = True, self.path
        try:
            tree = json.dumps(inside.take(value, 0), sort_keys=True)
        except Exception:  # noqa: BLE001 - then nothing can be said of it
            return held
        if min(self.aside.left, inside.left) <= 0:  # nor of half of it
            return {"type": "?", "omitted": Omission.ROOM}
        return held | {"text": f"#{digest(tree)}"}


def _mapped(value: object, mapping: str) -> Value:
    """Return a part of the mapping of a class by what it is called."""
    return {
        "type": type(value).__name__,
        "omitted": Omission.OPAQUE,
        "rule": RESOURCE,
        CLASS: _class_of(value),
        NAMES: [mapping],
    }


@by_class
def cached_of(cls: type) -> frozenset[str]:
    """Return the attributes of a class that are reckoned once for each object, as those of
    `functools.cached_property` are, and of what libraries have by that name."""
    return frozenset(
        name
        for base in cls.__mro__
        for name, one in vars(base).items()
        if any(kind.__name__ == "cached_property" for kind in type(one).__mro__)
    )


def _class_of(value: object) -> str:
    """Return which class a value is of, or is; nothing of the built-in ones."""
    cls: type = value if issubclass(type(value), type) else type(value)  # type: ignore[assignment]
    classes = cls.__mro__ if issubclass(cls, BaseException) else (cls,)
    names = [f"{one.__module__}.{one.__qualname__}" for one in classes]
    if names[0].startswith("builtins.") and cls is not object:
        return ""
    return " < ".join(names)


def deep_taker(most_bytes: int = DEEP_BYTES) -> Callable[[object], Value]:
    """As `taker`, for a sealed process: what it leaves out cannot be compared."""
    room, aside = Room(most_bytes), Room(most_bytes)

    def shown(value: object) -> Value:
        if room.left <= 0:
            return {"type": "?", "omitted": Omission.ROOM}
        return _DeepWalk(Deep(), room, aside).take(value, 0)

    return shown


def deep_under(shown: Callable[[object], Value], name: str, value: object) -> Value:
    """Return a value by its name; of one with a secret's name, the digest."""
    rule = secret_name(name)
    if rule is None:
        return seen(shown, value)
    room = Room(DEEP_BYTES)
    return _DeepWalk(Deep(), room, room).redacted(rule, value)


_ASIDE = 5
"""Times as much as for what is shown, for what is held back in it."""


class MeasuredWalk(_DeepWalk):
    """A capture of one value within so many bytes; whether they were enough says its room."""

    __slots__ = ()

    def __init__(self, most: int) -> None:
        super().__init__(Deep(items=50_000), Room(most), Room(_ASIDE * most))
