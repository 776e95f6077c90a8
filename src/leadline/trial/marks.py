"""What a rerun met that no rerun can repeat: clocks, random bytes, what differs by process.

While a rerun runs, every call that the interpreter makes is looked at, on all threads; nothing
is replaced, so the results are the same. Clocks that plumbing reads for itself - the time of
a log record, the timeout of a lock - are left out, since they reach no result. What C code
calls by itself is not seen: a clock that is read inside of an extension leaves no mark.
"""

import datetime
import os
import sys
from collections.abc import Iterator
from enum import StrEnum
from types import BuiltinFunctionType, CodeType, FrameType
from typing import Any

from leadline.trial.monitoring import Monitor
from leadline.wire.errors import WireError
from leadline.wire.struct import dataclass

MAX_MARKS = 50
"""Different ones of one rerun; there are hardly more."""


class Chance(StrEnum):
    """What makes a rerun come out differently, as a sentence begins."""

    CLOCK = "it reads the clock"
    RANDOM = "it takes random bytes"
    PROCESS = "it reads what differs between processes"
    ASKED = "it asks what a process of its own answers otherwise"


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that was read, by name, and how often."""

    chance: Chance
    name: str
    count: int = 1

    def text(self) -> str:
        return f"{self.name} ×{self.count}" if self.count > 1 else self.name


def read_marks(value: Any) -> list[Mark]:
    """Read marks that came as JSON; raises `WireError`."""
    if not isinstance(value, list) or len(value) > MAX_MARKS:
        raise WireError("The marks of a rerun are no list.")
    try:
        marks = [Mark(Chance(one["chance"]), one["name"], one["count"]) for one in value]
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"A mark does not follow the contract: {error}.") from error
    if not all(type(mark.name) is str and type(mark.count) is int for mark in marks):
        raise WireError("A mark does not follow the contract.")
    return marks


_ANY = -1
_WATCHED = [
    (Chance.CLOCK, "time", "time", _ANY),
    (Chance.CLOCK, "time", "time_ns", _ANY),
    (Chance.CLOCK, "time", "monotonic", _ANY),
    (Chance.CLOCK, "time", "monotonic_ns", _ANY),
    (Chance.CLOCK, "time", "perf_counter", _ANY),
    (Chance.CLOCK, "time", "perf_counter_ns", _ANY),
    (Chance.CLOCK, "time", "process_time", _ANY),
    (Chance.CLOCK, "time", "process_time_ns", _ANY),
    (Chance.CLOCK, "time", "thread_time", _ANY),
    (Chance.CLOCK, "time", "thread_time_ns", _ANY),
    (Chance.CLOCK, "time", "clock_gettime", _ANY),
    (Chance.CLOCK, "time", "clock_gettime_ns", _ANY),
    (Chance.CLOCK, "time", "localtime", 0),
    (Chance.CLOCK, "time", "gmtime", 0),
    (Chance.CLOCK, "time", "ctime", 0),
    (Chance.CLOCK, "time", "asctime", 0),
    (Chance.CLOCK, "time", "strftime", 1),
    (Chance.RANDOM, "os", "urandom", _ANY),
    (Chance.RANDOM, "os", "getrandom", _ANY),
    (Chance.RANDOM, "_uuid", "generate_time_safe", _ANY),
    (Chance.RANDOM, "_ssl", "RAND_bytes", _ANY),
    (Chance.RANDOM, "random", "Random", 0),
    (Chance.RANDOM, "numpy.random", "default_rng", 0),
    (Chance.RANDOM, "numpy.random", "RandomState", 0),
    (Chance.PROCESS, "os", "getpid", _ANY),
    (Chance.PROCESS, "os", "getppid", _ANY),
    (Chance.PROCESS, "os", "times", _ANY),
    (Chance.PROCESS, "os", "getloadavg", _ANY),
    (Chance.PROCESS, "_thread", "get_native_id", _ANY),
    (Chance.PROCESS, "resource", "getrusage", _ANY),
    (Chance.ASKED, "asyncio", "run", _ANY),
    (Chance.ASKED, "asyncio", "get_running_loop", _ANY),
    (Chance.ASKED, "asyncio", "get_event_loop", _ANY),
    (Chance.ASKED, "asyncio", "current_task", _ANY),
    (Chance.ASKED, "threading", "current_thread", _ANY),
    (Chance.ASKED, "threading", "get_ident", _ANY),
]
"""Module, function, and the number of arguments with which it matters."""
_OF_DATES = frozenset(("now", "today", "utcnow"))
_PLUMBING = frozenset(
    """
    _pyrepl anyio asyncio concurrent functools logging multiprocessing queue sched selectors
    sniffio socket ssl subprocess threading weakref
    """.split()
)
"""Packages whose own clocks and process numbers reach no result of the application."""
_GUARDS = frozenset(("django.utils.asyncio", "django.db.backends.base.base", "asgiref.local"))
"""Modules that ask only to raise where nothing of the kind can work, or whether what they keep
is of the thread that asks: Django asks for a running loop, and for the thread, at each query,
and a service that makes queries in such a way has none that come back."""
_NAMED_BY = frozenset(("random", "secrets", "tempfile", "uuid"))
"""Modules whose functions tell more than the bytes that they take."""
_SETS = ("__setitem__", "__delitem__")
_IMPORTING = "importlib._bootstrap"
_BY_NUMBER = frozenset(("CALL", "CALL_KW"))


class Marks:
    """Collects marks while a monitor watches; reading them is cheap."""

    def __init__(self) -> None:
        self._found: dict[tuple[Chance, str], int] = {}
        self._watched: dict[int, tuple[Chance, str, int]] = {}
        self._kept: list[object] = []
        for chance, module, name, count in _WATCHED:
            function = getattr(sys.modules.get(module), name, None)
            if function is not None:
                self._kept.append(function)
                self._watched[id(function)] = (chance, f"{module.lstrip('_')}.{name}", count)
        for name in ("encodekey", "decodekey"):  # whatever is read of it comes by one of these
            function = getattr(os.environ, name, None)
            self._kept.append(function)
            self._watched[id(function)] = (Chance.ASKED, "os.environ", _ANY)

    def watch(self, monitor: Monitor) -> None:
        """See every call from now on."""
        monitor.on_call(self._call)

    def found(self) -> list[Mark]:
        """Return what was met, most often first."""
        found = [Mark(chance, name, count) for (chance, name), count in self._found.items()]
        return sorted(found, key=lambda mark: (-mark.count, mark.name))

    def _call(self, code: CodeType, offset: int, function: Any, _: object) -> None:
        watched = self._watched.get(id(function))
        if watched is not None:
            chance, name, count = watched
            if count != _ANY and _given(code, offset) not in (count, _ANY):
                return
        elif type(function) is BuiltinFunctionType and function.__name__ in _OF_DATES:
            chance, name = Chance.CLOCK, _of_date(function)
            if not name:
                return
        else:
            return
        frame = sys._getframe(2)  # noqa: SLF001 - the caller, below the monitor's guard
        if frame.f_code is not code or not (name := _named(frame, name)):
            return
        if chance is Chance.ASKED and (code.co_name in _SETS or _imports(frame)):
            return
        if (chance, name) in self._found or len(self._found) < MAX_MARKS:
            self._found[chance, name] = self._found.get((chance, name), 0) + 1


def _given(code: CodeType, offset: int) -> int:
    """Return with how many arguments a call is made, or `_ANY` where that is not known."""
    import opcode  # noqa: PLC0415 - only a few calls need it

    instruction = code.co_code[offset]
    known = opcode.opname[instruction] in _BY_NUMBER
    return code.co_code[offset + 1] if known else _ANY


def _of_date(function: BuiltinFunctionType) -> str:
    owner = function.__self__
    if isinstance(owner, type) and issubclass(owner, datetime.date):
        kind = datetime.datetime if issubclass(owner, datetime.datetime) else datetime.date
        return f"{kind.__name__}.{function.__name__}"
    return ""


def _named(frame: FrameType, name: str) -> str:
    """Return the best name for what a frame reads; empty where that reaches no result."""
    for depth, one in enumerate(_upwards(frame)):
        module = str(one.f_globals.get("__name__", ""))
        if depth == 0 and (module.partition(".")[0] in _PLUMBING or module in _GUARDS):
            return ""
        if module not in _NAMED_BY:
            break
        name = f"{module}.{one.f_code.co_qualname}"
    return name


def _imports(frame: FrameType) -> bool:
    """Tell whether a module is imported there: what it asks then belongs to no call."""
    return any(one.f_globals.get("__name__") == _IMPORTING for one in _upwards(frame))


def _upwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
