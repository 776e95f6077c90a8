"""One call, made from its kept arguments, in a copy of a place that ends with it."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from types import CodeType
from typing import Any

from leadline.agent.place.asked import asked_rows
from leadline.agent.place.callee import between
from leadline.agent.place.databases import HERE
from leadline.agent.place.deep import DEEP_BYTES, Deep, deep_taker, deep_under
from leadline.agent.place.entry import Entry
from leadline.agent.place.globals import Globals
from leadline.agent.place.inside import at_work, inside
from leadline.agent.place.moved import Moved
from leadline.agent.place.owned import Owned
from leadline.expression.layout import layout_of
from leadline.trial import running, sessions
from leadline.trial.calls import Call, is_generator
from leadline.trial.course import Course, Coursed
from leadline.trial.gateway import exchange_of
from leadline.trial.loops import settle
from leadline.trial.outcome import UNSHOWN, Outcome
from leadline.trial.place import HANDED, MORE, Begin, Order, Ran, cut, write
from leadline.trial.printed import Printed
from leadline.trial.questions import Questions
from leadline.trial.rebuilding import rebuild
from leadline.trial.running import Rerun
from leadline.trial.showing import Shown
from leadline.trial.withheld import Withheld, touched
from leadline.wire.call import TurnKind
from leadline.wire.errors import LeadlineError, RefusedError
from leadline.wire.kept import (
    CONTEXT,
    ENVIRONMENT,
    HANDLED,
    IN_PROCESS,
    STREAM,
    WITHHELD,
    paths,
)
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.twin import Refusal
from leadline.wire.value import Value

LEFT_S = 0.25
"""How long tasks and threads that a call has left behind may go on."""
PRINTED = 500_000
"""Characters: far more than anybody prints in one call."""
_MOST_CALLED = 500
"""Functions of the service that are told of one run, some 50 kB of its answer."""
_GOING_ON = f"{UNSHOWN}going on of threads"
HANDED_TO_C = "what was not kept was handed to code in C, and the code looked at it"
_MOST_NAMED = 3
_CO_VARARGS, _CO_VARKEYWORDS, _CO_COROUTINE = 0x4, 0x8, 0x80


def run_order(
    order: Order,
    entry: Entry,
    begin: Begin,
    refusals: Callable[[], list[Refusal]],
    state: Globals,
    moved: Moved | None = None,
) -> bytes:
    """Run a call and return the line that says what it came to."""
    with Printed(PRINTED) as printed:
        look = Look(refusals, state, printed, moved=moved)
        return _run(order, entry, begin, look)


def _run(
    order: Order,
    entry: Entry,
    begin: Begin,
    look: "Look",
) -> bytes:
    try:
        given = rebuild(order.document, _names(begin))
        around = given.pop(CONTEXT, None)
        streams = be_in(around)
        sessions.be_without(order.document)
        call = call_with(entry, given, order, around)
        questions = Questions(begin.fails, begin.expect, given)
    except LeadlineError as error:
        return write(cut(order.number, error.message.rstrip(".")))
    if order.world:
        _be_elsewhere(order)
    callee = between(entry, given)
    course = Course(look.state.is_own, begin.wanted, begin.functions)
    look = replace(look, streams=streams)
    ran = observed(order, call, given, questions, course, callee, look)
    if HERE.unaltered:  # it was in no other world, whatever it has come to
        return write(cut(order.number, HERE.unaltered))
    return write(ran if order.world else replace(ran, asked=asked_rows(HERE.records())))


def _be_elsewhere(order: Order) -> None:
    """Have databases hold something else from now on."""
    from leadline.agent.place.world import World  # which few runs need

    HERE.be_in(World(order.world, order.words, order.given, order.asked, order.names))


def _names(begin: Begin) -> dict[str, str]:
    """Tell that the program itself is not here, unless it is what was imported: it might begin
    its work, in each run anew."""
    return {} if sys.modules["__main__"].__name__ == begin.main else {"__main__": ""}


@dataclass(frozen=True, slots=True)
class Look:
    """How a run is looked at: `state` is what the modules held before it, `printed` takes what
    it prints, and `streams` are the standard ones that the call had replaced."""

    refusals: Callable[[], list[Refusal]]
    state: Globals
    printed: Printed
    streams: Mapping[str, object] = field(default_factory=dict)
    most_bytes: int = DEEP_BYTES
    moved: Moved | None = None
    """What the service has changed in its modules, in a place that has not."""

    def shown(self) -> Shown:
        """Return what takes values, with room for as much as one look may take."""
        return deep_taker(self.most_bytes)


OF_A_RUN = (Call, Coursed, Deep, Look, Outcome, Ran, Refusal, Rerun)
"""Of which each run makes objects."""


def observed(
    order: Order,
    call: Call,
    given: Mapping[str, object],
    questions: Questions,
    course: Course,
    callee: Mapping[str, object],
    look: Look,
) -> Ran:
    """Make a call and return all that it came to; of the `order` its number and its time
    count. `given` are the objects that are passed, `callee` is what stands between callers and
    the function. The process is to end with it."""
    look.state.begin()
    HERE.begin()
    before = look.refusals()
    taken: list[object] = []
    beneath = {name: look.shown()(one) for name, one in callee.items()}
    owned = Owned(given if call.exchange is None else {}, look.state.knows)
    began = time.perf_counter()
    ran = running.run(
        call,
        _noting(look.shown(), taken),
        order.within_s * 0.8,
        course,
        questions.ask,
        look.printed,
    )
    took = (time.perf_counter() - began) * 1e3
    going_on = _settle()
    what = touched()  # by the call, or a question about it: our own look comes after
    left = _left(call, given, look)
    with at_work(course.ran()):
        changed = look.state.changed()  # before anything lazy runs on
    yields = taken[: len(ran.outcome.yields) if ran.outcome is not None else 0]
    kinds: dict[int, type] = {}
    within = _within(_roots(call, given, questions, look, yields), look, kinds, call.code)
    within |= _moved(yields, ran.outcome, look)
    within |= going_on
    within |= owned.tell(_handed_out(call, questions, yields))
    written, asked = HERE.written()  # the last: it ends what is under way
    if what is not None:
        return cut(order.number, str(what))
    told = course.refused_stand_in or Withheld.__name__ in ran.raised
    if told and (lacking := _stand_ins(order.document)):
        return cut(order.number, f"{HANDED_TO_C}: {lacking}")
    return Ran(
        order.number,
        ran,
        course.found(),
        _since(before, look.refusals()) + asked,
        questions.fails,
        questions.expect,
        questions.unknown,
        round(took, 3),
        changed | written,
        left,
        beneath | within | _of_changed_files(kinds, course),
        look.moved.reads(course.started()) if look.moved is not None else [],
        called=_called(course),
    )


def _called(course: Course) -> list[str]:
    """Return the functions that have run; where these are too many, that there are more."""
    every = [f"{file}:{name}" for file, name in sorted(course.called())]
    return every if len(every) <= _MOST_CALLED else [*every[:_MOST_CALLED], MORE]


def _left(call: Call, given: Mapping[str, object], look: Look) -> dict[str, Value]:
    """Return what the arguments are at the end of a call, or what has become of a request."""
    passed = given if call.exchange is None else call.exchange.left(given)
    return {name: deep_under(look.shown(), name, one) for name, one in passed.items()}


def _roots(
    call: Call,
    given: Mapping[str, object],
    questions: Questions,
    look: Look,
    yields: list[object],
) -> dict[str, object]:
    """Return the objects that may hold more than an outcome tells, by what they are called."""
    roots = {"result" if questions.returned else "exception": questions.value}
    if call.exchange is not None and questions.returned:
        roots = {}  # what it gives out is the body of the response
    roots |= {f"yield {number}": one for number, one in enumerate(yields, 1)}
    if call.exchange is None:
        roots |= {f"argument {name}": one for name, one in given.items()}
    roots |= look.streams
    return roots


def _handed_out(
    call: Call, questions: Questions, yields: list[object]
) -> Iterator[tuple[str, object]]:
    """Yield what callers get, by what it is called."""
    if questions.returned and call.exchange is None:
        yield "result", questions.value
    for number, one in enumerate(yields, 1):
        yield f"yield {number}", one


def _within(
    roots: Mapping[str, object], look: Look, kinds: dict[int, type], entry: CodeType
) -> dict[str, Value]:
    """Return what lies inside of objects where an outcome does not look."""
    show = look.shown()
    return {
        path: deep_under(show, path.rpartition(".")[2], one)
        for path, one in inside(roots, kinds=kinds, entry=entry).items()
    }


def _of_changed_files(kinds: Mapping[int, type], course: Course) -> dict[str, Value]:
    """Tell of those classes that files of the candidate define, and of all that these inherit
    from, that an object of them was handed out."""
    found: dict[str, Value] = {}
    for kind in kinds.values():
        for cls in layout_of(kind).order:
            module = sys.modules.get(layout_of(cls).module)
            file = course.changed(getattr(module, "__file__", None) or "")
            if file:
                found[f"{HANDED}{file}:{cls.__qualname__}"] = True
    return found


def _moved(yields: list[object], outcome: Outcome | None, look: Look) -> dict[str, Value]:
    """Return what has become of what was given out, where that was changed afterwards: who has
    kept it has another thing now."""
    show, then = look.shown(), outcome.yields if outcome is not None else []
    pairs = enumerate(zip(yields, then, strict=True), 1)
    return {
        f"yield {number} at the end": now
        for number, (one, shown) in pairs
        if (now := show(one)) != shown
    }


def _since(before: list[Refusal], now: list[Refusal]) -> list[Refusal]:
    """Return what was refused since then; each sort of it is told once, with how often."""
    known = {(one.what, one.detail): one.count for one in before}
    left = [replace(one, count=one.count - known.get((one.what, one.detail), 0)) for one in now]
    return [one for one in left if one.count > 0]


def _turns(order: Order) -> dict[int, tuple[TurnKind, Any]]:
    """Return what a generator is given between. Raises `RefusedError`."""
    return {
        int(turn["after"]): (
            TurnKind(turn["kind"]),
            rebuild(turn["kept"])["sent"] if turn.get("kept") else None,
        )
        for turn in order.turns
    }


def _stand_ins(document: dict[str, Any]) -> str:
    """Name what of a call was not kept, first what redaction held back."""
    nodes = document.get("nodes", ())
    lacking = [number for number, node in enumerate(nodes) if node["k"] == WITHHELD]
    lacking.sort(key=lambda number: nodes[number].get("rule") in (None, IN_PROCESS))
    said = paths(document, set(lacking))
    named = [said[number] for number in lacking if number in said]
    more = ["..."] if len(named) > _MOST_NAMED else []
    return ", ".join([*named[:_MOST_NAMED], *more])


def _settle() -> dict[str, Value]:
    """Give what the call has left running a moment: it belongs to what the call does. Tell that
    threads go on then, if any do: what they will do nobody sees."""
    until = time.monotonic() + LEFT_S
    settle(LEFT_S)
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(max(0.0, until - time.monotonic()))
    return {_GOING_ON: "yes"} if len(threading.enumerate()) > 1 else {}


def _noting(shown: Shown, taken: list[object]) -> Shown:
    """Return `shown` so that it keeps what it is given: what is yielded comes first."""

    def noted(value: object) -> Value:
        taken.append(value)
        return shown(value)

    return noted


def be_in(around: Any) -> dict[str, object]:
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


def call_with(entry: Entry, given: Mapping[str, Any], order: Order, around: Any = None) -> Call:
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
        entry.function,
        tuple(args),
        kwargs,
        code,
        bool(flags & _CO_COROUTINE),
        depth=order.depth,
        most_yields=most,
        turns=_turns(order),
        handled=_handled(around),
        exchange=exchange_of(given),
    )
