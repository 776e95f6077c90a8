"""The timer that ends probes whose time is over, while the server runs."""

import threading
from typing import TYPE_CHECKING

from leadline.wire.errors import LeadlineError

if TYPE_CHECKING:
    from leadline.control.context import Context

LONGEST_S = 30.0
"""The clock is looked at this often even when nothing is due: somebody may have set it."""
RETRY_S = 1.0
"""A database that could not be written is tried again after so long."""
STOP_S = 1.0


class Expiry:
    """One thread that sleeps until the next probe's end."""

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._changed = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="leadline-expiry", daemon=True)

    def start(self) -> None:
        """Begin to look at the clock."""
        self._thread.start()

    def wake(self) -> None:
        """Look again: a probe was placed that may end before all others."""
        self._changed.set()

    def stop(self) -> None:
        """End the thread, within a deadline."""
        self._stopped = True
        self._changed.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopped:
            due = self._context.desired.next_expiry()
            wait = LONGEST_S if due is None else min(due - self._context.clock(), LONGEST_S)
            if wait > 0:
                self._changed.wait(wait)
                self._changed.clear()
                continue
            try:
                self._context.store.expire(self._context.clock())
            except LeadlineError:
                self._changed.wait(RETRY_S)
