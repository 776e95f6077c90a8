"""What a call came to, written down without running code of the application.

The live process writes this of the real call, and the twin of its rerun, by the same means: so
the two can be compared value by value. A parameter that the function binds anew is left out:
at the end of the call nothing leads to what it was.
"""

import dis
from types import CodeType
from typing import Any

from leadline.agent.capture.room import Room
from leadline.agent.capture.tree import capture
from leadline.agent.capture.writing import write
from leadline.agent.core.passage import NOTHING, Visit
from leadline.expression import Unknown
from leadline.wire.probe import CaptureLimits
from leadline.wire.value import Value

OUTCOME_LIMITS = CaptureLimits(depth=8, items=1_000, text=4_096)
"""Far more than a person would look at: what is beyond is not compared, and counted."""
OUTCOME_BYTES = 120_000
_BINDS = frozenset(("STORE_FAST", "DELETE_FAST", "STORE_DEREF", "DELETE_DEREF"))
_VARARGS, _VARKEYWORDS = 0x4, 0x8


def parameters(code: CodeType) -> tuple[str, ...]:
    """Return the parameters that keep for the whole call what they were given."""
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & _VARARGS) + bool(code.co_flags & _VARKEYWORDS)
    given = code.co_varnames[:count]
    bound = _bound(code)
    return tuple(name for name in given if name not in bound)


def written(
    result: object,
    raised: BaseException | None,
    arguments: dict[str, object],
    limits: CaptureLimits = OUTCOME_LIMITS,
) -> bytes:
    """Return an outcome as JSON: `returned` or `raised`, and the `arguments` after the call."""
    room = Room(OUTCOME_BYTES)
    taken: dict[str, Value] = {}
    if raised is not None:
        taken["raised"] = capture(raised, limits, room)
    else:
        taken["returned"] = capture(result, limits, room)
    taken["arguments"] = {
        name: capture(value, limits, room) for name, value in arguments.items()
    }
    return write(taken).encode("ascii")


def live_outcome(visit: Visit, names: tuple[str, ...]) -> bytes:
    """Return what the live call came to, at its end."""
    arguments: dict[str, object] = {}
    for name in names:
        try:
            arguments[name] = visit.scope(name)
        except Unknown:
            continue
    result = None if visit.result is NOTHING else visit.result
    return written(result, visit.exception, arguments)


def _bound(code: CodeType) -> frozenset[Any]:
    """Return the variables that a function binds itself, or its inner functions do."""
    found = {
        one.argval for one in dis.get_instructions(code) if one.opname.startswith(tuple(_BINDS))
    }
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _bound(constant) & set(constant.co_freevars)
    return frozenset(found)
