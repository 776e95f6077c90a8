"""The thread that sends on what was stored; nothing that is stored ever waits for it.

What cannot be sent waits in a bounded queue. When that is full, what comes is left out and
counted: the store has it all the same.
"""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from leadline import __version__
from leadline.control.otlp.attributes import Json, resource
from leadline.control.otlp.collector import (
    TIMEOUT_S,
    Collector,
    CollectorAwayError,
    Line,
    RefusedByCollectorError,
)
from leadline.control.otlp.logs import record
from leadline.control.otlp.metrics import metrics
from leadline.control.views import ExporterView
from leadline.store.events import Stored
from leadline.store.records import PlacedProbe, StoredHit, StoredPoint
from leadline.wire.errors import LeadlineError
from leadline.wire.hit import InstanceInfo, Point
from leadline.wire.struct import dataclass

if TYPE_CHECKING:
    from leadline.control.context import Context

MAX_WAITING = 20_000
"""Hits and points in the queue; some minutes of a collector that is away."""
MAX_WAITING_CHARS = 50_000_000
BATCH = 500
BATCH_CHARS = 2_000_000
"""What goes into one request; collectors take twenty megabytes by default."""
LINGER_S = 0.5
"""What has come is sent after so long at the latest, so that single hits go together."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
GIVE_UP_S = 600.0
"""A batch that was not taken for so long is dropped: what waits behind it is fresher."""
FLUSH_S = 1.0
"""At the end, what waits is tried for so long; the server has three seconds in all."""
MAX_KNOWN = 5_000
"""Instances and probes that are remembered, so that the store is asked only once."""


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    kind: str
    count: int
    content: Json


class Exporter:
    """Lives as long as the server does. `put` may be called from any thread."""

    def __init__(self, context: "Context", where: Collector) -> None:
        self._context = context
        self._where = where
        self._line = Line(where)
        self._lock = threading.Lock()
        self._waiting: deque[StoredHit | StoredPoint] = deque()
        self._chars = 0
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._ends_at = float("inf")
        self._sent: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._last_sent_at: float | None = None
        self._failing_since: float | None = None
        self._last_error = ""
        self._infos: dict[str, InstanceInfo | None] = {}
        self._probes: dict[str, PlacedProbe | None] = {}
        self._thread = threading.Thread(target=self._run, name="leadline-otlp", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, event: Stored) -> None:
        """Take what was stored; called by the store's thread, and never waits."""
        with self._lock:
            items: list[StoredHit | StoredPoint] = [*event.hits, *event.points]
            for item in items:
                if len(self._waiting) >= MAX_WAITING or self._chars >= MAX_WAITING_CHARS:
                    self._dropped["queue-full"] += 1
                else:
                    self._waiting.append(item)
                    self._chars += _chars(item)
        self._news.set()

    def stop(self) -> None:
        """Try once more to send what waits, within `FLUSH_S`, and end."""
        self._ends_at = time.monotonic() + FLUSH_S
        self._stopping.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(FLUSH_S)
        with self._lock:
            self._dropped["stopped"] += len(self._waiting)
            self._waiting.clear()

    def view(self) -> ExporterView:
        """Return how it goes."""
        with self._lock:
            return ExporterView(
                url=self._where.url,
                waiting=len(self._waiting),
                sent=dict(self._sent),
                dropped=+self._dropped,
                last_sent_at=self._last_sent_at,
                failing_since=self._failing_since,
                last_error=self._last_error,
            )

    def _run(self) -> None:
        while self._news.wait() and not (self._stopping.is_set() and not self._waiting):
            self._stopping.wait(LINGER_S)
            self._news.clear()
            while batch := self._take():
                try:
                    for request in self._requests(batch):
                        self._send(request)
                except Exception as error:  # noqa: BLE001 - no hit may end this thread
                    self._drop("not-readable", len(batch), type(error).__name__)
            if self._stopping.is_set():
                break
        self._line.close()

    def _take(self) -> list[StoredHit | StoredPoint]:
        batch: list[StoredHit | StoredPoint] = []
        chars = 0
        with self._lock:
            while self._waiting and len(batch) < BATCH and chars < BATCH_CHARS:
                batch.append(self._waiting.popleft())
                chars += _chars(batch[-1])
            self._chars -= chars
        return batch

    def _requests(self, batch: list[StoredHit | StoredPoint]) -> Iterator[_Request]:
        hits: dict[tuple[str, str], list[Json]] = {}
        points: dict[tuple[str, str], list[tuple[Point, PlacedProbe]]] = {}
        for item in batch:
            try:
                if isinstance(item, StoredHit):
                    assert item.facets is not None  # noqa: S101 - it was just stored
                    hits.setdefault((item.service, item.facets.instance), []).append(
                        record(item)
                    )
                elif (placed := self._probe(item.probe)) is not None:
                    metrics([(item.point, placed)])
                    points.setdefault((item.service, item.point.instance), []).append(
                        (item.point, placed)
                    )
                else:
                    self._drop("no-such-probe", 1)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                self._drop("not-readable", 1, type(error).__name__)
        if hits:
            logs = [
                {"resource": self._resource(*who), "scopeLogs": [_scope("logRecords", records)]}
                for who, records in hits.items()
            ]
            count = sum(map(len, hits.values()))
            yield _Request("/v1/logs", "hits", count, {"resourceLogs": logs})
        if points:
            measured = [
                {
                    "resource": self._resource(*who),
                    "scopeMetrics": [_scope("metrics", metrics(pairs))],
                }
                for who, pairs in points.items()
            ]
            count = sum(map(len, points.values()))
            yield _Request("/v1/metrics", "points", count, {"resourceMetrics": measured})

    def _send(self, request: _Request) -> None:
        """Send until it is taken, refused or given up; once only when the server stops."""
        begun, pause = time.monotonic(), FIRST_PAUSE_S
        while True:
            left = self._ends_at - time.monotonic()
            if left <= 0:
                return self._drop("stopped", request.count)
            try:
                taken = self._line.post(request.path, request.content, min(TIMEOUT_S, left))
            except RefusedByCollectorError as error:
                self._failed(str(error))
                return self._drop("refused", request.count)
            except CollectorAwayError as error:
                self._failed(str(error))
                if self._stopping.is_set():
                    return self._drop("stopped", request.count)
                if time.monotonic() - begun > GIVE_UP_S:
                    return self._drop("given-up", request.count)
                # not all servers at once, and not before it asked for it
                asked = min(error.after_s, GIVE_UP_S)
                self._stopping.wait(max(pause * random.uniform(0.5, 1.0), asked))  # noqa: S311
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                return self._took(request, min(taken.rejected, request.count), taken.why)

    def _took(self, request: _Request, rejected: int, why: str) -> None:
        with self._lock:
            self._sent[request.kind] += request.count - rejected
            self._last_sent_at, self._failing_since = self._context.clock(), None
        if rejected:
            self._drop("rejected", rejected, why)

    def _failed(self, error: str) -> None:
        with self._lock:
            self._last_error = error
            if self._failing_since is None:
                self._failing_since = self._context.clock()

    def _drop(self, reason: str, count: int, error: str = "") -> None:
        with self._lock:
            self._dropped[reason] += count
            if error:
                self._last_error = f"{reason}: {error}"[:200]

    def _resource(self, service: str, instance: str) -> Json:
        return resource(service, instance, self._info(service, instance))

    def _info(self, service: str, instance: str) -> InstanceInfo | None:
        feed = self._context.desired.feed(instance)
        if feed is not None:
            return feed.info

        def look() -> InstanceInfo | None:
            known = self._context.store.instances(service)
            return next((one.info for one in known if one.info.id == instance), None)

        return _remembered(self._infos, instance, look)

    def _probe(self, probe: str) -> PlacedProbe | None:
        return _remembered(self._probes, probe, lambda: self._context.store.probe(probe))


def _remembered[T](
    known: dict[str, T | None], name: str, look: Callable[[], T | None]
) -> T | None:
    if name not in known:
        if len(known) >= MAX_KNOWN:
            known.clear()
        try:
            known[name] = look()
        except LeadlineError:
            return None  # the store is busy or full: asked again next time
    return known[name]


def _scope(name: str, content: list[Json]) -> Json:
    return {"scope": {"name": "leadline", "version": __version__}, name: content}


def _chars(item: StoredHit | StoredPoint) -> int:
    return len(item.body) if isinstance(item, StoredHit) else 20 * len(item.point.buckets) + 200
