"""Hits in SQLite: a report taken in whole, and the hits read back."""

import json
import math
import sqlite3
from dataclasses import replace
from itertools import pairwise

from leadline.store.over_time import columns_of, span_of
from leadline.store.records import (
    Columns,
    HitFilter,
    HitPage,
    Phase,
    PlacedProbe,
    Stored,
    StoredHit,
    StoredPoint,
    Taken,
    facets_of,
    searchable,
    serves,
)
from leadline.store.sqlite import instances, points, probes
from leadline.store.sqlite.audit import SERVER
from leadline.store.sqlite.writer import Transaction
from leadline.wire.hit import Hit, Point, Report
from leadline.wire.messages import encode
from leadline.wire.probe import Status

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
    for point in report.points:
        count.add_point(point)
    count.finish()
    strays = count.strays + count.stray_points
    for state in report.states:
        strays += not instances.save_state(transaction, info, state, now)
        if state.anchor is not None and state.status is Status.ARMED:
            probes.keep_anchor(transaction, state, info.id, now)
    db.execute(
        "UPDATE instances SET last_seq = ?, hits = hits + ?, strays = strays + ?, dropped = ?,"
        " faults = ?, gone_at = ? WHERE id = ?",
        (
            max([last_seq, *(h.seq for h in report.hits), *(p.seq for p in report.points)]),
            len(count.stored),
            strays,
            json.dumps(report.dropped),
            json.dumps(report.faults),
            now if report.leaving else None,
            info.id,
        ),
    )
    return Taken(
        len(count.stored), count.repeated, count.beyond, count.strays, len(count.points)
    )


class _Count:
    """What becomes of one report's hits and points, one after the other."""

    def __init__(
        self, transaction: Transaction, report: Report, last_seq: int, now: float
    ) -> None:
        self._transaction = transaction
        self._info = report.instance
        self._last_seq = last_seq
        self._now = now
        self._probes: dict[str, PlacedProbe | None] = {}
        self.stored: list[StoredHit] = []
        self.points: list[StoredPoint] = []
        self.repeated = self.beyond = self.strays = self.stray_points = 0

    def add(self, hit: Hit) -> None:
        probe = self._probe(hit.probe)
        if probe is None:
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
            self._store(hit, probe)
            self._probes[hit.probe] = replace(probe, hits=probe.hits + 1)

    def add_point(self, point: Point) -> None:
        """Take in what one second added up to; the one that passes the limit counts whole."""
        probe, is_new = self._probe(point.probe), point.seq > self._last_seq
        if probe is None:
            self.stray_points += is_new
        elif probe.hits >= probe.probe.limits.hits:
            beyond = probe.beyond_limit + (point.count if is_new else 0)
            self._probes[point.probe] = replace(probe, beyond_limit=beyond)
        elif stored := points.insert(
            self._transaction.db, number(probe), self._info.service, point, self._now
        ):
            self.points.append(stored)
            self._probes[point.probe] = replace(probe, hits=probe.hits + point.count)

    def _probe(self, name: str) -> PlacedProbe | None:
        """Return a probe that the instance may report on."""
        if name not in self._probes:
            found = probes.select_one(self._transaction.db, name)
            known = found is not None and serves(found.service, self._info.service)
            self._probes[name] = found if known else None
        return self._probes[name]

    def _seen(self, hit: Hit) -> bool:
        return (
            self._transaction.db.execute(
                "SELECT 1 FROM hits WHERE instance = ? AND seq = ?", (self._info.id, hit.seq)
            ).fetchone()
            is not None
        )

    def _store(self, hit: Hit, probe: PlacedProbe) -> None:
        body = encode(hit).decode("ascii")
        service, facets = self._info.service, facets_of(hit, probe.probe.kind)
        # the look-up above is for counting; this is what holds, whoever else wrote
        row = self._transaction.db.execute(
            "INSERT OR IGNORE INTO hits"
            " (service, probe, instance, seq, received_at, size, body,"
            " kind, at, thread, task, trace, said)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                service,
                number(probe),
                self._info.id,
                hit.seq,
                self._now,
                len(body),
                body,
                facets.kind,
                facets.time,
                facets.thread,
                facets.task,
                facets.trace,
                facets.said,
            ),
        ).lastrowid
        assert row is not None  # noqa: S101 - SQLite numbers every row it inserts
        self.stored.append(StoredHit(row, service, hit.probe, self._now, body, facets))

    def finish(self) -> None:
        """Write the probes' counts, and end those whose hits are used up."""
        if self.stored or self.points:
            self._transaction.events.append(Stored(self.stored, self.points))
        for name in {stored.probe for stored in self.points}:
            added = [stored.point for stored in self.points if stored.probe == name]
            points.add_up(self._transaction.db, int(name[1:]), added)
        if self.points:
            points.trim(self._transaction.db)
        for probe in self._probes.values():
            if probe is None:
                continue
            self._transaction.db.execute(
                "UPDATE probes SET hits = ?, beyond_limit = ? WHERE number = ?",
                (probe.hits, probe.beyond_limit, number(probe)),
            )
            if probe.phase is Phase.ACTIVE and probe.hits >= probe.probe.limits.hits:
                over = probes.exhausted(probe)
                probes.end(self._transaction, [over], Phase.EXPIRED, SERVER, self._now)


def number(probe: PlacedProbe) -> int:
    """Return the row of a probe that is there."""
    return int(probe.probe.id[1:])


def select(db: sqlite3.Connection, matching: HitFilter, *, newest: bool, limit: int) -> HitPage:
    """Return at most `limit` matching hits, oldest first, see `Store.hits`."""
    scattered = _scattered(matching)
    where, values = _clause(matching, over_time=scattered)
    order = f"ORDER BY id {'DESC' if newest else 'ASC'} LIMIT ?"
    values.append(limit + 1)
    if scattered:  # they are found without reading what is not asked for
        where = f"WHERE id IN (SELECT id FROM hits INDEXED BY hits_by_time {where} {order})"  # noqa: S608
        values.append(limit + 1)
    rows = db.execute(
        f"SELECT id, service, probe, received_at, body FROM hits {where} {order}",  # noqa: S608 - see _clause
        values,
    )
    found: list[StoredHit] = []
    chars, more = 0, False
    for row, service, probe, received_at, body in rows:
        chars += len(body)
        if len(found) == limit or (found and chars > MAX_PAGE_CHARS):
            more = True
            break
        found.append(StoredHit(row, service, f"p{probe}", received_at, body))
    rows.close()
    return HitPage(found[::-1] if newest else found, more)


def count(db: sqlite3.Connection, matching: HitFilter) -> int:
    """Return how many stored hits match."""
    where, values = _clause(matching)
    query = f"SELECT count(*) FROM hits {where}"  # noqa: S608 - see _clause
    return int(db.execute(query, values).fetchone()[0])


def newest(db: sqlite3.Connection) -> int:
    """Return the number of the newest hit; 0 if there is none."""
    return int(db.execute("SELECT coalesce(max(id), 0) FROM hits").fetchone()[0])


def columns(db: sqlite3.Connection, matching: HitFilter, many: int, now: float) -> Columns:
    """Count matching hits over time, see `Store.hit_columns`."""
    where, values = _clause(matching, over_time=_by_index(matching))
    if not _by_index(matching):
        query = f"SELECT at FROM hits {where} ORDER BY at"  # noqa: S608 - see _clause
        times = [at for (at,) in db.execute(query, values)]
        return columns_of(times, matching, many, now)
    indexed = f"FROM hits INDEXED BY hits_by_time {where}"
    query = f"SELECT at {indexed} ORDER BY at"
    first = db.execute(f"{query} LIMIT 1", values).fetchone()
    last = db.execute(f"{query} DESC LIMIT 1", values).fetchone()
    since, seconds = span_of(matching, (first[0], last[0]) if first else None, many, now)
    # a column after the other: grouping would sort all of them
    edges = [since + number * seconds for number in range(many + 1)]
    edges[0] = -math.inf if matching.since is None else matching.since
    edges[-1] = math.inf if matching.until is None else matching.until
    counts = [0] * many
    for number, (begin, end) in enumerate(pairwise(edges) if first else ()):
        one = replace(matching, since=begin, until=end)
        where, values = _clause(one, over_time=True)
        query = f"SELECT count(*) FROM hits INDEXED BY hits_by_time {where}"  # noqa: S608 - see _clause
        (counts[number],) = db.execute(query, values).fetchone()
    return Columns(since, seconds, counts)


def _scattered(matching: HitFilter) -> bool:
    """Return whether hits may have to be looked for far back, by what the index holds."""
    asked = (matching.instance, matching.kind, matching.thread, matching.task)
    timed = matching.since is not None or matching.until is not None
    return _by_index(matching) and matching.after is None and (timed or any(asked))


def _by_index(matching: HitFilter) -> bool:
    """Return whether all that is asked stands in the index over time."""
    return matching.text is None and matching.value is None and matching.trace is None


def _clause(matching: HitFilter, *, over_time: bool = False) -> tuple[str, list[object]]:
    """Return a WHERE clause of fixed texts, and the values for its question marks; with
    `over_time` for the index of that name, which else is kept out of it by a plus."""
    at, first = ("at", -math.inf) if over_time else ("+at", None)
    parts: list[str] = []
    values: list[object] = []

    def add(text: str, *asked: object) -> None:
        parts.append(text)
        values.extend(asked)

    if matching.probes:
        marks = ", ".join("?" * len(matching.probes))
        add(f"probe IN ({marks})", *map(probes.number_of, matching.probes))
    if matching.service is not None:
        # the plus keeps SQLite on the probe's index when both are asked for
        add("+service = ?" if matching.probes else "service = ?", matching.service)
    if matching.trace is not None:
        add("trace = ? AND trace != ''" if matching.trace else "trace = ?", matching.trace)
    for column, sign, edge in (
        ("id", ">", matching.after),
        ("id", "<", matching.before),
        (at, ">=", first if matching.since is None else matching.since),
        (at, "<", matching.until),
    ):
        if edge is not None:
            add(f"{column} {sign} ?", edge)
    for column, asked in (
        ("instance", matching.instance),
        ("kind", matching.kind),
        ("thread", matching.thread),
        ("task", matching.task),
    ):
        if asked is not None:
            add(f"+{column} = ?", asked)
    if matching.text is not None:
        add("instr(said, ?)", searchable(matching.text))
    if matching.value is not None:
        add("hit_has(body, ?)", matching.value.asked)
    return (f"WHERE {' AND '.join(parts)}" if parts else "", values)
