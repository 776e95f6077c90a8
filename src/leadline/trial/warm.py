"""Caches that are full of what a candidate would make otherwise.

`functools.lru_cache`, and what libraries have of the sort, gives out what the old code came to
as long as its process lives, and so hides a change of all that the cached function leads to.
Emptied, it has the code run again.
"""

import functools
import gc
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from leadline.trial.bygone import Changed
from leadline.trial.holders import behind, is_class, namespace_of
from leadline.trial.program import Program, Thing, mro
from leadline.trial.uses import WHOLE, Following, Uses
from leadline.wire.struct import dataclass

_CLEAR = "cache_clear"


@dataclass(frozen=True, slots=True)
class Warm:
    """A cache, and the function that it keeps the results of."""

    cache: Any
    name: str

    @property
    def note(self) -> str:
        return (
            f"the cache of {self.name} was emptied before each run: it leads to what the "
            f"candidate changes"
        )


class Leading:
    """Tells what leads to something changed, by any name."""

    def __init__(self, program: Program, changed: Changed) -> None:
        self._program, self._changed = program, changed.things
        self._following = Following(program, everything=True)
        self._last = {name.rpartition(".")[2] for _, name in self._changed if "." in name}

    def of(self, start: object) -> list[Thing]:
        """Return the functions of the program that are behind something, the nearest first."""
        found: dict[Thing, None] = {}
        for function in behind(start):
            source = self._program.sources.get(str(function.__globals__.get("__name__")))
            if source is not None and source.module.__dict__ is function.__globals__:
                qualname = function.__code__.co_qualname.partition(".<locals>")[0]
                found[source.name, qualname] = None
        return [*found]

    def leads(self, things: list[Thing]) -> bool:
        """Tell whether calls of these may come to something changed."""
        uses = self._following.follow(Uses(calls={(thing, WHOLE) for thing in things}))
        met = uses.reads | {one for one, _ in uses.calls}
        return bool(met & self._changed or (uses.attributes | uses.called) & self._last)


def warm(leading: Leading) -> list[Warm]:
    """Return the caches of a program that may hold what comes of something changed.

    Looks at every object of the process: only in a copy of it, where nobody waits.
    """
    found: dict[int, Warm] = {}
    for cache in _caches():
        things = leading.of(cache)
        if things and leading.leads(things):
            found[id(cache)] = Warm(cache, ".".join(things[0]))
    return list(found.values())


def everything() -> list[Any]:
    """Return every object of the process that the garbage collector knows."""
    if gc.get_freeze_count():
        gc.unfreeze()  # a server that forks its workers hides what it had made before
    return gc.get_objects()


def _caches() -> Iterator[Any]:
    """Yield what keeps the results of a function and can be emptied: the caches of `functools`,
    and what libraries make of a function in their way."""
    kinds: dict[int, tuple[type, bool]] = {}
    for one in everything():
        kind = type(one)
        if kind is functools._lru_cache_wrapper:  # noqa: SLF001 - has no other name
            if one.cache_info().currsize:
                yield one
        elif kind is FunctionType:
            if _CLEAR in one.__dict__:
                yield one
        else:
            if id(kind) not in kinds:  # a metaclass may have a hash of its own
                clears = any(_CLEAR in namespace_of(cls) for cls in mro(kind))
                kinds[id(kind)] = kind, clears
            if kinds[id(kind)][1] and not is_class(one) and "__wrapped__" in namespace_of(one):
                yield one
