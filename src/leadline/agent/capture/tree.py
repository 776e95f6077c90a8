"""Turn a live value into plain data that keeps no reference to it (format: wire/value.py).

Nothing here calls anything on the value. Containers are walked by the methods of the built-in
base type, objects by the slots and the `__dict__` that the interpreter itself defines; what
cannot be read that way says so. The walk is not atomic: another thread may change a container
meanwhile, and the rest of it is then marked `changed`.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from leadline.expression.reading import Layout, Unknown, layout_of, plain
from leadline.expression.secrecy import key_rule
from leadline.wire.probe import CaptureLimits
from leadline.wire.redaction import secret_name
from leadline.wire.value import Omission, Value

_INT_BITS = 63
"""Integers up to here travel as JSON numbers; most readers of JSON hold 64 bits."""
_MAX_DIGITS_BITS = 4_096
"""Larger integers show their size only: their digits take quadratic time to make."""
_MAX_KEY_CHARS = 64
"""A key is a name; the beginning of a long one tells enough."""

_WALKS: dict[type, Callable[[Any], Iterator[object]]] = {
    list: list.__iter__,
    tuple: tuple.__iter__,
    set: set.__iter__,
    frozenset: frozenset.__iter__,
}
_LENGTHS: dict[type, Callable[[Any], int]] = {
    list: list.__len__,
    tuple: tuple.__len__,
    set: set.__len__,
    frozenset: frozenset.__len__,
}


def capture(value: object, limits: CaptureLimits) -> Value:
    """Return `value` as plain JSON data, within `limits`."""
    return _Walk(limits).take(value, 0)


class _Walk:
    """One capture: how many items may still be taken, and the containers being walked."""

    __slots__ = ("left", "limits", "path")

    def __init__(self, limits: CaptureLimits) -> None:
        self.limits = limits
        self.left = limits.items
        self.path: list[object] = []

    def take(self, value: object, level: int) -> Value:
        cls = type(value)
        if value is None or cls is bool:
            return value
        if cls is str:
            return self.text(value, "str")  # type: ignore[arg-type]
        if cls is int:
            return _integer(value, "int")  # type: ignore[arg-type]
        if cls is float:
            return _real(value, "float")  # type: ignore[arg-type]
        layout = layout_of(cls)
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
        """What has no inside: text, numbers and bytes of any subclass, and classes."""
        name = layout.name
        match layout.base:
            case base if base is str:
                return self.text(str.__getitem__(value, slice(None)), name)
            case base if base is int:
                return _integer(int.__int__(value), name)
            case base if base is float:
                return _real(float.__float__(value), name)
            case base if base is complex:
                return {"type": name, "text": complex.__repr__(complex.__pos__(value))}
            case base if base is bytes or base is bytearray:
                return self.octets(value, bytes if base is bytes else bytearray, name)
            case base if base is type:
                return {"type": "type", "text": layout_of(value).name}
        return None

    def text(self, text: str, name: str) -> Value:
        length = len(text)
        if length <= self.limits.text:
            return text if name == "str" else {"type": name, "text": text}
        return {
            "type": name,
            "text": text[: self.limits.text],
            "length": length,
            "omitted": Omission.TEXT,
        }

    def octets(self, value: Any, base: type[bytes] | type[bytearray], name: str) -> Value:
        length = base.__len__(value)
        part = base.__getitem__(value, slice(0, self.limits.text))
        captured: dict[str, Value] = {"type": name, "text": bytes(part).decode("latin-1")}
        if length > self.limits.text:
            captured |= {"length": length, "omitted": Omission.TEXT}
        return captured

    def inside(self, value: Any, layout: Layout, level: int) -> Value:
        base = layout.base
        if base is dict:
            pairs: dict[str, Value] = {"type": layout.name, "length": dict.__len__(value)}
            pairs["entries"] = entries = []
            pairs |= self.each(dict.items(value), lambda pair: entries.append(
                self.entry(pair, level)
            ))  # fmt: skip
            return pairs
        if base in _WALKS:
            row: dict[str, Value] = {"type": layout.name, "length": _LENGTHS[base](value)}
            row["items"] = items = []
            row |= self.each(
                _WALKS[base](value), lambda item: items.append(self.take(item, level + 1))
            )
            return row
        return self.fields(value, layout, level)

    def each(self, items: Iterable[Any], take: Callable[[Any], None]) -> dict[str, Value]:
        """Take items while there is room; say why the rest is missing, if any."""
        try:
            for item in items:
                if self.left <= 0:
                    return {"omitted": Omission.ITEMS}
                self.left -= 1
                take(item)
        except RuntimeError:  # another thread changed the container's size
            return {"omitted": Omission.CHANGED}
        return {}

    def entry(self, pair: tuple[object, object], level: int) -> list[Value]:
        key, value = pair
        if rule := _secret_key(key):
            return [self.take(key, level + 1), redacted(rule, value)]
        return [self.take(key, level + 1), self.take(value, level + 1)]

    def fields(self, value: object, layout: Layout, level: int) -> Value:
        fields: dict[str, Value] = {}
        captured: dict[str, Value] = {"type": layout.name, "fields": fields}

        def take(pair: tuple[object, object]) -> None:
            name, item = pair
            if type(name) is str and len(name) <= _MAX_KEY_CHARS:
                rule = secret_name(name)
                fields[name] = redacted(rule, item) if rule else self.take(item, level + 1)
            else:
                captured["omitted"] = Omission.OPAQUE

        captured |= self.each(_slots(value, layout), take)
        namespace: Any = layout.namespace(value) if layout.namespace is not None else None
        if namespace is not None and layout_of(type(namespace)).base is dict:
            captured |= self.each(dict.items(namespace), take)
        elif layout.namespace is None and not layout.slots:
            return {"type": layout.name, "omitted": Omission.OPAQUE}
        return captured


def redacted(rule: str, value: object) -> Value:
    """Return what stands in the place of a value that `rule` holds back."""
    return {"type": layout_of(type(value)).name, "omitted": Omission.REDACTED, "rule": rule}


def _secret_key(key: object) -> str | None:
    """Return the rule for a key; one of a `str` subclass or in bytes is a name as well."""
    if type(key) is str:
        return secret_name(key)
    try:
        return key_rule(plain(key))
    except Unknown:
        return None


def _slots(value: object, layout: Layout) -> Iterator[tuple[str, object]]:
    for name, read in layout.slots:
        try:
            yield name, read(value)
        except AttributeError:  # a slot that was never filled
            continue


def _size(value: Any, layout: Layout) -> dict[str, Value]:
    base = layout.base
    if base is dict:
        return {"length": dict.__len__(value)}
    return {"length": _LENGTHS[base](value)} if base in _LENGTHS else {}


def _integer(value: int, name: str) -> Value:
    bits = value.bit_length()
    if bits <= _INT_BITS:
        return value if name == "int" else {"type": name, "text": int.__repr__(value)}
    if bits <= _MAX_DIGITS_BITS:
        return {"type": name, "text": int.__repr__(value)}
    return {"type": name, "length": bits, "omitted": Omission.TEXT}


def _real(value: float, name: str) -> Value:
    if name == "float" and value - value == 0:  # finite: JSON has no nan and no infinity
        return value
    return {"type": name, "text": float.__repr__(value)}
