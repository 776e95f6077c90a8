"""Hits in SQLite: a report taken in whole, and the hits read back."""

import json
import sqlite3
from dataclasses import replace

from leadline.store.records import (
    HitFilter,
    HitPage,
    Phase,
    PlacedProbe,
    Stored,
    StoredHit,
    Taken,
)
from leadline.store.sqlite import instances, probes
from leadline.store.sqlite.audit import SERVER
from leadline.store.sqlite.writer import Transaction
from leadline.wire.hit import Hit, Report
from leadline.wire.messages import encode

MAX_PAGE_CHARS = 16_000_000
"""A page of hits ends early rather than being longer than this, and says that there is more."""


def take(transaction: Transaction, report: Report, now: float) -> Taken:
    """Store what a report brings; a probe that reaches its limit ends in the same commit."""
    db, info = transaction.db, report.instance
    instances.save(transaction, info, now)
    (last_seq,) = db.execute(
        "SELECT last_seq FROM instances WHERE id = ?", (info.id,)
    ).fetchone()
    count = _Count(transaction, report, last_seq, now)
    for hit in report.hits:
        count.add(hit)
    count.finish()
    strays = count.strays + sum(
        not instances.save_state(transaction, info, state, now) for state in report.states
    )
    db.execute(
        "UPDATE instances SET last_seq = ?, hits = hits + ?, strays = strays + ?, dropped = ?,"
        " faults = ?, gone_at = ? WHERE id = ?",
        (
            max([last_seq, *(hit.seq for hit in report.hits)]),
            len(count.stored),
            strays,
            json.dumps(report.dropped),
            json.dumps(report.faults),
            now if report.leaving else None,
            info.id,
        ),
    )
    return Taken(len(count.stored), count.repeated, count.beyond, count.strays)


class _Count:
    """What becomes of one report's hits, one after the other."""

    def __init__(
        self, transaction: Transaction, report: Report, last_seq: int, now: float
    ) -> None:
        self._transaction = transaction
        self._info = report.instance
        self._last_seq = last_seq
        self._now = now
        self._probes: dict[str, PlacedProbe | None] = {}
        self.stored: list[StoredHit] = []
        self.repeated = self.beyond = self.strays = 0

    def add(self, hit: Hit) -> None:
        if hit.probe not in self._probes:
            self._probes[hit.probe] = probes.select_one(self._transaction.db, hit.probe)
        probe = self._probes[hit.probe]
        if probe is None or probe.service != self._info.service:
            if hit.seq > self._last_seq:
                self.strays += 1
            else:
                self.repeated += 1
        elif self._seen(hit):
            self.repeated += 1
        elif probe.hits >= probe.probe.limits.hits:
            if hit.seq > self._last_seq:
                self.beyond += 1
                self._probes[hit.probe] = replace(probe, beyond_limit=probe.beyond_limit + 1)
            else:
                self.repeated += 1  # it was refused when it came the first time
        else:
            self._store(hit)
            self._probes[hit.probe] = replace(probe, hits=probe.hits + 1)

    def _seen(self, hit: Hit) -> bool:
        return (
            self._transaction.db.execute(
                "SELECT 1 FROM hits WHERE instance = ? AND seq = ?", (self._info.id, hit.seq)
            ).fetchone()
            is not None
        )

    def _store(self, hit: Hit) -> None:
        body = encode(hit).decode("ascii")
        service = self._info.service
        # the look-up above is for counting; this is what holds, whoever else wrote
        number = self._transaction.db.execute(
            "INSERT OR IGNORE INTO hits"
            " (service, probe, instance, seq, received_at, size, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                service,
                probes.number_of(hit.probe),
                self._info.id,
                hit.seq,
                self._now,
                len(body),
                body,
            ),
        ).lastrowid
        assert number is not None  # noqa: S101 - SQLite numbers every row it inserts
        self.stored.append(StoredHit(number, service, hit.probe, self._now, body))

    def finish(self) -> None:
        """Write the probes' counts, and end those whose hits are used up."""
        if self.stored:
            self._transaction.events.append(Stored(self.stored))
        for probe in self._probes.values():
            if probe is None or probe.service != self._info.service:
                continue
            self._transaction.db.execute(
                "UPDATE probes SET hits = ?, beyond_limit = ? WHERE number = ?",
                (probe.hits, probe.beyond_limit, probes.number_of(probe.probe.id)),
            )
            if probe.phase is Phase.ACTIVE and probe.hits >= probe.probe.limits.hits:
                over = probes.exhausted(probe)
                probes.end(self._transaction, [over], Phase.EXPIRED, SERVER, self._now)


def select(db: sqlite3.Connection, matching: HitFilter, *, newest: bool, limit: int) -> HitPage:
    """Return at most `limit` matching hits, oldest first, see `Store.hits`."""
    where, values = _clause(matching)
    order = "DESC" if newest else "ASC"
    rows = db.execute(
        f"SELECT id, service, probe, received_at, body FROM hits {where}"  # noqa: S608 - see _clause
        f" ORDER BY id {order} LIMIT ?",
        [*values, limit + 1],
    )
    found: list[StoredHit] = []
    chars, more = 0, False
    for number, service, probe, received_at, body in rows:
        chars += len(body)
        if len(found) == limit or (found and chars > MAX_PAGE_CHARS):
            more = True
            break
        found.append(StoredHit(number, service, f"p{probe}", received_at, body))
    rows.close()
    return HitPage(found[::-1] if newest else found, more)


def count(db: sqlite3.Connection, matching: HitFilter) -> int:
    """Return how many stored hits match."""
    where, values = _clause(matching)
    query = f"SELECT count(*) FROM hits {where}"  # noqa: S608 - see _clause
    return int(db.execute(query, values).fetchone()[0])


def _clause(matching: HitFilter) -> tuple[str, list[object]]:
    """Return a WHERE clause of fixed texts, and the values for its question marks."""
    parts: list[str] = []
    values: list[object] = []
    if matching.probe is not None:
        parts.append("probe = ?")
        values.append(probes.number_of(matching.probe))
    if matching.service is not None:
        # the plus keeps SQLite on the probe's index when both are asked for
        parts.append("+service = ?" if matching.probe is not None else "service = ?")
        values.append(matching.service)
    if matching.after is not None:
        parts.append("id > ?")
        values.append(matching.after)
    return (f"WHERE {' AND '.join(parts)}" if parts else "", values)
