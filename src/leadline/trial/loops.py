"""An event loop of its own for one coroutine: the live one stands still in a twin for ever.

What the coroutine finds of the live loop - a lock, a future, a connection - belongs to a loop
that will never run again, so it must not wait for it: either asyncio says so, or the deadline.
"""

import sys
import time
from collections.abc import Coroutine
from contextvars import Context, copy_context
from typing import Any


class StandsStill(BaseException):
    """It waits for what cannot happen in a twin; the text is one sentence.

    No `Exception`, so that a handler of the application does not make an answer of it.
    """


_MISSING: Any = object()
_FOREIGN = ("attached to a different loop", "bound to a different event loop")
LATE = "it was still waiting after {:g} s: the event loop of the live process stands still here"
_OF_LIVE_LOOP = "it waits for something of the live event loop, which stands still in a twin"


def drive(coroutine: Coroutine[Any, Any, object], within_s: float) -> object:
    """Run `coroutine` to its end and return its result, or raise what it raises.

    It runs on the thread of the caller and with its context variables, and what it sets of
    them stays set, as where it is awaited. Raises `StandsStill` where it would wait for the
    live loop, or longer than `within_s` seconds.
    """
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None:
        import asyncio  # noqa: PLC0415 - the application had no need of it so far
    running = asyncio._get_running_loop()  # noqa: SLF001 - what it sets and resets itself
    asyncio._set_running_loop(None)  # noqa: SLF001
    late: list[bool] = []
    context = copy_context()
    try:
        loop = _idle(asyncio, coroutine)
        whole = _bounded(asyncio, coroutine, within_s, late)
        result = loop.run_until_complete(loop.create_task(whole, context=context))
    except asyncio.CancelledError:
        if not late:
            raise
    except RuntimeError as error:
        if any(words in str(error) for words in _FOREIGN):
            raise StandsStill(_OF_LIVE_LOOP) from error
        raise
    finally:
        asyncio._set_running_loop(running)  # noqa: SLF001
        _enter(context)
    if late:
        raise StandsStill(LATE.format(within_s))
    return result


def _enter(context: Context) -> None:
    """Set what was set in a context of its own: a task never runs in that of its caller."""
    for variable, value in context.items():
        if variable.get(_MISSING) is not value:
            variable.set(value)


def settle(seconds: float) -> None:
    """Let what coroutines have left on their loops run on, for so long at most."""
    asyncio: Any = sys.modules.get("asyncio")
    for loop in _own if asyncio is not None else ():
        tasks = asyncio.all_tasks(loop)
        if tasks and not loop.is_running():
            loop.run_until_complete(asyncio.wait(tasks, timeout=seconds))


def stood(seconds: float) -> None:
    """Leave out of our loops' time that somebody has looked at a frame: no timer runs then."""
    _standing[0] += seconds


def stand_in(live: Any) -> Any:
    """Return what is to run, for the code of a twin, in the place of the live loop.

    Of a loop of uvloop that is another one: its library ends the process when a thread wants to
    wake it, on a descriptor that is closed here. The task that was running still is.
    """
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None or not type(live).__module__.startswith("uvloop"):
        return live
    try:
        loop = asyncio.SelectorEventLoop()
    except OSError:
        return live
    _own_standing.append(loop)
    task = asyncio.current_task(live)
    if task is not None:
        asyncio.tasks._enter_task(loop, task)  # noqa: SLF001 - as what runs tasks does
    return loop


_own: list[Any] = []
"""The loops of this twin, never closed: what one coroutine leaves there, the next may use. More
than one only where something is asked while a coroutine stands still."""
_own_standing: list[Any] = []
"""Loops that never run."""
_standing = [0.0]


def _idle(asyncio: Any, coroutine: Coroutine[Any, Any, object]) -> Any:
    for loop in _own:
        if not loop.is_running():
            return loop
    try:
        loop = asyncio.SelectorEventLoop()
    except OSError as error:
        coroutine.close()
        raise StandsStill(f"no event loop can be made here: {error}") from None
    loop.time = lambda: time.monotonic() - _standing[0]
    _own.append(loop)
    return loop


async def _bounded(
    asyncio: Any, coroutine: Coroutine[Any, Any, object], within_s: float, late: list[bool]
) -> object:
    task = asyncio.current_task()

    def stop() -> None:
        late.append(True)
        task.cancel()

    timer = asyncio.get_running_loop().call_later(within_s, stop)
    try:
        return await coroutine
    finally:
        timer.cancel()
