"""Make objects again of what `wire.kept` describes: only inside a sealed process.

Objects are made by the `__new__` of their builtin base and filled through dictionary and slots,
so no `__init__` and no `__setattr__` of the application runs; importing its modules does, and
what a set or dictionary asks of its keys. Whatever can be empty is made before it is filled, so
cycles close; a dictionary and a set are filled when their keys are whole, because those are
asked for their hash. Nothing recurses: a list may be 20,000 deep.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable
from typing import Any

from leadline.trial.building import MAKERS, SHELLS, Node, Site, fill, refused
from leadline.trial.withheld import Withheld, WithheldTouched, withheld
from leadline.wire.errors import RefusedError
from leadline.wire.kept import IN_PROCESS, VERSION, WITHHELD, Kept, is_absent, paths, steps

__all__ = ["Withheld", "WithheldTouched", "check", "rebuild"]

_NEW, _STARTED, _HERE, _WHOLE = range(4)
"""What is known of a node: nothing; its parts are looked at; it can be referred to; all of what
it holds is in it."""
_HASHED = ("set", "frozenset", "dict", "ordered", "defaultdict")
_held: list[object] = []
"""Keeps alive what only a weak reference leads to, for as long as this process lives."""


def rebuild(document: dict[str, Any]) -> dict[str, object]:
    """Return the arguments by name; raises `RefusedError("not-rebuildable", ...)`."""
    if document.get("v") != VERSION:
        raise refused(f"the arguments are of another version ({document.get('v')})")
    if damage := _damage(document):
        raise refused(f"the document is damaged ({damage})")
    return _Site(document).arguments()


def _damage(document: dict[str, Any]) -> str:
    """Return what is wrong with the form of a document, or nothing."""
    roots, nodes = document.get("roots"), document.get("nodes")
    if type(roots) is not dict or type(nodes) is not list:
        return "it has no roots and nodes"
    most = len(nodes)
    try:
        refs = [ref for ref in roots.values() if type(ref) is list]
        for node in nodes:
            if type(node["k"]) is not str:
                return "a node has no kind"
            refs += [ref for _, ref in steps(node) if type(ref) is list]
            if "c" in node:
                refs.append([node["c"]])
        if all(type(at) is int and 0 <= at < most for (at,) in refs):
            return ""
    except (KeyError, TypeError, ValueError, AttributeError):
        return "a node is no node"
    return "a reference leads nowhere"


def check(
    document: dict[str, Any], keep: Callable[[Iterable[tuple[str, object]]], Kept]
) -> str:
    """Rebuild a document and keep it again: return where the two differ first, or nothing."""
    again = keep(rebuild(document).items())
    if again.document is None:
        return f"once rebuilt it cannot be kept: {again.obstacle}"
    return differs(document, again.document)


def differs(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Return the path at which two documents first say something else, or nothing; how their
    nodes are numbered does not count."""
    if list(one["roots"]) != list(other["roots"]):
        return "other parameters"
    pairs: dict[Any, Any] = {}
    back: dict[Any, Any] = {}
    queue: list[tuple[int, int]] = []

    def same(mine: Any, its: Any) -> bool:
        if type(mine) is not list or type(its) is not list:
            return type(mine) is type(its) and repr(mine) == repr(its)
        if mine[0] in pairs or its[0] in back:
            return bool(pairs.get(mine[0]) == its[0] and back.get(its[0]) == mine[0])
        pairs[mine[0]], back[its[0]] = its[0], mine[0]
        queue.append((mine[0], its[0]))
        return True

    for name, ref in one["roots"].items():
        if not same(ref, other["roots"][name]):
            return str(name)
    for number, twin in queue:  # grows meanwhile
        mine, its = one["nodes"][number], other["nodes"][twin]
        where = None if _alike(mine, its) else ""
        if where is None and "c" in mine and not same([mine["c"]], [its["c"]]):
            where = ": its class"
        if where is None:
            refs = zip(_steps(mine), _steps(its), strict=True)
            where = next((step for (step, ref), (_, twin) in refs if not same(ref, twin)), None)
        if where is not None:
            return paths(one, {number}).get(number, "?") + where
    return ""


def _steps(node: dict[str, Any]) -> list[tuple[str, Any]]:
    if node["k"] in ("set", "frozenset"):
        return []
    return list(steps(node))


def _alike(mine: dict[str, Any], its: dict[str, Any]) -> bool:
    if mine.keys() != its.keys():
        return False
    if any(mine.get(name) != its.get(name) for name in ("k", "t", "b", "n", "m", "rule")):
        return False
    if len(mine.get("i", ())) != len(its.get("i", ())):
        return False
    if len(mine.get("p", ())) != len(its.get("p", ())):
        return False
    return all(list(mine.get(part, ())) == list(its.get(part, ())) for part in ("a", "s"))


_PASSES_ON = frozenset(
    "object list tuple dict ordered defaultdict deque error cell function method".split()
)
"""Kinds that are made of what they hold without looking at it; a key is looked at."""


def _hangs_on(node: Node, absent: Container[int]) -> bool:
    """Tell whether a node cannot be made where some others are absent."""
    parts = [key for key, _ in node.get("p", ())]
    if node["k"] not in _PASSES_ON:
        parts += node.get("i", ())
    if "c" in node and node["c"] in absent:
        return True
    return any(type(ref) is list and ref[0] in absent for ref in parts)


class _Site(Site):
    """What is being rebuilt of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(list(document["nodes"]))
        self._roots: dict[str, Any] = document["roots"]
        self._states = bytearray(len(self.nodes))
        self._spread()
        numbers = {at for at, node in enumerate(self.nodes) if node["k"] == WITHHELD}
        self._paths = paths(document, numbers) if numbers else {}

    def _spread(self) -> None:
        """What cannot be made without something that is not there is not there either."""
        absent = {at for at, node in enumerate(self.nodes) if is_absent(node)}
        before = -1
        while absent and len(absent) != before:
            before = len(absent)
            for at, node in enumerate(self.nodes):
                if at not in absent and _hangs_on(node, absent):
                    absent.add(at)
                    cls = self.nodes[node["c"]] if "c" in node else node
                    name = cls.get("t", node["k"])
                    self.nodes[at] = {"k": WITHHELD, "t": name, "rule": IN_PROCESS}

    def arguments(self) -> dict[str, object]:
        late: deque[int] = deque()
        try:
            for ref in self._roots.values():
                if type(ref) is list:
                    self._raise(ref[0], late)
            self._finish(late)
        except RefusedError:
            raise
        except WithheldTouched as touched:
            raise refused(f"{touched.path} was withheld, and it is a key") from None
        except Exception as error:
            raise refused(f"{type(error).__name__}: {error}") from error
        _held.append(self.built)
        return {name: self.get(ref) for name, ref in self._roots.items()}

    def _raise(self, number: int, late: deque[int]) -> None:
        """Build one node and all that it needs, the needed ones first."""
        stack = [number]
        while stack:
            at = stack[-1]
            state = self._states[at]
            if state == _NEW:
                self._begin(at)
                stack.extend(self._needed(at))
                continue
            stack.pop()
            if state in (_STARTED, _HERE) and not self._ended(at, force=False):
                late.append(at)

    def _begin(self, at: int) -> None:
        node = self.nodes[at]
        shell = SHELLS.get(node["k"])
        if shell is None:
            self._states[at] = _STARTED
            return
        if "c" in node:
            self.class_of(node)
        self.built[at] = shell(self, node)
        self._states[at] = _HERE

    def _needed(self, at: int) -> list[int]:
        return [
            ref[0]
            for _, ref in reversed(list(steps(self.nodes[at])))
            if type(ref) is list and self._states[ref[0]] == _NEW
        ]

    def _ended(self, at: int, *, force: bool) -> bool:
        """Make or fill a node, if all that it takes is there."""
        if self._states[at] == _WHOLE:
            return True
        node = self.nodes[at]
        if self._states[at] == _STARTED:
            # what it is made of has to be there; what hangs on it may lead back to it
            made_of = {name: part for name, part in node.items() if name not in ("a", "s")}
            if not self._are_there(made_of, force=force):
                return False
            self._make(at, node)
            self._states[at] = _HERE
        if not self._are_there(node, force=force):
            return False
        if node["k"] in SHELLS or "a" in node or "s" in node:
            fill(self, self.built[at], node)
        self._states[at] = _WHOLE
        return True

    def _make(self, at: int, node: Node) -> None:
        if node["k"] == WITHHELD:
            path = self._paths.get(at, "an argument")
            self.built[at] = withheld(path, node.get("rule", ""), node.get("t", "?"))
            return
        maker = MAKERS.get(node["k"])
        if maker is None:
            raise refused(f"there is no builder for {node['k']!r}")
        self.built[at] = maker(self, node)

    def _are_there(self, node: Node, *, force: bool) -> bool:
        """Tell whether all that a node refers to can be referred to; what is asked for its
        hash has to be whole."""
        hashed = node["k"] in _HASHED
        for step, ref in steps(node):
            if type(ref) is not list:
                continue
            state = self._states[ref[0]]
            if state < _HERE:
                return False
            asked = hashed and (step == "{key}" or node["k"] in ("set", "frozenset"))
            if asked and state < _WHOLE and not force:
                return False
        return True

    def _finish(self, late: deque[int]) -> None:
        """End what waited for others, in the order in which that becomes possible."""
        force = False
        while late:
            waiting = len(late)
            for _ in range(waiting):
                at = late.popleft()
                if not self._ended(at, force=force):
                    late.append(at)
                elif force:
                    break
            if len(late) == waiting:
                if force:
                    raise refused("it holds itself in a way that cannot be rebuilt")
                force = True
            else:
                force = False
