"""What a piece of code reads and calls while it runs, and all that this reads and calls.

Bodies of inner functions run later, unless the piece calls them. Of an object that cannot be
told, an attribute is any member of that name of the classes that the piece has to do with.
"""

import ast
from collections import deque
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from leadline.trial.holders import is_class, namespace_of
from leadline.trial.program import UNKNOWN, Found, Program, Source, Thing, mro, thing_of
from leadline.trial.scopes import FUNCTIONS, Function, bound_by, outside_of
from leadline.trial.syntax import (
    AT_ONCE,
    EXTENDING,
    IMPLIED,
    OF_BUILTINS,
    OF_ORDER,
    ORDERING,
    READ_AS,
    TRANSPARENT,
    at_once,
    lambdas_at_once,
    last_of,
    locals_of,
    words_of,
)
from leadline.wire.struct import dataclass, field

WHOLE = 99
"""The depth at which the bodies of all inner functions count."""
_BIRTH = ("__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setattr__")
_ALL_NAMES = ("globals", "locals", "vars", "dir")
_TOLD = "reads calls got passed asked called kinds attributes handed".split()


@dataclass(slots=True)
class Uses:
    """`reads` and `calls` are told things, `got` those that were read as attributes; `asked`
    and `called` attributes of something untold, `kinds` the classes around, `attributes` all
    that are read, `handed` what code of others is given. `is_open` says
    that something untold is called, `hands_on` that it is in a variable; `passed` is what is
    given to a thing that is called, at a depth."""

    reads: set[Thing] = field(default_factory=set)
    calls: set[tuple[Thing, int]] = field(default_factory=set)
    got: set[Thing] = field(default_factory=set)
    passed: set[tuple[Thing, int, Thing]] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    kinds: set[type] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    handed: set[Thing] = field(default_factory=set)
    hands_on: bool = False
    is_open: bool = False

    def add(self, other: "Uses") -> None:
        for name in _TOLD:
            getattr(self, name).update(getattr(other, name))
        self.hands_on |= other.hands_on
        self.is_open |= other.is_open


class Reading:
    """Reads pieces of one module. `cls` is the class whose body or method it is, and `me` what
    the method calls its object."""

    def __init__(
        self, program: Program, source: Source, cls: Any = UNKNOWN, me: str = ""
    ) -> None:
        self.uses = Uses()
        self._program, self._source, self._cls, self._me = program, source, cls, me
        self._called: set[str] = set()
        self._lambdas: set[int] = set()
        self._inner: set[str] = set()
        self._within: dict[str, Thing] = {}

    def within(self, names: Iterable[str], qualname: str) -> None:
        """Have some names mean what the body of a class has bound."""
        self._within = {name: (self._source.name, f"{qualname}.{name}") for name in names}

    def function(self, function: Function, depth: int) -> Uses:
        """Read what a call of a function does."""
        self._called, self._lambdas = at_once(function), lambdas_at_once(function)
        self._inner = {one.name for one in ast.walk(function) if isinstance(one, FUNCTIONS)}
        own = frozenset(locals_of(function))
        for default in outside_of(function).values():
            self.node(default, frozenset(), 0)
        for one in function.decorator_list:
            self.decorator(one, frozenset(), WHOLE)
        for statement in function.body:
            self.node(statement, own, depth)
        return self.uses

    def piece(self, node: ast.AST, depth: int = 0) -> Uses:
        """Read a piece of code that stands outside of functions."""
        self._called, self._lambdas = at_once(node), lambdas_at_once(node)
        self.node(node, frozenset(), depth)
        return self.uses

    def node(self, node: ast.AST, own: frozenset[str], depth: int) -> None:
        self.uses.called.update(IMPLIED.get(type(node), "").split())
        match node:
            case ast.AugAssign(target=ast.Attribute(attr=name)):
                self.uses.attributes.add(name)
                self._all(ast.iter_child_nodes(node), own, depth)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for one in node.decorator_list:
                    self.decorator(one, own, 0)
                self._all(outside_of(node).values(), own, depth)
                if depth or node.name in self._called:
                    inner = own | locals_of(node)
                    self._all(node.body, inner, max(0, depth - 1))
            case ast.Lambda():
                self._all([one for one in node.args.defaults if one], own, depth)
                if depth or id(node) in self._lambdas:
                    self.node(node.body, own | locals_of(node), max(0, depth - 1))
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                bound = {name for one in node.generators for name in bound_by(one.target)}
                self._all(ast.iter_child_nodes(node), own | bound, depth)
            case ast.Call():
                self._call(node, own, depth)
            case ast.Name() if isinstance(node.ctx, ast.Load):
                self._read(self.found(node, own))
            case ast.Attribute():
                self._attribute(node, own, depth)
            case _:
                self._all(ast.iter_child_nodes(node), own, depth)

    def _attribute(self, node: ast.Attribute, own: frozenset[str], depth: int) -> None:
        if isinstance(node.ctx, ast.Load):
            self.uses.attributes.add(node.attr)
        found = self.found(node, own)
        self._read(found)
        self.uses.got.update(found.things if found is not None else ())
        if found is None or self._is_me(node.value, own):
            self.uses.asked.add(node.attr)
        if not self._is_module(node.value, own):
            self.node(node.value, own, depth)

    def _is_module(self, node: ast.expr, own: frozenset[str]) -> bool:
        found = self.found(node, own)
        return found is not None and issubclass(type(found.live), ModuleType)

    def _all(self, nodes: Iterable[ast.AST], own: frozenset[str], depth: int) -> None:
        for one in nodes:
            self.node(one, own, depth)

    def found(self, node: ast.AST, own: frozenset[str]) -> Found | None:
        """Return what a dotted name means, or None."""
        match node:
            case ast.Name(id=name):
                if self._is_me(node, own):
                    return Found(live=self._cls, itself=True)
                if name in own:
                    return None
                if name in self._within:
                    thing = self._within[name]
                    return Found(frozenset([thing]), self._program.live(thing))
                return self._program.named(self._source, name)
            case ast.Attribute(value=inner, attr=name):
                found = self.found(inner, own)
                return None if found is None else self._program.member(found, name)
        return None

    def _is_me(self, node: ast.AST, own: frozenset[str]) -> bool:
        return (
            isinstance(node, ast.Name)
            and bool(self._me)
            and node.id == self._me
            and node.id in own
            and is_class(self._cls)
        )

    def _read(self, found: Found | None) -> None:
        if found is None:
            return
        self.uses.reads |= found.things
        if found.live is not UNKNOWN:
            cls = found.live if is_class(found.live) else type(found.live)
            if self._program.is_own(cls):
                self.uses.kinds.add(cls)

    def _call(self, node: ast.Call, own: frozenset[str], depth: int) -> None:
        given = [*node.args, *(word.value for word in node.keywords)]
        found = self.found(node.func, own)
        self._order(node, own)
        if found is not None:
            self.uses.calls |= {(thing, 0) for thing in found.things}
            live = found.live
            if live is not UNKNOWN and not is_class(live) and self._program.is_own(type(live)):
                self.uses.called.add("__call__")
        if isinstance(node.func, ast.Attribute):
            self.uses.attributes.add(node.func.attr)
            if found is None or self._is_me(node.func.value, own):
                self.uses.called.add(node.func.attr)
            self._read(found)
            if not self._is_module(node.func.value, own):
                self.node(node.func.value, own, depth)
        else:
            self._untold(node.func, own)
            self.node(node.func, own, depth)
        if not isinstance(node.func, ast.Attribute) and (found is None or not found.things):
            self.uses.called.update(OF_BUILTINS.split())
        if not given and last_of(node.func) in _ALL_NAMES:
            self.uses.handed.add((self._source.name, ""))
        is_own = found is not None and any(
            module in self._program.sources for module, _ in found.things
        )
        for one in given:
            if not is_own:
                self._hand(one, own)
            passed = self.found(one, own)
            things = passed.things if passed is not None else frozenset()
            if last_of(node.func) in AT_ONCE:
                self.uses.calls |= {(thing, 0) for thing in things}
            elif found is not None:
                self.uses.passed |= {(to, 0, one) for to in found.things for one in things}
            self.node(one, own, depth)

    def _hand(self, given: ast.expr, own: frozenset[str]) -> None:
        """Note a class, an object or a module, also by its name as a text, that code of others
        is given: it may read any of its attributes."""
        if isinstance(given, ast.Constant) and given.value in self._program.sources:
            self.uses.handed.add((given.value, ""))
        made = given.func if isinstance(given, ast.Call) else given
        found = self.found(made, own)
        if found is None:
            return
        if issubclass(type(found.live), ModuleType):
            self.uses.handed.add((str(found.live.__dict__.get("__name__")), ""))
        elif found.live is not UNKNOWN:
            cls = found.live if is_class(found.live) else type(found.live)
            self.uses.handed |= {thing_of(one) for one in mro(cls) if self._program.is_own(one)}

    def _order(self, node: ast.Call, own: frozenset[str]) -> None:
        """Note what puts the items of lists in order, and of which classes these are."""
        if last_of(node.func) not in ORDERING:
            return
        self.uses.called.update(OF_ORDER.split())
        whose = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        for one in (*node.args, *whose):
            found = self.found(one, own)
            live: Any = found.live if found is not None else UNKNOWN
            if type(live) in (list, tuple, set, frozenset, deque):
                kinds = set(map(type, live))
                self.uses.kinds |= {kind for kind in kinds if self._program.is_own(kind)}

    def _untold(self, called: ast.expr, own: frozenset[str]) -> None:
        """Note that what is called is in a variable, or comes out of an expression."""
        if self._is_me(called, own):
            self.uses.calls.add((thing_of(self._cls), 0))
        elif isinstance(called, ast.Name) and called.id in own - self._inner:
            self.uses.hands_on = self.uses.is_open = True
        elif not isinstance(called, ast.Name):
            self.uses.is_open = True

    def decorator(
        self, node: ast.expr, own: frozenset[str], depth: int, of: Thing | None = None
    ) -> None:
        """Read a decorator; of one that is called first, what it returns is called too."""
        called = node.func if isinstance(node, ast.Call) else node
        if isinstance(called, ast.Attribute) and called.attr in EXTENDING:
            return
        found = self.found(called, own)
        depth = max(depth, int(isinstance(node, ast.Call)))
        if found is not None:
            self.uses.calls |= {(thing, depth) for thing in found.things}
            if of is not None:
                self.uses.passed |= {(thing, depth, of) for thing in found.things}
        elif isinstance(called, ast.Attribute):
            self.uses.called.add(called.attr)
        self.node(node, own, 0)


class Following:
    """Follows what is called through the functions and classes of a program."""

    def __init__(self, program: Program, *, everything: bool = False) -> None:
        """With `everything`, what is merely mentioned counts as called, as do all members of
        a name, and the bodies of inner functions: all that a call may ever come to."""
        self._program, self._everything = program, everything
        self._known: dict[tuple[Thing, int], Uses] = {}

    def follow(self, uses: Uses) -> Uses:
        """Return all that is read and called."""
        total = Uses()
        total.add(uses)
        done: set[tuple[Thing, int]] = set()
        asked: set[tuple[object, str]] = set()
        while True:
            total.calls |= {
                (thing, 0) for to, depth, thing in total.passed if self._hands_on((to, depth))
            }
            total.calls |= {(one, 0) for one in total.got if self._is_called(one)}
            if self._everything:
                total.calls = {(thing, WHOLE) for thing, _ in total.calls}
                total.calls |= {(thing, WHOLE) for thing in total.reads}
            waiting = total.calls - done
            done |= waiting
            for one in waiting:
                total.add(self._of(one))
            before = len(total.calls), len(total.reads)
            self._attributes(total, asked)
            if not waiting and before == (len(total.calls), len(total.reads)):
                return total

    def direct(self, thing: Thing) -> Uses:
        """Return what the body of something reads and calls by itself."""
        return self._of((thing, WHOLE))

    def _attributes(self, total: Uses, asked: set[tuple[object, str]]) -> None:
        """Find the members that an attribute of something untold may be."""
        for name in total.asked | total.called:
            if self._everything:
                total.reads |= self._program.members.get(name, set())
                continue
            for kind in list(total.kinds):
                if (kind, name) in asked:
                    continue
                asked.add((kind, name))
                found = self._program.all_members(kind, name)
                total.reads |= found
                total.got |= found
                if name in total.called:
                    total.calls |= {(thing, 0) for thing in found}

    def _is_called(self, thing: Thing) -> bool:
        """Tell whether to read something is to call it: a property."""
        source = self._program.sources.get(thing[0])
        found = source.definitions.get(thing[1], ()) if source is not None else ()
        return any(
            isinstance(one, FUNCTIONS) and any(word in READ_AS for word in words_of(one))
            for one in found
        )

    def _hands_on(self, called: tuple[Thing, int]) -> bool:
        """Tell whether something calls what it is given, or what it calls does."""
        seen: set[tuple[Thing, int]] = set()
        waiting = {called}
        while waiting:
            uses = self._of(waiting.pop())
            if uses.hands_on:
                return True
            waiting |= uses.calls - seen
            seen |= uses.calls
        return False

    def _of(self, called: tuple[Thing, int]) -> Uses:
        if called not in self._known:
            self._known[called] = Uses()  # for what calls itself
            self._known[called] = self._read(*called)
        return self._known[called]

    def _read(self, thing: Thing, depth: int) -> Uses:
        source = self._program.sources.get(thing[0])
        uses = Uses()
        if source is None:
            return uses
        for definition in source.definitions.get(thing[1], ()):
            if isinstance(definition, FUNCTIONS):
                cls, me = self._within(thing, definition)
                reading = Reading(self._program, source, cls, me)
                uses.add(reading.function(definition, depth))
            else:
                uses.add(self._made(source, thing, definition))
        if thing[1] not in source.definitions:
            for value in source.assigned.get(thing[1], ()):
                uses.add(Reading(self._program, source).piece(value, WHOLE))
        return uses

    def _within(self, thing: Thing, function: Function) -> tuple[Any, str]:
        owner = thing[1].rpartition(".")[0]
        if not owner or "staticmethod" in words_of(function):
            return UNKNOWN, ""
        first = [*function.args.posonlyargs, *function.args.args][:1]
        return self._program.live((thing[0], owner)), first[0].arg if first else ""

    def _made(self, source: Source, thing: Thing, definition: ast.ClassDef) -> Uses:
        """Read what it takes to make an object of a class."""
        uses = Uses()
        live = self._program.live(thing)
        if is_class(live):
            uses.kinds.add(live)
            uses.calls |= {(one, 0) for one in born(self._program, live, _BIRTH)}
            uses.calls |= {(one, 0) for one in born(self._program, type(live), ("__call__",))}
        uses.called |= {"__set__", "__get__"}
        for one in definition.body:
            if isinstance(one, FUNCTIONS):
                if not all(word in TRANSPARENT for word in words_of(one)):
                    uses.calls.add(((thing[0], f"{thing[1]}.{one.name}"), 0))
            elif not isinstance(one, ast.ClassDef):
                reading = Reading(self._program, source, live)
                reading.within(bodies_names(definition), thing[1])
                found = reading.piece(one)
                uses.add(found)
                uses.calls |= {(each, 0) for each in found.reads if self._is_defined(each)}
        return uses

    def _is_defined(self, thing: Thing) -> bool:
        source = self._program.sources.get(thing[0])
        return source is not None and thing[1] in source.definitions


def bodies_names(definition: ast.ClassDef) -> set[str]:
    return {name for one in definition.body for name in bound_by(one)}


def born(program: Program, cls: type, names: Iterable[str]) -> Iterator[Thing]:
    """Yield the members of a class, and of all above it, that are called by the language."""
    for one in mro(cls):
        if program.is_own(one):
            module, qualname = thing_of(one)
            for name in names:
                thing = module, f"{qualname}.{name}"
                if name in namespace_of(one) or thing in program.changed:
                    yield thing
