"""Whether a statement of a module can be run once more without doing anything but bind names.

What calls only makers of plain values can. Whatever else is called may have registered, opened
or counted something when it ran, and would do it again.
"""

import ast
import builtins
import sys
from abc import ABCMeta
from collections.abc import Iterable, Mapping
from enum import EnumType
from functools import lru_cache
from types import ModuleType
from typing import Any

from leadline.trial.holders import is_class, namespace_of
from leadline.trial.scopes import annotations_of, outside_of, parsed

_UNKNOWN = object()
_CALLABLES = """
    builtins: abs all any ascii bin bool bytearray bytes chr complex dict divmod enumerate
    builtins: filter float format frozenset hash hex int isinstance issubclass len list map max
    builtins: min object oct ord pow range repr reversed round set slice sorted str sum tuple
    builtins: type zip
    builtins: staticmethod classmethod property
    abc: abstractmethod
    collections: ChainMap Counter OrderedDict defaultdict deque namedtuple
    contextlib: contextmanager asynccontextmanager
    dataclasses: dataclass field
    datetime: date datetime time timedelta timezone
    decimal: Decimal Context
    enum: auto unique
    fractions: Fraction
    functools: cache cached_property lru_cache partial partialmethod total_ordering wraps
    ipaddress: ip_address ip_network IPv4Address IPv4Network IPv6Address IPv6Network
    itertools: chain count cycle product repeat
    logging: getLogger
    operator: attrgetter itemgetter methodcaller
    pathlib: Path PurePath PosixPath PurePosixPath
    re: compile escape
    string: Template
    struct: Struct calcsize
    textwrap: dedent
    threading: Lock RLock Event Condition Semaphore local
    types: MappingProxyType SimpleNamespace
    typing: NewType ParamSpec TypeVar TypeVarTuple cast final overload override
    typing: runtime_checkable
    uuid: UUID
    zoneinfo: ZoneInfo
"""
_VALUES = (str, bytes, int, float, complex, bool, tuple, frozenset, dict, list, set, range)
_EXTENDING = ("setter", "getter", "deleter")
_METACLASSES = (type, ABCMeta, EnumType)


def impure(node: ast.AST, names: Mapping[str, Any], text: str) -> str:
    """Say what a statement or an expression does beside binding names; empty if nothing.

    `names` is the module's namespace, `text` the new source, whose imports count.
    """
    return _Judge(names, text).of(node)


class _Judge:
    def __init__(self, names: Mapping[str, Any], text: str) -> None:
        self._names, self._text = names, text

    def of(self, node: ast.AST) -> str:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.TypeAlias():
                return ""
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                outside = [*outside_of(node).values(), *annotations_of(node).values()]
                return self._decorated(node.decorator_list) or self._first(outside)
            case ast.ClassDef():
                return self._class(node)
            case _:
                return self._first([node])

    def _class(self, node: ast.ClassDef) -> str:
        for base in node.bases:
            found = self._resolved(base)
            if found is _UNKNOWN and isinstance(base, ast.Name):
                continue  # a class that is as new as this one: it was looked at
            if found is not _UNKNOWN and not is_class(found):
                found = type(found)
            if found is _UNKNOWN or type(found) not in _METACLASSES:
                return f"makes a class of {ast.unparse(base)}, which may register it"
            if "__init_subclass__" in _all_names(found):
                return f"makes a class of {ast.unparse(base)}, which is told of it"
        if node.keywords:
            return "makes a class with a metaclass or other words"
        return self._decorated(node.decorator_list) or next(
            (why for one in node.body if (why := self.of(one))), ""
        )

    def _decorated(self, decorators: Iterable[ast.expr]) -> str:
        for one in decorators:
            called = one.func if isinstance(one, ast.Call) else one
            if isinstance(called, ast.Attribute) and called.attr in _EXTENDING:
                continue
            if id(self._resolved(called)) not in _callables():
                return f"is decorated by {ast.unparse(called)}, which may register it"
            if isinstance(one, ast.Call) and (why := self._first([*one.args, *one.keywords])):
                return why
        return ""

    def _first(self, nodes: Iterable[ast.AST]) -> str:
        waiting = list(nodes)
        while waiting:
            one = waiting.pop()
            if isinstance(one, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr):
                return "does more than make a value"
            if isinstance(one, ast.Call) and not self._makes_a_value(one.func):
                return (
                    f"calls {ast.unparse(one.func)[:60]}, which may do more than make a value"
                )
            if isinstance(one, ast.Lambda):
                waiting += [one for one in one.args.defaults if one is not None]
            else:
                waiting += ast.iter_child_nodes(one)
        return ""

    def _makes_a_value(self, called: ast.expr) -> bool:
        if isinstance(called, ast.Attribute):
            if isinstance(called.value, ast.Constant | ast.JoinedStr):
                return True
            if type(self._resolved(called.value)) in _VALUES:
                return True
            owner = self._resolved(called.value)
            if is_class(owner) and id(owner) in _callables():
                return True  # `dict.fromkeys`, `Decimal.from_float`
        return id(self._resolved(called)) in _callables()

    def _resolved(self, node: ast.expr) -> Any:
        """Return what a dotted name is, without running anything; `_UNKNOWN` if not told."""
        match node:
            case ast.Name(id=name):
                imported = _imported(self._text).get(name)
                if imported is not None:
                    return _loaded(*imported)
                if name in self._names:
                    return self._names[name]
                return getattr(builtins, name, _UNKNOWN)
            case ast.Attribute(value=inner, attr=name):
                owner = self._resolved(inner)
                if type(owner) is ModuleType:
                    return namespace_of(owner).get(name, _UNKNOWN)
                if is_class(owner):
                    found = namespace_of(owner).get(name, _UNKNOWN)
                    return _UNKNOWN if hasattr(type(found), "__get__") else found
            case ast.Subscript(value=inner):  # `Generic[T]`, `dict[str, int]`
                return self._resolved(inner)
        return _UNKNOWN


@lru_cache(maxsize=8)
def _imported(text: str) -> dict[str, tuple[str, str]]:
    """Return what the imports at the top of a source bind: the module, and the name in it."""
    found = {}
    for one in parsed(text).body:
        if isinstance(one, ast.Import):
            for alias in one.names:
                top = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or top] = top, ""
        elif isinstance(one, ast.ImportFrom) and one.module and not one.level:
            for alias in one.names:
                found[alias.asname or alias.name] = one.module, alias.name
    return found


def _loaded(module: str, name: str) -> Any:
    if module.partition(".")[0] in sys.stdlib_module_names and module not in sys.modules:
        __import__(module)
    found = sys.modules.get(module)
    if found is None:
        return _UNKNOWN
    return found.__dict__.get(name, _UNKNOWN) if name else found


def _callables() -> dict[int, object]:
    """Return what only makes a value, by identity, as far as it is loaded."""
    found: dict[int, object] = {}
    for line in _CALLABLES.strip().splitlines():
        module, _, names = line.strip().partition(": ")
        namespace = getattr(sys.modules.get(module), "__dict__", {})
        for name in names.split():
            if name in namespace:
                found[id(namespace[name])] = namespace[name]
    return found


def _all_names(cls: type) -> set[str]:
    return {name for one in cls.__mro__ if one is not object for name in one.__dict__}
