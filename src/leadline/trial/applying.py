"""A candidate put into modules that are imported already: in a copy of a live process.

Function objects stay and get other code, classes stay and get other members, so whoever holds
one - a registry, a route, an object, a subclass - runs the candidate. All that can be refused
is found before anything is changed, and new values are made beside the module first.
"""

import ast
import os
import warnings
from abc import ABCMeta
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

from leadline.trial.candidate import Candidate, Change
from leadline.trial.fresh import Fresh
from leadline.trial.holders import codes_in, find, living, same_code, shape
from leadline.trial.overlay import Overlay, show
from leadline.trial.purity import impure
from leadline.trial.scopes import outside_of
from leadline.trial.steps import Bind, Steps, Swap, Unbind, steps
from leadline.wire.errors import RefusedError
from leadline.wire.struct import dataclass, field

_COROUTINE = 0x80 | 0x200
"""`CO_COROUTINE`, `CO_ASYNC_GENERATOR`."""
_GENERATOR = 0x20
_TRANSPARENT = frozenset(
    {
        *("staticmethod", "classmethod", "property", "cached_property", "abstractmethod"),
        *("lru_cache", "cache", "contextmanager", "asynccontextmanager", "override", "final"),
        *("setter", "getter", "deleter", "overload"),
    }
)
"""Decorators that read nothing of a function but call it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """`functions` got other code: `shop.pricing:Basket.total`. `notes` say what the process
    still has of the old code."""

    functions: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One function object and what it gets."""

    name: str
    function: FunctionType
    code: CodeType
    swap: Swap | None = None
    caches: tuple[Any, ...] = ()


@dataclass(slots=True)
class _Work:
    """What is to be done to one module."""

    change: Change
    module: ModuleType
    steps: Steps
    exchanges: list[_Exchange] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(candidate: Candidate, modules: Mapping[str, ModuleType]) -> list[str]:
    """Say all that keeps a candidate from being put into `modules`, by name as `sys.modules`
    has them; nothing is changed."""
    return [said for work in _plan(candidate, modules) for said in work.obstacles]


def apply(candidate: Candidate, modules: Mapping[str, ModuleType]) -> Applied:
    """Put a candidate into `modules`, all of it or nothing.

    Changed files that no module is of are found by later imports. Raises `RefusedError`
    (`not-applicable`) with the line and the reason, and has changed nothing then.
    """
    works = _plan(candidate, modules)
    obstacles = [said for work in works for said in work.obstacles]
    if obstacles:
        raise RefusedError(
            "not-applicable",
            f"The candidate cannot be put into the running code: {obstacles[0]}.",
            "\n".join(f"also: {said}" for said in obstacles[1:5]),
        )
    made: list[tuple[_Work, Fresh, dict[int, dict[str, Any]]]] = []
    try:
        for work in works:
            assert work.change.new is not None  # noqa: S101 - planned
            fresh = Fresh(work.module, work.change.file, work.change.new)
            outsides: dict[int, dict[str, Any]] = {}
            made.append((work, fresh, outsides))
            with _told(work):
                _make(work, fresh, outsides)
            fresh.look(modules)
    except RefusedError:
        for _, fresh, _ in made:
            fresh.restore()
        raise
    functions: list[str] = []
    notes: list[str] = []
    for work, fresh, outsides in made:
        functions += _exchange(work, outsides)
        notes += [*work.notes, *fresh.commit()]
        show(work.change.file, work.change.new or "")
    Overlay(candidate.sources).install()
    return Applied(tuple(dict.fromkeys(functions)), tuple(dict.fromkeys(notes)))


def _plan(candidate: Candidate, modules: Mapping[str, ModuleType]) -> list[_Work]:
    found: list[_Work] = []
    by_file = _by_file(modules, {os.path.basename(one.file) for one in candidate.changes})
    for change in candidate.changes:
        for module in by_file.get(os.path.realpath(change.file), ()):
            if change.old is None or change.new is None:
                work = _Work(change, module, Steps())
                work.obstacles.append(
                    f"{change.file} is imported, and comes or goes as a whole"
                )
            else:
                work = _Planned(change, module).work
            found.append(work)
    return found


def _by_file(
    modules: Mapping[str, ModuleType], wanted: set[str]
) -> dict[str, list[ModuleType]]:
    """Return the modules of the files that are called as one of `wanted`."""
    found: dict[str, list[ModuleType]] = {}
    known: set[int] = set()
    for module in list(modules.values()):
        if not isinstance(module, ModuleType) or id(module) in known:
            continue
        known.add(id(module))
        file = module.__dict__.get("__file__")
        if isinstance(file, str) and os.path.basename(file) in wanted:
            found.setdefault(os.path.realpath(file), []).append(module)
    return found


class _Planned:
    """Finds the objects of a module that the steps are about."""

    def __init__(self, change: Change, module: ModuleType) -> None:
        assert change.old is not None  # noqa: S101 - asked before
        assert change.new is not None  # noqa: S101
        self._module, self._file = module, change.file
        self._old, self._new = change.old, change.new
        self.work = _Work(change, module, Steps())
        self._gone: list[CodeType] = []
        self._inner: list[tuple[CodeType, CodeType | None, str]] = []
        try:
            self._codes = [_compiled(text, change.file) for text in (self._old, self._new)]
            self.work.steps = steps(
                self._old, self._new, main=module.__dict__.get("__name__") == "__main__"
            )
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None) or 1
            self._refuse(line, f"cannot be compiled: {error}")
            return
        self.work.notes += self.work.steps.notes
        for line, why in self.work.steps.obstacles:
            self._refuse(line, why)
        for swap in self.work.steps.swaps:
            self._swap(swap)
        for bind in self.work.steps.binds:
            self._bind(bind)
        for unbind in self.work.steps.unbinds:
            self._unbind(unbind)
        self._closures()

    def _refuse(self, line: int, why: str) -> None:
        self.work.obstacles.append(f"{self._file}:{line}: {why}")

    def _swap(self, swap: Swap) -> None:
        qualname, line = swap.qualname, swap.new.lineno
        old = _code_of(self._codes[0], qualname, swap.old)
        new = _code_of(self._codes[1], qualname, swap.new)
        if old is None or new is None:
            return self._refuse(line, f"{qualname} has no code of its own")
        start = _lookup(self._module, qualname)
        try:
            function, caches = find(start, lambda code: same_code(code, old))
        except LookupError:
            return self._refuse(line, self._not_found(qualname, start, old))
        if function.__code__.co_freevars != new.co_freevars:
            return self._refuse(line, f"{qualname} closes over other variables")
        if (function.__code__.co_flags ^ new.co_flags) & _COROUTINE:
            return self._refuse(line, f"{qualname} is awaited in one version alone")
        if (function.__code__.co_flags ^ new.co_flags) & _GENERATOR and _known(swap):
            return self._refuse(line, f"{qualname} is a generator in one version alone")
        if _signature(swap.old) != _signature(swap.new) and _known(swap):
            self._refuse(line, f"a decorator of {qualname} has read its parameters")
        namespace = self._module.__dict__
        for name, expression in _to_make(swap):
            why = impure(expression, namespace, self._new)
            if why:
                self._refuse(expression.lineno, f"the default of {name} {why}")
        if caches:
            self.work.notes.append(f"the cache of {qualname} was emptied")
        self.work.exchanges.append(_Exchange(qualname, function, new, swap, tuple(caches)))
        self._inside(function.__code__, new, qualname)
        return None

    def _not_found(self, qualname: str, start: object, old: CodeType) -> str:
        if start is None:
            return f"{qualname} is not there any more"
        if type(start) is not FunctionType and hasattr(start, "__code__"):
            return f"{qualname} is compiled, not Python"
        if "method" in type(start).__name__ and not hasattr(start, "__func__"):
            return f"{qualname} is compiled, not Python"
        if type(start) is FunctionType and start.__code__.co_qualname == old.co_qualname:
            return f"{qualname} runs another version than the one that was compared"
        return f"what {qualname} was made into does not lead to its function"

    def _inside(self, old: CodeType, new: CodeType, qualname: str) -> None:
        """Note the inner functions that are others; objects of them may be in use."""
        before, after = list(codes_in(old)), list(codes_in(new))
        for name in dict.fromkeys(code.co_qualname for code in before):
            mine = [code for code in before if code.co_qualname == name]
            yours = [code for code in after if code.co_qualname == name]
            paired = len(mine) == len(yours)
            for number, code in enumerate(mine):
                counterpart = yours[number] if paired else None
                if counterpart is None or shape(code) != shape(counterpart):
                    self._inner.append((code, counterpart, qualname))

    def _closures(self) -> None:
        found = living(code for code, _, _ in self._inner)
        for code, counterpart, qualname in self._inner:
            for function in found[id(code)]:
                if counterpart is None or counterpart.co_freevars != code.co_freevars:
                    self._refuse(
                        code.co_firstlineno,
                        f"functions that {qualname} made are in use, and the candidate makes "
                        f"others",
                    )
                    break
                self.work.exchanges.append(_Exchange(code.co_qualname, function, counterpart))

    def _bind(self, bind: Bind) -> None:
        line = bind.statement.lineno
        why = impure(bind.statement, self._module.__dict__, self._new)
        if why:
            self._refuse(line, f"it {why}")
        self._member(bind.within, bind.statement, line)

    def _unbind(self, unbind: Unbind) -> None:
        self._member(unbind.within, unbind.statement, unbind.statement.lineno)

    def _member(self, within: str, statement: ast.stmt, line: int) -> None:
        """Refuse what a class cannot get or lose any more."""
        if not within:
            return
        cls = _lookup(self._module, within.rstrip("."))
        if not isinstance(cls, type):
            self._refuse(line, f"{within.rstrip('.')} is no class any more")
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            why = _read_its_body(cls, statement)
            if why:
                self._refuse(line, why)


def _read_its_body(cls: type, statement: ast.stmt) -> str:
    """Say why an attribute of a class cannot be bound anew: something was made from it."""
    annotated = isinstance(statement, ast.AnnAssign)
    if annotated and "__dataclass_fields__" in cls.__dict__:
        return "the fields of a dataclass are in its methods already"
    if type(cls) not in (type, ABCMeta):
        return f"its metaclass {type(cls).__name__} has read the class"
    if issubclass(cls, tuple) and "_fields" in cls.__dict__:
        return "the fields of a named tuple are in its methods already"
    return ""


def _known(swap: Swap) -> list[str]:
    """Return the decorators that may have read more of a function than that it is one."""
    found = []
    for one in swap.new.decorator_list:
        called = one.func if isinstance(one, ast.Call) else one
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name not in _TRANSPARENT:
            found.append(name or "?")
    return found


def _signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return ast.dump(function.args) + (ast.dump(function.returns) if function.returns else "")


def _to_make(swap: Swap) -> Iterator[tuple[str, ast.expr]]:
    """Yield the defaults that the live function does not have as they are."""
    before, after = outside_of(swap.old), outside_of(swap.new)
    for name, expression in after.items():
        same = name in before and ast.dump(before[name]) == ast.dump(expression)
        if not same or name in swap.stale:
            yield name, expression


def _compiled(text: str, file: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code: CodeType = compile(text, file, "exec", dont_inherit=True)
        return code


def _code_of(
    module: CodeType, qualname: str, definition: ast.FunctionDef | ast.AsyncFunctionDef
) -> CodeType | None:
    """Return the code of a definition: the one of its name at its first line."""
    first = min(one.lineno for one in (definition, *definition.decorator_list))
    return next(
        (
            code
            for code in codes_in(module)
            if code.co_qualname == qualname and code.co_firstlineno == first
        ),
        None,
    )


def _lookup(module: ModuleType, qualname: str) -> Any:
    """Return what a qualified name leads to, by dictionaries alone; None if nowhere."""
    if not qualname:
        return None
    found: Any = module
    for word in qualname.split("."):
        namespace = found.__dict__ if isinstance(found, type | ModuleType) else {}
        found = namespace.get(word)
        if not isinstance(found, type | ModuleType):
            wrapped = getattr(found, "__dict__", {}).get("__wrapped__")
            found = wrapped if isinstance(wrapped, type) else found
    return found


def _make(work: _Work, fresh: Fresh, outsides: dict[int, dict[str, Any]]) -> None:
    """Make all new values of a module; `outsides` gets the defaults of each exchange."""
    for bind in work.steps.binds:
        fresh.bind(bind, _lookup(work.module, bind.within.rstrip(".")))
    for unbind in work.steps.unbinds:
        fresh.unbind(unbind, _lookup(work.module, unbind.within.rstrip(".")))
    for one in work.exchanges:
        if one.swap is not None:
            cls = _lookup(work.module, one.swap.qualname.rpartition(".")[0])
            outsides[id(one)] = {
                name: fresh.value(expression, cls) for name, expression in _to_make(one.swap)
            }


@contextmanager
def _told(work: _Work) -> Iterator[None]:
    """Refuse what cannot be made."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - it is the candidate's own
        raise RefusedError(
            "not-applicable",
            f"The candidate cannot be put into the running code: {work.change.file} raises "
            f"{type(error).__name__} where it is bound: {error}.",
        ) from None


def _exchange(work: _Work, outsides: dict[int, dict[str, Any]]) -> list[str]:
    for one in work.exchanges:
        function = one.function
        if one.swap is not None:
            _exchange_outside(function, one.swap, outsides[id(one)], one.code)
        with warnings.catch_warnings():  # a generator that was none: nobody had one of it
            warnings.simplefilter("ignore", DeprecationWarning)
            function.__code__ = one.code
        for cache in one.caches:
            cache.cache_clear()
    return [f"{work.module.__name__}:{one.name}" for one in work.exchanges]


def _exchange_outside(
    function: FunctionType, swap: Swap, made: dict[str, Any], code: CodeType
) -> None:
    """Give a function its defaults, its text and its annotations."""
    old = function.__code__
    plain = old.co_varnames[: old.co_argcount]
    defaults = function.__defaults__ or ()
    known = dict(zip(plain[len(plain) - len(defaults) :], defaults, strict=True))
    known |= function.__kwdefaults__ or {}
    known |= made
    given = swap.new.args
    wanted = outside_of(swap.new)
    positional = [one.arg for one in (*given.posonlyargs, *given.args) if one.arg in wanted]
    named = [one.arg for one in given.kwonlyargs if one.arg in wanted]
    function.__defaults__ = tuple(known[name] for name in positional) or None
    function.__kwdefaults__ = {name: known[name] for name in named} or None
    if ast.get_docstring(swap.old, clean=False) != ast.get_docstring(swap.new, clean=False):
        first = code.co_consts[0] if code.co_consts else None
        text = ast.get_docstring(swap.new, clean=False)
        function.__doc__ = first if text is not None and isinstance(first, str) else None


__all__ = ["Applied", "apply", "check"]
