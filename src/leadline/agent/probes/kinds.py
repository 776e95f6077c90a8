"""From what was asked for to what the core takes: one line a kind."""

from leadline.agent.probes.compiled import Compiled
from leadline.agent.probes.counter import compile_counter
from leadline.agent.probes.exception import compile_exception
from leadline.agent.probes.log import compile_log
from leadline.agent.probes.metric import compile_metric
from leadline.agent.probes.snapshot import compile_snapshot
from leadline.agent.probes.timer import compile_timer
from leadline.wire.errors import InternalError
from leadline.wire.probe import (
    CaptureProbe,
    CounterProbe,
    ExceptionProbe,
    LogProbe,
    MetricProbe,
    Probe,
    SnapshotProbe,
    TimerProbe,
    TwinProbe,
)


def compile_probe(probe: Probe) -> Compiled:
    """Raises `ExpressionError` when something that is written in the probe is not allowed."""
    match probe:
        case LogProbe():
            return compile_log(probe)
        case SnapshotProbe():
            return compile_snapshot(probe)
        case CounterProbe():
            return compile_counter(probe)
        case MetricProbe():
            return compile_metric(probe)
        case TimerProbe():
            return compile_timer(probe)
        case ExceptionProbe():
            return compile_exception(probe)
        case TwinProbe() | CaptureProbe():
            raise InternalError("These are made by `making`.")
