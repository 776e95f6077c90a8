"""The snapshot probe: the stack with its variables, the watches, and what the call came to."""

from typing import Any

from leadline.agent.capture.outlet import opened
from leadline.agent.capture.stack import stack
from leadline.agent.capture.surroundings import CONTEXT_BYTES, surroundings
from leadline.agent.capture.tree import MAX_VALUE_BYTES, Room, capture
from leadline.agent.capture.writing import write
from leadline.agent.core.passage import NOTHING, Plan, Reading, Taken, Visit
from leadline.agent.locate.source import line_text
from leadline.agent.probes.compiled import Compiled, ready
from leadline.agent.probes.watching import values_of
from leadline.expression import Watch, compile_watch
from leadline.wire.hit import Detail, FrameView, TaskView
from leadline.wire.probe import ExceptionProbe, Moment, SnapshotProbe
from leadline.wire.value import Value, render

_MESSAGE_VALUES = 5
"""Watches that are named in the line of text; the others are with the values."""


def compile_snapshot(probe: SnapshotProbe) -> Compiled:
    """Raises `ExpressionError` when a watch or the condition is not allowed."""
    camera = Camera(probe)
    return ready(
        probe,
        camera.names,
        camera.take,
        plan=camera.plan,
        read=camera.read,
        began=probe.moment is Moment.EXIT,
    )


class Camera:
    """Takes snapshots for one probe on the application's thread, and reads them on ours."""

    def __init__(self, probe: SnapshotProbe | ExceptionProbe) -> None:
        self._watches: list[Watch] = [compile_watch(watch) for watch in probe.watches]
        self.names = frozenset[str]().union(*(watch.names for watch in self._watches))
        self._limits = probe.capture
        self._frames = probe.frames
        self._moment = probe.moment
        self.plan = Plan(Taken.SNAPSHOT, tuple(self._watches), probe.capture, probe.frames)

    def take(self, visit: Visit) -> bytes:
        """Write down all that the snapshot shows; what is asked for by name goes first."""
        limits, room = self._limits, Room(MAX_VALUE_BYTES - CONTEXT_BYTES)
        taken: dict[str, Value] = {
            "values": values_of(self._watches, visit.scope, limits, room)
        }
        if visit.exception is not None:
            taken["exception"] = capture(visit.exception, limits, room)
        elif visit.result is not NOTHING:
            taken["returned"] = True
            taken["result"] = capture(visit.result, limits, room)
        taken["duration_s"] = visit.duration_s
        taken["frames"], taken["omitted"] = stack(
            visit.frame, visit.exception, self._frames, limits, room
        )
        taken |= surroundings(limits, room)
        return write(taken).encode("ascii")

    def read(self, payload: bytes) -> Reading:
        """Return the content of a hit; the source lines of the stack are read here."""
        taken: dict[str, Any] = opened(payload)
        values = dict(
            zip([watch.text for watch in self._watches], taken["values"], strict=True)
        )
        detail = Detail(
            moment=self._moment,
            frames=[_frame(frame) for frame in taken["frames"]],
            omitted=taken["omitted"],
            returned=taken.get("returned", False),
            result=taken.get("result"),
            exception=taken.get("exception"),
            duration_s=taken["duration_s"],
            tasks=[TaskView(**task) for task in taken["tasks"]],
            context=taken["context"],
        )
        return Reading(_message(detail, values), values, detail)


def _frame(frame: dict[str, Any]) -> FrameView:
    return FrameView(**frame, source=line_text(frame["file"], frame["line"]))


def _message(detail: Detail, values: dict[str, Value]) -> str:
    """Say in one line what the snapshot is of."""
    watched = [f"{name}={render(value, quoted=True)}" for name, value in values.items()]
    return "; ".join(filter(None, (_outcome(detail), " ".join(watched[:_MESSAGE_VALUES]))))


def _outcome(detail: Detail) -> str:
    """Say how the call went, as far as it has gone."""
    here = detail.frames[0].function if detail.frames else ""
    took = f" after {detail.duration_s * 1e3:.3g} ms" if detail.duration_s is not None else ""
    if detail.exception is not None:
        what = render(detail.exception, quoted=True)
        return f"{what} in {here}{took}"
    if detail.returned:
        return f"{here} returned {render(detail.result, quoted=True)}{took}"
    return here
