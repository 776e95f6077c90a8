"""All that the modules of the service lead to, and which of it a run has changed.

Whether anything is another object than before is asked of containers in bulk, at the speed of
C, since it is asked after each run. Only what has changed is looked at more closely.
"""

import gc
import marshal
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from operator import is_, length_hint
from typing import Any

from leadline.agent.place.parts import (
    Part,
    attributes,
    beneath,
    is_lru_cache,
    is_plain,
    items,
    of_c,
    ordinary,
    parts,
)
from leadline.expression.layout import Getter

MAX_OBJECTS = 1_000_000
"""Containers and objects of all modules together. Of what is beyond, nothing is known."""


_MOST_STEPS = 50
"""Of a way from a module to an object: as the shortest is taken, what is farther is in a chain
of objects, of which none says more than the next."""


class _Group:
    """Many objects that are asked for their insides in the same way."""

    def __init__(self, each: Callable[[Any], Iterable[object]]) -> None:
        self._each = each
        self._of: list[object] = []
        self._before: list[object] = []
        self._lengths: list[int] = []

    def add(self, value: object) -> None:
        self._of.append(value)

    def remember(self) -> None:
        """Keep what is inside now; what is kept stays where it is in memory."""
        inside = [list(self._each(one)) for one in self._of]
        self._lengths = [len(one) for one in inside]
        self._before = list(chain.from_iterable(inside))

    def changed(self) -> Iterator[object]:
        """Yield the objects that have something else inside."""
        try:
            now = list(chain.from_iterable(map(self._each, self._of)))
            lengths = list(map(length_hint, map(self._each, self._of)))
            alike = lengths == self._lengths and len(now) == len(self._before)
            if alike and all(map(is_, now, self._before)):
                return
        except RuntimeError:
            pass  # a thread goes on
        at = 0
        for one, length in zip(self._of, self._lengths, strict=True):
            before = self._before[at : at + length]
            at += length
            inside = list(self._each(one))
            if len(inside) != length or not all(map(is_, inside, before)):
                yield one


class Reach:
    """The objects that modules lead to, as they were when this was made."""

    def __init__(
        self, modules: Mapping[str, types.ModuleType], most: int = MAX_OBJECTS
    ) -> None:
        self.modules = modules
        self._held: dict[int, object] = {}
        """What is inside of each object; of a dictionary, list or set a copy."""
        self._of_c: dict[int, tuple[object, object]] = {}
        self._up: dict[int, list[int]] = {}
        self._most = most
        self.unseen: dict[int, bytes | None] = {}
        """Objects for which there was no room any more; as bytes, if they are plain data."""
        self._keys, self._values = _Group(dict.__iter__), _Group(_values)
        self._orders = _Group(OrderedDict.__iter__)
        self._rows = {one: _Group(one.__iter__) for one in (list, set, deque)}
        self._others = _Group(gc.get_referents)
        self._spaces: dict[int, tuple[Getter, object, object]] = {}
        self._owner: dict[int, object] = {}
        """Of a namespace, whose it is."""
        self._kept: dict[int, object] = {}
        """All of them, or another object might have the id of one."""
        self._walk(list(self.modules.values()))

    def renew(self) -> None:
        """Take all as it is now for what it was before."""
        changed = {key: self._owner.get(key, self._kept[key]) for key in self._changed()}
        self._walk(list({id(one): one for one in changed.values()}.values()))

    def _groups(self) -> tuple[_Group, ...]:
        return (self._keys, self._orders, self._values, *self._rows.values(), self._others)

    def _walk(self, roots: Iterable[object]) -> None:
        again = {id(one) for one in roots}
        waiting = deque(roots)
        while waiting:
            value = waiting.popleft()
            key = id(value)
            if key in self._held and key not in again:
                continue
            again.discard(key)
            if len(self._held) >= self._most:
                self.unseen[key] = as_plain(value)
                self._kept[key] = value
                continue
            try:
                inside = self._enter(value)
            except Exception:  # noqa: BLE001 - code of the application that was met
                self._held[key] = None
                inside = ()
            self._kept[key] = value
            for one in inside:
                if not is_plain(one):
                    self._up.setdefault(id(one), []).append(key)
                    if id(one) not in self._held:
                        waiting.append(one)
        for group in self._groups():
            group.remember()

    def _enter(self, value: Any) -> Iterable[object]:
        """Remember one object, and return what it leads to."""
        key, kind = id(value), type(value)
        namespace = self._namespace(value)
        if namespace is not None:
            self._held[key] = copy = dict.copy(namespace)
            self._belongs(namespace, value)
            if not issubclass(type(value), type | types.ModuleType):
                read: Any = ordinary(kind)
                self._spaces[key] = (read, value, namespace)
            return [one for _, one in attributes(copy)]
        self._watch(value)
        if kind is dict:
            self._held[key] = dict.copy(value)
            return [*value.keys(), *value.values()]
        if kind is list or kind is set or kind is deque:
            self._held[key] = kind(value)
            return list(value)
        if kind is tuple or kind is frozenset:
            self._held[key] = value
            return list(value)
        state = _kept_by_c(value)
        if state is not None:
            self._of_c[key] = (value, state)
        for one in beneath(value):
            self._belongs(one, value)
        found = None if issubclass(type(value), type) else parts(value)
        self._held[key] = found
        return [one for _, one in found or ()]

    def _belongs(self, inner: object, value: object) -> None:
        """Watch what an object keeps its parts in."""
        self._up.setdefault(id(inner), []).append(id(value))
        self._owner[id(inner)] = value
        self._watch(inner)

    def _watch(self, value: Any) -> None:
        if id(value) in self._kept:
            return
        self._kept[id(value)] = value
        if issubclass(type(value), dict):
            (self._orders if issubclass(type(value), OrderedDict) else self._keys).add(value)
            self._values.add(value)
        else:
            for kind, group in self._rows.items():
                if issubclass(type(value), kind):
                    group.add(value)
        if type(value) not in (dict, list, set, deque, tuple, frozenset):
            self._others.add(value)

    def _namespace(self, value: Any) -> dict[str, Any] | None:
        """Return the dictionary that is all that an object holds."""
        if issubclass(type(value), types.ModuleType):
            return vars(value) if self.modules.get(value.__name__) is value else None
        if issubclass(type(value), type):
            return _of_class(value) if value.__module__ in self.modules else None
        read = ordinary(type(value))
        held: Any = read(value) if read is not None else None
        return held if type(held) is dict else None

    def inside(self, value: Any, before: bool) -> list[Part] | None:
        """Return what is inside of an object now, or was before; None where it has nothing
        inside that could be told by itself."""
        known = before and id(value) in self._held
        namespace = self._namespace(value)
        if namespace is not None:
            held: Any = self._held[id(value)] if known else namespace
            return attributes(held)
        if is_plain(value):
            return None
        kind = type(value)
        if kind in (dict, list, set, deque, tuple, frozenset):
            return items(self.copy(value, before))
        if known:
            return self._held[id(value)]  # type: ignore[return-value]
        return None if issubclass(type(value), type) else parts(value)

    def copy(self, value: Any, before: bool = True) -> Any:
        """Return a container as it was, or as it is."""
        return self._held.get(id(value), value) if before else value

    def knows(self, value: object) -> bool:
        """Tell whether an object was there before."""
        return id(value) in self._held

    def route(self, value: Any) -> str:
        """Return by which steps modules led to an object before, as `module:name.attribute`;
        nothing where none did, or that is not known. It is the shortest way, and the first."""
        if not self.knows(value):
            return ""
        steps: list[str] = []
        while len(steps) < _MOST_STEPS:
            name = str(value.__name__) if issubclass(type(value), types.ModuleType) else ""
            if name and self.modules.get(name) is value:
                return f"{name}:{''.join(reversed(steps)).removeprefix('.')}"
            above = self._up.get(id(value))
            holder = self._kept.get(above[0]) if above else None
            found = self.inside(holder, True) if holder is not None else None
            step = next((step for step, one in found or () if one is value), None)
            if step is None:
                return ""
            steps.append(step)
            value = holder
        return ""

    def has_others(self, value: object) -> bool:
        """Tell whether more than one thing led to an object before."""
        return len(set(self._up.get(id(value), ()))) > 1

    def of_c(self, value: object, before: bool) -> object:
        """Return what C code keeps for an object now, or kept before."""
        if before and id(value) in self._of_c:
            return self._of_c[id(value)][1]
        return _kept_by_c(value)

    def changed(self) -> set[int]:
        """Return the ids of objects that are not as they were, and of all that lead to them."""
        found = self._changed()
        dirty: set[int] = set()
        while found:
            key = found.pop()
            if key not in dirty:
                dirty.add(key)
                found += self._up.get(key, ())
        return dirty

    def _changed(self) -> list[int]:
        found = [id(one) for group in self._groups() for one in group.changed()]
        found += [id(one) for read, one, held in self._spaces.values() if read(one) is not held]
        for one, state in self._of_c.values():
            try:
                if _kept_by_c(one) != state or self._has_others(one):
                    found.append(id(one))
            except Exception:  # noqa: BLE001 - code of the application that was met
                found.append(id(one))
        for key, plain in self.unseen.items():
            if plain is None or as_plain(self._kept[key]) != plain:
                found.append(key)
        return found

    def _has_others(self, value: object) -> bool:
        """Tell whether what is inside of an object of C code is something else than before."""
        now, before = parts(value) or [], self._held.get(id(value)) or []
        if not isinstance(before, list) or len(now) != len(before):
            return True
        return not all(
            step == known and (one is old or (is_plain(one) and one == old))
            for (step, one), (known, old) in zip(now, before, strict=True)
        )


def _kept_by_c(value: Any) -> object:
    """As `of_c`; of an `lru_cache`, how much it holds."""
    return value.cache_info().currsize if is_lru_cache(value) else of_c(value)


def as_plain(value: Any) -> bytes | None:
    """Return a value as bytes that are the same only for the same; None for one in which
    anything is no plain data."""
    if type(value) not in (dict, list, tuple, set, frozenset):
        return None
    try:
        return marshal.dumps(value, 2)  # later versions tell what is referred to more than once
    except (ValueError, RecursionError, MemoryError):
        return None


def _values(held: dict[Any, object]) -> Iterator[object]:
    return iter(dict.values(held))


def _of_class(value: type) -> dict[str, Any] | None:
    """Return the dictionary itself of a class, which it shows by a proxy only."""
    names = vars(value)
    for one in gc.get_referents(names):
        if type(one) is dict and one.keys() == names.keys():
            return one
    return None
