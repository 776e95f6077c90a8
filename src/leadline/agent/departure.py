"""The way out of Celery's worker processes, which runs nothing that is registered for an exit.

A child of billiard's pool that has done its number of tasks tells its parent so, and is killed
by it a moment later, or ends itself by `os._exit`. What it saw last has to be sent before it
tells: a local event on that one method does so, while there are probes. Nothing is patched.
"""

import sys
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType
from typing import Any

from leadline.agent.core.monitor import Monitor
from leadline.agent.guard import guarded

_MODULE, _CLASS, _METHOD = "billiard.pool", "Worker", "_do_exit"
_LINE = sys.monitoring.events.LINE
"""Its first line is the way out; of the probes none needs this event, so they pay nothing."""


class Departure:
    """Calls `before` on the thread that is about to end the process."""

    def __init__(self, monitor: Monitor) -> None:
        self.before: Callable[[], None] = _nothing
        self._monitor = monitor
        self._watched: CodeType | None = None
        self._gone = False
        monitor.listen(_LINE, guarded("departure", sys.monitoring.DISABLE)(self._leaving))

    def watch(self, on: bool) -> None:
        """Watch the way out, or stop; called often, since the module may come late."""
        code = _way_out() if on else None
        if code is self._watched:
            return
        if self._watched is not None:
            self._monitor.drop(self._watched, _LINE)
        if code is not None:
            self._monitor.add(code, _LINE)
        self._watched = code

    def _leaving(self, code: CodeType, _line: int) -> Any:
        if code is self._watched and not self._gone:
            self._gone = True
            self.before()
        return sys.monitoring.DISABLE


def _nothing() -> None:
    return


def _way_out() -> CodeType | None:
    module = sys.modules.get(_MODULE)
    if type(module) is not ModuleType:
        return None
    worker = module.__dict__.get(_CLASS)
    if type(worker) is not type:
        return None
    method = worker.__dict__.get(_METHOD)
    return method.__code__ if type(method) is FunctionType else None
