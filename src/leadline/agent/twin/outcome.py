"""What a live call came to, captured at its end without running code of the application.

The twin captures its rerun by the same function (`trial.running`), so that the two can be
compared value by value.
"""

from collections.abc import Callable, Iterator

from leadline.agent.capture import outcomes
from leadline.agent.capture.outcomes import OutcomeWalk
from leadline.agent.capture.room import Room
from leadline.agent.core.passage import NOTHING, Visit
from leadline.expression import Unknown
from leadline.trial.calls import parameters
from leadline.trial.outcome import Outcome, outcome_of
from leadline.wire.messages import encode
from leadline.wire.value import Value

__all__ = ["OutcomeWalk", "live_outcome", "names_of", "outcome_at", "taker"]

OUTCOME_BYTES = 120_000


def taker(within: Room | None = None) -> Callable[[object], Value]:
    """Return what captures the values of one outcome, which share their room."""
    return outcomes.taker(within or Room(OUTCOME_BYTES))


def live_outcome(visit: Visit, names: tuple[str, ...]) -> bytes:
    """Return what the live call came to, at its end, as JSON of a `trial.outcome.Outcome`."""
    return encode(outcome_at(visit, names, Room(OUTCOME_BYTES)))


def outcome_at(visit: Visit, names: tuple[str, ...], room: Room) -> Outcome:
    """Return what the live call came to, at its end, with the `room` that there is for it."""
    returned = visit.exception is None
    value = visit.exception if not returned else visit.result
    value = None if value is NOTHING else value
    return outcome_of(returned, value, _arguments(visit, names), taker(room))


def names_of(visit: Visit) -> tuple[str, ...]:
    """Return the parameters of the call."""
    return parameters(visit.site.code) if visit.site.code is not None else ()


def _arguments(visit: Visit, names: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    for name in names:
        try:
            yield name, visit.scope(name)
        except Unknown:  # the function has deleted it
            continue
