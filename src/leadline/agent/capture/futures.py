"""How tasks and futures read: their state, what they run, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline.agent.capture.callables import coroutine_name
from leadline.agent.capture.reading import INSIDE, Read
from leadline.agent.capture.recognition import getter, held, method, slot
from leadline.expression.layout import MISSING, Layout
from leadline.wire.value import Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk


def future(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    """Return the form of asyncio's own futures, those that C code implements."""
    state, result, error = (
        getter(layout, cls, f"_{it}") for it in ("state", "result", "exception")
    )
    if state is None or result is None or error is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        captured: dict[str, Value] = {"type": layout.name}
        _outcome(
            walk, captured, level, slot(state, value), slot(result, value), slot(error, value)
        )
        return captured

    return read, INSIDE


def task(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    """Return the form of asyncio's own tasks: also the name, and the coroutine."""
    outcome, name, coroutine = (
        future(layout, cls),
        method(layout, cls, "get_name"),
        getter(layout, cls, "_coro"),
    )
    if outcome is None or name is None or coroutine is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        captured: dict[str, Value] = outcome[0](walk, value, layout, level)
        walk.fact(captured, "name", name(value), level)
        runs = slot(coroutine, value)
        if runs is not MISSING and runs is not None:
            walk.fact(captured, "coroutine", coroutine_name(runs), level)
        return captured

    return read, INSIDE


def concurrent(_: Layout, __: type) -> tuple[Read, bool]:
    """Return the form of `concurrent.futures.Future`, whose parts lie in its dictionary."""

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        captured: dict[str, Value] = {"type": layout.name}
        state, result, error = (
            held(value, layout, f"_{it}") for it in ("state", "result", "exception")
        )
        _outcome(walk, captured, level, state, result, error)
        return captured

    return read, INSIDE


def _outcome(
    walk: Walk, captured: dict[str, Value], level: int, state: Any, result: Any, error: Any
) -> None:
    if type(state) is str:
        walk.fact(captured, "state", state.lower(), level)
    if error is not MISSING and error is not None:
        walk.fact(captured, "exception", error, level)
    elif type(state) is str and state == "FINISHED" and result is not MISSING:
        walk.fact(captured, "result", result, level)
