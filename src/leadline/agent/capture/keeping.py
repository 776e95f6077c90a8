"""Write down the arguments of a call by value, so that it can be made again elsewhere.

Runs on the application's thread and runs no code of the application: each class has a reader
(`kinds`) that takes what lies in an instance by functions of C. One object after the other is
read in the order in which they are found, without recursion, and what is beyond the limits
ends it: half an argument is of no use. The objects that are read are held until it is done, so
that an address stands for one object throughout.
"""

import re
from collections.abc import Iterable
from contextvars import ContextVar, copy_context
from json.encoder import encode_basestring_ascii
from time import thread_time_ns
from typing import Any

from leadline.agent.capture.holding import Reader
from leadline.agent.capture.kinds import reader_of
from leadline.agent.capture.landmarks import NO_LANDMARKS, Landmarks
from leadline.agent.capture.obstacle import Obstacle
from leadline.agent.capture.withholding import withhold
from leadline.expression.layout import Layout, exact, identity, layout_of
from leadline.wire.kept import (
    CONTEXT,
    IN_PROCESS,
    MAX_CALL_BYTES,
    MAX_NODES,
    STAND_IN,
    VERSION,
    WITHHELD,
    Kept,
    paths,
    spelled,
)
from leadline.wire.redaction import secret_name

__all__ = ["Keeper", "Landmarks", "keep", "withhold"]

_INLINE = 1 << 63
_NEVER_NS = 1 << 62
_LOOK_EVERY = 32
"""Nodes between two looks at the clock: some 0.1 ms."""
_REF_BYTES = 8
_NUMBER_BYTES = 21
_REAL_BYTES = 25
_NODE_BYTES = 24
_EMPTY_BYTES = 40
"""Of a document without arguments."""
_SURROGATE = re.compile("[\ud800-\udfff]")


CONTEXT_BYTES = 16_000
"""Of JSON, for context variables: the request and what is near it, not all of a framework."""
_variable_name: Any = vars(ContextVar)["name"].__get__
_FIRST = Kept(None)
"""Made here, because the first one compiles the class' `__init__`, which audit hooks hear."""


def keep(
    named: Iterable[tuple[str, object]],
    most_bytes: int = MAX_CALL_BYTES,
    landmarks: Landmarks = NO_LANDMARKS,
    *,
    leaves_out: bool = False,
    within_ns: int = 0,
) -> Kept:
    """Return arguments by value, or why that cannot be: on the application's thread.

    With `leaves_out` something stands in for what lives in its process, and for what is so far
    from the arguments that there is no room for it: a call that does not look at that can be
    made again all the same. The context variables that modules hold are kept with them then,
    as an argument of the name `CONTEXT`: which request this is, who is logged in. What is not
    reached `within_ns` of this thread's time (0: however long) is too far, too.

    Texts still hold what patterns would find; `withhold` takes that out, on another thread,
    before anything leaves the process.
    """
    keeper = Keeper(most_bytes - _EMPTY_BYTES, landmarks, leaves_out=leaves_out)
    keeper.until_ns = thread_time_ns() + within_ns if within_ns else _NEVER_NS
    roots: dict[str, Any] = {}
    for name, value in named:
        rule = secret_name(name)
        keeper.left -= len(name) + 4
        try:
            roots[name] = keeper.ref(value) if rule is None else keeper.withheld(rule, value)
        except Obstacle as found:
            return Kept(None, most_bytes - keeper.left, [], f"{name}: {found}")
    obstacle = keeper.walk()
    if leaves_out:
        _add_context(keeper, roots)
    document = {"v": VERSION, "roots": roots, "nodes": keeper.nodes}
    size = most_bytes - keeper.left
    if obstacle:
        at = len(keeper.nodes)
        keeper.nodes.append(None)
        where = paths(document, {at}).get(at, "")
        return Kept(None, size, [], f"{where}: {obstacle}" if where else obstacle)
    return Kept(document, size, _withheld(document, keeper.hidden))


def _add_context(keeper: "Keeper", roots: dict[str, Any]) -> None:
    """Keep the context variables beside the arguments, in what room there is for them."""
    if keeper.is_full:
        return
    spare = max(0, keeper.left - CONTEXT_BYTES)
    keeper.left -= spare
    pairs = []
    for variable, value in copy_context().items():
        if keeper.landmarks.name_of(variable) is None:
            continue
        rule = secret_name(exact(_variable_name(variable)))
        held = keeper.ref(value) if rule is None else keeper.withheld(rule, value)
        pairs.append([keeper.ref(variable), held])
    if pairs:
        roots[CONTEXT] = keeper.ref(_Context(pairs))
        keeper.walk()
    keeper.left += spare


def _withheld(document: dict[str, Any], numbers: set[int]) -> list[str]:
    if not numbers:
        return []
    nodes = document["nodes"]
    return [
        f"{path} ({spelled(nodes[number]['rule'])})"
        for number, path in sorted(paths(document, numbers).items())
    ]


class Keeper:
    """One writing down: the objects that were found, in the order of their nodes."""

    __slots__ = (
        "hidden", "is_full", "landmarks", "leaves_out", "left", "memo", "nodes", "objects",
        "until_ns",
    )  # fmt: skip

    def __init__(self, most_bytes: int, landmarks: Landmarks, *, leaves_out: bool) -> None:
        self.left = most_bytes
        self.leaves_out = leaves_out
        self.until_ns = _NEVER_NS
        self.is_full = False
        self.landmarks = landmarks
        self.memo: dict[int, int] = {}
        self.objects: list[Any] = []
        self.nodes: list[Any] = []
        self.hidden: set[int] = set()

    def ref(self, value: Any) -> Any:
        """Return what stands for a value; it is read later where it needs a node."""
        cls = type(value)
        if cls is str:
            length = len(value)
            if length > self.left:
                if self.leaves_out:
                    return self.far()
                raise Obstacle(self.too_large())
            if value.isascii() or not _SURROGATE.search(value):
                self.left -= len(encode_basestring_ascii(value)) + 1
                return value
        elif value is None or cls is bool:
            self.left -= 5
            return value
        elif cls is int:
            if -_INLINE < value < _INLINE:
                self.left -= _NUMBER_BYTES if value > 99_999_999 else 9
                return value
        elif cls is float and value - value == 0:
            self.left -= _REAL_BYTES
            return value
        key = identity(value)
        number = self.memo.get(key)
        if number is None:
            number = self.memo[key] = len(self.objects)
            if number >= MAX_NODES:
                raise Obstacle(self.too_large())
            self.objects.append(value)
            self.left -= _NODE_BYTES
        self.left -= _REF_BYTES
        return [number]

    def far(self) -> list[int]:
        """Return what stands for a value for which there is no room."""
        number = len(self.objects)
        self.objects.append(_FAR)
        self.left -= _REF_BYTES + _NODE_BYTES
        return [number]

    def class_(self, cls: type) -> int:
        """Return the number of the node of a class."""
        key = identity(cls)
        number = self.memo.get(key)
        if number is None:
            number = self.memo[key] = len(self.objects)
            self.objects.append(cls)
            self.left -= _NODE_BYTES
        self.left -= _REF_BYTES
        return number

    def withheld(self, rule: str, value: object) -> list[int]:
        """Return what stands for a value that `rule` holds back: a node of its own."""
        number = len(self.objects)
        layout = layout_of(type(value))
        if layout.names[:1] == (STAND_IN,):  # it was held back before
            self.objects.append(value)
        else:
            self.objects.append(_Held(rule, layout.name))
        self.hidden.add(number)
        self.left -= _REF_BYTES + _NODE_BYTES
        return [number]

    def attributes(self, names: Any) -> dict[str, Any]:
        """Return what lies in the dictionary of an instance."""
        self.room(names, dict, 8)
        kept: dict[str, Any] = {}
        ref = self.ref
        for name, value in list(dict.items(names)):
            if type(name) is not str:
                raise Obstacle("it has an attribute whose name is no plain text")
            rule = secret_name(name)
            self.left -= len(name) + 4
            kept[name] = ref(value) if rule is None else self.withheld(rule, value)
        return kept

    def room(self, value: Any, base: Any, each: int) -> int:
        """Return how long a container is; raises where so much would not fit."""
        length: int = base.__len__(value)
        if length * each > self.left:
            raise Obstacle(self.too_large())
        return length

    def too_large(self) -> str:
        return "with it the arguments are larger than can be kept"

    def walk(self) -> str:
        """Read all that was found; return what is in the way, if anything is."""
        objects, nodes = self.objects, self.nodes
        while len(nodes) < len(objects):
            value = objects[len(nodes)]
            found, left = len(objects), self.left
            try:
                nodes.append(self._node(value))
            except Obstacle as obstacle:
                if not self.leaves_out:
                    return str(obstacle)
                nodes.append(self._absent(value, str(obstacle)))
            if self.left < 0 or len(objects) > MAX_NODES:
                if not self.leaves_out:
                    return self.too_large()
                # this one alone is too much, and so is all that it has led to
                nodes[-1], self.left = {"k": WITHHELD}, left
                del objects[found:]
                self._end()
            elif len(nodes) % _LOOK_EVERY == 0 and thread_time_ns() > self.until_ns:
                self._end()
        return ""

    def _end(self) -> None:
        """Leave out what was found and not read."""
        self.is_full = True
        self.nodes += [{"k": WITHHELD} for _ in range(len(self.objects) - len(self.nodes))]
        self.hidden = {number for number in self.hidden if number < len(self.nodes)}

    def _node(self, value: Any) -> Any:
        cls = type(value)
        if cls is _Held:
            return {"k": WITHHELD, "t": value.name, "rule": value.rule}
        if value is _FAR:
            return {"k": WITHHELD}
        if cls is _Context:
            return {"k": "dict", "p": value.pairs}
        layout: Layout = layout_of(cls)
        reading = layout.keeping
        reader: Reader = reading[0] if reading else reader_of(layout)
        return reader(self, value, layout)

    def _absent(self, value: Any, obstacle: str) -> dict[str, Any]:
        """Return what stands for a value that cannot be written down."""
        if obstacle == self.too_large():
            return {"k": WITHHELD}
        layout = layout_of(type(value))
        name = layout_of(value).name if layout.base is type else layout.name
        self.left -= len(name)
        return {"k": WITHHELD, "t": name, "rule": IN_PROCESS}


_FAR = object()
"""Stands among the objects for one for which there is no room."""


class _Context:
    """Stands among the objects for the context variables."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[Any]) -> None:
        self.pairs = pairs


class _Held:
    """Stands among the objects for one that is held back."""

    __slots__ = ("name", "rule")

    def __init__(self, rule: str, name: str) -> None:
        self.rule, self.name = rule, name
