"""The way between the twin of a sample, the server that has the calls, and whoever ordered it.

On a thread of ours of its own: the twin is asked call after call, which must not wait for the
next look at all twins, and a server that does not answer must not keep the others from theirs.
What passes to the twin is not read here, since the twin knows what it was ordered to take; what
it says of each call is, and becomes a hit of its own.
"""

import json
import os
import select
import time
from collections.abc import Callable
from typing import Any

from leadline.agent.core import Record
from leadline.agent.guard import faults
from leadline.agent.link.native import original, start_thread
from leadline.agent.twin import database_file, telling
from leadline.agent.twin.child import Child
from leadline.agent.twin.tried import tried_on
from leadline.wire.messages import encode
from leadline.wire.sample import MAX_BYTES, Wanted
from leadline.wire.twin import TwinPolicy

LOOK_S = 0.1
"""How soon it is seen that nobody waits for the twin any more."""
TRIES = 3
"""How often the server is asked for the same calls, before it is taken for gone."""
AGAIN_S = 1.0
MAX_LINE_BYTES = 5_000_000
"""Of what is said of one run; beyond that, nothing of it is known."""
MAX_TOLD_BYTES = 40_000_000
"""Of all that one twin says: each is read, redacted and sent on by this process."""
NOT_HEARD = "what was said of this run was too much to be read"
_PIECE = 1 << 18
_MOST_KEPT = 20
"""Messages that are of no call: notes, and how it ended."""

_poll: Any = original("select", "poll", select.poll)


class Sampling:
    """Serves one twin to its end, and closes its channel then."""

    def __init__(
        self,
        child: Child,
        instance: str,
        policy: TwinPolicy,
        fetch: Callable[[bytes], bytes],
        deliver: Callable[[Record], None],
    ) -> None:
        """`fetch` asks the server, and raises `OSError`."""
        self._child, self._instance, self._policy = child, instance, policy
        self._fetch, self._deliver = fetch, deliver
        self._waiting = b""
        self._unread = b""
        self._is_too_long = False
        self._heard = self._sent = 0
        self._said: dict[int, list[dict[str, Any]]] = {}

    def start(self) -> None:
        """Begin. Does not wait."""
        start_thread("sample", self._run)

    def _run(self) -> None:
        child = self._child
        try:
            while not child.closed and not child.dismissed and self._serve():
                pass
        except Exception as error:  # noqa: BLE001 - whoever waits is to know
            faults.count("sample", error)
            child.note("what this twin says could not be passed on")
        finally:
            child.close()

    def _serve(self) -> bool:
        """Write and read what there is; False where nothing more will come."""
        child = self._child
        poll = _poll()
        poll.register(child.channel, select.POLLIN | (select.POLLOUT if self._waiting else 0))
        events = poll.poll(LOOK_S * 1e3)
        if not events:
            return child.status is None
        if self._waiting and events[0][1] & select.POLLOUT:
            try:
                self._waiting = self._waiting[os.write(child.channel, self._waiting[:_PIECE]) :]
            except BlockingIOError:
                pass
            except OSError:
                self._waiting = b""
        if events[0][1] & ~select.POLLOUT:
            try:
                piece = os.read(child.channel, _PIECE)
            except BlockingIOError:
                return True
            except OSError:
                return False
            self._take(piece)
            return bool(piece)
        return True

    def _take(self, piece: bytes) -> None:
        *lines, self._unread = (self._unread + piece).split(b"\n")
        for line in lines:
            self._heard += len(line)
            if self._is_too_long or self._heard > MAX_TOLD_BYTES:
                self._is_too_long = False
                self._child.lost += len(line)
                continue
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                message = None
            if isinstance(message, dict):
                self._obey(message)
            else:
                self._child.lost += len(line)
        if len(self._unread) > MAX_LINE_BYTES:
            self._child.lost += len(self._unread)
            self._is_too_long, self._unread = True, b""

    def _obey(self, message: dict[str, Any]) -> None:
        database_file.note(message.get("databases"))
        number = message.get("call")
        if type(number) is int:
            if message.get("over"):
                self._tell(number, self._said.pop(number, []))
            elif len(self._said) < _MOST_KEPT:
                self._said.setdefault(number, []).append(message)
        elif type(message.get("want")) is int:
            self._send(message["want"])
        elif len(self._child.messages) < _MOST_KEPT:
            self._child.messages.append(message)

    def _tell(self, number: int, said: list[dict[str, Any]]) -> None:
        tried = tried_on(self._child.probe.code, number, said, NOT_HEARD)
        self._deliver(telling.call_record(self._child, self._policy, tried))

    def _send(self, number: int) -> None:
        """Have the twin get calls from that number on; an empty line where there are none."""
        calls = self._calls(encode(Wanted(self._instance, self._child.probe.id, number)))
        self._sent += len(calls)
        if self._sent > 2 * MAX_BYTES:
            self._child.note("there are more calls than may go through this process")
            calls = b""
        self._waiting += calls.replace(b"\n", b" ") + b"\n"

    def _calls(self, wanted: bytes) -> bytes:
        why = ""
        for _ in range(TRIES):
            try:
                return self._fetch(wanted)
            except OSError as error:
                why = str(error)
            until = time.monotonic() + AGAIN_S
            while time.monotonic() < until and not self._child.dismissed:
                _sleep(LOOK_S)
        self._child.note(f"the server did not hand out the calls: {why}")
        return b""


_sleep = original("time", "sleep", time.sleep)
