"""The tree of a module: what it defines and binds, what its statements read, where they are."""

import ast
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator

type Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
type Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)


def definitions(module: ast.Module) -> Iterator[tuple[Definition, str]]:
    """Yield all definitions that are not inside a function, with their qualified names."""
    yield from _defined(module.body, "")


def _defined(body: Iterable[ast.stmt], within: str) -> Iterator[tuple[Definition, str]]:
    for statement in body:
        if isinstance(statement, DEFINITIONS):
            qualname = f"{within}{statement.name}"
            yield statement, qualname
            if isinstance(statement, ast.ClassDef):
                yield from _defined(statement.body, f"{qualname}.")
        else:
            for inner in blocks_of(statement):
                yield from _defined(inner, within)


type Versions = tuple[Definition | None, Definition | None]


def sorted_out(
    old: Iterable[ast.stmt], new: Iterable[ast.stmt]
) -> tuple[dict[tuple[str, int], Versions], list[ast.stmt], list[ast.stmt]]:
    """Pair the definitions of two bodies by their names, and by their number where a name is
    defined several times; return these and what each side has beside."""
    sides: list[dict[tuple[str, int], Definition]] = [{}, {}]
    rests: list[list[ast.stmt]] = [[], []]
    for body, found, rest in zip((old, new), sides, rests, strict=True):
        counted: Counter[str] = Counter()
        for one in body:
            if isinstance(one, DEFINITIONS):
                counted[one.name] += 1
                found[one.name, counted[one.name]] = one
            else:
                rest.append(one)
    before, after = sides
    pairs = {key: (before.get(key), after.get(key)) for key in before | after}
    return pairs, rests[0], rests[1]


def blocks_of(statement: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of a compound statement that belong to its own scope."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if isinstance(block, list):
            yield block
    for name in ("handlers", "cases"):
        for one in getattr(statement, name, ()):
            yield one.body


def span(node: ast.AST) -> set[int]:
    """Return all lines of a node; some have no place of their own, but their parts have."""
    first = [one.lineno for one in ast.walk(node) if hasattr(one, "lineno")]
    last = [one.end_lineno for one in ast.walk(node) if hasattr(one, "end_lineno")]
    return set(range(min(first), max(one or 0 for one in last) + 1)) if first else set()


def head(statement: ast.stmt) -> set[int]:
    """Return the lines of a statement without those of its blocks."""
    blocks = [block for block in blocks_of(statement) if block]
    lines = span(statement)
    for block in blocks:
        lines -= set(range(first_line(block[0]), (block[-1].end_lineno or 0) + 1))
    return lines or {statement.lineno}


def dump(part: object) -> str:
    return ast.dump(part) if isinstance(part, ast.AST) else repr(part)


def are_statements(parts: list[object]) -> bool:
    return bool(parts) and all(isinstance(part, ast.stmt) for part in parts)


def is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def without_blocks(statement: ast.AST) -> str:
    """Return what a compound statement says beside its blocks."""
    parts = [
        f"{name}={dump(value)}"
        for name, value in ast.iter_fields(statement)
        if name not in ("body", "orelse", "finalbody", "handlers", "cases")
    ]
    for name in ("handlers", "cases"):
        parts += [without_blocks(one) for one in getattr(statement, name, ())]
    return " ".join(parts)


def class_head(one: ast.ClassDef) -> list[str]:
    return [*map(dump, (*one.bases, "-", *one.keywords, "-", *one.decorator_list))]


def function_head(one: Function) -> list[str]:
    return [type(one).__name__, *map(dump, (one.args, *one.decorator_list))]


def bound(qualname: str) -> str:
    """Return how a name is read: by itself, or as an attribute where it is a class's."""
    _, dot, name = qualname.rpartition(".")
    return f".{name}" if dot else qualname


def mangled(name: str, within: str) -> str:
    """Return what a private name in the body of a class is bound as."""
    word = within.rstrip(".").rpartition(".")[2].lstrip("_")
    private = name.startswith("__") and not name.endswith("__")
    return f"_{word}{name}" if private and word else name


def bound_by(statement: ast.AST) -> set[str]:
    """Return the names that a statement binds in its own scope."""
    found: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.alias(name=name, asname=given):
                found.add(given or name.partition(".")[0])
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
                continue
            case ast.ClassDef(name=name):
                found.add(name)
                continue
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                found.add(name)
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                found.add(name)
            case ast.Lambda():
                continue
        waiting += ast.iter_child_nodes(node)
    return found


def spread(names: set[str], modules: Iterable[ast.Module]) -> set[str]:
    """Add what is bound at import from a name that is bound otherwise, over and over."""
    statements = [
        (read_by(one, in_class=bool(within)), {bound(within + name) for name in bound_by(one)})
        for module in modules
        for one, within in simple(module.body, "")
    ]
    grown = set(names)
    for _ in statements:
        before = len(grown)
        for read, made in statements:
            if read & grown:
                grown |= made
        if len(grown) == before:
            break
    return grown


def simple(body: Iterable[ast.stmt], within: str) -> Iterator[tuple[ast.stmt, str]]:
    """Yield what runs at import and has no block, with the class that it is in."""
    for one in body:
        if isinstance(one, ast.ClassDef):
            yield from simple(one.body, f"{within}{one.name}.")
        elif not isinstance(one, FUNCTIONS):
            blocks = [*blocks_of(one)]
            if blocks:
                for block in blocks:
                    yield from simple(block, within)
            else:
                yield one, within


def outside_of(function: Function) -> dict[str, ast.expr]:
    """Return the default of each parameter that has one."""
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    found = dict(zip((one.arg for one in plain[::-1]), given.defaults[::-1], strict=False))
    for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        if default is not None:
            found[one.arg] = default
    return found


def annotations_of(function: Function) -> dict[str, ast.expr]:
    """Return the annotations of a function by the names of its parameters, and `return`."""
    given = function.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    found = {
        one.arg: one.annotation
        for one in every
        if one is not None and one.annotation is not None
    }
    return found | ({"return": function.returns} if function.returns is not None else {})


def read_by(node: ast.AST, *, in_class: bool = False) -> set[str]:
    """Return the names that are read; those of attributes, and all names in the body of a
    class as well, with a dot before them."""
    found: set[str] = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Load):
            found.add(f".{one.attr}")
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
            found |= {one.id, f".{one.id}"} if in_class else {one.id}
    return found


def reads_outside(function: Function, names: set[str]) -> bool:
    """Whether the defaults or decorators of a function are made from one of `names`."""
    outside = [*function.decorator_list, *outside_of(function).values()]
    return any(read_by(one, in_class=True) & names for one in outside)


def parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def first_line(node: ast.AST | None) -> int:
    return min(span(node), default=0) if node is not None else 0
