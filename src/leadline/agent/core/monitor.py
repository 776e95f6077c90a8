"""Our one seat at `sys.monitoring`: a tool id, the events of each code object, nothing else.

Events are set on single code objects, so that code without a probe runs as if we were not
there. The only event that is ever set for all code is PY_START, for the moment between the
start of the interpreter and the first line of its main script.
"""

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from leadline.wire.errors import UnavailableError

_TOOL_IDS = (4, 3, 5)
"""0, 1 and 2 belong by convention to debuggers, coverage and profilers."""
_NAME = "leadline"

type Callback = Callable[..., Any]


class Monitor:
    """Owns the tool id from `open` to `close`; every change of events goes through here."""

    def __init__(self) -> None:
        self._events: dict[int, tuple[CodeType, int]] = {}
        self._listening: list[int] = []
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
        for code, _ in list(self._events.values()):
            sys.monitoring.set_local_events(self.tool, code, 0)
        self._events.clear()
        for event in self._listening:
            sys.monitoring.register_callback(self.tool, event, None)
        self._listening.clear()
        sys.monitoring.free_tool_id(self.tool)
        self.tool = None

    def listen(self, event: int, callback: Callback) -> None:
        """Call `callback` for `event` wherever it is added. It must never raise."""
        sys.monitoring.register_callback(self._seat(), event, callback)
        self._listening.append(event)

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

    def everywhere(self, event: int) -> None:
        """Switch `event` on in all code, or all such events off with 0."""
        sys.monitoring.set_events(self._seat(), event)

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
