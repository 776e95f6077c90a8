"""How instances of classes of the interpreter and of well-known libraries are read, to be
written down by value.

As for the readable forms (`forms`): a class of a library is known by the name that it claims,
if the process has that very class under that name, and only functions of C are used on it.
"""

from __future__ import annotations

import _weakref as weakref  # the module of that name is not loaded in every process
import datetime
import re
import types
from _random import Random as NativeRandom
from collections.abc import Mapping
from contextvars import Context
from typing import TYPE_CHECKING, Any

from leadline.agent.capture import kept_arrays, kept_standard, kept_streams, kept_views
from leadline.agent.capture.holding import (
    Extra,
    Maker,
    Node,
    Reader,
    Take,
    article,
    hidden_state,
    named,
    opaque,
    plain_maker,
)
from leadline.agent.capture.kept_values import entries
from leadline.agent.capture.naming import of_builtin
from leadline.agent.capture.numbers import MAX_DECIMAL_BYTES
from leadline.agent.capture.obstacle import Obstacle
from leadline.agent.capture.recognition import genuine, getter, held, method
from leadline.agent.capture.rows import is_attached
from leadline.expression.hiding import hidden_items
from leadline.expression.layout import Layout, exact, identity, layout_of
from leadline.wire.kept import IN_PROCESS, STAND_IN, WITHHELD
from leadline.wire.value import SESSION_ELSEWHERE

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper


def _fields(kind: type, names: str) -> Take:
    """Return what takes members that C code reads."""
    reads = tuple(vars(kind)[name].__get__ for name in names.split())

    def take(keeper: Keeper, value: Any, node: Node) -> None:
        node["i"] = [keeper.ref(read(value)) for read in reads]

    return take


_CLOCK = "hour minute second microsecond fold tzinfo"


def _datetime(keeper: Keeper, value: Any, node: Node) -> None:
    _day(keeper, value, node)
    day = node["i"]
    _time_of_day(keeper, value, node)
    node["i"] = day + node["i"]


_day = _fields(datetime.date, "year month day")
_time_of_day = _fields(datetime.datetime, _CLOCK)
_zone_parts: Any = vars(datetime.timezone)["__getinitargs__"]


def _timezone(keeper: Keeper, value: Any, node: Node) -> None:
    node["i"] = [keeper.ref(part) for part in _zone_parts(value)]


_error = vars(BaseException)
_ARGS, _CAUSE, _CONTEXT, _SUPPRESSED = (
    _error[name].__get__
    for name in ("args", "__cause__", "__context__", "__suppress_context__")
)


def _exception(keeper: Keeper, value: Any, node: Node) -> None:
    given = _ARGS(value)
    args: tuple[Any, ...] = given if type(given) is tuple else ()
    hidden = hidden_items(args, layout_of(tuple))
    node["i"] = [
        keeper.ref(_CAUSE(value)),
        keeper.ref(_CONTEXT(value)),
        _SUPPRESSED(value) is True,
        *(
            keeper.withheld(hidden[at], one) if at in hidden else keeper.ref(one)
            for at, one in enumerate(args)
        ),
    ]


def _error_maker(layout: Layout, base: type) -> Reader:
    """As `plain_maker`, but that memory beyond the slots belongs to the interpreter's own
    classes of errors: what they are made with is in the arguments, too."""
    group = any(cls is BaseExceptionGroup for cls in layout.order)
    extra = Extra(layout, BaseExceptionGroup if group else base)
    kind = "group" if group else "error"

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        node: Node = {"k": kind, "c": keeper.class_(layout.cls)}
        _exception(keeper, value, node)
        extra.add(keeper, value, node)
        return node

    return read


_METHOD_FUNCTION, _METHOD_SELF = (
    vars(types.MethodType)[name].__get__ for name in ("__func__", "__self__")
)
_BUILTIN_NAME, _BUILTIN_SELF = (
    vars(types.BuiltinFunctionType)[name].__get__ for name in ("__name__", "__self__")
)


def _method(keeper: Keeper, value: Any, node: Node) -> None:
    node["i"] = [keeper.ref(_METHOD_FUNCTION(value)), keeper.ref(_METHOD_SELF(value))]


def builtin(keeper: Keeper, value: Any, _: Layout) -> Node:
    """A function of C: of a module or class by its name, of an object by that object."""
    name = of_builtin(value) or keeper.landmarks.name_of(value)
    if name is not None:
        return named(keeper, name)
    owner = _BUILTIN_SELF(value)
    if owner is None:
        raise Obstacle("it is a builtin function that no module has under its name")
    called = exact(_BUILTIN_NAME(value))
    return {"k": "bound", "t": called, "i": [keeper.ref(owner)]}


_ALIAS_ORIGIN, _ALIAS_ARGS = (
    vars(types.GenericAlias)[name].__get__ for name in ("__origin__", "__args__")
)
_UNION_ARGS: Any = vars(types.UnionType)["__args__"].__get__


def _alias(keeper: Keeper, value: Any, node: Node) -> None:
    node["c"] = keeper.class_(types.GenericAlias)
    node["i"] = [keeper.ref(_ALIAS_ORIGIN(value)), keeper.ref(_ALIAS_ARGS(value))]


def _union(keeper: Keeper, value: Any, node: Node) -> None:
    node["i"] = [keeper.ref(one) for one in _UNION_ARGS(value)]


_random_state: Any = vars(NativeRandom)["getstate"]


def _random(layout: Layout, base: type) -> Reader:
    extra = Extra(layout, base)

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        name, _ = keeper.landmark(value)
        if name is not None:
            return named(keeper, name)
        node: Node = {"k": "random", "c": keeper.class_(layout.cls)}
        node["i"] = [keeper.ref(_random_state(value))]
        extra.add(keeper, value, node)
        return node

    return read


_MATCH_PARTS = tuple(
    vars(re.Match)[name].__get__ for name in ("re", "string", "pos", "endpos", "regs")
)


def _match(layout: Layout, cls: type) -> Reader | None:
    def take(keeper: Keeper, value: Any, node: Node) -> None:
        pattern, text, first, last, spans = (read(value) for read in _MATCH_PARTS)
        node["i"] = [keeper.ref(pattern), keeper.ref(text)]
        node["n"] = [first, last, *(at for span in spans for at in span)]
        keeper.left -= 8 * len(node["n"])

    return plain_maker("match", take)(layout, cls)


_call_ref: Any = vars(weakref.ref)["__call__"]


def _weak(keeper: Keeper, value: Any, node: Node) -> None:
    node["i"] = [keeper.ref(_call_ref(value))]


def _range_like(kind: type) -> Take:
    return _fields(kind, "start stop step")


BUILTIN: tuple[tuple[type, Maker], ...] = (
    *kept_views.BUILTIN,
    (datetime.datetime, plain_maker("datetime", _datetime)),
    (datetime.date, plain_maker("date", _day)),
    (datetime.time, plain_maker("time", _fields(datetime.time, _CLOCK))),
    (
        datetime.timedelta,
        plain_maker("timedelta", _fields(datetime.timedelta, "days seconds microseconds")),
    ),
    (datetime.timezone, plain_maker("timezone", _timezone)),
    (range, plain_maker("range", _range_like(range))),
    (slice, plain_maker("slice", _range_like(slice))),
    (types.MethodType, plain_maker("method", _method)),
    (weakref.ref, plain_maker("weak", _weak)),
    (types.GenericAlias, plain_maker("made", _alias)),
    (types.UnionType, plain_maker("union", _union)),
    (_random_state.__objclass__, _random),
    (BaseException, _error_maker),
)


def _decimal(layout: Layout, cls: type) -> Reader | None:
    text, size = method(layout, cls, "__str__"), method(layout, cls, "__sizeof__")
    if text is None or size is None:
        return None

    def take(keeper: Keeper, value: Any, node: Node) -> None:
        if size(value) > min(MAX_DECIMAL_BYTES, keeper.left):
            raise Obstacle("it is a number with too many digits")
        # in a context of its own: asking would make one of decimal's for this thread
        node["t"] = Context().run(text, value)
        keeper.left -= len(node["t"])

    return plain_maker("decimal", take)(layout, cls)


def _zone(layout: Layout, cls: type) -> Reader | None:
    key = getter(layout, cls, "key")
    if key is None:
        return None

    def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
        name = key(value)
        if type(name) is not str:
            raise Obstacle("it is a time zone without a name")
        return {"k": "zone", "c": keeper.class_(layout.cls), "t": name}

    return read


class Lacking:
    """Reads objects that are written down without some names."""

    __slots__ = ("extra",)

    def __init__(self, layout: Layout, names: frozenset[str]) -> None:
        self.extra = Extra(layout, object, names)

    def __call__(self, keeper: Keeper, value: Any, layout: Layout) -> Node:
        node: Node = {"k": "object", "c": keeper.class_(layout.cls)}
        self.extra.add(keeper, value, node)
        return node


def _lacking(*names: str) -> Any:
    def make(layout: Layout, _: type) -> Reader | None:
        return opaque if hidden_state(layout, object) else Lacking(layout, frozenset(names))

    return make


_path = _lacking("_hash")
"""The hash that a path remembers is of this process."""
_SESSION = "session_id"


class _OrmState(Lacking):
    """Reads what SQLAlchemy knows of an object: without its session, and that it had one. What
    is not loaded cannot be fetched where the call is made again."""

    __slots__ = ()

    def __call__(self, keeper: Keeper, value: Any, layout: Layout) -> Node:
        node = super().__call__(keeper, value, layout)
        if is_attached(held(value, layout, _SESSION)):
            node.setdefault("a", {})[_SESSION] = SESSION_ELSEWHERE
        return node


def _orm_state(layout: Layout, _: type) -> Reader | None:
    return opaque if hidden_state(layout, object) else _OrmState(layout, _NOT_KEPT)


_NOT_KEPT = frozenset(
    (
        *(_SESSION, "runid", "load_path", "load_options", "insert_order"),
        *("_instance_dict", "_strong_obj", "mapper"),
    )
)
"""What is of a session, and how its class is mapped, which the state remembers once asked."""


def _pattern(layout: Layout, cls: type) -> Reader | None:
    return plain_maker("pattern", _fields(re.Pattern, "pattern flags"))(layout, cls)


def _factory(layout: Layout, cls: type) -> Reader | None:
    factory = getter(layout, cls, "default_factory")
    if factory is None:
        return None

    def take(keeper: Keeper, value: Any, node: Node) -> None:
        node["i"] = [keeper.ref(factory(value))]
        entries(keeper, value, node)

    return plain_maker("defaultdict", take)(layout, cls)


def _partial(layout: Layout, cls: type) -> Reader | None:
    parts = [getter(layout, cls, name) for name in ("func", "args", "keywords")]
    if None in parts:
        return None

    def take(keeper: Keeper, value: Any, node: Node) -> None:
        node["i"] = [keeper.ref(read(value)) for read in parts if read is not None]

    return plain_maker("partial", take)(layout, cls)


class Lock:
    """Reads locks of one kind: whether one is held is of its process."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, keeper: Keeper, value: Any, _: Layout) -> Node:
        name = keeper.landmarks.name_of(value)
        return named(keeper, name) if name is not None else {"k": self.kind}


def _lock(kind: str) -> Maker:
    lock = Lock(kind)
    return lambda _, __: lock


def _refused(_: Layout, __: type) -> Reader | None:
    return opaque


def _read_stand_in(keeper: Keeper, value: Any, layout: Layout) -> Node:
    """In a sealed process: what stands for a value that was held back before."""
    slots = dict(layout.slots)
    rule, name = slots["rule"](value), slots["type_name"](value)
    if not rule:
        return {"k": WITHHELD}
    node: Node = {"k": WITHHELD, "t": name, "rule": rule}
    if rule != IN_PROCESS:
        keeper.hidden.add(len(keeper.nodes))
    return node


def _stand_in(_: Layout, __: type) -> Reader | None:
    return _read_stand_in


_CLAIMED: Mapping[str, Any] = {
    "decimal.Decimal": _decimal,
    "zoneinfo.ZoneInfo": _zone,
    "pathlib.PurePath": _path,
    "pathlib._local.PurePath": _path,
    "re.Pattern": _pattern,
    "re.Match": _match,
    "collections.defaultdict": _factory,
    "functools.partial": _partial,
    "sqlalchemy.orm.state.InstanceState": _orm_state,
    "sqlalchemy.engine._row_cy.BaseRow": kept_arrays.row,
    "sqlalchemy.cyextension.resultproxy.BaseRow": kept_arrays.row,
    "array.array": kept_arrays.array,
    "numpy.ndarray": kept_arrays.ndarray,
    "numpy.generic": kept_arrays.scalar,
    "numpy.dtype": kept_arrays.dtype,
    "pandas.DataFrame": kept_arrays.frame,
    "pandas.core.frame.DataFrame": kept_arrays.frame,
    "pandas.Series": kept_arrays.series,
    "pandas.core.series.Series": kept_arrays.series,
    "pandas.Index": kept_arrays.index,
    "pandas.core.indexes.base.Index": kept_arrays.index,
    "pandas._libs.arrays.NDArrayBacked": kept_arrays.backed,
    "_thread.lock": _lock("lock"),
    "_thread.RLock": _lock("rlock"),
    "_io.StringIO": kept_streams.in_memory("text_stream"),
    "_io.BytesIO": kept_streams.in_memory("byte_stream"),
    "_io.TextIOWrapper": kept_streams.text,
    "_io._IOBase": kept_streams.of_system,
    "xml.etree.ElementTree.Element": kept_standard.element,
    "operator.attrgetter": kept_standard.operation,
    "operator.itemgetter": kept_standard.operation,
    "operator.methodcaller": kept_standard.operation,
    "logging.Logger": kept_standard.logger,
    "sqlite3.Row": kept_standard.sql_row,
    STAND_IN: _stand_in,
    "threading.Thread": _refused,
    "concurrent.futures.thread.ThreadPoolExecutor": kept_standard.executor,
    "concurrent.futures._base.Executor": _refused,
    "asyncio.events.AbstractEventLoop": _refused,
    "subprocess.Popen": _refused,
}


def form_of(layout: Layout) -> tuple[Reader | None, bool]:
    """Return the reader of a class that has one of its own, and whether that is settled: it is
    not while the module that the class claims to be of may still be on its way in."""
    settled = True
    for cls, dotted in zip(layout.order, layout.names, strict=True):
        maker = _CLAIMED.get(dotted)
        if maker is None:
            continue
        if identity(cls) in _NATIVE or genuine(cls, dotted) or _is_lock(layout, cls, dotted):
            return maker(layout, cls), True
        settled = False
    return None, settled


def _is_lock(layout: Layout, cls: type, dotted: str) -> bool:
    """Tell whether a class is the interpreter's lock, which 3.12 has under no name: one that
    is written in C cannot be passed off."""
    return dotted == "_thread.lock" and method(layout, cls, "acquire_lock") is not None


_NATIVE = frozenset(map(identity, (re.Pattern, re.Match)))

__all__ = ["BUILTIN", "article", "builtin", "form_of"]
