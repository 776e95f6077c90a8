"""Read one variable of a running frame, by name, and change nothing.

On 3.12 reading `frame.f_locals` of a function writes into dictionaries that the application
got from `locals()` and keeps deleted variables alive, so there a single variable is read with
`PyFrame_GetVarString`. From 3.13 on `f_locals` is a write-through view without those effects;
it is dropped before the callback returns, because a view that outlives a generator's frame
crashes 3.13.0.
"""

import ctypes
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from leadline.expression import Unknown
from leadline.expression.layout import MISSING, layout_of
from leadline.expression.walking import lookup

type Scope = Callable[[str], object]
"""Returns the value of a variable, or raises `Unknown`."""

_thread_state = ctypes.pythonapi.PyThreadState_Get
_thread_state.argtypes, _thread_state.restype = (), ctypes.c_void_p
_frame_of_thread = ctypes.pythonapi.PyThreadState_GetFrame
_frame_of_thread.argtypes, _frame_of_thread.restype = (ctypes.c_void_p,), ctypes.py_object

_code_of_frame = ctypes.pythonapi.PyFrame_GetCode
_code_of_frame.argtypes, _code_of_frame.restype = (ctypes.py_object,), ctypes.py_object

_CO_OPTIMIZED = 0x1
_MODULE = "<module>"
_COPIES_CELLS = sys.version_info < (3, 13)
"""Reading a class body's namespace there writes the cells of its methods into it."""

if sys.version_info >= (3, 13):

    def _fast(frame: FrameType, name: str) -> object:
        return frame.f_locals[name]

    _UNBOUND: type[Exception] = KeyError

    def _view() -> type:
        return type(sys._getframe().f_locals)  # noqa: SLF001

    _VIEW: type | None = _view()
    """What stands for the variables of a module's body while it runs a comprehension there."""
else:
    _get_var = ctypes.pythonapi.PyFrame_GetVarString
    _get_var.argtypes = (ctypes.py_object, ctypes.c_char_p)
    _get_var.restype = ctypes.py_object

    def _fast(frame: FrameType, name: str) -> object:
        return _get_var(frame, name.encode())

    _UNBOUND = NameError
    _VIEW = None


def frame_above(levels: int) -> FrameType:
    """Return the frame `levels` above the caller's.

    Not by `sys._getframe`: that tells the audit hooks, which are code of the application.
    """
    frame: FrameType = _frame_of_thread(_thread_state())
    for _ in range(levels + 1):
        frame = frame.f_back or frame
    return frame


def frame_running(code: CodeType) -> FrameType | None:
    """Return the innermost frame that runs `code`, or None."""
    frame: FrameType | None = _frame_of_thread(_thread_state())
    while frame is not None and frame_code(frame) is not code:
        frame = frame.f_back
    return frame


def frame_code(frame: FrameType) -> CodeType:
    """Return the code that `frame` runs. Asking the frame itself tells the audit hooks."""
    code: CodeType = _code_of_frame(frame)
    return code


def scope_of(
    frame: FrameType, code: CodeType, variables: frozenset[str] = frozenset()
) -> Scope:
    """Return the reader of the variables of `frame`, which runs `code`: its locals, then the
    module's globals. (Asking the frame for its code would tell the audit hooks.) `variables`
    are the code's `local_names`, for who has them already."""
    if not code.co_flags & _CO_OPTIMIZED:
        return _namespace_scope(frame, code)
    own = variables or local_names(code)

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


def _namespace_scope(frame: FrameType, code: CodeType) -> Scope:
    """The scope of a module's or a class's body, whose variables live in a dictionary."""

    def read(name: str) -> object:
        if _COPIES_CELLS and (code.co_cellvars or code.co_freevars):
            raise Unknown("this class body cannot be read on Python 3.12 without changing it")
        namespace: Any = frame.f_locals
        layout = layout_of(type(namespace))
        if layout.base is dict and "__getitem__" not in layout.overrides:
            value = lookup(namespace, name)
            if value is not MISSING:
                return value
        elif type(namespace) is _VIEW and code.co_name == _MODULE:
            if name in code.co_varnames:  # of a comprehension that is running
                try:
                    return _fast(frame, name)
                except _UNBOUND:
                    pass
        else:
            raise Unknown("the variables of this body are kept where only its code can look")
        return _global(frame, name)

    return read


def _global(frame: FrameType, name: str) -> object:
    namespace = frame.f_globals
    value = lookup(namespace, name) if type(namespace) is dict else MISSING
    if value is MISSING:
        raise Unknown(f"there is no variable {name} here")
    return value
