"""Kept arguments as Python source that makes them again, for a test that stands by itself."""

import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any

from leadline.wire.gateway import SERVED, Piece
from leadline.wire.kept import WITHHELD
from leadline.wire.struct import dataclass, field

_MAX_NODES = 2_000
"""Of one test: a file that is longer nobody reads."""
_BODY = "the body of a request that was not seen whole"


class NotLiteral(Exception):  # noqa: N818 - an answer, and no failure
    """It cannot be written down as source; the text says what."""


@dataclass(frozen=True, slots=True)
class Source:
    """`lines` make the objects, `roots` are the expressions of the arguments by name, and
    `helpers` are functions that these call. Where it `is_served`, a name in it is `response`,
    of the class in `verify.requests`."""

    imports: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    roots: dict[str, str] = field(default_factory=dict)
    is_served: bool = False


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
_LIKE = """def _like(cls, base, value, **held):
    if base in (dict, list, set):
        made = base.__new__(cls)
        (list.extend if base is list else base.update)(made, value)
    else:
        made = base.__new__(cls, value)
    for name, one in held.items():
        object.__setattr__(made, name, one)
    return made"""
_OF_CLASSES = {"object", "member", "zone", "error"}
_SUBCLASSED = {
    *("dict", "list", "set", "tuple", "frozenset"),
    *("str", "bytes", "int", "float"),
}
_LITERAL = {"complex", "tuple", "frozenset", "int", "float", "str", "bytes", "member", "name"}


def arguments_source(document: dict[str, Any], called: str = "given", main: str = "") -> Source:
    """Return the source that makes the arguments; names in it begin with what they are
    `called`. `main` is the name under which the program itself can be imported. Raises
    `NotLiteral`."""
    writer = _Writer(document["nodes"], called, main)
    roots = {name: writer.ref(ref) for name, ref in document["roots"].items()}
    imports, helpers = sorted(writer.imports), list(writer.helpers)
    return Source(imports, helpers, writer.lines, roots, writer.is_served)


type _Write = Callable[["_Writer", dict[str, Any]], str]


class _Writer:
    def __init__(self, nodes: list[dict[str, Any]], called: str, main: str) -> None:
        self._nodes, self._called, self._main = nodes, called, main
        self._named: dict[int, str] = {}
        self._open: set[int] = set()
        self._shared = _shared(nodes)
        self._written = 0
        self.is_served = False
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
        self._written += 1
        if self._written > _MAX_NODES:
            raise NotLiteral(f"arguments of more than {_MAX_NODES:,} objects")
        if why := why_unwritten(node):
            raise NotLiteral(why)
        text = _WRITERS[node["k"]](self, node)
        if node["k"] in _SUBCLASSED and "c" in node:
            self.helpers[_LIKE] = None
            return f"_like({self.ref([node['c']])}, {node['k']}, {text}{self.held(node)})"
        return text

    def held(self, node: dict[str, Any]) -> str:
        """Return the attributes of an object as keywords, each with a comma before it."""
        return "".join(f", {name}={self.ref(one)}" for name, one in _held(node).items())

    def object(self, node: dict[str, Any]) -> str:
        self.helpers[_MAKE] = None
        return f"_new({self.ref([node['c']])}{self.held(node)})"

    def error(self, node: dict[str, Any]) -> str:
        self.helpers[_RAISE] = None
        cls = self.ref([node["c"]]) if "c" in node else "Exception"
        held = (f"{name!r}: {self.ref(one)}" for name, one in _held(node).items())
        return f"_error({cls}, {self.items(node)}, held={{{', '.join(held)}}})"

    def name(self, node: dict[str, Any]) -> str:
        module, name = node["m"], node["t"]
        if module == "__main__":
            if not self._main:
                raise NotLiteral("what the program itself holds, which nobody can import")
            module = self._main
        if module == "builtins":
            return str(name)
        self.imports.add(f"import {module}")
        return f"{module}.{name}"

    def served(self, node: dict[str, Any]) -> str:
        """What stands for a piece of the server's."""
        match node["t"]:
            case Piece.START_RESPONSE:
                found = "response.begin"
            case Piece.SEND:
                found = "response.send"
            case Piece.RECEIVE:
                found = f"response.receiving({self._body(node)})"
            case Piece.INPUT:
                self.imports.add("import io")
                return f"io.BytesIO({self._body(node)})"
            case _:
                self.imports.add("import sys")
                return "sys.stderr"
        self.is_served = True
        return found

    def _body(self, node: dict[str, Any]) -> str:
        return self.ref(node["i"][0])

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


def _complex(_: _Writer, node: dict[str, Any]) -> str:
    return f"complex({', '.join(f'float({one!r})' for one in node['t'].split(' '))})"


def _datetime(writer: _Writer, node: dict[str, Any]) -> str:
    *parts, fold, zone = (writer.ref(one) for one in node["i"])
    more = f", tzinfo={zone}" if zone != "None" else ""
    more += f", fold={fold}" if fold != "0" else ""
    return f"datetime.{node['k']}({', '.join(parts)}{more})"


def _byte_stream(writer: _Writer, node: dict[str, Any]) -> str:
    return f"io.BytesIO({writer.ref(node['i'][0])})"


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
    SERVED: _Writer.served,
    "list": lambda writer, node: f"[{writer.items(node)}]",
    "tuple": _tuple,
    "set": lambda writer, node: f"set([{writer.items(node)}])",
    "frozenset": lambda writer, node: f"frozenset([{writer.items(node)}])",
    "dict": _dict,
    "member": _member,
    "str": lambda _, node: repr(node["t"]),
    "int": lambda _, node: repr(int(node["t"], 16)),
    "float": lambda _, node: f"float({node['t']!r})",
    "complex": _complex,
    "bytes": _bytes,
    "decimal": _imported("decimal", lambda _, node: f"decimal.Decimal({node['t']!r})"),
    "datetime": _imported("datetime", _datetime),
    "time": _imported("datetime", _datetime),
    "timezone": _imported(
        "datetime", lambda one, node: f"datetime.timezone({one.items(node)})"
    ),
    "zone": lambda writer, node: f"{writer.ref([node['c']])}({node['t']!r})",
    "byte_stream": _imported("io", _byte_stream),
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


def why_unwritten(node: dict[str, Any]) -> str:
    """Return why there is no source of a node, whatever it leads to; empty where there is."""
    kind = node["k"]
    if kind == WITHHELD:
        return "a value that was held back"
    if kind not in _WRITERS:
        return f"a {kind}"
    if kind not in _OF_CLASSES | _SUBCLASSED:
        if "c" in node:
            return f"a subclass of {kind}"
    elif kind == "object" and "c" not in node:
        return "an object without a class of its own"
    if kind in {"object", *_SUBCLASSED} and not all(map(str.isidentifier, _held(node))):
        return "an attribute that is no name"
    if kind == "name" and not re.fullmatch(r"[\w.]+", node["t"]):
        return f"a module or {node['t']}"
    if kind == "byte_stream" and node["i"][1:] != [0, None]:
        return "a stream that was read from"
    is_read = kind == SERVED and node["t"] in (Piece.RECEIVE, Piece.INPUT)
    return _BODY if is_read and not node.get("i", (None, False))[1] else ""


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
