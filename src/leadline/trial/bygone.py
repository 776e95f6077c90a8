"""What has run while modules were imported, and would come to something else with a candidate.

A default, a class attribute, a table or an object that was made then stays as it was, in any
module of the service, when the constant that it was made with is bound anew or the function
gets other code. That cannot be made up for, so it is an obstacle, with the line.
"""

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

from leadline.trial.fresh import is_own
from leadline.trial.guards import as_run, name_at_import
from leadline.trial.holders import is_class, namespace_of
from leadline.trial.plan import Work, to_make
from leadline.trial.program import Program, Source, Thing, thing_of
from leadline.trial.scopes import (
    DEFINITIONS,
    FUNCTIONS,
    Definition,
    Function,
    annotations_of,
    bound_by,
    dump,
    is_text,
    outside_of,
)
from leadline.trial.syntax import at_once, lambdas_at_once
from leadline.trial.uses import Following, Reading, Uses, bodies_names, born
from leadline.wire.struct import dataclass, field

_OURS = __name__.partition(".")[0]
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


@dataclass(slots=True)
class Changed:
    """What a candidate makes otherwise: `values` are bound anew, `functions` get other code."""

    values: set[Thing] = field(default_factory=set)
    functions: dict[Thing, list[tuple[Function, Function]]] = field(default_factory=dict)

    @property
    def things(self) -> set[Thing]:
        return self.values | self.functions.keys()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a module that has run at import. `parts` say how each node of it is read:
    as a `decorator`, as a `class` that is made, or as `plain` code."""

    line: int
    within: str
    parts: tuple[tuple[str, ast.AST], ...]
    statement: ast.stmt
    in_loop: bool = False


def program_of(works: Iterable[Work], modules: Mapping[str, ModuleType]) -> Program:
    """Return the modules of the service that has these, as the candidate writes them."""
    owners = [work.module for work in works]
    tops = {str(one.__dict__["__name__"]).partition(".")[0] for one in owners}
    tops = {_OURS} - tops  # what looks at the service is no part of it
    texts = {str(one.module.__dict__["__file__"]): one.change.new or "" for one in works}
    found = {
        id(module): module
        for module in list(modules.values())
        if issubclass(type(module), ModuleType)
        and any(is_own(module, one) for one in owners)
        and str(module.__dict__["__name__"]).partition(".")[0] not in tops
    }
    return Program(found.values(), texts)


def changed_by(works: Iterable[Work]) -> Changed:
    """Return what was there before, and is another by what is to be done."""
    changed = Changed()
    for work in works:
        name = str(work.module.__dict__["__name__"])
        for bind in work.steps.binds:
            changed.values |= {(name, f"{bind.within}{one}") for one in bind.names}
        for unbind in work.steps.unbinds:
            changed.values.add((name, f"{unbind.within}{unbind.name}"))
        for swap in work.steps.swaps:
            changed.functions.setdefault((name, swap.qualname), []).append((swap.old, swap.new))
    return changed


def bygone(works: list[Work], program: Program, changed: Changed) -> Iterator[str]:
    """Yield all that has run with what is another now, as `file:line: why`."""
    yield from _unread(works, program, changed)
    program.changed = frozenset(changed.things)
    following = Following(program)
    made = {str(work.module.__dict__["__name__"]): _made_anew(work) for work in works}
    for source in program.sources.values():
        anew, skipped = made.get(source.name, (set(), set()))
        name = name_at_import(source.module.__dict__)
        pieces = list(_pieces(as_run(source.tree.body, name), ""))
        for piece in _run(source, pieces):
            if any(piece.within.startswith(f"{one}.") for one in _new_classes(anew)):
                continue
            uses = following.follow(_uses(program, source, piece, skipped))
            is_anew = (piece.within, piece.line) in {key[:2] for key in anew}
            why = _why(source, piece, uses, changed, is_anew)
            if why:
                yield f"{source.file}:{piece.line}: {why}"


def _unread(works: list[Work], program: Program, changed: Changed) -> Iterator[str]:
    """Yield the modules whose text is not here, and that have something changed."""
    words = sorted({name.partition(".")[0] for _, name in changed.things} - {""})
    for module in program.unread:
        names = module.__dict__
        for work in works:
            owned = work.module.__dict__
            met = [one for one in words if one in names and names[one] is owned.get(one)]
            if met or any(one is work.module for one in list(names.values())):
                yield (
                    f"{names['__file__']}: what it has made of {min(met or words)} at import "
                    f"cannot be told, its source cannot be read here"
                )


def _why(source: Source, piece: Piece, uses: Uses, changed: Changed, is_anew: bool) -> str:
    """Say what a piece has met; of one that is run anew, what is not there by then."""
    met = (uses.reads | {thing for thing, _ in uses.calls}) & changed.values
    met |= {
        (module, name)
        for module, name in changed.values
        if (module, name.rpartition(".")[0]) in uses.handed
    }
    if is_anew:
        own = {(source.name, f"{piece.within}{one}") for one in bound_by(piece.statement)}
        met = {
            (module, name)
            for module, name in met - own
            if module != source.name or name.rpartition(".")[0] not in ("", piece.within[:-1])
        }
    if met:
        return f"{_said(min(met), source)} was read there at import, and is bound anew"
    for thing, depth in sorted(uses.calls):
        for old, new in changed.functions.get(thing, ()):
            if does(old, depth) != does(new, depth):
                return f"{_said(thing, source)} was called there at import"
    return ""


def _said(thing: Thing, source: Source) -> str:
    return thing[1] if thing[0] == source.name else ".".join(thing)


type Anew = set[tuple[str, int, str]]


def _made_anew(work: Work) -> tuple[Anew, set[int]]:
    """Return the statements that are run anew, by class and line, with the class that one
    defines; and where the parts of functions begin that are made anew, by line and column."""
    anew = {
        (
            one.within,
            one.statement.lineno,
            one.statement.name if isinstance(one.statement, ast.ClassDef) else "",
        )
        for one in work.steps.binds
    }
    parts = {_place(part) for swap in work.steps.swaps for _, part in to_make(swap)}
    return anew, parts


def _place(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0)) * 10_000 + int(getattr(node, "col_offset", 0))


def _new_classes(anew: Anew) -> set[str]:
    return {f"{within}{name}" for within, _, name in anew if name}


def _pieces(body: Iterable[ast.stmt], within: str, *, in_loop: bool = False) -> Iterator[Piece]:
    for one in body:
        if isinstance(one, FUNCTIONS):
            parts = _decorators(one)
            given = [*outside_of(one).values(), *annotations_of(one).values()]
            parts += [("plain", part) for part in given]
            yield Piece(one.lineno, within, tuple(parts), one, in_loop)
        elif isinstance(one, ast.ClassDef):
            yield from _pieces(one.body, f"{within}{one.name}.", in_loop=in_loop)
            parts = _decorators(one)
            parts += [("plain", part) for part in (*one.bases, *one.keywords)]
            parts.append(("class", one))
            yield Piece(one.lineno, within, tuple(parts), one, in_loop)
        elif isinstance(one, ast.Import | ast.ImportFrom):
            yield Piece(one.lineno, within, (), one, in_loop)
        else:
            yield from _compound(one, within, in_loop)


def _decorators(one: Definition) -> list[tuple[str, ast.AST]]:
    return [("decorator", part) for part in one.decorator_list]


def _compound(one: ast.stmt, within: str, in_loop: bool) -> Iterator[Piece]:
    head: list[ast.AST] = []
    blocks: list[list[ast.stmt]] = []
    for part in ast.iter_child_nodes(one):
        if isinstance(part, ast.ExceptHandler | ast.match_case):
            head += [each for each in ast.iter_child_nodes(part) if isinstance(each, ast.expr)]
            blocks.append(part.body)
        elif not isinstance(part, ast.stmt):
            head.append(part)
    blocks += [getattr(one, name, []) for name in ("body", "orelse", "finalbody")]
    test = ast.unparse(one.test) if isinstance(one, ast.If) else ""
    implied = [ast.If(ast.Constant(1), [], [])] if isinstance(one, ast.If) else []
    if head or not any(blocks):
        parts = [("plain", part) for part in (*(head if any(blocks) else [one]), *implied)]
        yield Piece(one.lineno, within, tuple(parts), one, in_loop)
    if test.rpartition(".")[2] == "TYPE_CHECKING":
        return
    for block in filter(None, blocks):
        yield from _pieces(block, within, in_loop=in_loop or isinstance(one, _LOOPS))


def _run(source: Source, pieces: list[Piece]) -> list[Piece]:
    """Return the pieces that are known to have ended: of a script that still runs, those
    before the last one that has bound a name."""
    names = source.module.__dict__
    spec = names.get("__spec__")
    if source.name != "__main__" and not getattr(spec, "_initializing", False):
        return pieces
    last = -1
    for number, piece in enumerate(pieces):
        if piece.within or piece.in_loop or isinstance(piece.statement, _LOOPS):
            continue
        bound = bound_by(piece.statement) - {"*"}
        blocks = getattr(piece.statement, "body", None)
        if bound and bound <= names.keys() and (not blocks or _defines(piece.statement)):
            last = number
    return [
        piece
        for number, piece in enumerate(pieces)
        if number <= last or _defines(piece.statement)
    ]


def _defines(statement: ast.stmt) -> bool:
    return isinstance(statement, DEFINITIONS)


def _uses(program: Program, source: Source, piece: Piece, skipped: set[int]) -> Uses:
    """Read a piece, without its parts that are made anew."""
    uses = Uses()
    qualname = piece.within[:-1]
    body = source.definitions.get(qualname, ())
    names = {
        name for one in body if isinstance(one, ast.ClassDef) for name in bodies_names(one)
    }
    for kind, part in piece.parts:
        if _place(part) in skipped and kind == "plain":
            continue
        reading = Reading(program, source)
        reading.within(names, qualname)
        if kind == "decorator":
            assert isinstance(part, ast.expr)  # noqa: S101 - as they were found
            assert isinstance(piece.statement, DEFINITIONS)  # noqa: S101
            decorated = source.name, f"{piece.within}{piece.statement.name}"
            reading.decorator(part, frozenset(), 0, decorated)
        elif kind == "class":
            assert isinstance(part, ast.ClassDef)  # noqa: S101
            reading.uses.calls |= _making(program, (source.name, f"{piece.within}{part.name}"))
        else:
            reading.piece(part)
        uses.add(reading.uses)
    return uses


def _making(program: Program, made: Thing) -> set[tuple[Thing, int]]:
    """Return what was called when a class was made."""
    cls: Any = program.live(made)
    if not is_class(cls):
        return set()
    found: set[tuple[Thing, int]] = set()
    for thing in born(program, cls, ("__init_subclass__", "__class_getitem__")):
        if (thing[0], thing[1].rpartition(".")[0]) != thing_of(cls):
            found.add((thing, 0))
    birth = ("__new__", "__init__", "__prepare__", "__call__", "__setattr__")
    found |= {(thing, 0) for thing in born(program, type(cls), birth)}
    for held in list(namespace_of(cls).values()):
        found |= {(thing, 0) for thing in born(program, type(held), ("__set_name__",))}
    return found


def does(function: Function, depth: int) -> str:
    """Return what a function does while it runs, without what functions do that it makes; at
    a depth, these count as well, down to those that they make."""
    kept = copy.deepcopy(function)  # what is left out is taken out of it
    called, lambdas = at_once(kept), lambdas_at_once(kept)

    class Later(ast.NodeTransformer):
        depth = 0

        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
            return self._function(node)

        def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
            return self._function(node)

        def _function(self, node: Any) -> ast.AST:
            if node.name not in called and self.depth >= depth:
                node.body = []
            self.depth += 1
            self.generic_visit(node)
            self.depth -= 1
            return node  # type: ignore[no-any-return]

        def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
            if id(node) not in lambdas and self.depth >= depth:
                return ast.Constant(len(node.args.args))
            return self.generic_visit(node)

    body = [Later().visit(one) for one in kept.body if not is_text(one)]
    return " ".join([dump(function.args), *map(dump, body)])


def makers(qualname: str) -> Iterator[tuple[str, int]]:
    """Yield the function of a module or a class that has made the one of a qualified name, and
    at which depth of it that stands; nothing for one that no function has made."""
    maker, *inner = qualname.split(".<locals>.")
    if inner:
        yield maker, len(inner) - 1


__all__ = ["Changed", "Piece", "bygone", "changed_by", "does", "makers", "program_of"]
