"""How SQLAlchemy maps a class: what each object of it leads to, and none has for itself.

It leads on to all tables, all other mapped classes and all that listens to them. As the class
itself it is a module's and is compared there, so that of an object only its name is told.
"""

from types import FunctionType
from typing import Any

from leadline.agent.place.digests import digest
from leadline.agent.place.parts import by_class
from leadline.expression.layout import layout_of

_MANAGER = "_sa_class_manager"
_KINDS = {
    "sqlalchemy.orm.instrumentation.ClassManager": "manager",
    "sqlalchemy.orm.mapper.Mapper": "mapper",
    "sqlalchemy.orm.attributes.AttributeImpl": "attribute",
    "sqlalchemy.orm.attributes._AttributeImpl": "attribute",
    "sqlalchemy.orm.collections.CollectionAdapter": "collection",
    "sqlalchemy.orm.attributes.QueryableAttribute": "column",
    "sqlalchemy.orm.interfaces.MapperProperty": "property",
    "sqlalchemy.orm.attributes.AttributeEventToken": "token",
    "sqlalchemy.orm.attributes.Event": "token",
}

_REMEMBERED = frozenset(("_EmptyListener", "AttributeEventToken", "Event"))
"""What tells that nobody listens to an event, and what an event is told by."""
_TABLES = frozenset(
    ("_memoized_keys", "_memoized_values", "_strings", "_proxy_index", "_strategies")
)
"""Where it keeps the names of these, what a mapper was asked for once, quoted names, which
column of one selectable is that of another, and in which ways a relation was loaded so far."""
_CACHE = "sqlalchemy.util._collections.LRUCache"
"""What an engine keeps compiled statements in."""
_METHOD = "memo"
"""The code of what stands for a method that was called once."""
_DISPATCH = "sqlalchemy.event.base._Dispatch"
"""Who listens to what happens to one object."""
_OF_SLOTS = "_memoized_attr_"
_MEMOS = frozenset(("memoized_property", "memoized_attribute", "_memoized_property"))


@by_class
def _kind(kind: type) -> str:
    names = layout_of(kind).names
    return next((_KINDS[name] for name in names if name in _KINDS), "")


def mapping_of(value: Any) -> str:
    """Return what a part of the mapping of a class is called; nothing for other objects, and
    for classes that functions have made: those are in no module."""
    kind = _kind(type(value))
    if not kind:
        return ""
    try:
        if kind == "collection":
            return _collection(value)
        if kind == "token":
            whose = mapping_of(value.impl)
            return f"{value.op.name} of {whose}" if whose else ""
        cls = value.parent.class_ if kind == "property" else value.class_
        manager: Any = vars(cls).get(_MANAGER)
        path = f"{cls.__module__}.{cls.__qualname__}"
        held: Any = manager if kind == "manager" else manager.mapper
        if kind in ("attribute", "column", "property"):
            path = f"{path}.{value.key}"
            column = dict.__getitem__(manager, value.key)
            ways = {"attribute": "impl", "property": "property"}
            held = getattr(column, ways[kind]) if kind in ways else column
    except Exception:  # noqa: BLE001 - it is not whole, or another version's
        return ""
    return f"{kind} of {path}" if held is value and "<locals>" not in path else ""


def is_remembered(holder: object, name: str, value: object, *, is_new: bool) -> bool:
    """Tell whether SQLAlchemy has put something on an object of its own when that was asked for
    it first, to have it the next time: nobody is told another thing for that."""
    if not _is_sqlalchemys(type(holder)):
        return False
    if name in _TABLES or _CACHE in layout_of(type(holder)).names:
        return True
    return is_new and (
        layout_of(type(value)).name in _REMEMBERED
        or name in _reckoned(type(holder))
        or (type(value) is FunctionType and value.__code__.co_name == _METHOD)
        or _hears_nobody(value)
    )


def _hears_nobody(value: object) -> bool:
    layout = layout_of(type(value))
    if _DISPATCH not in layout.names or layout.namespace is None:
        return False
    held: Any = layout.namespace(value)
    return all(layout_of(type(one)).name in _REMEMBERED for one in held.values())


@by_class
def _is_sqlalchemys(kind: type) -> bool:
    return layout_of(kind).module.startswith("sqlalchemy.")


@by_class
def _reckoned(kind: type) -> frozenset[str]:
    held = [
        (name, one)
        for base in layout_of(kind).order
        if _is_sqlalchemys(base)
        for name, one in vars(base).items()
    ]
    slots = {name.removeprefix(_OF_SLOTS) for name, _ in held if name.startswith(_OF_SLOTS)}
    return frozenset(slots | {name for name, one in held if _is_memo(type(one))})


@by_class
def _is_memo(kind: type) -> bool:
    return any(layout_of(one).name in _MEMOS for one in layout_of(kind).order)


def _collection(value: Any) -> str:
    """What stands between a list and the object that has it."""
    attribute, key = mapping_of(value.attr), value.owner_state.key
    owner = digest(repr(key[1])) if key is not None else "a new one"
    state = " (invalidated)" if value.invalidated else ""
    return f"collection{state} of {attribute} of {owner}" if attribute else ""
