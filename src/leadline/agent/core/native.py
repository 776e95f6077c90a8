"""The core in C: fractions of a microsecond for what is common, Python for the rest.

The extension holds the tables, counts, limits, evaluates, captures and writes. Whatever it does
not know (an expression over an object with code of its own, a value with a form of its own) it
hands to the functions below, which do what the pure core does.
"""

import sys
from collections import deque
from collections.abc import Sequence
from functools import partial
from types import CodeType, FrameType, ModuleType
from typing import Any

from leadline.agent.capture import stack
from leadline.agent.capture.frame import frame_code, scope_of
from leadline.agent.capture.room import MAX_VALUE_BYTES, Room
from leadline.agent.capture.shapes import acquaint
from leadline.agent.capture.surroundings import CONTEXT_BYTES, surroundings
from leadline.agent.capture.task import task_name
from leadline.agent.capture.trace import trace_of
from leadline.agent.capture.writing import write
from leadline.agent.core import ring
from leadline.agent.core.monitor import Callback, Codes, Monitor
from leadline.agent.core.passage import (
    BUDGET_NS,
    NOTHING,
    Passage,
    Record,
    Role,
    Site,
    Taken,
    Visit,
    call_scope,
    note_unknown,
)
from leadline.agent.core.program import program
from leadline.agent.guard import faults, foreign
from leadline.agent.link.native import our_threads
from leadline.expression import Placeholder, Redacted, Unknown, Watch, fuel
from leadline.expression.layout import forget_layouts
from leadline.wire.limits import CaptureLimits
from leadline.wire.probe import Moment
from leadline.wire.value import Omission, Value

_INSTRUCTION, _START, _RETURN, _UNWIND, _RAISE, _YIELD, _RESUME, _THROW = range(8)
"""The events, in the order of `core.h`."""
_EVENTS = sys.monitoring.events
_MONITORED = (
    _EVENTS.INSTRUCTION,
    _EVENTS.PY_START,
    _EVENTS.PY_RETURN,
    _EVENTS.PY_UNWIND,
    _EVENTS.RAISE,
    _EVENTS.PY_YIELD,
    _EVENTS.PY_RESUME,
    _EVENTS.PY_THROW,
)
_GLOBAL = (_UNWIND, _RAISE, _THROW)
_MOMENTS: dict[Moment, tuple[int, ...]] = {
    Moment.LINE: (_INSTRUCTION,),
    Moment.ENTRY: (_START,),
    Moment.EXIT: (_RETURN, _UNWIND),
    Moment.RAISED: (_RAISE,),
    Moment.LEAVING: (_UNWIND,),
}
_TURNS = (_YIELD, _RESUME, _THROW)
_ROLES = {role: number for number, role in enumerate(Role)}
_TAKEN = {taken: number for number, taken in enumerate(Taken)}
_DURATION, _RESULT, _EXCEPTION = -2, -3, -4
"""Where names of a call are, as in `program.h`."""
_MAX_REASON_CHARS = 300
"""As `probes.watching.MAX_REASON_CHARS`."""

type _Where = tuple[int, CodeType | None, int]
"""Event, code and offset; equal code objects are still two, so the key has its identity."""


class NativeCore:
    """See `Core`. Arming and disarming happen under the registry's lock, hits anywhere."""

    name = "native"

    def __init__(self, monitor: Monitor, core: ModuleType) -> None:
        self._monitor = monitor
        self._module = core
        self.ring = core.Ring(ring.MAX_RECORDS, ring.MAX_BYTES, ring.MAX_RECORD_BYTES)
        acquaint(core)
        self._core = core.Core(self.ring, BUDGET_NS, _HELPERS)
        self._armed: dict[tuple[int, int, int], tuple[Any, ...]] = {}
        self._late: deque[Record] = deque(maxlen=ring.MAX_RECORDS)
        callbacks = (
            self._core.on_instruction,
            self._core.on_start,
            self._core.on_return,
            self._core.on_unwind,
            self._core.on_raise,
            self._core.on_yield,
            self._core.on_resume,
            self._core.on_throw,
        )
        for event, (monitored, callback) in enumerate(zip(_MONITORED, callbacks, strict=True)):
            monitor.lead(monitored, callback, self._relay(event))

    @property
    def budget_ns(self) -> int:
        return int(self._core.budget_ns)

    @budget_ns.setter
    def budget_ns(self, budget: int) -> None:
        self._core.budget_ns = budget

    @property
    def unread_ns(self) -> int:
        return int(self._core.spent_ns)

    @unread_ns.setter
    def unread_ns(self, spent: int) -> None:
        self._core.spent_ns = spent

    def arm(self, passage: Passage, sites: Sequence[Site]) -> None:
        if not passage.sites:
            self._equip(passage)
        passage.sites += tuple(sites)
        for site in sites:
            armed = self._module.Armed(
                passage, site, _ROLES[site.role], site.code, _special(passage, site)
            )
            for where in _places(site):
                self._put(where, (*self._at(where), armed))
                event, code, _ = where
                if event not in _GLOBAL and code is not None:
                    self._monitor.add(code, _MONITORED[event])
        self._hear()
        for site in sites:
            if site.code is not None:
                self._monitor.refresh(site.code)

    def disarm(self, passage: Passage) -> None:
        for site in passage.sites:
            for where in _places(site):
                kept = tuple(one for one in self._at(where) if one.passage is not passage)
                self._put(where, kept)
                event, code, _ = where
                if event not in _GLOBAL and code is not None and not self._has(event, code):
                    self._monitor.drop(code, _MONITORED[event])
        self._hear()
        passage.sites = ()
        if passage.began is not None:
            passage.began.clear()

    def suspend(self, passage: Passage) -> None:
        passage.off = True
        self._hear()

    def resume(self, passage: Passage) -> None:
        if passage.began is not None:
            passage.began.clear()  # who ended meanwhile was not seen to
        passage.off = False
        self._hear()
        for site in passage.sites:
            if site.code is not None:
                self._monitor.refresh(site.code)

    def drain(self, most: int) -> list[Record]:
        records: list[Record] = self.ring.take(most, Record)
        while self._late and len(records) < most:
            records.append(self._late.popleft())
        return records

    def put(self, record: Record) -> None:
        self._late.append(record)

    def dropped(self) -> dict[str, int]:
        counts = {
            "buffer full": self.ring.full,
            "hit too large": self.ring.too_large,
            "no room on the stack": self._core.no_stack,
        }
        return {reason: count for reason, count in counts.items() if count}

    def spent_ns(self) -> int:
        return int(self._core.spend())

    def clear(self) -> None:
        self.ring.clear()
        self._late.clear()
        self._core.clear()

    def forget(self) -> None:
        self._module.forget()
        forget_layouts()

    def open(self) -> None:
        self._monitor.open()

    def close(self) -> None:
        self._core.disarm_all()
        self._armed.clear()
        self._monitor.close()

    def _equip(self, passage: Passage) -> None:
        """Say what of a passage can be done in C."""
        condition = passage.condition
        passage.equip(
            program(self._module, condition.node) if condition is not None else None,
            self._taking(passage),
        )

    def _taking(self, passage: Passage) -> Any:
        plan = passage.plan
        if plan is None:
            return None
        near, far = plan.limits, stack.further(plan.limits)
        whole = MAX_VALUE_BYTES
        return self._module.Taking(
            _TAKEN[plan.taken],
            plan.watches,
            tuple(program(self._module, watch.node) for watch in plan.watches),
            (near, near.depth, near.items, near.text),
            (far, far.depth, far.items, far.text),
            whole - CONTEXT_BYTES if plan.taken is Taken.SNAPSHOT else whole,
            plan.frames,
            stack.LONGEST_NS,
            stack.TOO_LONG,
        )

    def _at(self, where: _Where) -> tuple[Any, ...]:
        event, code, offset = where
        return self._armed.get((event, id(code), offset), ())

    def _put(self, where: _Where, armed: tuple[Any, ...]) -> None:
        event, code, offset = where
        key = (event, id(code), offset)
        if armed:
            self._armed[key] = armed
        else:
            self._armed.pop(key, None)
        self._core.put(event, code, offset, armed or None)

    def _has(self, event: int, code: CodeType) -> bool:
        return any(one[0] == event and one[1] == id(code) for one in self._armed)

    def _hear(self) -> None:
        """Switch the events of all code on or off: a callback cannot answer DISABLE to one,
        and would be called for every exception of the process while nobody wants to know."""
        for event in _GLOBAL:
            on = any(
                not one.passage.off
                for (armed, _, _), there in self._armed.items()
                if armed == event
                for one in there
            )
            self._monitor.everywhere(_MONITORED[event], on=on)

    def _relay(self, event: int) -> Any:
        def relay(callback: Callback | None, codes: Codes | None) -> None:
            self._core.listen(event, callback, codes)

        return relay


def _places(site: Site) -> list[_Where]:
    return [
        (event, site.code, offset)
        for event in (_TURNS if site.role is Role.TURN else _MOMENTS[site.moment])
        for offset in (site.offsets if event == _INSTRUCTION else (0,))
    ]


def _special(passage: Passage, site: Site) -> dict[str, int]:
    """Return the names that a call has at this moment, as `call_scope` does."""
    if site.moment is Moment.LINE and not passage.timed:
        return {}
    special = {"duration": _DURATION, "exception": _EXCEPTION}
    return special | {"result": _RESULT} if site.moment is Moment.EXIT else special


def _visit(
    passage: Passage,
    site: Site,
    frame: FrameType,
    result: object,
    exception: BaseException | None,
    duration_s: float | None,
    unheard: int,
) -> Visit:
    """Make of a hit what Python takes; most of what is asked for is read in C."""
    scope = partial(_read, passage, site, frame, result, exception, duration_s)
    return Visit(scope, frame, site, result, exception, duration_s, unheard)


def _read(
    passage: Passage,
    site: Site,
    frame: FrameType,
    result: object,
    exception: BaseException | None,
    duration_s: float | None,
    name: str,
) -> object:
    """Return the value of a variable; raises `Unknown`."""
    scope = scope_of(frame, site.code or frame_code(frame), site.variables)
    if site.moment is not Moment.LINE or passage.timed:
        scope = call_scope(scope, site.moment, result, exception, duration_s)
    return scope(name)


def _decide(passage: Passage, visit: Visit) -> bool | None:
    """Answer the condition; None where that is unknown."""
    try:
        return passage.holds is None or passage.holds(visit.scope)
    except Unknown as unknown:
        note_unknown(passage, unknown)
        return None


def _take(passage: Passage, visit: Visit) -> bytes | bool | None:
    """Return the bytes of a hit, None where it was added to the samples, False where an
    expression had no answer."""
    try:
        return passage.take(visit) if passage.take is not None else None
    except Unknown as unknown:
        note_unknown(passage, unknown)
        return False


def _punted(
    watch: Watch | Placeholder, visit: Visit, more: int, units: int, room: int
) -> tuple[bytes | None, object, int, int]:
    """Evaluate a watch that C does not: return what stands for its value, or None and the
    value, and the fuel and the room that are left."""
    if more:
        fuel.fill_to(units)
    space = Room(room)
    shown: Value
    try:
        value = watch.evaluate(visit.scope, more=bool(more))
    except Redacted as secret:
        shown = {"type": "?", "omitted": Omission.REDACTED, "rule": secret.rule}
    except Unknown as unknown:
        reason = space.text(unknown.reason[:_MAX_REASON_CHARS])
        shown = {"type": "?", "omitted": Omission.UNKNOWN, "rule": reason}
    else:
        return None, value, fuel.level(), room
    return write(shown).encode("ascii"), None, fuel.level(), space.left


def _blame(place: str, error: BaseException) -> bool:
    """Tell whether an exception is the application's; count it if it is ours."""
    if foreign(error):
        return True
    faults.count(place, error)
    return False


def _circumstances() -> tuple[str, str, str]:
    return task_name(), *trace_of()


def _rest(limits: CaptureLimits, room: int) -> bytes:
    """Return the end of a snapshot's record: tasks and context."""
    parts = surroundings(limits, Room(room))
    return ("," + write(parts)[1:]).encode("ascii")


_HELPERS: dict[str, object] = {
    "visit": _visit,
    "nothing": NOTHING,
    "decide": _decide,
    "take": _take,
    "punted": _punted,
    "blame": _blame,
    "circumstances": _circumstances,
    "rest": _rest,
    "modules": sys.modules,
    "our_threads": our_threads,
    "our_path": __file__.removesuffix("agent/core/native.py"),
    "demo_path": __file__.removesuffix("agent/core/native.py") + "demo/service/",
    "disable": sys.monitoring.DISABLE,
}
