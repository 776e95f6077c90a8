"""What a run has changed in all that the modules of the service lead to, told by path.

Before and after are walked side by side, where anything beneath has changed. What is told is
the same whether something was changed in its place or put there anew.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from time import thread_time
from types import FunctionType, ModuleType
from typing import Any

from leadline.agent.capture.resources import is_resource
from leadline.agent.place.deep import cached_of
from leadline.agent.place.digests import digest
from leadline.agent.place.inside import LARGE, code_of, inside
from leadline.agent.place.mappings import is_remembered, mapping_of
from leadline.agent.place.named import names_of
from leadline.agent.place.owned import can_change
from leadline.agent.place.parts import (
    Part,
    is_lru_cache,
    is_plain,
    items,
    members,
    of_c,
    ordinary,
)
from leadline.agent.place.reach import Reach, as_plain
from leadline.expression.layout import layout_of
from leadline.trial import withheld
from leadline.trial.outcome import UNSHOWN
from leadline.trial.place import GIVEN, OF_LIBRARY, ONCE, UNCOMPARED
from leadline.trial.stores import sets
from leadline.trial.withheld import Withheld, WithheldTouched
from leadline.wire.redaction import secret_name
from leadline.wire.value import Value

GONE = "(no longer there)"
MODULE = ":"
"""Between the name of a module and the path from there."""
MAX_TOLD = 5_000
"""Paths of one run."""
MAX_COMPARED = 200_000
"""Pairs of objects of one run: the next ones are not compared, and it is said."""
MAX_S = 2.0
"""Of the processor, for one run: what is new may lead to all that a library keeps."""
_ENOUGH = 200
_MANY = 64
"""Rows that differ: then the list is told as a whole, since all may have moved by one."""

type Taken = tuple[Value, bool]
"""A value as a tree, and whether that shows all of it."""
_CONTAINERS = (dict, list, set, deque, bytearray)
_SEEN_THROUGH = frozenset(("builtins", "functools", "types"))
"""Modules of objects that keep nothing but what they were given: methods, partials."""
_TOLD_WHOLE = (*_CONTAINERS, tuple, frozenset, type, FunctionType, ModuleType)
"""Classes of what is told wherever it is."""
_KEYS = {int, str, bytes}
"""Classes of keys that are told apart by what they are written as."""
_MISSING: Any = object()


class Changes:
    """One look at what has changed."""

    def __init__(
        self,
        reach: Reach,
        shown: Callable[[str, object], Taken],
        changed: Mapping[str, str | None],
    ) -> None:
        """`shown` takes a value, under the name of a secret that it may have; `changed` are the
        texts of changed files."""
        self.found: dict[str, Value] = {}
        self._reach, self._shown, self._changed = reach, shown, changed
        self._dirty = reach.changed()
        self._met: set[tuple[int, int]] = set()
        self._anew: dict[int, tuple[object, str]] = {}
        """Of what is new and was told part by part, where that was done."""
        self._waiting: list[tuple[str, str, Any, Any]] = []

    def tell(self) -> dict[str, Value]:
        """Return what is another than before, by path; what is too large to be told under a
        name that begins with `UNCOMPARED`."""
        for name, module in self._reach.modules.items():
            if id(module) in self._dirty:
                self._inside(f"{name}{MODULE}", module, module, name)
        until = thread_time() + MAX_S
        while self._waiting:
            path, secret, before, now = self._waiting.pop()
            many = len(self.found) > MAX_TOLD or len(self._met) > MAX_COMPARED
            if many or thread_time() > until:
                self._too_large(path)
                break
            try:
                self._compare(path, secret, before, now)
            except (Exception, WithheldTouched) as error:  # noqa: BLE001 - of the application
                self.found[f"{path} as it is looked into"] = type(error).__name__
        return self.found

    def _too_large(self, path: str) -> None:
        self.found[f"{UNCOMPARED}{path}"] = LARGE

    def _compare(self, path: str, secret: str, before: Any, now: Any) -> None:
        if before is now and id(now) not in self._dirty:
            return
        if before is _MISSING:
            self._new(path, secret, now)
            return
        if is_plain(now) and is_plain(before):
            if not _same(before, now):
                self._new(path, secret, now)
            return
        if (id(before), id(now)) in self._met:
            return
        self._met.add((id(before), id(now)))
        if id(now) in self._reach.unseen or id(before) in self._reach.unseen:
            self._too_large(path)
        elif type(before) is not type(now) or secret:
            if (
                before is now
                or not secret
                or self._text(secret, before) != self._text(secret, now)
            ):
                self._new(path, secret, now)
        else:
            self._inside(path, before, now)

    def _inside(self, path: str, before: Any, now: Any, module: str = "") -> None:
        """Two objects of one class, or one object then and now."""
        if before is not now and _is_another(before, now):
            self._new(path, "", now)
            return
        if before is not now and can_change(now) and self._reach.has_others(before):
            # who has kept the old one, or gets it there, has another thing from now on
            known = self._reach.knows(now)
            self.found[f"{UNSHOWN}object of {path}"] = "another" if known else "a new one"
        narrow = self._narrowed(before, now) or self._paired(before, now)
        ours, theirs = narrow or (
            self._reach.inside(before, True),
            self._reach.inside(now, False),
        )
        self._itself(path, before, now)
        if ours is None or theirs is None:
            if before is not now and self._whole_text(before) != self._whole_text(now):
                self._new(path, "", now)
            return
        old, new = dict(ours), dict(theirs)
        steps = [step for step in {**old, **new} if self._may_differ(now, old, new, step)]
        if issubclass(type(now), list | deque) and len(steps) > _MANY:
            steps = [one for one in steps if self._differs(old.get(one), new.get(one))]
            if len(steps) > _MANY:
                self._new(path, "", now)
                return
        for step in steps:
            self._step(path, step, (before, now), (old, new), module)
        if narrow:
            self._order_of_many(path, before, now)
        elif issubclass(type(now), dict):
            self._order(path, *([one for one in side if one[0] == "["] for side in (old, new)))

    def _step(
        self,
        path: str,
        step: str,
        holders: tuple[Any, Any],
        sides: tuple[dict[str, Any], dict[str, Any]],
        module: str,
    ) -> None:
        """One part of two objects that may differ."""
        before, now = holders
        one, other = (side.get(step, _MISSING) for side in sides)
        name = step.removeprefix(".") if step.startswith(".") else step.strip("[]'")
        where = path + (name if module else step)
        if step.startswith(".") and self._is_given(path, now, name, one, other):
            where = path + self._mark(before, now, one, other) + name
        if one is _MISSING and name in self._reckoned_once(now):
            where = f"{ONCE}{where})"
        if other is _MISSING:
            self.found[where] = GONE
        elif not module or self._belongs(module, one, other):
            self._waiting.append((where, _secret(name, other), one, other))

    def _is_given(
        self, path: str, holder: object, name: str, before: object, now: object
    ) -> bool:
        """Tell whether what a name of a module leads to had such an attribute without the
        change: it was there before the run, and no class of a changed file is its holder's, or
        none that sets it but where the run has set it."""
        if not path.partition(MODULE)[2].isidentifier():
            return False
        kind: Any = holder if issubclass(type(holder), type) else type(holder)
        if kind is FunctionType:
            return False  # nobody but the code that has it would set one
        layout = layout_of(kind)
        if is_resource(layout):  # the names of its parts are ours
            return True
        if before is _MISSING:
            has = [one for one, held in zip(layout.order, layout.members, strict=True)
                   if name in held]  # fmt: skip
            return bool(has) and not self._texts(has)
        texts = self._texts(layout.order)
        # who sets it at first, and the run perhaps, which may have changed what is inside
        least = 1 if before is now else 2
        return not texts or sum(sets(text, name) for text in texts) < least

    def _mark(self, before: object, holder: object, was: object, now: object) -> str:
        """Return what stands before an attribute that is given."""
        if before is holder and self._is_library(holder):
            return OF_LIBRARY
        return OF_LIBRARY if was is now and self._is_library(now) else GIVEN

    def _is_library(self, value: object) -> bool:
        """Tell whether an object, or a class, is none of the service's own, nor a container or
        what belongs to its process."""
        kind: Any = value if issubclass(type(value), type) else type(value)
        layout, modules = layout_of(kind), self._reach.modules
        if is_resource(layout) or issubclass(kind, _CONTAINERS):
            return False
        if layout.module in _SEEN_THROUGH:
            return False
        return not any(layout_of(one).module in modules for one in layout.order)

    def _texts(self, kinds: Iterable[type]) -> list[str | None]:
        """Return the texts of changed files that define one of some classes."""
        modules = [self._reach.modules.get(layout_of(one).module) for one in kinds]
        files = {str(one.__file__) for one in modules if one is not None}
        return [self._changed[file] for file in files if file in self._changed]

    def _reckoned_once(self, value: object) -> frozenset[str]:
        return cached_of(type(value)) if ordinary(type(value)) else frozenset()

    def _narrowed(self, before: Any, now: Any) -> tuple[list[Part], list[Part]] | None:
        """Return the items of two large tables, or lists, that may differ."""
        kind = type(now)
        if kind not in (dict, list, deque) or len(now) < _ENOUGH:
            return None
        old, new, dirty = self._reach.copy(before), now, self._dirty
        if kind is not dict:
            pairs = zip(old, new, strict=False)
            at = [i for i, (a, b) in enumerate(pairs) if a is not b or id(b) in dirty]
            more = range(min(len(old), len(new)), max(len(old), len(new)))
            sides = [
                [(f"[{i}]", side[i]) for i in (*at, *more) if i < len(side)]
                for side in map(list, (old, new))
            ]
            return sides[0], sides[1]
        if not set(map(type, old)) | set(map(type, new)) <= _KEYS:
            return None
        keys = [k for k, v in new.items() if old.get(k, _MISSING) is not v or id(v) in dirty]
        gone = [k for k in old if k not in new]
        return (
            items({k: old[k] for k in (*keys, *gone) if k in old}),
            items({k: new[k] for k in keys}),
        )

    def _paired(self, before: Any, now: Any) -> tuple[list[Part], list[Part]] | None:
        """Return the members of two sets, those first that are the same ones: a set and a copy
        of it need not have one order."""
        if type(now) not in (set, frozenset):
            return None
        old, new = list(self._reach.copy(before)), list(now)
        were = {id(one) for one in old}
        kept = [one for one in new if id(one) in were]
        still = {id(one) for one in kept}
        sides = [[*kept, *(one for one in side if id(one) not in still)] for side in (old, new)]
        return members(sides[0]), members(sides[1])

    def _order_of_many(self, path: str, before: Any, now: Any) -> None:
        if type(now) is not dict:
            return
        old = self._reach.copy(before)
        kept = [one for one in old if one in now]
        added = [one for one in now if one not in old]
        if list(islice(now, len(kept))) != kept:
            self.found[f"order({path})"] = digest(repr(list(now)))
        elif len(added) > 1:
            self._order(path, [], [step for step, _ in items(dict.fromkeys(added))])

    def _may_differ(
        self, holder: object, old: dict[str, Any], new: dict[str, Any], step: str
    ) -> bool:
        one, other = old.get(step, _MISSING), new.get(step, _MISSING)
        if is_remembered(holder, step.removeprefix("."), other, is_new=one is _MISSING):
            return False
        return one is not other or id(other) in self._dirty

    def _differs(self, one: Any, other: Any) -> bool:
        """Tell whether two items are not the same, as far as a tree shows it."""
        if is_plain(one) and is_plain(other):
            return not _same(one, other)
        if one is other or id(one) in self._dirty or type(one) is not type(other):
            return True
        return self._text("", one) != self._text("", other)

    def _belongs(self, module: str, before: Any, now: Any) -> bool:
        """Tell whether a name of a module is no class or function of another one's, where it
        is told."""
        if before is _MISSING and issubclass(type(now), ModuleType):
            return False  # a part that was imported late
        if before is now and issubclass(type(now), type | FunctionType):
            return now.__module__ == module or now.__module__ not in self._reach.modules
        return True

    def _itself(self, path: str, before: Any, now: Any) -> None:
        """What is no part: the code of a function, what C code keeps."""
        one, other = self._reach.of_c(before, True), self._reach.of_c(now, False)
        if one != other and is_lru_cache(now):
            self.found[f"{ONCE}{path})"] = "filled"
        elif one != other:
            stands = type(other) is str and hasattr(now, "send")
            name = f"{UNSHOWN}place of {path}" if stands else path
            self.found[name] = self._shown("", other)[0]
        if before is now:
            return
        codes = code_of(before), code_of(now)
        if codes[0] != codes[1]:
            self.found[f"{UNSHOWN}code of {path}"] = codes[1]
        is_function = type(now) is FunctionType
        if is_function and self._text("", before) != self._text("", now):
            self.found[path] = self._shown("", now)[0]

    def _order(self, path: str, before: list[str], now: list[str]) -> None:
        """Tell the order in which keys came in, where it is not that of before."""
        were, known = set(before), set(now)
        added = [one for one in now if one not in were]
        kept = [one for one in before if one in known]
        if now[: len(kept)] != kept:
            added = now
        if len(added) > 1:
            told = added if len(added) < _ENOUGH else digest("".join(added))
            self.found[f"order({path})"] = self._shown("", told)[0]

    def _new(self, path: str, secret: str, now: Any) -> None:
        """Tell a value that was not there, and what its tree does not show."""
        if type(now) is Withheld:  # which is not even asked for its class
            self.found[path] = self._shown(secret, now)[0]
            return
        if issubclass(type(now), ModuleType):
            self.found[path] = now.__name__
            return
        tree, whole = self._shown(secret, now)
        if secret or is_plain(now):
            self.found[path] = tree
            return
        is_class = issubclass(type(now), type)
        if whole and not is_class:
            self.found[path] = tree
            # what a library has made, such as an environment of templates or its routes, may
            # lead to all functions of the service, which are compared where modules hold them
            hidden = inside({path: now}, still=True, known=self._reach.knows)
            for where, one in hidden.items():
                self.found[where], whole = self._shown("", one)
                if not whole:
                    self._too_large(where)
            return
        if said := _in_short(now):
            self.found[path] = said
        elif id(now) in self._anew:
            self.found[path] = f"as {self._anew[id(now)][1]}"
        else:
            self._anew[id(now)] = now, path
            self._by_parts(path, now, tree)

    def _by_parts(self, path: str, now: Any, tree: Value) -> None:
        """Tell a value that is new by all that it leads to."""
        is_class = issubclass(type(now), type)
        within = self._reach.inside(now, False)
        self.found[path if is_class else f"type({path})"] = (
            tree if is_class else type(now).__qualname__
        )
        if within is None:
            if not is_class:
                self._too_large(path)
        elif not (is_class and self._reach.knows(now)):
            for step, one in within:
                if route := self._route(one):
                    self.found[path + step] = f"a {type(one).__qualname__} that was there"
                    self.found[f"{UNSHOWN}place of {path}{step}"] = route
                else:
                    self._waiting.append((path + step, _secret(step[1:], one), _MISSING, one))

    def _route(self, value: Any) -> str:
        """Return where modules held an object before the run: what has changed in it is told
        there. Nothing for one that they did not hold, and for plain data."""
        kind = type(value)
        if kind is Withheld or is_plain(value) or issubclass(kind, _TOLD_WHOLE):
            return ""
        return self._reach.route(value)

    def _whole_text(self, value: object) -> str:
        """As `_text`, with what a tree does not show, such as what C code keeps."""
        hidden = inside({"it": value}, still=True)
        told = {where: self._shown("", one)[0] for where, one in hidden.items()}
        return self._text("", value) + json.dumps(told, sort_keys=True, default=str)

    def _text(self, secret: str, value: object) -> str:
        state = of_c(value)
        return json.dumps([self._shown(secret, value)[0], state], sort_keys=True, default=str)


def _secret(name: str, value: object) -> str:
    """Return the rule by which a name holds back its value; SQLAlchemy has names as of tokens
    for parts of a mapping, of which a digest would tell all that they lead to."""
    rule = secret_name(name) or ""
    return "" if rule and mapping_of(value) else rule


def _is_another(before: Any, now: Any) -> bool:
    """Tell whether two objects are told apart by who they are, whatever is inside."""
    return layout_of(type(now)).is_enum or names_of(before) != names_of(now)


def _in_short(value: Any) -> str:
    """Return what is the same only for the same plain data, however large."""
    if as_plain(value) is None or _has_set(value):
        return ""
    return f"{type(value).__name__} of {len(value)} items #{digest(repr(value))}"


def _has_set(value: Any) -> bool:
    left = [value]
    while left:
        one = left.pop()
        if issubclass(type(one), set | frozenset):
            return True
        if issubclass(type(one), dict):
            left += [*one, *one.values()]
        elif issubclass(type(one), list | tuple):
            left += one
    return False


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if type(one) is Withheld:
        return withheld.of(one) == withheld.of(other)
    if type(one) is float or type(one) is complex:
        return repr(one) == repr(other)
    return bool(one == other)
