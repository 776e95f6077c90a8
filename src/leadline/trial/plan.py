"""What a candidate comes to in the modules of a process: which objects get what, and what is
in the way of it. Nothing is changed and nothing is made here."""

import ast
import os
import warnings
from abc import ABCMeta
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from leadline.trial.candidate import Candidate, Change
from leadline.trial.guards import name_at_import
from leadline.trial.holders import (
    codes_in,
    find,
    is_class,
    living,
    namespace_of,
    same_code,
    shape,
)
from leadline.trial.purity import impure
from leadline.trial.rebound import rebound
from leadline.trial.scopes import annotations_of, mangled, outside_of, parsed
from leadline.trial.steps import Bind, Steps, Swap, Unbind, steps
from leadline.trial.syntax import TRANSPARENT
from leadline.wire.struct import dataclass, field

_COROUTINE = 0x80 | 0x200
"""`CO_COROUTINE`, `CO_ASYNC_GENERATOR`."""
_GENERATOR = 0x20
_OPTIMIZED = 0x1


@dataclass(frozen=True, slots=True)
class Exchange:
    """One function object and what it gets."""

    name: str
    function: FunctionType
    code: CodeType
    swap: Swap | None = None
    caches: tuple[Any, ...] = ()
    same: bool = False
    """Whether it only stands on other lines now."""


@dataclass(slots=True)
class Work:
    """What is to be done to one module."""

    change: Change
    module: ModuleType
    steps: Steps
    exchanges: list[Exchange] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan(candidate: Candidate, modules: Mapping[str, ModuleType]) -> list[Work]:
    found: list[Work] = []
    by_file = _by_file(modules, {os.path.basename(one.file) for one in candidate.changes})
    for change in candidate.changes:
        for module in by_file.get(os.path.realpath(change.file), ()):
            if change.old is None or change.new is None:
                work = Work(change, module, Steps())
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
        if not issubclass(type(module), ModuleType) or id(module) in known:
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
        self.work = Work(change, module, Steps())
        self._inner: list[tuple[CodeType, CodeType | None, str]] = []
        try:
            self._codes = [_compiled(text, change.file) for text in (self._old, self._new)]
            name = name_at_import(module.__dict__)
            self.work.steps = steps(self._old, self._new, name)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", None) or 1
            self._refuse(line, f"cannot be compiled: {error}")
            return
        self._tree = parsed(self._old)
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
        if not self.work.obstacles:
            self._shifted()

    def _refuse(self, line: int, why: str) -> None:
        self.work.obstacles.append(f"{self._file}:{line}: {why}")

    def _swap(self, swap: Swap) -> None:
        qualname, line = swap.qualname, swap.new.lineno
        old = _code_of(self._codes[0], qualname, swap.old)
        new = _code_of(self._codes[1], qualname, swap.new)
        if old is None or new is None:
            return self._refuse(line, f"{qualname} has no code of its own")
        start = lookup(self._module, qualname)
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
        for name, expression in to_make(swap):
            why = impure(expression, namespace, self._new)
            if why:
                what = "annotation" if name.startswith(":") else "default"
                self._refuse(expression.lineno, f"the {what} of {name.lstrip(':')} {why}")
        if caches:
            self.work.notes.append(f"the cache of {qualname} was emptied")
        self.work.exchanges.append(Exchange(qualname, function, new, swap, tuple(caches)))
        self._inside(function.__code__, new, qualname)
        return None

    def _not_found(self, qualname: str, start: object, old: CodeType) -> str:
        if start is None:
            return f"{qualname} is not there any more"
        if type(start).__name__ in ("cython_function_or_method", "builtin_function_or_method"):
            return f"{qualname} is compiled, not Python"
        if type(start) is FunctionType and start.__code__.co_qualname == old.co_qualname:
            return f"{qualname} runs another version than the one that was compared"
        return f"what {qualname} was made into does not lead to its function"

    def _shifted(self) -> None:
        """Have the functions that are the same stand on the lines of the new text."""
        changed = {one.name for one in self.work.exchanges}
        after = {_key(code): code for code in codes_in(self._codes[1])}
        for code in codes_in(self._codes[0]):
            new = after.get(_key(code))
            if new is None or code == new or code.co_qualname in changed:
                continue
            if "<" in code.co_qualname or not code.co_flags & _OPTIMIZED:
                continue
            try:
                function, _ = find(
                    lookup(self._module, code.co_qualname),
                    lambda found, code=code: same_code(found, code),  # type: ignore[misc]
                )
            except LookupError:
                continue  # its lines stay those of the old text
            if shape(code) == shape(new):
                self.work.exchanges.append(Exchange(code.co_qualname, function, new, same=True))

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
                self.work.exchanges.append(Exchange(code.co_qualname, function, counterpart))

    def _bind(self, bind: Bind) -> None:
        line = bind.statement.lineno
        why = impure(bind.statement, self._module.__dict__, self._new)
        if why:
            self._refuse(line, f"it {why}")
        self._member(bind.within, bind.statement, line)
        for name in sorted(bind.names):
            self._rebound(bind.within, name, line)

    def _rebound(self, within: str, name: str, line: int) -> None:
        """Refuse to bind or take away what is another by now than the old text says."""
        owner = lookup(self._module, within.rstrip(".")) if within else self._module
        if owner is None or not (within == "" or type(owner) in (type, ABCMeta)):
            return  # what a metaclass has made of it is said by itself
        names = namespace_of(owner)
        globals_ = self._module.__dict__
        why = rebound(
            self._tree, within, name, names, lambda one: not impure(one, globals_, self._old)
        )
        if why:
            self._refuse(line, why)

    def _unbind(self, unbind: Unbind) -> None:
        self._member(unbind.within, unbind.statement, unbind.statement.lineno)
        self._rebound(unbind.within, unbind.name, unbind.statement.lineno)

    def _member(self, within: str, statement: ast.stmt, line: int) -> None:
        """Refuse what a class cannot get or lose any more."""
        if not within:
            return
        cls = lookup(self._module, within.rstrip("."))
        if not is_class(cls):
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


def _key(code: CodeType) -> tuple[object, ...]:
    return code.co_qualname, shape(code)


def _known(swap: Swap) -> list[str]:
    """Return the decorators that may have read more of a function than that it is one."""
    found = []
    for one in swap.new.decorator_list:
        called = one.func if isinstance(one, ast.Call) else one
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name not in TRANSPARENT:
            found.append(name or "?")
    return found


def _signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return ast.dump(function.args) + (ast.dump(function.returns) if function.returns else "")


def to_make(swap: Swap) -> Iterator[tuple[str, ast.expr]]:
    """Yield the defaults that the live function does not have as they are, and with a colon
    before the name the annotations."""
    before, after = outside_of(swap.old), outside_of(swap.new)
    for name, expression in after.items():
        same = name in before and ast.dump(before[name]) == ast.dump(expression)
        if not same or name in swap.stale:
            yield name, expression
    before, after = annotations_of(swap.old), annotations_of(swap.new)
    for name, expression in after.items():
        if name not in before or ast.dump(before[name]) != ast.dump(expression):
            yield f":{name}", expression


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


def lookup(module: ModuleType, qualname: str) -> Any:
    """Return what a qualified name leads to, by dictionaries alone; None if nowhere."""
    if not qualname:
        return None
    found: Any = module
    within = ""
    for word in qualname.split("."):
        if not is_class(found) and found is not module:
            return None
        found = namespace_of(found).get(mangled(word, within))
        within = word
        wrapped = namespace_of(found).get("__wrapped__")
        if is_class(wrapped) and not is_class(found):
            found = wrapped  # a decorated class
    return found
