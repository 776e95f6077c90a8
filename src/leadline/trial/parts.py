"""What the text of a module says of each name: the parts that may be others in a candidate."""

import ast
from collections.abc import Iterable, Iterator

from leadline.trial.scopes import (
    FUNCTIONS,
    Definition,
    Function,
    blocks_of,
    bound_by,
    dump,
    is_text,
    parsed,
)
from leadline.wire.struct import dataclass, field

type Names = dict[str, list[ast.stmt]]
"""What binds each name of a module, or of the body of a class, or puts something into it."""


@dataclass(slots=True)
class Parts:
    """One text. `members` are of classes, by their qualified names."""

    top: Names = field(default_factory=dict)
    members: dict[str, Names] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    stars: list[ast.ImportFrom] = field(default_factory=list)


def parts_of(text: str | None) -> Parts:
    """Return those of a text; none of one that is not there, or cannot be read."""
    found = Parts()
    try:
        body = parsed(text).body if text is not None else []
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        body = []
    _add(found, found.top, body, "")
    return found


def _add(parts: Parts, names: Names, body: Iterable[ast.stmt], within: str) -> None:
    for one in body:
        if isinstance(one, ast.ClassDef):
            qualname = f"{within}{one.name}"
            names.setdefault(one.name, []).append(one)
            parts.classes[qualname] = one
            inner = parts.members.setdefault(qualname, {})
            _add(parts, inner, one.body, f"{qualname}.")
        elif isinstance(one, FUNCTIONS):
            names.setdefault(one.name, []).append(one)
        elif isinstance(one, ast.If) and "__main__" in dump(one.test):
            continue  # no import runs it
        elif blocks := [*blocks_of(one)]:
            beneath: Names = {}
            for block in blocks:
                _add(parts, beneath, block, within)
            for name, statements in beneath.items():
                names.setdefault(name, []).extend([*_decided_by(one), *statements])
            for name in bound_by(one) - {part for block in blocks for part in _bound(block)}:
                names.setdefault(name, []).append(one)
        else:
            if isinstance(one, ast.ImportFrom) and any(each.name == "*" for each in one.names):
                parts.stars.append(one)
            for name in bound_by(one) | _touched(one):
                names.setdefault(name, []).append(one)


def _decided_by(statement: ast.stmt) -> Iterator[ast.stmt]:
    """Yield what decides whether the blocks of a statement run, and how often."""
    for name in ("test", "iter", "subject"):
        value = getattr(statement, name, None)
        if isinstance(value, ast.expr):
            yield ast.copy_location(ast.Expr(value), value)


def _bound(block: Iterable[ast.stmt]) -> Iterator[str]:
    for one in block:
        yield from bound_by(one)


def _touched(statement: ast.stmt) -> set[str]:
    """Return the names into whose objects a statement may put something."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        called = statement.value
        parts: list[ast.AST] = [called.func, *called.args]
        return {name for part in parts if (name := root_of(part))}
    if isinstance(statement, ast.Assign):
        return {name for part in statement.targets if (name := root_of(part))}
    if isinstance(statement, ast.AugAssign | ast.AnnAssign):
        return {name} if (name := root_of(statement.target)) else set()
    return set()


def root_of(node: ast.AST) -> str:
    """Return the name that an attribute or an item is asked of, over and over."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def said(name: str, statement: ast.stmt, *, typed: bool = False) -> str:
    """Return what a statement says of a name, without texts and, unless `typed`, without what
    annotates it."""
    match statement:
        case ast.Import(names=names):
            return repr([dump(one) for one in names if _given(one) == name])
        case ast.ImportFrom(module=module, names=names, level=level):
            own = [dump(one) for one in names if _given(one) in (name, "*")]
            return repr((module, level, own))
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return repr(_said_by(statement, typed=bool(statement.decorator_list)))
        case ast.ClassDef():
            return "class"
        case ast.AnnAssign(target=target, value=value, annotation=annotation):
            return repr((dump(target), dump(value), typed and dump(annotation)))
        case ast.Assign(targets=[target], value=value):
            return repr((dump(target), dump(value), False))
    return dump(statement)


def _given(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _said_by(function: Function, *, typed: bool) -> list[str]:
    return [
        type(function).__name__,
        *map(dump, function.decorator_list),
        *(_everything(function) if typed else taken(function.args)),
        *does(function.body),
    ]


def _everything(function: Function) -> list[str]:
    return [dump(function.args), dump(function.returns)]


def taken(arguments: ast.arguments) -> list[str]:
    """Return the parameters with their defaults; what annotates them makes nothing."""
    named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    rest = [str(one and one.arg) for one in (arguments.vararg, arguments.kwarg)]
    defaults = [dump(one) for one in (*arguments.defaults, *arguments.kw_defaults)]
    return [*(one.arg for one in named), *rest, *defaults]


def does(body: Iterable[ast.stmt]) -> list[str]:
    return [dump(one) for one in body if not is_text(one)]


def imported(statement: ast.stmt, name: str) -> Iterator[tuple[int, str, str]]:
    """Yield what an import binds to `name`: the level, the module, and the name in there."""
    if isinstance(statement, ast.Import):
        for one in statement.names:
            if _given(one) == name:
                yield 0, one.name if one.asname else one.name.partition(".")[0], ""
    elif isinstance(statement, ast.ImportFrom):
        for one in statement.names:
            if _given(one) == name:
                yield statement.level, statement.module or "", one.name


def decorators(definition: Definition) -> Iterator[ast.expr]:
    """Yield what each decorator is named by, whether it is called there or not."""
    for one in definition.decorator_list:
        yield one.func if isinstance(one, ast.Call) else one


def joined(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name


def path_of(node: ast.expr) -> tuple[str, ...]:
    """Return the names of `a.b.C`, also of `a.b.C[int]` and of what is called."""
    words: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Attribute):
            words.append(node.attr)
        node = node.func if isinstance(node, ast.Call) else node.value
    return (root_of(node), *reversed(words))


def puts_into(statement: ast.stmt) -> bool:
    """Whether a statement of a module puts something into an object that it has by name."""
    match statement:
        case ast.Assign(targets=targets):
            return any(isinstance(one, ast.Attribute) for one in targets)
        case ast.Expr(value=ast.Call(func=ast.Name(id="setattr"))):
            return True
    return False


def is_put_away(statement: ast.stmt) -> bool:
    """Whether to read a member runs nothing of it: a method, and no property."""
    return isinstance(statement, FUNCTIONS) and all(
        path_of(one)[-1] in ("staticmethod", "classmethod") for one in statement.decorator_list
    )


def is_once(statement: ast.stmt) -> bool:
    """Whether a member, whose name is in the dictionary of an object as well, is a property
    that is reckoned once."""
    if isinstance(statement, FUNCTIONS):
        return bool(statement.decorator_list)
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Call) and path_of(value)[-1] == "cached_property"


def sees_what_is_set(statement: ast.stmt) -> bool:
    """Whether a member may be a property or a descriptor, which runs when it is set."""
    if isinstance(statement, FUNCTIONS):
        return bool(statement.decorator_list)
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Call | ast.Name | ast.Attribute)
