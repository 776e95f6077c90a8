"""How each kind of node of `wire.kept` is made again: what can be empty first as a shell, the
rest from its parts. For a sealed process; see `trial.rebuilding`.
"""

import binascii
import contextlib
import datetime
import importlib
import io
import logging
import re
import sys
import threading
import types
import weakref
import zoneinfo
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from leadline.expression.layout import layout_of
from leadline.trial.building_arrays import ARRAYS
from leadline.trial.inner import LOCALS, codes_within
from leadline.wire.errors import RefusedError

type Node = dict[str, Any]
type Make = Callable[[Site, Node], Any]


def refused(sentence: str) -> RefusedError:
    """Return the error of arguments that cannot be made again here."""
    return RefusedError("not-rebuildable", f"The arguments cannot be rebuilt: {sentence}.")


class Site:
    """The nodes of a document, and what has been built of them."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.built: list[Any] = [None] * len(nodes)
        self._classes: dict[int, type] = {}

    def get(self, ref: Any) -> Any:
        """Return what a ref stands for. Texts are interned: code compares some with `is`."""
        if type(ref) is list:
            return self.built[ref[0]]
        return sys.intern(ref) if type(ref) is str else ref

    def items(self, node: Node) -> list[Any]:
        return [self.get(ref) for ref in node.get("i", ())]

    def class_of(self, node: Node, otherwise: type = object) -> type:
        """Return the class of a node."""
        number = node.get("c")
        if number is None:
            return otherwise
        cls = self._classes.get(number)
        if cls is None:
            named = self.nodes[number]
            found = by_name(named.get("m", ""), named.get("t", ""))
            if not issubclass(type(found), type):
                raise refused(f"{named.get('m')}.{named.get('t')} is no class here")
            cls = self._classes[number] = found
        return cls


def by_name(module: str, name: str) -> Any:
    """Return what a module has under a dotted name, as it lies there; imports the module."""
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise refused(f"{module} cannot be imported here ({error})") from error
    for step in name.split(".") if name else ():
        found = _step(found, step, f"{module}.{name}")
    return found


def _step(found: Any, step: str, whole: str) -> Any:
    if issubclass(type(found), type):
        for cls in type.__dict__["__mro__"].__get__(found):
            held = vars(cls).get(step, _NOTHING)
            if held is not _NOTHING:
                is_wrapped = type(held) in (classmethod, staticmethod)
                return held.__func__ if is_wrapped else held
    else:
        held = vars(found).get(step, _NOTHING)
        if held is not _NOTHING:
            return held
    try:
        return getattr(found, step)
    except AttributeError:
        raise refused(f"there is no {whole} here") from None


_NOTHING = object()


def new(cls: type) -> Any:
    """Make an empty instance by the `__new__` of the builtin class that it derives from."""
    return _new_of(cls)(cls)


def _new_of(cls: type) -> Any:
    for base in type.__dict__["__mro__"].__get__(cls):
        made = vars(base).get("__new__")
        if type(made) is types.BuiltinFunctionType:
            return made
    return object.__new__


def fill(site: Site, obj: Any, node: Node) -> None:
    """Put into an object what its node holds: items, entries, attributes, slots."""
    kind = node["k"]
    if kind == "list":
        list.extend(obj, site.items(node))
    elif kind == "set":
        set.update(obj, site.items(node))
    elif kind == "deque":
        deque.extend(obj, site.items(node))
    elif kind in ("dict", "ordered", "defaultdict"):
        put: Any = OrderedDict.__setitem__ if kind == "ordered" else dict.__setitem__
        for key, ref in node["p"]:
            put(obj, site.get(key), site.get(ref))
        if kind == "defaultdict":
            vars(defaultdict)["default_factory"].__set__(obj, site.get(node["i"][0]))
    elif kind == "cell":
        if node.get("i"):
            obj.cell_contents = site.items(node)[0]
    elif kind == "error":
        cause, context, suppressed, *args = site.items(node)
        members: Any = vars(BaseException)
        members["args"].__set__(obj, tuple(args))
        members["__cause__"].__set__(obj, cause)
        members["__context__"].__set__(obj, context)
        members["__suppress_context__"].__set__(obj, suppressed)
    if "a" in node:
        _attributes(site, obj, node["a"])
    for name, ref in node.get("s", {}).items():
        _slot(obj, name, site.get(ref))


def _attributes(site: Site, obj: Any, held: dict[str, Any]) -> None:
    namespace = layout_of(type(obj)).namespace
    names = namespace(obj) if namespace is not None else None
    if type(names) is not dict:
        raise refused(f"a {type(obj).__name__} has no dictionary here")
    for name, ref in held.items():
        names[sys.intern(name)] = site.get(ref)


def _slot(obj: Any, name: str, value: object) -> None:
    for cls in type.__dict__["__mro__"].__get__(type(obj)):
        member = vars(cls).get(name)
        if type(member) is types.MemberDescriptorType:
            member.__set__(obj, value)
            return
    raise refused(f"a {type(obj).__name__} has no slot {name} here")


def _shell(otherwise: type) -> Make:
    return lambda site, node: new(site.class_of(node, otherwise))


def _deque(site: Site, node: Node) -> Any:
    cls = site.class_of(node, deque)
    made: Any = deque.__new__(cls)
    deque.__init__(made, (), node.get("n"))
    return made


def _error(site: Site, node: Node) -> Any:
    return new(site.class_of(node))


def _text(site: Site, node: Node) -> str:
    if "b" in node:
        text = binascii.a2b_base64(node["b"]).decode("utf-32-le", "surrogatepass")
    else:
        text = node["t"]
    cls = site.class_of(node, str)
    return text if cls is str else str.__new__(cls, text)


def _octets(node: Node) -> bytes:
    return binascii.a2b_base64(node["b"]) if "b" in node else node["t"].encode("ascii")


def _of(base: Any, parts: Callable[[Site, Node], tuple[Any, ...]]) -> Make:
    """Return what makes an instance by the `__new__` of a builtin class from its parts."""
    return lambda site, node: base.__new__(site.class_of(node, base), *parts(site, node))


def _all(site: Site, node: Node) -> tuple[Any, ...]:
    return tuple(site.items(node))


def _complex(_: Site, node: Node) -> tuple[float, float]:
    real, imaginary = node["t"].split(" ")
    return float(real), float(imaginary)


def _member(site: Site, node: Node) -> Any:
    cls: Any = site.class_of(node)
    if "t" in node:
        return cls.__members__[node["t"]]
    return cls(site.get(node["i"][0]))


def _datetime(site: Site, node: Node) -> Any:
    year, month, day, hour, minute, second, microsecond, fold, zone = site.items(node)
    cls = site.class_of(node, datetime.datetime)
    clock = (hour, minute, second, microsecond, zone)
    return datetime.datetime.__new__(cls, year, month, day, *clock, fold=fold)


def _time(site: Site, node: Node) -> Any:
    hour, minute, second, microsecond, fold, zone = site.items(node)
    cls = site.class_of(node, datetime.time)
    return datetime.time.__new__(cls, hour, minute, second, microsecond, zone, fold=fold)


def _partial(site: Site, node: Node) -> Any:
    called, args, keywords = site.items(node)
    return partial.__new__(site.class_of(node, partial), called, *args, **keywords)


def _weak(site: Site, node: Node) -> Any:
    target = site.items(node)[0]
    if target is None:
        target = _Gone()
    return weakref.ref(target)


class _Gone:
    """Dies at once, so that a reference to it is one to nothing."""


def _function(site: Site, node: Node) -> Any:
    """Make a function anew that another one had made: of the code that is there now."""
    module, qualname, variables = node["m"], node["t"], node.get("v", [])
    defaults, named, *cells = site.items(node)
    outer = by_name(module, qualname.partition(LOCALS)[0])
    while type(outer) is types.FunctionType:
        found = list(codes_within(outer.__code__, qualname))
        if node.get("n", 0) < len(found):
            code = found[node.get("n", 0)]
            break
        outer = outer.__dict__.get("__wrapped__")
    else:
        raise refused(f"{module} has no {qualname} here")
    if sorted(code.co_freevars) != sorted(variables):
        raise refused(f"{qualname} closes over other variables here")
    held = dict(zip(variables, cells, strict=True))
    closure = [held[name] for name in code.co_freevars]
    whole = (one if type(one) is types.CellType else types.CellType(one) for one in closure)
    made = types.FunctionType(code, outer.__globals__, code.co_name, defaults, tuple(whole))
    made.__kwdefaults__ = named
    made.__module__ = module  # a decorator may have said another one
    return made


def _cell(_: Site, __: Node) -> Any:
    return types.CellType()


def _iterator(site: Site, node: Node) -> Any:
    over = site.items(node)[0]
    made = iter(over)
    if "n" in node:
        made.__setstate__(node["n"])
    return made


def _reversed(site: Site, node: Node) -> Any:
    made = reversed(site.items(node)[0])
    if "n" in node:
        made.__setstate__(node["n"])
    return made


def _sql_row(site: Site, node: Node) -> Any:
    """A row is made by a cursor that knows the columns: of a database of its own, in memory."""
    import sqlite3  # noqa: PLC0415 - only for those that have it loaded already

    names = [site.get(name).replace('"', '""') for name, _ in node["p"]]
    columns = ", ".join(f'null as "{name}"' for name in names)
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        cursor = database.execute(f"select {columns}")
        return sqlite3.Row(cursor, tuple(site.get(ref) for _, ref in node["p"]))


def _executor(_: Site, node: Node) -> Any:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - few need it

    return ThreadPoolExecutor(node["n"])


def _text_stream(site: Site, node: Node) -> Any:
    text, newline, position = site.items(node)
    made = io.StringIO(text, newline)
    made.seek(position)
    return made


def _byte_stream(site: Site, node: Node) -> Any:
    octets, position = site.items(node)
    made = io.BytesIO(octets)
    made.seek(position)
    return made


def _bytearray(site: Site, node: Node) -> Any:
    made: Any = bytearray.__new__(site.class_of(node, bytearray))
    bytearray.extend(made, _octets(node))
    return made


def _zone(site: Site, node: Node) -> Any:
    cls = site.class_of(node, zoneinfo.ZoneInfo)
    return cls(node["t"])


SHELLS: dict[str, Make] = {
    "object": _shell(object),
    "list": _shell(list),
    "set": _shell(set),
    "dict": _shell(dict),
    "ordered": _shell(OrderedDict),
    "defaultdict": _shell(defaultdict),
    "deque": _deque,
    "error": _error,
    "cell": _cell,
}
"""What can be referred to before it holds anything."""

MAKERS: dict[str, Make] = {
    **ARRAYS,
    "name": lambda _, node: by_name(node["m"], node["t"]),
    "member": _member,
    "str": _text,
    "bytes": _of(bytes, lambda _, node: (_octets(node),)),
    "bytearray": _bytearray,
    "int": _of(int, lambda _, node: (int(node["t"], 16),)),
    "float": _of(float, lambda _, node: (float(node["t"]),)),
    "complex": _of(complex, _complex),
    "tuple": _of(tuple, lambda site, node: (site.items(node),)),
    "frozenset": _of(frozenset, lambda site, node: (site.items(node),)),
    "date": _of(datetime.date, _all),
    "datetime": _datetime,
    "time": _time,
    "timedelta": _of(datetime.timedelta, _all),
    "timezone": lambda site, node: datetime.timezone(*site.items(node)),
    "zone": _zone,
    "range": lambda site, node: range(*site.items(node)),
    "slice": lambda site, node: slice(*site.items(node)),
    "proxy": lambda site, node: types.MappingProxyType(site.items(node)[0]),
    "keys": lambda site, node: dict.keys(site.items(node)[0]),
    "values": lambda site, node: dict.values(site.items(node)[0]),
    "items": lambda site, node: dict.items(site.items(node)[0]),
    "method": lambda site, node: types.MethodType(*site.items(node)),
    "bound": lambda site, node: getattr(site.items(node)[0], node["t"]),
    "function": _function,
    "sql row": _sql_row,
    "executor": _executor,
    "weak": _weak,
    "iterator": _iterator,
    "reversed": _reversed,
    "enumerate": lambda site, node: enumerate(*site.items(node)),
    "decimal": _of(Decimal, lambda _, node: (node["t"],)),
    "pattern": lambda site, node: re.compile(*site.items(node)),
    "partial": _partial,
    "lock": lambda _, __: threading.Lock(),
    "rlock": lambda _, __: threading.RLock(),
    "text stream": _text_stream,
    "byte stream": _byte_stream,
    "logger": lambda _, node: logging.getLogger(node["t"]),
}
"""What is made from its parts, all of which are there."""
