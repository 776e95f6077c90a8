"""How rows and objects of SQLAlchemy and Django read: what is loaded, never what is not.

An attribute that is not loaded is fetched by a query when somebody asks for it. So nobody
asks: what is loaded lies in the object's own dictionary, and of the rest the name is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline.agent.capture.reading import INSIDE, Read
from leadline.agent.capture.recognition import getter, held, in_module, inherits, slot
from leadline.expression.layout import MISSING, Layout, layout_of
from leadline.expression.reading import entry
from leadline.expression.unknown import Unknown
from leadline.wire.value import SESSION_ELSEWHERE, Omission, Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

_STATE = "_sa_instance_state"
_ORM = frozenset((_STATE,))
_DJANGO = frozenset(("_state",))
MAX_COLUMNS = 200
"""Columns of one class that are looked through for what is not loaded."""


def mapped(layout: Layout) -> bool:
    """Tell whether SQLAlchemy has instrumented a class: any class can be."""
    manager = layout.find("_sa_class_manager")
    if manager is MISSING:
        return False
    known = in_module("sqlalchemy.orm.instrumentation", "ClassManager")
    return inherits(layout_of(type(manager)), known)


def orm(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    captured = walk.fields(value, layout, level, _ORM)
    state = held(value, layout, _STATE)
    inner = layout_of(type(state))
    if not inherits(inner, in_module("sqlalchemy.orm.state", "InstanceState")):
        return captured
    walk.fact(captured, "state", _orm_state(state, inner), level)
    unloaded = _unloaded(value, layout, layout.find("_sa_class_manager"))
    if unloaded:
        walk.fact(
            captured, "expired" if _expired(state, inner) else "unloaded", unloaded, level
        )
    return captured


def _orm_state(state: object, layout: Layout) -> str:
    key, session, deleted = (
        held(state, layout, it) for it in ("key", "session_id", "_deleted")
    )
    attached = is_attached(session)
    if key is MISSING or key is None:
        return "pending" if attached else "transient"
    if deleted is True:
        return "deleted"
    return "persistent" if attached else "detached"


def is_attached(number: object) -> bool:
    """Tell whether the number of a session is that of one that lives, or lived where an object
    was kept that is made again here."""
    return type(number) is int and (number == SESSION_ELSEWHERE or _session_open(number))


def _session_open(number: int) -> bool:
    sessions = in_module("sqlalchemy.orm.session", "_sessions")
    kept = held(sessions, layout_of(type(sessions)), "data")
    if type(kept) is not dict:
        return True
    try:
        return entry(kept, number) is not MISSING
    except Unknown:
        return True


def _expired(state: object, layout: Layout) -> bool:
    return held(state, layout, "expired") is True


def _unloaded(value: object, layout: Layout, manager: Any) -> list[str]:
    """Return the mapped attributes that the object does not hold."""
    inner = layout_of(type(manager))
    if inner.base is not dict or dict.__len__(manager) > MAX_COLUMNS:
        return []
    names = [name for name in list(dict.keys(manager)) if type(name) is str]
    return [name for name in names if held(value, layout, name) is MISSING]


def row(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    """Return the form of a result's row: values by the names of their columns."""
    parts, parent = getter(layout, cls, "_data"), getter(layout, cls, "_parent")
    if parts is None or parent is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        found = slot(parts, value)
        if type(found) is not tuple:
            return {"type": layout.name, "omitted": Omission.OPAQUE}
        names = columns_of(slot(parent, value))
        if len(names) != len(found):
            shown: dict[str, Value] = walk.row(found, layout_of(tuple), level)
            return shown | {"type": layout.name}
        captured: dict[str, Value] = {"type": layout.name, "fields": {}}
        pairs = zip(names, found, strict=True)
        return captured | walk.each(pairs, walk.field(captured, level))

    return read, INSIDE


def columns_of(metadata: object) -> list[str]:
    """Return the names of a result's columns, or none where they are kept otherwise."""
    layout = layout_of(type(metadata))
    keys: Any = held(metadata, layout, "_keys")
    for name, read in layout.slots:
        if name == "_keys":
            keys = slot(read, metadata)
    inner: Any = layout_of(type(keys)).base
    if inner is not list and inner is not tuple:
        return []
    names = list(inner.__iter__(keys))
    return names if all(type(name) is str for name in names) else []


def django(_: Layout, __: type) -> tuple[Read, bool]:
    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        captured = walk.fields(value, layout, level, _DJANGO)
        state = held(value, layout, "_state")
        inner = layout_of(type(state))
        adding = held(state, inner, "adding")
        if adding is MISSING:
            adding = inner.find("adding")  # the class' own says so of what was never saved
        if type(adding) is bool:
            walk.fact(captured, "state", "not saved" if adding else "saved", level)
        if deferred := _deferred(value, layout):
            walk.fact(captured, "deferred", deferred, level)
        return captured

    return read, INSIDE


def _deferred(value: object, layout: Layout) -> list[str]:
    """Return the columns that asking for would fetch, if Django has listed the columns."""
    options = layout.find("_meta")
    fields: Any = held(options, layout_of(type(options)), "concrete_fields")
    inner: Any = layout_of(type(fields)).base
    if inner is not tuple and inner is not list:
        return []
    names: list[str] = []
    for field in list(inner.__iter__(fields))[:MAX_COLUMNS]:
        name = held(field, layout_of(type(field)), "attname")
        if type(name) is str and held(value, layout, name) is MISSING:
            names.append(name)
    return names


def query_set(_: Layout, __: type) -> tuple[Read, bool]:
    """Return the form of a query: the rows that it has fetched, or that it has not run."""

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        fetched = held(value, layout, "_result_cache")
        model = held(value, layout, "model")
        captured: dict[str, Value] = {"type": layout.name}
        if type(fetched) is list:
            captured = walk.row(fetched, layout_of(list), level) | {"type": layout.name}
        else:
            captured["omitted"] = Omission.UNEVALUATED
        if model is not MISSING and model is not None:
            walk.fact(captured, "model", model, level)
        return captured

    return read, INSIDE


def lazy(_: Layout, __: type) -> tuple[Read, bool]:
    """Return the form of Django's lazy objects, such as `request.user`."""

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        inner = held(value, layout, "_wrapped")
        if inner is MISSING or inner is in_module("django.utils.functional", "empty"):
            return {"type": layout.name, "omitted": Omission.UNEVALUATED}
        captured: dict[str, Value] = {"type": layout.name}
        walk.fact(captured, "value", inner, level)
        return captured

    return read, INSIDE
