"""The hot path: what runs on the application's threads when an armed place is reached.

`Core` is the contract. `native` implements it in C and `pure` in Python; one of them is chosen
here, once per process, so that nothing else knows which one is in use.
"""

from collections.abc import Sequence
from typing import Protocol

from leadline.agent.core.monitor import Monitor
from leadline.agent.core.passage import Passage, Record, Site
from leadline.native import core as extension


class Bounds(Protocol):
    """What a ring may hold."""

    most_records: int
    most_bytes: int
    most_record_bytes: int


class Core(Protocol):
    """Arm, hit, capture to bytes, hand over. All methods run on threads of our own."""

    name: str
    budget_ns: int
    """What all probes together may use between two calls of `spent_ns`."""

    @property
    def ring(self) -> Bounds:
        """Return the buffer, whose limits can be made narrower."""

    unread_ns: int
    """What `spent_ns` would return."""

    def arm(self, passage: Passage, sites: Sequence[Site]) -> None:
        """Let every passage of execution through `sites` go through `passage`."""

    def disarm(self, passage: Passage) -> None:
        """Remove every trace of `passage` from the code that it was armed in."""

    def suspend(self, passage: Passage) -> None:
        """Switch the sites off, so that passing them costs nothing any more."""

    def resume(self, passage: Passage) -> None:
        """Switch on again the sites that a limit, or `suspend`, had switched off."""

    def drain(self, most: int) -> list[Record]:
        """Take the oldest records out of the ring, at most `most`."""

    def put(self, record: Record) -> None:
        """Add a record of what was found out on a thread of ours."""

    def dropped(self) -> dict[str, int]:
        """Return how many records were lost since the process started, by reason."""

    def spent_ns(self) -> int:
        """Return the nanoseconds of the application's threads used since the last call."""

    def clear(self) -> None:
        """Forget records and counts: in a forked child they are the parent's to report."""

    def forget(self) -> None:
        """Let go of every class of the application."""

    def open(self) -> None:
        """Take a seat at the interpreter again; raises `UnavailableError` if there is none."""

    def close(self) -> None:
        """Disarm everything and give the seat back."""


def choose(monitor: Monitor) -> Core:
    """Return the best core that this process can run."""
    core = extension()
    if core is not None:
        from leadline.agent.core.native import NativeCore

        return NativeCore(monitor, core)
    from leadline.agent.core.pure import PureCore

    return PureCore(monitor)


__all__ = ["Core", "Monitor", "Passage", "Record", "Site", "choose"]
