"""How arrays and numbers of numpy read: shape, kind of items, and the first of them.

All by functions that numpy's C code defines for exactly these classes; a subclass may mean
something else by its items (a mask, a unit), so of an unknown one they are not shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from leadline.agent.capture.moments import of_microseconds
from leadline.agent.capture.reading import INSIDE, PLAIN, Read
from leadline.agent.capture.recognition import Call, getter, in_module, inherits, method
from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING, Layout, exact, layout_of
from leadline.wire.value import Form, Omission, Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

_READABLE = "biufcOSUT"
"""Kinds whose items are plain values; the others are moments, durations and structures."""
_BITS = {"i": "int", "u": "uint", "f": "float", "c": "complex"}
_NAMES = {"b": "bool", "O": "object", "S": "bytes", "U": "str", "T": "str", "V": "void"}
_MOMENTS = {"M": "datetime64", "m": "timedelta64"}
_PER_MICROSECOND = {"ns": 1_000, "ps": 1_000_000, "fs": 10**9, "as": 10**12}
_NOT_A_TIME = -(2**63)
_SAME_ITEMS = ("matrix", "memmap", "recarray")
"""Subclasses of numpy's own that mean by their items what an ordinary array means."""


class Cells:
    """The items of an array, one after the other, and what they are called."""

    __slots__ = ("at", "length", "name")

    def __init__(self, name: str, length: int, at: Callable[[int], object] | None) -> None:
        self.name = name
        self.length = length
        self.at = at

    def take(self, walk: Walk, level: int, most: int) -> dict[str, Value]:
        """Return the first items as members of a value, and why the rest is not there."""
        items: list[Value] = []
        shown: dict[str, Value] = {"length": self.length, "items": items}
        if self.at is None:
            return {"length": self.length, "omitted": Omission.OPAQUE}
        for index in range(self.length):
            if index >= most or walk.left <= 0:
                return shown | {"omitted": Omission.ITEMS}
            if walk.room.left <= 0:
                return shown | {"omitted": Omission.ROOM}
            item = self.at(index)
            if item is MISSING:
                return shown | {"omitted": Omission.CHANGED}
            walk.left -= 1
            items.append(walk.take(item, level + 1))
        return shown


class Arrays:
    """The functions of one loaded numpy; `None` of `arrays_of` where it has others."""

    __slots__ = ("dtype", "item", "shape")

    def __init__(self, shape: Call, dtype: Call, item: Call) -> None:
        self.shape, self.dtype, self.item = shape, dtype, item

    def dtype_name(self, dtype: Any) -> str:
        """Return what a person calls a dtype: `float64`, `datetime64[ns]`."""
        layout = layout_of(type(dtype))
        base = in_module("numpy", "dtype")
        if not isinstance(base, type) or not inherits(layout, base):
            return layout.name
        kind, size, text = (getter(layout, base, name) for name in ("kind", "itemsize", "str"))
        if kind is None or size is None or text is None:
            return layout.name
        letter, octets = str(kind(dtype)), size(dtype)
        if letter in _BITS and type(octets) is int:
            return f"{_BITS[letter]}{8 * octets}"
        if letter in _MOMENTS:
            return f"{_MOMENTS[letter]}{exact(text(dtype))[3:]}"
        return _NAMES.get(letter, layout.name)

    def kind_of(self, dtype: Any) -> str:
        """Return the letter of a dtype's kind, empty for what is no dtype of numpy's."""
        layout = layout_of(type(dtype))
        base = in_module("numpy", "dtype")
        if not isinstance(base, type) or not inherits(layout, base):
            return ""
        kind = getter(layout, base, "kind")
        return str(kind(dtype)) if kind is not None else ""

    def cells(self, array: Any, *before: int) -> Cells:
        """Return the items of an array in the order that they have, or those of one row."""
        dtype, shape = self.dtype(array), self.shape(array)
        name, kind = self.dtype_name(dtype), self.kind_of(dtype)
        length = 1
        for size in shape[len(before) :]:
            length *= size
        flat = not before or len(shape) == len(before) + 1
        if not flat or not kind or kind not in _READABLE + "".join(_MOMENTS):
            return Cells(name, length, None)
        unit = _unit(name)

        def at(index: int) -> object:
            try:
                value = self.item(array, *before, index)
            except (IndexError, ValueError, TypeError) as error:  # resized meanwhile
                if not expected(error, IndexError, ValueError, TypeError):
                    raise
                return MISSING
            return _moment(value, unit) if kind == "M" and type(value) is int else value

        return Cells(name, length, at)


def arrays_of(layout: Layout, cls: type) -> Arrays | None:
    """Return the functions of `numpy.ndarray`, if they are C code as expected."""
    shape, dtype = getter(layout, cls, "shape"), getter(layout, cls, "dtype")
    item = method(layout, cls, "item")
    if shape is None or dtype is None or item is None:
        return None
    return Arrays(shape, dtype, item)


def loaded() -> Arrays | None:
    """Return the functions of the numpy that this process has loaded, if any."""
    cls: Any = in_module("numpy", "ndarray")
    return arrays_of(layout_of(cls), cls) if type(cls) is type else None


def ndarray(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    arrays = arrays_of(layout, cls)
    if arrays is None:
        return None
    same = layout.cls is cls or any(
        layout.cls is in_module("numpy", name) for name in _SAME_ITEMS
    )

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        cells = arrays.cells(value)
        if not same:
            cells.at = None
        captured: dict[str, Value] = {"type": layout.name}
        walk.fact(captured, "shape", arrays.shape(value), level)
        walk.fact(captured, "dtype", cells.name, level)
        return captured | cells.take(walk, level, walk.limits.items)

    return read, INSIDE


def scalar(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    """Return the form of numpy's numbers; its texts and bytes read like Python's."""
    if layout.base is str or layout.base is bytes:
        return None
    item, kind = method(layout, cls, "item"), getter(layout, cls, "dtype")
    arrays = loaded()
    if item is None or kind is None or arrays is None:
        return None
    as_float = method(layout, layout.cls, "__float__")

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        held = item(value)
        if type(held) is type(value):  # a long double has no like in Python
            held = as_float(value) if as_float is not None else MISSING
        name = arrays.dtype_name(kind(value))
        if type(held) is int and name.startswith(_MOMENTS["M"]):
            held = _moment(held, _unit(name))
        if held is MISSING or type(held) is tuple:
            return {"type": layout.name, "omitted": Omission.OPAQUE}
        shown = walk.take(held, level + 1)
        if type(shown) is dict and "text" in shown:
            return {**shown, "type": layout.name}
        if type(shown) is str:
            return {"type": layout.name, "text": shown}
        return {"type": layout.name, "form": Form.CALL, "length": 1, "items": [shown]}

    return read, PLAIN


def dtype(_: Layout, __: type) -> tuple[Read, bool] | None:
    arrays = loaded()
    if arrays is None:
        return None

    def read(walk: Walk, value: Any, _: Layout, __: int) -> Value:
        return walk.words(arrays.dtype_name(value), "dtype")

    return read, PLAIN


def array(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    """Return the form of the standard library's `array.array`."""
    code, length, part = (
        getter(layout, cls, "typecode"),
        method(layout, cls, "__len__"),
        method(layout, cls, "__getitem__"),
    )
    if code is None or length is None or part is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        def at(index: int) -> object:
            return _item(part, value, index)

        captured: dict[str, Value] = {"type": layout.name}
        cells = Cells(str(code(value)), length(value), at)
        walk.fact(captured, "typecode", cells.name, level)
        return captured | cells.take(walk, level, walk.limits.items)

    return read, INSIDE


def _item(part: Call, value: object, index: int) -> object:
    try:
        return part(value, index)
    except IndexError as error:  # another thread has shortened it
        if not expected(error, IndexError):
            raise
        return MISSING


def _unit(name: str) -> str:
    return name.partition("[")[2].rstrip("]")


def _moment(count: int, unit: str) -> object:
    """What numpy gives as a number, because `datetime` has no room for its unit."""
    if count == _NOT_A_TIME:
        return None
    divisor = _PER_MICROSECOND.get(unit)
    return of_microseconds(count // divisor) if divisor is not None else count
