"""Classes whose objects a candidate makes otherwise.

The objects that a captured call is given were made before, by the old code. Where the new code
makes such objects otherwise, with one attribute more for example, a run with old ones shows
what will never be: every object is made by the new code once it is deployed.
"""

import ast
import os
from collections.abc import Mapping

from leadline.trial.scopes import FUNCTIONS, definitions, dump, is_text, parsed

_MAKES = frozenset(("__init__", "__new__", "__post_init__", "__setattr__", "__slots__"))


def remade_in(
    old: Mapping[str, str | None], new: Mapping[str, str | None]
) -> dict[str, list[str]]:
    """Return those classes by the real path of their file. `old` and `new` are the texts of
    changed files."""
    found: dict[str, list[str]] = {}
    for file, before in old.items():
        after = new.get(file)
        if before is not None and after is not None and (names := remade(before, after)):
            found[os.path.realpath(file)] = names
    return found


def remade(old: str, new: str) -> list[str]:
    """Return the qualified names of classes that are in both texts, and made otherwise."""
    sides = [
        {qualname: one for one, qualname in definitions(parsed(text)) if _is_class(one)}
        for text in (old, new)
    ]
    return [
        qualname
        for qualname, one in sides[0].items()
        if qualname in sides[1] and _made_by(one) != _made_by(sides[1][qualname])
    ]


def _is_class(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef)


def _made_by(cls: ast.AST) -> list[str]:
    """Return all that says how objects of a class are made, and what lies in them."""
    assert isinstance(cls, ast.ClassDef)  # noqa: S101 - these are looked for
    parts = [dump(one) for one in (*cls.bases, *cls.keywords, *cls.decorator_list)]
    is_read = bool(parts)  # a dataclass, a named tuple, a model: from its body
    methods = {one.name: one for one in cls.body if isinstance(one, FUNCTIONS)}
    parts += [dump(one) for one in cls.body if _tells_fields(one, is_read)]
    wanted = [name for name in methods if name in _MAKES]
    for name in wanted:  # grows meanwhile
        parts += [name, *_taken(methods[name].args), *_does(methods[name].body)]
        for node in ast.walk(methods[name]):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in methods:
                wanted += [called.attr] if called.attr not in wanted else []
    return parts


def _tells_fields(statement: ast.stmt, is_read: bool) -> bool:
    if isinstance(statement, ast.AnnAssign):
        return is_read or statement.value is None
    names = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(one, ast.Name) and one.id in _MAKES for one in names)


def _taken(arguments: ast.arguments) -> list[str]:
    """Return the parameters with their defaults; what annotates them makes nothing."""
    named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    rest = [str(one and one.arg) for one in (arguments.vararg, arguments.kwarg)]
    defaults = [dump(one) for one in (*arguments.defaults, *arguments.kw_defaults)]
    return [*(one.arg for one in named), *rest, *defaults]


def _does(body: list[ast.stmt]) -> list[str]:
    return [dump(one) for one in body if not is_text(one)]
