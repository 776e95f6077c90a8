"""The streams that are open, each with the key that opened it: when that ends, so do they."""

import threading
from collections.abc import Callable

from leadline.control.stream import asleep
from leadline.server.keyring import KeyRing


class Session:
    """One open stream's right to go on."""

    def __init__(self, sessions: "Sessions", key: str) -> None:
        self._sessions = sessions
        self._key = key
        self.wake = asleep

    def attach(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when keys have changed: look at `valid` then, and now and then."""
        self.wake = wake
        self._sessions.add(self)

    def valid(self) -> bool:
        """Return whether the key is still one of this server's."""
        return self._sessions.ring.valid(self._key)

    def close(self) -> None:
        """Forget a stream that ended."""
        self._sessions.remove(self)


class Sessions:
    """All open streams of one server."""

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self._lock = threading.Lock()
        self._open: set[Session] = set()
        ring.changed = self._wake

    def open(self, key: str) -> Session:
        """Return the session of a stream that a key was let in for."""
        return Session(self, key)

    def add(self, session: Session) -> None:
        """Called by the session itself."""
        with self._lock:
            self._open.add(session)

    def remove(self, session: Session) -> None:
        """Called by the session itself."""
        with self._lock:
            self._open.discard(session)

    def _wake(self) -> None:
        with self._lock:
            sessions = list(self._open)
        for session in sessions:
            session.wake()
