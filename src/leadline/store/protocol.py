"""What every store can do. A second database is a second class with these methods."""

from collections.abc import Callable
from typing import Protocol

from leadline.store.events import Event
from leadline.store.keep import Kind, Sizes
from leadline.store.records import (
    EVERY_ENTRY,
    NO_TERMS,
    AuditEntry,
    AuditFilter,
    Canary,
    Columns,
    HitFilter,
    HitPage,
    InstanceRecord,
    NewHit,
    Phase,
    PlacedProbe,
    PointFilter,
    SetItem,
    SetPart,
    StateRecord,
    Switch,
    Taken,
    Terms,
    Total,
)
from leadline.store.verdicts import NewVerdict, StoredVerdict, VerdictFilter
from leadline.wire.hit import InstanceInfo, Point, Report
from leadline.wire.probe import Probe, Status

type Listener = Callable[[Event], None]
"""Told what was committed, in the order of the commits, on the store's own thread.

It must neither wait nor raise: whatever it does, the next transaction waits for it.
"""


class Store(Protocol):
    """All methods may be called from any thread and wait for at most a few seconds.

    They raise `UnavailableError` when the database cannot be used; what they were asked to
    write is then not written. Times are seconds since 1970.
    """

    def place(
        self, service: str, probe: Probe, terms: Terms = NO_TERMS, *, who: str, now: float
    ) -> PlacedProbe:
        """Give the probe its id and put it into the service's set.

        Raises `RefusedError` (slugs `too-many-probes`, `switched-off`)."""

    def remove(self, probe: str, *, who: str, now: float) -> PlacedProbe | None:
        """Take a probe out for good; None if there is none, or not any more."""

    def remove_all(self, service: str, *, who: str, now: float) -> list[PlacedProbe]:
        """Take all of a service's probes out, the expired ones too."""

    def end(self, probe: str, reason: str, *, now: float) -> None:
        """End an active probe, as if its time were over, for another reason."""

    def end_soon(self, probe: str, reason: str, *, now: float) -> None:
        """The same, without waiting for the database."""

    def save_canary(self, probe: str, canary: Canary, *, now: float) -> None:
        """Note how far a probe's canary has come, if the probe is active."""

    def put_set(
        self, service: str, name: str, items: list[SetItem], *, who: str, now: float
    ) -> list[SetPart]:
        """Make a set exactly that, or change nothing; raises what `place` does."""

    def set(self, service: str, name: str) -> list[PlacedProbe]:
        """Return the probes of a set, active and expired."""

    def remove_set(self, service: str, name: str, *, who: str, now: float) -> list[PlacedProbe]:
        """Take all probes of a set out."""

    def expire(self, now: float) -> None:
        """End every probe whose time is over."""

    def revision(self) -> int:
        """Return the number of the last change of any set."""

    def probes(
        self, service: str | None = None, phases: tuple[Phase, ...] = (Phase.ACTIVE,)
    ) -> list[PlacedProbe]:
        """Return probes in the order in which they were placed."""

    def probe(self, probe: str) -> PlacedProbe | None:
        """Return one probe, whatever its phase."""

    def states(
        self, service: str | None = None, probe: str | None = None
    ) -> dict[str, list[StateRecord]]:
        """Return the last states that instances reported, by probe."""

    def statuses(self, instance: str | None = None) -> dict[str, dict[str, Status]]:
        """Return the last status alone that each instance, or one of them, reported, by probe:
        of all states it is had in a tenth of the time."""

    def switch_off(self, switch: Switch) -> None:
        """Keep a service, or everything, switched off; placing is refused from now on."""

    def switch_on(self, service: str, *, who: str, now: float) -> bool:
        """Turn one switch back; False if it was not off."""

    def switches(self) -> list[Switch]:
        """Return what is switched off, everything first."""

    def sweep(self, now: float) -> bool:
        """Delete a little of what is too old or too much; whether there is more of it."""

    def purge(
        self, kind: Kind, after: int, *, before: float | None, service: str | None
    ) -> tuple[int, int | None]:
        """Delete a little of what is asked for; returns how many, and where to go on from."""

    def purgeable(self, kind: Kind, *, before: float | None, service: str | None) -> int:
        """Return how many `purge` would delete in all."""

    def compact(self) -> tuple[int, bool]:
        """Give what is free back to the disk, within seconds; returns how many bytes that
        were, and whether another call would give back more."""

    def sizes(self) -> Sizes:
        """Return how large the database is and what it holds."""

    def note(
        self,
        who: str,
        action: str,
        service: str,
        detail: dict[str, object],
        *,
        now: float,
        probe: str = "",
    ) -> None:
        """Add an entry to the audit log for what changes nothing else here."""

    def save_instance(self, info: InstanceInfo, now: float) -> None:
        """Note a process that connects; `RefusedError` if its id is another service's."""

    def instance_gone(self, instance: str, now: float) -> None:
        """Note that a process is gone, without waiting for the database."""

    def all_gone(self) -> None:
        """Note at start-up that nobody is connected yet."""

    def instances(self, service: str | None = None) -> list[InstanceRecord]:
        """Return the known processes, oldest first."""

    def instance(self, instance: str) -> InstanceRecord | None:
        """Return one process, by its whole id."""

    def take(self, report: Report, now: float, arrived: list[NewHit] | None = None) -> Taken:
        """Store a report whole or not at all; a repeated one changes no count of hits.

        `arrived` are its hits, where they came written out already; `report.hits` is not looked
        at then.
        """

    def hits(self, matching: HitFilter, *, newest: bool, limit: int) -> HitPage:
        """Return at most `limit` hits, oldest first: the newest that match, or the first."""

    def count_hits(self, matching: HitFilter) -> int:
        """Return how many stored hits match."""

    def newest_hit(self) -> int:
        """Return the number of the newest hit; 0 if there is none."""

    def hit_columns(self, matching: HitFilter, many: int, *, now: float) -> Columns:
        """Count matching hits over time in so many columns: from `matching.since`, or the first
        one, to `matching.until`; else to `now`, or without `since` to the last one."""

    def points(self, matching: PointFilter) -> list[Point]:
        """Return the points of one probe in a range of time, oldest first."""

    def span(self, probe: str) -> tuple[float, float] | None:
        """Return when a probe's first stored point ends, and when its last one does."""

    def total(self, probe: str) -> Total | None:
        """Return all that a probe ever added up, also what was deleted since."""

    def audit(
        self, limit: int, before: int | None = None, matching: AuditFilter = EVERY_ENTRY
    ) -> list[AuditEntry]:
        """Return the newest entries of the audit log that match, or of those before a number;
        the oldest of them first."""

    def add_verdict(
        self, new: NewVerdict, detail: dict[str, object], *, who: str, now: float
    ) -> int:
        """Keep a verdict and return its number; `detail` goes into the audit log."""

    def verdicts(
        self, matching: VerdictFilter, *, before: int | None, limit: int
    ) -> list[StoredVerdict]:
        """Return the newest verdicts that match, or of those before a number; the newest of
        them first, without their bodies."""

    def verdict(self, number: int) -> StoredVerdict | None:
        """Return one verdict whole."""

    def trimmed(self) -> dict[str, int]:
        """Return what was deleted to stay within the limits, by kind."""

    def close(self) -> None:
        """Finish what was begun, within a deadline, and let go of the files."""
