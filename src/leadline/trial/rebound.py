"""Names that were given another value since their module was imported.

What a candidate binds such a name to holds from the next start until the program sets it again,
which nobody can tell; put over the value that it has by now, it would be of no moment at all.
"""

import ast
from collections.abc import Callable, Mapping
from typing import Any

from leadline.trial.scopes import bound_by, simple

_PLAIN = (
    *(ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp),
    *(ast.BoolOp, ast.Compare, ast.JoinedStr, ast.FormattedValue),
    *(ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_SCALARS = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis))
_GONE = object()


def rebound(
    tree: ast.Module,
    within: str,
    name: str,
    names: Mapping[str, Any],
    is_pure: Callable[[ast.expr], bool],
) -> str:
    """Say why what a statement of the old `tree` has bound is no more what it is; empty if it
    is, or if that cannot be told. `names` are those of the module, or of the class `within`;
    `is_pure` tells what can be made once more, in the module."""
    value = _value(tree, within, name)
    if value is None:
        return ""
    said = f"{within}{name} was given another value since"
    if all(isinstance(one, _PLAIN) for one in ast.walk(value)):
        made = _made(value, {"__builtins__": {}})
    elif not within and (setter := _setter(tree, name)):
        return f"{name} is set by {setter}, which may have run since"
    elif not within and is_pure(value):
        made = _made(value, dict(names))
    else:
        return ""
    return said if made is not _GONE and not _alike(made, names.get(name, _GONE)) else ""


def _value(tree: ast.Module, within: str, name: str) -> ast.expr | None:
    """Return what a name is bound to last, if that is said by itself."""
    binding = [one for one, inside in simple(tree.body, "") if inside == within]
    binding = [one for one in binding if name in bound_by(one)]
    match binding[-1:]:
        case [ast.Assign(targets=[ast.Name()], value=value)]:
            return value
        case [ast.AnnAssign(target=ast.Name(), value=value)]:
            return value
    return None


def _setter(tree: ast.Module, name: str) -> str:
    """Return the function that binds a name of the module, if one does."""
    for one in ast.walk(tree):
        if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        declared = any(
            isinstance(each, ast.Global) and name in each.names for each in ast.walk(one)
        )
        if declared and any(name in bound_by(each) for each in one.body):
            return one.name
    return ""


def _made(value: ast.expr, names: dict[str, Any]) -> Any:
    try:
        code = compile(ast.Expression(value), "<old>", "eval", dont_inherit=True)
        return eval(code, names)  # noqa: S307 - in a copy of the process, and pure
    except Exception:  # noqa: BLE001 - it was another when it ran
        return _GONE


def _alike(made: Any, live: Any) -> bool:
    """Whether two values are the same, as far as they are plain. No code of anybody runs."""
    if type(made) in _SCALARS:
        return type(made) is type(live) and repr(made) == repr(live)
    if type(made) in (tuple, list):
        return (
            type(made) is type(live) and len(made) == len(live) and all(map(_alike, made, live))
        )
    if type(made) in (set, frozenset):
        return (
            type(made) is type(live) and len(made) == len(live) and _keys(made) == _keys(live)
        )
    if type(made) is dict:
        return (
            type(live) is dict
            and len(made) == len(live)
            and all(map(_alike, made, live))
            and all(map(_alike, made.values(), live.values()))
        )
    return True


def _keys(found: Any) -> list[str]:
    return sorted(f"{type(one)} {one!r}" for one in found if type(one) in _SCALARS)
