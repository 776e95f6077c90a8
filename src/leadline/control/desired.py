"""The set of probes that each service should carry, and the instances that are told of it.

The set is what the store has committed: only the store's thread changes it, in the order of
the commits, so what an instance hears is never ahead of the database nor out of order.
"""

import threading
from collections.abc import Callable, Iterable, Iterator

from leadline.control.feed import Change, Feed
from leadline.store.events import Changed, Ended, Placed, Switched
from leadline.store.records import EVERY_SERVICE, PlacedProbe, Step, Switch, serves
from leadline.wire.errors import UnavailableError
from leadline.wire.hit import InstanceInfo
from leadline.wire.inventory import Want
from leadline.wire.shell import Tell

MAX_CONNECTED = 2_000
"""Instances connected at once; each is a socket."""


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

    def connect(self, info: InstanceInfo, now: float, clock: Callable[[], float]) -> Feed:
        """Return the feed of an instance, beginning with the set; it replaces an older one.

        While its service is switched off, it hears so first and the set is empty.
        """
        feed = Feed(info, now, clock)
        with self._lock:
            if self._stopped:
                raise UnavailableError("stopping", "The server is stopping.")
            older = self._feeds.get(info.id)
            if older is None and len(self._feeds) >= MAX_CONNECTED:
                raise UnavailableError(
                    "too-many-instances",
                    f"{MAX_CONNECTED} instances are connected, which is the most there may be.",
                )
            if off := self._off(info.service):
                feed.put(Change("off", self._revision, reason=off.reason))
                feed.put(Change("set", self._revision))
            else:
                feed.put(self._whole(feed))
            self._feeds[info.id] = feed
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

    def ask(self, instance: str, want: Want) -> bool:
        """Put a question to a connected instance; False if it is not connected."""
        with self._lock:
            feed = self._feeds.get(instance)
            if feed is not None:
                feed.put(Change("want", self._revision, want=want))
        return feed is not None

    def tell(self, instance: str, tell: Tell) -> bool:
        """Tell the twin of a connected instance something; False if it is not connected."""
        with self._lock:
            feed = self._feeds.get(instance)
            if feed is not None:
                feed.put(Change("tell", self._revision, tell=tell))
        return feed is not None

    def keep_in(self, probe: str, instance: str) -> None:
        """Take a probe out of the running instances but one. Those that connect again are told
        of it again: it is not stored."""
        with self._lock:
            for feed in self._feeds.values():
                if feed.instance != instance:
                    self._take_out(feed, [probe])

    def feed(self, instance: str) -> Feed | None:
        """Return the feed of a connected instance."""
        with self._lock:
            return self._feeds.get(instance)

    def connected(self) -> dict[str, Feed]:
        """Return the feeds by instance."""
        with self._lock:
            return dict(self._feeds)

    def placed(self, event: Placed) -> None:
        """Take a new probe into its service's set and tell the instances that it is for."""
        with self._lock:
            self._hold(event.probe, event.revision)
            for feed in self._feeds_of(event.probe):
                if event.probe.is_for(feed.info):
                    feed.put(Change("add", event.revision, (event.probe,)))

    def changed(self, event: Changed) -> None:
        """Take note that a probe is for other instances now, or has another anchor.

        `event.by`, the instance that the anchor is from, knows it.
        """
        placed = event.probe
        with self._lock:
            before = self._sets.get(placed.service, {}).get(placed.probe.id)
            if before is None:
                return  # it has ended in the meantime
            self._hold(placed, event.revision)
            renewed = before.probe != placed.probe
            for feed in self._feeds_of(placed):
                carried = placed.probe.id in feed.carried
                if not placed.is_for(feed.info):
                    self._take_out(feed, [placed.probe.id])
                elif not carried or (renewed and feed.instance != event.by):
                    feed.put(Change("add", event.revision, (placed,)))

    def ended(self, event: Ended) -> None:
        """Take probes out of their service's set and tell the instances that carry them."""
        with self._lock:
            self._revision = max(self._revision, event.revision)
            self._drop(event.service, [placed.probe.id for placed in event.probes])

    def withdraw(self, chosen: Callable[[PlacedProbe], bool]) -> None:
        """Take probes out of the running instances although it could not be stored."""
        with self._lock:
            for service, held in list(self._sets.items()):
                self._drop(service, [name for name, placed in held.items() if chosen(placed)])

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
                    feed.put(Change("off", self._revision, reason=off.reason))
                elif not off and feed.instance in was_off:
                    feed.put(Change("on", self._revision))
                    feed.put(self._whole(feed))

    def switches(self) -> list[Switch]:
        """Return what is switched off, everything first."""
        with self._lock:
            return [switch for _, switch in sorted(self._switches.items())]

    def off(self, service: str) -> Switch | None:
        """Return the switch that keeps a service off; None if it is on."""
        with self._lock:
            return self._off(service)

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

    def trials(self) -> list[PlacedProbe]:
        """Return the active probes whose canary has not passed yet."""
        with self._lock:
            return [
                placed
                for held in self._sets.values()
                for placed in held.values()
                if placed.canary is not None and placed.canary.step is not Step.PASSED
            ]

    def _off(self, service: str) -> Switch | None:
        return self._switches.get("") or self._switches.get(service)

    def _whole(self, feed: Feed) -> Change:
        sets = (self._sets.get(service, {}) for service in (feed.service, EVERY_SERVICE))
        probes = (placed for held in sets for placed in held.values())
        return Change("set", self._revision, tuple(p for p in probes if p.is_for(feed.info)))

    def _hold(self, placed: PlacedProbe, revision: int) -> None:
        self._revision = max(self._revision, revision)
        self._sets.setdefault(placed.service, {})[placed.probe.id] = placed

    def _drop(self, service: str, ids: Iterable[str]) -> None:
        held = self._sets.get(service, {})
        gone = [name for name in ids if held.pop(name, None)]
        if not held:
            self._sets.pop(service, None)
        for feed in self._feeds.values():
            self._take_out(feed, gone)

    def _take_out(self, feed: Feed, ids: list[str]) -> None:
        # one that it does not carry was never told, or has been removed before
        if carried := tuple(name for name in ids if name in feed.carried):
            feed.put(Change("remove", self._revision, ids=carried))

    def _feeds_of(self, placed: PlacedProbe) -> Iterator[Feed]:
        """Yield the connected instances that could carry a probe."""
        for feed in self._feeds.values():
            if serves(placed.service, feed.service) and not self._off(feed.service):
                yield feed
