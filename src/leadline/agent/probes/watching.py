"""Values of expressions as they are captured with a hit, in order."""

from collections.abc import Sequence

from leadline.agent.capture.frame import Scope
from leadline.agent.capture.tree import Room, capture
from leadline.expression import Placeholder, Redacted, Unknown, Watch
from leadline.wire.limits import CaptureLimits
from leadline.wire.value import Omission, Value

MAX_REASON_CHARS = 300
"""A reason is one sentence, but the names in it are the application's and can be long."""


def values_of(
    watches: Sequence[Watch | Placeholder], scope: Scope, limits: CaptureLimits, room: Room
) -> list[Value]:
    """Return a captured value for each of `watches`; where there is none, the reason."""
    values: list[Value] = []
    for watch in watches:
        try:
            value = watch.evaluate(scope, more=bool(values))
            values.append(capture(value, limits, room))
        except Redacted as secret:
            values.append({"type": "?", "omitted": Omission.REDACTED, "rule": secret.rule})
        except Unknown as unknown:
            reason = room.text(unknown.reason[:MAX_REASON_CHARS])
            values.append({"type": "?", "omitted": Omission.UNKNOWN, "rule": reason})
    return values
