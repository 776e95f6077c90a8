"""One run in a grandchild of its own, sealed as its twin is.

What it says comes through a pipe that is its alone: whatever runs in it can spoil its own
answer, and no other. It is ended when its time is over, and waited for until it is gone.
"""

import json
import os
import select
import time
from collections.abc import Callable
from typing import Any

from leadline import native
from leadline.agent.link.native import original
from leadline.wire.errors import InternalError
from leadline.wire.struct import dataclass, field

MAX_BYTES = 4_000_000
"""Of the answer of one run; a longer one is none."""
PARTS = ("run", "obstacle", "notes", "refused")
"""What a run can say; see `bench`."""
_PIECE = 1 << 20
_PATIENCE_S = 0.5
"""How much longer than its life a run may take to be gone."""
_LOOK_S = 0.000_2
_poll: Any = original("select", "poll", select.poll)
_sleep = original("time", "sleep", time.sleep)
"""Not those of gevent, which would go on with what the live process was about."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one run has said, as an object of JSON, or why there is nothing: how it ended."""

    said: dict[str, Any] = field(default_factory=dict)
    why: str = ""


def apart(run: Callable[[Callable[[bytes], None]], None], life_s: float, channel: int) -> Heard:
    """Call `run` in a grandchild that lives `life_s` seconds at most, with what takes its
    answer; it has no way to the twin's own `channel`."""
    twin = native.twin()
    if twin is None:
        raise InternalError("This is no twin.")
    receiving, sending = os.pipe()
    pid = twin.grandchild(life_s)
    if pid == 0:
        os.close(receiving)
        os.close(channel)
        try:
            run(lambda answer: _write(sending, answer))
        finally:
            os._exit(0)
    os.close(sending)
    try:
        answer, late = _all_of(receiving, time.monotonic() + life_s + _PATIENCE_S)
    finally:
        os.close(receiving)
    if late:
        twin.end(pid)
    while (status := twin.reap(pid)) is None:
        _sleep(_LOOK_S)
    if late:
        return Heard(why=late)
    if status:
        return Heard(why=twin.why(status))
    return _read(answer)


def _write(descriptor: int, answer: bytes) -> None:
    left = memoryview(answer)
    while left:
        left = left[os.write(descriptor, left) :]


def _all_of(descriptor: int, until: float) -> tuple[bytes, str]:
    """Read to the end, and say what was too much."""
    parts: list[bytes] = []
    size = 0
    poll = _poll()
    poll.register(descriptor, select.POLLIN)
    while True:
        if not poll.poll(max(0.0, until - time.monotonic()) * 1e3):
            return b"", "it did not end when its time was over"
        piece = os.read(descriptor, _PIECE)
        size += len(piece)
        if not piece:
            return b"".join(parts), ""
        if size > MAX_BYTES:
            return b"", f"what it came to takes more than {MAX_BYTES:,} bytes"
        parts.append(piece)


def _read(answer: bytes) -> Heard:
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Heard(why="it ended before it had said what it came to")
    # whose answer it is, and of which call, is not for the run to say
    return Heard({name: said[name] for name in PARTS if name in said})
