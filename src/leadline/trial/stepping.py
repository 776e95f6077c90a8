"""The real frame goes on in a twin, line by line, while somebody looks.

The live request is long answered: what is stepped here is its frozen copy. `Stepper.arm` is
called in the callback of the hit. It answers requests there until the first one that moves,
and then leaves the frame to a tracer, under which it goes on as soon as the callback returns.
The caller of the frame never goes on: when the call that was hit has come to its end, only
looking is left, and then the process ends.
"""

import opcode
import os
import sys
import time
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from leadline.trial.asking import deepen
from leadline.trial.calls import FunctionOf, at_start, call_of
from leadline.trial.channel import Channel
from leadline.trial.failure import is_ours, told
from leadline.trial.greenlets import StandingGreenlets
from leadline.trial.loops import drive, stood
from leadline.trial.printed import Printed
from leadline.trial.showing import Refusals, Shown, since
from leadline.trial.standing import Source, Standing, lines_of, whole
from leadline.wire.errors import LeadlineError
from leadline.wire.stepping import MOVES, Do, Reason, Reply, Request
from leadline.wire.struct import replace
from leadline.wire.twin import Refusal

_RESUME, _YIELD = opcode.opmap["RESUME"], opcode.opmap["YIELD_VALUE"]
_RETURNS = frozenset(
    opcode.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST", "RETURN_GENERATOR")
)
_CO_COROUTINE = 0x80
_AFTER_AWAIT = 3
"""The argument of `RESUME` after an `await` that has handed over."""
_SILENT = (StopIteration, StopAsyncIteration, GeneratorExit)
"""How iteration ends is no news."""
_OF_KERNEL = (OSError, RuntimeError)
"""What is raised for what was refused; a thread that cannot start is no `OSError`."""
_HIDDEN = "<frozen importlib"
"""The interpreter's own import: what it runs of modules is not stepped."""
_ANEW = "This coroutine begins anew here, with the same arguments, on a loop of its own."
_AWAITS = "The event loop stands still in a twin: it cannot go past this await."
_YIELDS = "It has yielded: who takes the value does not run in a twin."
_ENDED = "The call that was hit has come to its end: nothing is left to step."
_ABOVE = "This is a caller of the call that was hit, and does not go on: go `down` first."
_DEFECT = "This is a defect of Leadline: {}"


class Stepper:
    """Steps one frame for whoever holds the other end of a channel.

    `shown` makes values of objects, `refusals` tells what the twin was refused so far;
    `life_s` is how long the twin lives. `source` returns the lines of a file; if it is not
    given, files are read, where the twin may.
    """

    def __init__(
        self,
        frame: FrameType,
        channel_fd: int,
        shown: Shown,
        refusals: Refusals,
        life_s: float,
        source: Source = lines_of,
        function_of: FunctionOf | None = None,
    ) -> None:
        self._base = frame
        self._channel = Channel(channel_fd)
        self._source = source
        self._standing = Standing(frame, shown, self._lines)
        self._refusals = refusals
        self._told: list[Refusal] = []
        """What was refused before the last reply, and since then to ourselves."""
        self._ends = time.monotonic() + life_s
        self._printed = Printed()
        self._waiting: int | None = None
        """The number of the request that made the frame move."""
        self._move = Do.STEP
        self._target: FrameType | None = None
        """In which frame to stop; None for any."""
        self._line = 0
        """Up to which line to go on."""
        self._unwinding: FrameType | None = None
        """The frame that an exception has just left."""
        self._error: BaseException | None = None
        self._over = False
        self._function_of = function_of
        self._life_s = life_s
        self._is_driven = False
        """Whether the frame is a coroutine that begins anew, on a loop that goes on."""

    def arm(self) -> None:
        """Say that the twin is there, answer until a request moves the frame, then trace it and
        return.

        The caller returns to the interpreter without doing anything more. Does not return
        where nobody is there any more, nor where a coroutine was hit at its very start: the
        live loop stands still, so that coroutine begins anew on a loop of its own.
        """
        begins_anew = bool(self._base.f_code.co_flags & _CO_COROUTINE) and at_start(self._base)
        if begins_anew:
            self._standing.text = _ANEW
        deepen()
        self._told = self._refusals()
        self._printed.__enter__()
        StandingGreenlets().__enter__()
        self._reply(self._standing.arrived(0))
        self._serve()
        if begins_anew:
            sys.call_tracing(self._begin_anew, ())
            os._exit(0)
        sys.settrace(self._called)

    def _begin_anew(self) -> None:
        call = call_of(self._base, self._function_of)
        coroutine = call.function(*call.args, **call.kwargs)
        if self._target is self._base:
            self._target = coroutine.cr_frame
        self._base = self._standing.base = coroutine.cr_frame
        self._is_driven = True
        sys.settrace(self._called)
        drive(coroutine, self._life_s)

    # --- what the frames do ---

    def _called(self, frame: FrameType, event: str, _: Any) -> Any:
        """The tracer of frames that begin: only `step` goes into them, what is refused in them
        stops everything."""
        if event != "call" or _is_hidden(frame):
            return None
        if frame.f_trace == self._traced:  # a generator or a coroutine that goes on
            return self._traced
        steps = frame is self._base or (self._move is Do.STEP and self._is_within(frame))
        frame.f_trace_lines = steps
        return self._traced if steps else self._passed_over

    def _passed_over(self, frame: FrameType, event: str, arg: Any) -> Any:
        """The tracer of frames that are not stepped. No failure of ours may run on."""
        if event == "exception":
            self._guarded(self._at_refusal, frame, arg[1])
        return frame.f_trace  # which it is no more, once it was stopped in

    def _traced(self, frame: FrameType, event: str, arg: Any) -> Any:
        """The tracer of frames that are stepped. No failure of ours may run on."""
        match event:
            case "line":
                self._guarded(self._at_line, frame)
            case "exception":
                self._guarded(self._at_exception, frame, arg[1])
            case "return":
                self._guarded(self._at_return, frame, arg)
        return self._traced

    def _guarded(self, at: Callable[..., None], *given: Any) -> None:
        try:
            at(*given)
        except BaseException as error:  # noqa: BLE001 - the frame must not run on by itself
            text = _DEFECT.format(told(error))
            self._reply(self._standing.error(self._waiting or 0, text))
            os._exit(70)

    def _at_line(self, frame: FrameType) -> None:
        self._unwinding = None
        if self._target is not None and frame is not self._target:
            return
        if self._move in (Do.NEXT, Do.STEP) or (
            self._move is Do.UNTIL and frame.f_lineno > self._line
        ):
            self._stop(frame, Reason.LINE)

    def _at_exception(self, frame: FrameType, error: BaseException) -> None:
        passed_on = self._unwinding is not None
        self._unwinding = None
        if type(error) in _SILENT:
            return
        self._error = error
        stepping = self._move in (Do.NEXT, Do.STEP, Do.UNTIL)
        if self._target in (None, frame) and stepping:
            self._stop(frame, Reason.EXCEPTION, told(error), (error,))
        elif not passed_on:
            self._at_refusal(frame, error)

    def _at_refusal(self, frame: FrameType, error: BaseException) -> None:
        """Stop where what the kernel refused shows; not where something was refused to another
        thread, or to our loop."""
        shows = isinstance(error, _OF_KERNEL) and self._is_within(frame)
        if shows and since(self._told, self._refusals()):
            self._stop(frame, Reason.EXCEPTION, told(error), (error,))

    def _at_return(self, frame: FrameType, value: Any) -> None:
        instruction = frame.f_code.co_code[frame.f_lasti]
        if instruction in (_YIELD, _RESUME):  # from 3.13 on it points at where to go on
            self._at_yield(frame, value, _resumed(frame) == _AFTER_AWAIT)
        elif instruction in _RETURNS:
            self._ended(frame, value)
        else:
            self._unwound(frame)

    def _at_yield(self, frame: FrameType, value: Any, awaits: bool) -> None:
        if awaits and self._is_driven:
            return
        if frame is self._base:
            self._over = True
            if awaits:
                self._stop(frame, Reason.FINISHED, _AWAITS)
            self._stop(frame, Reason.FINISHED, _YIELDS, (value,))
        elif not awaits and self._target in (None, frame) and self._move is not Do.CONTINUE:
            self._stop(frame, Reason.RETURN, "", (value,))

    def _ended(self, frame: FrameType, value: Any) -> None:
        if frame is self._base:
            self._over = True
            self._stop(frame, Reason.FINISHED, "", (value,))
        elif self._target in (None, frame) and self._move is not Do.CONTINUE:
            self._stop(frame, Reason.RETURN, "", (value,))

    def _unwound(self, frame: FrameType) -> None:
        """An exception leaves a frame: it was told where it was raised."""
        self._unwinding = frame
        if frame is self._base:
            self._over = True
            error = self._error
            text = told(error) if error is not None else "It has raised."
            self._stop(frame, Reason.FINISHED, text, None if error is None else (error,))
        elif frame is self._target:
            self._target = frame.f_back
            if self._move is Do.RETURN:
                self._move = Do.NEXT

    # --- who looks ---

    def _stop(
        self,
        frame: FrameType,
        reason: Reason,
        text: str = "",
        result: tuple[object] | None = None,
    ) -> None:
        self._standing.stand(frame, reason, text, result)
        self._reply(self._standing.arrived(self._waiting or 0))
        self._serve()

    def _serve(self) -> None:
        """Answer until the frame is to move."""
        since_s = time.monotonic()
        self._answer()
        stood(time.monotonic() - since_s)

    def _answer(self) -> None:
        while True:
            try:
                request = self._channel.request()
            except LeadlineError as error:
                self._reply(self._standing.error(0, str(error)))
                continue
            if request is None or request.do is Do.QUIT:
                if request is not None:
                    self._reply(self._standing.arrived(request.number))
                os._exit(0)
            if request.do in MOVES:
                if obstacle := self._moved(request):
                    self._reply(self._standing.error(request.number, obstacle))
                    continue
                self._waiting = request.number
                return
            self._reply(self._standing.answer(request))

    def _moved(self, request: Request) -> str:
        """Set out as asked; return why that is not possible, or an empty text."""
        if self._over:
            return _ENDED
        selected, top = self._standing.selected, self._standing.top
        if self._standing.is_above(selected):
            return _ABOVE
        line = 0
        if request.do is Do.UNTIL:
            try:
                line = (
                    whole(request.text) - 1 if request.text.strip() else selected.f_lineno or 0
                )
            except LeadlineError as error:
                return str(error)
        leaving = self._standing.reason is Reason.RETURN
        match request.do:
            case Do.STEP:
                target = None
            case Do.NEXT:
                target = top.f_back if leaving else top
            case Do.CONTINUE:
                target = self._base
            case _:
                target = selected.f_back if leaving and selected is top else selected
        self._move, self._target, self._line = request.do, target, line
        self._trace(top)
        return ""

    def _trace(self, top: FrameType) -> None:
        """Have each frame up to the base tell its lines and its end."""
        frame: FrameType | None = top
        while frame is not None:
            if not is_ours(frame):
                frame.f_trace_lines = True
                frame.f_trace = self._traced
            if frame is self._base:
                return
            frame = frame.f_back

    def _lines(self, code: CodeType) -> list[str] | None:
        """Return the lines of a file; that we may not read it is no news of the code."""
        before = self._refusals()
        lines = self._source(code)
        self._told += since(before, self._refusals())
        return lines

    def _is_within(self, frame: FrameType | None) -> bool:
        """Tell whether a frame was called by the one that is stepped, however far above."""
        while frame is not None and frame is not self._base:
            frame = frame.f_back
        return frame is not None

    def _reply(self, reply: Reply) -> None:
        now = self._refusals()
        sent = self._channel.reply(
            replace(
                reply,
                printed=self._printed.taken() + reply.printed,
                refused=since(self._told, now),
                alive_s=round(max(0.0, self._ends - time.monotonic()), 3),
            )
        )
        self._told = now
        if not sent:
            os._exit(0)


def _is_hidden(frame: FrameType) -> bool:
    return is_ours(frame) or frame.f_code.co_filename.startswith(_HIDDEN)


def _resumed(frame: FrameType) -> int:
    """Return how a frame that yields goes on: the argument of the next `RESUME`."""
    instructions = frame.f_code.co_code
    for position in range(frame.f_lasti, len(instructions), 2):
        if instructions[position] == _RESUME:
            return instructions[position + 1] & 3
    return 0
