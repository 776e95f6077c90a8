"""How an instance of each class is read, to be written down by value.

What a class of the user's own holds lies in its dictionary and slots; what a builtin class
holds is read by its own functions in C. A class that keeps something elsewhere (more memory
than its slots account for) cannot be read, and says so.
"""

from __future__ import annotations

import binascii
import types
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadline.agent.capture import kept_forms, naming
from leadline.agent.capture.holding import (
    Extra,
    Maker,
    Node,
    Reader,
    article,
    hidden_state,
    named,
    opaque,
    plain_maker,
)
from leadline.agent.capture.obstacle import Obstacle
from leadline.expression.fuel import sparse
from leadline.expression.hiding import hidden_items, name_rule
from leadline.expression.interruption import expected
from leadline.expression.layout import Layout, identity, layout_of
from leadline.wire.redaction import secret_name

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

_PAIR = 2


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


def member(keeper: Keeper, value: Any, layout: Layout) -> Node:
    """An enum's member: by its name, or the value of a combination of flags."""
    held = layout.namespace(value) if layout.namespace is not None else None
    if type(held) is not dict:
        raise Obstacle("it is an enum's member without a dictionary")
    held = dict(held)
    name = held.get("_name_")
    node: Node = {"k": "member", "c": keeper.class_(layout.cls)}
    if type(name) is str and "|" not in name:
        keeper.left -= len(name)
        node["t"] = name
    else:
        node["i"] = [keeper.ref(held.get("_value_"))]
    return node


def _row(base: Any) -> Callable[[Keeper, Any, Node], None]:
    listed = base is list or base is tuple
    hashed = base is set or base is frozenset

    def take(keeper: Keeper, value: Any, node: Node) -> None:
        length = keeper.room(value, base, 2)
        if hashed and sparse(base.__sizeof__(value), length):
            raise Obstacle("it was much larger once, and walking what it left is slow")
        items = list(base.__iter__(value))
        ref = keeper.ref
        if listed:
            layout = layout_of(type(value))
            if length == _PAIR or layout.hidden:
                hidden = hidden_items(value, layout)
                if hidden:
                    node["i"] = [
                        keeper.withheld(hidden[at], item) if at in hidden else ref(item)
                        for at, item in enumerate(items)
                    ]
                    return
        node["i"] = [ref(item) for item in items]

    return take


def entries(keeper: Keeper, value: Any, node: Node) -> None:
    length = keeper.room(value, dict, 4)
    if sparse(dict.__sizeof__(value), length):
        raise Obstacle("it was much larger once, and walking what it left is slow")
    pairs: list[Any] = []
    ref = keeper.ref
    for key, item in list(dict.items(value)):
        rule = secret_name(key) if type(key) is str else name_rule(key)
        pairs.append([ref(key), ref(item) if rule is None else keeper.withheld(rule, item)])
    keeper.left -= 4 * length
    node["p"] = pairs


_ordered = vars(OrderedDict)["__iter__"]
_KEYS = frozenset(map(identity, (str, int, bytes, float, bool, type(None))))


def _ordered_dict(keeper: Keeper, value: Any, node: Node) -> None:
    """As a dictionary; the order of its own is asked for only where no key can answer."""
    entries(keeper, value, node)
    keys = list(dict.keys(value))
    if len(keys) == len(node["p"]) and all(identity(type(key)) in _KEYS for key in keys):
        pairs = dict(zip(keys, node["p"], strict=True))
        order = list(_ordered(value))
        if len(order) == len(keys):
            node["p"] = [pairs[key] for key in order if key in pairs]


_DEQUE_MOST = vars(deque)["maxlen"].__get__


def _deque(keeper: Keeper, value: Any, node: Node) -> None:
    keeper.room(value, deque, 2)
    node["i"] = [keeper.ref(item) for item in list(deque.__iter__(value))]
    most = _DEQUE_MOST(value)
    if most is not None:
        node["n"] = most


def _text(keeper: Keeper, value: Any, node: Node) -> None:
    keeper.room(value, str, 1)
    text = str.__getitem__(value, slice(None))
    try:
        text.encode("ascii" if text.isascii() else "utf-8")
    except UnicodeEncodeError as error:
        if not expected(error, UnicodeEncodeError):
            raise
        _base64(keeper, text.encode("utf-32-le", "surrogatepass"), node)
        return
    keeper.left -= len(text) if text.isascii() else 6 * len(text)
    node["t"] = text


def _bytes(base: Any) -> Callable[[Keeper, Any, Node], None]:
    def take(keeper: Keeper, value: Any, node: Node) -> None:
        keeper.room(value, base, 1)
        octets = bytes(base.__getitem__(value, slice(None)))
        if octets.isascii():
            keeper.left -= len(octets)
            node["t"] = octets.decode("ascii")
        else:
            _base64(keeper, octets, node)

    return take


def _base64(keeper: Keeper, octets: bytes, node: Node) -> None:
    node["b"] = binascii.b2a_base64(octets, newline=False).decode("ascii")
    keeper.left -= len(node["b"])


def _int(keeper: Keeper, value: Any, node: Node) -> None:
    if int.bit_length(value) // 4 > keeper.left:
        raise Obstacle(keeper.too_large())
    node["t"] = hex(int.__int__(value))
    keeper.left -= len(node["t"])


def _float(_: Keeper, value: Any, node: Node) -> None:
    node["t"] = float.__repr__(float.__float__(value))


def _complex(_: Keeper, value: Any, node: Node) -> None:
    whole = complex.__pos__(value)
    node["t"] = f"{whole.real!r} {whole.imag!r}"


_bases = (
    (dict, plain_maker("dict", entries)),
    (OrderedDict, plain_maker("ordered", _ordered_dict)),
    (list, plain_maker("list", _row(list))),
    (tuple, plain_maker("tuple", _row(tuple))),
    (set, plain_maker("set", _row(set))),
    (frozenset, plain_maker("frozenset", _row(frozenset))),
    (deque, plain_maker("deque", _deque)),
    (str, plain_maker("str", _text)),
    (bytes, plain_maker("bytes", _bytes(bytes))),
    (bytearray, plain_maker("bytearray", _bytes(bytearray))),
    (int, plain_maker("int", _int)),
    (float, plain_maker("float", _float)),
    (complex, plain_maker("complex", _complex)),
)
_BASES: dict[int, Maker] = {
    identity(cls): maker for cls, maker in (*_bases, *kept_forms.BUILTIN)
}


_EXACT: dict[int, Reader] = {
    identity(types.FunctionType): _by_name(naming.of_function),
    identity(types.BuiltinFunctionType): kept_forms.builtin,
    identity(types.ModuleType): _by_name(naming.of_module),
    identity(types.MethodDescriptorType): _by_name(naming.of_described),
    identity(types.WrapperDescriptorType): _by_name(naming.of_described),
    identity(type(...)): lambda keeper, _, __: named(keeper, ("builtins", "Ellipsis")),
    identity(type(NotImplemented)): (
        lambda keeper, _, __: named(keeper, ("builtins", "NotImplemented"))
    ),
}
