"""Hits in SQLite: a report taken in whole, and the hits read back."""

import json
import math
import sqlite3
from functools import cached_property
from itertools import pairwise

from leadline.store.events import Stored
from leadline.store.over_time import columns_of, span_of
from leadline.store.records import (
    Columns,
    HitFilter,
    HitPage,
    NewHit,
    Phase,
    StoredHit,
    StoredPoint,
    Taken,
    searchable,
    serves,
)
from leadline.store.sqlite import instances, points, probes
from leadline.store.sqlite.audit import SERVER
from leadline.store.sqlite.writer import Transaction
from leadline.wire.call import most_good
from leadline.wire.hit import InstanceInfo, Point, Report
from leadline.wire.probe import Status
from leadline.wire.struct import dataclass, replace

MAX_PAGE_CHARS = 16_000_000
"""A page of hits ends early rather than being longer than this, and says that there is more."""


def take(transaction: Transaction, report: Report, arrived: list[NewHit], now: float) -> Taken:
    """Store what a report brings; a probe that reaches its limit ends in the same commit.

    `arrived` are its hits: `report.hits` is not looked at.
    """
    db, info = transaction.db, report.instance
    last_seq = instances.enter(transaction, info, now)
    count = _Count(transaction, info, last_seq, now)
    count.add(arrived)
    for point in report.points:
        count.add_point(point)
    count.finish()
    strays = count.strays + count.stray_points
    for state in report.states:
        strays += not instances.save_state(transaction, info, state, now)
        if state.anchor is not None and state.status is Status.ARMED:
            probes.keep_anchor(transaction, state, info.id, now)
    db.execute(
        "UPDATE instances SET last_seen = ?, body = ?, last_seq = ?, hits = hits + ?,"
        " strays = strays + ?, dropped = ?, faults = ?, gone_at = ? WHERE id = ?",
        (
            now,
            instances.body_of(info),
            max([last_seq, *(h.seq for h in arrived), *(p.seq for p in report.points)]),
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


@dataclass(slots=True)
class _Tally:
    """A probe that the instance may report on, and how many of its hits there are by now."""

    number: int
    kind: str
    phase: str
    most: int
    hits: int
    beyond: int
    good: int
    most_good: int
    changed: bool = False

    def is_full(self, hit: NewHit) -> bool:
        """Whether there is no room for a hit: some is kept for calls that fail."""
        return self.hits >= self.most or (hit.is_good and self.good >= self.most_good)


_INSERT = (
    "INSERT INTO hits (id, service, probe, instance, seq, received_at, size, body,"
    " kind, at, thread, task, trace, said) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class _Count:
    """What becomes of one report's hits and points, one after the other."""

    def __init__(
        self, transaction: Transaction, info: InstanceInfo, last_seq: int, now: float
    ) -> None:
        self._transaction = transaction
        self._db = transaction.db
        self._info = info
        self._last_seq = last_seq
        self._now = now
        self._tallies: dict[str, _Tally | None] = {}
        self.stored: list[StoredHit] = []
        self.points: list[StoredPoint] = []
        self.repeated = self.beyond = self.strays = self.stray_points = 0

    def add(self, arrived: list[NewHit]) -> None:
        """Store what is new. Nobody else can write between the look at what there is and this:
        a transaction that is going to write has the database to itself."""
        if not arrived:
            return
        seen = self._seen(arrived)
        service, instance, now = self._info.service, self._info.id, self._now
        row, rows = newest_ever(self._db), []
        for hit in arrived:
            seq, is_new = hit.seq, hit.seq > self._last_seq
            tally = self._tally(hit.probe)
            if seq in seen:
                self.repeated += 1
            elif tally is None:
                self.strays += is_new
                self.repeated += not is_new
            elif tally.is_full(hit):
                # one that is not new was refused when it came the first time
                self.beyond += is_new
                self.repeated += not is_new
                tally.beyond += is_new
                tally.changed = True
            elif not is_new and self._trimmed:
                self.repeated += 1
            else:
                row += 1
                tally.hits += 1
                tally.good += hit.is_good
                tally.changed = True
                seen.add(seq)
                body, facets = hit.body, hit.facets
                self.stored.append(
                    StoredHit(row, service, hit.probe, now, body, facets, tally.kind)
                )
                rows.append(
                    (
                        row,
                        service,
                        tally.number,
                        instance,
                        seq,
                        now,
                        len(body),
                        body,
                        tally.kind,
                        facets.time,
                        facets.thread,
                        facets.task,
                        facets.trace,
                        facets.said,
                    )
                )
        self._db.executemany(_INSERT, rows)

    def add_point(self, point: Point) -> None:
        """Take in what one second added up to; the one that passes the limit counts whole."""
        tally, is_new = self._tally(point.probe), point.seq > self._last_seq
        if tally is None:
            self.stray_points += is_new
        elif tally.hits >= tally.most:
            tally.beyond += point.count if is_new else 0
            tally.changed = True
        elif stored := points.insert(
            self._db, tally.number, self._info.service, point, self._now
        ):
            self.points.append(stored)
            tally.hits += point.count
            tally.changed = True

    def _tally(self, name: str) -> _Tally | None:
        if name not in self._tallies:
            row = self._db.execute(
                "SELECT number, json_extract(body, '$.kind'), phase, max_hits, hits,"
                " beyond_limit, good, json_extract(body, '$.fails') IS NOT NULL, service"
                " FROM probes WHERE number = ?",
                (probes.number_of(name),),
            ).fetchone()
            if row is None or not serves(row[-1], self._info.service):
                self._tallies[name] = None
            else:
                *told, reserves, _ = row
                told.append(most_good(told[3], reserves=bool(reserves)))
                self._tallies[name] = _Tally(*told)
        return self._tallies[name]

    def _seen(self, arrived: list[NewHit]) -> set[int]:
        numbers = [hit.seq for hit in arrived]
        rows = self._db.execute(
            "SELECT seq FROM hits WHERE instance = ? AND seq BETWEEN ? AND ?",
            (self._info.id, min(numbers), max(numbers)),
        )
        return {seq for (seq,) in rows}

    @cached_property
    def _trimmed(self) -> bool:
        """Whether hits of this instance were stored that are not here any more: then one that
        is neither new nor here may be one of them, and is not stored again."""
        ever, here = self._db.execute(
            "SELECT hits, (SELECT count(*) FROM hits WHERE instance = instances.id)"
            " FROM instances WHERE id = ?",
            (self._info.id,),
        ).fetchone()
        return bool(ever > here)

    def finish(self) -> None:
        """Write the probes' counts, and end those whose hits are used up."""
        if self.stored or self.points:
            self._transaction.events.append(Stored(self.stored, self.points))
        for name in {stored.probe for stored in self.points}:
            added = [stored.point for stored in self.points if stored.probe == name]
            points.add_up(self._db, int(name[1:]), added)
        if self.points:
            points.trim(self._db)
        for name, tally in self._tallies.items():
            if tally is None or not tally.changed:
                continue
            self._db.execute(
                "UPDATE probes SET hits = ?, beyond_limit = ?, good = ? WHERE number = ?",
                (tally.hits, tally.beyond, tally.good, tally.number),
            )
            if tally.phase == Phase.ACTIVE and tally.hits >= tally.most:
                placed = probes.select_one(self._db, name)
                over = [probes.exhausted(placed)] if placed else []
                probes.end(self._transaction, over, Phase.EXPIRED, SERVER, self._now)


def newest_ever(db: sqlite3.Connection) -> int:
    """Return the largest number that a hit ever had."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'hits'").fetchone()
    return int(row[0]) if row else 0


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
