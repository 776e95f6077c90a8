"""`Store` over one SQLite file: says which work is a write and which is a read."""

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from leadline.store.keep import Keep, Kind, Sizes
from leadline.store.protocol import Listener
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
    new_hit,
)
from leadline.store.sqlite import (
    audit,
    hits,
    instances,
    points,
    probes,
    sets,
    shelves,
    space,
    switches,
    verdicts,
)
from leadline.store.sqlite.database import connect, explain, hold, prepare
from leadline.store.sqlite.readers import Readers
from leadline.store.sqlite.retention import MAX_HITS_STORED
from leadline.store.sqlite.shelves import SHELVES
from leadline.store.sqlite.writer import Transaction, Writer
from leadline.store.verdicts import NewVerdict, StoredVerdict, VerdictFilter
from leadline.wire.hit import InstanceInfo, Point, Report
from leadline.wire.probe import Probe, Status

_DEFAULT = Keep()


class SqliteStore:
    """See `Store`. One process at a time may have the file open through this class."""

    def __init__(self, path: Path, listener: Listener, keep: Keep = _DEFAULT) -> None:
        """Open `path`, made if it is not there. Raises `UnavailableError`."""
        self._path = path
        self._keep = keep
        with contextlib.ExitStack() as undo:
            self._lock = hold(path)
            undo.callback(os.close, self._lock)
            db = connect(path)
            undo.callback(db.close)
            prepare(db, path)
            try:
                self._readers = Readers(path)
                undo.callback(self._readers.close)
                self._writer = Writer(db, path, listener, keep)
            except sqlite3.Error as error:
                raise explain(error, path) from error
            undo.pop_all()

    def place(
        self, service: str, probe: Probe, terms: Terms = NO_TERMS, *, who: str, now: float
    ) -> PlacedProbe:
        return self._writer.run(lambda tx: probes.insert(tx, service, probe, terms, who, now))

    def remove(self, probe: str, *, who: str, now: float) -> PlacedProbe | None:
        removed = self._writer.run(lambda tx: probes.remove(tx, None, probe, who, now))
        return removed[0] if removed else None

    def remove_all(self, service: str, *, who: str, now: float) -> list[PlacedProbe]:
        return self._writer.run(lambda tx: probes.remove(tx, service, None, who, now))

    def end(self, probe: str, reason: str, *, now: float) -> None:
        self._writer.run(lambda tx: probes.end_one(tx, probe, reason, now))

    def end_soon(self, probe: str, reason: str, *, now: float) -> None:
        self._writer.post(lambda tx: probes.end_one(tx, probe, reason, now))

    def save_canary(self, probe: str, canary: Canary, *, now: float) -> None:
        self._writer.run(lambda tx: probes.save_canary(tx, probe, canary, now))

    def put_set(
        self, service: str, name: str, items: list[SetItem], *, who: str, now: float
    ) -> list[SetPart]:
        return self._writer.run(lambda tx: sets.put(tx, service, name, items, who, now))

    def set(self, service: str, name: str) -> list[PlacedProbe]:
        with self._readers.lend() as db:
            return probes.of_set(db, service, name)

    def remove_set(self, service: str, name: str, *, who: str, now: float) -> list[PlacedProbe]:
        return self._writer.run(lambda tx: sets.remove(tx, service, name, who, now))

    def expire(self, now: float) -> None:
        self._writer.run(lambda tx: probes.expire(tx, now))

    def revision(self) -> int:
        with self._readers.lend() as db:
            return audit.revision(db)

    def probes(
        self, service: str | None = None, phases: tuple[Phase, ...] = (Phase.ACTIVE,)
    ) -> list[PlacedProbe]:
        with self._readers.lend() as db:
            return probes.select(db, service, phases)

    def probe(self, probe: str) -> PlacedProbe | None:
        with self._readers.lend() as db:
            return probes.select_one(db, probe)

    def states(
        self, service: str | None = None, probe: str | None = None
    ) -> dict[str, list[StateRecord]]:
        with self._readers.lend() as db:
            return instances.select_states(db, service, probe)

    def statuses(self, instance: str | None = None) -> dict[str, dict[str, Status]]:
        with self._readers.lend() as db:
            return instances.select_statuses(db, instance)

    def switch_off(self, switch: Switch) -> None:
        self._writer.run(lambda tx: switches.off(tx, switch))

    def switch_on(self, service: str, *, who: str, now: float) -> bool:
        return self._writer.run(lambda tx: switches.on(tx, service, who, now))

    def switches(self) -> list[Switch]:
        with self._readers.lend() as db:
            return switches.select(db)

    def sweep(self, now: float) -> bool:
        return self._writer.run(lambda tx: tx.retention.sweep(now))

    def purge(
        self, kind: Kind, after: int, *, before: float | None, service: str | None
    ) -> tuple[int, int | None]:
        shelf = SHELVES[kind]

        def work(tx: Transaction) -> tuple[int, int | None]:
            gone = shelves.clear(tx.db, shelf, after, before=before, service=service)
            tx.retention.take_out(gone, shelf, trimmed=False)
            return gone.count, gone.after

        return self._writer.run(work)

    def purgeable(self, kind: Kind, *, before: float | None, service: str | None) -> int:
        with self._readers.lend() as db:
            return shelves.count(db, SHELVES[kind], before, service)

    def compact(self) -> tuple[int, bool]:
        size, end = space.on_disk(self._path), time.monotonic() + space.COMPACT_S
        # in small pieces, so that whoever writes gets a turn between them
        while more := self._writer.run(lambda tx: space.shrink(tx.db, slack=0)):
            if time.monotonic() > end:
                break
        self._writer.run_alone(space.compact)
        return max(0, size - space.on_disk(self._path)), more

    def sizes(self) -> Sizes:
        at_most = {
            Kind.HITS: MAX_HITS_STORED,
            Kind.POINTS: points.POINTS_KEPT,
            Kind.VERDICTS: verdicts.VERDICTS_KEPT,
            Kind.PROBES: probes.ENDED_KEPT,
            Kind.INSTANCES: instances.INSTANCES_KEPT,
            Kind.AUDIT: audit.AUDIT_KEPT,
        }
        with self._readers.lend() as db:
            return space.sizes(db, self._path, at_most)

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
        self._writer.run(
            lambda tx: audit.note(
                tx.db,
                at=now,
                who=who,
                action=action,
                service=service,
                probe=probe,
                detail=detail,
            )
        )

    def save_instance(self, info: InstanceInfo, now: float) -> None:
        self._writer.run(lambda tx: instances.save(tx, info, now))

    def instance_gone(self, instance: str, now: float) -> None:
        self._writer.post(lambda tx: instances.gone(tx, instance, now))

    def all_gone(self) -> None:
        self._writer.run(instances.all_gone)

    def instances(self, service: str | None = None) -> list[InstanceRecord]:
        with self._readers.lend() as db:
            return instances.select(db, service)

    def instance(self, instance: str) -> InstanceRecord | None:
        with self._readers.lend() as db:
            return instances.select_one(db, instance)

    def take(self, report: Report, now: float, arrived: list[NewHit] | None = None) -> Taken:
        if arrived is None:
            arrived = [new_hit(hit) for hit in report.hits]
        return self._writer.run(lambda tx: hits.take(tx, report, arrived, now))

    def hits(self, matching: HitFilter, *, newest: bool, limit: int) -> HitPage:
        with self._readers.lend() as db:
            return hits.select(db, matching, newest=newest, limit=limit)

    def newest_hit(self) -> int:
        with self._readers.lend() as db:
            return hits.newest(db)

    def hit_columns(self, matching: HitFilter, many: int, *, now: float) -> Columns:
        with self._readers.lend() as db:
            return hits.columns(db, matching, many, now)

    def count_hits(self, matching: HitFilter) -> int:
        with self._readers.lend() as db:
            return hits.count(db, matching)

    def points(self, matching: PointFilter) -> list[Point]:
        with self._readers.lend() as db:
            rows = points.select(db, probes.number_of(matching.probe), matching)
        return points.read(matching.probe, rows)

    def span(self, probe: str) -> tuple[float, float] | None:
        with self._readers.lend() as db:
            return points.span(db, probes.number_of(probe))

    def total(self, probe: str) -> Total | None:
        with self._readers.lend() as db:
            return points.total_of(db, probes.number_of(probe))

    def audit(
        self, limit: int, before: int | None = None, matching: AuditFilter = EVERY_ENTRY
    ) -> list[AuditEntry]:
        with self._readers.lend() as db:
            return audit.select(db, limit, before, matching)

    def add_verdict(
        self, new: NewVerdict, detail: dict[str, object], *, who: str, now: float
    ) -> int:
        return self._writer.run(lambda tx: verdicts.insert(tx, new, who, now, detail))

    def verdicts(
        self, matching: VerdictFilter, *, before: int | None, limit: int
    ) -> list[StoredVerdict]:
        with self._readers.lend() as db:
            return verdicts.select(db, matching, before, limit)

    def verdict(self, number: int) -> StoredVerdict | None:
        with self._readers.lend() as db:
            return verdicts.select_one(db, number)

    def trimmed(self) -> dict[str, int]:
        with self._readers.lend() as db:
            return dict(db.execute("SELECT kind, count FROM trimmed").fetchall())

    def close(self) -> None:
        self._readers.close()
        self._writer.close()
        os.close(self._lock)
