"""Canaries: a probe is tried in one instance, and goes to the others if that one stays well."""

import threading
import time
from typing import TYPE_CHECKING

from leadline.control.feed import Feed
from leadline.control.reach import meant
from leadline.store.records import Canary, PlacedProbe, Step
from leadline.wire.errors import LeadlineError
from leadline.wire.hit import ProbeState
from leadline.wire.probe import Status
from leadline.wire.struct import replace

if TYPE_CHECKING:
    from leadline.control.context import Context

LOOK_S = 0.1
"""How often a running trial is looked at; without one, nothing is."""
GONE_S = 15.0
"""How long the chosen instance may be away: the server may have been started again, and agents
come back within seconds."""
PENDING_S = 1.5
"""How long an instance may say that it waits for a module before another one tries: the main
process of gunicorn has been connected longest and never imports the application."""
STOP_S = 1.0


class Trials:
    """One thread that follows the trials. How far each has come is in the store.

    How long an instance has been well is measured here: a trial that a restart of the server
    interrupted begins its seconds again.
    """

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._changed = threading.Event()
        self._stopped = False
        self._well: dict[str, float] = {}
        self._away: dict[str, float] = {}
        self._pending: dict[str, float] = {}
        self._tried: dict[str, set[str]] = {}
        self._thread = threading.Thread(target=self._run, name="leadline-trials", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def wake(self) -> None:
        """Look again: a probe with a canary was placed."""
        self._changed.set()

    def begin_again(self) -> None:
        """Count all seconds anew: a kill switch was turned, however briefly."""
        self._well.clear()
        self._changed.set()

    def stop(self) -> None:
        """End the thread, within a deadline."""
        self._stopped = True
        self._changed.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopped:
            running = self._context.desired.trials()
            ids = {placed.probe.id for placed in running}
            for seen in (self._well, self._away, self._pending, self._tried):
                for probe in seen.keys() - ids:
                    seen.pop(probe, None)
            for placed in running:
                try:
                    self._look(placed)
                except LeadlineError:
                    continue  # the database could not be used; the next look may have luck
            self._changed.wait(LOOK_S if running else None)
            self._changed.clear()

    def _look(self, placed: PlacedProbe) -> None:
        canary = placed.canary
        if canary is None or self._context.desired.off(placed.service):
            return
        if canary.step is Step.WAITING:
            self._choose(placed, canary)
        elif canary.step is Step.TRYING:
            self._follow(placed, canary)

    def _choose(self, placed: PlacedProbe, canary: Canary) -> None:
        """Take the instance that has been connected longest."""
        feeds = meant(placed, self._context.desired.connected().values())
        if not feeds:
            return
        self._try(placed, canary, min(feeds, key=_longest).instance)

    def _try(self, placed: PlacedProbe, canary: Canary, chosen: str) -> None:
        faults, dropped = self._losses(chosen)
        self._say(
            placed,
            replace(canary, step=Step.TRYING, instance=chosen, faults=faults, dropped=dropped),
        )

    def _follow(self, placed: PlacedProbe, canary: Canary) -> None:
        probe, now = placed.probe.id, time.monotonic()
        if self._context.desired.feed(canary.instance) is None:
            self._well.pop(probe, None)
            if now - self._away.setdefault(probe, now) >= GONE_S:
                self._fail(placed, "it is gone")
            return
        self._away.pop(probe, None)
        if trouble := self._trouble(placed, canary):
            self._fail(placed, trouble)
        elif (state := self._state(placed, canary)) is None or state.status is not Status.ARMED:
            self._well.pop(probe, None)
            if state is not None and state.status is Status.PENDING:
                self._ask_another(placed, canary, now)
        elif (began := self._well.get(probe)) is None:
            self._well[probe] = now
            self._say(placed, replace(canary, since=self._context.clock()))
        elif now - began >= canary.seconds:
            self._say(placed, replace(canary, step=Step.PASSED))

    def _ask_another(self, placed: PlacedProbe, canary: Canary, now: float) -> None:
        """Go to an instance that has not tried yet, if this one waits for too long. When all
        have, the last one keeps the probe and waits."""
        probe = placed.probe.id
        if now - self._pending.setdefault(probe, now) < PENDING_S:
            return
        tried = self._tried.setdefault(probe, set())
        tried.add(canary.instance)
        feeds = meant(placed, self._context.desired.connected().values())
        others = [feed for feed in feeds if feed.instance not in tried]
        if others:
            del self._pending[probe]
            self._try(placed, canary, min(others, key=_longest).instance)

    def _trouble(self, placed: PlacedProbe, canary: Canary) -> str:
        """Return what is wrong with the instance, or nothing."""
        state = self._state(placed, canary)
        if state is not None and state.status in (
            Status.ERROR, Status.MISMATCH, Status.SUSPENDED, Status.EXPIRED,
        ):  # fmt: skip
            return f"{state.status}: {state.reason}" if state.reason else str(state.status)
        faults, dropped = self._losses(canary.instance)
        if faults > canary.faults:
            return f"its agent had {faults - canary.faults} new faults"
        if dropped > canary.dropped:
            return f"its agent dropped {dropped - canary.dropped} more hits"
        return ""

    def _state(self, placed: PlacedProbe, canary: Canary) -> ProbeState | None:
        probe = placed.probe.id
        for record in self._context.store.states(probe=probe).get(probe, ()):
            if record.instance == canary.instance:
                return record.state
        return None

    def _losses(self, instance: str) -> tuple[int, int]:
        """Return what the agent of an instance has counted: faults, and hits dropped."""
        record = self._context.store.instance(instance)
        if record is None:
            return 0, 0
        return sum(record.faults.values()), sum(record.dropped.values())

    def _say(self, placed: PlacedProbe, canary: Canary) -> None:
        self._context.store.save_canary(placed.probe.id, canary, now=self._context.clock())

    def _fail(self, placed: PlacedProbe, trouble: str) -> None:
        canary = placed.canary
        instance = canary.instance if canary else ""
        reason = f"its canary in {instance} failed: {trouble}"
        self._context.store.end(placed.probe.id, reason, now=self._context.clock())


def _longest(feed: Feed) -> tuple[float, str]:
    return feed.since, feed.instance
