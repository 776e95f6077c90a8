"""The variables of a frame in a twin: one namespace to see, written back when they change."""

import ctypes
import sys
from types import FrameType
from typing import Any

from leadline.trial.asking import Answer, declare, evaluate, locals_of
from leadline.trial.code import compiled
from leadline.wire.struct import replace

_CO_OPTIMIZED = 0x1
_COPIES = sys.version_info < (3, 13)
"""There `f_locals` of a function is a copy, which has to be put back."""


def run_in(frame: FrameType, text: str, extra: dict[str, Any]) -> Answer:
    """Run code in a frame; what it binds takes effect there, or is kept in `extra`.

    A name that is a variable of the frame's code changes that variable; one that was declared
    `global`, the module's; any other is `extra`, which is seen wherever code runs next.
    Raises `UsageError` (`bad-code`) before anything runs.
    """
    part = compiled(text, "<code>")
    local = locals_of(frame)
    namespace = {**frame.f_globals, **extra, **local}
    before = dict(namespace)
    answer = evaluate(part, "<code>", namespace)
    declare(part, namespace, frame)
    changed = {
        name: value
        for name, value in namespace.items()
        if before.get(name, _MISSING) is not value
        and name not in part.declared
        and name != "__builtins__"
    }
    own = _names(frame, changed)
    extra.update({name: value for name, value in changed.items() if name not in own})
    gone = [name for name in before if name not in namespace]
    for name in gone:
        extra.pop(name, None)
    stays = _write(
        frame,
        {name: value for name, value in changed.items() if name in own},
        [name for name in gone if name in local],
    )
    if stays and answer.error is None:
        text = _STAYS.format(", ".join(stays))
        return replace(answer, returned=False, value=None, error=ValueError(text), raised=text)
    return answer


def seen_from(frame: FrameType, extra: dict[str, Any]) -> dict[str, Any]:
    """Return all that a name can mean in a frame, but for the builtins."""
    return {**frame.f_globals, **extra, **locals_of(frame)}


_MISSING = object()
_STAYS = "{} cannot be unbound while its function runs."


def _names(frame: FrameType, changed: dict[str, Any]) -> frozenset[str]:
    """Return which of the changed names are variables of the frame; of a body, all are."""
    code = frame.f_code
    if not code.co_flags & _CO_OPTIMIZED:
        return frozenset(changed)
    return frozenset(code.co_varnames + code.co_cellvars + code.co_freevars)


def _write(frame: FrameType, changed: dict[str, Any], gone: list[str]) -> list[str]:
    """Change the variables of a frame; return those that should have gone and could not."""
    if not changed and not gone:
        return []
    local: Any = frame.f_locals
    for name, value in changed.items():
        local[name] = value
    if not frame.f_code.co_flags & _CO_OPTIMIZED:
        for name in gone:
            local.pop(name, None)
        return []
    if _COPIES:
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    return gone
