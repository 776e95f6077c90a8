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

from leadline.agent.capture.held import MAX_NAMES
from leadline.expression.fuel import sparse
from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING, Getter, Layout, identity, layout_of
from leadline.expression.unknown import Unknown
from leadline.expression.walking import find

type Call = Callable[..., Any]

_GETTERS = frozenset(map(identity, (GetSetDescriptorType, MemberDescriptorType)))
_CALLS = frozenset(map(identity, (MethodDescriptorType, WrapperDescriptorType)))
_found: dict[tuple[str, str], tuple[object, object]] = {}
"""Holds what our own code asks for by name: a handful of classes of libraries."""
_module_names: Getter = vars(ModuleType)["__dict__"].__get__


def genuine(cls: type, dotted: str) -> bool:
    """Tell whether the process has `cls` itself under the dotted name that it claims."""
    module, _, name = dotted.rpartition(".")
    return _among(_loaded(module), name) is cls


def in_module(module: str, name: str) -> object:
    """Return what a loaded module has under `name`, or `MISSING`.

    What was found is kept for as long as that module is the one that is loaded: looking
    through all of its names takes longer than most captures.
    """
    loaded = _loaded(module)
    known = _found.get((module, name))
    if known is not None and known[0] is loaded:
        return known[1]
    found = _among(loaded, name)
    if found is not MISSING:
        _found[module, name] = (loaded, found)
    return found


def _loaded(module: str) -> object:
    modules: Any = sys.modules
    return modules.get(module) if type(modules) is dict else None


def _among(module: object, name: str) -> object:
    names = names_of(module)
    try:
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
    """Return what the dictionary of an object holds under `name`, or `MISSING`; also where it
    holds more than anything that is known here does."""
    if layout.namespace is None:
        return MISSING
    names: Any = layout.namespace(value)
    if type(names) is not dict:
        return MISSING
    size = dict.__len__(names)
    if size > MAX_NAMES or sparse(dict.__sizeof__(names), size):
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
