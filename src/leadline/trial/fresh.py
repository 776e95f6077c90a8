"""New values for a module that lives: made in its own namespace, and put back if one fails.

Mutable tables keep their identity and get the new content, as whoever imported them holds the
object; of a constant, the modules that imported it by name get the new one.
"""

import ast
import os
import sysconfig
import warnings
from abc import ABCMeta, update_abstractmethods
from collections import OrderedDict, defaultdict, deque
from collections.abc import Collection, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from leadline.trial.holders import shape
from leadline.trial.scopes import mangled, parsed
from leadline.trial.sources import text_on_disk
from leadline.trial.steps import Bind, Unbind
from leadline.wire.errors import RefusedError

_MISSING = object()
_SHELL = "__leadline_shell__"
_ANNOTATIONS = 0x1000000
"""`CO_FUTURE_ANNOTATIONS`."""
_FUTURE = 0x1FF0000
"""The flags of a code that `from __future__` sets: `CO_FUTURE_*`."""


class _Names(dict[str, Any]):
    """The namespace of a class body of which only some statements are run: the other names
    are the class's own."""

    def __init__(self, shell: object, *above: Mapping[str, Any]) -> None:
        super().__init__()
        self._shell, self._above = shell, above

    def __missing__(self, name: str) -> Any:
        if name == _SHELL:
            return self._shell
        if not (name.startswith("__") and name.endswith("__")):
            for names in self._above:
                if name in names:
                    return names[name]
        raise KeyError(name)


class _Shell:
    """Stands for a metaclass: runs the body, and makes no class."""

    def __init__(self, *above: Mapping[str, Any]) -> None:
        self.names = self.inner = _Names(self, *above)

    def __prepare__(self, _name: str, _bases: tuple[type, ...]) -> _Names:
        self.names = _Names(self, *self.names._above)  # noqa: SLF001 - ours
        return self.names

    def __call__(self, _name: str, _bases: tuple[type, ...], names: _Names) -> None:
        if names is self.names:
            self.inner = names


class Fresh:
    """What one module gets. `bind` and `value` run code of the candidate in its namespace."""

    def __init__(
        self, module: ModuleType, file: str, text: str, imported: Collection[str] = ()
    ) -> None:
        self._module, self._file, self._imported = module, file, imported
        self._names = module.__dict__
        self._flags = _compile(parsed(text), file, 0).co_flags & _FUTURE
        self._before: dict[str, Any] = {}
        self._gone: dict[str, Any] = {}
        self._members: dict[type, dict[str, Any]] = {}
        self._lost: list[tuple[type, str]] = []
        self._codes: list[CodeType] = []
        self._copies: dict[str, list[tuple[ModuleType, str]]] = {}
        self._annotations: list[tuple[type, dict[str, Any]]] = []

    def bind(self, bind: Bind, cls: type | None) -> None:
        """Run a statement that binds names, in the module or as if in the body of `cls`."""
        if cls is None:
            for name in bind.names:
                self._before.setdefault(name, self._names.get(name, _MISSING))
            code = _compile(ast.Module([bind.statement], []), self._file, self._flags)
            self._codes.append(code)
            exec(code, self._names)  # noqa: S102 - in a copy of the process
            return
        pending = self._members.setdefault(cls, {})
        shell = _Shell(pending, cls.__dict__)
        statement = bind.statement
        for word in bind.within.rstrip(".").split(".")[::-1]:
            keyword = ast.keyword("metaclass", ast.Name(_SHELL, ast.Load()))
            statement = ast.ClassDef(word, [], [keyword], [statement], [], [])
        tree = ast.fix_missing_locations(ast.Module([statement], []))
        code = _compile(tree, self._file, self._flags)
        self._codes.append(code)
        exec(code, self._names, {_SHELL: shell})  # noqa: S102 - as above
        if "__classcell__" in shell.inner:  # for `super()` and `__class__` in new methods
            shell.inner["__classcell__"].cell_contents = cls
        names = {mangled(name, bind.within) for name in bind.names}
        pending |= {name: shell.inner[name] for name in names if name in shell.inner}
        if "__annotations__" in shell.inner:
            self._annotations.append((cls, shell.inner["__annotations__"]))

    def unbind(self, unbind: Unbind, cls: type | None) -> None:
        """Take a name away."""
        if cls is None:
            self._gone[unbind.name] = self._names.pop(unbind.name, _MISSING)
        else:
            self._lost.append((cls, mangled(unbind.name, unbind.within)))

    def value(self, expression: ast.expr, cls: type | None, *, annotation: bool = False) -> Any:
        """Evaluate an expression where it stands."""
        code = _compile(ast.Expression(expression), self._file, self._flags)
        if self._flags & _ANNOTATIONS and annotation:
            return ast.unparse(expression)
        if cls is None:
            return eval(code, self._names)  # noqa: S307 - in a copy of the process
        names = _Names(None, self._members.get(cls, {}), cls.__dict__)
        return eval(code, self._names, names)  # noqa: S307

    def codes(self) -> list[CodeType]:
        """Return the codes of the statements that were run."""
        return self._codes

    def restore(self) -> None:
        """Have the module as it was before."""
        for name, value in (self._before | self._gone).items():
            if value is _MISSING:
                self._names.pop(name, None)
            else:
                self._names[name] = value

    def look(self, modules: Mapping[str, ModuleType]) -> None:
        """Find who else has what is bound anew; raises `RefusedError` as `holders` does."""
        for name, old in self._before.items():
            new = self._names.get(name, _MISSING)
            if old is _MISSING or new is _MISSING or old is new:
                continue
            if name in self._imported or not _refillable(old, new):
                self._copies[name] = holders(modules, self._module, name, old)

    def commit(self) -> list[str]:
        """Make it so everywhere; return what is worth a word."""
        notes: list[str] = []
        for name, old in self._before.items():
            new = self._names.get(name, _MISSING)
            if old is _MISSING or new is _MISSING or old is new:
                continue
            if name not in self._copies:
                _refill(old, new)
                self._names[name] = old
                notes.append(f"{self._module.__name__}.{name} has its new content alone")
                continue
            for module, key in self._copies[name]:
                module.__dict__[key] = new
                notes.append(f"{module.__name__}.{key} was imported and is the new one too")
        for cls, members in self._members.items():
            for name, value in members.items():
                type.__setattr__(cls, name, value)
                named = getattr(type(value), "__set_name__", None)
                if named is not None:
                    named(value, cls, name)
            if issubclass(type(cls), ABCMeta):
                update_abstractmethods(cls)
        for cls, name in self._lost:
            if name in cls.__dict__:
                type.__delattr__(cls, name)
        for cls, annotations in self._annotations:
            cls.__annotations__ = vars(cls).get("__annotations__", {}) | annotations
        return notes


def _compile(tree: ast.Module | ast.Expression, file: str, flags: int) -> CodeType:
    mode = "eval" if isinstance(tree, ast.Expression) else "exec"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code: CodeType = compile(tree, file, mode, flags, dont_inherit=True)
        return code


def _refillable(old: Any, new: Any) -> bool:
    """Whether an object can get what the new one has, for whoever holds it."""
    if type(old) is not type(new):
        return False
    if type(old) is FunctionType:
        same = shape(old.__code__)[0] == shape(new.__code__)[0]
        return same and not (old.__closure__ or new.__closure__)
    return type(old) in _TABLES


_TABLES = (dict, set, OrderedDict, defaultdict, list, deque, bytearray)


def _refill(old: Any, new: Any) -> None:
    if type(old) is FunctionType:
        old.__code__, old.__defaults__ = new.__code__, new.__defaults__
        old.__kwdefaults__ = new.__kwdefaults__
    elif hasattr(old, "update"):
        old.clear()
        old.update(new)
    else:
        old.clear()
        old.extend(new)


def holders(
    modules: Mapping[str, ModuleType], owner: ModuleType, name: str, value: object
) -> list[tuple[ModuleType, str]]:
    """Return which other modules have `value` because they imported it from `owner`, or from
    one that did, and by which name. Raises `RefusedError` where that cannot be told."""
    having = [
        module
        for module in list(modules.values())
        if issubclass(type(module), ModuleType)
        and module is not owner
        and is_own(module, owner)
        and any(one is value for one in list(module.__dict__.values()))
    ]
    found: list[tuple[ModuleType, str]] = []
    waiting = [(owner, name)]
    while waiting:
        source, said = waiting.pop()
        for module in having:
            for key in _imports(module, source, said):
                if module.__dict__.get(key) is value and (module, key) not in found:
                    found.append((module, key))
                    waiting.append((module, key))
    return found


def is_own(module: ModuleType, owner: ModuleType) -> bool:
    """Whether a module is of the application: others do not import from it."""
    file = module.__dict__.get("__file__")
    if not isinstance(file, str) or not file.endswith(".py"):
        return False
    if module.__name__.partition(".")[0] == owner.__name__.partition(".")[0]:
        return True
    installed = "site-packages" in file or "dist-packages" in file
    return not installed and not file.startswith(_STDLIB)


_STDLIB = sysconfig.get_paths()["stdlib"] + os.sep


def _imports(module: ModuleType, owner: ModuleType, name: str) -> set[str]:
    """Return the names by which a module imports `name` of `owner`, as its source says."""
    text = text_on_disk(module.__dict__["__file__"])
    if text is None and name not in module.__dict__:
        return set()  # it has the value, as of other numbers, and not by this name
    if text is None:
        raise RefusedError(
            "not-applicable",
            f"Whether {module.__name__} has imported {name} cannot be told: its source cannot "
            f"be read here.",
        )
    last = owner.__name__.rpartition(".")[2]
    if name not in text and "*" not in text:
        return set()
    try:
        tree = parsed(text)
    except (SyntaxError, ValueError):
        return set()
    return {
        alias.asname or name
        for one in ast.walk(tree)
        if isinstance(one, ast.ImportFrom)
        and (one.module is None or one.module.rpartition(".")[2] == last)
        for alias in one.names
        if alias.name in (name, "*")
    }
