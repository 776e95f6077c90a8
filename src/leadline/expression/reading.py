"""Looking into an object without running any of its code.

What lies in an object (slots, instance dictionary, items of the builtin containers) is read
through the base types' own functions. What would need the object's help is `Unknown`, with the
reason. All this runs on the application's thread: walks are counted and every loop has a cap.
"""

import datetime
import enum
import types
from collections import deque
from typing import Any

from leadline.expression.fuel import UNIT_CHARS, burn, fuel_left, sparse
from leadline.expression.hiding import hidden_items, member_rule
from leadline.expression.impossible import is_builtin, is_unhashable, refusal
from leadline.expression.interruption import expected
from leadline.expression.layout import (
    MISSING,
    TUPLE_FIELD,
    Getter,
    Layout,
    field_index,
    forget_layouts,
    identity,
    is_slot,
    layout_of,
)
from leadline.expression.unknown import Exhausted, Impossible, Redacted, Unknown
from leadline.expression.walking import ATTEMPTS, lookup

__all__ = [
    "ATTEMPTS",
    "MAX_WALK",
    "MISSING",
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
    "lookup",
    "plain",
    "type_names",
]

MAX_WALK = 1_000
"""Entries of one dictionary looked at: about 30 us, and few dictionaries that a person asks
by key have more. Looking up by hash is out of the question: a key could be hostile."""
MAX_COPY = 10_000
"""Characters or bytes of a subclass' text that are copied to get at the builtin value."""
MAX_KEY = 1_000
"""Characters or bytes of a key that are compared with those of the same length."""

type Plain = str | bytes | int | float | bool | None

_SEQUENCES = (list, tuple, str, bytes, bytearray, deque)
_SIZED = (*_SEQUENCES, dict, set, frozenset)
_NUMBERS = frozenset(map(identity, (bool, int, float, complex)))
_PLAIN = frozenset(map(identity, (str, bytes, bool, int, float, type(None))))
_METHODS = frozenset(
    map(identity, (types.FunctionType, classmethod, staticmethod, types.MethodDescriptorType))
)
_TEXTS = frozenset(map(identity, (str, bytes)))
_UNLIKE = frozenset(map(identity, (list, tuple, dict, set, frozenset, deque, type)))
"""Builtin types whose instances equal no plain value."""
_OBJECT_EQ, _OBJECT_NE = vars(object)["__eq__"], vars(object)["__ne__"]
_COMPARING = frozenset(("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"))


_MEMBER_NAMES = frozenset(("name", "_name_"))
"""What can be read of an enum member whose name is a secret one."""
_KNOWN: dict[int, Getter] = {
    **{
        identity(vars(owner)[name]): vars(owner)[name].__get__
        for owner, names in (
            (BaseException, ("args", "__cause__", "__context__")),
            (datetime.date, ("year", "month", "day")),
            (datetime.datetime, ("hour", "minute", "second", "microsecond")),
            (datetime.time, ("hour", "minute", "second", "microsecond")),
            (type, ("__name__",)),
        )
        for name in names
    },
    identity(vars(enum.Enum)["name"]): lambda member: attribute(member, "_name_"),
    identity(vars(enum.Enum)["value"]): lambda member: attribute(member, "_value_"),
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
    if layout.is_enum and name not in _MEMBER_NAMES and (rule := member_rule(obj, layout)):
        raise Redacted(rule)
    found = layout.find(name)
    if found is not MISSING:
        if (getter := _native_getter(found, layout)) is not None:
            if type(found) is TUPLE_FIELD:
                _check_index(obj, layout, field_index(found))
            return _get(getter, obj, layout, name)
        if layout_of(type(found)).has_set:
            raise Unknown(_runs_code(layout, name, found))
    held = _held(obj, layout, name)
    if held is not MISSING:
        return held
    if found is MISSING:
        raise refusal(obj, _nothing(layout, name))
    if layout_of(type(found)).has_get:
        raise Unknown(_runs_code(layout, name, found))
    return found


def _native_getter(found: object, layout: Layout) -> Getter | None:
    known = _KNOWN.get(identity(found))
    if known is not None:
        return known
    if is_slot(found, layout.order):
        return found.__get__
    if type(found) is TUPLE_FIELD and layout.base is tuple:
        return found.__get__  # type: ignore[attr-defined,no-any-return]
    return None


def _check_index(obj: object, layout: Layout, index: int) -> None:
    if (rule := hidden_items(obj, layout).get(index)) is not None:
        raise Redacted(rule)


def _get(getter: Getter, obj: object, layout: Layout, name: str) -> object:
    try:
        return getter(obj)
    except (AttributeError, IndexError, TypeError) as error:
        if expected(error, AttributeError):
            reason = f"{layout.name}.{name} is not set"
        elif expected(error, IndexError, TypeError):
            reason = _nothing(layout, name)  # a short named tuple, a foreign descriptor
        else:
            raise
    raise Unknown(reason)


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
    if identity(type(found)) in _METHODS:
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
        if is_builtin(obj):
            raise Impossible(f"a {layout.name} has no items")
        raise Unknown(f"what [] means on a {layout.name} is decided by its own code")
    wanted = unwrapped(key)
    if wanted is MISSING:
        if is_unhashable(key):
            raise refusal(obj, f"nothing is under a {layout_of(type(key)).name}")
        raise Unknown(f"a {layout_of(type(key)).name} cannot be looked up without its code")
    if base is dict:
        value = entry(obj, wanted)
        if value is MISSING:
            raise refusal(obj, f"no key {shown(wanted)}")
        return value
    if type(wanted) is not int and type(wanted) is not bool:
        raise refusal(obj, f"a {layout.name} has no item {shown(wanted)}")
    size = base.__len__(obj)
    _check_index(obj, layout, wanted + size if wanted < 0 else wanted)
    if (rule := member_rule(obj, layout)) is not None:
        raise Redacted(rule)
    try:
        return base.__getitem__(obj, wanted)
    except IndexError as error:
        if not expected(error, IndexError):
            raise
    raise refusal(obj, f"no item {shown(wanted)}: there are {size}")


def entry(mapping: Any, key: object) -> object:
    """Return the value under `key`, an exact plain value, or `MISSING`.

    Never by hash, which would ask a key of the same hash whether it is equal. `mapping` is a
    dictionary or an instance of a subclass.
    """
    size = dict.__len__(mapping)
    if sparse(dict.__sizeof__(mapping), size):
        raise Unknown("the dictionary was much larger once, and walking what it left is slow")
    for _ in range(ATTEMPTS):
        most = min(MAX_WALK, fuel_left())
        looked = 0
        undecided = ""
        try:
            for candidate, value in dict.items(mapping):
                if looked == most:
                    break
                looked += 1
                if candidate is key or (same := _is_key(candidate, key)):
                    burn(looked)
                    return value
                if same is None:
                    undecided = undecided or layout_of(type(candidate)).name
        except RuntimeError as error:  # "dictionary changed size during iteration"
            if not expected(error, RuntimeError):
                raise
            burn(looked)
            continue
        return _absent(key, looked, size, undecided)
    raise Unknown("another thread kept changing the dictionary while it was read")


def _is_key(candidate: Any, key: Any) -> bool | None:
    kind = type(key)
    if type(candidate) is not kind:
        return equals(candidate, key)
    if identity(kind) in _TEXTS and len(candidate) == len(key) > MAX_KEY:
        return None
    return bool(candidate == key)


def _absent(key: object, looked: int, size: int, undecided: str) -> object:
    """Return `MISSING` if the walk proved that, else raise `Unknown`."""
    if looked < min(size, MAX_WALK):
        burn(MAX_WALK)  # it was the fuel that ended the walk
    burn(looked)
    if looked < size:
        raise Unknown(f"{shown(key)} is not among the first {MAX_WALK:,} keys")
    if undecided in {"str", "bytes"}:
        raise Unknown(f"keys of more than {MAX_KEY:,} are too long to compare")
    if undecided:
        reason = f"whether a {undecided} is the key {shown(key)} is decided by its own code"
        raise Unknown(reason)
    return MISSING


def equals(value: object, wanted: object) -> bool | None:
    """Tell whether `value` equals an exact plain value; None when only its code could tell."""
    mine = unwrapped(value)
    if mine is not MISSING:
        kind = type(wanted)
        if type(mine) is kind or (
            identity(type(mine)) in _NUMBERS and identity(kind) in _NUMBERS
        ):
            return mine == wanted
        return False
    layout = layout_of(type(value))
    if identity(layout.base) in _UNLIKE and not layout.overrides & _COMPARING:
        return False
    if layout.find("__eq__") is _OBJECT_EQ and layout.find("__ne__") is _OBJECT_NE:
        return False
    return None


def unwrapped(value: object) -> object:
    """Return `value` as an exact plain value, or `MISSING` when it is none.

    An instance of a subclass that compares or hashes with code of its own is none.
    """
    kind = type(value)
    if identity(kind) in _PLAIN:
        return value
    layout = layout_of(kind)
    if layout.overrides & _COMPARING or member_rule(value, layout) is not None:
        return MISSING
    try:
        return plain(value)
    except Exhausted:
        raise
    except Unknown:
        return MISSING


def plain(obj: Any) -> Plain:
    """Return the exact builtin value that `obj` is, or is an instance of a subclass of."""
    if identity(type(obj)) in _PLAIN:
        return obj  # type: ignore[no-any-return]
    layout = layout_of(type(obj))
    base: Any = layout.base
    if base is int:
        if int.bit_length(obj) > MAX_COPY:
            raise Unknown(f"a {layout.name} of more than {MAX_COPY:,} bits is too long to copy")
        return int.__int__(obj)
    if base is float:
        return float.__float__(obj)
    if identity(base) not in _TEXTS:
        raise Unknown(f"a {layout.name} is not a plain value")
    burn(base.__len__(obj) // UNIT_CHARS)
    if base.__len__(obj) > MAX_COPY:
        raise Unknown(f"a {layout.name} of more than {MAX_COPY:,} is too long to copy")
    return base.__getitem__(obj, slice(None))  # type: ignore[no-any-return]


def length(obj: object) -> int:
    """Return how many items, characters or bytes a builtin container holds."""
    layout = layout_of(type(obj))
    base: Any = layout.base
    if base not in _SIZED or "__len__" in layout.overrides:
        if is_builtin(obj):
            raise Impossible(f"a {layout.name} has no length")
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
