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

from leadline.wire.errors import UnavailableError

_TOOL_IDS = (4, 3, 5)
"""0, 1 and 2 belong by convention to debuggers, coverage and profilers."""
_NAME = "leadline"
_DISABLE = sys.monitoring.DISABLE
_SHARED = (sys.monitoring.events.PY_START, sys.monitoring.events.PY_RETURN)
"""Wanted by the core and by the watch on imports. Their callbacks always stand one frame
further from the application's than those of the other events."""

type Callback = Callable[..., Any]


class Monitor:
    """Owns the tool id from `open` to `close`; every change of events goes through here.

    Callbacks are kept when it is closed, and heard again when it is opened again.
    """

    def __init__(self) -> None:
        self._events: dict[int, tuple[CodeType, int]] = {}
        self._callbacks: dict[int, tuple[Callback, ...]] = {}
        self._global = 0
        self.tool: int | None = None

    def open(self) -> None:
        """Take the first free tool id.

        Raises `UnavailableError`: `free-threaded` on a build without the GIL, `no-tool-id`
        when other tools hold every id that is not spoken for.
        """
        if self.tool is not None:
            return
        if not getattr(sys, "_is_gil_enabled", lambda: True)():
            raise UnavailableError(
                "free-threaded",
                "This interpreter runs without the global interpreter lock.",
                "CPython's monitoring is not safe there yet; start a build with the GIL.",
            )
        for tool in _TOOL_IDS:
            try:
                sys.monitoring.use_tool_id(tool, _NAME)
            except ValueError:
                continue
            self.tool = tool
            for event in self._callbacks:
                self._register(event)
            return
        holders = ", ".join(str(sys.monitoring.get_tool(tool)) for tool in _TOOL_IDS)
        raise UnavailableError(
            "no-tool-id",
            f"Every free seat at sys.monitoring is taken by other tools: {holders}.",
            "Stop one of them in this process; Leadline never takes a seat away.",
        )

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

    def listen(self, event: int, callback: Callback) -> None:
        """Call `callback` for `event` wherever it is added. It must never raise."""
        self._callbacks[event] = (*self._callbacks.get(event, ()), callback)
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
        callback = _chain(callbacks) if event in _SHARED else callbacks[-1]
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
