"""The core in Python: every platform, no compiler, some microseconds a hit.

One INSTRUCTION callback serves all probes. The first pass through an armed code object calls
it once per instruction; all but the wanted offsets answer DISABLE and are never asked again.
"""

import sys
import time
from _thread import get_ident
from collections.abc import Callable, Sequence
from types import CodeType
from typing import Any

from leadline.agent.capture.frame import frame_above, scope_of
from leadline.agent.core.monitor import Monitor
from leadline.agent.core.passage import Passage, Record, Site
from leadline.agent.core.ring import Ring
from leadline.agent.guard import faults, foreign
from leadline.expression import Unknown
from leadline.wire.probe import Fate

BUDGET_NS = 10_000_000
"""1 % of one core: what all probes of a process together may use of each second."""

_INSTRUCTION = sys.monitoring.events.INSTRUCTION
_DISABLE = sys.monitoring.DISABLE

_identity = object.__hash__
"""Of a code object: its own hash walks all that is in it, and `id()` tells the audit hooks."""

type _Armed = tuple[Passage, Site]


class PureCore:
    """See `Core`. Arming and disarming happen under the registry's lock, hits anywhere."""

    name = "pure"

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._table: dict[int, dict[int, tuple[_Armed, ...]]] = {}
        self._ring = Ring()
        self._spent_ns = 0
        self._no_stack = 0
        self._now = time.time  # kept here: tests of applications replace time.time itself
        monitor.listen(_INSTRUCTION, self._entry())

    def arm(self, passage: Passage, sites: Sequence[Site]) -> None:
        passage.sites += tuple(sites)
        for site in sites:
            at = self._table.get(_identity(site.code), {})
            for offset in site.offsets:
                at = at | {offset: (*at.get(offset, ()), (passage, site))}
            self._table[_identity(site.code)] = at
            self._monitor.add(site.code, _INSTRUCTION)
            self._monitor.refresh(site.code)

    def disarm(self, passage: Passage) -> None:
        for site in passage.sites:
            left = {
                offset: kept
                for offset, armed in self._table.get(_identity(site.code), {}).items()
                if (kept := tuple(one for one in armed if one[0] is not passage))
            }
            if left:
                self._table[_identity(site.code)] = left
            else:
                self._table.pop(_identity(site.code), None)
                self._monitor.drop(site.code, _INSTRUCTION)
        passage.sites = ()

    def resume(self, passage: Passage) -> None:
        passage.off = False
        for site in passage.sites:
            self._monitor.refresh(site.code)

    def drain(self, most: int) -> list[Record]:
        return self._ring.take(most)

    def dropped(self) -> dict[str, int]:
        counts = {
            "buffer full": self._ring.full,
            "hit too large": self._ring.too_large,
            "no room on the stack": self._no_stack,
        }
        return {reason: count for reason, count in counts.items() if count}

    def spent_ns(self) -> int:
        spent, self._spent_ns = self._spent_ns, 0
        return spent

    def clear(self) -> None:
        self._ring = Ring()
        self._spent_ns = self._no_stack = 0

    def close(self) -> None:
        self._table.clear()
        self._monitor.close()

    def _entry(self) -> Callable[[CodeType, int], Any]:
        """The callback itself; names it needs are bound here, once."""
        table, clock = self._table, time.thread_time_ns

        def reached(code: CodeType, offset: int) -> Any:
            try:
                at = table.get(_identity(code))
                armed = at.get(offset) if at is not None else None
                if armed is None:
                    return _DISABLE
                started = clock()
                on = 0
                for passage, site in armed:
                    if not passage.off and self._pass(passage, site):
                        on += 1
                    ended = clock()
                    passage.cost_ns += ended - started
                    passage.window_ns += ended - started
                    self._spent_ns += ended - started
                    started = ended
                return None if on else _DISABLE
            except BaseException as error:
                if type(error) is RecursionError:  # no room for a call, not even to count it
                    self._no_stack += 1
                    return None
                if foreign(error):
                    raise
                faults.count("hit", error)
                return None

        return reached

    def _pass(self, passage: Passage, site: Site) -> bool:
        """Take one passage; returns whether the probe stays on at this place."""
        if self._spent_ns > BUDGET_NS:
            passage.fates[Fate.OVER_BUDGET] += 1
            passage.off = True
            return False
        if passage.tokens < 1 or passage.spent:
            if not passage.spent:
                passage.fates[Fate.RATE_LIMITED] += 1
            passage.off = True
            return False
        scope = scope_of(frame_above(2), site.code)
        if passage.holds is not None:
            try:
                if not passage.holds(scope):
                    passage.fates[Fate.CONDITION_FALSE] += 1
                    return True
            except Unknown as unknown:
                passage.fates[Fate.CONDITION_UNKNOWN] += 1
                passage.unknown = passage.unknown or unknown.reason
                return True
        passage.tokens -= 1
        try:
            payload = passage.take(scope)
        except Exception as error:
            passage.fates[Fate.DROPPED] += 1
            if type(error) is RecursionError or foreign(error):
                raise
            faults.count("capture", error)
            return True
        record = Record(passage, site, self._now(), get_ident(), payload)
        if self._ring.put(record):
            passage.hits_left -= 1
            passage.fates[Fate.CAPTURED] += 1
        else:
            passage.fates[Fate.DROPPED] += 1
        return True
