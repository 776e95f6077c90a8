"""What the names of a module, or of a function, hold, told by its text: what other files have
made, and new objects that nobody else has."""

import ast
import builtins
import sys
from collections.abc import Collection, Iterator

from leadline.trial.scopes import Function
from leadline.trial.syntax import last_of

_MAKERS = frozenset(
    """
    list dict set frozenset tuple bytearray deque Counter defaultdict OrderedDict sorted str
    bytes StringIO BytesIO
    """.split()
)
"""What makes a new object, which nobody else has."""
_FRAMEWORKS = ("flask", "quart", "django", "fastapi", "starlette", "werkzeug", "aiohttp")
_OF_FRAMEWORKS = ("jsonify", "make_response", "redirect", "render", "json_response")
"""What makes a response, and so do their classes whose names end so."""
PLAIN_BUILTINS = frozenset(dir(builtins)) - frozenset(
    "setattr delattr next exec eval compile open input breakpoint __import__ getattr".split()
)
"""Those that only reckon."""
_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


def foreign_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names of a module that hold objects of which it does not say what they are:
    imported ones, but for modules of Python's and classes, and what calls have made."""
    for node in tree.body:
        match node:
            case ast.Import(names=names):
                for one in names:
                    if one.name.partition(".")[0] not in sys.stdlib_module_names:
                        yield (one.asname or one.name).partition(".")[0]
            case ast.ImportFrom(module=module, names=names):
                if (module or ".").partition(".")[0] not in sys.stdlib_module_names:
                    said = {one.asname or one.name for one in names}
                    yield from filter(_is_no_class, _unbound(tree) if "*" in said else said)
            case ast.Assign(targets=targets, value=ast.Call() as value) if not _is_new(value):
                yield from (one.id for one in targets if isinstance(one, ast.Name))


def response_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names of what makes a response of a web framework."""
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or node.level:
            continue
        if (node.module or "").partition(".")[0] in _FRAMEWORKS:
            for one in node.names:
                if one.name in _OF_FRAMEWORKS or one.name.endswith("Response"):
                    yield one.asname or one.name


def _is_no_class(name: str) -> bool:
    return name.isupper() or name.islower()


def _unbound(tree: ast.Module) -> set[str]:
    """Return the names that a text only reads: `from ... import *` has brought them."""
    read, bound = set[str](), set[str](PLAIN_BUILTINS)
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(name)
            case (
                ast.Name(id=name)
                | ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                bound.add(name)
            case ast.alias(name=name, asname=asname):
                bound.add(asname or name.partition(".")[0])
    return read - bound


def root_of(node: ast.expr) -> str:
    """Return the name that a chain of attributes and items begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def fresh_names(function: Function, responses: Collection[str]) -> frozenset[str]:
    new: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_new(node.value, responses):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            new |= {one.id for one in targets if isinstance(one, ast.Name)}
    stored = {
        one.id
        for node in ast.walk(function)
        for one in _stored_otherwise(node, responses)
        if isinstance(one, ast.Name)
    }
    given = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    return frozenset(new - stored - given)


def _stored_otherwise(node: ast.AST, responses: Collection[str]) -> Iterator[ast.AST]:
    """Yield names that are set to what is not known to be new."""
    match node:
        case ast.Assign(targets=targets, value=value):
            plain = [one for one in targets if isinstance(one, ast.Name)]
            if not _is_new(value, responses):
                yield from plain
            for one in targets:
                if isinstance(one, ast.Tuple | ast.List):
                    yield from ast.walk(one)
        case ast.AnnAssign(target=target, value=value) if not _is_new(value, responses):
            yield target
        case ast.NamedExpr(target=target):
            yield target
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield from ast.walk(target)
        case ast.withitem(optional_vars=target) if target is not None:
            yield from ast.walk(target)
        case (
            ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            yield ast.Name(name, ast.Store())
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (ast.Name((one.asname or one.name).partition(".")[0]) for one in names)


def _is_new(value: ast.expr | None, responses: Collection[str] = ()) -> bool:
    """Tell it of a display, or of a call of what makes new objects; `responses` are names of
    what makes those of a web framework."""
    if isinstance(value, ast.Call):
        is_response = isinstance(value.func, ast.Name) and value.func.id in responses
        return is_response or last_of(value.func) in _MAKERS
    return isinstance(value, _DISPLAYS)
