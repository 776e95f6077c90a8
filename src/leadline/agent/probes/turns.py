"""What a generator gave out between its beginning and its end, and what its caller did to it.

Taken on the application's thread, turn by turn, within the room of one call. What an
asynchronous generator awaits is none of it: only what it gives out is wrapped by the
interpreter. A generator that its caller leaves may end without a word; that it is gone is seen
here, on a thread of ours.
"""

import opcode
from types import CodeType, FrameType
from typing import Any, NamedTuple

from leadline import native
from leadline.agent.capture import keeping, outlet
from leadline.agent.capture.landmarks import Landmarks
from leadline.agent.capture.outcomes import Written, writer
from leadline.agent.capture.room import Room
from leadline.agent.capture.wrapped import is_wrapped, unwrapped
from leadline.agent.core.passage import Heard
from leadline.expression.fuel import refuel
from leadline.expression.layout import layout_of
from leadline.wire.call import MAX_YIELDS, Turn, TurnKind
from leadline.wire.kept import MAX_CALL_BYTES, Kept

TURNS_NS = 3_000_000
"""Of the application's thread, for all turns of one call."""
MAX_SENT = 100
"""Values sent or thrown into one call: without all of them it is another call."""
GONE_S = 1.0
"""A generator that is let go of still runs its `finally`, and says so, within this."""
ROOT = "sent"
"""The name of what was sent, in a document by itself."""

_CO_ASYNC_GENERATOR = 0x200
_YIELD, _RESUME, _POP = (opcode.opmap[name] for name in ("YIELD_VALUE", "RESUME", "POP_TOP"))
_AFTER_AWAIT, _WHERE = 3, 3
"""The argument of a `RESUME`, and which bits of it tell what it comes after."""
_TOO_MUCH = f"more than {MAX_SENT} values were sent into it"
_UNCOUNTED = "it was left, and nobody has told after how many values"
_DELEGATED = "what it gave out while it delegated to another was not seen"
_WAITED = "an exception came to it while it waited: {}"
_UNSEEN = "what was sent into it is seen by the core in C only"


class Driven(NamedTuple):
    """A turn that was not the plain next one: what was sent or thrown after so many yields."""

    after: int
    kind: TurnKind
    kept: Kept | None = None


class Turns:
    """Those of one call. Holds nothing of the application's but what cannot change."""

    def __init__(self, frame: FrameType, code: CodeType, room: int) -> None:
        self.yields: list[Written] = []
        self.driven: list[Driven] = []
        self.room = Room(room)
        self.bytes = 0
        """Of JSON, of what was sent."""
        self.obstacle = ""
        self._more = 0
        self.left_ns = TURNS_NS
        """Of the application's thread; who calls `hear` takes it off."""
        self._is_async = bool(code.co_flags & _CO_ASYNC_GENERATOR)
        self._waits = False
        self.written = writer(self.room)
        core = native.core()
        self._generator = core.generator_of(frame) if core is not None else None
        self._gone_at = 0.0

    def hear(self, heard: int, value: Any, counted: int, landmarks: Landmarks) -> bool:
        """Take one turn; returns whether more of what is given out is wanted. `counted` is how
        much was not told since it is not."""
        refuel()
        if heard == Heard.GIVEN:
            self._give(value)
        elif not self.obstacle:
            after = len(self.yields) + self.more(counted)
            self._drive(heard, value, after, landmarks)
        return self._is_async or not self._more  # the core counts what is awaited, too

    def is_gone(self, now: float) -> bool:
        """Tell whether it is over and will not say so. On a thread of ours."""
        core = native.core()
        if self._generator is None or core is None or not core.is_over(self._generator):
            return False
        self._gone_at = self._gone_at or now
        return now - self._gone_at >= GONE_S

    def more(self, counted: int) -> int:
        """Return how much of what it has given out was not taken."""
        return self._more + counted

    def close(self) -> None:
        """Note that it was left, where nobody has told."""
        if self._more and not self._is_async:
            self.obstacle = self.obstacle or _UNCOUNTED
        if not self.driven or self.driven[-1].kind is not TurnKind.CLOSE:
            self.driven.append(Driven(len(self.yields) + self._more, TurnKind.CLOSE))

    def _give(self, value: Any) -> None:
        if self._is_async:
            self._waits = not is_wrapped(value)
            if self._waits:
                return
            value = unwrapped(value)
        if len(self.yields) >= MAX_YIELDS or self.left_ns <= 0:
            self._more += 1
            return
        self.yields.append(self.written(value))

    def _drive(self, heard: int, value: Any, after: int, landmarks: Landmarks) -> None:
        if self.driven and self.driven[-1].after == after:
            self.obstacle = _DELEGATED
            return
        if heard == Heard.THROWN and type(value) is GeneratorExit:
            self.driven.append(Driven(after, TurnKind.CLOSE))
            return
        if heard == Heard.THROWN and self._waits:
            self.obstacle = _WAITED.format(layout_of(type(value)).name)
            return
        if len(self.driven) >= MAX_SENT or self.left_ns <= 0:
            self.obstacle = _TOO_MUCH
            return
        kept = keeping.keep(
            [(ROOT, value)],
            MAX_CALL_BYTES - self.bytes,
            landmarks,
            leaves_out=True,
            surrounded=False,
            within_ns=self.left_ns,
            as_json=True,
        )
        self.bytes += kept.size
        kind = TurnKind.SEND if heard == Heard.SENT else TurnKind.THROW
        self.driven.append(Driven(after, kind, kept))
        self.obstacle = kept.obstacle


def unseen_sends(code: CodeType) -> str:
    """Return why nobody knows what was sent into a generator, where that may matter to it and
    is not seen; empty otherwise."""
    return _UNSEEN if native.core() is None and _asks(code) else ""


def _asks(code: CodeType) -> bool:
    """Tell whether any `yield` of a generator's is used as a value."""
    steps = code.co_code
    for at in range(0, len(steps) - 5, 2):
        if steps[at] != _YIELD or steps[at + 2] != _RESUME or steps[at + 4] == _POP:
            continue
        if not (code.co_flags & _CO_ASYNC_GENERATOR and steps[at + 3] & _WHERE == _AFTER_AWAIT):
            return True
    return False


class Told(NamedTuple):
    """A turn as it may leave, and what of it was held back."""

    turn: Turn
    withheld: list[str]


def told_of(turns: Turns) -> list[Told]:
    """Return what of the turns may leave the process."""
    told = []
    for one in turns.driven:
        kept = keeping.withhold(one.kept) if one.kept is not None else None
        told.append(
            Told(
                Turn(one.after, one.kind, kept.document if kept is not None else None),
                kept.withheld if kept is not None else [],
            )
        )
    return told


def in_the_way(turns: Turns | None, code: CodeType) -> str:
    """Return why a generator cannot be driven again as it was."""
    if turns is None:
        return ""
    return outlet.reason(turns.obstacle) or unseen_sends(code)
