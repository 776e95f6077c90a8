"""The limits that time refills: each probe's rate, and the process-wide budget.

The budget is measured: the core adds up the processor time that probes really took of the
application's threads. A second that used more than `BUDGET_NS` suspends the costliest probe;
it tries again after a pause that doubles each time. At first it gets no more than a tenth of
the budget in a tenth of a second: in a hot loop all of it would be used within one request.
"""

from collections.abc import Sequence

from leadline.agent.core import Core
from leadline.agent.core.passage import Passage
from leadline.agent.core.pure import BUDGET_NS
from leadline.agent.probes.standing import Standing
from leadline.wire.probe import Status
from leadline.wire.struct import replace

WINDOW_S = 1.0
"""Over which the budget is measured, and how often a switched-off probe is armed again."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
"""The budget holds without any pause, because the core stops at it within each second; pauses
keep a probe that is always too costly from taking all of it, second after second."""
ATTEMPT_S = 0.1
"""The time in which one that tries again may use its share of the budget. It is suspended as
soon as it wants more, and is as it was before when it has not for a whole window."""
CALM_S = 60.0
"""After so long without a suspension the next one is a first one again."""


class Budget:
    """Refills limits and suspends what costs too much; called under the registry's lock."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._last = 0.0
        self._window_began = 0.0
        self._pauses: dict[str, tuple[float, float]] = {}
        self._attempts: dict[str, float] = {}
        """Probes that try again, and when they began."""

    def tick(self, now: float, armed: Sequence[Standing]) -> None:
        """Let time pass for the probes that are armed or suspended."""
        passed = min(now - self._last, WINDOW_S) if self._last else 0.0
        self._last = now
        for one in armed:
            if one.compiled is None:
                continue
            one.compiled.passage.refill(one.probe.limits.rate_per_s * passed)
            if one.probe.id in self._attempts:
                self._watch_attempt(now, one, one.compiled.passage)
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
                self._attempts[one.probe.id] = now
                _allow_little(passage)
                self._core.resume(passage)
            elif one.state.status is Status.ARMED and passage.off and passage.tokens >= 1:
                self._core.resume(passage)

    def _watch_attempt(self, now: float, one: Standing, passage: Passage) -> None:
        """Let one that tries again go on for a little, or suspend it once more."""
        if one.state.status is not Status.ARMED:
            del self._attempts[one.probe.id]
        elif passage.off and passage.hits_left > 0:
            self._suspend(now, one, 0)
        elif now - self._attempts[one.probe.id] >= WINDOW_S:
            del self._attempts[one.probe.id]
        else:
            _allow_little(passage)

    def _suspend(self, now: float, one: Standing, spent: int) -> None:
        """Take a probe out for a while: it used most, or too much when it tried again."""
        until, last = self._pauses.get(one.probe.id, (0.0, 0.0))
        again = last > 0 and now - until < CALM_S
        pause = min(2 * last, LONGEST_PAUSE_S) if again else FIRST_PAUSE_S
        self._pauses[one.probe.id] = (now + pause, pause)
        if one.compiled is not None:
            self._core.suspend(one.compiled.passage)
        allowed = f"{BUDGET_NS / 1e6:.0f}"
        if self._attempts.pop(one.probe.id, None) is None:
            why = f"probes used {spent / 1e6:.0f} ms of a second, {allowed} are allowed, and this "
            why += "one used most"
        else:
            why = "when it tried again it used more than its share of the "
            why += f"{allowed} ms of a second that are allowed"
        reason = f"{why}; it tries again after {pause:.0f} s"
        one.state = replace(one.state, status=Status.SUSPENDED, reason=reason)


def _allow_little(passage: Passage) -> None:
    """Leave a probe no more passages than cost its share of the budget, as it was seen to."""
    passages = sum(passage.fates.values())
    each_ns = max(1.0, passage.cost_ns / passages) if passages else 1.0
    passage.tokens = min(passage.tokens, max(1.0, BUDGET_NS * ATTEMPT_S / each_ns))


def _window_ns(one: Standing) -> int:
    return one.compiled.passage.window_ns if one.compiled is not None else 0
