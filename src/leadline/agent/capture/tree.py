"""Turn a live value into plain data that keeps no reference to it (format: wire/value.py).

Nothing here calls anything on the value. Containers are walked by the methods of the built-in
base type, objects by the slots and the `__dict__` that the interpreter itself defines; what
cannot be read that way says so. The walk is not atomic: another thread may change a container
meanwhile, and the rest of it is then marked `changed`.
"""

from collections.abc import Callable, Iterable, Iterator
from json.encoder import encode_basestring_ascii
from typing import Any

from leadline.expression.fuel import sparse
from leadline.expression.hiding import hidden_items, member_name, name_rule
from leadline.expression.interruption import expected
from leadline.expression.reading import Layout, layout_of
from leadline.wire.probe import CaptureLimits
from leadline.wire.redaction import secret_name
from leadline.wire.value import Omission, Value

_INT_BITS = 63
"""Integers up to here travel as JSON numbers; most readers of JSON hold 64 bits."""
_MAX_DIGITS_BITS = 4_096
"""Larger integers show their size only: their digits take quadratic time to make."""
_MAX_KEY_CHARS = 64
"""A key is a name; the beginning of a long one tells enough."""

MAX_VALUE_BYTES = 56_000
"""Of a hit's record, all of its values together: less than a record may have
(`core.ring.MAX_RECORD_BYTES`), so that the last item, which is begun while there is room,
still fits, and a reason for each other placeholder."""
_LITERAL_BYTES = 40
"""A number, boolean or null, and its comma, at most: {"type":"float","text":"-inf"},"""
_NODE_BYTES = 40
"""What an object takes beyond that, beside its name, its texts and what is inside, at most:
{"type":,"length":<19 digits>,"entries":[],"omitted":"changed"},"""
_PAIR_BYTES = 4
"""The brackets of an entry and their comma."""
_CHARACTER_BYTES = 12
"""A character in ASCII JSON, at most: an emoji is two escapes."""

_WALKS: dict[type, Callable[[Any], Iterator[object]]] = {
    list: list.__iter__,
    tuple: tuple.__iter__,
    set: set.__iter__,
    frozenset: frozenset.__iter__,
}
_HASHED = (set, frozenset)
_LENGTHS: dict[type, Callable[[Any], int]] = {
    list: list.__len__,
    tuple: tuple.__len__,
    set: set.__len__,
    frozenset: frozenset.__len__,
}


class Room:
    """How many bytes of JSON one hit may still take, over all of its values.

    What does not fit is left out while it is captured, so a hit is cut instead of dropped, and
    never larger in memory than in the end.
    """

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def node(self, name: str) -> None:
        """Count an object of a class of that name."""
        self.left -= _NODE_BYTES + len(encode_basestring_ascii(name))

    def text(self, text: str) -> str:
        """Return the beginning of `text` that there is room for, and count it."""
        size = len(encode_basestring_ascii(text))
        if size > self.left:
            text = text[: max(0, self.left) // _CHARACTER_BYTES]
            size = len(encode_basestring_ascii(text))
        self.left -= size + 1
        return text


def capture(value: object, limits: CaptureLimits, room: Room | None = None) -> Value:
    """Return `value` as plain JSON data, within `limits` and the `room` that is left."""
    if room is None:
        room = Room(MAX_VALUE_BYTES)
    if room.left <= 0:
        return {"type": "?", "omitted": Omission.ITEMS}
    return _Walk(limits, room).take(value, 0)


class _Walk:
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
        self.room.left -= _LITERAL_BYTES
        if value is None or cls is bool:
            return value
        if cls is int:
            return self.integer(value, "int")
        if cls is float:
            return _real(value, "float")  # type: ignore[arg-type]
        layout = layout_of(cls)
        self.room.node(layout.name)
        scalar = self.scalar(value, layout)
        if scalar is not None:
            return scalar
        if level >= self.limits.depth:
            return {"type": layout.name, "omitted": Omission.DEPTH} | _size(value, layout)
        for outer in self.path:
            if outer is value:
                return {"type": layout.name, "omitted": Omission.CYCLE}
        self.path.append(value)
        try:
            return self.inside(value, layout, level)
        finally:
            self.path.pop()

    def scalar(self, value: Any, layout: Layout) -> Value | None:
        """What has no inside: text, numbers, bytes of any subclass, classes, secret members."""
        name = layout.name
        if layout.is_enum and (member := self.member(value, layout)) is not None:
            return member
        match layout.base:
            case base if base is str:
                return self.text(value, str, name)
            case base if base is int:
                return self.integer(value, name)
            case base if base is float:
                return _real(float.__float__(value), name)
            case base if base is complex:
                return {"type": name, "text": complex.__repr__(complex.__pos__(value))}
            case base if base is bytes or base is bytearray:
                return self.text(value, bytes if base is bytes else bytearray, name)
            case base if base is type:
                return {"type": "type", "text": self.room.text(layout_of(value).name)}
        return None

    def member(self, value: object, layout: Layout) -> Value | None:
        """What is shown of an enum member whose name is a secret one: the name."""
        name = member_name(value, layout)
        if name is None or (rule := secret_name(name)) is None:
            return None
        self.room.left -= _LITERAL_BYTES
        self.room.node("")
        shown = self.text(name, str, "str")
        hidden = {"type": "?", "omitted": Omission.REDACTED, "rule": rule}
        return {"type": layout.name, "fields": {"_name_": shown, "_value_": hidden}}

    def text(self, value: Any, base: type[str | bytes | bytearray], name: str) -> Value:
        """Take a text or bytes; of a long one no more than is shown is ever copied."""
        length = base.__len__(value)
        part: Any = base.__getitem__(value, slice(0, self.limits.text))
        if base is not str:
            part = bytes(part).decode("latin-1")
        text = self.room.text(part)
        if len(text) == length:
            return text if name == "str" else {"type": name, "text": text}
        self.room.left -= _LITERAL_BYTES
        self.room.node(name)
        return {"type": name, "text": text, "length": length, "omitted": Omission.TEXT}

    def integer(self, value: Any, name: str) -> Value:
        bits = int.bit_length(value)
        if bits > _MAX_DIGITS_BITS:
            return {"type": name, "length": bits, "omitted": Omission.TEXT}
        if bits <= _INT_BITS and name == "int":
            return int.__int__(value)
        return {"type": name, "text": self.room.text(int.__repr__(value))}

    def inside(self, value: Any, layout: Layout, level: int) -> Value:
        base = layout.base
        if base is dict:
            pairs: dict[str, Value] = {"type": layout.name, "length": dict.__len__(value)}
            pairs["entries"] = entries = []
            if sparse(dict.__sizeof__(value), dict.__len__(value)):
                return pairs | {"omitted": Omission.ITEMS}
            pairs |= self.each(dict.items(value), lambda pair: entries.append(
                self.entry(pair, level)
            ))  # fmt: skip
            return pairs
        if base is tuple and layout.fields and tuple.__len__(value) == len(layout.fields):
            named: dict[str, Value] = {"type": layout.name, "fields": {}}
            pairs_of = zip(layout.fields, tuple.__iter__(value), strict=False)
            return named | self.each(pairs_of, self.field(named, level))
        if base in _WALKS:
            return self.row(value, layout, level)
        return self.fields(value, layout, level)

    def row(self, value: Any, layout: Layout, level: int) -> Value:
        base: Any = layout.base
        length = _LENGTHS[base](value)
        items: list[Value] = []
        row: dict[str, Value] = {"type": layout.name, "length": length, "items": items}
        if base in _HASHED and sparse(base.__sizeof__(value), length):
            return row | {"omitted": Omission.ITEMS}
        hidden = hidden_items(value, layout)

        def take(item: object) -> None:
            rule = hidden.get(len(items)) if hidden else None
            items.append(self.redacted(rule, item) if rule else self.take(item, level + 1))

        return row | self.each(_WALKS[base](value), take)

    def each(self, items: Iterable[Any], take: Callable[[Any], None]) -> dict[str, Value]:
        """Take items while there is room; say why the rest is missing, if any."""
        try:
            for item in items:
                if self.left <= 0 or self.room.left <= 0:
                    return {"omitted": Omission.ITEMS}
                self.left -= 1
                take(item)
        except RuntimeError as error:  # another thread changed the container's size
            if not expected(error, RuntimeError):
                raise
            return {"omitted": Omission.CHANGED}
        return {}

    def entry(self, pair: tuple[object, object], level: int) -> list[Value]:
        key, value = pair
        self.room.left -= _PAIR_BYTES
        if rule := name_rule(key):
            return [self.take(key, level + 1), self.redacted(rule, value)]
        return [self.take(key, level + 1), self.take(value, level + 1)]

    def fields(self, value: object, layout: Layout, level: int) -> Value:
        captured: dict[str, Value] = {"type": layout.name, "fields": {}}
        take = self.field(captured, level)
        captured |= self.each(_slots(value, layout), take)
        namespace: Any = layout.namespace(value) if layout.namespace is not None else None
        if namespace is not None and layout_of(type(namespace)).base is dict:
            if sparse(dict.__sizeof__(namespace), dict.__len__(namespace)):
                return captured | {"omitted": Omission.ITEMS}
            captured |= self.each(dict.items(namespace), take)
        elif layout.namespace is None and not layout.slots:
            return {"type": layout.name, "omitted": Omission.OPAQUE}
        return captured

    def field(
        self, captured: dict[str, Value], level: int
    ) -> Callable[[tuple[object, object]], None]:
        """Return what takes the value of one attribute into the fields of `captured`."""
        fields = captured["fields"]

        def take(pair: tuple[object, object]) -> None:
            name, item = pair
            if type(name) is str and len(name) <= _MAX_KEY_CHARS:
                self.room.left -= len(encode_basestring_ascii(name)) + 1
                rule = secret_name(name)
                fields[name] = self.redacted(rule, item) if rule else self.take(item, level + 1)
            else:
                captured["omitted"] = Omission.OPAQUE

        return take

    def redacted(self, rule: str, value: object) -> Value:
        """What stands in the place of a value that `rule` holds back."""
        name = layout_of(type(value)).name
        self.room.left -= _LITERAL_BYTES
        self.room.node(name)
        return {"type": name, "omitted": Omission.REDACTED, "rule": rule}


def _slots(value: object, layout: Layout) -> list[tuple[str, object]]:
    """Read all at once: what strikes in a generator could end as an error of its own."""
    filled: list[tuple[str, object]] = []
    for name, read in layout.slots:
        try:
            filled.append((name, read(value)))
        except AttributeError as error:  # a slot that was never filled
            if not expected(error, AttributeError):
                raise
    return filled


def _size(value: Any, layout: Layout) -> dict[str, Value]:
    base = layout.base
    if base is dict:
        return {"length": dict.__len__(value)}
    return {"length": _LENGTHS[base](value)} if base in _LENGTHS else {}


def _real(value: float, name: str) -> Value:
    if name == "float" and value - value == 0:  # finite: JSON has no nan and no infinity
        return value
    return {"type": name, "text": float.__repr__(value)}
