"""How classes that functions have made are read, to be written down: what they derive from, and
what lies in them.

A class that a module has under a name is that name. Another one is made again beside its
instances, where nothing but the class statement has made it: no metaclass but that of
`abc`, and no base that hears of what derives from it.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from leadline.agent.capture.holding import Node, Reader
from leadline.agent.capture.obstacle import Obstacle
from leadline.agent.capture.recognition import in_module
from leadline.expression.layout import HEAP_TYPE, Layout, exact
from leadline.wire.redaction import secret_name

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

_of_type = vars(type)
_bases, _flags, _qualname = (
    _of_type[name].__get__ for name in ("__bases__", "__flags__", "__qualname__")
)
_LOCAL = "<locals>"
_HEARS = "__init_subclass__"
_OF_THE_STATEMENT = frozenset(
    """
    __dict__ __weakref__ __module__ __slots__ __firstlineno__ __static_attributes__ _abc_impl
    """.split()
)
"""Members that making the class again gives it, or that say where it stands."""
_EARLY = ("__doc__", "__abstractmethods__")
_MOST_SLOTS = 100


def by_value(keeper: Keeper, value: Any, layout: Layout) -> Node:
    """Return the node of a class that no module has under a name."""
    name = exact(_qualname(value))
    is_abstract = _is_abstract(value)
    known = type(value) is type or is_abstract
    by_statement = known and _flags(value) & HEAP_TYPE and _LOCAL in name
    if (
        not by_statement
        or not layout.module
        or any(_HEARS in members for members in layout.members[:-1])
    ):
        raise Obstacle(f"{layout.name} is no class that a module has under its name")
    node: Node = {"k": "class", "m": layout.module, "t": name} | keeper.living(value)
    if is_abstract:
        node["c"] = keeper.class_(type(value))
    keeper.left -= len(node["m"]) + len(node["t"])
    node["i"] = [[keeper.class_(base)] for base in _bases(value)]
    members = layout.members[0]
    if "__slots__" in members:
        node["q"] = _slots(members["__slots__"])
    held: dict[str, Any] = {}
    # first what a class that is made again has from the beginning
    for member, one in sorted(members.items(), key=lambda pair: pair[0] not in _EARLY):
        own_slot = type(one) is types.MemberDescriptorType and one.__objclass__ is value
        no_text = member == "__doc__" and one is None
        if member in _OF_THE_STATEMENT or own_slot or no_text:
            continue
        rule = secret_name(member)
        keeper.left -= len(member) + 4
        held[member] = keeper.ref(one) if rule is None else keeper.withheld(rule, one)
    node["a"] = held
    return node


def _is_abstract(value: Any) -> bool:
    """Tell whether a class is one of `abc`, with which no other class is registered."""
    if type(value) is not in_module("abc", "ABCMeta"):
        return False
    dump: Any = in_module("_abc", "_get_dump")
    return type(dump) is types.BuiltinFunctionType and not dump(value)[0]


def _slots(named: Any) -> list[str]:
    names = [named] if type(named) is str else named
    if type(names) not in (list, tuple) or len(names) > _MOST_SLOTS:
        raise Obstacle("it is a class whose slots cannot be read")
    if any(type(name) is not str for name in names):
        raise Obstacle("it is a class whose slots cannot be read")
    return list(names)


def wrapping(kind: type, *names: str) -> Reader:
    """Return the reader of what stands between a class and its functions."""
    reads = tuple(vars(kind)[name].__get__ for name in names)

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        parts = [keeper.ref(one(value)) for one in reads]
        return {"k": "made", "c": keeper.class_(layout.cls), "i": parts}

    return read


WRAPPERS: tuple[tuple[type, Reader], ...] = (
    (staticmethod, wrapping(staticmethod, "__func__")),
    (classmethod, wrapping(classmethod, "__func__")),
    (property, wrapping(property, "fget", "fset", "fdel", "__doc__")),
)
