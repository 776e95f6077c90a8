"""What a changed function does beside its result, by its text: what it sets outside of itself.

Such an effect may be there already: the live call has set the same, and in a copy of the
process that was made later nobody sees whether a candidate still does it, or lets what it finds
decide. Only a twin that is made as the call begins can tell.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from leadline.trial.candidate import Change
from leadline.trial.scopes import FUNCTIONS, Function
from leadline.trial.syntax import last_of

_FRESH = frozenset(
    """
    list dict set frozenset tuple bytearray deque Counter defaultdict OrderedDict sorted str
    bytes StringIO BytesIO
    """.split()
)
"""What makes a new object, which nobody else has."""
_TRANSACTIONS = frozenset(
    """
    with commit rollback flush begin begin_nested savepoint atomic transaction set_autocommit
    """.split()
)
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_METHODS = frozenset(
    """
    setdefault pop popitem popleft update add append appendleft insert extend remove discard
    clear put put_nowait push save create get_or_create update_or_create bulk_create delete
    merge execute executemany commit write send publish emit enqueue register incr set setex
    """.split()
)
_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_TOLD = frozenset("print log logger logging warnings time asyncio".split())
"""What is called for what it prints or logs, each time anew, or to wait."""


def effect_of(changes: Sequence[Change], entry: str) -> str:
    """Return where a changed function, or the entry, sets something outside of itself, as
    `FILE:LINE`; nothing where none does. `entry` is `module:name`."""
    name, is_here = entry.rpartition(":")[2], False
    for change in changes:
        file = change.file.rpartition("/")[2]
        for text, lines in (
            (change.old, change.difference.old),
            (change.new, change.difference.new),
        ):
            for qualname, function in _functions(text):
                is_entry = qualname == name and _is_module(change.file, entry)
                is_here |= is_entry
                end = function.end_lineno or function.lineno
                is_changed = any(function.lineno <= line <= end for line in lines)
                if (is_changed or is_entry) and (line := _first_effect(function)):
                    return f"{file}:{line}"
    return "" if is_here else entry


def decided(change: Change) -> Iterator[tuple[bool, int]]:
    """Yield the changed lines that decide whether something is set outside, on the new side if
    True: conditions of what does, and what leaves a function before it."""
    for is_new, text, lines in (
        (False, change.old, change.difference.old),
        (True, change.new, change.difference.new),
    ):
        for _, function in _functions(text):
            fresh = _fresh_names(function)
            for node in ast.walk(function):
                if isinstance(node, _LEAVES):
                    found = [node.lineno] if _effects(function, fresh, node.lineno) else []
                else:
                    found = _header(node) if _effects(node, fresh) else []
                yield from ((is_new, line) for line in found if line in lines)


def commits_otherwise(change: Change) -> bool:
    """Tell whether the two sides of a change end their transactions otherwise: where nothing is
    left to be written, nobody sees it."""
    old, new = (_of_transactions(text) for text in (change.old, change.new))
    return old != new


def _of_transactions(text: str | None) -> Counter[str]:
    try:
        tree = ast.parse(text or "")
    except (SyntaxError, ValueError, RecursionError):
        return Counter()
    found = [last_of(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found += ["with" for node in ast.walk(tree) if isinstance(node, ast.With | ast.AsyncWith)]
    return Counter(name for name in found if name in _TRANSACTIONS)


def _header(node: ast.AST) -> list[int]:
    """Return the lines on which a statement says whether, or how often, its body runs."""
    match node:
        case ast.If(test=said) | ast.While(test=said) | ast.For(iter=said):
            pass
        case ast.AsyncFor(iter=said) | ast.Match(subject=said):
            pass
        case ast.ExceptHandler(type=ast.expr() as said):
            pass
        case _:
            return []
    return list(range(node.lineno, (said.end_lineno or said.lineno) + 1))


def _effects(node: ast.AST, fresh: frozenset[str], after: int = 0) -> bool:
    """Tell whether anything within sets something outside, on a line beyond `after`."""
    return any(
        one is not node
        and isinstance(one, ast.stmt)
        and one.lineno > after
        and _is_effect(one, fresh)
        for one in ast.walk(node)
    )


def _is_module(file: str, entry: str) -> bool:
    module = entry.partition(":")[0].replace(".", "/")
    return file.removesuffix(".py").removesuffix("/__init__").endswith(module)


def _functions(text: str | None) -> Iterator[tuple[str, Function]]:
    try:
        tree = ast.parse(text or "")
    except (SyntaxError, ValueError, RecursionError):
        return
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        path, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, FUNCTIONS):
                yield f"{path}{child.name}", child
            inner = f"{path}{child.name}." if isinstance(child, ast.ClassDef) else path
            if not isinstance(child, FUNCTIONS):
                waiting.append((inner, child))


def _first_effect(function: Function) -> int:
    """Return the first line on which something is set that outlives the call, or 0."""
    fresh = _fresh_names(function)
    lines = [
        node.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.stmt) and _is_effect(node, fresh)
    ]
    return min(lines, default=0)


def _is_effect(node: ast.stmt, fresh: frozenset[str]) -> bool:
    return _sets(node, fresh) or any(
        _is_known(call) and _root(call.func) not in fresh for call in _calls(node)
    )


def _sets(node: ast.stmt, fresh: frozenset[str]) -> bool:
    match node:
        case ast.Global() | ast.Nonlocal():
            return True
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            return any(_is_outside(one, fresh) for one in targets)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return _is_outside(target, fresh)
        case ast.For(target=target) | ast.AsyncFor(target=target):
            return _is_outside(target, fresh)
        case ast.Expr(value=ast.Await(value=ast.Call() as call) | (ast.Call() as call)):
            return _is_deed(call, fresh)
        case ast.Expr():  # a call on a condition, perhaps
            return any(_is_deed(call, fresh) for call in _calls(node))
    return False


def _calls(node: ast.stmt) -> Iterator[ast.Call]:
    """Yield the calls in the expressions of a statement, not of those within it."""
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Call):
            yield one
        waiting += [
            each for each in ast.iter_child_nodes(one) if not isinstance(each, ast.stmt)
        ]


def _is_known(call: ast.Call) -> bool:
    """Tell whether a call sets something, by its name, whoever takes the result."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr in _METHODS
    return last_of(call.func) in ("setattr", "delattr")


def _is_outside(target: ast.expr, fresh: frozenset[str]) -> bool:
    """Tell whether setting a target sets something in an object that others may have."""
    if isinstance(target, ast.Tuple | ast.List):
        return any(_is_outside(one, fresh) for one in target.elts)
    if isinstance(target, ast.Starred):
        return _is_outside(target.value, fresh)
    return isinstance(target, ast.Attribute | ast.Subscript) and _root(target) not in fresh


def _is_deed(call: ast.Call, fresh: frozenset[str]) -> bool:
    """Tell whether a call whose result nobody takes may set something that lasts."""
    return _root(call.func) not in fresh | _TOLD


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _fresh_names(function: Function) -> frozenset[str]:
    """Return the names that hold nothing but new objects of the call's own."""
    new: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_new(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            new |= {one.id for one in targets if isinstance(one, ast.Name)}
    stored = [
        one.id
        for node in ast.walk(function)
        for one in _stored_otherwise(node)
        if isinstance(one, ast.Name)
    ]
    given = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    return frozenset(new - set(stored) - given)


def _stored_otherwise(node: ast.AST) -> Iterator[ast.AST]:
    """Yield names that are set to what is not known to be new."""
    match node:
        case ast.Assign(targets=targets, value=value):
            plain = [one for one in targets if isinstance(one, ast.Name)]
            if not _is_new(value):
                yield from plain
            for one in targets:
                if one not in plain:
                    yield from ast.walk(one) if isinstance(one, ast.Tuple | ast.List) else ()
        case ast.AnnAssign(target=target, value=value) if not _is_new(value):
            yield target
        case ast.NamedExpr(target=target):
            yield target
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield from ast.walk(target)
        case ast.withitem(optional_vars=target) if target is not None:
            yield from ast.walk(target)
        case ast.ExceptHandler(name=name) if name:
            yield ast.Name(name, ast.Store())


def _is_new(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return last_of(value.func) in _FRESH
    return isinstance(value, _DISPLAYS)
