"""The function that captured calls are of, found in a module that is imported."""

import functools
import os
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from leadline.trial.calls import obstacle, parameters
from leadline.trial.holders import find
from leadline.wire.errors import RefusedError
from leadline.wire.struct import dataclass

_WRAPPERS = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """`function` is the one that was captured, beneath whatever decorates it: `outer` is what
    callers meet."""

    function: FunctionType
    file: str
    line: int
    parameters: tuple[str, ...]
    outer: Any = None


def find_entry(module: ModuleType, name: str, qualname: str) -> Entry:
    """Return the function. Raises `RefusedError` (`not-replayable`) where there is none."""
    outer = _walk(module, qualname)
    file = getattr(module, "__file__", None)
    function = _beneath(outer, qualname, os.path.realpath(file) if file else "")
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
    return Entry(function, file, code.co_firstlineno, parameters(code), outer)


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


def wrappers(found: Any) -> list[Any]:
    """Return what callers meet, what is beneath that, and so on."""
    every: list[Any] = []
    while found is not None and len(every) < _WRAPPERS:
        every.append(found)
        if isinstance(found, (staticmethod, classmethod, MethodType)):
            found = found.__func__
        elif isinstance(found, property):
            found = found.fget
        elif isinstance(found, (functools.partial, functools.cached_property)):
            found = found.func
        else:
            found = getattr(found, "__wrapped__", None)
    return every


def _beneath(found: Any, qualname: str, file: str) -> FunctionType | None:
    """Look through decorators for the function of that name, or the innermost one."""
    functions = [one for one in wrappers(found) if isinstance(one, FunctionType)]
    named = (one for one in functions if one.__code__.co_qualname == qualname)
    function = next(named, None)
    if function is None:
        held = (_closed_over(one, qualname, file) for one in functions)
        function = next((one for one in held if one is not None), None)
    return function or (functions[-1] if functions else None)


def _closed_over(wrapper: FunctionType, qualname: str, file: str) -> FunctionType | None:
    """Return the function of that name which a decorator has wrapped without saying so."""

    def is_it(code: CodeType) -> bool:
        return code.co_qualname == qualname and os.path.realpath(code.co_filename) == file

    try:
        return find(wrapper, is_it)[0]
    except LookupError:
        return None
