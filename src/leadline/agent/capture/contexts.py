"""The context variables that a hit happened with: who is logged in, which request this is.

The interpreter's own copy of the current context is read, which runs no code of the
application: the keys are always exact `ContextVar`s, which hash by where they lie.
"""

from contextvars import ContextVar, copy_context
from json.encoder import encode_basestring_ascii
from typing import Any

from leadline.agent.capture.tree import Room, capture
from leadline.expression.layout import exact, layout_of
from leadline.wire.limits import CaptureLimits
from leadline.wire.redaction import secret_name
from leadline.wire.value import Omission, Value

MAX_VARIABLES = 50
"""Frameworks set a handful; whoever sets more keeps something else in there."""
REST = "..."
"""The name under which it says how many variables are left out."""

_variable_name: Any = vars(ContextVar)["name"].__get__


def context_variables(limits: CaptureLimits, room: Room) -> dict[str, Value]:
    """Return the current context's variables by name, those of a name that is taken as
    `name (2)`. What does not fit is counted under `REST`."""
    found: dict[str, Value] = {}
    context = copy_context()
    for variable, value in context.items():
        if len(found) >= MAX_VARIABLES or room.left <= 0:
            left = len(context) - len(found)
            found[REST] = {"type": "?", "length": left, "omitted": Omission.ITEMS}
            break
        name = exact(_variable_name(variable))
        shown = _free(name, found)
        room.left -= len(encode_basestring_ascii(shown)) + 1
        if rule := secret_name(name):
            kind = layout_of(type(value)).name
            room.node(kind)
            found[shown] = {"type": kind, "omitted": Omission.REDACTED, "rule": rule}
        else:
            found[shown] = capture(value, limits, room)
    return found


def _free(name: str, taken: dict[str, Value]) -> str:
    if name not in taken:
        return name
    return next(
        other for number in range(2, MAX_VARIABLES + 2)
        if (other := f"{name} ({number})") not in taken
    )  # fmt: skip
