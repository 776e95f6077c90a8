"""Answers that are worth keeping for some seconds."""

import threading
import time
from collections.abc import Callable


class Remembered[T]:
    """The last `most` answers by key, each for `seconds`. Any thread may call."""

    def __init__(
        self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, T]] = {}

    def get(self, key: str) -> T | None:
        """Return what was kept, if it is not too old."""
        with self._lock:
            at, answer = self._kept.get(key, (0.0, None))
        return answer if answer is not None and self._clock() - at < self._seconds else None

    def put(self, key: str, answer: T) -> None:
        """Keep an answer; the oldest goes when there are too many."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = self._clock(), answer
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
