"""Where a coroutine stands, read without telling the audit hooks, which are application code.

Asking a coroutine for its code or its frame tells them. The interpreter's own functions for
debuggers do not; what they need is where in the coroutine its frame lies. That is learnt once,
from a coroutine of ours, by looking for the pointer to its code; an interpreter in which that
finds nothing, or gives a wrong line, leaves coroutines without a line.
"""

import ctypes
import sys
from collections.abc import Coroutine, Generator
from types import CodeType, CoroutineType, GeneratorType
from typing import Any, NamedTuple

from leadline.expression.layout import identity

_POINTER = ctypes.sizeof(ctypes.c_void_p)
_ADDRESS_BITS = 8 * _POINTER
_ROTATED = 4
"""Bits by which an object's own hash is its address, turned to the right."""

MAX_CHARS = 500
"""Of a file's or a function's name."""

_code: Any = ctypes.pythonapi.PyGen_GetCode
_code.argtypes, _code.restype = (ctypes.py_object,), ctypes.py_object
_line: Any = getattr(ctypes.pythonapi, "PyUnstable_InterpreterFrame_GetLine", None)
if _line is not None:
    _line.argtypes, _line.restype = (ctypes.c_void_p,), ctypes.c_int

_states: dict[type, tuple[Any, Any]] = {
    CoroutineType: (
        vars(CoroutineType)["cr_suspended"].__get__,
        vars(CoroutineType)["cr_running"].__get__,
    ),
    GeneratorType: (
        vars(GeneratorType)["gi_suspended"].__get__,
        vars(GeneratorType)["gi_running"].__get__,
    ),
}


class Standing(NamedTuple):
    """The function of a coroutine, its file, and the line that it is at; 0 if unknown."""

    function: str = ""
    file: str = ""
    line: int = 0


def standing_of(coroutine: object) -> Standing:
    """Return where a coroutine, or a generator that serves as one, is suspended or running."""
    states = _states.get(type(coroutine))
    if states is None:  # one that is not the interpreter's own, such as Cython's
        return Standing()
    code: CodeType = _code(coroutine)
    line = code.co_firstlineno
    if any(state(coroutine) for state in states):
        line = _line(_address(coroutine) + _FRAME) if _FRAME else 0
    return Standing(_cut(code.co_qualname), _cut(code.co_filename), max(line, 0))


def _cut(text: str) -> str:
    """Return an exact `str` of bounded length: a file's name can be of a class of its own."""
    return str.__getitem__(text, slice(MAX_CHARS))


def _address(obj: object) -> int:
    """Return where an object lies; `id()` would tell the audit hooks."""
    turned = identity(obj) % (1 << _ADDRESS_BITS)
    return (turned << _ROTATED | turned >> (_ADDRESS_BITS - _ROTATED)) % (1 << _ADDRESS_BITS)


class _Once:
    def __await__(self) -> Generator[None]:
        yield


def _find_frame() -> int:
    """Return how many bytes behind its beginning a coroutine has its frame, or 0."""

    async def sample() -> None:
        await _Once()

    coroutine: Coroutine[Any, Any, None] = sample()
    coroutine.send(None)
    try:
        return _frame_in(coroutine, sample.__code__)
    finally:
        coroutine.close()


def _frame_in(coroutine: object, code: CodeType) -> int:
    start = _address(coroutine)
    if _line is None or sys.implementation.name != "cpython" or start != id(coroutine):
        return 0
    for offset in range(2 * _POINTER, CoroutineType.__basicsize__, _POINTER):
        if ctypes.c_void_p.from_address(start + offset).value == id(code):
            right = _line(start + offset) == code.co_firstlineno + 1
            return offset if right else 0
    return 0


_FRAME = _find_frame()
