"""The interpreter's own events, watched while something runs in a twin.

In the callback of a hit no event fires on its thread; `Monitor.run` runs a function with
events on, and on every thread that it starts. A watcher that fails changes nothing.
"""

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

_SEATS = (4, 3, 5, 2, 1, 0)
"""Ids of tools; what sat there in the live process may still."""
_NAME = "leadline.trial"

type OnCall = Callable[[CodeType, int, Any, object], None]
type OnStart = Callable[[FrameType], None]
type OnEnd = Callable[[FrameType, bool, Any], None]
"""Takes the frame of the call that was run, whether it returned, and its value or exception."""
type OnEvent = Callable[..., object]
"""Takes what the interpreter hands over at an event, and may return `DISABLE`."""


class Monitor:
    """Watches one run: each call that is made, and the end of one frame."""

    def __init__(self) -> None:
        self._calls: OnCall | None = None
        self._end: OnEnd | None = None
        self._start: OnStart | None = None
        self._code: CodeType | None = None
        self._frame: FrameType | None = None
        self._ended = False
        self._also: dict[int, OnEvent] = {}

    def also(self, event: int, watch: OnEvent) -> None:
        """Hear of another event, in all code. What `watch` raises is swallowed."""
        self._also[event] = _guarded(watch)

    def on_call(self, watch: OnCall) -> None:
        self._calls = watch

    def on_start(self, watch: OnStart) -> None:
        """Call `watch` with the first frame of `on_end`'s code when it starts."""
        self._start = watch

    def on_end(self, code: CodeType, watch: OnEnd) -> None:
        """Call `watch` once: when the first frame of `code` that starts has come to its end,
        while its variables are still there."""
        self._code, self._end = code, watch

    def run(self, function: Callable[..., object], *args: object) -> object:
        """Return what `function(*args)` returns, watched where there is a seat for a tool."""
        return sys.call_tracing(self._run, (function, args))

    def _run(self, function: Callable[..., object], args: tuple[object, ...]) -> object:
        seat = next((one for one in _SEATS if sys.monitoring.get_tool(one) is None), None)
        if seat is None:
            return function(*args)
        monitoring, events = sys.monitoring, sys.monitoring.events
        monitoring.use_tool_id(seat, _NAME)
        try:
            wanted = 0
            if self._calls is not None:
                monitoring.register_callback(seat, events.CALL, self._called)
                wanted |= events.CALL
            if self._code is not None:
                monitoring.register_callback(seat, events.PY_START, self._started)
                monitoring.register_callback(seat, events.PY_RETURN, self._returned)
                monitoring.register_callback(seat, events.PY_UNWIND, self._unwound)
                monitoring.set_local_events(
                    seat, self._code, events.PY_START | events.PY_RETURN
                )
                wanted |= events.PY_UNWIND
            for event, watch in self._also.items():
                if self._code is None or event != events.PY_START:  # that one hears of both
                    monitoring.register_callback(seat, event, watch)
                wanted |= event
            monitoring.set_events(seat, wanted)
            return function(*args)
        finally:
            monitoring.set_events(seat, 0)
            if self._code is not None:
                monitoring.set_local_events(seat, self._code, 0)
            every = (events.CALL, events.PY_START, events.PY_RETURN, events.PY_UNWIND)
            for event in (*every, *self._also):
                monitoring.register_callback(seat, event, None)
            monitoring.free_tool_id(seat)

    def _called(self, code: CodeType, offset: int, function: Any, first: object) -> None:
        try:
            if self._calls is not None:
                self._calls(code, offset, function, first)
        except BaseException:  # noqa: BLE001 - such as no stack left: the run goes on
            return

    def _started(self, code: CodeType, offset: int) -> object:
        try:
            if code is self._code and self._frame is None and not self._ended:
                self._frame = sys._getframe(1)  # noqa: SLF001 - the one that starts
                if self._start is not None:
                    self._start(self._frame)
            also = self._also.get(sys.monitoring.events.PY_START)
            if also is not None:
                said = also(code, offset)
                return said if code is not self._code else None
        except BaseException:  # noqa: BLE001 - as above
            return None
        return None

    def _returned(self, _: CodeType, __: int, value: object) -> None:
        try:
            self._come_to_end(sys._getframe(1), True, value)  # noqa: SLF001
        except BaseException:  # noqa: BLE001 - as above
            return

    def _unwound(self, code: CodeType, _: int, error: object) -> None:
        try:
            if code is self._code:
                self._come_to_end(sys._getframe(1), False, error)  # noqa: SLF001
        except BaseException:  # noqa: BLE001 - as above
            return

    def _come_to_end(self, frame: FrameType, returned: bool, value: object) -> None:
        if frame is self._frame and self._end is not None and not self._ended:
            self._ended = True
            self._end(frame, returned, value)
            self._frame = None  # what its variables hold comes to its end with it


def _guarded(watch: OnEvent) -> OnEvent:
    def guarded(*told: object) -> object:
        try:
            return watch(*told)
        except BaseException:  # noqa: BLE001 - such as no stack left: the run goes on
            return None

    return guarded
