"""What a fork takes from the code that runs on: its random numbers, and the loop it runs in.

The interpreter seeds `random` anew in a child and forgets there that an event loop was running.
Code that goes on, or runs again, in a twin needs both as they were.
"""

import sys
from types import BuiltinFunctionType
from typing import Any

from leadline.trial.loops import stand_in

type State = tuple[Any, Any]
"""What `remember` returns: opaque."""

_MODULE = type(sys)


def remember() -> State:
    """Return what will be needed; in the live process, before the clone, on the thread hit.

    Takes about 10 us and runs no code of the application: a generator that is not the standard
    library's own is not remembered, nor is a loop where `asyncio` is not written in C.
    """
    return _chance(), _loop()


def restore(state: State) -> None:
    """Put it back, in the twin, after the child hooks have run.

    From then on no garbage is collected: that would touch, and so copy, all of the memory.
    """
    import gc  # noqa: PLC0415 - built in, and of no use in the live process

    gc.disable()
    chance, loop = state
    random: Any = sys.modules.get("random")
    native: Any = sys.modules.get("_random")
    if chance is not None and random is not None and native is not None:
        generator = vars(random)["_inst"]
        native.Random.setstate(generator, chance[0])
        generator.gauss_next = chance[1]
    asyncio: Any = sys.modules.get("_asyncio")
    if loop is not None and asyncio is not None:
        asyncio._set_running_loop(stand_in(loop))  # noqa: SLF001 - there is no other way


def _chance() -> tuple[Any, Any] | None:
    random = sys.modules.get("random")
    native = sys.modules.get("_random")
    if type(random) is not _MODULE or type(native) is not _MODULE:
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


def _loop() -> Any:
    asyncio = sys.modules.get("_asyncio")
    if type(asyncio) is not _MODULE:
        return None
    running: Any = vars(asyncio).get("_get_running_loop")
    return running() if type(running) is BuiltinFunctionType else None
