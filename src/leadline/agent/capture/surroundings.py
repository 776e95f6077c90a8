"""What a hit happened in: its task and those that wait for it, and its context variables."""

from leadline.agent.capture.contexts import context_variables
from leadline.agent.capture.room import Room
from leadline.agent.capture.task import task_chain
from leadline.wire.limits import CaptureLimits
from leadline.wire.value import Value

CONTEXT_BYTES = 8_000
"""Of a hit's record, what context variables may take: the stack is asked for more often."""


def surroundings(limits: CaptureLimits, room: Room) -> dict[str, Value]:
    """Return tasks and context as a snapshot's record holds them."""
    room.left = max(room.left, 0) + CONTEXT_BYTES
    tasks = [
        {"name": one.name, "function": one.function, "file": one.file, "line": one.line}
        for one in task_chain()
    ]
    return {"tasks": tasks, "context": context_variables(limits, room)}
