"""The timer: how long a call takes, or the way from one line to another within one call."""

from collections import deque

from leadline.agent.core.passage import MAX_SAMPLES, Plan, Taken, Visit
from leadline.agent.probes.compiled import Compiled, ready
from leadline.wire.probe import TimerProbe


def compile_timer(probe: TimerProbe) -> Compiled:
    """Raises `ExpressionError` when the condition is not allowed."""
    samples: deque[float] = deque()

    def take(visit: Visit) -> None:
        if visit.duration_s is not None and len(samples) < MAX_SAMPLES:
            samples.append(visit.duration_s)
        else:
            compiled.passage.lost += 1

    compiled = ready(
        probe,
        frozenset(),
        take,
        plan=Plan(Taken.TIMER),
        samples=samples,
        began=True,
        timed=True,
    )
    return compiled
