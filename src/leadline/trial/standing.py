"""A frame that stands still in a twin: where it is, what is in it, what code comes to there."""

import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

from leadline.trial.asking import Answer, locals_of, shown_answer
from leadline.trial.calls import parameters
from leadline.trial.completion import complete
from leadline.trial.failure import is_ours
from leadline.trial.showing import Shown, seen, seen_under, within
from leadline.trial.variables import run_in, seen_from
from leadline.wire.errors import LeadlineError, UsageError
from leadline.wire.stepping import (
    MAX_FRAMES,
    MAX_VARIABLES,
    Do,
    Reason,
    Reply,
    Request,
    SourceLine,
    Stand,
)
from leadline.wire.struct import replace
from leadline.wire.twin import MAX_ANSWER_BYTES
from leadline.wire.value import Value, render

type Source = Callable[[CodeType], list[str] | None]
"""Returns the lines of the file that some code is of, or None where they are not known."""

_AROUND = 5
"""Lines before and after the one that is listed."""
_MAX_LINE_CHARS = 500
_MAX_PRETTY_CHARS = 20_000
_MAX_FILE_CHARS = 4_000_000
_NO_NUMBER = "{!r} is no number."
_NOWHERE = {Do.UP: "This is the outermost frame.", Do.DOWN: "This is the innermost frame."}


class Standing:
    """Answers what can be asked while the frame does not move.

    `live` is the frame that was hit, `base` the one that goes on in its place, which is mostly
    the same; `top` is the one that stands, `selected` the one that is looked at; `reason` why
    it stands there.
    """

    def __init__(self, base: FrameType, shown: Shown, source: Source) -> None:
        self.live = base
        self.base = base
        self.top = base
        self.selected = base
        self.reason = Reason.LINE
        self.text = ""
        self.result: tuple[object] | None = None
        self._shown = shown
        self._source = source
        self._extra: dict[str, Any] = {}
        self._listed: tuple[FrameType, int] | None = None

    def stand(
        self,
        frame: FrameType,
        reason: Reason,
        text: str,
        result: tuple[object] | None,
    ) -> None:
        """Stand in `frame` from now on, and look at it. `result` is what it returns, or the
        exception, in a tuple of one."""
        self.top = self.selected = frame
        self.reason, self.text, self.result = reason, text, result
        self._listed = None

    def arrived(self, number: int) -> Reply:
        """Return the reply that says where the frame stands, and why."""
        return Reply(
            number,
            self.reason,
            self._stand(self.selected),
            text=self.text,
            has_value=self.result is not None,
            value=self._seen(self.result[0]) if self.result is not None else None,
        )

    def error(self, number: int, text: str) -> Reply:
        return Reply(number, Reason.ERROR, self._stand(self.selected), text=text)

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request that moves nothing."""
        try:
            reply = self._answer(request)
        except LeadlineError as error:
            return self.error(request.number, str(error))
        return replace(reply, number=request.number, stop=self._stand(self.selected))

    def _answer(self, request: Request) -> Reply:
        match request.do:
            case Do.WHERE:
                return replace(self.arrived(0), frames=list(self._frames()))
            case Do.UP | Do.DOWN:
                self._select(request)
                return Reply(0, self.reason)
            case Do.LIST:
                return Reply(0, self.reason, lines=self._lines(request.text))
            case Do.PRINT | Do.PP | Do.RUN:
                return self._evaluated(request)
            case Do.ARGS:
                names = parameters(self.selected.f_code)
                return Reply(0, self.reason, variables=self._variables(names))
            case Do.LOCALS:
                names = tuple(locals_of(self.selected))
                return Reply(0, self.reason, variables=self._variables(names))
            case Do.COMPLETE:
                found = complete(request.text, seen_from(self.selected, self._extra))
                return Reply(0, self.reason, completions=found)
        raise UsageError("bad-code", f"{request.do} moves the frame.")

    def _evaluated(self, request: Request) -> Reply:
        answer = run_in(self.selected, request.text, self._extra)
        if answer.error is not None:
            return Reply(0, Reason.ERROR, text=answer.raised, printed=answer.printed)
        if request.do is Do.PP and answer.returned and answer.secret is None:
            return _pretty(answer, self._seen(answer.value))
        return Reply(
            0,
            self.reason,
            has_value=answer.returned,
            value=shown_answer(self._shown, answer) if answer.returned else None,
            printed=answer.printed,
        )

    def _seen(self, value: object) -> Value:
        return seen(self._shown, value)

    def _variables(self, names: tuple[str, ...]) -> dict[str, Value]:
        local = locals_of(self.selected)
        bound = [name for name in names if name in local][:MAX_VARIABLES]
        left = MAX_ANSWER_BYTES // 2
        variables: dict[str, Value] = {}
        for name in bound:
            variables[name], left = within(seen_under(self._shown, name, local[name]), left)
        return variables

    def _stack(self) -> Iterator[FrameType]:
        frame: FrameType | None = self.top
        while frame is not None:
            if not is_ours(frame):
                yield frame
            frame = self.live.f_back if frame is self.base else frame.f_back

    def is_above(self, frame: FrameType) -> bool:
        """Tell whether a frame is a caller of the call that was hit."""
        for one in self._stack():
            if one is frame:
                return False
            if one is self.base:
                return True
        return True

    def _frames(self) -> Iterator[Stand]:
        above = False
        for number, frame in enumerate(self._stack()):
            if number >= MAX_FRAMES:
                return
            yield replace(self._stand(frame), is_above=above)
            above = above or frame is self.base

    def _select(self, request: Request) -> None:
        steps = whole(request.text) if request.text.strip() else 1
        frames = list(self._stack())
        at = next((n for n, one in enumerate(frames) if one is self.selected), 0)
        to = at + (steps if request.do is Do.UP else -steps)
        if not 0 <= to < len(frames):
            raise UsageError("bad-code", _NOWHERE[Do.UP if to > at else Do.DOWN])
        self.selected = frames[to]
        self._listed = None

    def _stand(self, frame: FrameType) -> Stand:
        code, line = frame.f_code, frame.f_lineno or 0
        lines = self._file(code)
        source = lines[line - 1] if lines is not None and 0 < line <= len(lines) else ""
        return Stand(
            file=code.co_filename,
            line=line,
            function=code.co_qualname,
            source=source.strip()[:_MAX_LINE_CHARS],
            is_selected=frame is self.selected,
            is_above=self.is_above(frame),
        )

    def _lines(self, text: str) -> list[SourceLine]:
        """The lines around one; without a number, those after what was listed before."""
        frame = self.selected
        lines = self._file(frame.f_code)
        if lines is None:
            raise UsageError(
                "no-source", f"The text of {frame.f_code.co_filename} is not here."
            )
        if text.strip():
            first = whole(text) - _AROUND
        elif self._listed is not None and self._listed[0] is frame:
            first = self._listed[1] + 1
        else:
            first = (frame.f_lineno or 1) - _AROUND
        first = max(1, first)
        last = min(len(lines), first + 2 * _AROUND)
        if first > last:
            raise UsageError("no-source", f"The file ends with line {len(lines)}.")
        self._listed = (frame, last)
        return [
            SourceLine(number, lines[number - 1].rstrip()[:_MAX_LINE_CHARS])
            for number in range(first, last + 1)
        ]

    def _file(self, code: CodeType) -> list[str] | None:
        try:
            return self._source(code)
        except Exception:  # noqa: BLE001 - a file that cannot be read is a source not known
            return None


def lines_of(code: CodeType) -> list[str] | None:
    """Return the lines of the file that `code` is of, or None where it cannot be read."""
    file = code.co_filename
    if file not in _files:
        _files[file] = None if file.startswith("<") else _read(file)
    return _files[file]


_files: dict[str, list[str] | None] = {}


def _read(file: str) -> list[str] | None:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read(_MAX_FILE_CHARS).split("\n")
    except (OSError, ValueError):
        return None


def whole(text: str) -> int:
    """Return the number that a text is; raises `UsageError`."""
    try:
        return int(text)
    except ValueError:
        raise UsageError("bad-code", _NO_NUMBER.format(text[:50])) from None


def _pretty(answer: Answer, value: Value) -> Reply:
    """By the application's own representations, where they can be had."""
    pprint: Any = sys.modules.get("pprint")
    try:
        if pprint is None:
            import pprint  # noqa: PLC0415 - few applications have it
        text = pprint.pformat(answer.value, width=96)[:_MAX_PRETTY_CHARS]
    except BaseException:  # noqa: BLE001 - whatever a representation does
        text = render(value, quoted=True)
    return Reply(0, Reason.LINE, text=text, has_value=True, value=value, printed=answer.printed)
