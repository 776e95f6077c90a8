"""What a function keeps of a part of it: names of modules and attributes that it sets by what
this part comes to, through its own variables, conditions, and functions that it gives it to."""

import ast
from collections.abc import Iterable, Iterator
from types import ModuleType

from leadline.trial.program import Found, Program, Source, Thing
from leadline.trial.scopes import FUNCTIONS, Function, bound_by
from leadline.trial.syntax import locals_of, words_of
from leadline.wire.struct import dataclass

CHANGING = frozenset(
    "append appendleft add update setdefault pop popitem insert extend clear remove discard"
    " set put register __setitem__ __setattr__ __delitem__ setattr delattr".split()
)
"""Methods that change the object that they are of."""

type Owned = tuple[Thing | None, str]
"""An attribute of objects of a class; of any, where that is None."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is set, and where the statements begin that set it, by line and column."""

    things: frozenset[Thing] = frozenset()
    attributes: frozenset[Owned] = frozenset()
    statements: frozenset[tuple[int, int]] = frozenset()


def kept_of(
    program: Program,
    thing: Thing,
    function: Function,
    *,
    leading: set[Thing] | None = None,
    line: int = 0,
) -> Kept:
    """Return what a function keeps of what it has from those that are `leading` somewhere, or
    of what stands on a `line` of it."""
    return _Keeping(program, thing, function, leading or set(), line).kept()


def attributes_read(thing: Thing, function: Function) -> Iterator[Owned]:
    """Yield the attributes that a function reads."""
    owner, me = owner_of(thing, function)
    for one in ast.walk(function):
        if isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Attribute):
            yield _owned(one.target, owner, me)
        elif isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Load):
            yield _owned(one, owner, me)
        elif isinstance(one, ast.Call) and len(one.args) > 1:
            name = one.args[1]
            asks = isinstance(one.func, ast.Name) and one.func.id in ("getattr", "hasattr")
            if asks and isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield None, name.value


def owner_of(thing: Thing, function: Function) -> tuple[Thing | None, str]:
    """Return the class that a function is a method of, and what it calls its object."""
    owner = thing[1].rpartition(".")[0]
    first = [*function.args.posonlyargs, *function.args.args][:1]
    if not owner or not first or "staticmethod" in words_of(function):
        return None, ""
    return (thing[0], owner), first[0].arg


def _owned(node: ast.Attribute, owner: Thing | None, me: str) -> Owned:
    is_mine = isinstance(node.value, ast.Name) and bool(me) and node.value.id == me
    return (owner if is_mine else None), node.attr


class _Keeping:
    def __init__(
        self, program: Program, thing: Thing, function: Function, leading: set[Thing], line: int
    ) -> None:
        self._program, self._thing, self._function = program, thing, function
        self._source = program.sources[thing[0]]
        self._leading, self._line = leading, line
        self._members = {name.rpartition(".")[2] for _, name in leading if "." in name}
        self._own = locals_of(function)
        self._owner = owner_of(thing, function)[0]
        self._is_cached = "cached_property" in words_of(function)
        """Whether what it returns is an attribute from then on."""
        self._met: set[str] = set()
        """Variables that hold what comes of it."""

    def kept(self) -> Kept:
        before = -1
        while len(self._met) > before:  # a loop may come back to what stands above
            before = len(self._met)
            statements = list(self._statements(self._function.body, within=False))
        things: set[Thing] = set()
        attributes: set[Owned] = set()
        where: set[tuple[int, int]] = set()
        for one in statements:
            set_by = list(self._set_by(self._function, self._source, self._thing, _parts(one)))
            set_by += self._given_on(one)
            if self._is_cached and isinstance(one, ast.Return):
                set_by.append((set(), {(self._owner, self._thing[1].rpartition(".")[2])}))
            for what, owned in set_by:
                things |= what
                attributes |= owned
            if set_by:
                where.add((one.lineno, one.col_offset))
        return Kept(frozenset(things), frozenset(attributes), frozenset(where))

    def _statements(self, body: Iterable[ast.AST], *, within: bool) -> Iterator[ast.stmt]:
        """Yield the statements that have to do with it."""
        for one in body:
            met = within
            if isinstance(one, ast.stmt) and not isinstance(one, (*FUNCTIONS, ast.ClassDef)):
                parts = _parts(one)
                met = met or any(self._is_met(part) for part in parts)
                if met:
                    self._met |= {name for part in parts for name in bound_by(part)} & self._own
                    yield one
                if not isinstance(one, ast.If | ast.While | ast.For | ast.AsyncFor | ast.Match):
                    met = within  # what is in it runs anyway
            yield from self._statements(_blocks(one), within=met)

    def _is_met(self, part: ast.AST) -> bool:
        for one in ast.walk(part):
            if self._line and getattr(one, "lineno", 0) == self._line:
                return True
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
                if one.id in self._met:
                    return True
                if one.id not in self._own and self._leads(self._named(one.id)):
                    return True
            elif isinstance(one, ast.Attribute) and one.attr in self._members:
                found = self._found(one)
                if found is None or self._leads(found):
                    return True
        return False

    def _leads(self, found: Found) -> bool:
        return not self._leading.isdisjoint(found.things)

    def _named(self, name: str) -> Found:
        return self._program.named(self._source, name)

    def _found(self, node: ast.expr) -> Found | None:
        """Return what a dotted name means that begins outside of the function."""
        if isinstance(node, ast.Name):
            return None if node.id in self._own else self._named(node.id)
        if isinstance(node, ast.Attribute):
            found = self._found(node.value)
            return None if found is None else self._program.member(found, node.attr)
        return None

    def _given_on(self, statement: ast.stmt) -> Iterator[tuple[set[Thing], set[Owned]]]:
        """Yield what functions set that are given it; all that are called, of a line."""
        if isinstance(statement, ast.Raise):
            return
        for part in _parts(statement):
            for one in ast.walk(part):
                if not isinstance(one, ast.Call):
                    continue
                given = [*one.args, *(word.value for word in one.keywords)]
                if self._line or any(self._is_met(each) for each in given):
                    for called in self._called(one.func):
                        yield from self._set_in(called, one)

    def _called(self, called: ast.expr) -> frozenset[Thing]:
        found = self._found(called)
        if found is not None:
            return found.things
        if isinstance(called, ast.Attribute):
            return frozenset(self._program.members.get(called.attr, ()))
        return frozenset()

    def _set_in(self, thing: Thing, call: ast.Call) -> Iterator[tuple[set[Thing], set[Owned]]]:
        source = self._program.sources.get(thing[0])
        for one in source.definitions.get(thing[1], ()) if source is not None else ():
            if isinstance(one, FUNCTIONS) and source is not None:
                yield from self._set_by(one, source, thing, one.body)
                yield from self._set_of(one, thing, call)
            elif isinstance(one, ast.ClassDef):
                yield from self._set_in((thing[0], f"{thing[1]}.__init__"), call)

    def _set_of(
        self, function: Function, thing: Thing, call: ast.Call
    ) -> Iterator[tuple[set[Thing], set[Owned]]]:
        """Yield what a function sets of that which a call gives it."""
        names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        if owner_of(thing, function)[1]:
            names = names[1:]
        given = dict(zip(names, call.args, strict=False))
        given |= {one.arg: one.value for one in call.keywords if one.arg}
        known = _other_names(self._function)
        for target in (each for one in function.body for each in targets(one)):
            root = _first(target)
            if isinstance(root, ast.Name) and root.id in given and not _is_bound(target):
                for meant in _meant(given[root.id], known):
                    things, names = set_at(self._program, self._source, meant, self._own)
                    yield things, {(None, name) for name in names}

    def _set_by(
        self, function: Function, source: Source, thing: Thing, parts: Iterable[ast.AST]
    ) -> Iterator[tuple[set[Thing], set[Owned]]]:
        """Yield what parts of a function set."""
        owner, me = owner_of(thing, function)
        own, known = locals_of(function), _other_names(function)
        for target in (each for part in parts for each in targets(part)):
            for meant in [target] if _is_bound(target) else _meant(target, known):
                things, attributes = set_at(self._program, source, meant, own)
                if things or attributes:
                    root = _first(meant)
                    mine = isinstance(root, ast.Name) and bool(me) and root.id == me
                    yield (
                        things,
                        {
                            (owner if mine and number == 0 else None, name)
                            for number, name in enumerate(attributes)
                        },
                    )


def _is_bound(target: ast.AST) -> bool:
    """Tell whether a name gets another object, and none is changed."""
    return isinstance(target, ast.Name) and not isinstance(target.ctx, ast.Load)


def _other_names(function: Function) -> dict[str, list[ast.expr]]:
    """Return what variables of a function are other names of."""
    found: dict[str, list[ast.expr]] = {}
    for one in ast.walk(function):
        match one:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
            ) if isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
                found.setdefault(name, []).append(value)
    return found


def _meant(node: ast.AST, known: dict[str, list[ast.expr]]) -> Iterator[ast.AST]:
    """Yield what may be meant: itself, and what its first name is another name of."""
    yield node
    waiting, seen = [_first(node)], set[str]()
    while waiting:
        root = waiting.pop()
        if isinstance(root, ast.Name) and root.id not in seen:
            seen.add(root.id)
            yield from known.get(root.id, ())
            waiting += [_first(one) for one in known.get(root.id, ())]


def set_at(
    program: Program, source: Source, target: ast.AST, own: set[str]
) -> tuple[set[Thing], list[str]]:
    """Return the names of modules that are set, and the attributes, from the object on."""
    root, names = target, list[str]()
    while isinstance(root, ast.Attribute | ast.Subscript):
        if isinstance(root, ast.Attribute):
            names.insert(0, root.attr)
        root = root.value
    attributes = list(names)
    if not isinstance(root, ast.Name) or root.id in own:
        return set(), attributes
    found = program.named(source, root.id)
    while names and issubclass(type(found.live), ModuleType):
        found = program.member(found, names.pop(0)) or Found()
    if not found.things:  # a hook of a class of others is no member of ours
        attributes = [one for one in attributes if not one.startswith("__")]
    return {one for one in found.things if one[1]}, attributes  # not a module itself


def targets(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a piece of code binds anew or changes."""
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute | ast.Subscript | ast.Name):
            if isinstance(one.ctx, ast.Store | ast.Del):
                yield one
        elif isinstance(one, ast.Call):
            called = one.func
            if isinstance(called, ast.Attribute) and called.attr in CHANGING:
                yield called.value
            elif isinstance(called, ast.Name) and called.id in CHANGING:
                yield from one.args[:1]


def _first(target: ast.AST) -> ast.AST:
    while isinstance(target, ast.Attribute | ast.Subscript):
        target = target.value
    return target


def _parts(statement: ast.stmt) -> list[ast.AST]:
    """Return a statement without its blocks: a part of it is no statement."""
    inner = (ast.stmt, ast.ExceptHandler, ast.match_case)
    return [one for one in ast.iter_child_nodes(statement) if not isinstance(one, inner)]


def _blocks(node: ast.AST) -> Iterator[ast.AST]:
    inner = (ast.stmt, ast.ExceptHandler, ast.match_case)
    return (one for one in ast.iter_child_nodes(node) if isinstance(one, inner))


__all__ = ["CHANGING", "Kept", "Owned", "attributes_read", "kept_of", "set_at", "targets"]
