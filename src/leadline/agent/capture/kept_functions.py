"""How functions that other functions have made are read, to be written down: where their
code is, and what they close over.

A function that a module has under a name is that name. Of the others the code is found again in
the module's source by its qualified name and line. Asking a function for its code tells the
audit hooks, so it is read where C lays it out, by the function that reads every slot; that this
is so is tried once, on a function of our own.
"""

from __future__ import annotations

import ctypes
import types
from types import CodeType
from typing import TYPE_CHECKING, Any

from leadline.agent.capture.holding import Extra, Node, Reader, named
from leadline.agent.capture.naming import Name, among, found, loaded, of_function
from leadline.agent.capture.obstacle import Obstacle
from leadline.agent.capture.recognition import names_of
from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING, Layout, exact, identity, layout_of
from leadline.wire.kept import fingerprint
from leadline.wire.redaction import secret_name

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

_WORD = 8
_OBJECT = 6
"""Of a slot: it holds an object, or nothing, which reads as None."""
_CODE_WORD, _DEFAULTS_WORD, _KEYWORDS_WORD, _CLOSURE_WORD = 6, 7, 8, 9
"""Where a function has these, after count, class, globals, builtins, name and long name."""


class Slot(ctypes.Structure):
    """As C describes a slot of a class, `PyMemberDef`."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("kind", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


read_slot = ctypes.pythonapi.PyMember_GetOne
read_slot.argtypes, read_slot.restype = (
    (ctypes.py_object, ctypes.POINTER(Slot)),
    ctypes.py_object,
)
_CODE, _DEFAULTS, _KEYWORDS, _CLOSURE = (
    ctypes.pointer(Slot(b"", _OBJECT, _WORD * word, 0, None))
    for word in (_CODE_WORD, _DEFAULTS_WORD, _KEYWORDS_WORD, _CLOSURE_WORD)
)
_function = vars(types.FunctionType)
_NAME, _QUALNAME, _MODULE, _GLOBALS = (
    _function[name].__get__
    for name in ("__name__", "__qualname__", "__module__", "__globals__")
)
_CODE_NAME, _CODE_LINE, _CODE_FILE = (
    vars(types.CodeType)[name].__get__
    for name in ("co_qualname", "co_firstlineno", "co_filename")
)
_contents: Any = vars(types.CellType)["cell_contents"].__get__
_WRAPPERS = 8
"""Decorators around one function; nobody has more."""
_MAX_PRINTS = 2_000
prints: dict[int, tuple[CodeType, int]] = {}
"""Fingerprints that were taken, by where the code lies."""
_UNNAMED = "it is a function that no module has under its name"


def _as_expected() -> bool:
    inside = object()

    def sample(a: object = 1, *, b: object = 2) -> object:
        return inside, a, b

    parts = (sample.__code__, sample.__defaults__, sample.__kwdefaults__, sample.__closure__)
    known = _function_size == types.FunctionType.__basicsize__
    return known and all(
        read_slot(sample, slot) is part
        for slot, part in zip((_CODE, _DEFAULTS, _KEYWORDS, _CLOSURE), parts, strict=True)
    )


_function_size = 18 * _WORD
_AS_EXPECTED = _as_expected()


def code_of(value: Any) -> CodeType | None:
    """Return the code of a function, untold; None for what is no function."""
    if type(value) is not types.FunctionType or not _AS_EXPECTED:
        return None
    code: CodeType = read_slot(value, _CODE)
    return code


def function() -> Reader:
    """Return the reader of functions written in Python."""
    extra = Extra(layout_of(types.FunctionType), types.FunctionType)

    def read(keeper: Keeper, value: Any, _: Layout) -> Node:
        name = of_function(value) or keeper.landmarks.name_of(value) or _wrapped(value)
        if name is not None:
            return named(keeper, name)
        says, module = _MODULE(value), _home(value)
        if not _AS_EXPECTED or module is None:
            raise Obstacle(_UNNAMED)
        code = read_slot(value, _CODE)
        if _CODE_FILE(code).startswith("<"):  # as a dataclass makes them: of no source
            raise Obstacle(_UNNAMED)
        where, line = _CODE_NAME(code), _CODE_LINE(code)
        parts = [keeper.ref(read_slot(value, slot)) for slot in (_DEFAULTS, _KEYWORDS)]
        variables = code.co_freevars
        for variable, one in zip(variables, read_slot(value, _CLOSURE) or (), strict=True):
            rule = secret_name(variable)
            parts.append(keeper.ref(one) if rule is None else keeper.withheld(rule, one))
        names_of_it = [exact(_NAME(value)), exact(_QUALNAME(value)), *variables]
        node: Node = {"k": "function", "m": module, "t": where, "n": [line, _print_of(code)]}
        node["i"], node["q"] = parts, names_of_it
        if type(says) is str and says != module:
            node["w"] = says
            keeper.left -= len(says) + 7
        keeper.left -= len(module) + len(where) + sum(map(len, names_of_it)) + 20
        extra.add(keeper, value, node)
        return node

    return read


def _print_of(code: CodeType) -> int:
    known = prints.get(key := identity(code))
    if known is None:
        if len(prints) >= _MAX_PRINTS:
            prints.clear()
        # the code stays, or another may have its place
        known = prints[key] = code, fingerprint(code)
    return known[1]


def _home(value: Any) -> str | None:
    """Return the module in whose names a function looks. It says itself of which module it is,
    and one that wraps another says what that one does."""
    names = _GLOBALS(value)
    for module in (_MODULE(value), among(names, "__name__")):
        if type(module) is str and names_of(loaded(module)) is names:
            return module
    return None


def _wrapped(value: Any) -> Name | None:
    """Return the name of a function that a decorator has wrapped, and remembers."""
    module, name = _MODULE(value), exact(_QUALNAME(value))
    if type(module) is not str or "<" in name:
        return None
    for _ in range(_WRAPPERS):
        name += ".__wrapped__"
        here = found((module, name))
        if here is value:
            return module, name
        if here is MISSING:
            break
    return None


def cell(keeper: Keeper, value: Any, _: Layout) -> Node:
    """A variable that functions share."""
    try:
        inside = _contents(value)
    except ValueError as error:  # it has no value yet
        if not expected(error, ValueError):
            raise
        return {"k": "cell", "i": []}
    return {"k": "cell", "i": [keeper.ref(inside)]}
