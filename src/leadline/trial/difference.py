"""Where two versions of a module differ in what they do: functions, names, reachable lines.

The trees are compared, never the text: a comment, a blank or another line break is no change.
A line counts as touched where a run that passes it has met the change: a changed statement in
a function, and for what is bound once at import - a constant, a default, a base class - the
lines of functions that read it.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from leadline.trial.reachable import compiled, function_codes, lines_of_code, readers, rescoped
from leadline.trial.scopes import (
    FUNCTIONS,
    Definition,
    blocks_of,
    bound,
    bound_by,
    class_head,
    definitions,
    dump,
    first_line,
    function_head,
    head,
    is_text,
    parsed,
    reads_outside,
    sorted_out,
    span,
    spread,
    without_blocks,
)
from leadline.wire.struct import dataclass, field

MAX_NAMES = 500
"""Names that a change may bind anew. More is another module, not a change of this one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`functions` are in both versions, with another definition; of nested ones the outermost
    is named, of methods the class too. `names` are what the module or a class of it binds
    otherwise; those of classes have a dot before them.

    `old` and `new` are the lines on either side that the change itself is on. Where one side
    has nothing, as the old one of an insertion, `beside_old` and `beside_new` are the lines
    in the same function that are reached next.
    """

    same: bool = True
    functions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    old: frozenset[int] = frozenset()
    new: frozenset[int] = frozenset()
    beside_old: frozenset[int] = frozenset()
    beside_new: frozenset[int] = frozenset()


@lru_cache(maxsize=128)
def difference(old: str, new: str) -> Difference:
    """Compare two versions of one module; raises `SyntaxError` as compiling does."""
    one, other = parsed(old), parsed(new)
    if ast.dump(one) == ast.dump(other):
        return Difference()
    sides = _Side(old), _Side(new)
    comparison = _Comparison(*sides)
    comparison.bodies(one.body, other.body, "")
    functions = tuple(_changed_functions(one, other))
    changed = comparison.names | {name for name in functions if "." not in name}
    names = spread(changed, (one, other)) - (changed - comparison.names)
    for side, lines in zip(sides, rescoped(old, new), strict=True):
        side.touched |= lines
    for side in sides:
        for reader in readers(side.text, names):
            side.touched |= reader.lines
        for definition, qualname in definitions(parsed(side.text)):
            if isinstance(definition, FUNCTIONS) and reads_outside(definition, names):
                side.touched |= side.first_of(qualname)
    return Difference(
        False,
        functions,
        tuple(sorted(names)[:MAX_NAMES]),
        frozenset(sides[0].touched),
        frozenset(sides[1].touched),
        frozenset(sides[0].beside),
        frozenset(sides[1].beside),
    )


def _changed_functions(old: ast.Module, new: ast.Module) -> Iterator[str]:
    sides: list[dict[str, list[str]]] = []
    for module in (old, new):
        found: dict[str, list[str]] = defaultdict(list)
        for definition, qualname in definitions(module):
            if isinstance(definition, FUNCTIONS):
                found[qualname].append(ast.dump(definition))
        sides.append(found)
    for qualname, dumps in sides[0].items():
        if sides[1].get(qualname, dumps) != dumps:
            yield qualname


@dataclass(slots=True, eq=False)
class _Side:
    """One version: what a run can reach of it, and what it must reach to meet the change."""

    text: str
    touched: set[int] = field(default_factory=set)
    beside: set[int] = field(default_factory=set)
    reachable: set[int] = field(default_factory=set)
    firsts: dict[str, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for code, function in function_codes(compiled(self.text)):
            lines = lines_of_code(code)
            self.reachable |= lines
            if code.co_qualname == function and lines:
                self.firsts.setdefault(function, set()).add(min(lines))

    def touch(self, node: ast.AST, statement: ast.stmt | None) -> None:
        """Mark a changed part; where it has no line to stop at, the head of its statement."""
        lines = self.reachable & span(node)
        if not lines and statement is not None and not is_text(statement):
            lines = self.reachable & head(statement)
        self.touched |= lines

    def pass_by(self, line: int, function: ast.AST) -> None:
        """Mark the line that is reached where the other side has something at `line`."""
        inside = sorted(self.reachable & span(function))
        self.beside |= set([one for one in inside if one >= line][:1] or inside[-1:])

    def first_of(self, qualname: str) -> set[int]:
        """Return the first line of each function of this name."""
        return self.firsts.get(qualname, set())


_IN_BLOCKS = (ast.stmt, ast.ExceptHandler, ast.match_case)
"""What there may be more or fewer of without another part being another."""


class _Comparison:
    """The walk through both trees. `names` collects what is bound otherwise at import."""

    def __init__(self, old: _Side, new: _Side) -> None:
        self._old, self._new = old, new
        self.names: set[str] = set()

    def bodies(self, old: list[ast.stmt], new: list[ast.stmt], within: str) -> None:
        """Compare two bodies that run at import: of the module, of a class, of an `if`."""
        pairs, *rests = sorted_out(old, new)
        for (name, _), versions in pairs.items():
            self._definition(f"{within}{name}", *versions)
        for before, after in aligned(*rests):
            self._at_import(before, after, within)

    def _definition(
        self, qualname: str, one: Definition | None, other: Definition | None
    ) -> None:
        if one is not None and other is not None and ast.dump(one) == ast.dump(other):
            return None
        if isinstance(one, FUNCTIONS) and isinstance(other, FUNCTIONS):
            return self._function(qualname, one, other)
        if isinstance(one, ast.ClassDef) and isinstance(other, ast.ClassDef):
            before = len(self.names)
            self.bodies(one.body, other.body, f"{qualname}.")
            # what made the class has read its body: an enumeration, a dataclass, a model
            made = bool(one.bases or one.keywords or one.decorator_list)
            if class_head(one) != class_head(other) or (made and len(self.names) > before):
                self.names.add(bound(qualname))
            return None
        self.names.add(bound(qualname))
        for side, node in ((self._old, one), (self._new, other)):
            if node is not None:
                side.touched |= side.reachable & span(node)
        return None

    def _function(
        self,
        qualname: str,
        one: ast.FunctionDef | ast.AsyncFunctionDef,
        other: ast.FunctionDef | ast.AsyncFunctionDef,
    ) -> None:
        if function_head(one) != function_head(other):
            self._old.touched |= self._old.first_of(qualname)
            self._new.touched |= self._new.first_of(qualname)
        self._block(one.body, other.body, (one, other), (one, other))

    def _at_import(self, one: ast.stmt | None, other: ast.stmt | None, within: str) -> None:
        if one is not None and other is not None and ast.dump(one) == ast.dump(other):
            return
        if type(one) is type(other) and one is not None and other is not None:
            blocks = list(blocks_of(one)), list(blocks_of(other))
            if blocks[0] and [*map(bool, blocks[0])] == [*map(bool, blocks[1])]:
                for before, after in zip(*blocks, strict=True):
                    self.bodies(before, after, within)
                if without_blocks(one) == without_blocks(other):
                    return
        for node in (one, other):
            if node is not None:
                self.names |= {bound(f"{within}{name}") for name in bound_by(node)}
        # a lambda in it has lines of its own
        for side, node in ((self._old, one), (self._new, other)):
            if node is not None:
                side.touched |= side.reachable & span(node)

    def _block(
        self,
        old: list[ast.stmt],
        new: list[ast.stmt],
        parents: tuple[ast.AST, ast.AST],
        functions: tuple[ast.AST, ast.AST],
    ) -> None:
        """Compare two blocks of `parents`, which are inside `functions` or are these."""
        pairs = list(aligned(old, new))
        for number, (one, other) in enumerate(pairs):
            if one is not None and other is not None:
                self._nodes(one, other, (one, other), functions)
            elif one is not None:
                self._old.touched |= self._old.reachable & span(one)
                at = _next(pairs[number:], 1) or _after(new, parents[1])
                self._new.pass_by(at, functions[1])
            elif other is not None:
                self._new.touched |= self._new.reachable & span(other)
                at = _next(pairs[number:], 0) or _after(old, parents[0])
                self._old.pass_by(at, functions[0])

    def _nodes(
        self,
        one: ast.AST,
        other: ast.AST,
        statements: tuple[ast.stmt, ast.stmt],
        functions: tuple[ast.AST, ast.AST],
    ) -> None:
        if ast.dump(one) == ast.dump(other):
            return None
        if type(one) is not type(other):
            return self._touch(one, other, statements)
        if isinstance(one, ast.stmt) and isinstance(other, ast.stmt):
            statements = one, other
        for name in one._fields:
            mine, yours = getattr(one, name, None), getattr(other, name, None)
            if isinstance(mine, list) and isinstance(yours, list):
                self._lists(mine, yours, (one, other), statements, functions)
            elif mine is not None and yours is not None and _comparable(mine, yours):
                self._nodes(mine, yours, statements, functions)
            elif dump(mine) != dump(yours):
                self._touch(one, other, statements)
        return None

    def _lists(
        self,
        old: list[Any],
        new: list[Any],
        parents: tuple[ast.AST, ast.AST],
        statements: tuple[ast.stmt, ast.stmt],
        functions: tuple[ast.AST, ast.AST],
    ) -> None:
        """Compare what a node has several of: statements, handlers, cases, arguments."""
        if any(isinstance(part, _IN_BLOCKS) for part in old + new):
            self._block(old, new, parents, functions)
        elif len(old) == len(new) and all(map(_comparable, old, new)):
            for part, counterpart in zip(old, new, strict=True):
                self._nodes(part, counterpart, statements, functions)
        elif list(map(dump, old)) != list(map(dump, new)):
            self._touch(*parents, statements)

    def _touch(
        self, one: ast.AST, other: ast.AST, statements: tuple[ast.stmt, ast.stmt]
    ) -> None:
        for side, node, statement in zip(
            (self._old, self._new), (one, other), statements, strict=True
        ):
            whole = isinstance(node, ast.stmt) and any(blocks_of(node))
            if whole and type(one) is type(other):
                side.touched |= side.reachable & head(node)  # type: ignore[arg-type]
            else:
                side.touch(node, statement)


def _comparable(one: object, other: object) -> bool:
    """Whether two parts can be compared by their own parts: an operator has none."""
    return (
        isinstance(one, ast.AST)
        and isinstance(other, ast.AST)
        and bool(one._fields or other._fields)
    )


def aligned(
    old: Sequence[ast.stmt], new: Sequence[ast.stmt]
) -> Iterator[tuple[ast.stmt | None, ast.stmt | None]]:
    """Pair two lists of statements: the same ones first, between them those of one kind."""
    for _, a, b, c, d in _opcodes([*map(ast.dump, old)], [*map(ast.dump, new)]):
        if b - a == d - c and all(
            type(one) is type(other) for one, other in zip(old[a:b], new[c:d], strict=True)
        ):
            yield from zip(old[a:b], new[c:d], strict=True)
            continue
        for kind, e, f, g, h in _opcodes([*map(_kind, old[a:b])], [*map(_kind, new[c:d])]):
            if kind == "equal":
                yield from zip(old[a + e : a + f], new[c + g : c + h], strict=True)
            else:
                yield from ((one, None) for one in old[a + e : a + f])
                yield from ((None, one) for one in new[c + g : c + h])


def _opcodes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    return [*SequenceMatcher(None, old, new, autojunk=False).get_opcodes()]


def _kind(statement: ast.stmt) -> str:
    return f"{type(statement).__name__} {getattr(statement, 'name', '')}"


def _next(pairs: Sequence[tuple[ast.stmt | None, ast.stmt | None]], side: int) -> int:
    """Return the line of the first statement there is on a side, or 0."""
    return next((first_line(pair[side]) for pair in pairs if pair[side] is not None), 0)


def _after(block: Sequence[ast.stmt], parent: ast.AST) -> int:
    """Return the line after a block, or after what it is missing in."""
    return max(span(block[-1] if block else parent), default=0) + 1
