"""The limits that time refills: each probe's rate and cost, and the process-wide budget.

Cost and budget are measured: the core adds up the processor time that probes really took of
the application's threads, and switches off what is reached when it is used up. A probe that has
used up its own is suspended at the next tick, and of all probes, when they have used up the
budget, the costliest. It tries again after a pause that doubles each time. Then it gets a tenth
of its limit for a tenth of a second, again and again: in a hot loop all of it would be used
within one request.
"""

from collections.abc import Sequence

from leadline.agent.core import Core
from leadline.agent.probes.compiled import allowance_ns
from leadline.agent.probes.standing import Standing
from leadline.wire.probe import Status
from leadline.wire.struct import replace

WINDOW_S = 1.0
"""Over which the budget is measured, and how often a switched-off probe is armed again."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
"""The budget holds without any pause, because the core stops at it within each second; pauses
keep a probe that is always too costly from taking all of it, second after second."""
ATTEMPT_SHARE = 0.1
"""Of the budget, for all probes from one tick to the next (a tenth of a second), while one of
them tries again, and of that one's own limit. It is suspended as soon as that is used up, and
is as it was before when that has not happened for a whole window."""
CALM_S = 60.0
"""After so long without a suspension the next one is a first one again."""


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
        self._relieved = False
        """Whether a probe was suspended since the window began, so that none else has to be."""

    def tick(self, now: float, armed: Sequence[Standing]) -> None:
        """Let time pass for the probes that are armed or suspended."""
        passed = min(now - self._last, WINDOW_S) if self._last else 0.0
        self._last = now
        for one in armed:
            if one.compiled is not None:
                one.compiled.passage.refill(one.probe.limits.rate_per_s * passed)
        spent = self._core.spent_ns()
        self._spent_ns += spent
        self._watch_attempts(now, armed, spent)
        self._watch_allowances(now, armed)
        self._watch_budget(now, armed)
        passed = now - self._window_began if self._window_began else WINDOW_S
        if passed >= WINDOW_S:
            self._window_began = now
            self._close_window(now, armed)
        self._allow(armed)
        left = max(0, self.whole_ns - self._spent_ns)
        share = int(self.whole_ns * ATTEMPT_SHARE)
        self._core.budget_ns = min(left, share) if self._attempts else left

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
                self._core.resume(passage)
            elif one.state.status is Status.ARMED and passage.off and passage.tokens >= 1:
                self._core.resume(passage)

    def _watch_attempts(self, now: float, armed: Sequence[Standing], spent: int) -> None:
        """Suspend again what used up more than its share since the last tick."""
        here = {one.probe.id: one for one in armed if one.state.status is Status.ARMED}
        for probe, began in list(self._attempts.items()):
            if probe not in here or now - began > WINDOW_S:
                del self._attempts[probe]
        trying = [here[probe] for probe in self._attempts]
        costliest = max(trying, key=_window_ns, default=None)
        if costliest and _window_ns(costliest) and spent > self.whole_ns * ATTEMPT_SHARE:
            why = f"tried again, it used {spent / 1e6:.1f} ms at once, and {self._allowed}"
            self._suspend(now, costliest, f"{why} in a second")

    def _watch_allowances(self, now: float, armed: Sequence[Standing]) -> None:
        """Suspend what has used up its own limit."""
        for one in armed:
            passage = one.compiled.passage if one.compiled is not None else None
            if passage is None or one.state.status is not Status.ARMED:
                continue
            if passage.window_ns > passage.allowance_ns:
                tried = "tried again, " if one.probe.id in self._attempts else ""
                used, allowed = passage.window_ns / 1e6, allowance_ns(one.probe) / 1e6
                why = f"{tried}it used {used:.3g} ms of a second, and its limit is {allowed:g}"
                self._suspend(now, one, why)

    def _watch_budget(self, now: float, armed: Sequence[Standing]) -> None:
        """Suspend the costliest when all together have used up the budget."""
        costliest = max(armed, key=_window_ns, default=None)
        if self._spent_ns < self.whole_ns or self._relieved or costliest is None:
            return
        if _window_ns(costliest):
            used = self._spent_ns / 1e6
            why = f"probes used {used:.3g} ms of a second, {self._allowed}, and this one "
            self._suspend(now, costliest, f"{why}used most")

    def _allow(self, armed: Sequence[Standing]) -> None:
        """Say what each probe may use until it is looked at again."""
        for one in armed:
            if one.compiled is None:
                continue
            passage, whole = one.compiled.passage, allowance_ns(one.probe)
            share = passage.window_ns + int(whole * ATTEMPT_SHARE)
            trying = one.probe.id in self._attempts
            passage.allowance_ns = min(whole, share) if trying else whole

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
            self._core.suspend(one.compiled.passage)
        reason = f"{why}; it tries again after {pause:.0f} s"
        one.state = replace(one.state, status=Status.SUSPENDED, reason=reason)


def _window_ns(one: Standing) -> int:
    return one.compiled.passage.window_ns if one.compiled is not None else 0
