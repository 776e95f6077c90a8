"""Points in SQLite: stored once each, added to their probe's total, read back in a range."""

import json
import sqlite3

import msgspec

from leadline.store.records import PointFilter, StoredPoint, Total
from leadline.store.sqlite.retention import count_trimmed
from leadline.wire.hit import Point

POINTS_KEPT = 500_000
"""Half a gigabyte if each has a hundred buckets: 5 probes in 7 instances for four hours."""


def insert(
    db: sqlite3.Connection, number: int, service: str, point: Point, now: float
) -> StoredPoint | None:
    """Store a point; None if it is stored already."""
    body = _body(point)
    row = db.execute(
        "INSERT OR IGNORE INTO points"
        " (service, probe, instance, seq, time, received_at, size, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (service, number, point.instance, point.seq, point.time, now, len(body), body),
    )
    if not row.rowcount:
        return None
    assert row.lastrowid is not None  # noqa: S101 - SQLite numbers every row it inserts
    return StoredPoint(row.lastrowid, service, now, point)


def trim(db: sqlite3.Connection) -> None:
    """Delete the oldest points beyond those that are kept."""
    (last,) = db.execute("SELECT coalesce(max(id), 0) FROM points").fetchone()
    gone = db.execute("DELETE FROM points WHERE id <= ?", (last - POINTS_KEPT,)).rowcount
    count_trimmed(db, "points", gone)


def add_up(db: sqlite3.Connection, number: int, points: list[Point]) -> None:
    """Add points that were just stored to their probe's total."""
    total = (total_of(db, number) or Total()).plus(*points)
    db.execute(
        "INSERT INTO totals (probe, body) VALUES (?, ?)"
        " ON CONFLICT (probe) DO UPDATE SET body = excluded.body",
        (number, total.json()),
    )


def total_of(db: sqlite3.Connection, number: int | None) -> Total | None:
    """Return all that a probe ever added up; None if it has sent no point."""
    row = db.execute("SELECT body FROM totals WHERE probe = ?", (number,)).fetchone()
    return None if row is None else Total(**json.loads(row[0]))


def span(db: sqlite3.Connection, number: int | None) -> tuple[float, float] | None:
    """Return when the first stored point of a probe ends, and when the last one does."""
    first, last = db.execute(
        "SELECT min(time), max(time) FROM points WHERE probe = ?", (number,)
    ).fetchone()
    return None if first is None else (first, last)


def select(
    db: sqlite3.Connection, number: int | None, matching: PointFilter
) -> list[tuple[str, int, float, str]]:
    """Return the rows of a probe's points in a range of time, oldest first; see `read`."""
    return db.execute(
        "SELECT instance, seq, time, body FROM points"
        " WHERE probe = ? AND time > ? AND time <= ? ORDER BY time LIMIT ?",
        (number, matching.since, matching.until, matching.limit),
    ).fetchall()


def read(probe: str, rows: list[tuple[str, int, float, str]]) -> list[Point]:
    """Return the points that rows hold: a second of work for a hundred thousand of them."""
    return [
        Point(probe, instance, seq, time, **_DECODER.decode(body))
        for instance, seq, time, body in rows
    ]


_DECODER = msgspec.json.Decoder()  # nothing in a point is text that only `json` could read


def _body(point: Point) -> str:
    content = {
        "seconds": point.seconds,
        "count": point.count,
        "total": point.total,
        "low": point.low,
        "high": point.high,
        "buckets": point.buckets,
        "lost": point.lost,
    }
    return msgspec.json.encode(content).decode("ascii")
