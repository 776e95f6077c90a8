"""One run in a grandchild of its own, sealed as its twin is.

What it says comes through a pipe that is its alone: whatever runs in it can spoil its own
answer, and no other. It is ended when its time is over, and waited for until it is gone.
"""

import json
import os
import select
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from leadline import native
from leadline.agent.link.native import original
from leadline.wire.errors import InternalError
from leadline.wire.struct import dataclass, field

MAX_BYTES = 4_000_000
"""Of the answer of one run; a longer one is none."""
PARTS = ("run", "obstacle", "notes", "refused", "databases")
"""What a run can say; see `bench`."""
_PIECE = 1 << 20
_PATIENCE_S = 0.5
"""How much longer than its life a run may take to be gone."""
_LOOK_S = 0.000_2
_LATE = "it did not end when its time was over"
_poll: Any = original("select", "poll", select.poll)
_sleep = original("time", "sleep", time.sleep)
"""Not those of gevent, which would go on with what the live process was about."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one run has said, as an object of JSON, or why there is nothing: how it ended."""

    said: dict[str, Any] = field(default_factory=dict)
    why: str = ""


type Run = Callable[[Callable[[bytes], None]], None]
"""What is done in a grandchild, with what takes its answer."""


@dataclass(slots=True)
class _Begun:
    """A grandchild, and our end of its pipe."""

    pid: int
    descriptor: int
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    over: bool = False
    late: str = ""


def apart(run: Run, life_s: float, channel: int) -> Heard:
    """As `all_apart`, of one."""
    return all_apart([run], life_s, channel)[0]


def all_apart(runs: Sequence[Run], life_s: float, channel: int) -> list[Heard]:
    """Call each of `runs` in a grandchild that lives `life_s` seconds at most, side by side.
    None has a way to the twin's own `channel`, nor to what the others say."""
    twin = native.twin()
    if twin is None:
        raise InternalError("This is no twin.")
    begun: list[_Begun] = []
    for run in runs:
        receiving, sending = os.pipe()
        pid = twin.grandchild(life_s)
        if pid == 0:
            for descriptor in (receiving, channel, *(one.descriptor for one in begun)):
                os.close(descriptor)
            try:
                run(partial(_write, sending))
            finally:
                os._exit(0)
        os.close(sending)
        begun.append(_Begun(pid, receiving))
    _listen(begun, time.monotonic() + life_s + _PATIENCE_S)
    return [_ended(one) for one in begun]


def _write(descriptor: int, answer: bytes) -> None:
    left = memoryview(answer)
    while left:
        left = left[os.write(descriptor, left) :]


def _listen(begun: Sequence[_Begun], until: float) -> None:
    """Read to the end of each, and note what was too much."""
    poll = _poll()
    by_number = {one.descriptor: one for one in begun}
    for number in by_number:
        poll.register(number, select.POLLIN)
    while not all(one.over for one in begun):
        for number, _ in poll.poll(max(0.0, until - time.monotonic()) * 1e3):
            one = by_number[number]
            piece = os.read(number, _PIECE)
            one.parts.append(piece)
            one.size += len(piece)
            if one.size > MAX_BYTES:
                one.late = f"what it came to takes more than {MAX_BYTES:,} bytes"
            one.over = not piece or bool(one.late)
            if one.over:
                poll.unregister(number)
        if time.monotonic() > until:
            for one in begun:
                one.late = one.late or ("" if one.over else _LATE)
            return


def _ended(one: _Begun) -> Heard:
    twin = native.twin()
    if twin is None:
        raise InternalError("This is no twin.")
    os.close(one.descriptor)
    if one.late:
        twin.end(one.pid)
    while (status := twin.reap(one.pid)) is None:
        _sleep(_LOOK_S)
    if one.late:
        return Heard(why=one.late)
    if status:
        return Heard(why=twin.why(status))
    return _read(b"".join(one.parts))


def _read(answer: bytes) -> Heard:
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return Heard(why="it ended before it had said what it came to")
    # whose answer it is, and of which call, is not for the run to say
    return Heard({name: said[name] for name in PARTS if name in said})
