"""How pandas' tables read: shape, columns with their kinds, and the first rows.

A table is a few arrays of numpy behind classes of Python: those are read from the objects'
dictionaries and from the C fields of pandas' own block classes, and the arrays as `arrays`
reads them. What another library holds (pyarrow) is said and not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline.agent.capture.arrays import Arrays, Cells, loaded
from leadline.agent.capture.reading import INSIDE, Read
from leadline.agent.capture.recognition import getter, held, in_module, inherits, slot
from leadline.expression.hiding import name_rule
from leadline.expression.layout import MISSING, Layout, layout_of
from leadline.wire.value import Omission, Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

FIRST_ROWS = 5
"""Rows that are shown of each column of a table: enough to see what is in it."""
_BLOCKS = "pandas._libs.internals"
_BACKED = "pandas._libs.arrays"
_TEXTS = "StringDtype"
_MAX_NESTING = 3
"""Arrays within arrays: a category's names, the bits of a column that may lack values."""


def frame(_: Layout, __: type) -> tuple[Read, bool] | None:
    arrays = loaded()
    if arrays is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        parts = parts_of(value, layout)
        if parts is None or len(parts[1]) != 2:
            return _unreadable(layout)
        blocks, (across, down) = parts
        labels, rows = cells_of(arrays, across), cells_of(arrays, down)
        columns = _by_position(arrays, blocks)
        entries: list[Value] = []
        captured: dict[str, Value] = {"type": layout.name, "length": rows.length}
        walk.fact(captured, "shape", (rows.length, labels.length), level)
        captured["entries"] = entries
        for position in range(labels.length):
            if walk.left <= 0 or walk.room.left <= 0:
                captured["omitted"] = Omission.ITEMS if walk.left <= 0 else Omission.ROOM
                break
            walk.left -= 1
            label = labels.at(position) if labels.at is not None else position
            cells = columns.get(position, Cells("?", rows.length, None))
            entries.append(_column(walk, label, cells, level))
        return captured

    return read, INSIDE


def series(_: Layout, __: type) -> tuple[Read, bool] | None:
    arrays = loaded()
    if arrays is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        parts = parts_of(value, layout)
        if parts is None or len(parts[0]) != 1 or len(parts[1]) != 1:
            return _unreadable(layout)
        cells = _by_position(arrays, parts[0]).get(0) or Cells("?", 0, None)
        name = held(value, layout, "_name")
        return _listed(walk, layout, cells, name, level)

    return read, INSIDE


def index(_: Layout, __: type) -> tuple[Read, bool] | None:
    arrays = loaded()
    if arrays is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        cells = cells_of(arrays, value)
        return _listed(walk, layout, cells, held(value, layout, "_name"), level)

    return read, INSIDE


def _listed(walk: Walk, layout: Layout, cells: Cells, name: object, level: int) -> Value:
    captured: dict[str, Value] = {"type": layout.name}
    if name is not MISSING and name is not None and (rule := name_rule(name)) is not None:
        captured |= {"length": cells.length, "omitted": Omission.REDACTED, "rule": rule}
        return captured
    walk.fact(captured, "dtype", cells.name, level)
    if name is not MISSING and name is not None:
        walk.fact(captured, "name", name, level)
    return captured | cells.take(walk, level, walk.limits.items)


def _column(walk: Walk, label: object, cells: Cells, level: int) -> list[Value]:
    key = walk.take(label, level + 1)
    walk.room.node(cells.name)
    if (rule := name_rule(label)) is not None:
        return [key, {"type": cells.name, "omitted": Omission.REDACTED, "rule": rule}]
    return [key, {"type": cells.name, **cells.take(walk, level, FIRST_ROWS)}]


def _unreadable(layout: Layout) -> Value:
    rule = "this version of pandas is laid out in another way"
    return {"type": layout.name, "omitted": Omission.OPAQUE, "rule": rule}


def parts_of(value: object, layout: Layout) -> tuple[tuple[object, ...], list[object]] | None:
    """Return the blocks and the axes of a table's or a column's manager."""
    manager = held(value, layout, "_mgr")
    blocks, axes = (member(manager, _BLOCKS, "BlockManager", it) for it in ("blocks", "axes"))
    if type(blocks) is not tuple or type(axes) is not list:
        return None
    return blocks, axes


def member(value: object, module: str, cls_name: str, name: str) -> Any:
    """Return what an object holds under `name`, in its dictionary or a C field of a class."""
    layout = layout_of(type(value))
    cls: Any = in_module(module, cls_name)
    if inherits(layout, cls):
        read = getter(layout, cls, name)
        if read is not None:
            return slot(read, value)
    return held(value, layout, name)


def _by_position(arrays: Arrays, blocks: tuple[object, ...]) -> dict[int, Cells]:
    """Return the cells of each column, by the column's place in the table."""
    columns: dict[int, Cells] = {}
    for block in blocks:
        values = member(block, _BLOCKS, "Block", "values")
        places = member(block, _BLOCKS, "Block", "_mgr_locs")
        where = _positions(arrays, member(places, _BLOCKS, "BlockPlacement", "indexer"))
        for row, position in enumerate(where):
            columns[position] = cells_of(arrays, values, row)
    return columns


def _positions(arrays: Arrays, where: Any) -> list[int]:
    if type(where) is slice:
        parts = (where.start, where.stop, where.step)
        if all(part is None or type(part) is int for part in parts):
            return list(range(where.start or 0, where.stop or 0, where.step or 1))[:1_000]
        return []
    cells = cells_of(arrays, where)
    if cells.at is None:
        return []
    found = [cells.at(at) for at in range(min(cells.length, 1_000))]
    return [one for one in found if type(one) is int]


def cells_of(arrays: Arrays, values: Any, row: int | None = None, depth: int = 0) -> Cells:
    """Return the cells of an array of numpy or pandas; `row` of one with two dimensions."""
    layout = layout_of(type(values))
    array: Any = in_module("numpy", "ndarray")
    if layout.cls is array:
        if row is not None and len(arrays.shape(values)) == 2:
            return arrays.cells(values, row)
        return arrays.cells(values)
    if depth < _MAX_NESTING:
        found = held(values, layout, "_range")
        if type(found) is range:  # the labels 0, 1, 2 ... of a table that was given none
            return Cells("int64", len(found), found.__getitem__)
        for find in (_masked, _backed, _wrapped):
            if (cells := find(arrays, values, layout, row, depth + 1)) is not None:
                return cells
    return Cells(layout.name, _length(values, layout), None)


def _length(values: Any, layout: Layout) -> int:
    """Return the length of a container of the interpreter's own, else 0."""
    base: Any = layout.base
    return base.__len__(values) if base is list or base is tuple else 0


def _masked(
    arrays: Arrays, values: object, layout: Layout, row: int | None, depth: int
) -> Cells | None:
    """A column that may lack values: what is under the mask is none."""
    mask = held(values, layout, "_mask")
    if mask is MISSING:
        return None
    cells = cells_of(arrays, held(values, layout, "_data"), row, depth)
    hidden = cells_of(arrays, mask, row, depth)
    name, at, lacks = cells.name.capitalize(), cells.at, hidden.at
    if at is None or lacks is None:
        return Cells(name, cells.length, None)
    return Cells(name, cells.length, lambda place: None if lacks(place) else at(place))


def _backed(
    arrays: Arrays, values: object, _: Layout, row: int | None, depth: int
) -> Cells | None:
    """An array of pandas' own around one of numpy: texts, moments, categories."""
    inner = member(values, _BACKED, "NDArrayBacked", "_ndarray")
    if inner is MISSING:
        return None
    cells = cells_of(arrays, inner, row, depth)
    kind = member(values, _BACKED, "NDArrayBacked", "_dtype")
    inner_layout = layout_of(type(kind))
    if held(kind, inner_layout, "_tz") is not MISSING:
        return Cells(f"{cells.name}, UTC", cells.length, cells.at)
    named = held(kind, inner_layout, "_categories")
    if named is MISSING:
        plain = arrays.kind_of(kind) or inner_layout.name == _TEXTS
        return cells if plain else Cells(inner_layout.name, cells.length, None)
    names, at = cells_of(arrays, named, None, depth), cells.at
    if at is None or names.at is None:
        return Cells("category", cells.length, None)
    name_at, most = names.at, names.length

    def category(place: int) -> object:
        code = at(place)
        return name_at(code) if type(code) is int and 0 <= code < most else None

    return Cells("category", cells.length, category)


def _wrapped(
    arrays: Arrays, values: object, layout: Layout, row: int | None, depth: int
) -> Cells | None:
    """An index, which holds its array."""
    inner = held(values, layout, "_data")
    return None if inner is MISSING else cells_of(arrays, inner, row, depth)
