"""The limits that time refills: each probe's rate, and the process-wide budget.

The budget is measured: the core adds up the processor time that probes really took of the
application's threads. A second that used more than `BUDGET_NS` suspends the costliest probe;
it tries again after a pause that doubles each time.
"""

from collections.abc import Sequence
from dataclasses import replace

from leadline.agent.core import Core
from leadline.agent.core.pure import BUDGET_NS
from leadline.agent.probes.standing import Standing
from leadline.wire.probe import Status

WINDOW_S = 1.0
"""Over which the budget is measured, and how often a switched-off probe is armed again."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
"""The budget holds without any pause, because the core stops at it within each second; pauses
keep a probe that is always too costly from taking all of it, second after second."""
CALM_S = 60.0
"""After so long without a suspension the next one is a first one again."""


class Budget:
    """Refills limits and suspends what costs too much; called under the registry's lock."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._last = 0.0
        self._window_began = 0.0
        self._pauses: dict[str, tuple[float, float]] = {}

    def tick(self, now: float, armed: Sequence[Standing]) -> None:
        """Let time pass for the probes that are armed or suspended."""
        passed = min(now - self._last, WINDOW_S) if self._last else 0.0
        self._last = now
        for one in armed:
            if one.compiled is not None:
                one.compiled.passage.refill(one.probe.limits.rate_per_s * passed)
        passed = now - self._window_began if self._window_began else WINDOW_S
        if passed >= WINDOW_S:
            self._window_began = now
            self._close_window(now, armed, seconds=passed)

    def _close_window(self, now: float, armed: Sequence[Standing], *, seconds: float) -> None:
        """Look at what was spent in so many seconds; without probes nobody looks for long."""
        spent = self._core.spent_ns()
        costliest = max(armed, key=_window_ns, default=None)
        if spent > BUDGET_NS * seconds and costliest is not None and _window_ns(costliest):
            self._suspend(now, costliest, spent)
        for one in armed:
            if one.compiled is None:
                continue
            passage = one.compiled.passage
            passage.window_ns = 0
            if one.state.status is Status.SUSPENDED:
                if now < self._pauses[one.probe.id][0]:
                    continue
                one.state = replace(one.state, status=Status.ARMED, reason="")
                self._core.resume(passage)
            elif one.state.status is Status.ARMED and passage.off and passage.tokens >= 1:
                self._core.resume(passage)

    def _suspend(self, now: float, one: Standing, spent: int) -> None:
        until, last = self._pauses.get(one.probe.id, (0.0, 0.0))
        again = last > 0 and now - until < CALM_S
        pause = min(2 * last, LONGEST_PAUSE_S) if again else FIRST_PAUSE_S
        self._pauses[one.probe.id] = (now + pause, pause)
        if one.compiled is not None:
            self._core.suspend(one.compiled.passage)
        one.state = replace(
            one.state,
            status=Status.SUSPENDED,
            reason=f"probes used {spent / 1e6:.0f} ms of a second, {BUDGET_NS / 1e6:.0f} are "
            f"allowed, and this one used most; it tries again after {pause:.0f} s",
        )


def _window_ns(one: Standing) -> int:
    return one.compiled.passage.window_ns if one.compiled is not None else 0
