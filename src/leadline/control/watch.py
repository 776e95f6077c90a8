"""Watching hits and points as they arrive, without ever slowing their arrival.

Each watcher has a bounded queue. When it is full, what comes is left out at that place and
counted, and the watcher is told how much when it gets there.
"""

import json
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from leadline.control.stream import Message, asleep
from leadline.store.events import Stored
from leadline.store.records import HitFilter, StoredHit, StoredPoint
from leadline.wire.errors import UnavailableError
from leadline.wire.struct import asdict

if TYPE_CHECKING:
    from leadline.control.context import Context

MAX_WATCHERS = 100
"""Pages and commands that watch at once."""
EVERYTHING = HitFilter()
WATCH_HITS = 1_000
WATCH_CHARS = 4_000_000
"""What one watcher's queue holds: a burst that a person could still look through."""
TAKE_CHARS = 64_000
"""How much is written at a time, so that what cannot be sent yet waits in the queue."""


class Watcher:
    """A stream of hits, with `lost` messages where some were left out.

    With `points` it has those of the same services and probes too; they have no number, so who
    comes back later asks for a series instead.
    """

    def __init__(self, matching: HitFilter, *, points: bool = False) -> None:
        self.matching = matching
        self.points = points
        self._lock = threading.Lock()
        self._waiting: deque[StoredHit | StoredPoint | int] = deque()  # an int: so many lost
        self._chars = 0
        self._seen = -1
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

    def put(self, stored: Stored) -> int:
        """Add what is asked for and has room; returns how many were left out."""
        asked: list[StoredHit | StoredPoint] = [
            hit for hit in stored.hits if self.matching.matches(hit)
        ]
        if self.points:
            of = self.matching.of
            asked += [point for point in stored.points if of(point.service, point.probe)]
        lost = 0
        with self._lock:
            for item in asked:
                if isinstance(item, StoredHit) and item.id <= self._seen:
                    continue  # was read from the store before it was passed on
                if len(self._waiting) >= WATCH_HITS or self._chars >= WATCH_CHARS:
                    lost += 1
                    self._lose(1)
                else:
                    self._waiting.append(item)
                    self._chars += _chars(item)
        if asked:
            self._wake()
        return lost

    def begin(self, older: list[StoredHit], missing: int) -> None:
        """Put stored hits before what has arrived since, each hit once."""
        with self._lock:
            self._seen = older[-1].id if older else -1
            arrived = [
                item
                for item in self._waiting
                if not isinstance(item, StoredHit) or item.id > self._seen
            ]
            self._waiting = deque([*([missing] if missing else []), *older, *arrived])
            self._chars = sum(
                _chars(item) for item in self._waiting if not isinstance(item, int)
            )
        self._wake()

    def take(self) -> list[Message]:
        """See `Stream`."""
        messages: list[Message] = []
        chars = 0
        with self._lock:
            while self._waiting and chars < TAKE_CHARS:
                item = self._waiting.popleft()
                if isinstance(item, int):
                    messages.append(Message("lost", json.dumps({"count": item})))
                    continue
                self._chars -= _chars(item)
                chars += _chars(item)
                if isinstance(item, StoredHit):
                    messages.append(Message("hit", item.json(), item.id))
                else:
                    messages.append(Message("point", _point(item)))
        return messages

    def _lose(self, count: int) -> None:
        if self._waiting and isinstance(self._waiting[-1], int):
            self._waiting[-1] += count
        else:
            self._waiting.append(count)


def _chars(item: StoredHit | StoredPoint) -> int:
    if isinstance(item, StoredHit):
        return len(item.body)
    return 200 + 10 * len(item.point.buckets)  # about, without writing it out for it


def _point(stored: StoredPoint) -> str:
    content = {"service": stored.service} | asdict(stored.point)
    return json.dumps(content, separators=(",", ":"))


class Watchers:
    """All that watch now, and how many hits they did not get."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: list[Watcher] = []
        self._stopped = False
        self.lost = 0

    def add(self, watcher: Watcher) -> None:
        """Let a watcher see what is stored from now on."""
        with self._lock:
            if self._stopped:
                raise UnavailableError("stopping", "The server is stopping.")
            if len(self._watchers) >= MAX_WATCHERS:
                raise UnavailableError(
                    "too-many-watchers",
                    f"{MAX_WATCHERS} streams of hits are open, which is the most there may be.",
                    "Close a page or a command that is watching.",
                )
            self._watchers.append(watcher)

    def remove(self, watcher: Watcher) -> None:
        """Forget a watcher that has gone."""
        watcher.close()
        with self._lock:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

    def stored(self, stored: Stored) -> None:
        """Pass hits and points on; called by the store's thread."""
        with self._lock:
            watchers = list(self._watchers)
        self.lost += sum(watcher.put(stored) for watcher in watchers)

    def stop(self) -> None:
        """End every stream and let nobody watch any more."""
        with self._lock:
            self._stopped = True
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher.close()


def watch(
    context: "Context", matching: HitFilter = EVERYTHING, *, points: bool = False
) -> Watcher:
    """Return a stream of hits as they are stored.

    If `matching.after` is said, it begins with those stored since that number: the newest
    `WATCH_HITS` of them, and the count of the others as lost. Give it back to `unwatch`.
    """
    watcher = Watcher(matching, points=points)
    context.watchers.add(watcher)
    if matching.after is not None:
        try:
            page = context.store.hits(matching, newest=True, limit=WATCH_HITS)
            missing = 0
            if page.more:
                missing = context.store.count_hits(matching) - len(page.hits)
        except BaseException:
            context.watchers.remove(watcher)
            raise
        watcher.begin(page.hits, max(missing, 0))
    return watcher


def unwatch(context: "Context", watcher: Watcher) -> None:
    """End a stream of hits."""
    context.watchers.remove(watcher)
