"""Small wrong changes of a function: what a careless fix looks like to the code around it."""

import ast
import random
from collections.abc import Iterator

_SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult, ast.And: ast.Or, ast.Or: ast.And, ast.Div: ast.Mult,
}  # fmt: skip


def mutants(source: str, qualname: str, many: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield at most so many labelled sources of the module in which one place is another."""
    chance = random.Random(seed)  # noqa: S311 - the same mutants every time
    tree = ast.parse(source)
    function = _find(tree, qualname)
    places = [one for one in ast.walk(function) if _can(one)]
    chance.shuffle(places)
    found = 0
    for place in places:
        label = f"{type(place).__name__} on line {getattr(place, 'lineno', '?')}"
        lines = source.splitlines(keepends=True)
        undo = _change(place)
        if undo is None:
            continue
        body = ast.unparse(function)
        undo()
        new = _put(lines, function, body)
        try:
            compile(new, "<mutant>", "exec")
        except (SyntaxError, ValueError):
            continue
        yield label, new
        found += 1
        if found == many:
            return


def rewritten(source: str, qualname: str) -> str:
    """Return the module with a function written otherwise: the same tree, other text, and a
    first statement that does nothing."""
    tree = ast.parse(source)
    function = _find(tree, qualname)
    at = 1 if ast.get_docstring(function) is not None else 0
    function.body.insert(at, ast.parse("_ = None").body[0])
    return _put(source.splitlines(keepends=True), function, ast.unparse(function))


def _find(tree: ast.Module, qualname: str) -> ast.FunctionDef:
    found: ast.AST = tree
    for part in qualname.split("."):
        found = next(
            one for one in ast.iter_child_nodes(found) if getattr(one, "name", None) == part
        )
    assert isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
    return found


def _put(lines: list[str], function: ast.FunctionDef, body: str) -> str:
    first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
    indent = " " * function.col_offset
    new = "".join(f"{indent}{line}\n" if line else "\n" for line in body.splitlines())
    return "".join((*lines[: first - 1], new, *lines[function.end_lineno :]))


def _can(node: ast.AST) -> bool:
    match node:
        case ast.Compare() | ast.BoolOp() | ast.BinOp():
            return type(getattr(node, "op", None) or node.ops[0]) in _SWAPS
        case ast.Constant(value=bool() | int()):
            return True
        case ast.If() | ast.IfExp() | ast.Return(value=ast.AST()):
            return True
        case ast.Assign() | ast.AugAssign():
            return True
    return False


def _change(node: ast.AST):
    """Change a node in place; returns what takes that back."""
    match node:
        case ast.Compare():
            old = node.ops[0]
            node.ops[0] = _SWAPS[type(old)]()
            return lambda: node.ops.__setitem__(0, old)
        case ast.BoolOp() | ast.BinOp():
            old = node.op
            node.op = _SWAPS[type(old)]()
            return lambda: setattr(node, "op", old)
        case ast.Constant(value=bool() as value):
            node.value = not value
            return lambda: setattr(node, "value", value)
        case ast.Constant(value=int() as value):
            node.value = value + 1
            return lambda: setattr(node, "value", value)
        case ast.If() | ast.IfExp():
            old = node.test
            node.test = ast.UnaryOp(ast.Not(), old)
            return lambda: setattr(node, "test", old)
        case ast.Return():
            old = node.value
            node.value = ast.Constant(None)
            return lambda: setattr(node, "value", old)
        case ast.AugAssign() | ast.Assign():
            old = node.value
            node.value = ast.Constant(0)
            return lambda: setattr(node, "value", old)
    return None
