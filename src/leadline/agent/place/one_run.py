"""One call, made from its kept arguments, in a copy of a place that ends with it."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from leadline.agent.place.callee import between
from leadline.agent.place.deep import deep_taker
from leadline.agent.place.entry import Entry
from leadline.agent.place.globals import Globals
from leadline.agent.place.inside import inside
from leadline.agent.place.scope import own_code
from leadline.trial import running
from leadline.trial.calls import Call, is_generator
from leadline.trial.course import Course
from leadline.trial.loops import settle
from leadline.trial.place import Begin, Order, Ran, cut, write
from leadline.trial.printed import Printed
from leadline.trial.questions import Questions
from leadline.trial.rebuilding import rebuild
from leadline.trial.showing import Shown, seen_under
from leadline.trial.withheld import Withheld, touched
from leadline.wire.errors import LeadlineError, RefusedError
from leadline.wire.kept import CONTEXT, ENVIRONMENT, HANDLED, STREAM, WITHHELD
from leadline.wire.struct import replace
from leadline.wire.twin import Refusal
from leadline.wire.value import Value

LEFT_S = 0.25
"""How long tasks and threads that a call has left behind may go on."""
PRINTED = 500_000
"""Characters: far more than anybody prints in one call."""
HANDED_TO_C = "what was not kept was handed to code in C, and the code looked at it"
_CO_VARARGS, _CO_VARKEYWORDS, _CO_COROUTINE = 0x4, 0x8, 0x80


def run_order(
    order: Order,
    entry: Entry,
    begin: Begin,
    refusals: Callable[[], list[Refusal]],
    state: Globals,
) -> bytes:
    """Run a call and return the line that says what it came to."""
    with Printed(PRINTED) as printed:
        return _run(order, entry, begin, refusals, state, printed)


def _run(
    order: Order,
    entry: Entry,
    begin: Begin,
    refusals: Callable[[], list[Refusal]],
    state: Globals,
    printed: Printed,
) -> bytes:
    try:
        given = rebuild(order.document)
        around = given.pop(CONTEXT, None)
        streams = _be_in(around)
        call = replace(_call(entry, given, order), handled=_handled(around))
        questions = Questions(begin.fails, begin.expect, given)
    except LeadlineError as error:
        return write(cut(order.number, error.message.rstrip(".")))
    before = len(refusals())
    course = Course(own_code(begin), begin.wanted)
    taken: list[object] = []
    shown = _noting(deep_taker(begin.salt), taken)
    salt = begin.salt
    callee = {name: deep_taker(salt)(one) for name, one in between(entry, given).items()}
    began = time.perf_counter()
    ran = running.run(call, shown, order.within_s * 0.8, course, questions.ask, printed)
    took = (time.perf_counter() - began) * 1e3
    _settle()
    what = touched()  # by the call, or a question about it: our own look comes after
    left = {name: seen_under(deep_taker(begin.salt), name, one) for name, one in given.items()}
    changed = state.changed()  # before anything lazy runs on
    roots = {"result" if questions.returned else "exception": questions.value}
    roots |= {f"argument {name}": one for name, one in given.items()}
    roots |= streams
    yields = taken[: len(ran.outcome.yields) if ran.outcome is not None else 0]
    roots |= {f"yield {number}": one for number, one in enumerate(yields, 1)}
    within = callee | _inside(roots, begin.salt)
    if what is None and _is_told_of_stand_in(ran.raised, order.document):
        return write(cut(order.number, HANDED_TO_C))
    if what is not None:
        return write(cut(order.number, str(what)))
    return write(
        Ran(
            order.number,
            ran,
            course.found(),
            refusals()[before:],
            questions.fails,
            questions.expect,
            questions.unknown,
            round(took, 3),
            changed,
            left,
            within,
        )
    )


def _is_told_of_stand_in(raised: str, document: dict[str, Any]) -> bool:
    """Tell whether code in C has refused what stands in for a value, by its class."""
    has_some = any(node["k"] == WITHHELD for node in document["nodes"])
    return has_some and Withheld.__name__ in raised


def _settle() -> None:
    """Give what the call has left running a moment: it belongs to what the call does."""
    until = time.monotonic() + LEFT_S
    settle(LEFT_S)
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(max(0.0, until - time.monotonic()))


def _noting(shown: Shown, taken: list[object]) -> Shown:
    """Return `shown` so that it keeps what it is given: what is yielded comes first."""

    def noted(value: object) -> Value:
        taken.append(value)
        return shown(value)

    return noted


def _inside(roots: Mapping[str, object], salt: str) -> dict[str, Value]:
    found = inside(roots)
    shown = deep_taker(salt)
    return {
        path: seen_under(shown, path.rpartition(".")[2], one) for path, one in found.items()
    }


def _be_in(around: Any) -> dict[str, object]:
    """Have the context variables that the call had, and what else it was made in; return the
    standard streams that were replaced there. The process is for this run only."""
    streams: dict[str, object] = {}
    for what, value in around.items() if type(around) is dict else ():
        if type(what) is ContextVar:
            what.set(value)
        elif type(what) is threading.local and type(value) is dict:
            vars(what).update(value)
        elif what == ENVIRONMENT and type(value) is dict:
            _be_in_environment(value)
        elif type(what) is str and what.startswith(STREAM) and what != HANDLED:
            name = what.removeprefix(STREAM)
            if type(value) is not Withheld and value is not getattr(sys, name):
                setattr(sys, name, value)
                streams[what] = value
    return streams


def _be_in_environment(changed: Mapping[str, Any]) -> None:
    for name, value in changed.items():
        if type(value) is str:
            os.environ[name] = value
        elif value is None:
            os.environ.pop(name, None)


def _handled(around: Any) -> BaseException | None:
    found = around.get(HANDLED) if type(around) is dict else None
    return found if issubclass(type(found), BaseException) else None


def _call(entry: Entry, given: Mapping[str, Any], order: Order) -> Call:
    """Put the arguments in their places. Raises `RefusedError` where they do not fit."""
    code = entry.function.__code__
    names, flags = code.co_varnames, code.co_flags
    plain, named = code.co_argcount, code.co_kwonlyargcount
    left = dict(given)
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    defaults = entry.function.__defaults__ or ()
    more = entry.function.__kwdefaults__ or {}
    for index, name in enumerate(names[: plain + named]):
        if name in left:
            value = left.pop(name)
        elif index < plain and index >= plain - len(defaults):
            value = defaults[index - (plain - len(defaults))]
        elif name in more:
            value = more[name]
        else:
            raise RefusedError("not-replayable", f"The calls have no argument {name}.")
        if index < plain:
            args.append(value)
        else:
            kwargs[name] = value
    end = plain + named
    if flags & _CO_VARARGS:
        args += tuple(left.pop(names[end], ()))
        end += 1
    if flags & _CO_VARKEYWORDS:
        kwargs |= left.pop(names[end], {})
    if left:
        raise RefusedError(
            "not-replayable", f"{code.co_qualname} has no parameter {next(iter(left))} here."
        )
    most = order.most_yields if is_generator(code) else 0
    return Call(
        entry.function, tuple(args), kwargs, code, bool(flags & _CO_COROUTINE), most_yields=most
    )
