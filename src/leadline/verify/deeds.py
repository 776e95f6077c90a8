"""Which statements of a function may set something that outlives its call, told by its text.

A store to anything but a new object of the call's own, a call whose result nobody takes, and a
call of which neither its name nor its text tells that it only reckons.
"""

import ast
import datetime
import decimal
import math
import re
from collections.abc import Iterable, Iterator

from leadline.trial.scopes import FUNCTIONS, Function
from leadline.trial.syntax import last_of
from leadline.verify.naming import (
    PLAIN_BUILTINS,
    foreign_names,
    fresh_names,
    response_names,
    root_of,
)

_SOMETIMES = (
    *(ast.IfExp, ast.BoolOp, ast.Compare, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
"""What evaluates not all that is in it, or more than once."""
_TOLD = frozenset("print log logger logging warnings time asyncio".split())
"""What is called for what it prints or logs, each time anew, or to wait."""
_METHODS = frozenset(
    """
    setdefault pop popitem popleft update add append appendleft insert extend remove discard
    clear put put_nowait push save create get_or_create update_or_create bulk_create delete
    merge commit write send publish emit enqueue register incr set setex
    sort reverse __setitem__ __delitem__ __setattr__ __delattr__
    """.split()
)
"""Names of what sets something, whoever takes the result."""
_FUNCTIONS = PLAIN_BUILTINS | frozenset(
    """
    jsonify make_response redirect url_for abort render render_template reverse closing
    get_object_or_404 loads dumps deepcopy asdict replace partial reduce wraps timedelta
    select func text joinedload selectinload
    """.split()
)
"""Functions that only reckon, or make a response, or read."""
_BY_NAME = frozenset(
    """
    property cached_property staticmethod classmethod abstractmethod override overload wraps
    cache lru_cache route get post put patch delete head options websocket api_route
    before_request after_request teardown_request teardown_appcontext errorhandler
    exception_handler middleware context_processor template_filter login_required
    permission_required csrf_exempt require_GET require_POST require_http_methods task
    shared_task command group
    """.split()
)
"""Decorators beneath which a function is called by its name, or by a server for its answer."""
_PLAIN_HOOKS = frozenset(
    f"__{name}__"
    for name in """
    enter exit aenter aexit iter aiter next anext repr str format len bool hash contains
    eq ne lt le gt ge
    """.split()
)
_MANAGERS = ("contextmanager", "asynccontextmanager")
_ASK_CLASSES = ("isinstance", "issubclass")
_MAKES_OBJECTS = ("__init__", "__post_init__", "__new__")
_MODULES = (math, re)
_TYPES = (
    *(str, bytes, dict, list, tuple, set, frozenset, int, float, complex, range, object, type),
    *(decimal.Decimal, datetime.datetime, datetime.date, datetime.timedelta, re.Pattern),
    *(re.Match, slice, memoryview, Exception),
)
_READS = frozenset(
    """
    select where join outerjoin filter filter_by exclude order_by group_by having limit offset
    options joinedload selectinload subqueryload scalars scalar scalar_one one one_or_none first
    last all values_list only defer annotate aggregate exists distinct select_related
    prefetch_related fetchone fetchall fetchmany cursor connect closing close mappings unique
    execute executemany
    """.split()
)
"""Names of what only reads from a database; of SQL its text tells."""
_WRITES = re.compile(
    r"\b(insert|update|delete|replace|create|drop|alter|pragma)\b", re.IGNORECASE
)
_RECKONS = (
    _READS
    | frozenset(name for one in (*_TYPES, *_MODULES) for name in dir(one))
    | frozenset(
        "loads dumps b64encode b64decode hexdigest digest escape deepcopy get_json".split()
    )
) - _METHODS
"""Names of what only reckons, in Python's own types."""


class Text:
    """One side of a changed file, or another file of the service."""

    def __init__(self, text: str | None, *, is_alone: bool = False) -> None:
        """`is_alone` says that of other files of the service nothing is known: what is called
        of an object that one of them may have made may do anything, whatever its name."""
        self.functions: list[tuple[str, Function]] = []
        """With their qualified names, but for those within functions."""
        self.named: dict[str, list[Function]] = {}
        """By their own names; those that make the objects of a class by its name."""
        self._known: dict[int, bool] = {}
        self.steady: dict[tuple[int, frozenset[str]], bool] = {}
        """What is known of functions by then, see `verify.steady`."""
        self._whose: dict[int, tuple[str, str]] = {}
        """Of functions of other files, by identity: the file, and the qualified name."""
        try:
            tree = ast.parse(text or "")
        except (SyntaxError, ValueError, RecursionError):
            tree = ast.Module([], [])
        self.tree = tree
        self._is_alone = is_alone
        self.foreign = frozenset(foreign_names(tree))
        """Names of the module that hold what other files have made, or calls."""
        self._responses = frozenset(response_names(tree))
        self._modules = {
            one.asname or one.name: one.name.rpartition(".")[2]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for one in node.names
        }
        """What imported names may be modules of."""
        self._filling = {
            one.id
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call)
            and last_of(node.value.func) == "defaultdict"
            for one in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(one, ast.Name)
        }  # fmt: skip
        waiting: list[tuple[str, ast.AST]] = [("", tree)]
        while waiting:
            path, node = waiting.pop()
            for child in ast.iter_child_nodes(node):
                if isinstance(child, FUNCTIONS):
                    self.functions.append((f"{path}{child.name}", child))
                    self.named.setdefault(called(f"{path}{child.name}"), []).append(child)
                    continue
                inner = f"{path}{child.name}." if isinstance(child, ast.ClassDef) else path
                waiting.append((inner, child))

    def fresh_names(self, function: Function) -> frozenset[str]:
        """Return the names that hold nothing but new objects of the call's own."""
        return fresh_names(function, self._responses)

    def know(self, file: str, functions: Iterable[tuple[str, Function]]) -> None:
        """Count with functions of another file, where they are called by their names."""
        for qualname, function in functions:
            self.named.setdefault(called(qualname), []).append(function)
            self._whose[id(function)] = file, qualname

    def callees(self, func: ast.expr) -> list[Function]:
        """Return the functions that may be called so: of a module that is named, its own; by a
        plain name, one of this file rather than another's; of an object, methods."""
        known = self.named.get(last_of(func), [])
        if isinstance(func, ast.Name):
            known = [one for one in known if _is_by_name(self._of(one)[1])]
            own = [one for one in known if id(one) not in self._whose]
            return own or known
        if not isinstance(func, ast.Attribute) or len(known) < 2:
            return known
        module = self._modules.get(last_of(func.value), last_of(func.value))
        ends = (f"/{module}.py", f"/{module}/__init__.py")
        of = [one for one in known if self._of(one)[0].endswith(ends)]
        return of or [one for one in known if "." in self._of(one)[1]] or known

    def _of(self, function: Function) -> tuple[str, str]:
        own = next((name for name, one in self.functions if one is function), "")
        return self._whose.get(id(function), ("", own))

    def first_deed(self, function: Function) -> int:
        """Return the first line on which a function may set something that lasts, or 0."""
        fresh = self.fresh_names(function)
        if function.name in _MAKES_OBJECTS and function.args.args:
            fresh |= {function.args.args[0].arg}  # nobody else has it yet
        lines = [
            node.lineno
            for node in ast.walk(function)
            if isinstance(node, ast.stmt) and self.is_deed(node, fresh)
        ]
        return min(lines, default=0)

    def is_deed(self, node: ast.stmt, fresh: frozenset[str]) -> bool:
        """Tell whether a statement may set something, leaving out those within it."""
        if isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom)):
            return False
        if isinstance(node, ast.Expr) and self._calls_harmless(node):
            return False  # a text as well
        return (
            sets(node, fresh)
            or any(not self._reckons(call, fresh) for call in calls_of(node))
            or any(map(self._hands_on, own_nodes(node)))
        )

    def only_calls(self, node: ast.stmt, fresh: frozenset[str]) -> list[ast.Call]:
        """Return the calls by which a statement may set something, if it does by nothing else
        and makes them whatever it is given; else none."""
        found = [one for one in calls_of(node) if not self._reckons(one, fresh)]
        always = [one for one in _always(node) if isinstance(one, ast.Call)]
        stores = not isinstance(node, ast.Expr) and sets(node, fresh)
        otherwise = stores or any(map(self._hands_on, own_nodes(node)))
        return [] if otherwise or any(one not in always for one in found) else found

    def _hands_on(self, node: ast.AST) -> bool:
        """Tell whether something is handed on that may set something when it is called, or is
        asked in a way that its class may have an answer of its own to."""
        match node:
            case ast.Call(func=func, args=args, keywords=keywords):
                given = [*args, *(one.value for one in keywords)]
                names = {one.id for one in given if isinstance(one, ast.Name)}
                if last_of(func) in _ASK_CLASSES:
                    return False
                known = [one for name in names for one in self.callees(ast.Name(name))]
                return not all(map(self._is_harmless, known)) or (
                    self._is_alone and bool(names & self.foreign)
                )
            case ast.Subscript(ctx=ast.Load(), value=ast.Name(id=name)):
                return name in self._filling or (self._is_alone and name in self.foreign)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=name)]):
                return self._is_alone and name in self.foreign
        return False

    def _calls_harmless(self, node: ast.Expr) -> bool:
        """Tell whether a statement only calls functions that are known to set nothing."""
        calls = [one for one in calls_of(node) if not is_of_super(one)]
        found = [self.callees(call.func) for call in calls]
        return all(known and all(map(self._is_harmless, known)) for known in found)

    def _reckons(self, call: ast.Call, fresh: frozenset[str]) -> bool:
        if is_of_super(call):
            return True
        name, root = last_of(call.func), root_of(call.func)
        if name.startswith("execute") and not _only_selects(call):
            return False
        if root in _TOLD or (root in fresh and isinstance(call.func, ast.Attribute)):
            return True
        if known := self.callees(call.func):
            return all(map(self._is_harmless, known))
        if name.lstrip("_")[:1].isupper():  # a new object of a class
            return True
        if self._is_alone and root in self.foreign and isinstance(call.func, ast.Attribute):
            return False
        return name in (_FUNCTIONS if isinstance(call.func, ast.Name) else _RECKONS)

    def _is_harmless(self, function: Function) -> bool:
        """Tell it of one that is called; one that calls itself is none."""
        if id(function) not in self._known:
            self._known[id(function)] = False
            self._known[id(function)] = not self.first_deed(function)
        return self._known[id(function)]


def _is_by_name(qualname: str) -> bool:
    """Tell whether a function is called by a plain name: no method, but what makes objects."""
    return "." not in qualname or qualname.rpartition(".")[2] in _MAKES_OBJECTS


def _only_selects(call: ast.Call) -> bool:
    """Tell whether a statement of SQL only reads: its text says so, or what made it."""
    texts = [
        one.value
        for given in call.args[:1]
        for one in ast.walk(given)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    made = any(isinstance(one, ast.Call) for one in call.args[:1])
    return bool(texts or made) and not any(map(_WRITES.search, texts))


def _only_looks(call: ast.Call) -> bool:
    """Tell whether a call is one of a connection that only reads, or is done with."""
    name = last_of(call.func)
    return name == "close" or (name.startswith("execute") and _only_selects(call))


def sets(node: ast.stmt, fresh: frozenset[str]) -> bool:
    """Tell whether a statement sets something by itself, or calls and takes no result."""
    match node:
        case ast.Global() | ast.Nonlocal():
            return True
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            return any(_is_outside(one, fresh) for one in targets)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return _is_outside(target, fresh)
        case ast.For(target=target) | ast.AsyncFor(target=target):
            return _is_outside(target, fresh)
        case ast.Expr():
            return any(
                root_of(call.func) not in fresh | _TOLD and not _only_looks(call)
                for call in calls_of(node)
            )
    return False


def calls_of(node: ast.stmt) -> Iterator[ast.Call]:
    """Yield the calls in the expressions of a statement, not of those within it."""
    return (one for one in own_nodes(node) if isinstance(one, ast.Call))


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, or an expression, without the statements within it."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += [
            each for each in ast.iter_child_nodes(one) if not isinstance(each, ast.stmt)
        ]


def _always(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a statement's own that are evaluated each time it runs."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, (*_SOMETIMES, *FUNCTIONS, ast.ClassDef)):
            continue
        inner = ast.iter_child_nodes(one)
        waiting += [each for each in inner if not isinstance(each, ast.stmt)]


def is_implicit(function: Function) -> bool:
    """Tell whether a function runs where its name is in no text: an operator, a `with`, a hook
    of a library, what stands behind a decorator."""
    name = function.name
    if name.startswith("_") and name.endswith("_"):  # an enum has some with one of them
        return name not in _MAKES_OBJECTS
    return any(
        last_of(one.func if isinstance(one, ast.Call) else one) not in _BY_NAME
        for one in function.decorator_list
    )


def is_hook(function: Function) -> bool:
    """Tell whether a function runs where its name is in no text, and may make something else of
    what is set there: `__setattr__`, a listener."""
    if not is_implicit(function) or function.name in _PLAIN_HOOKS:
        return False
    return not is_manager(function)


def is_manager(function: Function) -> bool:
    """Tell whether a function is a context manager, and nothing else makes something of it."""
    said = [one.func if isinstance(one, ast.Call) else one for one in function.decorator_list]
    return bool(said) and all(last_of(one) in _MANAGERS for one in said)


def is_of_super(call: ast.Call) -> bool:
    """Tell whether a call is `super()`, or makes of an object what the class above it says."""
    func = call.func
    if isinstance(func, ast.Attribute) and func.attr in _MAKES_OBJECTS:
        func = func.value.func if isinstance(func.value, ast.Call) else func
    return isinstance(func, ast.Name) and func.id == "super"


def called(qualname: str) -> str:
    """Return the name by which a function is called: what makes an object, by its class's."""
    _, _, name = qualname.rpartition(".")
    outer = qualname.split(".")
    return outer[-2] if name in _MAKES_OBJECTS and len(outer) > 1 else name


def _is_outside(target: ast.expr, fresh: frozenset[str]) -> bool:
    """Tell whether setting a target sets something in an object that others may have."""
    if isinstance(target, ast.Tuple | ast.List):
        return any(_is_outside(one, fresh) for one in target.elts)
    if isinstance(target, ast.Starred):
        return _is_outside(target.value, fresh)
    return isinstance(target, ast.Attribute | ast.Subscript) and root_of(target) not in fresh
