"""Calls captured by making them here: kept as a live process keeps them, and their outcome."""

import importlib
import sys
from collections.abc import Iterable
from contextlib import contextmanager
from typing import Any

from leadline.agent.capture.keeping import keep, withhold
from leadline.agent.place.entry import find_entry
from leadline.agent.twin.outcome import taker
from leadline.expression import Unknown
from leadline.trial import loops
from leadline.trial.calls import Call, is_generator, parameters
from leadline.trial.predicate import compile_predicate
from leadline.trial.running import run
from leadline.verify.calls import CapturedCall, Home
from leadline.wire.call import CallKind, TurnKind

MOST_YIELDS = 100


@contextmanager
def imported(folder, *modules):
    """Import modules from a folder, and forget them again."""
    sys.path.insert(0, str(folder))
    before = set(sys.modules)
    try:
        importlib.invalidate_caches()
        yield [importlib.import_module(module) for module in modules]
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            del sys.modules[name]


def home(folder):
    """Where a program that lives in a folder is captured."""
    return Home(
        path=[str(folder), *[entry for entry in sys.path if entry and entry != str(folder)]],
        cwd=str(folder),
        executable=sys.executable,
        python=".".join(map(str, sys.version_info[:3])),
    )


def captured(
    entry: str, given: Iterable[tuple], fails: str = "", **keeping: Any
) -> list[CapturedCall]:
    """Make calls and keep them. Each of `given` is a tuple of positional arguments, `keeping`
    is how they are kept."""
    module, _, qualname = entry.partition(":")
    function = find_entry(sys.modules[module], module, qualname).function
    predicate = compile_predicate(fails) if fails else None
    return [
        one(function, args, number, predicate, **keeping)
        for number, args in enumerate(given, 1)
    ]


def _close_loops() -> None:
    """In a place the loops of a run end with it; here they would be found by later twins."""
    while loops._own:  # noqa: SLF001 - nobody else needs to
        loops._own.pop().close()  # noqa: SLF001


def one(function, args, number, predicate=None, turns=None, **keeping: Any) -> CapturedCall:
    """Make one call and keep it; of a generator `turns` say after how much it is given what."""
    code = function.__code__
    names = parameters(code)
    plain = code.co_argcount
    bound = dict(zip(names[:plain], args, strict=False))
    if code.co_flags & 0x4:
        bound[names[plain + code.co_kwonlyargcount]] = tuple(args[plain:])
    for index, value in enumerate(reversed(function.__defaults__ or ())):
        bound.setdefault(names[plain - 1 - index], value)
    for name, value in (function.__kwdefaults__ or {}).items():
        bound.setdefault(name, value)
    if code.co_flags & 0x8:
        bound[names[-1]] = {}
    kept = withhold(keep(bound.items(), **keeping))
    answer: list[bool | None] = [None if predicate else False]

    def ask(end, returned, value):
        def scope(name):
            if name in end:
                return end[name]
            raise Unknown(f"there is no {name}")

        try:
            answer[0] = predicate.holds(scope, returned, value) if predicate else False
        except Unknown:
            answer[0] = None

    call = Call(
        function, tuple(args), {}, code, bool(code.co_flags & 0x80),
        most_yields=MOST_YIELDS if is_generator(code) else 0, turns=turns or {},
    )  # fmt: skip
    try:
        ran = run(call, taker(), 10.0, None, ask)
    finally:
        _close_loops()
    assert ran.outcome is not None, ran.cut
    return CapturedCall(
        number=number,
        document=kept.document,
        live=ran.outcome,
        failed=answer[0],
        obstacle=kept.obstacle,
        withheld=kept.withheld,
        size=kept.size,
        kind=_kind(code),
        turns=[
            {"after": after, "kind": kind, "kept": _sent(kind, sent)}
            for after, (kind, sent) in (turns or {}).items()
        ],
        closed=any(kind is TurnKind.CLOSE for kind, _ in (turns or {}).values()),
    )


def _sent(kind, value):
    return None if kind is TurnKind.CLOSE else keep([("sent", value)]).document


def _kind(code) -> CallKind:
    kinds = {
        0x20: CallKind.GENERATOR, 0x80: CallKind.COROUTINE, 0x200: CallKind.ASYNC_GENERATOR,
    }  # fmt: skip
    return next(
        (kind for flag, kind in kinds.items() if code.co_flags & flag), CallKind.FUNCTION
    )
