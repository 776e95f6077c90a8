"""What one connected instance is told: the whole set of its probes first, then what changes."""

import json
import threading
from collections import deque
from collections.abc import Callable

from leadline.control.stream import Message, asleep
from leadline.store.records import PlacedProbe
from leadline.wire.hit import InstanceInfo
from leadline.wire.inventory import Want
from leadline.wire.shell import Tell
from leadline.wire.struct import asdict, dataclass, replace

MAX_CHANGES = 1_000
"""Changes that wait for one instance. One that is further behind is better off with the whole
set, so its stream ends and it connects again."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event for an agent, not written yet: see `wire.messages`."""

    event: str
    revision: int
    probes: tuple[PlacedProbe, ...] = ()
    ids: tuple[str, ...] = ()
    reason: str = ""
    want: Want | None = None
    tell: Tell | None = None


class Feed:
    """The stream of one instance. `carried` are the probes that it was told to carry."""

    def __init__(self, info: InstanceInfo, since: float, clock: Callable[[], float]) -> None:
        self.info = info
        self.instance = info.id
        self.service = info.service
        self.since = since
        self.carried: set[str] = set()
        self._clock = clock
        self._lock = threading.Lock()
        self._changes: deque[Change] = deque()
        self._closed = False
        self._wake = asleep

    def attach(self, wake: Callable[[], None]) -> None:
        """See `Stream`."""
        self._wake = wake
        wake()

    @property
    def closed(self) -> bool:
        """See `Stream`."""
        return self._closed

    def close(self) -> None:
        """See `Stream`."""
        self._closed = True
        self._wake()

    def put(self, change: Change) -> None:
        """Add a change; called by `Desired` alone."""
        match change.event:
            case "set" | "off":
                self.carried = {placed.probe.id for placed in change.probes}
            case "add":
                self.carried.update(placed.probe.id for placed in change.probes)
            case "remove":
                self.carried.difference_update(change.ids)
        with self._lock:
            if len(self._changes) >= MAX_CHANGES:
                self._changes.clear()
                self._closed = True
            elif not self._closed:
                self._changes.append(change)
        self._wake()

    def take(self) -> list[Message]:
        """See `Stream`. The seconds that a probe has left are those left now."""
        with self._lock:
            changes = list(self._changes)
            self._changes.clear()
        return [self._written(change) for change in changes]

    def _written(self, change: Change) -> Message:
        content: dict[str, object] = {"revision": change.revision}
        match change.event:
            case "remove":
                content["ids"] = change.ids
            case "off":
                content["reason"] = change.reason
            case "want" if change.want is not None:
                content |= asdict(change.want)
            case "tell" if change.tell is not None:
                content |= asdict(change.tell)
            case "set" | "add":
                now = self._clock()
                content["probes"] = [_for_agent(probe, now) for probe in change.probes]
        return Message(change.event, json.dumps(content, separators=(",", ":")))


def _for_agent(placed: PlacedProbe, now: float) -> dict[str, object]:
    asked = placed.probe.limits
    left = min(max(placed.expires_at - now, 0.0), asked.ttl_s)  # a clock may be set back
    return asdict(replace(placed.probe, limits=replace(asked, ttl_s=left)))
