"""How busy each instance is just now: its hits of the last minute, and what its probes cost.

Nothing of it is stored; it begins anew with the server. What has been counted is asked for
together with the instances, by a page that shows many of them at once.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable

from leadline.wire.hit import Report
from leadline.wire.struct import dataclass

SECONDS = 60
"""How far back it goes."""
RATE_S = 10
"""Over which a rate is told: short enough to be now, long enough not to flicker."""
BUDGET_SHARE = 0.01
"""Of one core, what the agent allows all probes of a process: `agent.core.pure.BUDGET_NS`."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One instance in the last minute.

    `recent` counts hits by second, the oldest first; `hits_per_s` is over the last ten seconds,
    and so is `budget_used`, the share of what the process allows its probes (1.0 is all of it).
    """

    recent: tuple[int, ...] = (0,) * SECONDS
    hits_per_s: float = 0.0
    budget_used: float = 0.0


STILL = Beat()


class Pulse:
    """Lives as long as the server does. Every method may be called from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._hits: dict[str, Counter[int]] = {}
        self._cost_ns: dict[str, Counter[int]] = {}
        self._costs_seen: dict[str, dict[str, int]] = {}
        self._swept = 0

    def reported(self, report: Report, stored: int) -> None:
        """Note so many new hits, and what probes have cost since the report before.

        The first word about a probe does not say in how much time it cost that.
        """
        if not stored and not report.states:
            return
        now, instance = int(self._clock()), report.instance.id
        with self._lock:
            if stored:
                self._hits.setdefault(instance, Counter())[now] += stored
            seen = self._costs_seen.setdefault(instance, {})
            for state in report.states:
                before = seen.get(state.probe, state.cost_ns)
                seen[state.probe] = state.cost_ns
                if state.cost_ns > before:
                    costs = self._cost_ns.setdefault(instance, Counter())
                    costs[now] += state.cost_ns - before
            self._sweep(now)

    def left(self, instance: str) -> None:
        """Forget an instance that is gone."""
        with self._lock:
            for kept in (self._hits, self._cost_ns, self._costs_seen):
                kept.pop(instance, None)

    def beat(self, instance: str) -> Beat:
        """Return how busy an instance is; the second that is not over yet does not count."""
        now = int(self._clock())
        with self._lock:
            hits, costs = self._hits.get(instance), self._cost_ns.get(instance)
            if hits is None and costs is None:
                return STILL
            recent = tuple(hits[second] if hits else 0 for second in range(now - SECONDS, now))
            spent = sum(costs[second] for second in range(now - RATE_S, now)) if costs else 0
        return Beat(recent, sum(recent[-RATE_S:]) / RATE_S, spent / 1e9 / RATE_S / BUDGET_SHARE)

    def _sweep(self, now: int) -> None:
        """Let go of seconds that nobody asks for any more, once a second."""
        if now == self._swept:
            return
        self._swept = now
        for kept in (self._hits, self._cost_ns):
            for instance, counts in list(kept.items()):
                for second in [one for one in counts if one < now - SECONDS]:
                    del counts[second]
                if not counts:
                    del kept[instance]
