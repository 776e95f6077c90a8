"""The counter: how often a place is passed. The core counts; there is nothing to take."""

from leadline.agent.probes.compiled import Compiled, ready
from leadline.wire.probe import CounterProbe, Moment


def compile_counter(probe: CounterProbe) -> Compiled:
    """Raises `ExpressionError` when the condition is not allowed."""
    return ready(probe, frozenset(), None, began=probe.moment is Moment.EXIT)
