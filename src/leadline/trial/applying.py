"""A candidate put into modules that are imported already: in a copy of a live process.

Function objects stay and get other code, classes stay and get other members, so whoever holds
one - a registry, a route, an object, a subclass - runs the candidate. All that can be refused
is found before anything is changed, and new values are made beside the module first.
"""

import ast
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

from leadline.trial.bygone import bygone, changed_by, does, makers, program_of
from leadline.trial.candidate import NOT_PUT_IN, Candidate, touched_new, touched_old
from leadline.trial.fresh import Fresh
from leadline.trial.holders import codes_in
from leadline.trial.keyed import keyed
from leadline.trial.left import Left, left
from leadline.trial.overlay import Overlay, shadowed, show
from leadline.trial.place import MADE_BY
from leadline.trial.plan import Work, lookup, plan, to_make
from leadline.trial.program import Thing
from leadline.trial.reckoned import Reckoned
from leadline.trial.scopes import annotations_of, outside_of
from leadline.trial.steps import Swap
from leadline.trial.traces import traces
from leadline.trial.uses import Following
from leadline.trial.warm import Leading, Warm, warm
from leadline.wire.errors import RefusedError
from leadline.wire.struct import dataclass, field


@dataclass(frozen=True, slots=True)
class Applied:
    """`functions` got other code: `shop.pricing:Basket.total`. `notes` say what the process
    still has of the old code.

    `codes` run as the new text says, with its lines; codes inside of them as well. A line of
    any other code of the same file is a line of the old text.
    """

    functions: tuple[str, ...]
    notes: tuple[str, ...] = ()
    codes: frozenset[CodeType] = frozenset()


@dataclass(frozen=True, slots=True)
class Planned:
    """What `apply` is to do. `caches` are to be emptied before any run, of the old code too,
    and values that were `reckoned` to be taken out of objects: they may be what comes of
    something that is another with the candidate. `left` is what functions may have left before
    any run, and would leave otherwise with the candidate."""

    works: list[Work]
    caches: list[Warm] = field(default_factory=list)
    reckoned: Reckoned | None = None
    left: list[Left] = field(default_factory=list)

    def makes_otherwise(self, functions: Iterable[Thing]) -> str:
        """Return why a call tells nothing that is given functions which others have made, by
        their modules and names: of what is in a closure, the old code has decided."""
        changed = changed_by(self.works).functions if self.works else {}
        for module, qualname in functions:
            for maker, depth in makers(qualname):
                for old, new in changed.get((module, maker), ()):
                    if does(old, depth) != does(new, depth):
                        return MADE_BY.format(maker, new.lineno)
        return ""

    @property
    def notes(self) -> list[str]:
        """What `forget` does."""
        values = self.reckoned.notes if self.reckoned is not None else []
        return [*(one.note for one in self.caches), *values]

    def forget(self) -> None:
        """Have nothing here that the old code came to and the candidate may not: in a copy of
        the process, before those in which it is run. Raises `RefusedError`."""
        if self.reckoned is not None:
            self.reckoned.take_out()
        for one in self.caches:
            try:
                one.cache.cache_clear()
            except Exception as error:  # noqa: BLE001 - of a library
                why = f"{type(error).__name__}: {error}"
                _refuse([f"the cache of {one.name} cannot be emptied ({why})"])


def check(candidate: Candidate, modules: Mapping[str, ModuleType]) -> list[str]:
    """Say all that keeps a candidate from being put into `modules`, by name as `sys.modules`
    has them; nothing is changed."""
    works = plan(candidate, modules)
    found = [said for work in works for said in work.obstacles]
    if not found and works:
        found += bygone(works, program_of(works, modules), changed_by(works))
    return list(dict.fromkeys(found))


def planned(
    candidate: Candidate, modules: Mapping[str, ModuleType], entry: Thing | None = None
) -> Planned:
    """Return what `apply` would do in `modules`, for copies of this process that then do it
    and call `entry`. Raises `RefusedError` (`not-applicable`) with the line and the reason."""
    new = [one.file for one in candidate.changes if one.old is None]
    _refuse(shadowed(map(os.path.realpath, new), modules))
    works = plan(candidate, modules)
    _refuse(said for work in works for said in work.obstacles)
    if not works:
        return Planned(works)
    try:
        program, changed = program_of(works, modules), changed_by(works)
        _refuse(bygone(works, program, changed))
        _refuse(keyed(program, changed))
        following = Following(program, everything=True)
        if entry is not None:
            _refuse(traces(program, changed, entry, following))
        lines = (_lines(candidate, touched_old), _lines(candidate, touched_new))
        behind = left(works, program, changed, lines, following) if entry is not None else []
        leading = Leading(program, changed)
        values = Reckoned(program, leading)
        values.look()
        _refuse(values.obstacles())
        return Planned(works, warm(leading), values, behind)
    except (RecursionError, MemoryError) as error:
        _refuse([f"what was made of it before cannot be told ({type(error).__name__})"])
        raise


def _lines(
    candidate: Candidate, touched: Callable[..., frozenset[int]]
) -> dict[str, frozenset[int]]:
    return {one.file: touched(one, beside=False) for one in candidate.changes}


def _refuse(said: Iterable[str]) -> None:
    """Refuse a candidate of which anything is said."""
    obstacles = list(dict.fromkeys(said))
    if obstacles:
        raise RefusedError(
            "not-applicable",
            f"{NOT_PUT_IN}: {obstacles[0]}.",
            "\n".join(f"also: {one}" for one in obstacles[1:5]),
        )


def apply(
    candidate: Candidate, modules: Mapping[str, ModuleType], made_up: Planned | None = None
) -> Applied:
    """Put a candidate into `modules`, all of it or nothing; as was `planned`, if it was.

    Changed files that no module is of are found by later imports. Raises `RefusedError`
    (`not-applicable`) with the line and the reason, and has changed nothing then.
    """
    works = (made_up or planned(candidate, modules)).works
    made: list[tuple[Work, Fresh, dict[int, dict[str, Any]]]] = []
    try:
        for work in works:
            assert work.change.new is not None  # noqa: S101 - planned
            fresh = Fresh(work.module, work.change.file, work.change.new, work.steps.imported)
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
    codes = {code for work, fresh, _ in made for code in _new_codes(work, fresh)}
    return Applied(
        tuple(dict.fromkeys(functions)), tuple(dict.fromkeys(notes)), frozenset(codes)
    )


def _new_codes(work: Work, fresh: Fresh) -> Iterator[CodeType]:
    for code in [*(one.code for one in work.exchanges), *fresh.codes()]:
        yield code
        yield from codes_in(code)


def _make(work: Work, fresh: Fresh, outsides: dict[int, dict[str, Any]]) -> None:
    """Make all new values of a module; `outsides` gets the defaults of each exchange."""
    for bind in work.steps.binds:
        fresh.bind(bind, lookup(work.module, bind.within.rstrip(".")))
    for unbind in work.steps.unbinds:
        fresh.unbind(unbind, lookup(work.module, unbind.within.rstrip(".")))
    for one in work.exchanges:
        if one.swap is not None:
            cls = lookup(work.module, one.swap.qualname.rpartition(".")[0])
            outsides[id(one)] = {
                name: fresh.value(expression, cls, annotation=name.startswith(":"))
                for name, expression in to_make(one.swap)
            }


@contextmanager
def _told(work: Work) -> Iterator[None]:
    """Refuse what cannot be made."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - it is the candidate's own
        raise RefusedError(
            "not-applicable",
            f"{NOT_PUT_IN}: {work.change.file} raises "
            f"{type(error).__name__} where it is bound: {error}.",
        ) from None


def _exchange(work: Work, outsides: dict[int, dict[str, Any]]) -> list[str]:
    for one in work.exchanges:
        function = one.function
        if one.swap is not None:
            _exchange_outside(function, one.swap, outsides[id(one)], one.code)
        with warnings.catch_warnings():  # a generator that was none: nobody had one of it
            warnings.simplefilter("ignore", DeprecationWarning)
            function.__code__ = one.code
        for cache in one.caches:
            cache.cache_clear()
    return [f"{work.module.__name__}:{one.name}" for one in work.exchanges if not one.same]


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
    kept = {
        name: value
        for name, value in function.__annotations__.items()
        if name in annotations_of(swap.new)
    }
    function.__annotations__ = kept | {
        name[1:]: value for name, value in made.items() if name.startswith(":")
    }
    if ast.get_docstring(swap.old, clean=False) != ast.get_docstring(swap.new, clean=False):
        first = code.co_consts[0] if code.co_consts else None
        text = ast.get_docstring(swap.new, clean=False)
        function.__doc__ = first if text is not None and isinstance(first, str) else None


__all__ = ["Applied", "Planned", "apply", "check", "planned"]
