"""The metric: the numbers that an expression has at a place, for their sum and distribution."""

from collections import deque

from leadline.agent.core.passage import MAX_SAMPLES, Plan, Taken, Visit
from leadline.agent.probes.compiled import Compiled, ready
from leadline.expression import Unknown, compile_watch
from leadline.expression.layout import layout_of
from leadline.wire.probe import MetricProbe, Moment


def compile_metric(probe: MetricProbe) -> Compiled:
    """Raises `ExpressionError` when the expression or the condition is not allowed."""
    watch = compile_watch(probe.expression)
    samples: deque[float] = deque()

    def take(visit: Visit) -> None:
        value = _number(watch.evaluate(visit.scope))
        if len(samples) < MAX_SAMPLES:
            samples.append(value)
        else:
            compiled.passage.lost += 1

    compiled = ready(
        probe,
        watch.names,
        take,
        plan=Plan(Taken.METRIC, (watch,)),
        samples=samples,
        began=probe.moment is Moment.EXIT,
    )
    return compiled


def _number(value: object) -> float:
    """Return a finite number as a float; raises `Unknown` for anything else."""
    layout = layout_of(type(value))
    try:
        if layout.base is int or type(value) is bool:
            number = int.__float__(value)  # type: ignore[arg-type]
        elif layout.base is float:
            number = float.__float__(value)  # type: ignore[arg-type]
        else:
            raise Unknown(f"the expression is a {layout.name} here, not a number")
    except OverflowError:
        raise Unknown("the expression is too large a number here") from None
    if number - number != 0:
        raise Unknown("the expression is not a finite number here")
    return number
