"""What syntax says by itself: what it calls unsaid, what is a variable of a function, what a
function has called while it runs."""

import ast
from collections.abc import Iterable

from leadline.trial.scopes import Function, bound_by

AT_ONCE = frozenset(
    "map filter sorted min max any all sum list tuple set dict frozenset iter next zip"
    " enumerate reduce sort starmap groupby accumulate takewhile dropwhile run".split()
)
"""What calls a function that it is given before it returns, or what comes of that is asked."""
TRANSPARENT = frozenset(
    {
        *("staticmethod", "classmethod", "property", "cached_property", "abstractmethod"),
        *("lru_cache", "cache", "contextmanager", "asynccontextmanager", "override", "final"),
        *("setter", "getter", "deleter", "overload"),
    }
)
"""Decorators that read nothing of a function but call it."""
EXTENDING = ("setter", "getter", "deleter")
READ_AS = ("property", "cached_property", "getter")
IMPLIED: dict[type[ast.AST], str] = {
    ast.Subscript: "__getitem__ __setitem__ __delitem__ __missing__ __class_getitem__",
    ast.BinOp: "__add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__"
    " __floordiv__ __mod__ __rmod__ __pow__ __or__ __ror__ __and__ __xor__ __matmul__"
    " __lshift__ __rshift__",
    ast.AugAssign: "__iadd__ __isub__ __imul__ __ior__ __iand__ __add__ __sub__ __or__",
    ast.UnaryOp: "__neg__ __pos__ __invert__ __bool__ __len__",
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__ __eq__",
    ast.Lt: "__lt__ __gt__ __eq__",
    ast.Gt: "__lt__ __gt__ __eq__",
    ast.LtE: "__le__ __ge__ __lt__ __gt__ __eq__",
    ast.GtE: "__le__ __ge__ __lt__ __gt__ __eq__",
    ast.In: "__contains__ __hash__ __eq__ __iter__ __next__ __getitem__",
    ast.NotIn: "__contains__ __hash__ __eq__ __iter__ __next__ __getitem__",
    ast.If: "__bool__ __len__",
    ast.IfExp: "__bool__ __len__",
    ast.BoolOp: "__bool__ __len__",
    ast.With: "__enter__ __exit__",
    ast.AsyncWith: "__aenter__ __aexit__",
    ast.For: "__iter__ __next__ __getitem__ __len__",
    ast.comprehension: "__iter__ __next__ __getitem__ __len__",
    ast.Starred: "__iter__ __next__ keys __getitem__",
    ast.FormattedValue: "__format__ __str__ __repr__",
    ast.Dict: "__hash__ __eq__",
    ast.Set: "__hash__ __eq__",
}
"""What a kind of syntax calls."""
OF_BUILTINS = (
    "__iter__ __next__ __len__ __str__ __repr__ __int__ __float__ __bool__ __hash__ __eq__"
    " __lt__ __abs__ __round__ __format__ __getitem__ __index__ __contains__ keys"
)

ORDERING = frozenset(
    "sort sorted min max insort insort_left insort_right bisect bisect_left bisect_right"
    " heapify heappush heappop heappushpop heapreplace nsmallest nlargest merge".split()
)
"""What tells items of what it is given, or of what it is a method of, apart by their order."""
OF_ORDER = "__lt__ __gt__ __le__ __ge__"


def at_once(function: ast.AST) -> set[str]:
    """Return the names of what a function calls, or has called, while it runs."""
    found: set[str] = set()
    for one in ast.walk(function):
        if isinstance(one, ast.Call):
            found |= _plain([one.func])
            if last_of(one.func) in AT_ONCE:
                found |= _plain([*one.args, *(word.value for word in one.keywords)])
    return found


def lambdas_at_once(node: ast.AST) -> set[int]:
    """Return the lambdas that are called while a piece of code runs, by identity."""
    return {
        id(given)
        for one in ast.walk(node)
        if isinstance(one, ast.Call)
        for given in (one.func, *one.args, *(word.value for word in one.keywords))
        if isinstance(given, ast.Lambda) and (given is one.func or last_of(one.func) in AT_ONCE)
    }


def _plain(nodes: Iterable[ast.expr]) -> set[str]:
    return {one.id for one in nodes if isinstance(one, ast.Name)}


def last_of(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def words_of(function: Function) -> list[str]:
    """Return the last names of the decorators of a function."""
    return [
        last_of(one.func if isinstance(one, ast.Call) else one)
        for one in function.decorator_list
    ]


def locals_of(function: Function | ast.Lambda) -> set[str]:
    given = function.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    found = {one.arg for one in every if one is not None}
    if isinstance(function, ast.Lambda):
        return found
    for one in function.body:
        if not isinstance(one, ast.Import | ast.ImportFrom):
            found |= bound_by(one)
    declared = {
        name for one in ast.walk(function) if isinstance(one, ast.Global) for name in one.names
    }
    imported = {
        alias.asname or alias.name.partition(".")[0]
        for one in ast.walk(function)
        if isinstance(one, ast.Import | ast.ImportFrom)
        for alias in one.names
    }
    return found - declared - imported
