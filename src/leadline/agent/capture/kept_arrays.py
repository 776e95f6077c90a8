"""How arrays of numpy, of `array` and the tables of pandas are read, to be written down:
their memory as it is, by functions of C that are defined for exactly these classes.

A table of pandas is written down as its columns and labels. One with a column under a secret
name is withheld as a whole: nothing can be put in the place of a column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline.agent.capture.arrays import loaded
from leadline.agent.capture.holding import Node, Reader
from leadline.agent.capture.kept_values import encoded
from leadline.agent.capture.obstacle import TOO_LARGE, Obstacle
from leadline.agent.capture.recognition import (
    Call,
    getter,
    held,
    in_module,
    inherits,
    method,
    slot,
)
from leadline.agent.capture.rows import columns_of
from leadline.agent.capture.tables import cells_of, member, parts_of
from leadline.expression.hiding import name_rule
from leadline.expression.layout import MISSING, Getter, Layout, exact, layout_of
from leadline.wire.kept import WITHHELD

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

MAX_COLUMNS = 200
_FIXED = "biufcSUMm?"
"""Kinds of items that are nothing but their bytes."""
_BACKED = "pandas._libs.arrays"
_BLOCKS = "pandas._libs.internals"
_UNKNOWN = "this version of pandas is laid out in another way"


class _Memory:
    """The functions by which the loaded numpy tells the memory of an array."""

    __slots__ = ("item", "kind", "objects", "octets", "shape", "size", "text")

    def __init__(self, cls: type) -> None:
        layout = layout_of(cls)
        dtype: Any = in_module("numpy", "dtype")
        kinds = layout_of(dtype)
        self.octets = _method(layout, cls, "tobytes")
        self.item = _method(layout, cls, "item")
        self.shape = _getter(layout, cls, "shape")
        self.size = _getter(layout, cls, "nbytes")
        self.kind = _getter(layout, cls, "dtype")
        self.text = _getter(kinds, dtype, "str")
        self.objects = _getter(kinds, dtype, "kind")


def _method(layout: Layout, cls: type, name: str) -> Call:
    found = method(layout, cls, name)
    if found is None:
        raise Obstacle("this version of numpy is laid out in another way")
    return found


def _getter(layout: Layout, cls: type, name: str) -> Getter:
    found = getter(layout, cls, name)
    if found is None:
        raise Obstacle("this version of numpy is laid out in another way")
    return found


def ndarray(layout: Layout, cls: type) -> Reader | None:
    if layout.cls is not cls or loaded() is None:
        return None
    memory = _Memory(cls)

    def read(keeper: Keeper, value: Any, _: Layout) -> Node:
        return _array(memory, keeper, value)

    return read


def _array(memory: _Memory, keeper: Keeper, value: Any) -> Node:
    dtype, shape = memory.kind(value), memory.shape(value)
    kind = str(memory.objects(dtype))
    node: Node = {"k": "ndarray", "t": exact(memory.text(dtype)), "n": list(shape)}  # type: ignore[call-overload]
    if kind == "O":
        length = 1
        for size in shape:  # type: ignore[attr-defined]
            length *= size
        if length * 2 > keeper.left:
            raise Obstacle(TOO_LARGE)
        node["i"] = [keeper.ref(memory.item(value, at)) for at in range(length)]
        return node
    if kind not in _FIXED:
        raise Obstacle("it is an array of items of many parts")
    if memory.size(value) * 4 // 3 > keeper.left:  # type: ignore[operator]
        raise Obstacle(TOO_LARGE)
    encoded(keeper, memory.octets(value), node)
    return node


def scalar(layout: Layout, cls: type) -> Reader | None:
    """Return the reader of numpy's numbers, moments and texts."""
    known: Any = in_module("numpy", exact(layout.name))
    array: Any = in_module("numpy", "ndarray")
    if known is not layout.cls or array is MISSING:
        return None
    octets, kind = _method(layout, cls, "tobytes"), _getter(layout, cls, "dtype")
    memory = _Memory(array)

    def read(keeper: Keeper, value: Any, _: Layout) -> Node:
        dtype = kind(value)
        if str(memory.objects(dtype)) not in _FIXED:
            raise Obstacle("it is a value of many parts")
        node: Node = {"k": "scalar", "t": exact(memory.text(dtype))}
        encoded(keeper, octets(value), node)
        return node

    return read


def dtype(_: Layout, cls: type) -> Reader | None:
    array: Any = in_module("numpy", "ndarray")
    if array is MISSING:
        return None
    memory = _Memory(array)

    def read(_: Keeper, value: Any, layout: Layout) -> Node:
        if not inherits(layout, cls) or str(memory.objects(value)) not in _FIXED + "O":
            raise Obstacle("it is a dtype of many parts")
        return {"k": "dtype", "t": exact(memory.text(value))}

    return read


def array(layout: Layout, cls: type) -> Reader | None:
    """Return the reader of the standard library's `array.array`."""
    code, octets = getter(layout, cls, "typecode"), method(layout, cls, "tobytes")
    length, size = method(layout, cls, "__len__"), getter(layout, cls, "itemsize")
    if layout.cls is not cls or not (code and octets and length and size):
        return None

    def read(keeper: Keeper, value: Any, _: Layout) -> Node:
        if length(value) * size(value) * 4 // 3 > keeper.left:
            raise Obstacle(TOO_LARGE)
        node: Node = {"k": "array", "t": str(code(value))}
        encoded(keeper, octets(value), node)
        return node

    return read


def frame(layout: Layout, cls: type) -> Reader | None:
    arrays = loaded()
    if arrays is None or layout.cls is not cls:
        return None
    row_of = method(layout_of(_ndarray()), _ndarray(), "__getitem__")

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        parts = parts_of(value, layout)
        if parts is None or len(parts[1]) != 2 or row_of is None:
            raise Obstacle(_UNKNOWN)
        blocks, (across, down) = parts
        labels = cells_of(arrays, across)
        if labels.length > MAX_COLUMNS or labels.at is None:
            raise Obstacle("it is a table of very many columns")
        for at in range(labels.length):
            if (rule := name_rule(labels.at(at))) is not None:
                return _withheld(keeper, layout, rule)
        columns = _columns(blocks, labels.length, row_of)
        return {
            "k": "frame",
            "c": keeper.class_(layout.cls),
            "i": [keeper.ref(one) for one in (down, across, *columns)],
        }

    return read


class BackedRow:
    """Stands for one row of an array of pandas that has two dimensions."""

    __slots__ = ("cls", "dtype", "row")

    def __init__(self, cls: type, row: object, dtype: object) -> None:
        self.cls, self.row, self.dtype = cls, row, dtype


def backed_row(keeper: Keeper, value: Any, _: Layout) -> Node:
    parts = [keeper.ref(value.row), keeper.ref(value.dtype)]
    return {"k": "backed", "c": keeper.class_(value.cls), "i": parts}


def _ndarray() -> type:
    found: Any = in_module("numpy", "ndarray")
    return found if type(found) is type else object


def _columns(blocks: tuple[object, ...], length: int, row_of: Call) -> list[Any]:
    """Return the array of each column, in their order."""
    columns: list[Any] = [MISSING] * length
    kind = _ndarray()
    for block in blocks:
        values = member(block, _BLOCKS, "Block", "values")
        places = member(block, _BLOCKS, "Block", "_mgr_locs")
        where: Any = member(places, _BLOCKS, "BlockPlacement", "indexer")
        if type(where) is slice:
            where = list(range(length))[where]
        elif type(where) is kind:
            item = method(layout_of(kind), kind, "item")
            shape = getter(layout_of(kind), kind, "shape")
            if item is None or shape is None:
                raise Obstacle(_UNKNOWN)
            where = [item(where, at) for at in range(shape(where)[0])]  # type: ignore[index]
        if type(where) is not list:
            raise Obstacle(_UNKNOWN)
        for row, position in enumerate(where):
            columns[position] = _row(values, row, row_of)
    if any(one is MISSING for one in columns):
        raise Obstacle(_UNKNOWN)
    return columns


def _row(values: Any, row: int, row_of: Call) -> Any:
    """Return one row of a block, which may be all of it."""
    if type(values) is _ndarray():
        return row_of(values, row)
    inner = member(values, _BACKED, "NDArrayBacked", "_ndarray")
    kind = member(values, _BACKED, "NDArrayBacked", "_dtype")
    shape = getter(layout_of(_ndarray()), _ndarray(), "shape")
    if type(inner) is not _ndarray() or shape is None:
        return values
    whole: Any = shape(inner)
    return BackedRow(type(values), row_of(inner, row), kind) if len(whole) == 2 else values


def series(layout: Layout, cls: type) -> Reader | None:
    if loaded() is None or layout.cls is not cls:
        return None

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        parts = parts_of(value, layout)
        if parts is None or len(parts[0]) != 1 or len(parts[1]) != 1:
            raise Obstacle(_UNKNOWN)
        name = held(value, layout, "_name")
        if name is not None and (rule := name_rule(name)) is not None:
            return _withheld(keeper, layout, rule)
        values = member(parts[0][0], _BLOCKS, "Block", "values")
        return {
            "k": "series",
            "c": keeper.class_(layout.cls),
            "i": [keeper.ref(values), keeper.ref(parts[1][0]), keeper.ref(name)],
        }

    return read


def index(_: Layout, __: type) -> Reader | None:
    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        name = held(value, layout, "_name")
        data = held(value, layout, "_data")
        if data is MISSING:
            data = held(value, layout, "_range")
        if data is MISSING or name is MISSING:
            raise Obstacle(f"it is a {layout.name} of pandas, with labels of many parts")
        if name is not None and (rule := name_rule(name)) is not None:
            return _withheld(keeper, layout, rule)
        parts = [keeper.ref(data), keeper.ref(name)]
        return {"k": "index", "c": keeper.class_(layout.cls), "i": parts}

    return read


def backed(layout: Layout, cls: type) -> Reader | None:
    """Return the reader of pandas' arrays around one of numpy."""
    inner, kind = getter(layout, cls, "_ndarray"), getter(layout, cls, "_dtype")
    if inner is None or kind is None:
        return None

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        node: Node = {"k": "backed", "c": keeper.class_(layout.cls)}
        node["i"] = [keeper.ref(inner(value)), keeper.ref(kind(value))]
        names = layout.namespace(value) if layout.namespace is not None else None
        if type(names) is dict and names:
            pairs = [pair for pair in list(dict.items(names)) if type(pair[0]) is str]
            known = {name: one for name, one in pairs if name != "_cache"}
            node["a"] = keeper.attributes(known)
        return node

    return read


def row(layout: Layout, cls: type) -> Reader | None:
    """Return the reader of a row that SQLAlchemy has fetched: its values and their names."""
    parts, parent = getter(layout, cls, "_data"), getter(layout, cls, "_parent")
    if parts is None or parent is None:
        return None

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        values = slot(parts, value)
        names = columns_of(slot(parent, value))
        if type(values) is not tuple or len(names) != len(values):
            raise Obstacle("it is a row whose columns have no names")
        rules = [name_rule(name) for name in names]
        keeper.left -= sum(map(len, names))
        return {
            "k": "row",
            "c": keeper.class_(layout.cls),
            "q": names,
            "i": [
                keeper.ref(one) if rule is None else keeper.withheld(rule, one)
                for rule, one in zip(rules, values, strict=True)
            ],
        }

    return read


def _withheld(keeper: Keeper, layout: Layout, rule: str) -> Node:
    """Withhold the very object that is being read."""
    keeper.hidden.add(len(keeper.nodes))
    return {"k": WITHHELD, "t": layout.name, "rule": rule}
