"""How a function that was made by another one is written down: where its code is, and what it
closes over.

The code is found again beneath the outer function, by its qualified name and its place among
those of that name, so a candidate's code is the candidate's. What the interpreter's own
accessors would tell the audit hooks is read through functions of C that do not.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any

from leadline.agent.capture import naming
from leadline.agent.capture.holding import Node, Reader, article, named
from leadline.agent.capture.obstacle import Obstacle
from leadline.agent.capture.recognition import held
from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING, Layout, exact, identity, layout_of
from leadline.trial.inner import LOCALS, codes_within
from leadline.wire.redaction import secret_name

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

_WRAPPERS = 20
_function: Any = vars(FunctionType)
_QUALNAME, _MODULE, _CLOSURE, _GLOBALS = (
    _function[name].__get__
    for name in ("__qualname__", "__module__", "__closure__", "__globals__")
)
_cell_contents: Any = vars(CellType)["cell_contents"].__get__
_object_at = ctypes.pythonapi.Py_NewRef
_object_at.argtypes, _object_at.restype = (ctypes.c_void_p,), ctypes.py_object


def _asking(name: str) -> Callable[[Any], Any]:
    """Return what asks a function for a part by an accessor of C, which lends it."""
    ask = getattr(ctypes.pythonapi, name)
    ask.argtypes, ask.restype = (ctypes.py_object,), ctypes.c_void_p

    def get(function: Any) -> Any:
        address = ask(function)
        return _object_at(address) if address else None

    return get


_CODE, _DEFAULTS, _NAMED_DEFAULTS = (
    _asking(f"PyFunction_Get{name}") for name in ("Code", "Defaults", "KwDefaults")
)


def function(keeper: Keeper, value: Any, layout: Layout) -> Node:
    """A function: by its name if a module has it, else by its code and what it closes over."""
    name = naming.of_function(value) or keeper.landmarks.name_of(value) or _wrapped(value)
    if name is not None:
        return named(keeper, name)
    inner = _inner(value)
    if inner is None:
        raise Obstacle(f"{article(layout)} that no module has under its name")
    module, qualname, number = inner
    variables = list(_CODE(value).co_freevars)
    keeper.left -= len(module) + len(qualname) + sum(map(len, variables))
    parts = [keeper.ref(_DEFAULTS(value)), keeper.ref(_NAMED_DEFAULTS(value))]
    for variable, one in zip(variables, _CLOSURE(value) or (), strict=True):
        rule = secret_name(variable)
        parts.append(keeper.ref(one) if rule is None else keeper.withheld(rule, one))
    node: Node = {
        "k": "function", "m": module, "t": qualname, "n": number, "v": variables, "i": parts,
    }  # fmt: skip
    names = layout.namespace(value) if layout.namespace is not None else None
    if type(names) is dict and names:
        node["a"] = keeper.attributes(names)
    return node


def _wrapped(value: Any) -> naming.Name | None:
    """Return the name of a function that a decorator has wrapped, and remembers."""
    module, name = _MODULE(value), exact(_QUALNAME(value))
    if type(module) is not str or "<" in name:
        return None
    for _ in range(_WRAPPERS):
        name += ".__wrapped__"
        here = naming.found((module, name))
        if here is value:
            return module, name
        if here is MISSING:
            break
    return None


def _inner(value: Any) -> tuple[str, str, int] | None:
    """Return the module of a function, its qualified name, and which of the codes of that name
    beneath the outer function it runs."""
    module, qualname = _MODULE(value), exact(_QUALNAME(value))
    head, inside, _ = qualname.partition(LOCALS)
    if type(module) is not str or not inside or "<" in head:
        return None
    code = _CODE(value)
    for outer in _beneath(naming.found((module, head))):
        if _GLOBALS(outer) is not _GLOBALS(value):
            continue
        for number, one in enumerate(codes_within(_CODE(outer), exact(code.co_qualname))):
            if one is code and code.co_qualname == qualname:
                return module, qualname, number
    return None


def _beneath(here: Any) -> Iterator[Any]:
    """Yield a function and those that it says it wraps."""
    for _ in range(_WRAPPERS):
        if type(here) is not FunctionType:
            return
        yield here
        here = held(here, layout_of(FunctionType), "__wrapped__")


def cell(keeper: Keeper, value: Any, _: Layout) -> Node:
    """What functions share that were made by one call."""
    try:
        contents = _cell_contents(value)
    except ValueError as error:  # not filled yet
        if not expected(error, ValueError):
            raise
        return {"k": "cell"}
    return {"k": "cell", "i": [keeper.ref(contents)]}


EXACT: dict[int, Reader] = {identity(FunctionType): function, identity(CellType): cell}
