"""What flows to somebody who listens, whatever carries it there.

A stream is filled by the store's thread and emptied by somebody else's. Filling it never
waits: a stream that is full does what its class says, and says so.
"""

from collections.abc import Callable
from typing import Protocol

from leadline.wire.struct import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One event: `data` is one line of ASCII JSON; `id` lets a reader go on where it was."""

    event: str
    data: str
    id: int | None = None


class Stream(Protocol):
    """Something to read from until it is closed and empty."""

    def attach(self, wake: Callable[[], None]) -> None:
        """Have `wake` called, from any thread, whenever there may be something new."""

    def take(self) -> list[Message]:
        """Return some of what is waiting, in order; nothing waiting, nothing returned."""

    @property
    def closed(self) -> bool:
        """Whether nothing will be added any more."""

    def close(self) -> None:
        """Add nothing any more."""


def asleep() -> None:
    """Stand in for `wake` while nobody is attached."""
