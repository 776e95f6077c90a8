"""What a candidate changes of its entry that running captured calls cannot show.

Calls are made with all their arguments, beneath the decorators. Whether a caller had left an
argument out, or came by name or by place, is not known; so a changed default, another order of
parameters or another decorator leaves open what the callers would see.
"""

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from leadline.trial.candidate import Change

type _Function = ast.FunctionDef | ast.AsyncFunctionDef
_BY_KEY = frozenset(
    "get setdefault pop popitem clear move_to_end update add discard remove".split()
)
HINT = "run the calls of a caller instead: --entry"


def unseen_change(changes: Sequence[Change], file: str, qualname: str) -> str:
    """Return what of the entry is changed beyond its body, as the reason why nothing follows
    from equal outcomes; empty where nothing is."""
    change = next((one for one in changes if one.file == file), None)
    if change is None or change.old is None or change.new is None:
        return ""
    old, new = _find(change.old, qualname), _find(change.new, qualname)
    if old is None or new is None:
        return "" if old is new else f"the candidate has no {qualname}: {HINT}"
    if type(old) is not type(new) or _yields(old) != _yields(new):
        return f"{qualname} gives its callers something of another kind: {HINT}"
    if _dumps(old.decorator_list) != _dumps(new.decorator_list):
        return f"the candidate changes what decorates {qualname}: {HINT}"
    return _parameters(old, new, qualname)


def fresh(changes: Sequence[Change]) -> Callable[[str], bool]:
    """Return what tells of `module.name` that a changed file of that module has a name which
    no changed file had before: state of the candidate's own."""
    before = words(change.old for change in changes)
    is_theirs = _of_files(changes)
    return lambda where: where.rpartition(".")[2] not in before and is_theirs(where)


def gone(changes: Sequence[Change]) -> Callable[[str], bool]:
    """Return what tells of `module.name` that a changed file of that module had a private name
    which none has now, for a table that the old code looked into by its keys alone."""
    old, new = (words(change.old for change in changes), words(one.new for one in changes))
    is_theirs = _of_files(changes)

    @cache
    def is_gone(where: str) -> bool:
        name = where.rpartition(".")[2]
        is_private = name.startswith("_") and not name.endswith("__")
        is_dropped = is_private and name in old and name not in new and is_theirs(where)
        return is_dropped and not any(_hands_on(one.old, name) for one in changes)

    return is_gone


def words(texts: Iterable[str | None]) -> frozenset[str]:
    """Return all words of some texts."""
    return frozenset(word for text in texts for word in re.findall(r"\w+", text or ""))


def _of_files(changes: Sequence[Change]) -> Callable[[str], bool]:
    """Return what tells whether `module.name`, or `module.Class.name`, is of a changed file."""
    files = [
        "." + ".".join(Path(change.file).with_suffix("").parts[1:]).removesuffix(".__init__")
        for change in changes
    ]

    def is_theirs(where: str) -> bool:
        *module, _ = where.split(".")
        ends = tuple("." + ".".join(part) for part in (module, module[:-1]) if part)
        return any(file.endswith(ends) for file in files)

    return is_theirs


def _hands_on(text: str | None, name: str) -> bool:
    """Whether a text does more with a table of that name than to look into it by keys."""
    try:
        tree = ast.parse(text or "")
    except (SyntaxError, ValueError):
        return True
    looked = {id(one) for node in ast.walk(tree) for one in _looked_into(node)}
    for node in ast.walk(tree):
        found = getattr(node, "id", None) or getattr(node, "attr", None)
        is_read = isinstance(getattr(node, "ctx", None), ast.Load)
        if found == name and is_read and id(node) not in looked:
            return True
    return any(isinstance(one, ast.alias) and one.name == name for one in ast.walk(tree))


def _looked_into(node: ast.AST) -> Iterable[ast.AST]:
    match node:
        case ast.Subscript(value=value):
            return [value]
        case ast.Attribute(value=value, attr=name) if name in _BY_KEY:
            return [value]
        case ast.Compare(ops=ops, comparators=others):
            pairs = zip(ops, others, strict=True)
            return [one for op, one in pairs if isinstance(op, ast.In | ast.NotIn)]
        case ast.Call(func=ast.Name(id="len"), args=[one]):
            return [one]
    return []


def _parameters(old: _Function, new: _Function, qualname: str) -> str:
    ours, theirs = _places(old.args), _places(new.args)
    if theirs[: len(ours)] != ours or any(not one[1] for one in theirs[len(ours) :]):
        return f"the candidate changes the parameters of {qualname}, or a default: {HINT}"
    named, others = _named(old.args), _named(new.args)
    kept = {name: default for name, default in others.items() if name in named}
    if kept != named or any(not others[name] for name in others if name not in named):
        return f"the candidate changes the parameters of {qualname}, or a default: {HINT}"
    stars = [(one.args.vararg is None, one.args.kwarg is None) for one in (old, new)]
    return "" if stars[0] == stars[1] else f"the candidate changes the * of {qualname}: {HINT}"


def _places(args: ast.arguments) -> list[tuple[str, str]]:
    """Return the parameters by place, each with its default; empty without one."""
    every = [*args.posonlyargs, *args.args]
    defaults = [""] * (len(every) - len(args.defaults)) + _dumps(args.defaults)
    only = len(args.posonlyargs)
    return [
        (one.arg + ("/" if at < only else ""), default)
        for at, (one, default) in enumerate(zip(every, defaults, strict=True))
    ]


def _named(args: ast.arguments) -> dict[str, str]:
    return {
        one.arg: ast.dump(default) if default is not None else ""
        for one, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
    }


def _dumps(nodes: Sequence[ast.AST]) -> list[str]:
    return [ast.dump(node) for node in nodes]


def _find(source: str, qualname: str) -> _Function | None:
    """Return the last definition of that name: it is the one that stands."""
    try:
        body: list[ast.stmt] = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    found: ast.AST | None = None
    for part in qualname.split("."):
        found = None
        for one in _defined(body):
            if one.name == part:
                found = one
        if found is None:
            return None
        body = found.body
    return found if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _defined(
    body: Sequence[ast.stmt],
) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    found: list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = []
    for one in body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(one)
        elif isinstance(one, ast.If | ast.Try | ast.With):
            for name in ("body", "orelse", "finalbody"):
                found += _defined(getattr(one, name, []))
            for handler in getattr(one, "handlers", []):
                found += _defined(handler.body)
    return found


def _yields(function: _Function) -> bool:
    """Tell whether calling it gives an iterator."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
        ):
            waiting += ast.iter_child_nodes(node)
    return False
