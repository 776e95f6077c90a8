"""The streams that are open, each with what it was let in by: when that ends, so does it."""

import threading
from collections.abc import Callable

from leadline.control.stream import asleep


class Session:
    """One open stream's right to go on."""

    def __init__(self, sessions: "Sessions", valid: Callable[[], bool]) -> None:
        self._sessions = sessions
        self._valid = valid
        self.wake = asleep

    def attach(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when keys or sign-ins have changed: look at `valid` then, and now
        and then."""
        self.wake = wake
        self._sessions.add(self)

    def valid(self) -> bool:
        """Return whether what opened it is still good."""
        return self._valid()

    def close(self) -> None:
        """Forget a stream that ended."""
        self._sessions.remove(self)


class Sessions:
    """All open streams of one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[Session] = set()

    def open(self, valid: Callable[[], bool]) -> Session:
        """Return the session of a stream that may go on for as long as `valid` says so."""
        return Session(self, valid)

    def add(self, session: Session) -> None:
        """Called by the session itself."""
        with self._lock:
            self._open.add(session)

    def remove(self, session: Session) -> None:
        """Called by the session itself."""
        with self._lock:
            self._open.discard(session)

    def wake(self) -> None:
        """Have every stream look at once whether it may go on."""
        with self._lock:
            sessions = list(self._open)
        for session in sessions:
            session.wake()
