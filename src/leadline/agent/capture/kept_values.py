"""How instances of the builtin value types, and of classes that derive from them, are read to
be written down: containers by a copy that is made at once, texts and numbers exactly.
"""

from __future__ import annotations

import binascii
from collections import OrderedDict, deque
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any

from leadline.agent.capture.holding import Maker, Node, Take, plain_maker
from leadline.agent.capture.obstacle import TOO_LARGE, Obstacle
from leadline.expression.fuel import sparse
from leadline.expression.hiding import hidden_items
from leadline.expression.interruption import expected
from leadline.expression.layout import identity, layout_of

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

_PAIR = 2


def _row(base: Any) -> Take:
    listed = base is list or base is tuple
    hashed = base is set or base is frozenset

    def take(keeper: Keeper, value: Any, node: Node) -> None:
        length = keeper.room(value, base, 3)
        if hashed and sparse(base.__sizeof__(value), length):
            raise Obstacle("it was much larger once, and walking what it left is slow")
        items = list(base.__iter__(value))
        if listed:
            layout = layout_of(type(value))
            if length == _PAIR or layout.hidden:
                hidden = hidden_items(value, layout)
                if hidden:
                    node["i"] = [
                        keeper.withheld(hidden[at], item) if at in hidden else keeper.ref(item)
                        for at, item in enumerate(items)
                    ]
                    return
        node["i"] = keeper.items(items)

    return take


def entries(keeper: Keeper, value: Any, node: Node) -> None:
    length = keeper.room(value, dict, 8)
    if sparse(dict.__sizeof__(value), length):
        raise Obstacle("it was much larger once, and walking what it left is slow")
    node["p"] = keeper.entries(value)
    keeper.left -= 4 * length


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
    keeper.room(value, deque, 3)
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
        encoded(keeper, text.encode("utf-32-le", "surrogatepass"), node)
        return
    keeper.left -= len(encode_basestring_ascii(text))
    node["t"] = text


def _bytes(base: Any) -> Take:
    def take(keeper: Keeper, value: Any, node: Node) -> None:
        keeper.room(value, base, 1)
        octets = bytes(base.__getitem__(value, slice(None)))
        if octets.isascii():
            node["t"] = octets.decode("ascii")
            keeper.left -= len(encode_basestring_ascii(node["t"]))
        else:
            encoded(keeper, octets, node)

    return take


def encoded(keeper: Keeper, octets: bytes, node: Node) -> None:
    """Take what no text can hold."""
    node["b"] = binascii.b2a_base64(octets, newline=False).decode("ascii")
    keeper.left -= len(node["b"])


def _int(keeper: Keeper, value: Any, node: Node) -> None:
    if int.bit_length(value) // 4 > keeper.left:
        raise Obstacle(TOO_LARGE)
    node["t"] = hex(int.__int__(value))
    keeper.left -= len(node["t"])


def _float(keeper: Keeper, value: Any, node: Node) -> None:
    node["t"] = float.__repr__(float.__float__(value))
    keeper.left -= len(node["t"])


def _complex(keeper: Keeper, value: Any, node: Node) -> None:
    whole = complex.__pos__(value)
    node["t"] = f"{whole.real!r} {whole.imag!r}"
    keeper.left -= len(node["t"])


BUILTIN: tuple[tuple[type, Maker], ...] = (
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
