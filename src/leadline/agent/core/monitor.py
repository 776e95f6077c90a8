"""Our one seat at `sys.monitoring`: a tool id, the events of each code object, nothing else.

Events are set on single code objects, so that code without a probe runs as if we were not
there. Set for all code are only PY_START, for the moment between the start of the interpreter
and the first line of its main script, and, while a probe needs them, RAISE and PY_UNWIND,
which CPython has for no single code object before 3.15.
"""

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from leadline.agent import seat
from leadline.wire.errors import UnavailableError

_DISABLE = sys.monitoring.DISABLE
_SHARED = (sys.monitoring.events.PY_START, sys.monitoring.events.PY_RETURN)
"""Wanted by the core and by the watch on imports. Callbacks in Python always stand one frame
further from the application's than those of the other events."""

type Callback = Callable[..., Any]
type Codes = tuple[CodeType, ...]
type Relay = Callable[[Callback | None, Codes | None], None]
"""Is told which other callback of the same event is to be called, and for which code (None
for all)."""


class Monitor:
    """Owns the tool id from `open` to `close`; every change of events goes through here.

    Callbacks are kept when it is closed, and heard again when it is opened again.
    """

    def __init__(self, tool: int | None = None) -> None:
        """With a `tool` id that was taken before, it is open already."""
        self._events: dict[int, tuple[CodeType, int]] = {}
        self._callbacks: dict[int, tuple[Callback, ...]] = {}
        self._codes: dict[int, Codes | None] = {}
        self._leaders: dict[int, tuple[Callback, Relay]] = {}
        self._global = 0
        self.tool = tool

    def open(self) -> None:
        """Take a seat, see `agent.seat`. Raises `UnavailableError` if there is none."""
        if self.tool is not None:
            return
        self.tool = seat.take()
        for event in self._callbacks:
            self._register(event)

    def close(self) -> None:
        """Remove every event first, then the callbacks, then give the tool id back.

        In this order because 3.12 and 3.13 leave local events firing when an id is freed.
        """
        if self.tool is None:
            return
        sys.monitoring.set_events(self.tool, 0)
        self._global = 0
        for code, _ in list(self._events.values()):
            sys.monitoring.set_local_events(self.tool, code, 0)
        self._events.clear()
        for event in self._callbacks:
            sys.monitoring.register_callback(self.tool, event, None)
        sys.monitoring.free_tool_id(self.tool)
        self.tool = None

    def listen(self, event: int, callback: Callback, codes: Codes | None = None) -> None:
        """Call `callback` for `event` wherever it is added. It must never raise.

        With `codes` it is enough to call it for those.
        """
        self._callbacks[event] = (*self._callbacks.get(event, ()), callback)
        if event not in self._leaders or self._leaders[event][0] is not callback:
            self._codes[event] = codes
        self._register(event)

    def lead(self, event: int, callback: Callback, relay: Relay) -> None:
        """As `listen`, for a callback in C, which calls the other one by itself."""
        self._leaders[event] = (callback, relay)
        self.listen(event, callback)

    def unlisten(self, event: int, callback: Callback) -> None:
        """Do not call `callback` any more."""
        kept = tuple(one for one in self._callbacks.get(event, ()) if one is not callback)
        self._callbacks[event] = kept
        self._register(event)

    def add(self, code: CodeType, event: int) -> None:
        """Switch `event` on in `code`."""
        self._set(code, self._mask(code) | event)

    def drop(self, code: CodeType, event: int) -> None:
        """Switch `event` off in `code`."""
        self._set(code, self._mask(code) & ~event)

    def refresh(self, code: CodeType) -> None:
        """Let every instruction of `code` that answered DISABLE speak again."""
        mask = self._mask(code)
        if mask:
            sys.monitoring.set_local_events(self._seat(), code, 0)
            sys.monitoring.set_local_events(self._seat(), code, mask)

    def everywhere(self, event: int, *, on: bool = True) -> None:
        """Switch `event` on, or off, in all code.

        Nothing is said to the interpreter when nothing changes: each change makes every code
        object look at its events once more, and there may be 2**24 of them (gh-120158).
        """
        wanted = self._global | event if on else self._global & ~event
        if wanted != self._global:
            sys.monitoring.set_events(self._seat(), wanted)
            self._global = wanted

    def _register(self, event: int) -> None:
        callbacks = self._callbacks[event]
        callback: Callback | None
        if event in self._leaders:
            callback, relay = self._leaders[event]
            others = [one for one in callbacks if one is not callback]
            relay(others[-1] if others else None, self._codes.get(event))
        elif event in _SHARED:
            callback = _chain(callbacks)
        else:
            callback = callbacks[-1] if callbacks else None
        sys.monitoring.register_callback(self._seat(), event, callback)

    def _mask(self, code: CodeType) -> int:
        return self._events.get(id(code), (code, 0))[1]

    def _set(self, code: CodeType, mask: int) -> None:
        """By identity: two equal code objects are still two, and hashing one walks it."""
        sys.monitoring.set_local_events(self._seat(), code, mask)
        if mask:
            self._events[id(code)] = (code, mask)
        else:
            self._events.pop(id(code), None)

    def _seat(self) -> int:
        if self.tool is None:
            raise UnavailableError("no-tool-id", "The agent holds no seat at sys.monitoring.")
        return self.tool


def _chain(callbacks: tuple[Callback, ...]) -> Callback:
    """Call one after the other; an instruction falls silent when all of them want it to."""

    def call(*event: Any) -> Any:
        answer: Any = _DISABLE
        try:
            for callback in callbacks:
                if callback(*event) is not _DISABLE:
                    answer = None
        except RecursionError:  # no room for one more call
            return None
        return answer

    return call
