"""The set of probes that each service should carry, and the instances that are told of it.

The set is what the store has committed: only the store's thread changes it, in the order of
the commits, so what an instance hears is never ahead of the database nor out of order.
"""

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from leadline.control.stream import Message, asleep
from leadline.store.records import Ended, Placed, PlacedProbe, Switch, Switched
from leadline.wire.errors import UnavailableError

MAX_CONNECTED = 2_000
"""Instances connected at once; each is a socket."""
MAX_CHANGES = 1_000
"""Changes that wait for one instance. One that is further behind is better off with the whole
set, so its stream ends and it connects again."""


@dataclass(frozen=True, slots=True)
class _Change:
    event: str
    revision: int
    probes: tuple[PlacedProbe, ...] = ()
    ids: tuple[str, ...] = ()
    reason: str = ""


class Feed:
    """What one connected instance is told: the whole set first, then what changes."""

    def __init__(
        self, instance: str, service: str, since: float, clock: Callable[[], float]
    ) -> None:
        self.instance = instance
        self.service = service
        self.since = since
        self._clock = clock
        self._lock = threading.Lock()
        self._changes: deque[_Change] = deque()
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

    def put(self, change: _Change) -> None:
        """Add a change; called by `Desired` alone."""
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

    def _written(self, change: _Change) -> Message:
        content: dict[str, object] = {"revision": change.revision}
        if change.event == "remove":
            content["ids"] = change.ids
        elif change.event == "off":
            content["reason"] = change.reason
        elif change.event != "on":
            now = self._clock()
            content["probes"] = [_for_agent(probe, now) for probe in change.probes]
        return Message(change.event, json.dumps(content, separators=(",", ":")))


def _for_agent(placed: PlacedProbe, now: float) -> dict[str, object]:
    asked = placed.probe.limits
    left = min(max(placed.expires_at - now, 0.0), asked.ttl_s)  # a clock may be set back
    return asdict(replace(placed.probe, limits=replace(asked, ttl_s=left)))


class Desired:
    """The sets of all services, and the feeds of all connected instances."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sets: dict[str, dict[str, PlacedProbe]] = {}
        self._feeds: dict[str, Feed] = {}
        self._switches: dict[str, Switch] = {}
        self._revision = 0
        self._stopped = False

    def load(
        self, probes: list[PlacedProbe], revision: int, switches: list[Switch] | None = None
    ) -> None:
        """Begin with what the store holds."""
        with self._lock:
            self._revision = revision
            self._switches = {switch.service: switch for switch in switches or ()}
            for probe in probes:
                self._sets.setdefault(probe.service, {})[probe.probe.id] = probe

    def connect(
        self, instance: str, service: str, now: float, clock: Callable[[], float]
    ) -> Feed:
        """Return the feed of an instance, beginning with the set; it replaces an older one.

        While its service is switched off, it hears so first and the set is empty.
        """
        feed = Feed(instance, service, now, clock)
        with self._lock:
            if self._stopped:
                raise UnavailableError("stopping", "The server is stopping.")
            older = self._feeds.get(instance)
            if older is None and len(self._feeds) >= MAX_CONNECTED:
                raise UnavailableError(
                    "too-many-instances",
                    f"{MAX_CONNECTED} instances are connected, which is the most there may be.",
                )
            if off := self._off(service):
                feed.put(_Change("off", self._revision, reason=off.reason))
                feed.put(_Change("set", self._revision))
            else:
                feed.put(self._whole(service))
            self._feeds[instance] = feed
        if older is not None:
            older.close()
        return feed

    def leave(self, feed: Feed) -> bool:
        """Forget a feed that ended; False if another has taken its place."""
        feed.close()
        with self._lock:
            if self._feeds.get(feed.instance) is not feed:
                return False
            del self._feeds[feed.instance]
            return True

    def feed(self, instance: str) -> Feed | None:
        """Return the feed of a connected instance."""
        with self._lock:
            return self._feeds.get(instance)

    def connected(self) -> dict[str, Feed]:
        """Return the feeds by instance."""
        with self._lock:
            return dict(self._feeds)

    def placed(self, event: Placed) -> None:
        """Take a new probe into its service's set and tell its instances."""
        probe = event.probe
        with self._lock:
            self._sets.setdefault(probe.service, {})[probe.probe.id] = probe
            self._tell(probe.service, _Change("add", event.revision, (probe,)))

    def ended(self, event: Ended) -> None:
        """Take probes out of their service's set and tell its instances."""
        with self._lock:
            held = self._sets.get(event.service, {})
            ids = tuple(p.probe.id for p in event.probes if held.pop(p.probe.id, None))
            if ids:  # one that had expired is in no set when it is removed
                self._tell(event.service, _Change("remove", event.revision, ids=ids))
            if not held:
                self._sets.pop(event.service, None)

    def withdraw(self, chosen: Callable[[PlacedProbe], bool]) -> None:
        """Take probes out of the running instances although it could not be stored."""
        with self._lock:
            for service, held in self._sets.items():
                ids = tuple(name for name, placed in held.items() if chosen(placed))
                for name in ids:
                    del held[name]
                if ids:
                    self._tell(service, _Change("remove", self._revision, ids=ids))

    def switched(self, event: Switched) -> None:
        """Turn a kill switch and tell those whom it makes a difference to."""
        with self._lock:
            self._revision = max(self._revision, event.revision)
            was_off = {
                feed.instance for feed in self._feeds.values() if self._off(feed.service)
            }
            if event.switch is None:
                self._switches.pop(event.service, None)
            else:
                self._switches[event.service] = event.switch
            for feed in self._feeds.values():
                off = self._off(feed.service)
                if off and feed.instance not in was_off:
                    feed.put(_Change("off", self._revision, reason=off.reason))
                elif not off and feed.instance in was_off:
                    feed.put(_Change("on", self._revision))
                    feed.put(self._whole(feed.service))

    def switches(self) -> list[Switch]:
        """Return what is switched off, everything first."""
        with self._lock:
            return [switch for _, switch in sorted(self._switches.items())]

    def off(self, service: str) -> Switch | None:
        """Return the switch that keeps a service off; None if it is on."""
        with self._lock:
            return self._off(service)

    def _off(self, service: str) -> Switch | None:
        return self._switches.get("") or self._switches.get(service)

    def _whole(self, service: str) -> _Change:
        probes = tuple(self._sets.get(service, {}).values())
        return _Change("set", self._revision, probes)

    def next_expiry(self) -> float | None:
        """Return when the next probe's time is over, in seconds since 1970."""
        with self._lock:
            times = [p.expires_at for held in self._sets.values() for p in held.values()]
        return min(times, default=None)

    def stop(self) -> None:
        """End every feed and let nobody connect any more."""
        with self._lock:
            self._stopped = True
            feeds = list(self._feeds.values())
        for feed in feeds:
            feed.close()

    def _tell(self, service: str, change: _Change) -> None:
        self._revision = max(self._revision, change.revision)
        for feed in self._feeds.values():
            if feed.service == service:
                feed.put(change)
