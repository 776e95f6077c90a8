"""Which class is which, without importing anything and without believing what a class says.

A class of numpy or Decimal is known by the name that it claims, and only if the process' own
table of modules has that very class under that name. Of its members only those are used that
C code defines, which nobody can write in Python: so even a class that passes for another has
nothing of its own run.
"""

import sys
from collections.abc import Callable
from types import (
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING, Getter, Layout, identity, layout_of
from leadline.expression.unknown import Unknown
from leadline.expression.walking import find

type Call = Callable[..., Any]

_GETTERS = frozenset(map(identity, (GetSetDescriptorType, MemberDescriptorType)))
_CALLS = frozenset(map(identity, (MethodDescriptorType, WrapperDescriptorType)))
_module_names: Getter = vars(ModuleType)["__dict__"].__get__


def genuine(cls: type, dotted: str) -> bool:
    """Tell whether the process has `cls` itself under the dotted name that it claims."""
    module, _, name = dotted.rpartition(".")
    return in_module(module, name) is cls


def in_module(module: str, name: str) -> object:
    """Return what a loaded module has under `name`, or `MISSING`."""
    modules: Any = sys.modules
    if type(modules) is not dict:
        return MISSING
    try:
        found = find(modules, module)
        names = names_of(found)
        return find(names, name) if names is not None else MISSING
    except Unknown:
        return MISSING


def names_of(module: object) -> dict[str, object] | None:
    """Return the namespace of a module object, or None if it has no ordinary one."""
    order = layout_of(type(module)).order
    if not any(entry is ModuleType for entry in order):
        return None
    names = _module_names(module)
    return names if type(names) is dict else None


def getter(layout: Layout, cls: type, name: str) -> Getter | None:
    """Return what reads the attribute `name` of instances of `cls`, if C code does."""
    found = _own(layout, cls, name)
    if identity(type(found)) not in _GETTERS or found.__objclass__ is not cls:
        return None
    return found.__get__  # type: ignore[no-any-return]


def method(layout: Layout, cls: type, name: str) -> Call | None:
    """Return the method `name` of `cls`, unbound, if it is C code of that very class."""
    found = _own(layout, cls, name)
    if identity(type(found)) not in _CALLS or found.__objclass__ is not cls:
        return None
    return found  # type: ignore[no-any-return]


def slot(read: Getter, value: object) -> Any:
    """Return what a slot or a getter of C code reads, or `MISSING` where it is not filled."""
    try:
        return read(value)
    except (AttributeError, TypeError) as error:  # never filled; a class that was changed
        if not expected(error, AttributeError, TypeError):
            raise
    return MISSING


def inherits(layout: Layout, cls: object) -> bool:
    """Tell whether `cls` is in the resolution order, by identity."""
    return any(entry is cls for entry in layout.order)


def held(value: object, layout: Layout, name: str) -> Any:
    """Return what the dictionary of an object holds under `name`, or `MISSING`."""
    if layout.namespace is None:
        return MISSING
    names: Any = layout.namespace(value)
    if type(names) is not dict:
        return MISSING
    try:
        return find(names, name)
    except Unknown:
        return MISSING


def _own(layout: Layout, cls: type, name: str) -> Any:
    for entry, members in zip(layout.order, layout.members, strict=True):
        if entry is cls:
            return members.get(name)
    return None
