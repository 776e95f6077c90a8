"""How an instance of each class is read, to be written down by value.

What a class of the user's own holds lies in its dictionary and slots; what a builtin class
holds is read by its own functions in C. A class that keeps something elsewhere (more memory
than its slots account for) cannot be read, and says so.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadline.agent.capture import kept_forms, kept_functions, kept_values, naming
from leadline.agent.capture.holding import (
    Extra,
    Maker,
    Node,
    Reader,
    article,
    hidden_state,
    named,
    opaque,
)
from leadline.agent.capture.obstacle import Obstacle
from leadline.agent.capture.recognition import held
from leadline.expression.layout import MISSING, Layout, identity, layout_of

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper


def reader_of(layout: Layout) -> Reader:
    """Find out how the instances of a class are read, and keep that in its layout."""
    reader, settled = _find(layout)
    if settled:
        layout.keeping.append(reader)
    return reader


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
    extra = Extra(layout)

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        name = keeper.landmarks.name_of(value)
        if name is not None:
            return named(keeper, name)
        node: Node = {"k": "object", "c": keeper.class_(layout.cls)}
        extra.add(keeper, value, node)
        return node

    return read


def class_(keeper: Keeper, value: Any, _: Layout) -> Node:
    layout = layout_of(value)
    name = naming.of_class(value, layout)
    if name is None:
        name = keeper.landmarks.name_of(value)
    if name is None:
        raise Obstacle(f"{layout.name} is no class that a module has under its name")
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
    **kept_functions.EXACT,
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
    identity(float): _not_finite,
    **{
        identity(kind): kept_forms.builtin
        for kind in (types.BuiltinFunctionType, type(re.compile("").match))
    },
}
