"""Run a call again, in a twin: what it came to, and what it met that no rerun can repeat."""

from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

from leadline.trial.calls import Call, is_generator, parameters
from leadline.trial.course import Course
from leadline.trial.depth import Depth
from leadline.trial.failure import told
from leadline.trial.gateway import Exchange, asked_for
from leadline.trial.greenlets import HANDS_OVER, StandingGreenlets
from leadline.trial.loops import StandsStill, drive
from leadline.trial.marks import Mark, Marks, read_marks
from leadline.trial.monitoring import Monitor
from leadline.trial.outcome import Outcome, outcome_of, read_outcome
from leadline.trial.printed import Printed
from leadline.trial.showing import Shown, seen
from leadline.wire.call import TurnKind
from leadline.wire.errors import WireError
from leadline.wire.gateway import RESPONSE
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.value import Value


@dataclass(frozen=True, slots=True)
class Rerun:
    """How a call ran again.

    `outcome` is what it came to, and None where it was cut off: `cut` says why. `raised` is
    the text of its exception with the frames, `printed` what it printed.
    """

    outcome: Outcome | None
    cut: str = ""
    raised: str = ""
    printed: str = ""
    marks: list[Mark] = field(default_factory=list)


def read_rerun(value: Any) -> Rerun:
    """Read a rerun that `wire.messages.encode` wrote as JSON; raises `WireError`."""
    if not isinstance(value, dict):
        raise WireError("A rerun is no object.")
    cut, raised, printed = (value.get(name) for name in ("cut", "raised", "printed"))
    if type(cut) is not str or type(raised) is not str or type(printed) is not str:
        raise WireError("A rerun does not follow the contract.")
    outcome = value.get("outcome")
    return Rerun(
        outcome=read_outcome(outcome) if outcome is not None else None,
        cut=cut,
        raised=raised,
        printed=printed,
        marks=read_marks(value.get("marks")),
    )


type Ask = Callable[[dict[str, Any], bool, object], None]
"""Takes a call's parameters at its end, whether it returned, and its value or exception."""


def run(
    call: Call,
    shown: Shown,
    within_s: float,
    course: Course | None = None,
    ask: Ask | None = None,
    within: Printed | None = None,
) -> Rerun:
    """Make `call` once, on this thread; a coroutine is driven by a loop of its own, and a
    generator asked until it ends, or has given out as much as the call says.

    `within_s` limits a coroutine only: what does not return is ended from outside. Everything
    that it changes stays changed in this twin, so a twin is good for one run. `course` hears
    of the lines that were reached, and of what was raised on the way; `ask` is called at its
    end, after the outcome was taken. What it prints is kept `within`, if that is open already.
    """
    marks, monitor, depth = Marks(), Monitor(), Depth(call.depth)
    caught = _Caught(shown, ask, call.exchange)
    marks.watch(monitor)
    if course is not None:
        course.watch(monitor)
    monitor.on_start(depth.take)

    def end(frame: FrameType, returned: bool, value: object) -> None:
        depth.give_back()
        caught.end(frame, returned, value)

    monitor.on_end(call.code, end)
    raised = cut = ""
    with within or Printed() as printed, StandingGreenlets() as greenlets:
        try:
            try:
                value = monitor.run(_made, call, within_s, caught.gives)
            finally:
                depth.give_back()
        except StandsStill as still:
            cut = str(still)
        except BaseException as error:  # noqa: BLE001 - whatever it raises is its outcome
            raised = told(error)
            caught.late(call, False, error)
        else:
            if value is _CLOSED:  # on 3.13 that may be no event
                caught.late(call, False, GeneratorExit())
            else:
                caught.late(call, True, value)
    if greenlets.refused:
        cut = HANDS_OVER  # whatever the application made of it
    caught.asked()
    outcome = None if cut else caught.whole()
    return Rerun(outcome, cut, raised, printed.text(), marks.found())


def _made(call: Call, within_s: float, gives: Callable[[object], None]) -> object:
    try:
        return _within_what_is_handled(call, within_s, gives)
    except BaseException as error:
        let_go(error, call.code)
        raise


def let_go(error: BaseException, code: CodeType) -> None:
    """Have what the variables of a call of `code` hold come to its end, as it does where the
    exception that it raised has been handled. Generators may go on: but for the call itself
    they are left alone."""
    members, seen = vars(BaseException), dict[int, BaseException]()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen[id(one)] = one
        waiting += [members[name].__get__(one) for name in ("__cause__", "__context__")]
        if issubclass(type(one), BaseExceptionGroup):
            waiting += vars(BaseExceptionGroup)["exceptions"].__get__(one)
        passed = members["__traceback__"].__get__(one)
        while passed is not None:
            frame, passed = passed.tb_frame, passed.tb_next
            if frame.f_code is code or not frame.f_code.co_flags & _STANDING:
                try:
                    frame.clear()
                    _ = frame.f_locals  # on 3.12 it has what we read, until it is read anew
                except RuntimeError:  # it runs: one of ours
                    continue


_STANDING = 0x20 | 0x80 | 0x200
"""`CO_GENERATOR`, `CO_COROUTINE`, `CO_ASYNC_GENERATOR`."""


def _within_what_is_handled(
    call: Call, within_s: float, gives: Callable[[object], None]
) -> object:
    if call.handled is None:
        return _called(call, within_s, gives)
    try:
        raise call.handled  # noqa: TRY301 - as it was raised there
    except BaseException:  # noqa: BLE001 - the call was made by who handles it
        return _called(call, within_s, gives)


def _called(call: Call, within_s: float, gives: Callable[[object], None]) -> object:
    value: Any = call.function(*call.args, **call.kwargs)
    if call.is_coroutine:
        return drive(value, within_s)
    if not is_generator(call.code):
        if call.exchange is not None:
            call.exchange.finish(value)
        return value
    if hasattr(value, "__anext__"):
        return drive(_each(value, call, gives), within_s)
    for number in range(call.most_yields):
        kind, given = call.turns.get(number, _NEXT)
        try:
            if kind is TurnKind.CLOSE:
                break
            if kind is TurnKind.SEND:
                one = value.send(given)
            else:
                one = value.throw(given) if kind is TurnKind.THROW else next(value)
        except StopIteration as end:
            return end.value
        gives(one)
    value.close()
    return _CLOSED


async def _each(value: Any, call: Call, gives: Callable[[object], None]) -> object:
    for number in range(call.most_yields):
        kind, given = call.turns.get(number, _NEXT)
        try:
            if kind is TurnKind.CLOSE:
                break
            if kind is TurnKind.SEND:
                one = await value.asend(given)
            else:
                one = await (value.athrow(given) if kind is TurnKind.THROW else anext(value))
        except StopAsyncIteration:
            return None
        gives(one)
    await value.aclose()
    return _CLOSED


_NEXT: tuple[TurnKind | None, Any] = (None, None)
_CLOSED = object()
"""Stands for the result of a generator that was closed before it had one."""


class _Caught:
    """The outcome, captured when the frame ended."""

    def __init__(self, shown: Shown, ask: Ask | None, exchange: Exchange | None) -> None:
        self._shown: Shown = lambda value: seen(shown, value)
        self._exchange = exchange
        self._ended: tuple[dict[str, Any], bool, object] | None = None
        self._ask = ask
        self.outcome: Outcome | None = None
        self._yields: list[Value] = []

    def gives(self, value: object) -> None:
        """Take what a generator gives out."""
        self._yields.append(self._shown(value))

    def whole(self) -> Outcome | None:
        """Return the outcome with what was given out before."""
        if self.outcome is None or not self._yields:
            return self.outcome
        return replace(self.outcome, yields=self._yields)

    def asked(self) -> None:
        """Put the question about the call, once: of a web application's, when its response is
        whole; it is what the call comes to."""
        if self._ended is None:
            return
        bound, returned, value = self._ended
        self._ended = None
        told = asked_for(self._exchange, returned)
        if self._exchange is not None and self.outcome is not None:
            self._exchange.taking.leave(is_wsgi=self._exchange.is_wsgi)
            response = {RESPONSE: self._shown(self._exchange.response)}
            self.outcome = replace(self.outcome, arguments=response)
        if self._ask is not None:
            self._ask(told | bound, returned, value)

    def end(self, frame: FrameType, returned: bool, value: object) -> None:
        self._take(returned, value, dict(bound(frame)))

    def late(self, call: Call, returned: bool, value: object) -> None:
        """As `end`, where no tool could watch: of the parameters what was given is left."""
        if self.outcome is None:
            given: dict[str, Any] = dict(
                zip(parameters(call.code), call.args, strict=False), **call.kwargs
            )
            self._take(returned, value, given)

    def _take(self, returned: bool, value: object, bound: dict[str, Any]) -> None:
        named = bound if self._exchange is None else {}  # its response comes later
        self.outcome = outcome_of(returned, value, named.items(), self._shown)
        self._ended = bound, returned, value
        if self._exchange is None:
            self.asked()


def bound(frame: FrameType) -> Iterator[tuple[str, object]]:
    """Yield the parameters of a frame that have a value, and it. (For a twin: reading them
    this way leaves traces.)"""
    local = frame.f_locals
    for name in parameters(frame.f_code):
        if name in local:
            yield name, local[name]
