"""How views and iterators of the interpreter are read, to be written down: over what they
go, and where they stand.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from leadline.agent.capture.holding import Maker, Node, Reader, Take, opaque, plain_maker
from leadline.agent.capture.memory import first_member
from leadline.agent.capture.obstacle import TOO_LARGE, Obstacle
from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING, Layout

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper


def _proxy(keeper: Keeper, value: Any, node: Node) -> None:
    inner = first_member(value)
    if inner is MISSING:
        raise Obstacle("what it shows cannot be read on this interpreter")
    node["i"] = [keeper.ref(inner)]


def _view(kind: type) -> Take:
    mapping = vars(kind)["mapping"].__get__

    def take(keeper: Keeper, value: Any, node: Node) -> None:
        inner = first_member(mapping(value))
        if inner is MISSING:
            raise Obstacle("what it shows cannot be read on this interpreter")
        node["i"] = [keeper.ref(inner)]

    return take


def _iterator(kind: type) -> Take:
    """The iterators over rows and ranges: by what `__reduce__`, which is C code, tells."""
    reduce, left = vars(kind)["__reduce__"], vars(kind)["__length_hint__"]

    def take(keeper: Keeper, value: Any, node: Node) -> None:
        if left(value) * 3 > keeper.left:  # of a dictionary the rest is copied
            raise Obstacle(TOO_LARGE)
        try:
            told = reduce(value)
        except RuntimeError as error:  # the dictionary has changed since it was begun
            if not expected(error, RuntimeError):
                raise
            raise Obstacle("it is an iterator that can go on no more") from None
        node["i"] = [keeper.ref(told[1][0])]
        state = told[2] if len(told) > 2 else 0
        node["n"] = state if type(state) is int else 0

    return take


def _of_others(kind: type) -> Maker:
    """The iterators that are made of others: of what they are made of, as they stand."""
    reduce: Any = vars(kind)["__reduce__"]

    def make(layout: Layout, base: type) -> Reader:
        if layout.cls is not base:
            return opaque

        def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
            told = reduce(value)
            if len(told) != 2:
                raise Obstacle("it is a strict iterator")
            parts = [keeper.ref(part) for part in told[1]]
            return {"k": "made", "c": keeper.class_(layout.cls), "i": parts}

        return read

    return make


_NONE: dict[str, str] = {}

BUILTIN: tuple[tuple[type, Maker], ...] = (
    (types.MappingProxyType, plain_maker("proxy", _proxy)),
    *(
        (type(view), plain_maker(kind, _view(type(view))))
        for kind, view in (
            ("keys", {}.keys()),
            ("values", {}.values()),
            ("items", {}.items()),
        )
    ),
    *(
        (type(one), plain_maker(kind, _iterator(type(one))))
        for kind, one in (
            ("iterator", iter([])),
            ("iterator", iter(())),
            ("iterator", iter(range(0))),
            ("iterator", iter(range(1 << 70))),
            *(("iterator", iter(text)) for text in ("a", "\u0100")),
            *(
                ("iterator", iter(view))
                for view in (_NONE.keys(), _NONE.values(), _NONE.items())
            ),
            ("iterator", iter(set())),
            ("iterator", iter(b"")),
            ("reversed", reversed([])),
        )
    ),
    *((kind, _of_others(kind)) for kind in (enumerate, zip, map, filter)),
)
