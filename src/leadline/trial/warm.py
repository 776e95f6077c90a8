"""Caches that are full of what a candidate would make otherwise.

`functools.lru_cache` gives out what the old code came to, as long as its process lives, and so
hides a change of all that the cached function leads to. Emptied, it has the code run again.
"""

import functools
import gc
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from leadline.trial.bygone import Changed
from leadline.trial.holders import find
from leadline.trial.program import Program, Thing
from leadline.trial.uses import WHOLE, Following, Uses
from leadline.wire.struct import dataclass


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


def warm(program: Program, changed: Changed) -> list[Warm]:
    """Return the caches of a program that may hold what comes of something changed.

    Looks at every object of the process: only in a copy of it, where nobody waits.
    """
    following = Following(program, everything=True)
    last = {name.rpartition(".")[2] for _, name in changed.things if "." in name}
    found: dict[int, Warm] = {}
    for cache in _caches():
        thing = _cached(cache, program)
        if thing is None or not cache.cache_info().currsize:
            continue
        uses = following.follow(Uses(calls={(thing, WHOLE)}))
        met = uses.reads | {one for one, _ in uses.calls}
        if met & changed.things or (uses.attributes | uses.called) & last:
            found[id(cache)] = Warm(cache, ".".join(thing))
    return list(found.values())


def _caches() -> Iterator[Any]:
    if gc.get_freeze_count():
        gc.unfreeze()  # a server that forks its workers hides what it had made before
    for one in gc.get_objects():
        if type(one) is functools._lru_cache_wrapper:  # noqa: SLF001 - has no other name
            yield one


def _cached(cache: Any, program: Program) -> Thing | None:
    """Return the function behind a cache, or the one that has made that; None if it is not of
    the program."""
    try:
        function, _ = find(cache, lambda _: True)
    except LookupError:
        return None
    assert type(function) is FunctionType  # noqa: S101 - these are found
    module = str(function.__globals__.get("__name__"))
    source = program.sources.get(module)
    if source is None or source.module.__dict__ is not function.__globals__:
        return None
    return module, function.__code__.co_qualname.partition(".<locals>")[0]
