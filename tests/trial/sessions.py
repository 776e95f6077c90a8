"""A twin that is stepped, over a real socket, and whoever sits at the other end."""

import os
import select
import socket
import sys
import time

from twins import born, ended, gone, shown

from leadline.trial import chance
from leadline.trial.standing import lines_of
from leadline.trial.stepping import Stepper
from leadline.wire.messages import encode
from leadline.wire.stepping import Do, Reason, Reply, Request, read_reply
from leadline.wire.twin import Refusal
from leadline.wire.value import render

LIFE_S = 20.0
refused: list[Refusal] = []
"""What the kernel refuses a twin; where there is no seal, the code that is stepped says so."""


class Session:
    """A twin that is stepped from the first start of `function`, and its other end."""

    def __init__(
        self,
        function,
        live,
        show=shown,
        source=lines_of,
        refusals=refused.copy,
        policy=None,
        above=0,
    ) -> None:
        self._above = above
        self._refusals, self._policy = refusals, policy
        self._source = source
        self._code = function.__code__
        self._live = live
        self._show = show
        self._number = 0
        self._buffer = b""
        self.pid = 0

    def __enter__(self) -> "Session":
        monitoring, events = sys.monitoring, sys.monitoring.events
        self._tool = next(one for one in (4, 3, 5) if monitoring.get_tool(one) is None)
        self.ours, self._theirs = socket.socketpair()
        monitoring.use_tool_id(self._tool, "twin of a test")
        monitoring.register_callback(self._tool, events.PY_START, self._hit)
        monitoring.set_local_events(self._tool, self._code, events.PY_START)
        parent = os.getpid()
        try:
            self.result = self._live()
        finally:
            if os.getpid() != parent:
                os._exit(99)  # a twin ran on into the caller
            monitoring.set_local_events(self._tool, self._code, 0)
            monitoring.free_tool_id(self._tool)
        self._theirs.close()
        first = self.receive()
        assert first is not None
        assert (first.number, first.reason) == (0, Reason.LINE)
        return self

    def __exit__(self, *_: object) -> None:
        self.ours.close()
        gone(self.pid)

    def _hit(self, _code, _offset) -> None:
        if self.pid:
            return
        state = chance.remember()
        self.pid = born(self._policy, self._theirs.fileno())
        if self.pid == 0:
            self.ours.close()
            sys.monitoring.set_local_events(self._tool, self._code, 0)
            chance.restore(state)
            frame = sys._getframe(1 + self._above)
            fd = self._theirs.fileno()
            Stepper(frame, fd, self._show, self._refusals, LIFE_S, self._source).arm()

    def send(self, line: bytes) -> None:
        self.ours.sendall(line + b"\n")

    def receive(self) -> Reply | None:
        deadline = time.monotonic() + 10
        while b"\n" not in self._buffer:
            left = max(0, deadline - time.monotonic())
            assert select.select([self.ours], [], [], left)[0], "the twin says nothing"
            part = self.ours.recv(1 << 20)
            if not part:
                return None
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        return read_reply(line.decode())

    def ask(self, do: str, text: str = "") -> Reply:
        self._number += 1
        self.send(encode(Request(Do(do), text, self._number)))
        reply = self.receive()
        assert reply is not None, "the twin has ended"
        assert reply.number == self._number
        return reply

    def value(self, text: str, do: str = "print") -> str:
        reply = self.ask(do, text)
        assert reply.reason is not Reason.ERROR, reply.text
        return render(reply.value) if reply.has_value else ""

    def go(self, *moves: str) -> list[str]:
        """Move, and return where it stood after each: `reason function:line` from its `def`."""
        return [place(self.ask(*one.split())) for one in moves]

    def end(self) -> int:
        """Return the exit status of the twin, which has ended or is about to."""
        return os.waitstatus_to_exitcode(ended(self.pid))


FIRST: dict[str, int] = {}
"""The lines of the functions that are stepped, by name."""


def place(reply: Reply) -> str:
    """Return where it stands, and why: `line handler+2`, from the line of its `def`."""
    stop = reply.stop
    assert stop is not None
    name = stop.function.rpartition(".")[2]
    return f"{reply.reason} {name}+{stop.line - FIRST.get(name, stop.line)}"
