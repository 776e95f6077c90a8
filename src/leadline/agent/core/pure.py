"""The core in Python: every platform, no compiler, some microseconds a hit.

One callback an event serves all probes. The first pass through an armed code object calls it
once per instruction; all but the wanted offsets answer DISABLE and are never asked again.
"""

import sys
import time
from _thread import get_ident
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from leadline.agent.capture.frame import frame_above, frame_code, scope_of
from leadline.agent.capture.task import task_name
from leadline.agent.capture.trace import trace_of
from leadline.agent.core.monitor import Monitor
from leadline.agent.core.passage import (
    BUDGET_NS,
    MAX_ENTRIES,
    MAX_OPEN_CALLS,
    NOTHING,
    Heard,
    Passage,
    Record,
    Role,
    Site,
    Visit,
    call_scope,
    note_unknown,
)
from leadline.agent.core.ring import Ring
from leadline.agent.guard import faults, foreign
from leadline.agent.link.native import our_threads
from leadline.expression import Unknown
from leadline.expression.layout import forget_layouts
from leadline.wire.probe import Fate, Moment

_EVENTS = sys.monitoring.events
_INSTRUCTION, _START, _RETURN = _EVENTS.INSTRUCTION, _EVENTS.PY_START, _EVENTS.PY_RETURN
_UNWIND, _RAISE = _EVENTS.PY_UNWIND, _EVENTS.RAISE
_YIELD, _THROW = _EVENTS.PY_YIELD, _EVENTS.PY_THROW
_GLOBAL = (_UNWIND, _RAISE, _THROW)
"""Rejected for a single code object before 3.15; they cannot answer DISABLE either."""
_DISABLE = sys.monitoring.DISABLE

_MOMENTS: dict[Moment, tuple[int, ...]] = {
    Moment.LINE: (_INSTRUCTION,),
    Moment.ENTRY: (_START,),
    Moment.EXIT: (_RETURN, _UNWIND),
    Moment.RAISED: (_RAISE,),
    Moment.LEAVING: (_UNWIND,),
}
_TURNS = (_YIELD, _THROW)
"""What is sent into a generator is on its stack, where Python code cannot look."""
_ANY = -1
"""The place in a table of what is armed in all code."""
_OURS = __file__.removesuffix("agent/core/pure.py")

_identity = object.__hash__
"""Of a code object: its own hash walks all that is in it, and `id()` tells the audit hooks."""

type _Armed = tuple[Passage, Site]


class PureCore:
    """See `Core`. Arming and disarming happen under the registry's lock, hits anywhere."""

    name = "pure"

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._lines: dict[int, dict[int, tuple[_Armed, ...]]] = {}
        self._tables: dict[int, dict[int, tuple[_Armed, ...]]] = {
            event: {} for event in (_START, _RETURN, _UNWIND, _RAISE, *_TURNS)
        }
        self.ring = Ring()
        self.budget_ns = BUDGET_NS
        self.unread_ns = 0
        self._no_stack = 0
        self._now = time.time  # kept here: tests of applications replace time.time itself
        self._clock = time.thread_time_ns
        self._elapsed = time.perf_counter_ns
        monitor.listen(_INSTRUCTION, self._reached())
        monitor.listen(_START, self._at(_START))
        monitor.listen(_RETURN, self._at(_RETURN))
        monitor.listen(_UNWIND, self._threw(_UNWIND))
        monitor.listen(_RAISE, self._threw(_RAISE))
        monitor.listen(_YIELD, self._at(_YIELD))
        monitor.listen(_THROW, self._threw(_THROW))

    def arm(self, passage: Passage, sites: Sequence[Site]) -> None:
        passage.sites += tuple(sites)
        for site in sites:
            for event in _events(site):
                self._enter(event, passage, site)
        for site in sites:
            if site.code is not None:
                self._monitor.refresh(site.code)

    def disarm(self, passage: Passage) -> None:
        for site in passage.sites:
            for event in _events(site):
                self._leave(event, passage, site)
        passage.sites = ()
        if passage.began is not None:
            passage.began.clear()

    def suspend(self, passage: Passage) -> None:
        passage.off = True
        for event in _GLOBAL:
            self._hear(event)

    def resume(self, passage: Passage) -> None:
        if passage.began is not None:
            passage.began.clear()  # who ended meanwhile was not seen to
        passage.off = False
        for event in _GLOBAL:
            self._hear(event)
        for site in passage.sites:
            if site.code is not None:
                self._monitor.refresh(site.code)

    def drain(self, most: int) -> list[Record]:
        return self.ring.take(most)

    def put(self, record: Record) -> None:
        self.ring.put(record)

    def dropped(self) -> dict[str, int]:
        counts = {
            "buffer full": self.ring.full,
            "hit too large": self.ring.too_large,
            "no room on the stack": self._no_stack,
        }
        return {reason: count for reason, count in counts.items() if count}

    def spent_ns(self) -> int:
        spent, self.unread_ns = self.unread_ns, 0
        return spent

    def clear(self) -> None:
        self.ring.clear()
        self.unread_ns = self._no_stack = 0

    def forget(self) -> None:
        forget_layouts()

    def open(self) -> None:
        self._monitor.open()

    def close(self) -> None:
        self._lines.clear()
        for table in self._tables.values():
            table.clear()
        self._monitor.close()

    def _enter(self, event: int, passage: Passage, site: Site) -> None:
        key = _identity(site.code) if site.code is not None else _ANY
        if event == _INSTRUCTION:
            at = self._lines.get(key, {})
            for offset in site.offsets:
                at = at | {offset: (*at.get(offset, ()), (passage, site))}
            self._lines[key] = at
        else:
            table = self._tables[event]
            table[key] = (*table.get(key, ()), (passage, site))
        if event in _GLOBAL:
            self._hear(event)
        elif site.code is not None:
            self._monitor.add(site.code, event)

    def _leave(self, event: int, passage: Passage, site: Site) -> None:
        key = _identity(site.code) if site.code is not None else _ANY
        if event == _INSTRUCTION:
            left = {
                offset: kept
                for offset, armed in self._lines.get(key, {}).items()
                if (kept := tuple(one for one in armed if one[0] is not passage))
            }
            empty = not left
            _put(self._lines, key, left)
        else:
            table = self._tables[event]
            kept = tuple(one for one in table.get(key, ()) if one[0] is not passage)
            empty = not kept
            _put(table, key, kept)
        if event in _GLOBAL:
            self._hear(event)
        elif empty and site.code is not None:
            self._monitor.drop(site.code, event)

    def _hear(self, event: int) -> None:
        """Switch an event of all code on or off: our callback cannot answer DISABLE to one,
        and would be called for every exception of the process while nobody wants to know."""
        armed = self._tables[event].values()
        on = any(not passage.off for there in armed for passage, _ in there)
        self._monitor.everywhere(event, on=on)

    def _reached(self) -> Callable[[CodeType, int], Any]:
        """The callback of lines; names it needs are bound here, once."""
        lines, visit = self._lines, self._visit

        def reached(code: CodeType, offset: int) -> Any:
            try:
                at = lines.get(_identity(code))
                armed = at.get(offset) if at is not None else None
                return _DISABLE if armed is None else visit(armed, 3, NOTHING, None)
            except RecursionError:
                self._no_stack += 1  # inline: there is no room for a call
                return None

        return reached

    def _at(self, event: int) -> Callable[..., Any]:
        """The callback of a function's entry, or of what comes out of it: the result, or what
        a generator gives out."""
        table, visit = self._tables[event], self._visit
        levels = 3 if event == _YIELD else 4  # see `monitor`

        def at(code: CodeType, _offset: int, result: object = NOTHING) -> Any:
            try:
                armed = table.get(_identity(code))
                return _DISABLE if armed is None else visit(armed, levels, result, None)
            except RecursionError:
                self._no_stack += 1  # inline: there is no room for a call
                return None

        return at

    def _threw(self, event: int) -> Callable[[CodeType, int, BaseException], Any]:
        """The callback of exceptions, which hears of those in all code."""
        table, visit = self._tables[event], self._visit

        def threw(code: CodeType, _offset: int, exception: BaseException) -> Any:
            try:
                armed = table.get(_identity(code))
                if armed is not None:
                    visit(armed, 3, NOTHING, exception)
                if (anywhere := table.get(_ANY)) is not None and _is_origin(exception, code):
                    visit(anywhere, 3, NOTHING, exception)
            except RecursionError:
                self._no_stack += 1

        return threw

    def _visit(
        self,
        armed: tuple[_Armed, ...],
        levels: int,
        result: object,
        exception: BaseException | None,
    ) -> Any:
        """Take a passage through all that is armed here, and add up what it cost.

        `levels` is how far the application's frame is above the one of `_pass`. Returns
        DISABLE when nothing armed here has any use for the next passage.
        """
        clock = self._clock
        try:
            started = clock()
            on = 0
            for passage, site in armed:
                if not passage.off and self._pass(passage, site, levels, result, exception):
                    on += 1
                ended = clock()
                passage.cost_ns += ended - started
                if not passage.apart:
                    passage.window_ns += ended - started
                    self.unread_ns += ended - started
                started = ended
            return None if on else _DISABLE
        except BaseException as error:
            if type(error) is RecursionError:
                self._no_stack += 1  # inline: there is no room for a call
                return None
            if foreign(error):
                raise
            faults.count("hit", error)
            return None

    def _pass(
        self,
        passage: Passage,
        site: Site,
        levels: int,
        result: object,
        exception: BaseException | None,
    ) -> bool:
        """Take one passage; returns whether the probe stays on at this place."""
        if exception is not None and passage.concerns and not passage.concerns(exception):
            return True
        if site.role is Role.TURN:
            return self._hear_turn(passage, levels, result, exception)
        if site.role is not Role.HIT:
            return self._serve(passage, site.role, levels)
        frame = duration_s = None
        unheard = 0
        if passage.began:
            frame = frame_above(levels)
            began = passage.began.pop(_identity(frame), None)
            if type(began) is list:
                began, unheard = began
            duration_s = (self._elapsed() - began) / 1e9 if type(began) is int else None
        if passage.timed and duration_s is None:
            return _awaits(passage)
        if not passage.apart and (
            self.unread_ns >= self.budget_ns or passage.window_ns > passage.allowance_ns
        ):
            passage.fates[Fate.OVER_BUDGET] += 1
            passage.off = True
            return False
        if passage.tokens < 1 or passage.hits_left <= 0:
            if passage.hits_left > 0:
                passage.fates[Fate.RATE_LIMITED] += 1
            passage.off = True
            return False
        if passage.holds is None and passage.take is None:
            passage.hits_left -= 1
            passage.fates[Fate.CAPTURED] += 1
            return True
        frame = frame or frame_above(levels)
        scope = scope_of(frame, site.code or frame_code(frame), site.variables)
        if site.moment is not Moment.LINE or passage.timed:
            scope = call_scope(scope, site.moment, result, exception, duration_s)
        visit = Visit(scope, frame, site, result, exception, duration_s, unheard)
        return self._capture(passage, visit)

    def _hear_turn(
        self,
        passage: Passage,
        levels: int,
        result: object,
        exception: BaseException | None,
    ) -> bool:
        """Tell of what a generator gives out, or has thrown into it, if its beginning was
        seen."""
        if passage.began and passage.hear is not None:
            frame = frame_above(levels + 1)
            key = _identity(frame)
            began = passage.began.get(key)
            counted = began[1] if type(began) is list else None
            if exception is not None and began is not None:
                passage.hear(frame, Heard.THROWN, exception, counted)
            elif type(began) is list:
                began[1] += 1
            elif type(began) is int and not passage.hear(frame, Heard.GIVEN, result, None):
                passage.began[key] = [began, 0]
        return _awaits(passage)

    def _serve(self, passage: Passage, role: Role, levels: int) -> bool:
        """Take a passage through a site where the probe does not hit."""
        if role is Role.ENTRY:
            passage.entered += 1
            return passage.entered < MAX_ENTRIES and not passage.passed
        calls = passage.began
        if calls is not None:
            frame = _identity(frame_above(levels + 1))
            if role is Role.FORGET:
                calls.pop(frame, None)
                return _awaits(passage)
            if len(calls) >= MAX_OPEN_CALLS:
                passage.lost += _forget_oldest(calls)
            calls.pop(frame, None)  # to stand last, as the youngest
            calls[frame] = self._elapsed()
        return True

    def _capture(self, passage: Passage, visit: Visit) -> bool:
        try:
            if passage.holds is not None and not passage.holds(visit.scope):
                passage.fates[Fate.CONDITION_FALSE] += 1
                return True
            passage.tokens -= 1
            payload = passage.take(visit) if passage.take is not None else None
            if passage.opens is not None:
                passage.opens[_identity(visit.frame)] = self._elapsed()
        except Unknown as unknown:
            passage.fates[Fate.CONDITION_UNKNOWN] += 1
            note_unknown(passage, unknown)
            return True
        except Exception as error:
            passage.fates[Fate.DROPPED] += 1
            if type(error) is RecursionError or foreign(error):
                raise
            faults.count("capture", error)
            return True
        if payload is None or self.ring.put(self._record(passage, visit, payload)):
            passage.hits_left -= 1
            passage.fates[Fate.CAPTURED] += 1
        else:
            passage.fates[Fate.DROPPED] += 1
        return True

    def _record(self, passage: Passage, visit: Visit, payload: bytes) -> Record:
        trace, span = trace_of()
        now, thread = self._now(), get_ident()
        return Record(passage, visit.site, now, thread, payload, task_name(), trace, span)


def _events(site: Site) -> tuple[int, ...]:
    return _TURNS if site.role is Role.TURN else _MOMENTS[site.moment]


def _awaits(passage: Passage) -> bool:
    """Whether a passage that follows another one has anything to wait for."""
    if passage.follows is None or passage.began or not passage.follows.off:
        return True
    passage.off = True
    return False


def _forget_oldest(calls: dict[int, Any]) -> int:
    """Make room for calls that begin: generators that nobody has finished are never heard of
    again, and would take all of it in time. Returns how many were forgotten."""
    oldest = list(calls)[: MAX_OPEN_CALLS // 2]
    for frame in oldest:
        calls.pop(frame, None)
    return len(oldest)


def _put[V](table: dict[int, V], key: int, value: V) -> None:
    if value:
        table[key] = value
    else:
        table.pop(key, None)


def _is_origin(exception: BaseException, code: CodeType) -> bool:
    """Whether `exception` begins here, instead of passing through on its way out, and is the
    application's: what is raised on threads of ours, or in our code on others, is not."""
    if get_ident() in our_threads or code.co_filename.startswith(_OURS):
        return False
    traceback: Any = _traceback_of(exception)
    return traceback is None or traceback.tb_next is None


_traceback_of = BaseException.__dict__["__traceback__"].__get__
