"""Learn of every module's code at the moment it is imported, invisibly to the application.

A local PY_RETURN event on importlib's own `get_code` hands us each module's code object before
its first line runs; one on `_load_unlocked` hands us the finished module, for loaders that make
their code in another way (pytest's assertion rewriting). A main script is not imported: it is
met by a PY_START event for all code, which ends when no probe waits any more. Nothing is
patched, no frame of ours stands in a traceback, and without probes no event is on.
"""

import sys
from collections.abc import Callable
from importlib import _bootstrap, _bootstrap_external
from types import CodeType, ModuleType
from typing import Any

from leadline.agent.capture.frame import frame_running
from leadline.agent.core.monitor import Monitor
from leadline.agent.guard import guarded

_RETURN = sys.monitoring.events.PY_RETURN
_START = sys.monitoring.events.PY_START
_DISABLE = sys.monitoring.DISABLE

_ENTRIES: tuple[CodeType, ...] = tuple(
    function.__code__
    for function in (
        _bootstrap_external.SourceLoader.get_code,
        _bootstrap_external.SourcelessFileLoader.get_code,
        _bootstrap._load_unlocked,  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    )
)

type News = Callable[[CodeType | ModuleType], None]


class ImportWatch:
    """Calls `tell` on the importing thread with code before it runs, and with modules that
    are complete, while it is on."""

    def __init__(self, monitor: Monitor, tell: News) -> None:
        self._monitor = monitor
        self._tell = tell
        self._on = False
        self._main = ""
        self._at_start = guarded("main", None)(self._started)
        monitor.listen(_RETURN, guarded("import", None)(self._returned), _ENTRIES)

    def switch(self, on: bool) -> None:
        """Watch imports, or stop."""
        if on is self._on:
            return
        self._on = on
        for code in _ENTRIES:
            (self._monitor.add if on else self._monitor.drop)(code, _RETURN)

    def await_main(self) -> None:
        """Watch for the main script's first line as well; call before it has run.

        A process that `multiprocessing` has spawned runs its parent's script as `__mp_main__`,
        after a main program of its own.
        """
        spawned = any("multiprocessing" in word for word in sys.orig_argv[1:4])
        self._main = "__mp_main__" if spawned else "__main__"
        self._monitor.listen(_START, self._at_start)
        self._monitor.everywhere(_START)

    def give_up_main(self) -> None:
        """Stop waiting for a main script that may never run."""
        if self._main:
            self._main = ""
            self._monitor.everywhere(_START, on=False)
            self._monitor.unlisten(_START, self._at_start)

    def _returned(self, code: CodeType, _offset: int, value: object) -> Any:
        if type(value) is CodeType or code is _ENTRIES[-1]:
            self._tell(value)  # type: ignore[arg-type]
        # of other code it is a probe's event, which may want to fall silent
        return None if any(code is one for one in _ENTRIES) else _DISABLE

    def _started(self, code: CodeType, _offset: int) -> Any:
        if code.co_name != "<module>":
            return _DISABLE
        frame = frame_running(code)
        if frame is not None and frame.f_globals.get("__name__") == self._main:
            self._tell(code)  # a profiler's own main may come before the script that it runs
        return _DISABLE
