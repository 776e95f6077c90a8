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
from leadline.agent.capture.naming import Name
from leadline.agent.capture.obstacle import TOO_LARGE, UNNAMED, Obstacle
from leadline.agent.capture.withholding import withhold
from leadline.expression.layout import Layout, identity, layout_of
from leadline.wire.kept import (
    MAX_CALL_BYTES,
    MAX_NODES,
    STAND_IN,
    VERSION,
    WITHHELD,
    Kept,
    origins,
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
STATE_BYTES = 32_000
"""For all arguments together, where singletons of the program are written down with what they
hold: more is a whole application, of which the names must do."""
_TRIES = 4
_MOST_FOR_PATH = 1_000
"""Nodes among which the way to a value is looked for, only to say where it is."""
_EMPTY_BYTES = 40
"""Of a document without arguments."""
_SURROGATE = re.compile("[\ud800-\udfff]")


_FIRST = Kept(None)
"""Made here, because the first one compiles the class' `__init__`, which audit hooks hear."""


def keep(
    named: Iterable[tuple[str, object]],
    most_bytes: int = MAX_CALL_BYTES,
    landmarks: Landmarks = NO_LANDMARKS,
) -> Kept:
    """Return arguments by value, or why that cannot be: on the application's thread.

    Texts still hold what patterns would find; `withhold` takes that out, on another thread,
    before anything leaves the process.
    """
    arguments = list(named)
    for left in reversed(range(_TRIES)):
        keeper = Keeper(most_bytes - _EMPTY_BYTES, landmarks)
        document, failed, obstacle = _attempt(arguments, keeper)
        if not obstacle:
            size = most_bytes - keeper.left
            return Kept(document, size, _withheld(document, keeper.hidden))
        bare = keeper.in_the_way(document, failed, obstacle)
        if not bare or not left:
            break
        if left == 1:
            bare = list(keeper.given.values())
        landmarks.leave_bare(bare)
    if obstacle == TOO_LARGE and failed > _MOST_FOR_PATH:  # no one value is the reason
        return Kept(None, most_bytes - keeper.left, [], TOO_LARGE.removeprefix("with it "))
    where = paths(document, {failed}).get(failed, "")
    reason = f"{where}: {obstacle}" if where else obstacle
    return Kept(None, most_bytes - keeper.left, [], reason)


def _attempt(
    arguments: list[tuple[str, object]], keeper: "Keeper"
) -> tuple[dict[str, Any], int, str]:
    """Return a document, and which node could not be written down and why, if one could not."""
    roots: dict[str, Any] = {}
    document = {"v": VERSION, "roots": roots, "nodes": keeper.nodes}
    try:
        for name, value in arguments:
            rule = secret_name(name)
            keeper.left -= len(name) + 4
            roots[name] = [len(keeper.objects)]  # where an obstacle would be
            roots[name] = keeper.ref(value) if rule is None else keeper.withheld(rule, value)
    except Obstacle as found:
        return document, len(keeper.objects), str(found)
    obstacle = keeper.walk()
    return document, len(keeper.nodes), obstacle


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

    __slots__ = ("given", "hidden", "landmarks", "left", "memo", "nodes", "objects", "spared")

    def __init__(self, most_bytes: int, landmarks: Landmarks) -> None:
        self.left = most_bytes
        self.landmarks = landmarks
        self.memo: dict[int, int] = {}
        self.objects: list[Any] = []
        self.nodes: list[Any] = []
        self.hidden: set[int] = set()
        self.given: dict[int, Name] = {}
        """Nodes of landmarks that are written down with what they hold."""
        self.spared = 0

    def ref(self, value: Any) -> Any:
        """Return what stands for a value; it is read later where it needs a node."""
        cls = type(value)
        if cls is str:
            length = len(value)
            if length > self.left:
                raise Obstacle(TOO_LARGE)
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
                raise Obstacle(TOO_LARGE)
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

    def withheld(self, rule: str, value: object) -> list[int] | None:
        """Return what stands for a value that `rule` holds back: a node of its own. None stays
        none, because the class of what is held back is told, and that is all that there is."""
        if value is None:
            return None
        number = len(self.objects)
        layout = layout_of(type(value))
        if layout.names[:1] == (STAND_IN,):  # it was held back before
            self.objects.append(value)
        else:
            self.objects.append(_Held(rule, layout.name))
        self.hidden.add(number)
        self.left -= _REF_BYTES
        return [number]

    def landmark(self, value: object) -> tuple[Name | None, bool]:
        """Return the name of what a module holds, and whether what it holds is taken too."""
        name = self.landmarks.name_of(value)
        if name is None or not self.landmarks.has_state(name):
            return name, False
        if not self.given and self.left > STATE_BYTES:
            self.spared, self.left = self.left - STATE_BYTES, STATE_BYTES
        self.given[len(self.nodes)] = name
        return name, True

    def in_the_way(self, document: dict[str, Any], failed: int, obstacle: str) -> list[Name]:
        """Return the landmarks to be written down without what they hold, so that what failed
        is not met, or that there is more room."""
        if obstacle == TOO_LARGE:
            return list(self.given.values())
        came = origins(document) if self.given else {}
        while failed >= 0:
            if failed in self.given:
                return [self.given[failed]]
            failed = came[failed][0] if failed in came else -1
        return []

    def attributes(self, names: Any) -> dict[str, Any]:
        """Return what lies in the dictionary of an instance."""
        self.room(names, dict, 8)
        kept: dict[str, Any] = {}
        ref = self.ref
        for name, value in list(dict.items(names)):
            if type(name) is not str:
                raise Obstacle(UNNAMED)
            rule = secret_name(name)
            self.left -= len(name) + 4
            kept[name] = ref(value) if rule is None else self.withheld(rule, value)
        return kept

    def room(self, value: Any, base: Any, each: int) -> int:
        """Return how long a container is; raises where so much would not fit."""
        length: int = base.__len__(value)
        if length * each > self.left:
            raise Obstacle(TOO_LARGE)
        return length

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
                    return TOO_LARGE
        except Obstacle as obstacle:
            return str(obstacle)
        self.left += self.spared
        return ""


class _Held:
    """Stands among the objects for one that is held back."""

    __slots__ = ("name", "rule")

    def __init__(self, rule: str, name: str) -> None:
        self.rule, self.name = rule, name
