"""Where an instance keeps what it holds: its builtin base, its dictionary and its slots.

A class that keeps something elsewhere (more memory than its slots account for) cannot be read,
and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from leadline.agent.capture import naming
from leadline.agent.capture.obstacle import UNNAMED, Obstacle
from leadline.expression.interruption import expected
from leadline.expression.layout import HEAP_TYPE, Getter, Layout, is_slot, layout_of
from leadline.wire.kept import WITHHELD
from leadline.wire.redaction import secret_name

if TYPE_CHECKING:
    from leadline.agent.capture.keeping import Keeper

type Node = dict[str, Any]
type Reader = Callable[[Keeper, Any, Layout], Node]
"""Takes the keeper, an object and the layout of its class."""
type Take = Callable[[Keeper, Any, Node], None]
"""Takes what a builtin base holds into a node."""
type Maker = Callable[[Layout, type], Reader]
"""Takes the layout of a class and the known class that it derives from."""

_OPEN = ("types.SimpleNamespace",)
"""Classes of C whose instances hold nothing but what their members tell, and let set."""
FILLED = ("dict", "ordered", "defaultdict", "list", "set", "deque")
"""Kinds of containers that can be emptied, and given what another one holds."""
_WORD = 8
_flags: Any = vars(type)["__flags__"].__get__
_basic: dict[str, Any] = {
    name: vars(type)[f"__{name}__"].__get__
    for name in ("basicsize", "itemsize", "dictoffset", "weakrefoffset")
}


class Held:
    """Stands among the objects for one that is held back."""

    __slots__ = ("name", "rule")

    def __init__(self, rule: str, name: str) -> None:
        self.rule, self.name = rule, name

    def node(self) -> Node:
        """Return what it is written down as."""
        return {"k": WITHHELD, "t": self.name, "rule": self.rule}


class Far:
    """The class of what stands among the objects for one for which there is no room: of its
    own, since our extension writes the instances of others down."""

    __slots__ = ()


FAR = Far()


class Context:
    """Stands among the objects for the context variables."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[Any]) -> None:
        self.pairs = pairs


def _slots(layout: Layout, base: type) -> Iterator[tuple[str, Getter]]:
    """Yield the slots of the classes above `base`, those of the bases first."""
    known = layout_of(base).order
    for members in reversed(layout.members):
        for name, value in list(members.items()):
            if is_slot(value, layout.order) and not any(
                cls is value.__objclass__ for cls in known
            ):
                yield name, value.__get__


class Extra:
    """Where the instances of a class keep what they hold beside what their builtin base does:
    in their dictionary and their slots."""

    __slots__ = ("names", "slots", "without")

    def __init__(
        self, layout: Layout, base: type = object, without: frozenset[str] = frozenset()
    ) -> None:
        self.names = layout.namespace
        self.without = without
        self.slots = [
            (name, read)
            for name, read in _slots(layout, base)
            if name != "__dict__" and name not in without
        ]

    def add(self, keeper: Keeper, value: Any, node: Node) -> None:
        """Take it into a node."""
        if self.names is not None:
            names = self.names(value)
            if type(names) is dict:
                if names and self.without:
                    pairs = list(dict.items(names))
                    if any(type(name) is not str for name, _ in pairs):
                        raise Obstacle(UNNAMED)
                    names = {name: one for name, one in pairs if name not in self.without}
                if names:
                    node["a"] = keeper.attributes(names)
            elif names is not None:
                raise Obstacle("its dictionary is no ordinary one")
        if self.slots:
            slots: dict[str, Any] = {}
            for name, read in self.slots:
                try:
                    held = read(value)
                except AttributeError as error:  # never filled
                    if not expected(error, AttributeError):
                        raise
                    continue
                rule = secret_name(name)
                keeper.left -= len(name) + 4
                slots[name] = keeper.ref(held) if rule is None else keeper.withheld(rule, held)
            if slots:
                node["s"] = slots


def plain_maker(kind: str, take: Take) -> Maker:
    """Return what makes the reader of classes that derive from a builtin one."""

    empties = kind in FILLED

    def make(layout: Layout, base: type) -> Reader:
        whole = layout.cls is base
        if not whole and hidden_state(layout, base):
            return opaque
        extra = None if whole and layout.namespace is None else Extra(layout, base)

        def read(keeper: Keeper, value: Any, layout: Layout) -> Node:
            node: Node = {"k": kind}
            if empties or not whole:
                name, with_state = (
                    keeper.landmark(value)
                    if empties
                    else (keeper.landmarks.name_of(value), False)
                )
                if with_state and name is not None:
                    given(keeper, node, name)
                elif name is not None:
                    return named(keeper, name)
            if not whole:
                node["c"] = keeper.class_(layout.cls)
            take(keeper, value, node)
            if extra is not None:
                extra.add(keeper, value, node)
            return node

        return read

    return make


def hidden_state(layout: Layout, base: type) -> bool:
    """Tell whether instances have memory that neither `base` nor their slots account for."""
    cls = layout.cls
    if cls is base:
        return False
    known = layout_of(base).order
    for entry, dotted in zip(layout.order, layout.names, strict=True):
        ours = _flags(entry) & HEAP_TYPE or any(entry is one for one in known)
        if not ours and dotted not in _OPEN:
            return True
    slots = sum(1 for _ in _slots(layout, base))
    most = _basic["basicsize"](base) + _WORD * slots
    for place in ("dictoffset", "weakrefoffset"):
        most += _WORD * (_basic[place](cls) > 0 and _basic[place](base) <= 0)
    return bool(_basic["basicsize"](cls) > most) or (
        _basic["itemsize"](cls) != _basic["itemsize"](base)
    )


def opaque(keeper: Keeper, value: Any, layout: Layout) -> Node:
    """Refuse an instance that cannot be read, unless a module has it under a name."""
    name = keeper.landmarks.name_of(value)
    if name is None:
        raise Obstacle(f"{article(layout)} lives in its process")
    return named(keeper, name)


def article(layout: Layout) -> str:
    """Return the name of a class for a sentence."""
    name = layout.names[0] if layout.names else layout.name
    name = name.removeprefix("builtins.")
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def given(keeper: Keeper, node: Node, name: naming.Name) -> None:
    """Say under which name the object of a node is found."""
    keeper.left -= len(name[0]) + len(name[1]) + 12
    node["g"] = list(name)


def named(keeper: Keeper, name: naming.Name) -> Node:
    """Return the node of what is found by its name."""
    keeper.left -= len(name[0]) + len(name[1])
    return {"k": "name", "t": name[1], "m": name[0]}
