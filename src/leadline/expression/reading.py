"""Looking into an object without running any of its code.

What lies in an object (slots, instance dictionary, items of the builtin containers) is read
through the base types' own functions. What would need the object's help is `Unknown`, with the
reason. All this runs on the application's thread: walks are counted and every loop has a cap.
"""

import datetime
import enum
import types
from collections import deque
from typing import Any, NamedTuple

from leadline.expression.layout import (
    MISSING,
    Getter,
    Layout,
    forget_layouts,
    is_slot,
    layout_of,
)
from leadline.expression.unknown import Redacted, Unknown

__all__ = [
    "MAX_WALK",
    "Getter",
    "Layout",
    "Plain",
    "Redacted",
    "Unknown",
    "attribute",
    "entry",
    "forget_layouts",
    "item",
    "layout_of",
    "length",
    "plain",
    "type_names",
]

MAX_WALK = 1_000
"""Entries of one dictionary looked at: about 30 us, and few dictionaries that a person asks
by key have more. Looking up by hash is out of the question: a key could be hostile."""
MAX_COPY = 10_000
"""Characters or bytes of a subclass' text that are copied to get at the builtin value."""
ATTEMPTS = 3
"""Times that a dictionary is walked which other threads change meanwhile."""

type Plain = str | bytes | int | float | bool | None

_SEQUENCES = (list, tuple, str, bytes, bytearray, deque)
_SIZED = (*_SEQUENCES, dict, set, frozenset)
_NUMBERS = frozenset(map(id, (bool, int, float, complex)))
_PLAIN = frozenset(map(id, (str, bytes, bool, int, float, type(None))))
_METHODS = frozenset(
    map(id, (types.FunctionType, classmethod, staticmethod, types.MethodDescriptorType))
)
_TEXTS = frozenset(map(id, (str, bytes)))
_UNLIKE = frozenset(map(id, (list, tuple, dict, set, frozenset, deque, type)))
"""Builtin types whose instances equal no plain value."""
_OBJECT_EQ, _OBJECT_NE = vars(object)["__eq__"], vars(object)["__ne__"]
_COMPARING = frozenset(("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"))


class _Pair(NamedTuple):
    first: int


_TUPLE_FIELD = type(vars(_Pair)["first"])
_KNOWN: dict[int, Getter] = {
    **{
        id(vars(owner)[name]): vars(owner)[name].__get__
        for owner, names in (
            (BaseException, ("args", "__cause__", "__context__")),
            (datetime.date, ("year", "month", "day")),
            (datetime.datetime, ("hour", "minute", "second", "microsecond")),
            (datetime.time, ("hour", "minute", "second", "microsecond")),
            (type, ("__name__",)),
        )
        for name in names
    },
    id(vars(enum.Enum)["name"]): lambda member: attribute(member, "_name_"),
    id(vars(enum.Enum)["value"]): lambda member: attribute(member, "_value_"),
}
"""Descriptors of the standard library that only read what lies in the object, by identity."""


def attribute(obj: object, name: str) -> object:
    """Return what `obj.name` is when that can be read without running code, else `Unknown`.

    The order is Python's: a data descriptor of the class, then what the object itself holds,
    then any other class attribute.
    """
    layout = layout_of(type(obj))
    if layout.intercepts:
        raise Unknown(f"{layout.name}.{name} goes through a __getattribute__ of its own")
    found = layout.find(name)
    if found is not MISSING:
        if (getter := _native_getter(found, layout)) is not None:
            return _get(getter, obj, layout, name)
        if layout_of(type(found)).has_set:
            raise Unknown(_runs_code(layout, name, found))
    held = _held(obj, layout, name)
    if held is not MISSING:
        return held
    if found is MISSING:
        raise Unknown(_nothing(layout, name))
    if layout_of(type(found)).has_get:
        raise Unknown(_runs_code(layout, name, found))
    return found


def _native_getter(found: object, layout: Layout) -> Getter | None:
    known = _KNOWN.get(id(found))
    if known is not None:
        return known
    if is_slot(found, layout.order):
        return found.__get__
    if type(found) is _TUPLE_FIELD and layout.base is tuple:
        return found.__get__  # type: ignore[attr-defined,no-any-return]
    return None


def _get(getter: Getter, obj: object, layout: Layout, name: str) -> object:
    try:
        return getter(obj)
    except AttributeError:
        raise Unknown(f"{layout.name}.{name} is not set") from None
    except (IndexError, TypeError):  # a short named tuple, a descriptor of a foreign class
        raise Unknown(_nothing(layout, name)) from None


def _held(obj: object, layout: Layout, name: str) -> object:
    """Return what the object itself holds under `name`; a class holds its own attributes."""
    if layout.base is type:
        own = layout_of(obj)  # type: ignore[arg-type]
        found = own.find(name)
        if found is not MISSING and layout_of(type(found)).has_get:
            raise Unknown(_runs_code(own, name, found))
        return found
    if layout.namespace is None:
        return MISSING
    held = layout.namespace(obj)
    return entry(held, name) if layout_of(type(held)).base is dict else MISSING


def _nothing(layout: Layout, name: str) -> str:
    if layout.improvises:
        return f"{layout.name}.{name} is made up by __getattr__: asking would run its code"
    return f"a {layout.name} holds no {name}"


def _runs_code(layout: Layout, name: str, found: object) -> str:
    place = f"{layout.name}.{name}"
    if id(type(found)) in _METHODS:
        return f"{place} is a method, not a value"
    if type(found) is types.GetSetDescriptorType:
        return f"{place} is computed by its type, which may run other code"
    kind = "property" if type(found) is property else layout_of(type(found)).name
    return f"{place} is a {kind}: reading it would run its code"


def item(obj: object, key: object) -> object:
    """Return `obj[key]` of a builtin container, or of a subclass that leaves `[]` alone.

    A dictionary never invents a missing entry, `defaultdict` included.
    """
    layout = layout_of(type(obj))
    base: Any = layout.base
    if (base is not dict and base not in _SEQUENCES) or "__getitem__" in layout.overrides:
        raise Unknown(f"what [] means on a {layout.name} is decided by its own code")
    wanted = unwrapped(key)
    if wanted is MISSING:
        raise Unknown(f"a {layout_of(type(key)).name} cannot be looked up without its code")
    if base is dict:
        value = entry(obj, wanted)
        if value is MISSING:
            raise Unknown(f"no key {shown(wanted)}")
        return value
    if type(wanted) is not int and type(wanted) is not bool:
        raise Unknown(f"a {layout.name} has no item {shown(wanted)}")
    try:
        return base.__getitem__(obj, wanted)
    except IndexError:
        raise Unknown(f"no item {shown(wanted)}: there are {length(obj)}") from None


def entry(mapping: object, key: object) -> object:
    """Return the value under `key`, an exact plain value, or `MISSING`.

    Never by hash, which would ask a key of the same hash whether it is equal. `mapping` is a
    dictionary or an instance of a subclass.
    """
    for _ in range(ATTEMPTS):
        try:
            return _walk(mapping, key)
        except RuntimeError:  # "dictionary changed size during iteration"
            continue
    raise Unknown("another thread kept changing the dictionary while it was read")


def _walk(mapping: Any, key: object) -> object:
    kind = type(key)
    left = MAX_WALK
    undecided = None
    for candidate, value in dict.items(mapping):
        if candidate is key:
            return value
        if type(candidate) is kind:
            if candidate == key:
                return value
        elif (same := equals(candidate, key)) is not False:
            if same:
                return value
            undecided = candidate
        left -= 1
        if left <= 0:
            break
    if dict.__len__(mapping) > MAX_WALK:
        raise Unknown(f"{shown(key)} is not among the first {MAX_WALK:,} keys")
    if undecided is not None:
        name = layout_of(type(undecided)).name
        raise Unknown(f"whether a {name} is the key {shown(key)} is decided by its own code")
    return MISSING


def equals(value: object, wanted: object) -> bool | None:
    """Tell whether `value` equals an exact plain value; None when only its code could tell."""
    mine = unwrapped(value)
    if mine is not MISSING:
        kind = type(wanted)
        if type(mine) is kind or (id(type(mine)) in _NUMBERS and id(kind) in _NUMBERS):
            return mine == wanted
        return False
    layout = layout_of(type(value))
    if id(layout.base) in _UNLIKE and not layout.overrides & _COMPARING:
        return False
    if layout.find("__eq__") is _OBJECT_EQ and layout.find("__ne__") is _OBJECT_NE:
        return False
    return None


def unwrapped(value: object) -> object:
    """Return `value` as an exact plain value, or `MISSING` when it is none.

    An instance of a subclass that compares or hashes with code of its own is none.
    """
    kind = type(value)
    if id(kind) in _PLAIN:
        return value
    if layout_of(kind).overrides & _COMPARING:
        return MISSING
    try:
        return plain(value)
    except Unknown:
        return MISSING


def plain(obj: Any) -> Plain:
    """Return the exact builtin value that `obj` is, or is an instance of a subclass of."""
    if id(type(obj)) in _PLAIN:
        return obj  # type: ignore[no-any-return]
    layout = layout_of(type(obj))
    base: Any = layout.base
    if base is int:
        return int.__int__(obj)
    if base is float:
        return float.__float__(obj)
    if id(base) not in _TEXTS:
        raise Unknown(f"a {layout.name} is not a plain value")
    if base.__len__(obj) > MAX_COPY:
        raise Unknown(f"a {layout.name} of more than {MAX_COPY:,} is too long to copy")
    return base.__getitem__(obj, slice(None))  # type: ignore[no-any-return]


def length(obj: object) -> int:
    """Return how many items, characters or bytes a builtin container holds."""
    layout = layout_of(type(obj))
    base: Any = layout.base
    if base not in _SIZED or "__len__" in layout.overrides:
        raise Unknown(f"how long a {layout.name} is, is decided by its own code")
    return base.__len__(obj)  # type: ignore[no-any-return]


def type_names(obj: object) -> tuple[str, ...]:
    """Return the dotted names of the class of `obj` and of all that it inherits from."""
    return layout_of(type(obj)).names


def shown(value: object) -> str:
    """Return a plain value for a reason: short, whatever its size."""
    if type(value) is str or type(value) is bytes:
        return repr(value[:40]) + ("…" if len(value) > 40 else "")
    if type(value) is int and value.bit_length() > 128:
        return "of a large number"
    return repr(value)
