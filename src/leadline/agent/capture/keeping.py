"""Write down the arguments of a call by value, so that it can be made again elsewhere.

Runs on the application's thread and runs no code of the application: each class has a reader
(`kinds`) that takes what lies in an instance by functions of C. One object after the other is
read in the order in which they are found, without recursion, and what is beyond the limits
ends it: half an argument is of no use. The objects that are read are held until it is done, so
that an address stands for one object throughout.
"""

import re
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii
from typing import Any

from leadline.agent.capture.holding import Reader
from leadline.agent.capture.kinds import reader_of
from leadline.agent.capture.landmarks import NO_LANDMARKS, Landmarks
from leadline.agent.capture.obstacle import Obstacle
from leadline.agent.capture.withholding import withhold
from leadline.expression.layout import Layout, identity, layout_of
from leadline.wire.kept import (
    MAX_CALL_BYTES,
    MAX_NODES,
    VERSION,
    WITHHELD,
    Kept,
    paths,
    spelled,
)
from leadline.wire.redaction import secret_name

__all__ = ["Keeper", "Landmarks", "keep", "withhold"]

_INLINE = 1 << 63
_REF_BYTES = 8
_NUMBER_BYTES = 21
_REAL_BYTES = 25
_NODE_BYTES = 24
_SURROGATE = re.compile("[\ud800-\udfff]")


def keep(
    named: Iterable[tuple[str, object]],
    most_bytes: int = MAX_CALL_BYTES,
    landmarks: Landmarks = NO_LANDMARKS,
) -> Kept:
    """Return arguments by value, or why that cannot be: on the application's thread.

    Texts still hold what patterns would find; `withhold` takes that out, on another thread,
    before anything leaves the process.
    """
    keeper = Keeper(most_bytes, landmarks)
    roots: dict[str, Any] = {}
    for name, value in named:
        rule = secret_name(name)
        try:
            roots[name] = keeper.ref(value) if rule is None else keeper.withheld(rule, value)
        except Obstacle as found:
            return Kept(None, most_bytes - keeper.left, [], f"{name}: {found}")
    obstacle = keeper.walk()
    document = {"v": VERSION, "roots": roots, "nodes": keeper.nodes}
    size = most_bytes - keeper.left
    if obstacle:
        at = len(keeper.nodes)
        keeper.nodes.append(None)
        where = paths(document, {at}).get(at, "")
        return Kept(None, size, [], f"{where}: {obstacle}" if where else obstacle)
    return Kept(document, size, _withheld(document, keeper.hidden))


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

    __slots__ = ("hidden", "landmarks", "left", "memo", "nodes", "objects")

    def __init__(self, most_bytes: int, landmarks: Landmarks) -> None:
        self.left = most_bytes
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
            self.objects.append(value)
        self.left -= _REF_BYTES
        return [number]

    def class_(self, cls: type) -> int:
        """Return the number of the node of a class."""
        key = identity(cls)
        number = self.memo.get(key)
        if number is None:
            number = self.memo[key] = len(self.objects)
            self.objects.append(cls)
        self.left -= _REF_BYTES
        return number

    def withheld(self, rule: str, value: object) -> list[int]:
        """Return what stands for a value that `rule` holds back: a node of its own."""
        number = len(self.objects)
        self.objects.append(_Held(rule, layout_of(type(value)).name))
        self.hidden.add(number)
        self.left -= _REF_BYTES
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
        number = 0
        try:
            while number < len(objects):
                value = objects[number]
                cls = type(value)
                if cls is _Held:
                    node = {"k": WITHHELD, "t": value.name, "rule": value.rule}
                else:
                    layout: Layout = layout_of(cls)
                    reading = layout.keeping
                    reader: Reader = reading[0] if reading else reader_of(layout)
                    node = reader(self, value, layout)
                nodes.append(node)
                self.left -= _NODE_BYTES
                number += 1
                if self.left < 0 or len(objects) > MAX_NODES:
                    return self.too_large()
        except Obstacle as obstacle:
            return str(obstacle)
        return ""


class _Held:
    """Stands among the objects for one that is held back."""

    __slots__ = ("name", "rule")

    def __init__(self, rule: str, name: str) -> None:
        self.rule, self.name = rule, name
