"""Which blocks of `if __name__ == "__main__"` a module has run: that follows from its name."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MAIN = "__main__"


def name_at_import(names: Mapping[str, Any]) -> str:
    """Return the name that a module with these globals had while its statements ran; nothing
    where that is not certain."""
    name = names.get("__name__")
    if name == MAIN:
        return MAIN
    spec = names.get("__spec__")
    return name if type(name) is str and getattr(spec, "name", None) == name else ""


def is_guarded(text: str) -> bool:
    """Tell whether a module says what it does only if it is the program itself."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return False
    return any(isinstance(one, ast.If) and _value(one.test, MAIN) is True for one in body)


def as_run(body: list[ast.stmt], name: str) -> list[ast.stmt]:
    """Return the statements of a module of this name, with those that have run in the place of
    such a guard; one that a script is in stays as it is."""
    if not name or any(map(_binds_it, body)):
        return body
    return list(_run(body, name))


def _run(body: Iterable[ast.stmt], name: str) -> Iterator[ast.stmt]:
    for one in body:
        came = _value(one.test, name) if isinstance(one, ast.If) else None
        if not isinstance(one, ast.If) or came is None or (came and name == MAIN):
            yield one
        else:
            yield from _run(one.body if came else one.orelse, name)


def _value(test: ast.expr, name: str) -> bool | None:
    """Return what a test comes to; None where that hangs on more than the name."""
    match test:
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as op], comparators=[right]):
            match left, right:
                case (ast.Name("__name__"), ast.Constant(str() as said)) | (
                    ast.Constant(str() as said),
                    ast.Name("__name__"),
                ):
                    return (said == name) is isinstance(op, ast.Eq)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            value = _value(operand, name)
            return None if value is None else not value
        case ast.BoolOp(op=op, values=[first, *rest]):
            ends = isinstance(op, ast.Or)
            value = _value(first, name)
            if value is None or value is ends or not rest:
                return value
            return _value(ast.BoolOp(op, rest), name)
    return None


def _binds_it(statement: ast.stmt) -> bool:
    """Tell whether a statement, or what is in it, gives the module another name."""
    return any(
        isinstance(one, ast.Name) and one.id == "__name__" and not isinstance(one.ctx, ast.Load)
        for one in ast.walk(statement)
    )
