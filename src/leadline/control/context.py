"""What every use case works on: the store, who is connected, who watches, and the time."""

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from leadline.control.approvals import Approvals
from leadline.control.desired import Desired
from leadline.control.expiry import Expiry
from leadline.control.otlp.collector import Collector
from leadline.control.otlp.exporter import Exporter
from leadline.control.pulse import Pulse
from leadline.control.remembered import Remembered
from leadline.control.shells import Shell, Shells
from leadline.control.trials import Trials
from leadline.control.upkeep import Upkeep
from leadline.control.wanted import Questions
from leadline.control.watch import Watchers
from leadline.store.events import Changed, Ended, Event, Placed, Stored, Switched
from leadline.store.keep import LEAST_BYTES, Keep
from leadline.store.protocol import Store
from leadline.store.sqlite import SqliteStore
from leadline.wire.errors import UnavailableError
from leadline.wire.inventory import Names
from leadline.wire.probe import TwinProbe
from leadline.wire.shell import GONE, Tell
from leadline.wire.twin import TwinUse

__all__ = ["LEAST_BYTES", "Context", "Keep", "say"]

_DEFAULT_KEEP = Keep()
NAMES_S = 30.0
"""How long the names of an instance are kept for whoever types: collecting them takes it up to
0.2 s of processor time (22,000 names of 826 modules)."""
MOST_NAMES = 16
"""Instances of which they are kept at once, some MB each."""


class Context:
    """Lives as long as the server does. Every method may be called from any thread.

    `not_stored` counts hits of reports that were answered with an error, by its slug; an
    agent may have sent them again with more luck.
    """

    def __init__(
        self,
        database: Path,
        clock: Callable[[], float] = time.time,
        keep: Keep = _DEFAULT_KEEP,
        collector: Collector | None = None,
    ) -> None:
        """Open the store and begin where it was. Raises `UnavailableError`."""
        self.clock = clock
        self.keep = keep
        self.started_at = clock()
        self.desired = Desired()
        self.watchers = Watchers()
        self.questions = Questions()
        self.shells = Shells()
        self.approvals = Approvals()
        self.pulse = Pulse()
        self.names: Remembered[Names] = Remembered(NAMES_S, MOST_NAMES)
        self.not_stored: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._expiry = Expiry(self)
        self._upkeep = Upkeep(self, keep)
        self._trials = Trials(self)
        self.exporter = Exporter(self, collector) if collector else None
        self.store: Store = SqliteStore(database, self._committed, keep)
        try:
            self.store.all_gone()
            self.store.expire(clock())
            self._end_old_shells()
            self.desired.load(self.store.probes(), self.store.revision(), self.store.switches())
        except BaseException:
            self.store.close()
            raise
        self._expiry.start()
        self._upkeep.start()
        self._trials.start()
        if self.exporter is not None:
            self.exporter.start()

    def note(
        self, who: str, action: str, service: str = "", detail: dict[str, object] | None = None
    ) -> None:
        """Put into the audit log what was done already; `detail` never holds a key."""
        try:
            self.store.note(who, action, service, detail or {}, now=self.clock())
        except UnavailableError as error:
            say(f"[{error.slug}] not in the audit log: {who} {action} {service}")

    def _end_old_shells(self) -> None:
        """Nobody sits at a shell that was opened before the server was started again."""
        for placed in self.store.probes():
            probe = placed.probe
            if isinstance(probe, TwinProbe) and probe.use is TwinUse.SHELL:
                self.store.end(probe.id, "the server was started again", now=self.clock())

    def count_not_stored(self, slug: str, hits: int) -> None:
        """Note that hits could not be stored."""
        with self._counting:
            self.not_stored[slug] += hits

    def stop(self) -> None:
        """End every stream, so that whoever reads them goes; does not wait."""
        self.desired.stop()
        self.watchers.stop()
        self.questions.stop()
        self.shells.stop()

    def close(self) -> None:
        """Stop, finish what is being written, and let go of the database."""
        self.stop()
        self._expiry.stop()
        self._upkeep.stop()
        self._trials.stop()
        if self.exporter is not None:
            self.exporter.stop()
        self.store.close()

    def _committed(self, event: Event) -> None:
        match event:
            case Stored():
                self.watchers.stored(event)
                if self.exporter is not None:
                    self.exporter.put(event)
            case Placed():
                self.shells.placed(event)
                self.desired.placed(event)
                self._expiry.wake()
                self._trials.wake()
            case Changed():
                self.desired.changed(event)
            case Ended():
                self.desired.ended(event)
                self._left(self.shells.over((one.probe.id, one.reason) for one in event.probes))
            case Switched():
                self.desired.switched(event)
                if event.switch is not None:
                    off = event.service
                    self._left(
                        self.shells.end(
                            lambda shell: off in ("", shell.service),
                            "the service is switched off",
                        )
                    )
                self._trials.begin_again()

    def _left(self, shells: list[Shell]) -> None:
        """Have the twins of shells that are over end now, and not with their lives."""
        for shell in shells:
            if shell.instance:
                self.desired.tell(shell.instance, Tell(shell.probe, GONE))


def say(text: str) -> None:
    """Write one line about the server itself to stderr: never a key, never captured values."""
    print(f"leadline: {text}", file=sys.stderr, flush=True)
