"""One twin as the live process sees it, from its birth until all that it said is read."""

import json
import os
import time
from collections import deque
from typing import Any

from leadline.agent.core.passage import Passage, Site
from leadline.agent.twin.hearsay import read_refusals
from leadline.wire.probe import TwinProbe
from leadline.wire.shell import Tell
from leadline.wire.struct import dataclass, field
from leadline.wire.twin import MAX_ANSWER_BYTES, REPEATS, Refusal, TwinUse

_PIECE = 65_536
_PIECES = 16
"""Read at one look: a twin that floods its channel must not keep our thread."""
GRACE_S = 1.0
"""After its life is over a twin has ended itself; this much later it is ended."""
_MOST_CHARS = 300
_ROOM = {TwinUse.VERIFY: 12_000_000}
"""Of all that a twin says, in bytes, where its runs are compared whole."""
_USUAL_ROOM = 2 * MAX_ANSWER_BYTES
LIVE_CALL_S = 60.0
"""How long after its rerun the live call may still take, before nothing is compared."""


@dataclass(frozen=True, slots=True)
class Birth:
    """Where and when a twin was made: what its answer is told with."""

    time: float
    thread: int
    task: str
    trace: str
    span: str


@dataclass(slots=True, eq=False)
class Child:
    """A twin that lives, or has ended and was not told of yet.

    `channel` is our end of what it writes to; `messages` what it has said so far, parsed.
    `live` is the outcome of the live call, as bytes, where a rerun is compared with it.
    """

    pid: int
    probe: TwinProbe
    passage: Passage
    site: Site
    birth: Birth
    channel: int
    pause_ms: float
    born: float
    messages: list[dict[str, Any]] = field(default_factory=list)
    lost: int = 0
    status: int | None = None
    ended: float = 0.0
    killed: bool = False
    """Whether it did not end when its life was over, and was ended."""
    dismissed: bool = False
    """Whether nobody waits for its answer any more, or we have failed at it: it is ended and
    reaped, and nothing is told."""
    left: bool = False
    """Whether nobody sits at its shell any more."""
    closed: bool = False
    served: bool = False
    """Whether a thread of its own has the channel, and alone closes it: the number of one that
    was closed is that of the application's next file."""
    live: bytes | None = None
    requests: deque[Tell] = field(default_factory=deque)
    """What a shell was asked and does not know yet."""
    asked: dict[object, str] = field(default_factory=dict)
    """The code of requests that are not answered yet, by their numbers."""
    number: int = 0
    """Of the request that it was handed last."""
    _unread: bytes = b""
    _size: int = 0

    @property
    def deadline(self) -> float:
        """When it has to have ended by itself, on the monotonic clock."""
        return self.born + self.probe.life_s + GRACE_S

    @property
    def life_s(self) -> float:
        """How long it lived, or lives already."""
        return (self.ended or time.monotonic()) - self.born

    def hear(self) -> list[dict[str, Any]]:
        """Read what there is to read, without waiting; returns the messages that came.

        What is too much is read and thrown away: a twin must not wait for room, nor may what
        it says fill this process.
        """
        found: list[dict[str, Any]] = []
        for _ in range(_PIECES):
            try:
                piece = os.read(self.channel, _PIECE) if not self.closed else b""
            except BlockingIOError:
                break
            except OSError:
                piece = b""
            if not piece:
                self.close()
                break
            *lines, rest = (self._unread + piece).split(b"\n")
            self._unread = rest
            found += self._parsed(lines)
            if len(self._unread) > _ROOM.get(self.probe.use, MAX_ANSWER_BYTES):
                self.lost += len(self._unread)
                self._unread = b""
        if self.probe.use is not TwinUse.SHELL:
            self.messages += found
        elif not self.messages:  # what else a shell says is passed on, and not kept
            self.messages += [one for one in found if "failed" in one][:1]
        return found

    def finished(self, now: float) -> bool:
        """Whether there is nothing more to come."""
        if self.status is None or not self.closed:
            return False
        waits = self.probe.use in REPEATS and self.live is None
        return not waits or now - self.ended > LIVE_CALL_S

    def said(self, name: str) -> list[Any]:
        """Return what came under a name, in order."""
        return [message[name] for message in self.messages if name in message]

    def refused(self) -> list[Refusal]:
        """Return all that it tried in vain."""
        found = self.said("refused")
        return read_refusals(found[-1]) if found else []

    def obstacle(self) -> str:
        """Return why no twin of this order can ever try its candidate, if so: the next one
        would be made in vain."""
        found = [one for one in self.said("obstacle") if type(one) is str and one]
        return f"{found[0][:_MOST_CHARS]}" if found else ""

    def note(self, text: str) -> None:
        """Have a word of ours told with the answer."""
        self.messages.append({"notes": [text]})

    def close(self) -> None:
        """Let go of the channel."""
        if not self.closed:
            self.closed = True
            os.close(self.channel)

    def _parsed(self, lines: list[bytes]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for line in lines:
            self._size += len(line)
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                message = None
            room = _ROOM.get(self.probe.use, _USUAL_ROOM)
            too_much = self._size > room and self.probe.use is not TwinUse.SHELL
            if too_much or not isinstance(message, dict):
                self.lost += len(line)
            else:
                found.append(message)
        return found
