"""A real agent without a link: registry, core and threads, in the process of a test suite.

Everything between the application's thread and the bytes of a hit is what a service has. Only
the budget is lifted, because here every line is meant to be seen.
"""

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from leadline.agent.core import Core, Monitor, choose
from leadline.agent.core.passage import Record
from leadline.agent.fork import ForkWarning
from leadline.agent.guard import faults, guarded
from leadline.agent.link.native import Bell, forget_threads, start_thread
from leadline.agent.probes.registry import Registry
from leadline.wire.probe import CaptureProbe, Fate, Probe, Status

TICK_S = 0.5
"""A fifth as often as the agent: with thousands of probes a tick is long."""
DRAIN_S = 0.02
"""The ring has room for some sixty large snapshots only, and every line takes them here."""
READ_EVERY = 10
"""Drains after which one hit is read into text, as the sender does with all of them; the rest
is counted, so that the suite is not slowed down by what is not done on its threads."""
LIFTED_NS = 10**18
"""Of each second, for all probes: no budget."""
END_S = 10.0


@dataclass(slots=True)
class Findings:
    """What an exploration has seen. `unarmed` says why, and how often."""

    core: str = ""
    probes: int = 0
    armed: int = 0
    reached: int = 0
    hits: int = 0
    read: int = 0
    seconds: float = 0.0
    cost_s: float = 0.0
    fates: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    unarmed: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Return everything as plain data."""
        return asdict(self)


class Explorer:
    """One per process, between `begin` and `end`."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        """Raises `LeadlineError` where the interpreter has no place for us."""
        self._probes = probes
        # calls that were kept are held until they are read
        self._reads_all = any(isinstance(probe, CaptureProbe) for probe in probes)
        self._monitor = Monitor()
        self._monitor.open()
        self._core: Core = choose(self._monitor)
        self._core.budget_ns = LIFTED_NS
        self._registry = Registry(self._core, self._monitor)
        self._warning = ForkWarning()
        self._bell, self._gone, self._never = Bell(), Bell(), Bell()
        self._ending = self._held = self._child = False
        self._began = time.monotonic()
        self._findings = Findings(core=self._core.name, probes=len(probes))

    def begin(self) -> None:
        """Place every probe; those on modules that come later arm at their import."""
        self._registry.add(self._probes)
        os.register_at_fork(
            before=guarded("fork", None)(self._before_fork),
            after_in_parent=guarded("fork", None)(self._after_fork_in_parent),
            after_in_child=guarded("fork", None)(self._after_fork_in_child),
        )
        start_thread("explorer", self._run)

    def let_time_pass(self) -> None:
        """Refill, expire and study from now on. Called when what is explored has been imported:
        an import that finds the registry at work is armed a moment later, and some of its lines
        would have been run by then."""
        start_thread("explorer", self._tick)

    def end(self) -> Findings:
        """Take every probe out and return what was seen. In a forked child, nothing is."""
        if self._ending or self._child:
            return self._findings
        self._ending = True
        self._bell.ring()
        self._gone.wait(END_S)
        self._drain(reading=True)
        self._judge()
        self._registry.apply([])
        self._core.close()
        return self._findings

    def _run(self) -> None:
        """On a thread of ours: take the hits."""
        drains = 0
        while not self._bell.wait(DRAIN_S):
            drains += 1
            self._drain(reading=drains % READ_EVERY == 0)
        self._gone.ring()

    def _tick(self) -> None:
        """On another, because with thousands of probes it can be long: let time pass."""
        while not self._ending:
            self._registry.tick(time.monotonic())
            self._never.wait(TICK_S)

    def _drain(self, *, reading: bool) -> None:
        while records := self._core.drain(1_000):
            self._findings.hits += len(records)
            for record in records if self._reads_all else records[-1:] if reading else ():
                self._read(record)
            reading = False

    def _read(self, record: Record) -> None:
        if record.passage.read is not None:
            record.passage.read(record.payload)
            self._findings.read += 1

    def _judge(self) -> None:
        """Add up how the probes stand at the end."""
        fates: Counter[str] = Counter()
        unarmed: Counter[str] = Counter()
        found = self._findings
        for probe in self._probes:
            state = self._registry.state(probe.id)
            fates.update({str(fate): count for fate, count in state.fates.items()})
            found.cost_s += state.cost_ns / 1e9
            found.reached += bool(state.fates.get(Fate.CAPTURED))
            if state.status in (Status.ARMED, Status.SUSPENDED, Status.EXPIRED):
                found.armed += 1
            else:
                unarmed[_kind_of(state.status, state.reason)] += 1
        found.fates, found.unarmed = dict(fates), dict(unarmed)
        found.dropped, found.faults = self._core.dropped(), dict(faults.first)
        found.seconds = time.monotonic() - self._began

    def _before_fork(self) -> None:
        if not self._ending:
            self._held = self._registry.before_fork()
            self._warning.hide()

    def _after_fork_in_parent(self) -> None:
        if not self._ending:
            self._registry.after_fork_in_parent(self._held)
            self._warning.show()

    def _after_fork_in_child(self) -> None:
        if self._ending:
            return
        self._warning.show()
        self._child = True
        forget_threads()
        self._core.clear()
        self._registry.after_fork_in_child(self._held)


def _kind_of(status: Status, reason: str) -> str:
    """Return why a probe is not armed, in words that many of them share."""
    if status is Status.PENDING:
        return "not imported"
    slug = reason.rpartition("[")[2].rstrip("]")
    return slug or str(status)
