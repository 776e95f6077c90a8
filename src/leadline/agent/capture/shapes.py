"""What the native core has to know of a class to capture its instances by itself.

The forms that are common (builtin containers, plain objects, dataclasses, named tuples) are
walked in C by what stands here; for every other one C calls `take`, and the walk of `tree`
goes on from there with the same limits.
"""

from collections import deque
from types import MappingProxyType, ModuleType
from typing import Any

from leadline.agent.capture import callables, moments, records
from leadline.agent.capture.records import InOrder
from leadline.agent.capture.resources import STREAM, is_resource
from leadline.agent.capture.tree import Room, Walk, class_, learn, text_
from leadline.agent.capture.writing import write
from leadline.expression.hiding import name_rule
from leadline.expression.layout import Layout, identity, layout_of
from leadline.wire.limits import CaptureLimits
from leadline.wire.redaction import known_names, secret_name

PYTHON, BYTES, LIST, TUPLE, NAMED, SET, DICT, FIELDS, TEXT, DEQUE, OPAQUE = range(11)
FUNCTION, METHOD, BUILTIN, MODULE, CLASS, MEMBER, MOMENT, PATH = range(11, 19)
"""The kinds, in the order of `shape.h`."""
_ROWS: dict[type | None, int] = {list: LIST, tuple: TUPLE, set: SET, frozenset: SET}
_FORMS: dict[Any, int] = {
    callables.function: FUNCTION,
    callables.method: METHOD,
    callables.builtin: BUILTIN,
    callables.module: MODULE,
    records.member: MEMBER,
    moments.date: MOMENT,
    moments.datetime_: MOMENT,
    class_: CLASS,
}
_MAX_FIELDS = 200
"""Slots, or fields of a named tuple; of a class with more, Python takes the instances."""

type _Field = tuple[str, str | None, object]


def acquaint(core: ModuleType) -> None:
    """Tell the module `_core` where to ask."""
    core.know(_Shapes(core).learn, known_names, secret_name, name_rule, take)


class _Shapes:
    """Makes shapes for the module `_core`."""

    def __init__(self, core: ModuleType) -> None:
        self._shape = core.Shape

    def learn(self, cls: type) -> Any:
        """Return the shape of `cls`. Called once a class, on the application's thread."""
        layout = layout_of(cls)
        reading: Any = layout.reading[0] if layout.reading else learn(layout)
        kind = _kind(layout, reading.read)
        slots = _fields(layout.slots) if kind == FIELDS else ()
        if kind == PATH:
            slots = _fields([(records.PATH_TEXT, reading.read.made)])
        names = layout.fields if kind in (NAMED, TUPLE) else ()
        ordered = reading.read.names if type(reading.read) is InOrder else ()
        return self._shape(
            cls,
            layout.name,
            kind,
            bool(layout.reading),
            slots,
            layout.namespace is not None,
            _fields([(name, None) for name in (names or ordered)]),
            bool(ordered),
            _readable(layout),
            _STREAM if STREAM in layout.names else int(is_resource(layout)),
        )


_STREAM = 2
"""As in `shape.h`."""
_walks: dict[int, type[Walk]] = {}
"""By the limits of a capture, where they lie: those that have a walk of their own."""


def walk_by(limits: CaptureLimits, walk: type[Walk]) -> None:
    """Have what C does not take be taken by `walk` under these limits, which stay for good."""
    _walks[identity(limits)] = walk


def take(
    value: object, level: int, limits: CaptureLimits, left: int, room: int, path: list[object]
) -> tuple[bytes, int, int]:
    """Take what C does not; returns its JSON, and the items and the room that are left."""
    space = Room(room)
    walk = _walks.get(identity(limits), Walk)(limits, space)
    walk.left, walk.path = left, path
    return write(walk.take(value, level)).encode("ascii"), walk.left, space.left


def _kind(layout: Layout, read: Any) -> int:
    if read is Walk.mapping:
        return DICT
    if read is Walk.named:
        return NAMED if len(layout.fields) <= _MAX_FIELDS else PYTHON
    if read is Walk.row:
        return _ROWS.get(layout.base, PYTHON) if not layout.hidden else PYTHON
    if read is Walk.fields or type(read) is InOrder:
        return _kind_of_object(layout)
    if layout.cls is bytes or layout.cls is bytearray:
        return BYTES
    if layout.cls is deque:
        return DEQUE
    if type(read) is records.PathText:
        return PATH
    return TEXT if read is text_ else _FORMS.get(read, PYTHON)


def _kind_of_object(layout: Layout) -> int:
    names = [name for name, _ in layout.slots]
    if not names and layout.namespace is None:
        return OPAQUE
    unusual = len(names) > _MAX_FIELDS or len(set(names)) < len(names)
    return PYTHON if unusual else FIELDS


def _fields(given: Any) -> tuple[_Field, ...]:
    """Return names with their rules, and of slots the descriptors."""
    return tuple(
        (name, secret_name(name), getattr(read, "__self__", None)) for name, read in given
    )


def _readable(layout: Layout) -> bool:
    """Whether attributes of instances can be looked up in C: no code of the class takes part,
    and no key of its dictionary is anything but an exact text."""
    return (
        not layout.intercepts
        and not layout.is_enum
        and layout.base is not type
        and all(type(members) is MappingProxyType for members in layout.members)
    )
