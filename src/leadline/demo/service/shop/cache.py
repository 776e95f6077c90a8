"""A small cache in memory, so that the busiest reads do not reach the database."""

import threading
import time
from collections.abc import Callable, Hashable


class TtlCache[K: Hashable, V]:
    """Keeps up to `size` values for `ttl` seconds each; the oldest leaves first.

    Two threads that miss at the same time both load: cheaper than making one wait.
    """

    def __init__(self, ttl: float, size: int = 512) -> None:
        self._ttl = ttl
        self._size = size
        self._lock = threading.Lock()
        self._entries: dict[K, tuple[float, V]] = {}

    def get(self, key: K, load: Callable[[K], V]) -> V:
        """The value kept for `key`; loaded, and kept, if there is none or it is too old."""
        now = time.monotonic()
        with self._lock:
            entry = self._entries.get(key)
        if entry is not None and entry[0] > now:
            return entry[1]
        value = load(key)
        with self._lock:
            self._entries.pop(key, None)
            while len(self._entries) >= self._size:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (now + self._ttl, value)
        return value

    def forget(self, key: K) -> None:
        with self._lock:
            self._entries.pop(key, None)
