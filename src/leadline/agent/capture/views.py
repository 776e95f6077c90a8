"""How ranges, slices, views of memory and of dictionaries, queues and defaults read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline.agent.capture.memory import first_member
from leadline.agent.capture.reading import INSIDE, Read
from leadline.agent.capture.recognition import getter, slot
from leadline.expression.interruption import expected
from leadline.expression.layout import MISSING, Layout, layout_of
from leadline.wire.value import Form, Omission, Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

_RANGE = tuple(vars(range)[name].__get__ for name in ("start", "stop", "step"))
_SLICE = tuple(vars(slice)[name].__get__ for name in ("start", "stop", "step"))
_memory = vars(memoryview)
_FORMAT, _DIMENSIONS, _SHAPE = (_memory[name].__get__ for name in ("format", "ndim", "shape"))
_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_MAPPINGS = {view: vars(view)["mapping"].__get__ for view in _VIEWS}
_KEYS = _VIEWS[0]
_BYTE_FORMATS = ("B", "b", "c")


def range_(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    start, stop, step = (read(value) for read in _RANGE)
    parts = (start, stop) if step == 1 else (start, stop, step)
    return _call(layout, [walk.take(part, level + 1) for part in parts])


def slice_(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    return _call(layout, [walk.take(read(value), level + 1) for read in _SLICE])


def memory(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    """A memoryview: the bytes or numbers that it begins with."""
    try:
        kind, dimensions, length = _FORMAT(value), _DIMENSIONS(value), _SHAPE(value)
        flat = dimensions == 1 and (kind in _BYTE_FORMATS or len(kind) == 1)
        most = walk.limits.text if kind in _BYTE_FORMATS else walk.limits.items
        part = memoryview.__getitem__(value, slice(0, most)) if flat else value
        content: Any = None
        if flat and kind in _BYTE_FORMATS:
            content = memoryview.tobytes(part).decode("latin-1")
        elif flat:
            content = memoryview.tolist(part)
    except (ValueError, NotImplementedError) as error:  # released; a format of another kind
        if not expected(error, ValueError, NotImplementedError):
            raise
        return {"type": layout.name, "omitted": Omission.OPAQUE, "rule": "it was released"}
    if type(content) is str:
        shown = walk.cut(content, length[0], layout.name)
        return shown if type(shown) is dict else {"type": layout.name, "text": shown}
    captured: dict[str, Value] = {"type": layout.name}
    walk.fact(captured, "shape", length, level)
    walk.fact(captured, "format", kind, level)
    if content is None:
        captured |= {
            "omitted": Omission.OPAQUE,
            "rule": "it has many dimensions, or items of many parts",
        }
    else:
        items: list[Value] = []
        captured |= {"length": length[0], "items": items}
        captured |= walk.each(content, lambda item: items.append(walk.take(item, level + 1)))
        if len(items) < length[0]:
            captured.setdefault("omitted", Omission.ITEMS)
    return captured


def proxy(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    """A read-only view of a dictionary: what that holds."""
    held = first_member(value)
    if held is MISSING:
        rule = "what it shows cannot be read on this interpreter"
        return {"type": layout.name, "omitted": Omission.OPAQUE, "rule": rule}
    inner = layout_of(type(held))
    if inner.base is dict:
        shown: dict[str, Value] = walk.mapping(held, inner, level)
        return shown | {"type": layout.name}
    return _call(layout, [walk.take(held, level + 1)])


def of_dict(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    """The keys, values or items of a dictionary, each with its key, so that names can hide."""
    held: Any = first_member(_MAPPINGS[layout.cls](value))
    inner = layout_of(type(held))
    if held is MISSING or inner.base is not dict:
        return {"type": layout.name, "omitted": Omission.OPAQUE}
    if layout.cls is not _KEYS:
        shown: dict[str, Value] = walk.mapping(held, inner, level)
        return shown | {"type": layout.name}
    items: list[Value] = []
    keys: dict[str, Value] = {"type": layout.name, "length": dict.__len__(held)}
    keys["items"] = items
    take = walk.each(dict.keys(held), lambda key: items.append(walk.take(key, level + 1)))
    return keys | take


def default_dict(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    factory = getter(layout, cls, "default_factory")
    if factory is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        captured: dict[str, Value] = walk.mapping(value, layout, level)
        made = slot(factory, value)
        if made is not MISSING and made is not None:
            walk.fact(captured, "default_factory", made, level)
        return captured

    return read, INSIDE


def queue(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    longest = getter(layout, cls, "maxlen")
    if longest is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        captured = walk.row(value, layout, level)
        most = slot(longest, value)
        if type(most) is int:
            walk.fact(captured, "maxlen", most, level)
        return captured

    return read, INSIDE


def _call(layout: Layout, items: list[Value]) -> Value:
    return {"type": layout.name, "form": Form.CALL, "items": items, "length": len(items)}
