"""How an instance of each class is read, to be written down by value.

What a class of the user's own holds lies in its dictionary and slots; what a builtin class
holds is read by its own functions in C. A class that keeps something elsewhere (more memory
than its slots account for) cannot be read, and says so.
"""

from __future__ import annotations

import re
import types
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from leadline.agent.capture import (
    kept_arrays,
    kept_classes,
    kept_forms,
    kept_functions,
    kept_values,
    naming,
)
from leadline.agent.capture.holding import (
    Extra,
    Maker,
    Node,
    Reader,
    article,
    given,
    hidden_state,
    named,
    opaque,
)
from leadline.agent.capture.obstacle import Obstacle
from leadline.agent.capture.recognition import held
from leadline.expression.layout import MISSING, Getter, Layout, identity, layout_of

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper


type Plan = tuple[
    tuple[type, ...], int, bool, bool, tuple[tuple[str, Getter, object], ...], str
]
"""What our extension has to know to write an instance down: of which resolution order that
holds, what the instance is, whether it has a dictionary, whether it can be called, its slots
with their descriptors, and the name of its class."""
_EXACTLY = (
    *(dict, list, tuple, set, frozenset, bytes),
    *(types.MethodType, types.CellType, types.FunctionType, deque, re.Pattern, partial),
)
_PLANS = {identity(kind): number for number, kind in enumerate(_EXACTLY, 1)}
_OBJECT, _CLASS = 0, len(_EXACTLY) + 1
_LOCKS = {"lock": _CLASS + 1, "rlock": _CLASS + 2}
_OPAQUE = _CLASS + 3
"""As in `keptplan.h`."""


def reader_of(layout: Layout) -> Reader:
    """Find out how the instances of a class are read, and keep that in its layout."""
    reader, settled = _find(layout)
    if settled:
        layout.keeping.append(reader)
        if (plan := _plan(layout, reader)) is not None:
            layout.keeping.append(plan)
    return reader


def _plan(layout: Layout, reader: Reader) -> Plan | None:
    """Return what our extension writes instances down by; None where they need Python."""
    kind, has_names, called = _PLANS.get(identity(layout.cls)), False, False
    slots: tuple[tuple[str, Getter, object], ...] = ()
    if reader is class_:
        kind = _CLASS
    elif reader is opaque:
        kind = _OPAQUE
    elif type(reader) is kept_forms.Lock:
        kind = _LOCKS[reader.kind]
    elif type(reader) is _Plain or type(reader) is kept_forms.Lacking:
        extra: Extra = reader.extra
        has_names = extra.names is not None
        if has_names and extra.without:
            return None
        kind, called = _OBJECT, layout.find("__call__") is not MISSING
        slots = tuple(
            (name, read, getattr(read, "__self__", None)) for name, read in extra.slots
        )
    if kind is None:
        return None
    return layout.order, kind, has_names, called, slots, layout.name


def _find(layout: Layout) -> tuple[Reader, bool]:
    exact = _EXACT.get(identity(layout.cls))
    if exact is not None:
        return exact, True
    if layout.base is type:
        return class_, True
    if layout.is_enum:
        return member, True
    made, settled = kept_forms.form_of(layout)
    if made is not None:
        return made, settled
    for cls in layout.order:
        maker = _BASES.get(identity(cls))
        if maker is not None:
            return maker(layout, cls), settled
    return _object(layout), settled


def _object(layout: Layout) -> Reader:
    """Return what reads the instances of a class of the user's own."""
    if hidden_state(layout, object):
        return opaque
    return _Plain(layout)


class _Plain:
    """Reads the instances of a class that keeps nothing but what Python shows of it."""

    __slots__ = ("extra", "whole")

    def __init__(self, layout: Layout) -> None:
        self.extra = Extra(layout)
        self.whole = self.extra.names is not None or bool(self.extra.slots)

    def __call__(self, keeper: Keeper, value: Any, layout: Layout) -> Node:
        name, with_state = keeper.landmark(value)
        if name is not None and not (with_state and self.whole):
            return named(keeper, name)
        node: Node = {"k": "object", "c": keeper.class_(layout.cls)}
        if name is not None:
            given(keeper, node, name)
        self.extra.add(keeper, value, node)
        return node


def class_(keeper: Keeper, value: Any, _: Layout) -> Node:
    layout = layout_of(value)
    name = naming.of_class(value, layout)
    if name is None:
        name = keeper.landmarks.name_of(value)
    if name is None:
        return kept_classes.by_value(keeper, value, layout)
    return named(keeper, name)


def _by_name(find: Callable[[Any], naming.Name | None]) -> Reader:
    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        name = find(value) or keeper.landmarks.name_of(value)
        if name is None:
            raise Obstacle(f"{article(layout)} that no module has under its name")
        return named(keeper, name)

    return read


def _not_finite(keeper: Keeper, value: Any, _: Layout) -> Node:
    """A number that JSON has no word for; some code asks whether it is the one of numpy."""
    name = keeper.landmarks.name_of(value)
    return named(keeper, name) if name is not None else {"k": "float", "t": repr(value)}


def _singleton(name: str) -> Reader:
    return lambda keeper, _, __: named(keeper, ("builtins", name))


def member(keeper: Keeper, value: Any, layout: Layout) -> Node:
    """An enum's member: by its name, or the value of a combination of flags."""
    name = held(value, layout, "_name_")
    node: Node = {"k": "member", "c": keeper.class_(layout.cls)}
    if type(name) is str and "|" not in name:
        keeper.left -= len(name)
        node["t"] = name
    else:
        inner = held(value, layout, "_value_")
        if inner is MISSING:
            raise Obstacle("it is an enum's member without a name")
        node["i"] = [keeper.ref(inner)]
    return node


_BASES: dict[int, Maker] = {
    identity(cls): maker for cls, maker in (*kept_values.BUILTIN, *kept_forms.BUILTIN)
}


_EXACT: dict[int, Reader] = {
    **{
        identity(kind): _by_name(find)
        for kind, find in (
            (types.ModuleType, naming.of_module),
            (types.MethodDescriptorType, naming.of_described),
            (types.WrapperDescriptorType, naming.of_described),
        )
    },
    **{
        identity(type(one)): _singleton(name)
        for name, one in (("Ellipsis", ...), ("NotImplemented", NotImplemented))
    },
    identity(types.FunctionType): kept_functions.function(),
    identity(types.CellType): kept_functions.cell,
    **{identity(kind): reader for kind, reader in kept_classes.WRAPPERS},
    identity(float): _not_finite,
    identity(kept_arrays.BackedRow): kept_arrays.backed_row,
    identity(types.BuiltinFunctionType): kept_forms.builtin,
    identity(type(re.compile("").match)): kept_forms.builtin,
}
