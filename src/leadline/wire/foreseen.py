"""What the arguments of a captured call would show at its end, had it changed nothing of them.

A call tells its arguments twice: by value as they were at its beginning (`wire.kept`), and
how they look at its end (`wire.value`). Most look as they were, and from the document it can
be told how that is. So a call travels with `[]` in the place of what looks as is foreseen, and
with `[position, value, ...]` where only some of what lies in it does not. Nothing is lost,
because whoever reads it foresees the same. Where it is not foreseen how a value looks, the
value travels as it is; no value is a list.
"""

import binascii
from typing import Any

from leadline.wire.errors import WireError
from leadline.wire.kept import IN_PROCESS, WITHHELD
from leadline.wire.packing import Allowance
from leadline.wire.value import RESOURCE, Form, Omission, Value

MAX_LEVELS = 8
"""As deep as an outcome is captured."""
MAX_TEXT = 4_096
"""The longest text of an outcome that is not cut."""
_MAX_DIGITS = 1_000
_MAX_VALUES = 20_000
"""Of one call that are foreseen for its reader: more than an outcome has."""
_VALUE_BYTES = 40
_BASES = {"ordered": "OrderedDict"}
_MAPPINGS = ("dict", "ordered")
_ROWS = ("list", "tuple", "set", "frozenset", "deque")
_OCTETS = ("bytes", "bytearray")
_BUILTIN = "builtin_function_or_method"
_THINGS = {
    "lock": "lock", "rlock": "RLock", "executor": "ThreadPoolExecutor", "weak": "ReferenceType",
}  # fmt: skip
"""Kinds that stand for something of the process."""
_IN_C = ("builtins", "_operator")
_TYPES = frozenset(
    """
    bool bytearray bytes classmethod complex dict float frozenset int list memoryview object
    property range set slice staticmethod str super tuple type
    """.split()
)
_RESOURCES = (
    "threading", "_thread", "_queue", "queue", "concurrent", "asyncio", "_asyncio", "uvloop",
    "selectors", "select", "socket", "_socket", "ssl", "_ssl", "sqlite3", "weakref", "_weakref",
    "_contextvars", "multiprocessing", "subprocess", "gevent", "greenlet",
)  # fmt: skip

type Head = tuple[dict[str, Any], str, list[tuple[Any, Any]]]
"""What is foreseen of a value itself, which member holds what lies in it, and the names or keys
of that with their refs."""


class _Unforeseen(Exception):  # noqa: N818 - no error: the value travels as it is
    pass


def folded(document: dict[str, Any], arguments: dict[str, Value]) -> dict[str, Value]:
    """Return arguments at the end of a call as they travel beside the document of those at its
    beginning."""
    fold, roots = _Fold(document["nodes"]), document["roots"]
    return {
        name: fold.fold(value, roots[name], 0) if name in roots else value
        for name, value in arguments.items()
    }


def unfolded(
    document: dict[str, Any], arguments: dict[str, Value], allowance: Allowance
) -> dict[str, Value]:
    """Return the arguments that travelled. Raises `WireError`."""
    fold, roots = _Fold(document["nodes"], allowance), document["roots"]
    try:
        return {
            name: fold.unfold(value, roots[name], 0) if name in roots else value
            for name, value in arguments.items()
        }
    except (_Unforeseen, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise WireError("What a call's arguments came to cannot be read.") from error


class _Fold:
    """One call: the nodes of its document, and those that the value in hand lies in."""

    __slots__ = ("allowance", "left", "nodes", "path")

    def __init__(self, nodes: list[Any], allowance: Allowance | None = None) -> None:
        self.nodes = nodes
        self.path: list[int] = []
        self.allowance = allowance or Allowance()
        self.left = _MAX_VALUES

    def fold(self, value: Value, ref: Any, level: int) -> Value:
        """Return a value as it travels, which began as what a ref stands for."""
        if type(ref) is not list:
            as_foreseen = type(value) is str and value == ref and len(value) <= MAX_TEXT
            return [] if as_foreseen else value
        try:
            own, part, inside = self.head(ref[0], level)
        except _Unforeseen:
            return value
        if type(value) is not dict or not part:
            return [] if _same(value, own) else value
        held = value.get(part)
        if held is None or value.get("type") != own["type"]:
            return value
        self.path.append(ref[0])
        rest, others = self._inside(held, part, inside, level)
        self.path.pop()
        alike = _same({name: one for name, one in value.items() if name != part}, own)
        return others if alike and others is not None else value | {part: rest}

    def _inside(
        self, held: Any, part: str, inside: list[tuple[Any, Any]], level: int
    ) -> tuple[Any, list[Any] | None]:
        """Return what lies in a value as it travels, and positions and values of what is not as
        foreseen; None where its names and keys are others."""
        pairs = list(_paired(held, part, inside))
        others: list[Any] = []
        named = len(pairs) == len(inside)
        rest: list[Any] = []
        for index, (name, one, known) in enumerate(pairs):
            if known is None:
                rest.append((name, one))
                named = False
                continue
            said = self.fold(one, known[1], level + 1)
            if said != [] and not (type(one) is not str and _same(one, known[1])):
                others += [index, said]
            key = name
            if part == "entries":
                key = self.fold(name, known[0], level + 1)
            named = named and (key == [] or (type(name) is not list and _same(name, known[0])))
            rest.append((key, said))
        return _put_together(rest, part), others if named else None

    def unfold(self, said: Any, ref: Any, level: int) -> Value:
        """Return a value that travelled."""
        if type(said) is list:
            return self.shown(ref, level, said)
        if type(said) is not dict or type(ref) is not list:
            return said
        try:
            own, part, inside = self.head(ref[0], level)
        except _Unforeseen:
            return said
        held = said.get(part) if part else None
        if held is None or said.get("type") != own["type"]:
            return said
        self.path.append(ref[0])
        rest: list[Any] = []
        for name, one, known in _paired(held, part, inside):
            if known is None:
                rest.append((name, one))
                continue
            key = self.unfold(name, known[0], level + 1) if part == "entries" else name
            rest.append((key, self.unfold(one, known[1], level + 1)))
        self.path.pop()
        return said | {part: _put_together(rest, part)}

    def shown(self, ref: Any, level: int, others: list[Any]) -> Value:
        """Return what is foreseen of what a ref stands for, but for some of what lies in it."""
        self.left -= 1
        if type(ref) is not list:
            self._spend(ref)
            return ref
        own, part, inside = self.head(ref[0], level)
        self._spend(own.get("text") if type(own) is dict else own)
        if not part:
            return own
        but = dict(zip(others[::2], others[1::2], strict=True))
        self.path.append(ref[0])
        rest: list[Any] = []
        for index, (key, one) in enumerate(inside):
            name = self.shown(key, level + 1, []) if part == "entries" else key
            other = but.pop(index, [])
            rest.append((name, self.unfold(other, one, level + 1)))
        self.path.pop()
        if but:
            raise _Unforeseen
        return own | {part: _put_together(rest, part)}

    def _spend(self, text: Any) -> None:
        self.allowance.spend(_VALUE_BYTES + (len(text) if type(text) is str else 0))
        if self.left < 0 or (type(text) is str and len(text) > MAX_TEXT):
            raise _Unforeseen

    def head(self, number: int, level: int) -> Head:
        """Return what is foreseen of a node's value, at its level and within its path. Raises
        `_Unforeseen`."""
        node = self.nodes[number]
        kind = node["k"]
        own: dict[str, Any] = {"type": ""}
        inside: list[tuple[Any, Any]]
        part = "items"
        if kind == "object":
            module, own["type"] = self._class(node)
            if module.partition(".")[0] in _RESOURCES:
                return _of_process(own["type"]), "", []
            inside = [*node.get("s", {}).items(), *node.get("a", {}).items()]
            part = "fields"
        elif kind in _MAPPINGS:
            inside = node["p"]
            own, part = {"type": self._name(node), "length": len(inside)}, "entries"
        elif kind in _ROWS:
            inside = list(enumerate(node["i"]))
            own = {"type": self._name(node), "length": len(inside)}
            if "n" in node:
                own["about"] = {"maxlen": node["n"]}
        elif kind == "partial":
            inside = list(enumerate(self._called(node)))
            own = {"type": self._name(node), "form": Form.CALL.value, "length": len(inside)}
        elif kind == "pattern":
            inside = [*zip(("pattern", "flags"), node["i"], strict=True)]
            own, part = {"type": "Pattern"}, "fields"
        else:
            return self._of_code(node) or self._of_value(node), "", []
        if level >= MAX_LEVELS:
            size = {"length": own["length"]} if "length" in own and kind != "partial" else {}
            return {"type": own["type"], "omitted": Omission.DEPTH.value} | size, "", []
        if number in self.path:
            return {"type": own["type"], "omitted": Omission.CYCLE.value}, "", []
        return own, part, inside

    def _of_code(self, node: dict[str, Any]) -> dict[str, Any] | None:
        """Return what is foreseen of what is shown by its name; None for other values."""
        kind = node["k"]
        if kind == "name":
            return _of_name(node["m"], node["t"])
        if kind == "function":
            return _named(kind, f"{node.get('w', node['m'])}.{node['q'][1]}")
        if kind == "method":
            called, owner = (self.nodes[ref[0]] for ref in node["i"])
            if called["k"] != "name":
                raise _Unforeseen
            return _named(kind, f"{called['m']}.{called['t']} of {self._name(owner)}")
        if kind == "bound":
            owner = self.nodes[node["i"][0][0]]
            name = _THINGS.get(owner["k"]) or self._name(owner)
            return _named(_BUILTIN, f"{name}.{node['t']}")
        return None

    def _of_value(self, node: dict[str, Any]) -> Any:
        """Return what is foreseen of other values in which nothing lies."""
        kind = node["k"]
        if kind == WITHHELD and "rule" in node:
            if node["rule"] == IN_PROCESS:
                return _of_process(node["t"])
            omitted = Omission.REDACTED.value
            return {"type": node["t"], "omitted": omitted, "rule": node["rule"]}
        if kind in _THINGS:
            return _of_process(self._class(node)[1] if "c" in node else _THINGS[kind])
        if kind in _OCTETS:
            text = node["t"] if "t" in node else _octets(node["b"])
            return {"type": self._name(node), "text": text}
        if kind == "str" and "t" in node:
            return {"type": self._name(node), "text": node["t"]} if "c" in node else node["t"]
        if kind == "int" and len(node["t"]) < _MAX_DIGITS:
            return {"type": self._name(node), "text": str(int(node["t"], 16))}
        raise _Unforeseen

    def _called(self, node: dict[str, Any]) -> list[Any]:
        """Return refs to what a partial calls, and with what."""
        called, given, named = node["i"]
        if self.nodes[named[0]].get("p"):
            raise _Unforeseen
        return [called, *self.nodes[given[0]]["i"]]

    def _class(self, node: dict[str, Any]) -> tuple[str, str]:
        """Return module and name of the class of a node."""
        cls = self.nodes[node["c"]]
        if cls["k"] not in ("name", "class") or not cls["t"]:
            raise _Unforeseen
        return cls["m"], cls["t"].rpartition(".")[2]

    def _name(self, node: dict[str, Any]) -> str:
        kind: str = node["k"]
        return self._class(node)[1] if "c" in node else _BASES.get(kind, kind)


def _of_process(name: str) -> dict[str, Any]:
    return {"type": name, "omitted": Omission.OPAQUE.value, "rule": RESOURCE}


def _of_name(module: str, dotted: str) -> dict[str, Any]:
    """Return what is foreseen of what is known by a name: mostly it is a function, and a class
    where it is written as classes are."""
    last = dotted.rpartition(".")[2]
    if not dotted:
        return _named("module", module)
    if last.lstrip("_")[:1].isupper() or (module == "builtins" and dotted in _TYPES):
        return {"type": "type", "text": last}
    if module in _IN_C:
        return _named(_BUILTIN, dotted)
    return _named("function", f"{module}.{dotted}")


def _named(kind: str, name: str) -> dict[str, Any]:
    return {"type": kind, "text": name, "form": Form.NAME.value}


def _octets(base64: str) -> str:
    return binascii.a2b_base64(base64).decode("latin-1")


def _paired(held: Any, part: str, inside: list[tuple[Any, Any]]) -> Any:
    """Yield what lies in a value: its name or key, what it is, and name or key and ref of what
    was there before, if anything was."""
    if part == "fields":
        before = {name: (name, ref) for name, ref in inside}
        for name, one in held.items():
            yield name, one, before.get(name)
    else:
        for index, one in enumerate(held):
            known = inside[index] if index < len(inside) else None
            yield (*one, known) if part == "entries" else (index, one, known)


def _put_together(rest: list[Any], part: str) -> Any:
    if part == "fields":
        return dict(rest)
    return [list(pair) for pair in rest] if part == "entries" else [one for _, one in rest]


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same: no number is a boolean, and 0.0 not -0.0."""
    if isinstance(one, str) and isinstance(other, str):  # a word of the wire's, perhaps
        return one == other
    if type(one) is not type(other):
        return False
    if type(one) is dict:
        return one.keys() == other.keys() and all(
            _same(held, other[name]) for name, held in one.items()
        )
    return bool(one == other) and (type(one) is not float or repr(one) == repr(other))
