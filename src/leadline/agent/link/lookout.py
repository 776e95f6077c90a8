"""The sender's thread before there is a sender: most processes never get a probe.

It says goodbye when the process ends, and wakes the agent when it has to report a failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from leadline.agent.guard import faults
from leadline.agent.link.http import Address, Connection
from leadline.agent.link.native import Bell
from leadline.wire.hit import InstanceInfo, Report
from leadline.wire.messages import REPORT_PATH, encode

if TYPE_CHECKING:
    from leadline.agent.link.sender import Sender

IDLE_S = 5.0
"""How often it looks up by itself; the bell ends this wait."""


class Lookout:
    """Lives on a thread of its own, which it gives to the sender when there is one."""

    def __init__(
        self,
        address: Address,
        key: str,
        who: InstanceInfo,
        after_wait: Callable[[], None],
        rouse: Callable[[], object],
        known: Callable[[], bool],
    ) -> None:
        """`rouse` makes a sender; `known` tells whether a server knows of this process."""
        self._connection = Connection(address, key)
        self._who = who
        self._after_wait = after_wait
        self._rouse = rouse
        self._known = known
        self._stopping = False
        self.sender: Sender | None = None
        self.bell = Bell()
        self.done = Bell()

    def run(self) -> None:
        """Wait until there is a sender, or until told to stop."""
        while (sender := self.sender) is None:
            if self._stopping:
                self._leave()
                return
            self.bell.wait(IDLE_S)
            self._after_wait()
            if faults.counts and not self._stopping:
                self._rouse()
        if self._stopping:
            sender.stop()
        sender.run()

    def flush(self, seconds: float, *, stop: bool) -> None:
        """As the sender's: without one there is nothing to send but the goodbye."""
        self._stopping = stop
        sender = self.sender
        if sender is not None:
            sender.flush(seconds, stop=stop)
        elif stop and self._known():
            self.bell.ring()
            self.done.wait(seconds)

    def abandon(self) -> None:
        """In a forked child: let go of the parent's connection without a word to the server."""
        if self.sender is not None:
            self.sender.abandon()

    def _leave(self) -> None:
        if self._known():
            report = Report(instance=self._who, faults=dict(faults.counts), leaving=True)
            try:
                self._connection.post(REPORT_PATH, encode(report))
            except OSError:  # it is away, and will find out by itself
                self._connection.close()
        self.done.ring()
