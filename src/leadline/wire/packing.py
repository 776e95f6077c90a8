"""How the document of a captured call (`wire.kept`) travels: without what is said twice.

A *packed* document is `{"v": 2, "roots": {parameter: ref}, "nodes": [node, ...]}`, and says
exactly what that of version 1 says. Nodes are numbered as they are met, so most refs are to the
next one: `[]` is the node after the last that was referred to, in the order of the roots and
then of the nodes, and `[n]` is another one. A node is

    a text    of a name: `module:dotted`, or `dotted` alone in the module of the name before it
    an object as in version 1, but that a number which goes without saying is left out: of its
              class, in `c`, and in `live`. `{"d": {key: ref}}`, `{"l": refs}` and `{"u": refs}`
              are a dictionary whose keys are texts, a list and a tuple; one without `k` is an
              instance
    a list    `[n, value, ...]`: made like the node that was the n-th to be written as an
              object, with other values, in the order of its members
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from leadline.wire.errors import WireError
from leadline.wire.kept import MAX_NODES, VERSION

PACKED = 2
"""The version of a document that is packed."""
MAX_UNPACKED_BYTES = 64_000_000
"""Of JSON, all calls of a report together: what is written once is read many times."""

type Node = dict[str, Any]

_SAID = frozenset(("k", "c", "m", "w", "q", "rule"))
"""Members that are alike in nodes which are made alike, with those of some kinds."""
_SAID_OF = {kind: _SAID | {"t"} for kind in ("withheld", "bound", "member")}
_SAID_OF["function"] = _SAID | {"t", "n"}
_ROWS = frozenset(("list", "tuple", "set", "frozenset", "deque"))
_EXACT = frozenset((str, int))
"""Types whose values are equal where their JSON is, and not otherwise."""
_NAME = ["k", "t", "m"]
_SHORT = {"dict": "d", "list": "l", "tuple": "u"}
_LONG = {short: kind for kind, short in _SHORT.items()}


class Allowance:
    """How many bytes of JSON the documents of a report may still come to."""

    __slots__ = ("left",)

    def __init__(self, left: int = MAX_UNPACKED_BYTES) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        """Raises `WireError` where there is no more room."""
        self.left -= count
        if self.left < 0:
            raise WireError("The calls of a report come to more than may be unpacked.")


class _Order:
    """Which node is the next that is referred to, and what the last name and mark were."""

    __slots__ = ("live", "module", "next", "token")

    def __init__(self) -> None:
        self.next = 0
        self.module = ""
        self.token, self.live = "", 0

    def said(self, ref: Any) -> Any:
        """Return how a ref travels."""
        if type(ref) is not list:
            return ref
        (number,) = ref
        return [] if self._is_next(number) else ref

    def meant(self, ref: Any) -> Any:
        """Return the ref that travelled."""
        if type(ref) is not list:
            if type(ref) is dict:
                raise WireError("A ref of a packed document is an object.")
            return ref
        if not ref:
            self.next += 1
            return [self.next - 1]
        self._is_next(_number(ref))
        return ref

    def _is_next(self, number: int) -> bool:
        found = number == self.next
        self.next = max(self.next, number + 1)
        return found

    def said_class(self, number: int) -> Any:
        return [] if self._is_next(number) else number

    def meant_class(self, said: Any) -> int:
        return self.meant([] if said == [] else [said])[0]  # type: ignore[no-any-return]

    def said_live(self, live: list[Any]) -> list[Any]:
        """Return what is said of where an object lives: its process, if it is another one than
        before, and its number, if it is not the one after the last."""
        token, number, *way = live
        said = [] if token == self.token else [token]
        if way or number != self.live + 1:
            said += [number, *way]
        self.token, self.live = token, number
        return said

    def meant_live(self, said: list[Any]) -> list[Any]:
        if said and type(said[0]) is str:
            self.token, *said = said
        self.live = said[0] if said else self.live + 1
        if type(self.live) is not int:
            raise WireError("A mark of a packed document has no number.")
        return [self.token, self.live, *said[1:]]


def packed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as it travels."""
    order = _Order()
    roots = {name: order.said(ref) for name, ref in document["roots"].items()}
    forms: dict[tuple[Any, ...], int] = {}
    nodes: list[Any] = []
    for node in document["nodes"]:
        if _is_name(node):
            module, name = node["m"], node["t"]
            nodes.append(name if module == order.module else f"{module}:{name}")
            order.module = module
            continue
        form = _form(node)
        whole = _turned(node, order.said, order.said_class, order.said_live)
        known = forms.get(form)
        if known is None:
            forms[form] = len(forms)
            nodes.append(_short(whole))
        else:
            nodes.append([known, *_values(node, whole)])
    return {"v": PACKED, "roots": roots, "nodes": nodes}


def unpacked(document: dict[str, Any], allowance: Allowance) -> dict[str, Any]:
    """Return a document as it was before it travelled. Raises `WireError`."""
    try:
        return _unpacked(document, allowance)
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        StopIteration,
    ) as error:
        raise WireError("A packed document cannot be read.") from error


def _unpacked(document: dict[str, Any], allowance: Allowance) -> dict[str, Any]:
    if document["v"] != PACKED or len(document["nodes"]) > MAX_NODES:
        raise WireError("A packed document is of another version, or too long.")
    order = _Order()
    roots = {name: order.meant(ref) for name, ref in document["roots"].items()}
    forms: list[tuple[Node, int]] = []
    nodes: list[Node] = []
    for said in document["nodes"]:
        if type(said) is str:
            module, mark, name = said.rpartition(":")
            if mark:
                order.module = module
            node: Node = {"k": "name", "t": name, "m": order.module}
            allowance.spend(len(order.module) + len(name))
        elif type(said) is list:
            like, size = forms[_number(said[:1])]
            allowance.spend(size)
            rest = iter(said[1:])
            node = _like(like, rest, order)
            if next(rest, rest) is not rest:
                raise WireError("A node of a packed document has too many values.")
        else:
            node = _whole(said, order)
            size = len(json.dumps(node))
            allowance.spend(size)
            forms.append((node, size))
        nodes.append(node)
    return {"v": VERSION, "roots": roots, "nodes": nodes}


def _is_name(node: Node) -> bool:
    return node["k"] == "name" and [*node] == _NAME and ":" not in node["t"] + node["m"]


def _number(ref: list[Any]) -> int:
    (number,) = ref
    if type(number) is not int or not 0 <= number < MAX_NODES:
        raise WireError("A number of a packed document is out of bounds.")
    return number


def _form(node: Node) -> tuple[Any, ...]:
    """Return what nodes have in common that are made alike."""
    kind = node["k"]
    alike = _SAID_OF.get(kind, _SAID)
    form: list[Any] = []
    for member, one in node.items():
        form.append(member)
        if member in ("a", "s"):
            form.append((*one,))
        elif member == "p":
            form.append((*(key for key, _ in one),) if _is_named(one) else None)
        elif member == "i":
            form.append(None if kind in _ROWS else len(one))
        elif member == "live":
            form.append(None)
        elif member in alike:
            form.append(one if type(one) in _EXACT else (json.dumps(one),))
    return (*form,)


def _is_named(pairs: list[Any]) -> bool:
    """Tell whether all keys of a dictionary are texts."""
    names = {key for key, _ in pairs if type(key) is str}
    return bool(pairs) and len(names) == len(pairs)


def _values(node: Node, whole: Node) -> list[Any]:
    """Return what of a node, that travels as `whole`, is not its form's."""
    kind = node["k"]
    alike = _SAID_OF.get(kind, _SAID)
    values: list[Any] = []
    for member, said in whole.items():
        if member in alike:
            continue
        if member in ("a", "s"):
            values += said.values()
        elif member == "p" and _is_named(node[member]):
            values += [ref for _, ref in said]
        elif member == "p":
            values.append([part for pair in said for part in pair])
        elif member == "i" and kind not in _ROWS:
            values += said
        else:
            values.append(said)
    return values


def _turned(
    node: Node,
    ref: Callable[[Any], Any],
    of_class: Callable[[Any], Any],
    live: Callable[[Any], Any],
) -> Node:
    """Return a node in which each ref, the number of its class and where it lives are turned
    into what they are on the other side."""
    turned: Node = {}
    one: Any
    for member, one in node.items():
        if member == "c":
            turned[member] = of_class(one)
        elif member in ("a", "s"):
            turned[member] = {name: ref(value) for name, value in one.items()}
        elif member == "p":
            turned[member] = [[ref(key), ref(value)] for key, value in one]
        elif member == "i":
            turned[member] = [ref(value) for value in one]
        elif member == "live":
            turned[member] = live(one)
        else:
            turned[member] = one
    return turned


def _short(node: Node) -> Node:
    kind, members = node["k"], [*node]
    short = _SHORT.get(kind)
    if kind == "object" and members[1:2] == ["c"]:
        return {member: one for member, one in node.items() if member != "k"}
    if short == "d" and members == ["k", "p"]:
        return {"d": dict(node["p"])} if _is_named(node["p"]) else node
    if short is not None and short != "d" and members == ["k", "i"]:
        return {short: node["i"]}
    return node


def _whole(said: Node, order: _Order) -> Node:
    """Return the node that was written as an object."""
    if "k" not in said:
        short = next(iter(said))
        kind = _LONG.get(short, "object")
        if kind == "object":
            said = {"k": kind} | said
        elif kind == "dict":
            said = {"k": kind, "p": [[key, ref] for key, ref in said[short].items()]}
        else:
            said = {"k": kind, "i": said[short]}
    return _turned(said, order.meant, order.meant_class, order.meant_live)


def _like(like: Node, values: Iterator[Any], order: _Order) -> Node:
    """Return a node that is made like another one, of other values."""
    kind = like["k"]
    node: Node = {}
    alike = _SAID_OF.get(kind, _SAID)
    for member, one in like.items():
        if member in ("a", "s"):
            node[member] = {name: order.meant(next(values)) for name in one}
        elif member == "p" and _is_named(one):
            node[member] = [[key, order.meant(next(values))] for key, _ in one]
        elif member == "p":
            refs = iter([order.meant(ref) for ref in next(values)])
            node[member] = [[key, next(refs)] for key in refs]
        elif member == "i" and kind in _ROWS:
            node[member] = [order.meant(ref) for ref in next(values)]
        elif member == "i":
            node[member] = [order.meant(next(values)) for _ in one]
        elif member == "live":
            node[member] = order.meant_live(next(values))
        elif member in alike:
            node[member] = one
        else:
            node[member] = next(values)
    return node
