"""The function that captured calls are of, found in a module that is imported."""

import functools
import os
from types import FunctionType, MethodType, ModuleType
from typing import Any

from leadline.trial.calls import obstacle, parameters
from leadline.wire.errors import RefusedError
from leadline.wire.struct import dataclass

_WRAPPERS = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """`function` is the one that was captured, beneath whatever decorates it."""

    function: FunctionType
    file: str
    line: int
    parameters: tuple[str, ...]


def find_entry(module: ModuleType, name: str, qualname: str) -> Entry:
    """Return the function. Raises `RefusedError` (`not-replayable`) where there is none."""
    function = _beneath(_walk(module, qualname), qualname)
    if function is None:
        raise RefusedError(
            "not-replayable",
            f"{name} has no function {qualname} that could be called: one made inside of "
            "another is run within its caller only.",
        )
    code = function.__code__
    reason = obstacle(code)
    if reason and "generator" not in reason:
        raise RefusedError("not-replayable", f"{reason}.")
    file = os.path.realpath(code.co_filename)
    return Entry(function, file, code.co_firstlineno, parameters(code))


def _walk(module: ModuleType, qualname: str) -> Any:
    found: Any = module
    for part in qualname.split("."):
        if part == "<locals>":
            return None
        if isinstance(found, type):
            found = next((one.__dict__[part] for one in found.__mro__ if part in one.__dict__),
                         None)  # fmt: skip
        else:
            found = getattr(found, part, None)
    return found


def _beneath(found: Any, qualname: str) -> FunctionType | None:
    """Look through decorators for the function of that name, or the innermost one."""
    best: FunctionType | None = None
    for _ in range(_WRAPPERS):
        if isinstance(found, FunctionType):
            best = found
            if found.__code__.co_qualname == qualname:
                return found
            found = getattr(found, "__wrapped__", None)
        elif isinstance(found, (staticmethod, classmethod, MethodType)):
            found = found.__func__
        elif isinstance(found, property):
            found = found.fget
        elif isinstance(found, (functools.partial, functools.cached_property)):
            found = found.func
        elif hasattr(found, "__wrapped__"):
            found = found.__wrapped__
        else:
            break
    return best
