"""Turn a live value into plain data that keeps no reference to it (format: wire/value.py).

Nothing here calls anything on the value. Containers are walked by the methods of the built-in
base type, objects by the slots and the `__dict__` that the interpreter itself defines; what
cannot be read that way says so. Types with a readable form of their own have a reader
(`forms`). The walk is not atomic: another thread may change a container meanwhile, and the
rest of it is then marked `changed`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from json.encoder import encode_basestring_ascii
from typing import Any

from leadline.agent.capture.forms import form_of
from leadline.agent.capture.numbers import writable
from leadline.agent.capture.reading import INSIDE, PLAIN, Read, Reading
from leadline.agent.capture.room import (
    FORM_BYTES,
    LITERAL_BYTES,
    MAX_VALUE_BYTES,
    NODE_BYTES,
    PAIR_BYTES,
    Room,
)
from leadline.expression.fuel import sparse
from leadline.expression.hiding import hidden_items, name_rule
from leadline.expression.interruption import expected
from leadline.expression.reading import Layout, layout_of
from leadline.wire.limits import CaptureLimits
from leadline.wire.redaction import secret_name
from leadline.wire.value import Omission, Value

__all__ = ["MAX_VALUE_BYTES", "Room", "capture"]

_INT_BITS = 63
"""Integers up to here travel as JSON numbers; most readers of JSON hold 64 bits."""
_MAX_KEY_CHARS = 64
"""A key is a name; the beginning of a long one tells enough."""

_WALKS: dict[type, Callable[[Any], Iterator[object]]] = {
    list: list.__iter__,
    tuple: tuple.__iter__,
    set: set.__iter__,
    frozenset: frozenset.__iter__,
    deque: deque.__iter__,
}
_HASHED = (set, frozenset)
_LENGTHS: dict[type, Callable[[Any], int]] = {
    list: list.__len__,
    tuple: tuple.__len__,
    set: set.__len__,
    frozenset: frozenset.__len__,
    deque: deque.__len__,
}
_NO_NAMES: frozenset[str] = frozenset()


def capture(value: object, limits: CaptureLimits, room: Room | None = None) -> Value:
    """Return `value` as plain JSON data, within `limits` and the `room` that is left."""
    if room is None:
        room = Room(MAX_VALUE_BYTES)
    if room.left <= 0:
        return {"type": "?", "omitted": Omission.ROOM}
    return Walk(limits, room).take(value, 0)


class Walk:
    """One capture: how many items may still be taken, and the containers being walked."""

    __slots__ = ("left", "limits", "path", "room")

    def __init__(self, limits: CaptureLimits, room: Room) -> None:
        self.limits = limits
        self.left = limits.items
        self.room = room
        self.path: list[object] = []

    def take(self, value: object, level: int) -> Value:
        cls = type(value)
        if cls is str:
            return self.text(value, str, "str")
        self.room.left -= LITERAL_BYTES
        if value is None or cls is bool:
            return value
        if cls is int:
            return self.integer(value, "int")
        if cls is float:
            return _real(value, "float")  # type: ignore[arg-type]
        layout = layout_of(cls)
        kept = layout.reading
        reading: Reading = kept[0] if kept else learn(layout)
        self.room.left -= reading.cost
        if reading.plain:
            return reading.read(self, value, layout, level)
        if level >= self.limits.depth:
            return {"type": layout.name, "omitted": Omission.DEPTH} | _size(value, layout)
        for outer in self.path:
            if outer is value:
                return {"type": layout.name, "omitted": Omission.CYCLE}
        self.path.append(value)
        try:
            return reading.read(self, value, layout, level)
        finally:
            self.path.pop()

    def text(self, value: Any, base: type[str | bytes | bytearray], name: str) -> Value:
        """Take a text or bytes; of a long one no more than is shown is ever copied."""
        length = base.__len__(value)
        part: Any = base.__getitem__(value, slice(0, self.limits.text))
        if base is not str:
            part = bytes(part).decode("latin-1")
        return self.cut(part, length, name)

    def cut(self, part: str, length: int, name: str) -> Value:
        """Take the beginning of what would be a text of `length`."""
        text = self.room.text(part)
        if len(text) == length:
            return text if name == "str" else {"type": name, "text": text}
        self.room.left -= LITERAL_BYTES
        self.room.node(name)
        return {"type": name, "text": text, "length": length, "omitted": Omission.TEXT}

    def words(self, text: str, name: str) -> dict[str, Value]:
        """Take a text that a reader has made, as the form of a value of class `name`."""
        shown: dict[str, Value] = self.cut(text[: self.limits.text], len(text), name)
        return shown if type(shown) is dict else {"type": name, "text": shown}

    def integer(self, value: Any, name: str) -> Value:
        bits = int.bit_length(value)
        if not writable(bits):
            return {"type": name, "length": bits, "omitted": Omission.TEXT}
        if bits <= _INT_BITS and name == "int":
            return int.__int__(value)
        return {"type": name, "text": self.room.text(int.__repr__(value))}

    def mapping(self, value: Any, layout: Layout, level: int) -> Value:
        size = dict.__len__(value)
        entries: list[Value] = []
        pairs: dict[str, Value] = {"type": layout.name, "length": size, "entries": entries}
        if sparse(dict.__sizeof__(value), size):
            return pairs | {"omitted": Omission.DRAINED}
        return pairs | self.each(
            dict.items(value), lambda pair: entries.append(self.entry(pair, level))
        )

    def named(self, value: Any, layout: Layout, level: int) -> Value:
        """A named tuple, or a row of another length that its class cannot name."""
        if tuple.__len__(value) != len(layout.fields):
            return self.row(value, layout, level)
        captured: dict[str, Value] = {"type": layout.name, "fields": {}}
        pairs = zip(layout.fields, tuple.__iter__(value), strict=False)
        return captured | self.each(pairs, self.field(captured, level))

    def row(self, value: Any, layout: Layout, level: int) -> dict[str, Value]:
        base: Any = layout.base
        length = _LENGTHS[base](value)
        items: list[Value] = []
        row: dict[str, Value] = {"type": layout.name, "length": length, "items": items}
        if base in _HASHED and sparse(base.__sizeof__(value), length):
            return row | {"omitted": Omission.DRAINED}
        hidden = hidden_items(value, layout)

        def take(item: object) -> None:
            rule = hidden.get(len(items)) if hidden else None
            items.append(self.redacted(rule, item) if rule else self.take(item, level + 1))

        return row | self.each(_WALKS[base](value), take)

    def each(self, items: Iterable[Any], take: Callable[[Any], None]) -> dict[str, Value]:
        """Take items while there is room; say why the rest is missing, if any."""
        try:
            for item in items:
                if self.left <= 0:
                    return {"omitted": Omission.ITEMS}
                if self.room.left <= 0:
                    return {"omitted": Omission.ROOM}
                self.left -= 1
                take(item)
        except RuntimeError as error:  # another thread changed the container's size
            if not expected(error, RuntimeError):
                raise
            return {"omitted": Omission.CHANGED}
        return {}

    def entry(self, pair: tuple[object, object], level: int) -> list[Value]:
        key, value = pair
        self.room.left -= PAIR_BYTES
        if rule := name_rule(key):
            return [self.take(key, level + 1), self.redacted(rule, value)]
        return [self.take(key, level + 1), self.take(value, level + 1)]

    def fields(
        self, value: object, layout: Layout, level: int, without: frozenset[str] = _NO_NAMES
    ) -> dict[str, Value]:
        """What lies in an object: its slots, and its dictionary but for some names."""
        captured: dict[str, Value] = {"type": layout.name, "fields": {}}
        take = self.field(captured, level, without)
        if layout.slots:
            captured |= self.each(self.slots(value, layout), take)
        namespace: Any = layout.namespace(value) if layout.namespace is not None else None
        if namespace is not None and layout_of(type(namespace)).base is dict:
            if sparse(dict.__sizeof__(namespace), dict.__len__(namespace)):
                return captured | {"omitted": Omission.DRAINED}
            captured |= self.each(dict.items(namespace), take)
        elif layout.namespace is None and not layout.slots:
            return {"type": layout.name, "omitted": Omission.OPAQUE}
        return captured

    def slots(self, value: object, layout: Layout) -> list[tuple[str, object]]:
        """Read all at once: what strikes in a generator could end as an error of its own."""
        filled: list[tuple[str, object]] = []
        for name, read in layout.slots:
            try:
                filled.append((name, read(value)))
            except AttributeError as error:  # a slot that was never filled
                if not expected(error, AttributeError):
                    raise
                filled.append((name, _UNBOUND))
        return filled

    def field(
        self, captured: dict[str, Value], level: int, without: frozenset[str] = _NO_NAMES
    ) -> Callable[[tuple[object, object]], None]:
        """Return what takes the value of one attribute into the fields of `captured`."""
        fields = captured["fields"]

        def take(pair: tuple[object, object]) -> None:
            name, item = pair
            if type(name) is not str or len(name) > _MAX_KEY_CHARS:
                captured["omitted"] = Omission.OPAQUE
                captured["rule"] = "a name of an attribute is long, or no plain text"
                return
            if name in without:
                return
            self.room.left -= len(encode_basestring_ascii(name)) + 1
            if rule := secret_name(name):
                fields[name] = self.redacted(rule, item)
            elif item is _UNBOUND:
                self.room.left -= NODE_BYTES
                fields[name] = {"type": "?", "omitted": Omission.UNBOUND}
            else:
                fields[name] = self.take(item, level + 1)

        return take

    def fact(self, captured: dict[str, Value], name: str, value: object, level: int) -> None:
        """Take something that is known of a value beside what it holds."""
        about = captured.get("about")
        if about is None:
            self.room.left -= FORM_BYTES
            about = captured["about"] = {}
        self.room.left -= len(name) + 3
        if level > self.limits.depth:
            name_of = layout_of(type(value)).name
            self.room.node(name_of)
            about[name] = {"type": name_of, "omitted": Omission.DEPTH}
        else:
            about[name] = self.take(value, level + 1)

    def redacted(self, rule: str, value: object) -> Value:
        """What stands in the place of a value that `rule` holds back."""
        name = layout_of(type(value)).name
        self.room.left -= LITERAL_BYTES
        self.room.node(name)
        return {"type": name, "omitted": Omission.REDACTED, "rule": rule}


class _Unbound:
    """Stands for what a slot holds that was never filled."""

    __slots__ = ()


_UNBOUND = _Unbound()


def learn(layout: Layout) -> Reading:
    """Find out how the instances of a class are captured, and keep that in its layout."""
    found, settled = form_of(layout)
    if found is None:
        found = _BASES.get(layout.base, (Walk.fields, INSIDE))
        if found[0] is Walk.row and layout.fields:
            found = (Walk.named, INSIDE)
    read, plain = found
    reading = Reading(read, plain, NODE_BYTES + len(encode_basestring_ascii(layout.name)))
    if settled:
        layout.reading.append(reading)
    return reading


def _size(value: Any, layout: Layout) -> dict[str, Value]:
    base = layout.base
    if base is dict:
        return {"length": dict.__len__(value)}
    return {"length": _LENGTHS[base](value)} if base in _LENGTHS else {}


def _real(value: float, name: str) -> Value:
    if name == "float" and value - value == 0:  # finite: JSON has no nan and no infinity
        return value
    return {"type": name, "text": float.__repr__(value)}


def _texts(base: type[str | bytes | bytearray]) -> Read:
    return lambda walk, value, layout, _: walk.text(value, base, layout.name)


text_ = _texts(str)
"""Takes an instance of a class that derives from `str`."""


def _complex(_: Walk, value: Any, layout: Layout, __: int) -> Value:
    return {"type": layout.name, "text": complex.__repr__(complex.__pos__(value))}


def class_(walk: Walk, value: Any, _: Layout, __: int) -> Value:
    return walk.words(layout_of(value).name, "type")


_BASES: dict[type | None, tuple[Read, bool]] = {
    str: (text_, PLAIN),
    bytes: (_texts(bytes), PLAIN),
    bytearray: (_texts(bytearray), PLAIN),
    int: (lambda walk, value, layout, _: walk.integer(value, layout.name), PLAIN),
    bool: (lambda walk, value, layout, _: walk.integer(value, layout.name), PLAIN),
    float: (lambda _, value, layout, __: _real(float.__float__(value), layout.name), PLAIN),
    complex: (_complex, PLAIN),
    type: (class_, PLAIN),
    dict: (Walk.mapping, INSIDE),
    list: (Walk.row, INSIDE),
    tuple: (Walk.row, INSIDE),
    set: (Walk.row, INSIDE),
    frozenset: (Walk.row, INSIDE),
    deque: (Walk.row, INSIDE),
}
"""What a class does that has no form of its own, by the builtin type that its instances are."""
