"""Live dictionaries and sets whose keys a candidate makes equal to others, or hashes otherwise.

What is in such a container was decided when it was filled, by the old code: which keys are one,
and where they lie. After a start the new code would decide it.
"""

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from leadline.trial.bygone import Changed, does
from leadline.trial.holders import namespace_of
from leadline.trial.program import Program, Thing, mro
from leadline.trial.uses import Following, Uses
from leadline.trial.warm import everything

_DECIDE = ("__eq__", "__hash__")
_ITERATED: tuple[tuple[type, Callable[[Any], Iterator[object]]], ...] = (
    (dict, dict.__iter__),
    (set, set.__iter__),
    (frozenset, frozenset.__iter__),
)
_NESTED = (tuple, frozenset, weakref.ref)
"""Keys that are equal where what they hold is."""
_DEEPEST = 3
_WEAKLY: Any = weakref.ref.__call__


def keyed(program: Program, changed: Changed) -> Iterator[str]:
    """Yield what decides otherwise what is in a container that lives, as `file:line: why`.

    Looks at every object of the process: only in a copy of it, where nobody waits.
    """
    otherwise = _otherwise(program, changed)
    if not otherwise:
        return
    classes = {(thing[0], thing[1].rpartition(".")[0]) for thing in otherwise}
    by_class = {id(program.live(one)): one for one in classes}
    kinds: dict[int, tuple[type, Thing | None]] = {}
    found: dict[Thing, str] = {}
    for one in everything():
        walk = next((walk for base, walk in _ITERATED if issubclass(type(one), base)), None)
        for key in _keys(one, walk) if walk is not None else ():
            kind = type(key)
            if id(kind) not in kinds:  # a metaclass may have a hash of its own
                kinds[id(kind)] = kind, _decides(kind, by_class, otherwise)
            _, thing = kinds[id(kind)]
            if thing is not None:
                found.setdefault(thing, "dictionary" if issubclass(type(one), dict) else "set")
        if len(found) == len(classes):
            break
    for thing, what in found.items():
        source = program.sources[thing[0]]
        named = (thing[1], thing[1].rpartition(".")[0])
        lines = [one.lineno for name in named for one in source.definitions.get(name, ())]
        line = lines[0] if lines else 1
        yield (
            f"{source.file}:{line}: {thing[1]} has decided what is in a {what} that lives, "
            f"and would do so otherwise"
        )


def _otherwise(program: Program, changed: Changed) -> set[Thing]:
    """Return the members of classes by which objects are told apart, and that are others."""
    following = Following(program)
    asked = {thing for name in _DECIDE for thing in program.members.get(name, ())}
    found = {one for one in changed.things if one[1].rpartition(".")[2] in _DECIDE}
    for thing in asked - found:
        uses = following.follow(Uses(calls={(thing, 0)}))
        met = uses.reads | {one for one, _ in uses.calls}
        if met & changed.values or any(_differs(changed, one, at) for one, at in uses.calls):
            found.add(thing)
    return {one for one in found if one not in changed.functions or _differs(changed, one, 0)}


def _differs(changed: Changed, thing: Thing, depth: int) -> bool:
    """Whether a function does something else while it runs."""
    versions = changed.functions.get(thing, ())
    return any(does(old, depth) != does(new, depth) for old, new in versions)


def _decides(kind: type, by_class: dict[int, Thing], otherwise: set[Thing]) -> Thing | None:
    """Return which of these tells objects of a class apart."""
    for name in _DECIDE:
        for cls in mro(kind):
            module, qualname = by_class.get(id(cls), ("", ""))
            thing = module, f"{qualname}.{name}"
            if thing in otherwise:
                return thing
            if name in namespace_of(cls):
                break
    return None


def _keys(
    one: Any, walk: Callable[[Any], Iterator[object]], depth: int = 0
) -> Iterator[object]:
    """Yield a key of each class that is among those of a container, and what it holds."""
    try:
        kinds = {type(key): key for key in walk(one)}
        nested = [key for key in walk(one) if issubclass(type(key), _NESTED)] * any(
            issubclass(kind, _NESTED) for kind in kinds
        )
    except RuntimeError:
        return  # somebody fills it: a thread of ours, perhaps
    yield from kinds.values()
    for key in nested if depth < _DEEPEST else ():
        if issubclass(type(key), weakref.ref):
            yield _WEAKLY(key)
        elif issubclass(type(key), tuple):
            yield from _keys(key, tuple.__iter__, depth + 1)
        else:
            yield from _keys(key, frozenset.__iter__, depth + 1)
