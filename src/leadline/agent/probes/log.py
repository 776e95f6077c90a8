"""The log probe: values of the template's expressions, and the text made of them.

On the application's thread only the values are captured; the text is put together later, on
the sender's.
"""

from leadline.agent.capture.outlet import opened
from leadline.agent.capture.tree import MAX_VALUE_BYTES, Room
from leadline.agent.capture.writing import write
from leadline.agent.core.passage import Plan, Reading, Taken, Visit
from leadline.agent.probes.compiled import Compiled, ready
from leadline.agent.probes.watching import values_of
from leadline.expression import compile_template
from leadline.wire.probe import LogProbe, Moment


def compile_log(probe: LogProbe) -> Compiled:
    """Raises `ExpressionError` when the template or the condition is not allowed."""
    template = compile_template(probe.template)
    placeholders, limits = template.placeholders, probe.capture

    def take(visit: Visit) -> bytes:
        values = values_of(placeholders, visit.scope, limits, Room(MAX_VALUE_BYTES))
        return write(values).encode("ascii")

    def read(payload: bytes) -> Reading:
        values = opened(payload)
        names = [placeholder.text for placeholder in placeholders]
        return Reading(template.render(values), dict(zip(names, values, strict=True)))

    return ready(
        probe,
        template.names,
        take,
        plan=Plan(Taken.LOG, placeholders, limits),
        read=read,
        began=probe.moment is Moment.EXIT,
    )
