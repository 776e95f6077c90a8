"""What a probe that adds up has seen since it was last told: kept small, whatever comes."""

import sys
import time

from leadline.agent.core.passage import Passage
from leadline.wire.hit import Point
from leadline.wire.probe import Fate
from leadline.wire.sketch import MAX_BUCKETS, bucket_of

WINDOW_S = 1.0
"""The shortest time that one point is about."""

_LARGEST = sys.float_info.max
"""A sum beyond it is told as this: JSON has no infinity, and the server would refuse it all."""


class Tally:
    """Of one probe. `fold` is called ten times a second, `point` when there is a way to send
    it: while the server is away the window grows and nothing is lost."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self.begin()

    def begin(self) -> None:
        """Start from nothing: at arming, and in a forked child."""
        self._since = time.monotonic()
        self._counted = self._passage.fates[Fate.CAPTURED]
        self._lost = self._passage.lost
        self._clear()

    def fold(self) -> None:
        """Take over the numbers that the application's threads have left."""
        samples = self._passage.samples
        for _ in range(len(samples) if samples is not None else 0):
            self._add(samples.popleft())  # type: ignore[union-attr]

    def point(self, probe: str, instance: str, seq: int, *, last: bool) -> Point | None:
        """Return what was seen and begin anew; None if it is nothing, or too early."""
        now = time.monotonic()
        if now - self._since < WINDOW_S and not last:
            return None
        self.fold()
        counted, lost = self._passage.fates[Fate.CAPTURED], self._passage.lost
        summed = self._passage.samples is not None
        count = self._count if summed else counted - self._counted
        if not count and lost == self._lost:
            self._since = now
            return None
        point = Point(
            probe=probe,
            instance=instance,
            seq=seq,
            time=time.time(),
            seconds=now - self._since,
            count=count,
            total=self._total,
            low=self._low,
            high=self._high,
            buckets=self._buckets,
            lost=lost - self._lost,
        )
        self._since, self._counted, self._lost = now, counted, lost
        self._clear()
        return point

    def _clear(self) -> None:
        self._count = 0
        self._total = self._low = self._high = 0.0
        self._buckets: dict[str, int] = {}

    def _add(self, value: float) -> None:
        first = not self._count
        self._count += 1
        self._total = min(max(self._total + value, -_LARGEST), _LARGEST)
        self._low = value if first else min(self._low, value)
        self._high = value if first else max(self._high, value)
        key = bucket_of(value)
        if key not in self._buckets and len(self._buckets) >= MAX_BUCKETS:
            key = next(reversed(self._buckets))
        self._buckets[key] = self._buckets.get(key, 0) + 1
