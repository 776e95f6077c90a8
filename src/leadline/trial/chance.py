"""The state of the random numbers: a fork seeds them anew, a rerun needs those of before."""

import sys
from typing import Any

type State = tuple[Any, Any] | None
"""What `remember` returns: opaque, and None where there is nothing to remember."""


def remember() -> State:
    """Return the state of `random`'s own generator, in the live process, before the clone.

    Takes about 10 us and runs no code of the application: where the generator is not the
    standard library's own, nothing is remembered.
    """
    random = sys.modules.get("random")
    native = sys.modules.get("_random")
    if type(random) is not type(sys) or type(native) is not type(sys):
        return None
    members, classes = vars(random), vars(native)
    cls, generator = members.get("Random"), members.get("_inst")
    base = classes.get("Random")
    if type(cls) is not type or type(generator) is not cls or type(base) is not type:
        return None
    if type.__dict__["__mro__"].__get__(cls)[1] is not base:
        return None
    held = type.__dict__["__dict__"].__get__(base)["getstate"](generator)
    own: Any = cls.__dict__["__dict__"].__get__(generator)
    return held, own.get("gauss_next")


def restore(state: State) -> None:
    """Put the state back, in the twin, after the child hooks have run."""
    random = sys.modules.get("random")
    native: Any = sys.modules.get("_random")
    if state is None or random is None or native is None:
        return
    generator = vars(random)["_inst"]
    native.Random.setstate(generator, state[0])
    generator.gauss_next = state[1]
