"""What a piece of code mentions by name, and so may run or read when it runs itself."""

import ast
from collections.abc import Iterable, Iterator, Sequence

from leadline.trial.scopes import FUNCTIONS
from leadline.wire.struct import dataclass, replace

_BUILTIN = frozenset(
    name
    for kind in (dict, list, set, str, bytes, tuple, int, float, object, type)
    for name in dir(kind)
)
"""Names that say nothing of whose method is called, where the object is not known."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name, and what is asked of it: `conf.RATE` is conf and RATE. It begins with nothing
    where the object has no name. `runs` says whether it may be called there, and is not only
    put away for later; `stored`, that it is written and not read."""

    path: tuple[str, ...]
    runs: bool = True
    stored: bool = False


def mentions(nodes: Iterable[ast.AST], hidden: frozenset[str] = frozenset()) -> list[Mention]:
    """Return what all of `nodes` mention, each once; names that are `hidden` are others."""
    found: dict[Mention, None] = {}
    for node in nodes:
        for one in _mentions(node, runs=True):
            if one.path[0] not in hidden:
                found[one] = None
            elif len(one.path) > 1:
                found[replace(one, path=("", one.path[-1]))] = None
    return [*found]


def _mentions(node: ast.AST, *, runs: bool) -> Iterator[Mention]:
    match node:
        case ast.Name(id=name):
            yield Mention((name,), runs)
        case ast.Attribute():
            yield from _asked(node, runs=runs)
        case ast.Subscript(value=value, slice=index, ctx=ctx):
            yield from _mentions(value, runs=runs)
            yield from _mentions(index, runs=True)
            if isinstance(value, ast.Name):
                asked = "__getitem__" if isinstance(ctx, ast.Load) else "__setitem__"
                yield Mention((value.id, asked))
        case ast.Call():
            yield from _called(node)
        case ast.Assign(targets=targets, value=value):
            yield from _assigned(targets, value)
        case ast.AnnAssign(target=target, value=value):
            yield from _assigned([target], value)
        case ast.Lambda() if not runs:
            return
        case ast.Constant():
            return
        case _:
            for one in ast.iter_child_nodes(node):
                yield from _mentions(one, runs=runs or isinstance(one, ast.stmt))


def _asked(node: ast.Attribute, *, runs: bool) -> Iterator[Mention]:
    path = [node.attr]
    inner: ast.expr = node.value
    while isinstance(inner, ast.Attribute):
        path.append(inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        yield Mention((inner.id, *reversed(path)), runs, isinstance(node.ctx, ast.Store))
        return
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
        name = inner.func.id
        if name == "super" or (name == "type" and len(inner.args) == 1):
            yield Mention(("super()", *reversed(path)), runs)
            return
    yield from _mentions(inner, runs=True)
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
        yield Mention((inner.func.id, *reversed(path)), runs)
    yield Mention(("", *reversed(path)), runs)


def _called(node: ast.Call) -> Iterator[Mention]:
    """A method that is handed over is kept for later by most, by `Thread(target=self._run)` for
    example; what has a plain name in small letters, such as `map`, may well call it."""
    yield from _mentions(node.func, runs=True)
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    calls = name[:1].islower() and name not in ("dict", "list", "tuple", "set", "frozenset")
    given = [*node.args, *(one.value for one in node.keywords)]
    if name in ("getattr", "setattr", "hasattr") and len(given) > 1:
        word = given[1]
        if isinstance(word, ast.Constant) and type(word.value) is str:
            yield from _asked(ast.Attribute(given[0], word.value, ast.Load()), runs=True)
    for one in given:
        yield from _mentions(one, runs=calls or not isinstance(one, ast.Attribute))


def _assigned(targets: Iterable[ast.expr], value: ast.expr | None) -> Iterator[Mention]:
    """What is put into an attribute or an item waits there; a local name is used at once."""
    kept = all(isinstance(one, ast.Attribute | ast.Subscript) for one in targets)
    for one in targets:
        yield from _mentions(one, runs=True)
    if value is not None:
        yield from _mentions(value, runs=not kept)


def is_telling(attribute: str) -> bool:
    """Whether the name of a method tells whose it may be."""
    return attribute not in _BUILTIN


def locals_of(function: ast.AST) -> frozenset[str]:
    """Return the names that are a function's own, with those of what is defined in it."""
    outer: set[str] = set()
    found: set[str] = set()
    for one in ast.walk(function):
        match one:
            case ast.arg(arg=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Global(names=names):
                outer |= set(names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if (
                one is not function
            ):
                found.add(name)
            case ast.ExceptHandler(name=str(name)):
                found.add(name)
    return frozenset(found - outer)


def first_parameter(function: ast.AST) -> str:
    """Return what a method calls its object, or its class."""
    if not isinstance(function, FUNCTIONS):
        return ""
    if any(
        isinstance(one, ast.Name) and one.id == "staticmethod"
        for one in function.decorator_list
    ):
        return ""
    every = [*function.args.posonlyargs, *function.args.args]
    return every[0].arg if every else ""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What a statement mentions; of a method, what it calls its object, and of a function, what
    it imports itself."""

    mentions: list[Mention]
    first: str = ""
    imports: Sequence[ast.stmt] = ()


def mentioned(node: ast.AST, *, inside: bool) -> Mentioned:
    """`inside` says of a function that it is a method, and of anything else that what annotates
    it is read, as libraries do that make objects by it."""
    if not isinstance(node, FUNCTIONS):
        more = [node]
        if isinstance(node, ast.Assign):  # as what is put into a class, it may run
            more = [*node.targets, node.value]
        if isinstance(node, ast.AnnAssign) and inside:
            more += [node.annotation, *_quoted(node.annotation)]
        return Mentioned(mentions(more))
    first = first_parameter(node) if inside else ""
    defaults = [*node.args.defaults, *(one for one in node.args.kw_defaults if one)]
    found = mentions([*node.decorator_list, *defaults, *node.body], locals_of(node) - {first})
    imports = [one for one in ast.walk(node) if isinstance(one, ast.Import | ast.ImportFrom)]
    return Mentioned(found, first, imports)


def _quoted(annotation: ast.expr) -> Iterator[ast.expr]:
    """Yield what stands in an annotation as a text."""
    for one in ast.walk(annotation):
        if isinstance(one, ast.Constant) and type(one.value) is str:
            try:
                yield ast.parse(one.value, mode="eval").body
            except SyntaxError:
                continue
