"""What asynchronous generators give out: the interpreter wraps it, to tell it from what they
await, and no function of its own takes it out of there but `__anext__`."""

import ctypes
import sys
from collections.abc import Callable
from typing import Any

from leadline import native
from leadline.expression.layout import HEAP_TYPE

_NAME = "async_generator_wrapped_value"
_name: Any = vars(type)["__name__"].__get__
_flags: Any = vars(type)["__flags__"].__get__
_POINTER = ctypes.sizeof(ctypes.c_void_p)
_WRAPPER = next(
    (
        cls
        for cls in type.__subclasses__(object)
        if not _flags(cls) & HEAP_TYPE and _name(cls) == _NAME
    ),
    None,
)


def is_wrapped(value: object) -> bool:
    """Tell whether an asynchronous generator gives something out by this."""
    return type(value) is _WRAPPER


def _reader() -> Callable[[object], object]:
    """Return what takes it out. Without our extension it is read where it lies: behind what
    each object has, as the only thing that such a one holds."""
    if (core := native.core()) is not None:
        return core.unwrapped  # type: ignore[no-any-return]
    size = object.__basicsize__
    if _WRAPPER is None or _WRAPPER.__basicsize__ != size + _POINTER:
        return lambda value: value
    copied = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_ssize_t)(
        ("PyBytes_FromStringAndSize", ctypes.pythonapi)
    )
    at = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p)(("Py_NewRef", ctypes.pythonapi))

    def read(value: object) -> object:
        memory = copied(value, size + _POINTER)
        return at(int.from_bytes(memory[size:], sys.byteorder))

    return read


unwrapped = _reader()
"""Returns what is within a value that `is_wrapped`."""
