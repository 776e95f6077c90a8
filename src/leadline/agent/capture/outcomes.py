"""What a call came to, as it is captured to be compared: far more of it than a person would
look at, and nothing of what belongs to its process."""

import json
from collections.abc import Callable

from leadline import native
from leadline.agent.capture.resources import STREAM, is_resource
from leadline.agent.capture.room import Room
from leadline.agent.capture.shapes import walk_by
from leadline.agent.capture.tree import Walk
from leadline.expression.layout import layout_of
from leadline.trial.gateway import STAND_INS, words_of
from leadline.trial.outcome import ABSENT
from leadline.trial.printed import standard_name
from leadline.trial.response import Response
from leadline.wire.gateway import RESPONSE_CLASS
from leadline.wire.limits import CaptureLimits
from leadline.wire.value import RESOURCE, Omission, Value

OUTCOME_LIMITS = CaptureLimits(depth=8, items=1_000, text=4_096)
"""What is beyond is not compared, and counted."""
type Written = Value | bytes
"""A captured value, or the JSON of one: there are no other bytes among values."""


class OutcomeWalk(Walk):
    """A capture that does not look into what belongs to its process: a copy of the process has
    other threads and connections, and a rerun makes some anew."""

    __slots__ = ()

    def take(self, value: object, level: int) -> Value:
        kind = type(value)
        if type(value) is Response:
            return self.response(value, level + 1)
        if kind in STAND_INS:
            name, whose = words_of(value)
            return {"type": name, "omitted": Omission.OPAQUE, "rule": ABSENT, "text": whose}
        layout = layout_of(kind)
        name = standard_name(value) if STREAM in layout.names else ""
        if name or is_resource(layout):
            name = name or layout.name
            self.room.node(name)
            return {"type": name, "omitted": Omission.OPAQUE, "rule": RESOURCE}
        return super().take(value, level)

    def response(self, value: Response, level: int) -> Value:
        """Take what is known of a response."""
        fields: dict[str, Value] = {
            name: self.take(getattr(value, name), level)
            for name in Response.__slots__
            if name not in ("beginning", "json") and hasattr(value, name)
        }
        whole = getattr(value, "body", None)
        if type(whole) is str:  # as long as it may be, since one place in it may be noise
            fields["body"] = self.cut(whole, len(whole), "str")
        if hasattr(value, "beginning"):
            octets, length = value.beginning
            body: dict[str, Value] = {"type": "bytes", "text": octets.decode("latin-1")}
            fields["body"] = body | {"length": length, "omitted": Omission.TEXT}
        return {"type": RESPONSE_CLASS, "fields": fields}


walk_by(OUTCOME_LIMITS, OutcomeWalk)


def taker(room: Room) -> Callable[[object], Value]:
    """Return what captures the values of one outcome, which share their room."""

    def shown(value: object) -> Value:
        if room.left <= 0:
            return {"type": "?", "omitted": Omission.ROOM}
        return OutcomeWalk(OUTCOME_LIMITS, room).take(value, 0)

    return shown


def writer(room: Room) -> Callable[[object], Written]:
    """As `taker`, as quickly as this process can: what comes is made a value by `opened`, on
    another thread."""
    core = native.core()
    if core is None:
        return taker(room)
    capture, limits = core.capture, OUTCOME_LIMITS

    def written(value: object) -> Written:
        said: bytes
        said, room.left = capture(
            value, limits, limits.depth, limits.items, limits.text, room.left, True
        )
        return said

    return written


def opened(written: Written) -> Value:
    """Return the value that was written."""
    value: Value = json.loads(written) if type(written) is bytes else written
    return value
