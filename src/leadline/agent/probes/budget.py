"""The limits that time refills: each probe's rate and cost, and the process-wide budget.

Cost and budget are measured: the core adds up the processor time that probes really took of
the application's threads, and switches off what is reached when it is used up. A probe that has
used up its own is suspended at the next tick, and of all probes, when they have used up the
budget, the costliest. It tries again after a pause that doubles each time. From then on it gets
a tenth of the limit for a tenth of a second, again and again, until it has been calm for a
minute: in a hot loop all of it would be used within one request.
"""

from collections.abc import Sequence

from leadline.agent.core import Core
from leadline.agent.probes.compiled import Compiled, allowance_ns
from leadline.agent.probes.standing import Standing
from leadline.wire.probe import Fate, Status
from leadline.wire.struct import replace

WINDOW_S = 1.0
"""Over which the budget is measured, and how often a switched-off probe is armed again."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
"""The budget holds without any pause, because the core stops at it within each second; pauses
keep a probe that is always too costly from taking all of it, second after second."""
ATTEMPT_SHARE = 0.1
"""Of the budget, or of a smaller limit of its own, for a probe that tries again, from one tick
to the next (a tenth of a second). It is suspended as soon as that is used up."""
ATTEMPT_HITS = 3
"""Hits that it may have in any case, of those that are looked at: where one is long, it is no
hot loop yet."""
_PASSED = (Fate.RATE_LIMITED, Fate.OVER_BUDGET)
"""What becomes of a hit that is not looked at."""
CALM_S = 60.0
"""After so long without a suspension a probe is as it was before the first one."""


class Budget:
    """Refills limits and suspends what costs too much; called under the registry's lock."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.whole_ns = core.budget_ns
        """What all probes together may use of each second."""
        self._spent_ns = 0
        self._last = 0.0
        self._window_began = 0.0
        self._pauses: dict[str, tuple[float, float]] = {}
        """Until when a probe is suspended, or was the last time, and for how long."""
        self._attempts: dict[str, float] = {}
        """Probes that try again, and when they began."""
        self._marks: dict[str, int] = {}
        """What these had used of the window when they were last looked at."""
        self._relieved = False
        """Whether a probe was suspended since the window began, so that none else has to be."""

    def tick(self, now: float, armed: Sequence[Standing]) -> None:
        """Let time pass for the probes that are armed or suspended."""
        passed = min(now - self._last, WINDOW_S) if self._last else 0.0
        self._last = now
        for one in armed:
            if one.compiled is not None:
                one.compiled.passage.refill(one.probe.limits.rate_per_s * passed)
        self._spent_ns += self._core.spent_ns()
        for one in armed:  # the ends of calls are paid later, so that none is cut off
            if one.compiled is not None and one.compiled.following is not None:
                owed = one.compiled.following.owed_ns()
                one.compiled.passage.window_ns += owed
                self._spent_ns += owed
        self._watch_allowances(now, armed)
        self._watch_budget(now, armed)
        passed = now - self._window_began if self._window_began else WINDOW_S
        if passed >= WINDOW_S:
            self._window_began = now
            self._close_window(now, armed)
        self._allow(now, armed)
        self._core.budget_ns = max(0, self.whole_ns - self._spent_ns)

    def _close_window(self, now: float, armed: Sequence[Standing]) -> None:
        """Begin another second, in which what was off for this one is on again."""
        self._spent_ns = 0
        self._relieved = False
        for one in armed:
            if one.compiled is None:
                continue
            passage = one.compiled.passage
            passage.window_ns = 0
            if one.state.status is Status.SUSPENDED:
                if now < self._pauses[one.probe.id][0]:
                    continue
                one.state = replace(one.state, status=Status.ARMED, reason="")
                self._attempts[one.probe.id] = now
                self._resume(one.compiled)
            elif one.state.status is Status.ARMED and passage.off and passage.tokens >= 1:
                self._resume(one.compiled)

    def _resume(self, compiled: Compiled) -> None:
        """Switch a probe on again, and before it what sees the ends of its calls."""
        for passage in reversed(compiled.passages):
            if passage.off:
                if passage is compiled.witness and compiled.following is not None:
                    compiled.following.forget()
                self._core.resume(passage)

    def _watch_allowances(self, now: float, armed: Sequence[Standing]) -> None:
        """Suspend what has used up its own limit, or its share of an attempt."""
        for one in armed:
            passage = one.compiled.passage if one.compiled is not None else None
            if passage is None or one.state.status is not Status.ARMED:
                continue
            if passage.window_ns <= passage.allowance_ns:
                continue
            used, limit = passage.window_ns, allowance_ns(one.probe)
            if used > limit:
                tried = "tried again, " if one.probe.id in self._attempts else ""
                why = (
                    f"it used {used / 1e6:.3g} ms of a second, and its limit is {limit / 1e6:g}"
                )
                self._suspend(now, one, tried + why)
            else:
                used -= self._marks.get(one.probe.id, 0)
                why = f"tried again, it used {used / 1e6:.3g} ms at once, and {self._allowed}"
                self._suspend(now, one, f"{why} in a second")

    def _watch_budget(self, now: float, armed: Sequence[Standing]) -> None:
        """Suspend the costliest when all together have used up the budget."""
        costliest = max(armed, key=_window_ns, default=None)
        if self._spent_ns < self.whole_ns or self._relieved or costliest is None:
            return
        if _window_ns(costliest):
            used = self._spent_ns / 1e6
            why = f"probes used {used:.3g} ms of a second, {self._allowed}, and this one "
            self._suspend(now, costliest, f"{why}used most")

    def _allow(self, now: float, armed: Sequence[Standing]) -> None:
        """Say what each probe may use until it is looked at again."""
        here = {one.probe.id for one in armed}
        for probe, began in list(self._attempts.items()):
            if probe not in here or now - began > CALM_S:
                del self._attempts[probe]
        self._marks.clear()
        for one in armed:
            if one.compiled is None:
                continue
            passage, limit = one.compiled.passage, allowance_ns(one.probe)
            passage.allowance_ns = limit
            if one.compiled.following is not None:
                one.compiled.following.allow(min(limit, self.whole_ns))
            if one.probe.id in self._attempts:
                self._marks[one.probe.id] = passage.window_ns
                share = int(min(limit, self.whole_ns) * ATTEMPT_SHARE)
                fates = passage.fates.items()
                looked = sum(count for fate, count in fates if fate not in _PASSED)
                hits = ATTEMPT_HITS * passage.cost_ns // max(1, looked)
                passage.allowance_ns = min(limit, passage.window_ns + max(share, hits))

    @property
    def _allowed(self) -> str:
        return f"{self.whole_ns / 1e6:g} are allowed"

    def _suspend(self, now: float, one: Standing, why: str) -> None:
        until, last = self._pauses.get(one.probe.id, (0.0, 0.0))
        again = last > 0 and now - until < CALM_S
        pause = min(2 * last, LONGEST_PAUSE_S) if again else FIRST_PAUSE_S
        self._pauses[one.probe.id] = (now + pause, pause)
        self._attempts.pop(one.probe.id, None)
        self._relieved = True
        if one.compiled is not None:
            for passage in one.compiled.passages:
                if passage is one.compiled.passage or one.compiled.following is not None:
                    self._core.suspend(passage)
        reason = f"{why}; it tries again after {pause:.0f} s"
        one.state = replace(one.state, status=Status.SUSPENDED, reason=reason)


def _window_ns(one: Standing) -> int:
    return one.compiled.passage.window_ns if one.compiled is not None else 0
