"""What a live call came to, captured at its end without running code of the application.

The twin captures its rerun by the same function (`trial.running`), so that the two can be
compared value by value.
"""

from collections.abc import Callable, Iterator

from leadline.agent.capture.room import Room
from leadline.agent.capture.tree import Walk
from leadline.agent.core.passage import NOTHING, Visit
from leadline.expression import Unknown
from leadline.expression.layout import Layout, layout_of
from leadline.trial.calls import parameters
from leadline.trial.outcome import RESOURCE, Outcome, outcome_of
from leadline.trial.printed import standard_name
from leadline.wire.limits import CaptureLimits
from leadline.wire.messages import encode
from leadline.wire.value import Omission, Value

OUTCOME_LIMITS = CaptureLimits(depth=8, items=1_000, text=4_096)
"""Far more than a person would look at: what is beyond is not compared, and counted."""
OUTCOME_BYTES = 120_000
_RESOURCES = tuple(
    f"{module}."
    for module in """
        threading _thread _queue queue concurrent.futures asyncio _asyncio uvloop selectors
        select socket _socket ssl _ssl sqlite3 _io weakref _weakref _contextvars
        multiprocessing subprocess gevent greenlet
    """.split()
)
"""What these modules make belongs to one process, and so does what is derived from it, but for
exceptions and enumerations."""
_STREAM = "_io._IOBase"
_PLAIN = frozenset(
    """
    _io.StringIO _io.BytesIO _io._IOBase _io._TextIOBase _io._BufferedIOBase sqlite3.Row
    """.split()
)


class OutcomeWalk(Walk):
    """A capture that does not look into what belongs to its process: a copy of the process has
    other threads and connections, and a rerun makes some anew."""

    __slots__ = ()

    def take(self, value: object, level: int) -> Value:
        layout = layout_of(type(value))
        name = standard_name(value) if _STREAM in layout.names else ""
        if name or _is_resource(layout):
            name = name or layout.name
            self.room.node(name)
            return {"type": name, "omitted": Omission.OPAQUE, "rule": RESOURCE}
        return super().take(value, level)


def _is_resource(layout: Layout) -> bool:
    names = layout.names
    if layout.is_enum or "builtins.BaseException" in names:
        return False
    return any(one.startswith(_RESOURCES) and one not in _PLAIN for one in names)


def taker(within: Room | None = None) -> Callable[[object], Value]:
    """Return what captures the values of one outcome, which share their room."""
    room = within or Room(OUTCOME_BYTES)

    def shown(value: object) -> Value:
        if room.left <= 0:
            return {"type": "?", "omitted": Omission.ROOM}
        return OutcomeWalk(OUTCOME_LIMITS, room).take(value, 0)

    return shown


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
