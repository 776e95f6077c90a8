"""A call as far as a test can hold it: what cannot be written down as source is left out.

Whether the call needs what was left out is told by running it so: where it comes to something
else, there is no test of it.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from leadline.verify.calls import CapturedCall
from leadline.verify.literals import why_unwritten
from leadline.verify.requests import is_request, plain_pairs
from leadline.wire.gateway import SERVED
from leadline.wire.kept import CONTEXT, IN_PROCESS, paths
from leadline.wire.struct import replace

type Nodes = list[dict[str, Any]]


def forms(call: CapturedCall) -> Iterator[CapturedCall]:
    """Yield what a test may hold of a call, the simplest first: without what it was made in,
    and with the context variables."""
    if call.document is None:
        return
    with suppress(RecursionError):  # then it leads too deep to be written
        yield _form(call, is_surrounded=False)
        surrounded = _form(call, is_surrounded=True)
        if surrounded.is_surrounded:
            yield surrounded


def is_whole(call: CapturedCall) -> bool:
    """Tell whether a test can hold all of a call, and all that it was made in."""
    form = next(forms(call), None)
    return form is not None and form.document == call.document


def left_out(call: CapturedCall) -> str:
    """Say what a test has not of a call, and what it was made in: the first of it."""
    document: dict[str, Any] = call.document or {}
    nodes: Nodes = document["nodes"]
    less = _Less(nodes)
    with suppress(RecursionError):
        for ref in document["roots"].values():
            less.of(ref)
    said = paths(document, set(less.left_out))
    able = [number for number in less.left_out
            if number in said and why_unwritten(nodes[number])]  # fmt: skip
    able.sort(key=lambda number: nodes[number].get("rule") in (None, IN_PROCESS))
    return f"{said[able[0]]} ({why_unwritten(nodes[able[0]])})" if able else ""


def _form(call: CapturedCall, *, is_surrounded: bool) -> CapturedCall:
    document: dict[str, Any] = call.document or {}
    roots = {name: ref for name, ref in document["roots"].items() if name != CONTEXT}
    less = _Less(document["nodes"])
    reduced = [name for name, ref in roots.items() if less.reduces(ref)]
    around = document["roots"].get(CONTEXT) if is_surrounded else None
    if around is not None and (pairs := _variables(less.nodes, around)):
        less.nodes.append({"k": "dict", "p": [[key, less.of(one)] for key, one in pairs]})
        roots[CONTEXT] = [len(less.nodes) - 1]
    document = {**document, "roots": roots, "nodes": less.nodes}
    return replace(call, document=document, reduced=reduced)


def _variables(nodes: Nodes, around: Any) -> list[list[Any]]:
    """Return the pairs of context variables and what they hold. What a thread has for itself
    is kept beside them, as a dictionary of names."""
    return [
        pair
        for pair in nodes[around[0]].get("p", ())
        if type(pair[0]) is list
        and nodes[pair[0][0]]["k"] == "name"
        and not (type(pair[1]) is list and nodes[pair[1][0]]["k"] == "dict")
    ]


class _Less:
    """Nodes of a document without what cannot be written: None is in its place."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = list(nodes)
        self.left_out: dict[int, None] = {}
        """Numbers of nodes."""
        self._dropped = 0
        self._done: set[int] = set()
        self._open: set[int] = set()

    def reduces(self, ref: Any) -> bool:
        """Reduce what an argument leads to, not itself; tell whether anything was left out."""
        before = self._dropped
        if type(ref) is list and self._is_written(ref[0]):
            self._visit(ref[0])
        return self._dropped > before

    def of(self, ref: Any) -> Any:
        if type(ref) is not list:
            return ref
        number = ref[0]
        if number in self._open or not self._is_written(number):
            self.left_out[number] = None
            self._dropped += 1
            return None
        self._visit(number)
        return ref

    def _is_written(self, number: int) -> bool:
        node = self.nodes[number]
        is_of_class = "c" not in node or not why_unwritten(self.nodes[node["c"]])
        return is_of_class and not why_unwritten(node)

    def _visit(self, number: int) -> None:
        if number in self._done:
            return
        self._done.add(number)
        self._open.add(number)
        node = dict(self.nodes[number])
        if is_request(node):
            node["p"] = plain_pairs(self.nodes, node)
            self._dropped += len(self.nodes[number]["p"]) - len(node["p"])
        if "p" in node:
            keys = [(self.of(key), key, value) for key, value in node["p"]]
            node["p"] = [[key, self.of(value)] for key, was, value in keys if key == was]
        if "i" in node and node["k"] != SERVED:
            node["i"] = [self.of(one) for one in node["i"]]
        for held in ("a", "s"):
            if held in node:
                node[held] = {name: self.of(one) for name, one in node[held].items()}
        self.nodes[number] = node
        self._open.discard(number)
