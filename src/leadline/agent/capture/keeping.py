"""Write down the arguments of a call by value, so that it can be made again elsewhere.

Runs on the application's thread and runs no code of the application: each class has a reader
(`kinds`) that takes what lies in an instance by functions of C. One object after the other is
read in the order in which they are found, without recursion, and what is beyond the limits
ends it: half an argument is of no use. The objects that are read are held until it is done, so
that an address stands for one object throughout.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from json.encoder import encode_basestring_ascii
from time import thread_time_ns
from typing import Any

from leadline.agent.capture import living
from leadline.agent.capture.gateway import NO_PIECES, Pieces, is_callable, served
from leadline.agent.capture.holding import FAR, Context, Held, Reader
from leadline.agent.capture.kept_quickly import open_nodes, opened, quickly, walked
from leadline.agent.capture.kept_surroundings import are_none, surroundings
from leadline.agent.capture.kinds import reader_of
from leadline.agent.capture.landmarks import NO_LANDMARKS, Landmarks
from leadline.agent.capture.naming import Name
from leadline.agent.capture.obstacle import TOO_LARGE, UNNAMED, Obstacle
from leadline.agent.capture.withholding import withhold
from leadline.expression.hiding import name_rule
from leadline.expression.layout import Layout, identity, layout_of
from leadline.wire.kept import (
    CONTEXT,
    IN_PROCESS,
    MAX_CALL_BYTES,
    MAX_NODES,
    STAND_IN,
    VERSION,
    WITHHELD,
    Kept,
    is_absent,
    paths,
    spelled,
)
from leadline.wire.redaction import known_names, secret_name

__all__ = ["Keeper", "Landmarks", "keep", "withhold"]

_INLINE = 1 << 63
_NEVER_NS = 1 << 62
_LOOK_EVERY = 32
"""Nodes between two looks at the clock: some 0.1 ms."""
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


_ASIDE = 8
"""One part in so many of the room, and of the time, is what the call is made in: of arguments
that are too much, it is what is far away that is left out."""
CONTEXT_BYTES = 16_000
"""Of JSON, for context variables: the request and what is near it, not all of a framework."""
_FIRST = Kept(None)
"""Made here, because the first one compiles the class' `__init__`, which audit hooks hear."""


def keep(
    named: Iterable[tuple[str, object]],
    most_bytes: int = MAX_CALL_BYTES,
    landmarks: Landmarks = NO_LANDMARKS,
    *,
    leaves_out: bool = False,
    surrounded: bool = True,
    within_ns: int = 0,
    began_ns: int = 0,
    as_json: bool = False,
    pieces: Pieces = NO_PIECES,
) -> Kept:
    """Return arguments by value, or why that cannot be: on the application's thread.

    With `leaves_out` something stands in for what lives in its process, and for what is so far
    from the arguments that there is no room for it: a call that does not look at that can be
    made again all the same. The context variables that modules hold are kept with them then,
    as an argument of the name `CONTEXT`: which request this is, who is logged in; not so for
    what is no call of its own (`surrounded`). What is not
    reached `within_ns` of this thread's time (0: however long) is too far, too; it counts from
    `began_ns`.

    `pieces` are a web server's: each is written down as what it is.

    Texts still hold what patterns would find; `withhold` takes that out, on another thread,
    before anything leaves the process. `as_json` leaves nodes what the extension has written
    until then: the JSON of them.
    """
    arguments = list(named)
    began_ns = began_ns or thread_time_ns()
    surrounded = surrounded and leaves_out
    aside = min(CONTEXT_BYTES, most_bytes // _ASIDE) if surrounded else 0
    for left in reversed(range(_TRIES)):
        keeper = Keeper(most_bytes - _EMPTY_BYTES - aside, landmarks)
        keeper.leaves_out, keeper.is_last, keeper.aside = leaves_out, not left, aside
        keeper.pieces = pieces
        if within_ns:
            keeper.last_ns = began_ns + within_ns
            keeper.until_ns = keeper.last_ns - (within_ns // _ASIDE if surrounded else 0)
        document, failed, obstacle = _attempt(arguments, keeper, surrounded)
        if obstacle or not as_json:
            open_nodes(document)
        if not obstacle:
            size = most_bytes - keeper.left - keeper.aside
            # it is left to `withhold` to find the ways to what is held back
            return Kept(document, size, [] if as_json else _withheld(document, keeper.hidden))
        bare = keeper.in_the_way(obstacle)
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
    arguments: list[tuple[str, object]], keeper: "Keeper", surrounded: bool
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
    if not obstacle and surrounded:
        obstacle = _add_context(keeper, roots)
    return document, len(keeper.nodes), obstacle


def _add_context(keeper: "Keeper", roots: dict[str, Any]) -> str:
    """Keep what the call is made in beside the arguments, in what room there is for it; return
    what is in the way, as `Keeper.walk` does."""
    if are_none(keeper.landmarks):
        keeper.left += keeper.aside
        keeper.aside = 0
        return ""
    keeper.is_full, keeper.until_ns = False, keeper.last_ns
    obstacle = ""
    spare = max(0, keeper.left + keeper.aside - CONTEXT_BYTES)
    keeper.left += keeper.aside - spare
    keeper.aside = 0
    pairs = list(surroundings(keeper))
    if pairs:
        roots[CONTEXT] = keeper.ref(Context(pairs))
        keeper.is_aside = True
        obstacle = keeper.walk()
    keeper.left += spare
    return obstacle


def _withheld(document: dict[str, Any], numbers: set[int]) -> list[str]:
    if not numbers:
        return []
    nodes = document["nodes"]
    return [
        f"{path} ({spelled(nodes[number]['rule'])})"
        for number, path in sorted(paths(document, numbers).items())
        if not is_absent(nodes[number])
    ]


class Keeper:
    """One writing down: the objects that were found, in the order of their nodes."""

    __slots__ = (
        "aside", "given", "hidden", "is_aside", "is_full", "is_last", "landmarks", "last_ns",
        "leaves_out", "left", "memo", "nodes", "objects", "pieces", "reach", "spared",
        "until_ns",
    )  # fmt: skip

    def __init__(self, most_bytes: int, landmarks: Landmarks) -> None:
        self.left = most_bytes
        self.leaves_out = self.is_last = self.is_full = False
        self.is_aside = False
        """What is written down now is beside the arguments."""
        self.until_ns = self.last_ns = _NEVER_NS
        self.aside = 0
        """Bytes that wait for what is beside the arguments."""
        self.landmarks = landmarks
        self.memo: dict[int, int] = {}
        self.objects: list[Any] = []
        self.nodes: list[Any] = []
        self.reach: list[int] = []
        """How many objects were known before each node was read: whose the next ones are."""
        self.hidden: set[int] = set()
        self.given: dict[int, Name] = {}
        """Nodes of landmarks that are written down with what they hold."""
        self.spared = 0
        self.pieces = NO_PIECES

    def ref(self, value: Any) -> Any:
        """Return what stands for a value; it is read later where it needs a node."""
        cls = type(value)
        if cls is str:
            length = len(value)
            if length > self.left:
                if self.leaves_out and (length > self.left + self.spared or not self.given):
                    return self.far()
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
            number = len(self.objects)
            if number >= MAX_NODES:
                raise Obstacle(TOO_LARGE)
            self.memo[key] = number
            self.objects.append(value)
            self.left -= _NODE_BYTES
        self.left -= _REF_BYTES
        return [number]

    def far(self) -> list[int]:
        """Return what stands for a value for which there is no room."""
        number = len(self.objects)
        self.objects.append(FAR)
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
            self.objects.append(Held(rule, layout.name))
        self.hidden.add(number)
        self.left -= _REF_BYTES + _NODE_BYTES
        return [number]

    def landmark(self, value: object) -> tuple[Name | None, bool]:
        """Return the name of what a module holds, and whether what it holds is taken too."""
        name = self.landmarks.name_of(value)
        bare = self.pieces and is_callable(value)  # the application itself, or another one
        if name is None or bare or not self.landmarks.has_state(name):
            return name, False
        if not self.given and self.left > STATE_BYTES:
            self.spared, self.left = self.left - STATE_BYTES, STATE_BYTES
        self.given[len(self.nodes)] = name
        return name, True

    def in_the_way(self, obstacle: str) -> list[Name]:
        """Return the landmarks to be written down without what they hold, so that what failed
        is not met, or that there is more room."""
        if obstacle == TOO_LARGE:
            return [] if self.is_aside else list(self.given.values())
        at = len(self.nodes) if self.given else -1
        while at >= 0:
            if at in self.given:
                return [self.given[at]]
            at = bisect_right(self.reach, at) - 1
        return []

    def _is_in_the_way(self, obstacle: str) -> bool:
        """Tell whether it ends this writing down, or is left out of it."""
        return not self.leaves_out or (not self.is_last and bool(self.in_the_way(obstacle)))

    def attributes(self, names: Any) -> dict[str, Any]:
        """Return what lies in the dictionary of an instance."""
        self.room(names, dict, 8)
        kept: dict[str, Any] = quickly(self, "kept_attributes", names, known_names)
        if kept is not None:
            return kept
        kept = {}
        ref = self.ref
        for name, value in list(dict.items(names)):
            if type(name) is not str:
                raise Obstacle(UNNAMED)
            rule = secret_name(name)
            self.left -= len(name) + 4
            kept[name] = ref(value) if rule is None else self.withheld(rule, value)
        return kept

    def items(self, items: list[Any]) -> list[Any]:
        """Return what stands for what is in a row."""
        refs: list[Any] = quickly(self, "kept_items", items)
        return [self.ref(item) for item in items] if refs is None else refs

    def entries(self, entries: dict[Any, Any]) -> list[Any]:
        """Return what stands for the pairs of a dictionary."""
        pairs: list[Any] = quickly(self, "kept_entries", entries, known_names)
        if pairs is not None:
            return pairs
        pairs = []
        ref = self.ref
        for key, item in list(dict.items(entries)):
            rule = secret_name(key) if type(key) is str else name_rule(key)
            pairs.append([ref(key), ref(item) if rule is None else self.withheld(rule, item)])
        return pairs

    def room(self, value: Any, base: Any, each: int) -> int:
        """Return how long a container is; raises where so much would not fit."""
        length: int = base.__len__(value)
        if length * each > self.left:
            raise Obstacle(TOO_LARGE)
        return length

    def walk(self) -> str:
        """Read all that was found; return what is in the way, if anything is."""
        objects, nodes = self.objects, self.nodes
        while len(nodes) < len(objects):
            if walked(self, _LOOK_EVERY):
                if thread_time_ns() > self.until_ns:
                    self._end()
                continue
            if len(nodes) == len(objects):
                break
            value = objects[len(nodes)]
            found, left = len(objects), self.left
            self.reach.append(found)
            try:
                nodes.append(self._node(value))
            except Obstacle as obstacle:
                if self._is_in_the_way(str(obstacle)):
                    return str(obstacle)
                nodes.append(self._absent(value, str(obstacle)))
            if self.left < 0 or len(objects) > MAX_NODES:
                if self._is_in_the_way(TOO_LARGE):
                    return TOO_LARGE
                # this one alone is too much, and so is all that it has led to
                nodes[-1], self.left = (
                    {"k": WITHHELD} | self.living_at(value, len(nodes) - 1),
                    left,
                )
                del objects[found:]
                self._end()
            elif len(nodes) % _LOOK_EVERY == 0 and thread_time_ns() > self.until_ns:
                self._end()
        self.left += self.spared
        self.spared = 0
        return ""

    def _end(self) -> None:
        """Leave out what was found and not read."""
        self.is_full = True
        for value in self.objects[len(self.nodes) :]:
            self.nodes.append(value.node() if type(value) is Held else {"k": WITHHELD})
        self.hidden = {number for number in self.hidden if number < len(self.nodes)}

    def _node(self, value: Any) -> Any:
        cls = type(value)
        if cls is Held:
            return value.node()
        if value is FAR:
            return {"k": WITHHELD}
        if self.pieces and (piece := self.pieces.get(identity(value))) is not None:
            return served(self, *piece)
        if cls is Context:
            return {"k": "dict", "p": value.pairs}
        layout: Layout = layout_of(cls)
        reading = layout.keeping
        reader: Reader = reading[0] if reading else reader_of(layout)
        node = reader(self, value, layout)
        if self.pieces and node["k"] == "object" and is_callable(value):
            node |= self.living(value)  # an application: in a twin it is there
        return node

    def _absent(self, value: Any, obstacle: str) -> dict[str, Any]:
        """Return what stands for a value that cannot be written down."""
        live = self.living(value)
        if obstacle == TOO_LARGE:
            return {"k": WITHHELD} | live
        layout = layout_of(type(value))
        name = layout_of(value).name if layout.base is type else layout.name
        self.left -= len(name)
        return {"k": WITHHELD, "t": name, "rule": IN_PROCESS} | live

    def living(self, value: object) -> dict[str, Any]:
        """Return how a value that becomes the next node is found in a twin of this process:
        itself, or by way of what holds it."""
        return self.living_at(value, len(self.nodes))

    def living_at(self, value: object, at: int) -> dict[str, Any]:
        """As above, of the node of that number."""
        if not self.leaves_out:
            return {}
        way: living.Way = []
        while (number := living.referred(value)) is None:
            holder = bisect_right(self.reach, at) - 1
            step = living.step_to(opened(self.nodes[holder]), at) if holder >= 0 else None
            if step is None or len(way) == living.MAX_WAY:
                return {}
            way.insert(0, step)
            value, at = self.objects[holder], holder
        self.left -= _LIVE_BYTES
        return {"live": living.mark(number, way)}


_LIVE_BYTES = 40
