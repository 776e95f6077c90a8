"""Whether all that is written in a probe can be read, before it is sent anywhere."""

from leadline.expression.condition import compile_condition
from leadline.expression.predicate import compile_predicate
from leadline.expression.template import compile_template
from leadline.expression.watch import compile_watch
from leadline.wire.probe import (
    CaptureProbe,
    ExceptionProbe,
    LogProbe,
    MetricProbe,
    Probe,
    SnapshotProbe,
)


def check_expressions(probe: Probe) -> None:
    """Compile condition, template, watches and predicate; raises `ExpressionError`."""
    if probe.condition is not None:
        compile_condition(probe.condition)
    match probe:
        case LogProbe():
            compile_template(probe.template)
        case MetricProbe():
            compile_watch(probe.expression)
        case SnapshotProbe() | ExceptionProbe():
            for watch in probe.watches:
                compile_watch(watch)
        case CaptureProbe():
            if probe.fails is not None:
                compile_predicate(probe.fails)
        case _:
            pass
