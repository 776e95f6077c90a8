"""What a live call came to, captured at its end without running code of the application.

The twin captures its rerun by the same function (`trial.running`), so that the two can be
compared value by value.
"""

from collections.abc import Callable, Iterator

from leadline.agent.capture.room import Room
from leadline.agent.capture.tree import capture
from leadline.agent.core.passage import NOTHING, Visit
from leadline.expression import Unknown
from leadline.trial.calls import parameters
from leadline.trial.outcome import outcome_of
from leadline.wire.messages import encode
from leadline.wire.probe import CaptureLimits
from leadline.wire.value import Value

OUTCOME_LIMITS = CaptureLimits(depth=8, items=1_000, text=4_096)
"""Far more than a person would look at: what is beyond is not compared, and counted."""
OUTCOME_BYTES = 120_000


def taker() -> Callable[[object], Value]:
    """Return what captures the values of one outcome, which share their room."""
    room = Room(OUTCOME_BYTES)

    def shown(value: object) -> Value:
        return capture(value, OUTCOME_LIMITS, room)

    return shown


def live_outcome(visit: Visit, names: tuple[str, ...]) -> bytes:
    """Return what the live call came to, at its end, as JSON of a `trial.outcome.Outcome`."""
    returned = visit.exception is None
    value = visit.exception if not returned else visit.result
    value = None if value is NOTHING else value
    return encode(outcome_of(returned, value, _arguments(visit, names), taker()))


def names_of(visit: Visit) -> tuple[str, ...]:
    """Return the parameters of the call."""
    return parameters(visit.site.code) if visit.site.code is not None else ()


def _arguments(visit: Visit, names: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    for name in names:
        try:
            yield name, visit.scope(name)
        except Unknown:  # the function has deleted it
            continue
