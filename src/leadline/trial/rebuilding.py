"""Make objects again of what `wire.kept` describes: only inside a sealed process.

Objects are made by the `__new__` of their builtin base and filled through dictionary and slots,
so no `__init__` and no `__setattr__` of the application runs; importing its modules does, and
what a set or dictionary asks of its keys. Whatever can be empty is made before it is filled, so
cycles close; a dictionary and a set are filled when their keys are whole, because those are
asked for their hash. Nothing recurses: a list may be 20,000 deep.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from leadline.trial.building import MAKERS, SHELLS, Node, Site, emptied, fill
from leadline.trial.building_classes import CLASS
from leadline.trial.building_streams import TEXT_WRAPPER
from leadline.trial.dotted import refused
from leadline.trial.printed import KEPT, standing
from leadline.trial.withheld import Withheld, WithheldTouched, withheld
from leadline.wire.errors import RefusedError
from leadline.wire.kept import (
    CONTEXT,
    IN_PROCESS,
    STREAM,
    VERSION,
    WITHHELD,
    Kept,
    is_absent,
    made_of,
    paths,
    steps,
)

__all__ = ["Withheld", "WithheldTouched", "check", "rebuild"]

_NEW, _STARTED, _HERE, _WHOLE = range(4)
"""What is known of a node: nothing; its parts are looked at; it can be referred to; all of what
it holds is in it."""
_PLAIN = ("k", "t", "b", "n", "m", "g", "q", "w", "rule")
"""Members of a node that hold no refs."""
_ASKED = ("set", "frozenset", "element", TEXT_WRAPPER)
"""Kinds that look at all they are made of."""
_TABLES = ("dict", "ordered", "defaultdict")
_HASHING = ("tuple", "set", "frozenset")
type Living = Callable[[Any], tuple[object] | None]
"""Returns the object that the member `live` of a node means, if it still lives here."""
_held: list[list[Any]] = []
"""Keeps alive what only a weak reference leads to, for as long as this process lives."""


def built() -> list[object]:
    """Return all objects that were made again here."""
    return [one for made in _held for one in made]


def rebuild(
    document: dict[str, Any],
    modules: Mapping[str, str] | None = None,
    living: Living | None = None,
) -> dict[str, object]:
    """Return the arguments by name; raises `RefusedError("not-rebuildable", ...)`.

    `modules` tells which modules have another name here, such as `__main__`, or, where that is
    empty, that they are not here. `living` finds
    what could not be kept, in a twin of the process where it lives.
    """
    if document.get("v") != VERSION:
        raise refused(f"the arguments are of another version ({document.get('v')})")
    if damage := _damage(document):
        raise refused(f"the document is damaged ({damage})")
    return _Site(document, modules or {}, living).arguments()


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
        if where is None and mine["k"] != its["k"]:
            continue
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


def _name(node: dict[str, Any]) -> list[str] | None:
    """Return the name of what a module holds, if it is such a thing."""
    return node.get("g") if node["k"] != "name" else [node["m"], node["t"]]


def _alike(mine: dict[str, Any], its: dict[str, Any]) -> bool:
    if (mine["k"] == "name" or its["k"] == "name") and _name(mine) == _name(its):
        return True  # here with what it holds, there without: it is the same object
    if mine.keys() - {"live"} != its.keys() - {"live"}:
        return False
    if any(mine.get(name) != its.get(name) for name in _PLAIN):
        return False
    if len(mine.get("i", ())) != len(its.get("i", ())):
        return False
    if len(mine.get("p", ())) != len(its.get("p", ())):
        return False
    return all(list(mine.get(part, ())) == list(its.get(part, ())) for part in ("a", "s"))


def _hangs_on(node: Node, absent: set[int]) -> bool:
    """Tell whether a node cannot be made where some others are absent."""
    if "c" in node and node["c"] in absent:
        return True
    return any(type(ref) is list and ref[0] in absent for ref in made_of(node))


def _asks(node: Node, unhashed: Mapping[int, str]) -> str:
    """Return by which rule something is held back whose hash is a part of a node's, or is asked
    for when that is made; nothing if there is none."""
    refs = node.get("i", ()) if node["k"] in _HASHING else ()
    if node["k"] in _TABLES:
        refs = [key for key, _ in node.get("p", ())]
    return next(
        (unhashed[one[0]] for one in refs if type(one) is list and one[0] in unhashed), ""
    )


class _Site(Site):
    """What is being rebuilt of one document."""

    def __init__(
        self, document: dict[str, Any], modules: Mapping[str, str], living: Living | None
    ) -> None:
        super().__init__(list(document["nodes"]), modules)
        self._roots: dict[str, Any] = document["roots"]
        self._states = bytearray(len(self.nodes))
        self._leave_streams()
        if living is not None:
            self._find(living)
        self._look_names_up()
        self._spread()
        numbers = {at for at, node in enumerate(self.nodes) if node["k"] == WITHHELD}
        self._paths = paths(document, numbers) if numbers else {}

    def _leave_streams(self) -> None:
        """Leave what keeps here what is printed in the place of a stream that the program has
        put there for good: that one passes on to a log, or to files, what is to be compared. A
        stream in memory is made anew, and so is what is read from."""
        for at, node in enumerate(self.nodes):
            name = standing(node.get("g"))
            if name in KEPT:
                self.nodes[at] = {"k": "name", "m": "sys", "t": name.removeprefix(STREAM)}
            elif name:
                self.nodes[at] = {part: one for part, one in node.items() if part != "g"}
        around = self._roots.get(CONTEXT)
        if type(around) is list:
            node = self.nodes[around[0]]
            pairs = [one for one in node.get("p", ()) if not self._is_of_program(*one)]
            self.nodes[around[0]] = node | {"p": pairs}

    def _is_of_program(self, what: Any, ref: Any) -> bool:
        """Tell whether a pair is a stream that a module of the program has under a name."""
        if type(what) is not str or what not in KEPT or type(ref) is not list:
            return False
        node = self.nodes[ref[0]]
        return node["k"] == "name" or "g" in node

    def _find(self, living: Living) -> None:
        """Take what lives here as it is."""
        for at, node in enumerate(self.nodes):
            live = living(node["live"]) if "live" in node else None
            if live is None:
                continue
            (self.built[at],) = live
            self.nodes[at] = {"k": "live"}
            self._states[at] = _WHOLE
            if isinstance(live[0], type):
                self.classes[at] = live[0]

    def _look_names_up(self) -> None:
        """What lies in a module that cannot be imported here, as it writes or connects when
        that is done, is not there: that concerns those calls only that look at it."""
        failed: set[str] = set()
        for at, node in enumerate(self.nodes):
            if node["k"] not in ("name", "function"):
                continue
            if node["m"] not in failed and self.modules.get(node["m"]) != "":
                try:
                    self.by_name(node["m"], node["t"] if node["k"] == "name" else "")
                    continue
                except RefusedError:
                    continue
                except Exception:  # noqa: BLE001 - whatever the module does
                    failed.add(node["m"])
            name = f"{node['m']}.{node['t']}"
            self.nodes[at] = {"k": WITHHELD, "t": name, "rule": IN_PROCESS}

    def _spread(self) -> None:
        """What cannot be made without something that is not there is not there either; what a
        module holds is as it is here then."""
        absent = {at for at, node in enumerate(self.nodes) if is_absent(node)}
        classes = {node["c"] for node in self.nodes if "c" in node}
        absent |= {at for at in classes if self.nodes[at]["k"] == WITHHELD}  # by any rule
        unhashed = {
            at: node.get("rule", IN_PROCESS)
            for at, node in enumerate(self.nodes)
            if node["k"] == WITHHELD
        }
        changed = bool(absent or unhashed)
        while changed:
            changed = False
            for at, node in enumerate(self.nodes):
                if at in absent:
                    continue
                rule = _asks(node, unhashed)
                if rule and node["k"] == "tuple":  # it is there, and has no hash
                    changed = changed or at not in unhashed
                    unhashed[at], rule = rule, ""
                if not rule and not _hangs_on(node, absent):
                    continue
                changed = True
                if "g" in node and self._is_here(*node["g"]):
                    self.nodes[at] = {"k": "name", "m": node["g"][0], "t": node["g"][1]}
                    continue
                absent.add(at)
                unhashed[at] = rule or IN_PROCESS
                cls = self.nodes[node["c"]] if "c" in node else node
                name = cls.get("t", node["k"])
                self.nodes[at] = {"k": WITHHELD, "t": name, "rule": unhashed[at]}

    def _is_here(self, module: str, name: str) -> bool:
        try:
            self.by_name(module, name)
        except RefusedError:
            return False
        return True

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
        if node["k"] == CLASS:
            self.class_at(at)
            self._states[at] = _HERE
            return
        shell = SHELLS.get(node["k"]) if "g" not in node else emptied
        if shell is None:
            self._states[at] = _STARTED
            return
        if "c" in node:
            self.class_of(node)
        self.built[at] = shell(self, node)
        self._states[at] = _HERE

    def _needed(self, at: int) -> list[int]:
        node = self.nodes[at]
        needed = [ref[0] for _, ref in reversed(list(steps(node))) if type(ref) is list]
        if "c" in node and self.nodes[node["c"]]["k"] == CLASS:
            needed.append(node["c"])  # what is asked of a key is asked of its class
        return [number for number in needed if self._states[number] == _NEW]

    def _ended(self, at: int, *, force: bool) -> bool:
        """Make a node and fill it, as far as what it takes is there; return whether it is."""
        node = self.nodes[at]
        if self._states[at] == _STARTED:
            if not self._there(node, within=False, force=force):
                return False
            self._make(at, node)
        if self._states[at] == _HERE:
            if not self._there(node, within=True, force=force):
                return False
            fill(self, self.built[at], node)
            self._states[at] = _WHOLE
        return True

    def _there(self, node: dict[str, Any], *, within: bool, force: bool) -> bool:
        """Tell whether what a node is made of is there, or `within` all that it holds; keys
        have to be whole, but for when that cannot be."""
        kind = node["k"]
        for step, ref in steps(node):
            if type(ref) is not list or (step[:1] == "." and not within):
                continue
            state = self._states[ref[0]]
            asked = kind in _ASKED or (step == "{key}" and kind in _TABLES)
            if state < (_WHOLE if asked and not force else _HERE):
                return False
        return True

    def _make(self, at: int, node: dict[str, Any]) -> None:
        if node["k"] == WITHHELD:
            path = self._paths.get(at, "an argument")
            self.built[at] = withheld(path, node.get("rule", ""), node.get("t", "?"))
            self._states[at] = _WHOLE
            return
        maker = MAKERS.get(node["k"])
        if maker is None:
            raise refused(f"there is no builder for {node['k']!r}")
        self.built[at] = maker(self, node)
        self._states[at] = _HERE

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
