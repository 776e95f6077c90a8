"""Read one variable of a running frame, by name, and change nothing.

On 3.12 reading `frame.f_locals` of a function writes into dictionaries that the application
got from `locals()` and keeps deleted variables alive, so there a single variable is read with
`PyFrame_GetVarString`. From 3.13 on `f_locals` is a write-through view without those effects;
it is dropped before the callback returns, because a view that outlives a generator's frame
crashes 3.13.0.
"""

import sys
from collections.abc import Callable
from types import CodeType, FrameType

from leadline.expression import Unknown

type Scope = Callable[[str], object]
"""Returns the value of a variable, or raises `Unknown`."""

_CO_OPTIMIZED = 0x1
_ABSENT = object()

if sys.version_info >= (3, 13):

    def _fast(frame: FrameType, name: str) -> object:
        return frame.f_locals[name]

    _UNBOUND: type[Exception] = KeyError
else:
    import ctypes

    _get_var = ctypes.pythonapi.PyFrame_GetVarString
    _get_var.argtypes = (ctypes.py_object, ctypes.c_char_p)
    _get_var.restype = ctypes.py_object

    def _fast(frame: FrameType, name: str) -> object:
        return _get_var(frame, name.encode())

    _UNBOUND = NameError


def scope_of(frame: FrameType) -> Scope:
    """Return the reader of `frame`'s variables: its locals, then the module's globals."""
    code = frame.f_code
    if not code.co_flags & _CO_OPTIMIZED:
        return _namespace_scope(frame)
    own = local_names(code)

    def read(name: str) -> object:
        if name in own:
            try:
                return _fast(frame, name)
            except _UNBOUND:
                raise Unknown(f"{name} has no value yet at this line") from None
        return _global(frame, name)

    return read


def local_names(code: CodeType) -> frozenset[str]:
    """Return the names that are variables of `code` itself, its closure's included."""
    return frozenset(code.co_varnames + code.co_cellvars + code.co_freevars)


def _namespace_scope(frame: FrameType) -> Scope:
    """The scope of a module's or a class's body, whose variables live in a dictionary."""

    def read(name: str) -> object:
        namespace = frame.f_locals
        if type(namespace) is dict:  # a metaclass may have put something else here
            value = namespace.get(name, _ABSENT)
            if value is not _ABSENT:
                return value
        return _global(frame, name)

    return read


def _global(frame: FrameType, name: str) -> object:
    namespace = frame.f_globals
    value = namespace.get(name, _ABSENT) if type(namespace) is dict else _ABSENT
    if value is _ABSENT:
        raise Unknown(f"there is no variable {name} here")
    return value
