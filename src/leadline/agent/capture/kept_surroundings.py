"""What a call is made in, beside its arguments, written down with them: context variables, what
its thread has for itself, the exception that is being handled, standard streams and names of
the environment that somebody has replaced.

It is read as the arguments are, and within a room of its own.
"""

from __future__ import annotations

import sys
from _thread import _local
from collections.abc import Iterator
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

from leadline import native
from leadline.agent.capture.environment import changed, named_now
from leadline.agent.capture.kept_streams import replaced
from leadline.agent.capture.naming import found
from leadline.expression.layout import exact
from leadline.wire.kept import ENVIRONMENT, HANDLED, STREAM
from leadline.wire.redaction import secret_name

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper
    from leadline.agent.capture.landmarks import Landmarks

_variable_name: Any = vars(ContextVar)["name"].__get__
_local_names: Any = vars(_local)["__getattribute__"]


def are_none(landmarks: Landmarks) -> bool:
    """Tell at once that there is nothing of the sort, where that can be told so."""
    core = native.core()
    modules: Any = sys.modules
    if core is None or type(modules) is not dict:
        return False
    return core.around_is_bare(  # type: ignore[no-any-return]
        landmarks.thread_locals,
        modules,
        _local,
        _local_names,
        named_now(),
        landmarks.environment,
    )


def surroundings(keeper: Keeper) -> Iterator[list[Any]]:
    """Yield pairs of refs: what it is, and what it holds."""
    handled = sys.exception()
    if handled is not None:
        yield [HANDLED, keeper.ref(handled)]
    for name, stream in replaced():
        yield [f"{STREAM}{name}", keeper.ref(stream)]
    names = changed(keeper.landmarks.environment)
    if names:
        yield [ENVIRONMENT, keeper.ref(names)]
    for local, held in _thread_locals(keeper.landmarks):
        yield [keeper.ref(local), keeper.ref(held)]
    for variable, value in copy_context().items():
        if keeper.landmarks.name_of(variable) is None:
            continue
        rule = secret_name(exact(_variable_name(variable)))
        kept = keeper.ref(value) if rule is None else keeper.withheld(rule, value)
        yield [keeper.ref(variable), kept]


def _thread_locals(landmarks: Landmarks) -> Iterator[tuple[object, dict[Any, Any]]]:
    for place in landmarks.thread_locals:
        local = found(place)
        if type(local) is _local:  # one with an `__init__` would run it here
            held = _local_names(local, "__dict__")
            if type(held) is dict and held:
                yield local, held
