"""Calls of every function of a package, kept while it works: by the tests that it comes with
(`pytest -p benchmarks.verify.recording --record PACKAGE`), or by anything else that is imported
after `Recorder.begin`.

Arguments and outcomes are taken by what a capture takes them with in a live process. Of each
function a few calls are kept, of different shapes if there are any.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from leadline.agent.capture import (
    holding,
    keeping,
    kept_classes,
    kept_forms,
    kept_functions,
    kept_standard,
    kept_surroundings,
    kept_values,
)
from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.agent.capture.room import Room
from leadline.agent.capture.wrapped import is_wrapped, unwrapped
from leadline.agent.probes.capturing import CALL_OUTCOME_BYTES, KEEPING_NS
from leadline.agent.probes.choosing import shape_of_call
from leadline.agent.twin.outcome import taker
from leadline.exploration.lines import files_of
from leadline.trial.calls import is_generator
from leadline.trial.outcome import outcome_of
from leadline.trial.running import bound
from leadline.wire.struct import asdict, dataclass, field

CALLS = 8
"""Of each function, if nothing else is said."""
MOST_LOOKED_AT = 400
"""Calls of one function that are looked at for another shape."""
MAX_YIELDS = 100
MOST_FRAMES = 64
"""Callers of a call that are looked at."""
_TOOL = 4
_OF_SHAPE = 2
_events = sys.monitoring.events
_ENDS = _events.PY_RETURN | _events.PY_YIELD
_KINDS = {0x20: "generator", 0x80: "coroutine", 0x200: "async generator"}


@dataclass(slots=True)
class _Open:
    entry: str
    kind: str
    kept: Any
    callers: list[str]
    began_s: float
    yields: list[Any] = field(default_factory=list)
    more: int = 0
    """Yields beyond those."""
    room: Room = field(default_factory=lambda: Room(CALL_OUTCOME_BYTES))
    """For what it gives out and comes to, together."""


class Recorder:
    """One per process, between `begin` and `end`."""

    def __init__(
        self,
        packages: list[str],
        most: int = CALLS,
        only: frozenset[str] = frozenset(),
        *,
        openly: bool = False,
    ) -> None:
        """With `only`, nothing but functions of these names is kept, and all calls of them.
        With `openly`, nothing is withheld of the arguments."""
        self._only = only
        self._withhold = withhold
        if openly:
            withhold_no_name()
            self._withhold = lambda kept: kept
        self._files = {str(path) for package in packages for path in files_of(package)}
        self._most = most
        self._open: dict[int, _Open] = {}
        self._looked: Counter[Any] = Counter()
        self._shapes: Counter[Any] = Counter()
        self._taken: Counter[Any] = Counter()
        self._inner: set[str] = set()
        self._landmarks = Landmarks.of_process()
        self._modules = 0
        self._busy = False
        self.calls: list[dict[str, Any]] = []

    def begin(self) -> None:
        """Hear of every function of the package from now on."""
        monitoring = sys.monitoring
        monitoring.use_tool_id(_TOOL, "recording")
        for event, heard in (
            (_events.PY_START, self._start), (_events.PY_RETURN, self._return),
            (_events.PY_UNWIND, self._unwind), (_events.PY_YIELD, self._yield),
        ):  # fmt: skip
            monitoring.register_callback(_TOOL, event, heard)
        monitoring.set_events(_TOOL, _events.PY_START | _events.PY_UNWIND)

    def look_around(self) -> None:
        """Find the singletons anew, if modules have been imported meanwhile."""
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            before, self._landmarks = self._landmarks, Landmarks.of_process()
            self._landmarks.environment = before.environment

    def end(self, into: Path) -> None:
        """Write what was kept, and where: a header, and one call a line."""
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)
        head = {
            "path": [one for one in sys.path if one], "cwd": str(Path.cwd()),
            "executable": sys.executable, "python": sys.version.split()[0],
            "inner": len(self._inner), "functions": len(self._taken),
            "lost": len(self._open),
        }  # fmt: skip
        with into.open("w", encoding="utf-8") as out:
            for line in (head, *self.calls):
                out.write(json.dumps(line) + "\n")

    def _start(self, code: Any, _: int) -> object:
        if code.co_filename not in self._files or not code.co_flags & 1:
            return sys.monitoring.DISABLE
        if self._only and code.co_qualname not in self._only:
            return sys.monitoring.DISABLE
        if "<" in code.co_qualname:
            self._inner.add(f"{code.co_filename}:{code.co_qualname}:{code.co_firstlineno}")
            return sys.monitoring.DISABLE
        if self._busy:
            return None
        if self._taken[code] >= self._most or self._looked[code] >= MOST_LOOKED_AT:
            return sys.monitoring.DISABLE
        self._busy = True
        try:
            self._begun(code)
        finally:
            self._busy = False
        return None

    def _begun(self, code: Any) -> None:
        self._looked[code] += 1
        frame = _frame(3)
        named = list(bound(frame))
        shape = code, shape_of_call(named)
        if self._shapes[shape] >= _OF_SHAPE and not self._only:
            return
        self._shapes[shape] += 1
        self._taken[code] += 1
        sys.monitoring.set_local_events(_TOOL, code, _ENDS)
        began = time.thread_time()
        kept = keep(named, landmarks=self._landmarks, leaves_out=True, within_ns=KEEPING_NS)
        took = time.thread_time() - began
        kind = next((kind for flag, kind in _KINDS.items() if code.co_flags & flag), "")
        if not kind:
            is_method = code.co_varnames[:1] in (("self",), ("cls",)) and code.co_argcount
            kind = "method" if is_method else "function"
        entry = f"{frame.f_globals.get('__name__')}:{code.co_qualname}"
        self._open[id(frame)] = _Open(entry, kind, kept, self._callers(frame), took)

    def _callers(self, frame: Any) -> list[str]:
        """Return the functions of the package on the stack of a call, the innermost first."""
        found = []
        for _ in range(MOST_FRAMES):
            frame = frame.f_back
            if frame is None:
                break
            if frame.f_code.co_filename in self._files:
                found.append(f"{frame.f_globals.get('__name__')}:{frame.f_code.co_qualname}")
        return found

    def _return(self, code: Any, _: int, value: object) -> None:
        self._ended(code, True, value)

    def _unwind(self, code: Any, _: int, error: BaseException) -> None:
        self._ended(code, False, error)

    def _yield(self, code: Any, _: int, value: object) -> None:
        if not is_generator(code) or self._busy:
            return
        found = self._open.get(id(_frame(2)))
        # of what is asynchronous, what it awaits is heard of, too
        is_given = found is not None and (found.kind == "generator" or is_wrapped(value))
        if found is None or not is_given:
            return
        if len(found.yields) == MAX_YIELDS:
            found.more += 1
        else:
            found.yields.append(
                taker(found.room)(unwrapped(value) if is_wrapped(value) else value)
            )

    def _ended(self, code: Any, returned: bool, value: object) -> None:
        if code.co_filename not in self._files or self._busy:
            return
        frame = _frame(3)
        found = self._open.get(id(frame))
        if found is None or frame.f_code is not code:
            return
        del self._open[id(frame)]
        self._busy = True
        try:
            began = time.thread_time()
            outcome = outcome_of(returned, value, list(bound(frame)), taker(found.room))
            took = found.began_s + time.thread_time() - began
            kept = self._withhold(found.kept)
            self.calls.append(
                {
                    "entry": found.entry, "kind": found.kind, "document": kept.document,
                    "obstacle": kept.obstacle, "withheld": kept.withheld, "size": kept.size,
                    "callers": found.callers,
                    "us": round(took * 1e6), "line": code.co_firstlineno,
                    "file": code.co_filename,
                    "live": asdict(outcome)
                    | {"yields": found.yields, "more": found.more},
                }
            )  # fmt: skip
        finally:
            self._busy = False


def withhold_no_name() -> None:
    """Have arguments kept as if no name were a secret's: in a process that is of no service."""
    for module in (
        holding, keeping, kept_classes, kept_forms, kept_functions, kept_standard,
        kept_surroundings, kept_values,
    ):  # fmt: skip
        if hasattr(module, "secret_name"):
            module.secret_name = lambda _: None
        if hasattr(module, "hidden_items"):
            module.hidden_items = lambda *_: {}
    kept_values.name_rule = lambda _: None


def _frame(depth: int) -> Any:
    return sys._getframe(depth)  # noqa: SLF001 - as everybody does


_recorders: list[Recorder] = []


def pytest_addoption(parser: Any) -> None:
    parser.addoption("--record", action="append", default=[], metavar="PACKAGE")
    parser.addoption("--record-into", default="calls.jsonl", metavar="FILE")
    parser.addoption("--record-calls", type=int, default=CALLS, metavar="N")
    parser.addoption("--record-only", action="append", default=[], metavar="QUALNAME")
    parser.addoption("--record-openly", action="store_true")


def pytest_collection_finish(session: Any) -> None:
    options = session.config.option
    if options.record:
        recorder = Recorder(
            options.record,
            options.record_calls,
            frozenset(options.record_only),
            openly=options.record_openly,
        )
        recorder.look_around()
        recorder.begin()
        _recorders.append(recorder)


def pytest_runtest_setup() -> None:
    for recorder in _recorders:
        recorder.look_around()


def pytest_unconfigure(config: Any) -> None:
    if _recorders:
        _recorders.pop().end(Path(config.option.record_into))
