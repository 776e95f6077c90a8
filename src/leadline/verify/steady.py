"""What of a function is the same whatever its world holds, told by its text.

An expression is steady that reckons with nothing but parameters, constants and other steady
names. What is read from a database, from a module or from an object of the service is not. The
parameters of the entry are kept by value, and so is a request; of other functions nobody knows
who has made what they are given.
"""

import ast
import builtins
from collections.abc import Iterator
from enum import Enum, auto

from leadline.trial.scopes import Function
from leadline.trial.syntax import last_of, locals_of
from leadline.verify.deeds import Text, own_nodes
from leadline.verify.naming import root_of

_CALLED = frozenset(dir(builtins)) - frozenset(
    """
    setattr delattr getattr hasattr next iter exec eval compile open input breakpoint vars
    globals locals dir id object super __import__
    """.split()
)
"""Functions of Python that only reckon with what they are given."""
_CLASSES = frozenset("Decimal Fraction timedelta date datetime defaultdict Counter".split())
_MODULES = frozenset("math re json decimal fractions html textwrap string".split())
_METHODS = frozenset(
    name
    for kind in (str, bytes, int, float)
    for name in dir(kind)
    if not name.startswith("_") and name not in ("count", "index")
) | frozenset("quantize normalize date isoformat group groups append".split())
"""Methods of values that many objects hardly have: `get` may be a database's."""

_OF_DICTS = ("get", "items", "keys", "values")
_SUPPRESSES = "suppress"
REQUEST = "request"
"""By this name a request is kept with its call."""
_NOT_OFREQUESTS = frozenset(("user", "auser", "session", "state", "app", "db", "g"))


class Given(Enum):
    """What is known of the parameters of a function."""

    KEPT = auto()
    """They are of the entry: as they were when the call was made."""
    LOOKED_AT = auto()
    """They are looked at where it is called; what their attributes are is not known."""
    UNKNOWN = auto()


class Steady:
    """What is steady in one function."""

    def __init__(
        self,
        text: Text,
        function: Function,
        given: Given,
        within: frozenset[str] = frozenset(),
        *,
        unsteady: frozenset[str] = frozenset(),
    ) -> None:
        """`unsteady` are parameters that are known not to be."""
        self._text, self._within = text, within | {function.name}
        self._given = frozenset(one.arg for one in ast.walk(function.args)
                                if isinstance(one, ast.arg))  # fmt: skip
        self._has_attributes = given is Given.KEPT
        nodes = list(ast.walk(function))
        inner = {one.id for one in nodes if isinstance(one, ast.Name) and is_set(one)}
        outer = {
            name
            for one in nodes
            if isinstance(one, ast.Global | ast.Nonlocal)
            for name in one.names
        }
        bound = {name for one in nodes for name in _bound_by(one)}
        self._own = (locals_of(function) | inner | bound) - outer
        self._unsteady = set(self._given if given is Given.UNKNOWN else unsteady)
        statements = list(within_of(function))
        count = -1
        while count != len(self._unsteady):
            count = len(self._unsteady)
            for one, above in statements:
                brings = isinstance(one, ast.Import | ast.ImportFrom)
                if brings or not self.is_steady(one) or not all(map(self.is_sure, above)):
                    self._unsteady.update(stored(one))

    def is_sure(self, above: ast.stmt) -> bool:
        """Tell whether the body of a statement runs as it ran when the call was made."""
        if isinstance(above, ast.Try | ast.TryStar):
            return all(self.is_steady(one) for one, _ in within_of(above))
        if isinstance(above, ast.With | ast.AsyncWith):
            return not swallows(self._text, above) or all(
                self.is_steady(one) for one in (above, *(one for one, _ in within_of(above)))
            )
        return self.is_steady(above)

    def is_steady(self, node: ast.AST) -> bool:
        """Tell it of an expression, or of what a statement itself reckons with."""
        return all(self._is_steady(one) for one in own_nodes(node) if one is not node) and (
            isinstance(node, ast.stmt) or self._is_steady(node)
        )

    def has(self, name: str) -> bool:
        """Tell whether a name of the function's own is steady."""
        return name in self._own and name not in self._unsteady

    def has_own(self, node: ast.AST) -> bool:
        """Tell whether an expression asks for a name of the function's own."""
        names = (one.id for one in ast.walk(node) if isinstance(one, ast.Name))
        return not self._own.isdisjoint(names)

    def _has_request(self) -> bool:
        """Tell whether what is called so is a request: a module's, or a parameter's."""
        is_given = REQUEST in self._given and REQUEST not in self._unsteady
        return REQUEST not in self._own or is_given

    def _is_steady(self, node: ast.AST) -> bool:
        match node:
            case ast.Call():
                return self._is_steady_call(node)
            case ast.Name(ctx=ast.Load()):
                if node.id in self._own:
                    return node.id not in self._unsteady
                return node.id == REQUEST or self._is_called(node.id)
            case ast.Attribute(ctx=ast.Load()):
                return self._is_steady_attribute(node)
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                return False
        return True

    def _is_steady_attribute(self, node: ast.Attribute) -> bool:
        root = root_of(node)
        if any(one.decorator_list for one in self._text.named.get(node.attr, ())):
            return False  # a property, perhaps
        if root == REQUEST and self._has_request():
            return not any(
                isinstance(one, ast.Attribute) and one.attr in _NOT_OFREQUESTS
                for one in ast.walk(node)
            )
        is_method = node.attr in _METHODS or node.attr in _OF_DICTS
        if root in self._given and not self._has_attributes and not is_method:
            return False
        # of what is reckoned there is no root: that is looked at itself
        return root in {"", *_MODULES} or root in self._own - self._unsteady

    def _is_called(self, name: str) -> bool:
        known = name in _CALLED | _CLASSES | _MODULES or name in self._text.named
        return known or is_class_name(name)

    def _is_steady_call(self, call: ast.Call) -> bool:
        name = last_of(call.func)
        if isinstance(call.func, ast.Name):
            if name in self._own:
                return False  # a parameter, or what the function itself has defined
            if name in self._text.named:
                return all(
                    is_steady_function(self._text, one, self._within)
                    for one in self._text.callees(call.func)
                )
            return name in _CALLED | _CLASSES or is_class_name(name)
        root = root_of(call.func)
        if root == REQUEST and self._has_request():
            return name in _METHODS | {"get", "getlist", "get_json"}
        if name in _OF_DICTS and isinstance(call.func, ast.Attribute):
            held = call.func.value  # of a parameter that is kept, or of what is reckoned
            return (
                isinstance(held, ast.Name)
                and self.has(held.id)
                and name not in self._text.named
            )
        return root in _MODULES or (
            name in _METHODS and name not in self._text.named and root != "self"
        )


def goes_on(node: ast.Try | ast.TryStar) -> bool:
    """Tell whether a `try` may go on where its body has raised, and does not raise in turn:
    then nobody outside sees that."""
    within = [each for one in node.handlers for each in ast.walk(one)]
    within += [each for one in node.finalbody for each in ast.walk(one)]
    leaves = any(isinstance(one, ast.Return | ast.Continue | ast.Break) for one in within)
    return leaves or any(not isinstance(one.body[-1], ast.Raise) for one in node.handlers)


def swallows(text: Text, above: ast.With | ast.AsyncWith) -> bool:
    """Tell whether a `with` may go on where its body, or what it enters, has raised."""
    calls = [one for one in own_nodes(above) if isinstance(one, ast.Call)]
    return any(last_of(one.func) == _SUPPRESSES for one in calls) or any(
        isinstance(node, ast.Try) and goes_on(node)
        for one in calls
        for function in text.named.get(last_of(one.func), ())
        for node in ast.walk(function)
    )


def is_steady_function(text: Text, function: Function, within: frozenset[str]) -> bool:
    """Tell whether all that a function does is steady; one that calls itself is not."""
    if function.name in within:
        return False
    key = id(function), within
    if key not in text.steady:
        steady = Steady(text, function, Given.LOOKED_AT, within)
        text.steady[key] = all(steady.is_steady(one) for one, _ in within_of(function))
    return text.steady[key]


def within_of(
    node: ast.AST, above: tuple[ast.stmt, ...] = ()
) -> Iterator[tuple[ast.stmt, tuple[ast.stmt, ...]]]:
    """Yield the statements within a node, each with those that it is in, the first of them
    outermost."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child, above
            yield from within_of(child, (*above, child))
        elif not isinstance(child, ast.expr):
            yield from within_of(child, above)


def is_class_name(name: str) -> bool:
    return name[:1].isupper() and not name.isupper()


def is_set(place: ast.Name | ast.Subscript | ast.Attribute) -> bool:
    return isinstance(place.ctx, ast.Store | ast.Del)


def stored(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement sets, or sets something of."""
    for one in own_nodes(node):
        match one:
            case ast.Name() if is_set(one):
                yield one.id
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                yield root_of(one)
            case ast.Call(func=ast.Attribute(value=value)) if isinstance(node, ast.Expr):
                yield root_of(value)
        yield from _bound_by(one)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name


def _bound_by(node: ast.AST) -> Iterator[str]:
    """Yield the names that a handler, a pattern or an import binds."""
    match node:
        case (
            ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.partition(".")[0]
