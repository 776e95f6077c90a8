"""Keeps what is stored within its age and size, by itself, a little at a time."""

import threading
import time
from typing import TYPE_CHECKING

from leadline.store.keep import Keep
from leadline.wire.errors import LeadlineError

if TYPE_CHECKING:
    from leadline.control.context import Context

SWEEP_S = 60.0
"""What is too old goes within this time; sooner where only minutes are kept."""
LEAST_SWEEP_S = 1.0
PAUSE_S = 0.05
"""Between two steps of one sweep: whoever wants to store something goes first."""
JUMP_S = 300.0
DISTRUST_S = 3_600.0
"""A clock that was set by more than `JUMP_S` is not believed for this long: what was stored
would be called old although it is not. Number and size are kept meanwhile."""
STOP_S = 1.0


class Upkeep:
    """One thread that sweeps now and then for as long as the server lives."""

    def __init__(self, context: "Context", keep: Keep) -> None:
        self._context = context
        self._every_s = min(max(min(keep.age_s, keep.audit_s) / 10, LEAST_SWEEP_S), SWEEP_S)
        self._clock = SteadyClock(context.clock())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leadline-upkeep", daemon=True)

    def start(self) -> None:
        """Begin to sweep."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, within a deadline."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                while self._sweep() and not self._stop.wait(PAUSE_S):
                    pass
            except LeadlineError:
                continue  # full or locked: the next sweep is the next attempt

    def _sweep(self) -> bool:
        now = self._clock.believed(self._context.clock(), time.monotonic())
        return self._context.store.sweep(now)


class SteadyClock:
    """The server's clock, without the jumps it makes when somebody sets it."""

    def __init__(self, wall: float) -> None:
        self._wall = wall
        self._steady = time.monotonic()
        self._distrusted_until = 0.0

    def believed(self, wall: float, steady: float) -> float:
        """Return the time that ages are measured by; `steady` never jumps, `wall` may."""
        if abs((wall - self._wall) - (steady - self._steady)) > JUMP_S:
            self._distrusted_until = steady + DISTRUST_S
        self._wall, self._steady = wall, steady
        return wall if steady >= self._distrusted_until else 0.0
