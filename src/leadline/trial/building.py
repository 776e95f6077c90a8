"""How each kind of node of `wire.kept` is made again: what can be empty first as a shell, the
rest from its parts. For a sealed process; see `trial.rebuilding`.
"""

import binascii
import datetime
import logging
import re
import sys
import threading
import types
import weakref
import zoneinfo
from _random import Random as NativeRandom
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial, reduce
from operator import or_
from typing import Any

from leadline.expression.layout import layout_of
from leadline.trial import building_standard
from leadline.trial.building_arrays import ARRAYS
from leadline.trial.building_classes import CLASS, fill_class, new_class
from leadline.trial.building_functions import FUNCTION_SHELLS, FUNCTIONS
from leadline.trial.building_streams import FILLED_STREAMS, STREAMS, namespace_of_stream
from leadline.trial.dotted import by_name, refused
from leadline.trial.gateway import Asked, Exchange, stand_in
from leadline.wire.errors import RefusedError
from leadline.wire.gateway import SERVED
from leadline.wire.kept import WITHHELD

type Node = dict[str, Any]
type Make = Callable[[Site, Node], Any]


class Site:
    """The nodes of a document, and what has been built of them."""

    def __init__(self, nodes: list[Node], modules: Mapping[str, str]) -> None:
        self.nodes = nodes
        self.modules = modules
        self.built: list[Any] = [None] * len(nodes)
        self.before: dict[int, dict[str, Any]] = {}
        """What the objects that modules hold had in their dictionaries, by address."""
        self.classes: dict[int, type] = {}
        self.exchange = Exchange()

    def get(self, ref: Any) -> Any:
        """Return what a ref stands for. Texts are interned: code compares some with `is`."""
        if type(ref) is list:
            return self.built[ref[0]]
        return sys.intern(ref) if type(ref) is str else ref

    def items(self, node: Node) -> list[Any]:
        return [self.get(ref) for ref in node.get("i", ())]

    def by_name(self, module: str, name: str) -> Any:
        """Return what a module has under a dotted name, as it lies there."""
        return by_name(self.modules.get(module, module), name)

    def class_of(self, node: Node, otherwise: type = object) -> type:
        """Return the class of a node."""
        number = node.get("c")
        return otherwise if number is None else self.class_at(number)

    def class_at(self, number: int) -> type:
        """Return the class that a node is; one that a function has made begins empty."""
        cls = self.classes.get(number)
        if cls is None:
            named = self.nodes[number]
            if named["k"] == CLASS:
                cls = self.built[number] = self.classes[number] = new_class(self, named)
                return cls
            found = self.by_name(named.get("m", ""), named.get("t", ""))
            if not issubclass(type(found), type):
                raise refused(f"{named.get('m')}.{named.get('t')} is no class here")
            cls = self.classes[number] = found
        return cls


def new(cls: type) -> Any:
    """Make an empty instance by the `__new__` of the builtin class that it derives from."""
    return _new_of(cls)(cls)


def _new_of(cls: type) -> Any:
    for base in type.__dict__["__mro__"].__get__(cls):
        made = vars(base).get("__new__")
        if type(made) is types.BuiltinFunctionType:
            return made
    return object.__new__


def emptied(site: Site, node: Node) -> Any:
    """Return the object that a module holds, without what it holds here: it is given what it
    held there. What was withheld there stays as it is here."""
    try:
        found = site.by_name(*node["g"])
    except RefusedError:  # it is made where the program begins its work, as it does not here
        if node["k"] not in SHELLS:
            raise
        found = None
    if found is None and node["k"] in SHELLS:
        return _first(site, node)
    base = EMPTIED.get(node["k"])
    if base is not None:
        base.clear(found)
    namespace = layout_of(type(found)).namespace
    names = namespace(found) if namespace is not None else None
    if type(names) is dict:
        site.before[id(found)] = dict(names)
        names.clear()
    return found


def _first(site: Site, node: Node) -> Any:
    """Make what a module makes when it is first asked for, and has not made here: the one that
    was there has been."""
    made = SHELLS[node["k"]](site, node)
    module, name = node["g"]
    owner, _, last = name.rpartition(".")
    with suppress(RefusedError):
        setattr(site.by_name(module, owner), last, made)
    return made


def _stays(site: Site, ref: Any) -> bool:
    return type(ref) is list and site.nodes[ref[0]]["k"] == WITHHELD


EMPTIED: dict[str, Any] = {
    "dict": dict,
    "ordered": OrderedDict,
    "defaultdict": dict,
    "list": list,
    "set": set,
    "deque": deque,
}


def _put(site: Site, obj: Any, node: Node) -> None:
    put: Any = OrderedDict.__setitem__ if node["k"] == "ordered" else dict.__setitem__
    for key, ref in node["p"]:
        put(obj, site.get(key), site.get(ref))
    if node["k"] == "defaultdict":
        vars(defaultdict)["default_factory"].__set__(obj, site.get(node["i"][0]))


def _put_error(site: Site, obj: Any, node: Node) -> None:
    cause, context, suppressed, *args = site.items(node)
    members: Any = vars(BaseException)
    members["args"].__set__(obj, tuple(args))
    members["__cause__"].__set__(obj, cause)
    members["__context__"].__set__(obj, context)
    members["__suppress_context__"].__set__(obj, suppressed)


def _put_cell(site: Site, obj: Any, node: Node) -> None:
    for held in site.items(node):
        obj.cell_contents = held


_PUT: dict[str, Callable[[Site, Any, Node], None]] = {
    "list": lambda site, obj, node: list.extend(obj, site.items(node)),
    "set": lambda site, obj, node: set.update(obj, site.items(node)),
    "deque": lambda site, obj, node: deque.extend(obj, site.items(node)),
    "dict": _put,
    "ordered": _put,
    "defaultdict": _put,
    "error": _put_error,
    "group": _put_error,
    "cell": _put_cell,
    "element": lambda site, obj, node: obj.__setstate__(site.items(node)[0]),
    **FILLED_STREAMS,
}


def fill(site: Site, obj: Any, node: Node) -> None:
    """Put into an object what its node holds: items, entries, attributes, slots."""
    put = _PUT.get(node["k"])
    if put is not None:
        put(site, obj, node)
    if node["k"] == CLASS:
        fill_class(site, obj, node)
    elif "a" in node:
        _attributes(site, obj, node["a"])
    for name, ref in node.get("s", {}).items():
        if "g" in node and _stays(site, ref):
            continue
        _slot(obj, name, site.get(ref))


def _attributes(site: Site, obj: Any, held: dict[str, Any]) -> None:
    namespace = layout_of(type(obj)).namespace
    namespace = namespace or namespace_of_stream(type(obj))
    names = namespace(obj) if namespace is not None else None
    if type(names) is not dict:
        raise refused(f"a {type(obj).__name__} has no dictionary here")
    before = site.before.get(id(obj), {})
    for name, ref in held.items():
        if name in before and _stays(site, ref):
            names[name] = before[name]
        else:
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


def _group(site: Site, node: Node) -> Any:
    message, errors = site.items(node)[3:5]
    return BaseExceptionGroup.__new__(site.class_of(node), message, list(errors))


def _random(site: Site, node: Node) -> Any:
    made = new(site.class_of(node))
    vars(NativeRandom)["setstate"](made, site.items(node)[0])
    return made


def _match(site: Site, node: Node) -> Any:
    """Search again, in each way there is, until the groups are where they were."""
    pattern, text = site.items(node)
    first, last, *spans = node["n"]
    regs = tuple(zip(spans[::2], spans[1::2], strict=True))
    for search in (pattern.match, pattern.fullmatch, pattern.search):
        found = search(text, first, last)
        if found is not None and found.regs == regs:
            return found
    for found in pattern.finditer(text, first, last):
        if found.regs == regs:
            return found
    raise refused("a match of a pattern is not found again")


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


def _bytearray(site: Site, node: Node) -> Any:
    made: Any = bytearray.__new__(site.class_of(node, bytearray))
    bytearray.extend(made, _octets(node))
    return made


def _served(site: Site, node: Node) -> Any:
    asked = Asked(*site.items(node)) if "i" in node else None
    try:
        return stand_in(site.exchange, node["t"], asked)
    except ValueError:
        raise refused(f"no server gives {node['t']}") from None


def _zone(site: Site, node: Node) -> Any:
    cls = site.class_of(node, zoneinfo.ZoneInfo)
    return cls(node["t"])


SHELLS: dict[str, Make] = {
    **FUNCTION_SHELLS,
    **STREAMS,
    "object": _shell(object),
    "list": _shell(list),
    "set": _shell(set),
    "dict": _shell(dict),
    "ordered": _shell(OrderedDict),
    "defaultdict": _shell(defaultdict),
    "deque": _deque,
    "error": _error,
    "element": building_standard.element,
}
"""What can be referred to before it holds anything."""

MAKERS: dict[str, Make] = {
    **ARRAYS,
    **FUNCTIONS,
    "name": lambda site, node: site.by_name(node["m"], node["t"]),
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
    SERVED: _served,
    "range": lambda site, node: range(*site.items(node)),
    "slice": lambda site, node: slice(*site.items(node)),
    "proxy": lambda site, node: types.MappingProxyType(site.items(node)[0]),
    "keys": lambda site, node: dict.keys(site.items(node)[0]),
    "values": lambda site, node: dict.values(site.items(node)[0]),
    "items": lambda site, node: dict.items(site.items(node)[0]),
    "group": _group,
    "random": _random,
    "match": _match,
    "made": lambda site, node: site.class_of(node)(*site.items(node)),
    "union": lambda site, node: reduce(or_, site.items(node)),
    "method": lambda site, node: types.MethodType(*site.items(node)),
    "bound": lambda site, node: getattr(site.items(node)[0], node["t"]),
    "sql row": building_standard.sql_row,
    "executor": building_standard.executor,
    "weak": _weak,
    "iterator": _iterator,
    "reversed": _reversed,
    "decimal": _of(Decimal, lambda _, node: (node["t"],)),
    "pattern": lambda site, node: re.compile(*site.items(node)),
    "partial": _partial,
    "lock": lambda _, __: threading.Lock(),
    "rlock": lambda _, __: threading.RLock(),
    "logger": lambda _, node: logging.getLogger(node["t"]),
}
"""What is made from its parts, all of which are there."""
