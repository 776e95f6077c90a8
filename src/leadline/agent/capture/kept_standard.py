"""How instances of classes of the standard library are read, to be written down: rows of
SQLite, elements of XML, loggers, pools of threads.

Only functions of C are used on them, and what lies in their dictionaries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline.agent.capture.holding import (
    Node,
    Reader,
    hidden_state,
    named,
    opaque,
    plain_maker,
)
from leadline.agent.capture.obstacle import Obstacle
from leadline.agent.capture.recognition import held, method
from leadline.expression.layout import Layout
from leadline.wire.redaction import secret_name

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper


def sql_row(layout: Layout, cls: type) -> Reader | None:
    """A row of SQLite: its columns' names and what is in them, which no longer change."""
    keys, item = method(layout, cls, "keys"), method(layout, cls, "__getitem__")
    length = method(layout, cls, "__len__")
    if keys is None or item is None or length is None or layout.cls is not cls:
        return None

    def read(keeper: Keeper, value: Any, _: Layout) -> Node:
        names = keys(value)
        pairs = []
        for at in range(length(value)):
            rule = secret_name(names[at])
            one = item(value, at)
            held = keeper.ref(one) if rule is None else keeper.withheld(rule, one)
            pairs.append([keeper.ref(names[at]), held])
        return {"k": "sql row", "p": pairs}

    return read


def element(layout: Layout, cls: type) -> Reader | None:
    """An element of a tree of XML, whose parts code in C tells."""
    state = method(layout, cls, "__getstate__")
    if state is None or hidden_state(layout, cls):
        return None

    def take(keeper: Keeper, value: Any, node: Node) -> None:
        node["i"] = [keeper.ref(state(value))]

    return plain_maker("element", take)(layout, cls)


def _read_logger(keeper: Keeper, value: Any, layout: Layout) -> Node:
    name = held(value, layout, "name")
    if type(name) is not str:
        raise Obstacle("it is a logger without a name")
    keeper.left -= len(name)
    return {"k": "logger", "t": name}


def logger(_: Layout, __: type) -> Reader | None:
    return _read_logger


def operation(layout: Layout, cls: type) -> Reader | None:
    """What `operator` makes of names and keys: by what `__reduce__`, in C, tells of it."""
    reduce = method(layout, cls, "__reduce__")
    if reduce is None or layout.cls is not cls:
        return opaque

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        told = reduce(value)
        if told[0] is not layout.cls:  # a method with named arguments
            return opaque(keeper, value, layout)
        parts = [keeper.ref(part) for part in told[1]]
        return {"k": "made", "c": keeper.class_(layout.cls), "i": parts}

    return read


def executor(layout: Layout, cls: type) -> Reader | None:
    """A pool of threads: made anew, with as many threads, and none of what they do."""
    if layout.cls is not cls:
        return opaque

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        most = held(value, layout, "_max_workers")
        if type(most) is not int or held(value, layout, "_initializer") is not None:
            return opaque(keeper, value, layout)
        name = keeper.landmarks.name_of(value)
        return named(keeper, name) if name is not None else {"k": "executor", "n": most}

    return read
