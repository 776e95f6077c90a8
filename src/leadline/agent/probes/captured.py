"""A call that was captured, and how it leaves the process: on our own thread."""

from types import CodeType
from typing import NamedTuple

from leadline.agent.capture import keeping, outlet
from leadline.agent.capture.outcomes import Written, opened, taker
from leadline.agent.capture.room import Room
from leadline.agent.core.passage import Site
from leadline.agent.probes.choosing import Shape
from leadline.agent.probes.listening import Listened, response_of
from leadline.agent.probes.turns import Turns, in_the_way, told_of
from leadline.wire.call import CallKind, CallView, Origin, size_words
from leadline.wire.gateway import RESPONSE
from leadline.wire.kept import Kept
from leadline.wire.value import render

CALL_OUTCOME_BYTES = 60_000
"""Of what one call came to: an application that hangs on an argument is not walked again."""
_MAX_MESSAGE = 200
_KINDS = {
    0x20: CallKind.GENERATOR,
    0x80: CallKind.COROUTINE,
    0x200: CallKind.ASYNC_GENERATOR,
}


class Begun(NamedTuple):
    """A call under way. It holds nothing of the application's but what cannot change."""

    kept: Kept
    shape: Shape
    callers: list[str]
    module: str
    at: float
    share: float
    site: Site
    turns: Turns | None
    listened: Listened | None
    depth: int

    @property
    def held(self) -> int:
        """Bytes of JSON."""
        if (turns := self.turns) is None:
            return self.kept.size + (self.listened.room if self.listened is not None else 0)
        return self.kept.size + turns.bytes + CALL_OUTCOME_BYTES - turns.room.left


class Ended(NamedTuple):
    """A call that was chosen, until our thread makes a hit of it."""

    begun: Begun
    returned: bool
    value: Written
    arguments: dict[str, Written]
    fails: bool | None
    unknown: str
    duration_s: float | None
    weight: int
    more: int = 0


def view_of(ended: Ended, home: Origin | None) -> CallView:
    """Make of a call what may leave the process; `home` says where its code is from."""
    begun = ended.begun
    code = begun.site.code
    assert code is not None  # noqa: S101 - of a function
    if begun.listened is not None:
        begun.listened.body.fill(begun.kept)
    kept = keeping.withhold(begun.kept)
    turns = begun.turns
    yields = turns.yields if turns is not None else []
    taken = {f"{index}": value for index, value in enumerate(yields)}
    written = {"": ended.value} | taken | ended.arguments
    if begun.listened is not None:
        written[RESPONSE] = response_of(begun.listened, taker(Room(CALL_OUTCOME_BYTES)))
    shown = outlet.values({name: opened(one) for name, one in written.items()})
    driven = told_of(turns) if turns is not None else []
    return CallView(
        entry=f"{begun.module}:{code.co_qualname}",
        kind=kind_of(code),
        returned=ended.returned,
        value=shown.pop(""),
        yields=[shown.pop(name) for name in taken],
        arguments=shown,
        fails=ended.fails,
        unknown=outlet.reason(ended.unknown),
        kept=kept.document,
        size=kept.size + (turns.bytes if turns is not None else 0),
        withheld=kept.withheld + [path for one in driven for path in one.withheld],
        obstacle=outlet.reason(kept.obstacle) or in_the_way(turns, code),
        callers=begun.callers,
        duration_s=ended.duration_s,
        home=home,
        more_yields=ended.more,
        turns=[one.turn for one in driven],
        depth=begun.depth,
    )


def kind_of(code: CodeType) -> CallKind:
    """Return what a call of the code gives to its caller."""
    for flag, kind in _KINDS.items():
        if code.co_flags & flag:
            return kind
    return CallKind.FUNCTION


def call_words(call: CallView) -> str:
    """Say in one line what a call came to, and how much of it there is."""
    name = call.entry.partition(":")[2]
    value = render(call.value, quoted=True)
    shown = value if len(value) <= _MAX_MESSAGE else f"{value[:_MAX_MESSAGE]}…"
    did = f"returned {shown}" if call.returned else f"raised {shown}"
    if call.closed:
        did = "was closed"
    if (count := len(call.yields) + call.more_yields) or call.closed:
        did += f" after {count} yield{'s' * (count != 1)}"
    kept = (
        f"kept {size_words(call.size)}"
        if call.kept is not None
        else f"not kept: {call.obstacle}"
    )
    return f"{name}(…) {did}, {kept}"
