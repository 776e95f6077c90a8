"""Kept arguments as Python source that makes them again, for a test that stands by itself."""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any

from leadline.wire.gateway import SERVED
from leadline.wire.kept import WITHHELD
from leadline.wire.struct import dataclass, field

_MAX_NODES = 2_000
"""Of one test: a file that is longer nobody reads."""
_REQUEST = (
    "a request as its server hands it over; a function that it calls, as --entry, has one"
)


class NotLiteral(Exception):  # noqa: N818 - an answer, and no failure
    """It cannot be written down as source; the text says what."""


@dataclass(frozen=True, slots=True)
class Source:
    """`lines` make the objects, `roots` are the expressions of the arguments by name, and
    `helpers` are functions that these call."""

    imports: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    roots: dict[str, str] = field(default_factory=dict)


_MAKE = """def _new(cls, **held):
    made = object.__new__(cls)
    for name, value in held.items():
        object.__setattr__(made, name, value)
    return made"""
_RAISE = """def _error(cls, cause, context, suppresses, *args, held):
    made = cls.__new__(cls, *args)
    made.args, made.__cause__, made.__context__ = args, cause, context
    made.__suppress_context__ = suppresses
    for name, value in held.items():
        setattr(made, name, value)
    return made"""
_LITERAL = {"tuple", "frozenset", "int", "float", "str", "bytes", "member", "name"}


def arguments_source(document: dict[str, Any], called: str = "given") -> Source:
    """Return the source that makes the arguments; names in it begin with what they are
    `called`. Raises `NotLiteral`."""
    if len(document["nodes"]) > _MAX_NODES:
        raise NotLiteral(f"arguments of {len(document['nodes']):,} objects")
    writer = _Writer(document["nodes"], called)
    roots = {name: writer.ref(ref) for name, ref in document["roots"].items()}
    return Source(sorted(writer.imports), list(writer.helpers), writer.lines, roots)


type _Write = Callable[["_Writer", dict[str, Any]], str]


class _Writer:
    def __init__(self, nodes: list[dict[str, Any]], called: str) -> None:
        self._nodes, self._called = nodes, called
        self._named: dict[int, str] = {}
        self._open: set[int] = set()
        self._shared = _shared(nodes)
        self.imports: set[str] = set()
        self.lines: list[str] = []
        self.helpers: dict[str, None] = {}

    def ref(self, ref: Any) -> str:
        if type(ref) is not list:
            return repr(ref)
        number = ref[0]
        if number in self._named:
            return self._named[number]
        if number in self._open:
            raise NotLiteral("an object that leads to itself")
        self._open.add(number)
        text = self._node(self._nodes[number])
        self._open.discard(number)
        if number in self._shared or len(text) > 80:
            name = f"{self._called}_{len(self._named)}"
            self.lines.append(f"{name} = {text}")
            self._named[number] = name
            return name
        return text

    def _node(self, node: dict[str, Any]) -> str:
        kind = node["k"]
        if kind == WITHHELD:
            raise NotLiteral("a value that was held back")
        if kind == SERVED:
            raise NotLiteral(_REQUEST)
        if "c" in node and kind not in ("object", "member", "zone", "error"):
            raise NotLiteral(f"a subclass of {kind}")
        writes = _WRITERS.get(kind)
        if writes is None:
            raise NotLiteral(f"a {kind}")
        return writes(self, node)

    def object(self, node: dict[str, Any]) -> str:
        if "c" not in node:
            raise NotLiteral("an object without a class of its own")
        self.helpers[_MAKE] = None
        held = _held(node)
        if not all(name.isidentifier() for name in held):
            raise NotLiteral("an attribute that is no name")
        parts = [
            self.ref([node["c"]]),
            *(f"{name}={self.ref(one)}" for name, one in held.items()),
        ]
        return f"_new({', '.join(parts)})"

    def error(self, node: dict[str, Any]) -> str:
        self.helpers[_RAISE] = None
        cls = self.ref([node["c"]]) if "c" in node else "Exception"
        held = (f"{name!r}: {self.ref(one)}" for name, one in _held(node).items())
        return f"_error({cls}, {self.items(node)}, held={{{', '.join(held)}}})"

    def name(self, node: dict[str, Any]) -> str:
        module, name = node["m"], node["t"]
        if not name or not re.fullmatch(r"[\w.]+", name):
            raise NotLiteral(f"a module or {name}")
        if module == "builtins":
            return str(name)
        self.imports.add(f"import {module}")
        return f"{module}.{name}"

    def items(self, node: dict[str, Any]) -> str:
        return ", ".join(self.ref(one) for one in node.get("i", ()))


def _held(node: dict[str, Any]) -> dict[str, Any]:
    return {**node.get("a", {}), **node.get("s", {})}


def _tuple(writer: _Writer, node: dict[str, Any]) -> str:
    items = writer.items(node)
    return f"({items},)" if items else "()"


def _dict(writer: _Writer, node: dict[str, Any]) -> str:
    pairs = (f"{writer.ref(key)}: {writer.ref(value)}" for key, value in node["p"])
    return f"{{{', '.join(pairs)}}}"


def _member(writer: _Writer, node: dict[str, Any]) -> str:
    """Of flags several together have no name."""
    cls = writer.ref([node["c"]])
    return f"{cls}[{node['t']!r}]" if "t" in node else f"{cls}({writer.items(node)})"


def _bytes(_: _Writer, node: dict[str, Any]) -> str:
    return repr(b64decode(node["b"]) if "b" in node else node["t"].encode("ascii"))


def _datetime(writer: _Writer, node: dict[str, Any]) -> str:
    *parts, fold, zone = (writer.ref(one) for one in node["i"])
    more = f", tzinfo={zone}" if zone != "None" else ""
    more += f", fold={fold}" if fold != "0" else ""
    return f"datetime.{node['k']}({', '.join(parts)}{more})"


def _deque(writer: _Writer, node: dict[str, Any]) -> str:
    most = f", maxlen={node['n']}" if "n" in node else ""
    return f"collections.deque([{writer.items(node)}]{most})"


def _default_dict(writer: _Writer, node: dict[str, Any]) -> str:
    return f"collections.defaultdict({writer.items(node)}, {_dict(writer, node)})"


def _imported(module: str, write: _Write) -> _Write:
    def writes(writer: _Writer, node: dict[str, Any]) -> str:
        writer.imports.add(f"import {module}")
        return write(writer, node)

    return writes


_WRITERS: dict[str, _Write] = {
    "name": _Writer.name,
    "object": _Writer.object,
    "error": _Writer.error,
    "list": lambda writer, node: f"[{writer.items(node)}]",
    "tuple": _tuple,
    "set": lambda writer, node: f"set([{writer.items(node)}])",
    "frozenset": lambda writer, node: f"frozenset([{writer.items(node)}])",
    "dict": _dict,
    "member": _member,
    "int": lambda _, node: repr(int(node["t"], 16)),
    "float": lambda _, node: f"float({node['t']!r})",
    "bytes": _bytes,
    "decimal": _imported("decimal", lambda _, node: f"decimal.Decimal({node['t']!r})"),
    "datetime": _imported("datetime", _datetime),
    "time": _imported("datetime", _datetime),
    "timezone": _imported(
        "datetime", lambda one, node: f"datetime.timezone({one.items(node)})"
    ),
    "zone": lambda writer, node: f"{writer.ref([node['c']])}({node['t']!r})",
    "deque": _imported("collections", _deque),
    "defaultdict": _imported("collections", _default_dict),
    "ordered": _imported(
        "collections", lambda one, node: f"collections.OrderedDict({_dict(one, node)})"
    ),
    "pattern": _imported("re", lambda one, node: f"re.compile({one.items(node)})"),
    "range": lambda one, node: f"range({one.items(node)})",
    "bytearray": lambda one, node: f"bytearray({_bytes(one, node)})",
    "lock": _imported("threading", lambda _, __: "threading.Lock()"),
    "rlock": _imported("threading", lambda _, __: "threading.RLock()"),
    "date": _imported("datetime", lambda one, node: f"datetime.date({one.items(node)})"),
    "timedelta": _imported(
        "datetime", lambda one, node: f"datetime.timedelta({one.items(node)})"
    ),
}


def _shared(nodes: Iterable[dict[str, Any]]) -> set[int]:
    """Return the nodes that are reached by two ways, and are no names."""
    seen: set[int] = set()
    twice: set[int] = set()
    every = list(nodes)
    for node in every:
        refs = [*node.get("i", ()), *node.get("a", {}).values(), *node.get("s", {}).values()]
        refs += [one for pair in node.get("p", ()) for one in pair]
        for ref in refs:
            if type(ref) is list:
                (twice if ref[0] in seen else seen).add(ref[0])
    return {number for number in twice if every[number]["k"] not in _LITERAL}
