"""The tables that grow, all in one way: which rows may go, how old they are, a few at once."""

import sqlite3
from collections.abc import Iterator

from leadline.store.keep import Kind, Shelved
from leadline.wire.struct import dataclass

LOOK = 500
"""Rows looked at, and perhaps deleted, in one piece of work: some milliseconds, unless rows are
huge. Whoever writes meanwhile waits no longer."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """One table. `key` grows with time, `at` is when a row was written or came to its end, and
    only rows for which `free` holds may go."""

    kind: Kind
    key: str
    at: str
    free: str = "1"
    sized: bool = False

    @property
    def table(self) -> str:
        """The table's name is the kind's."""
        return self.kind.value


SHELVES: dict[Kind, Shelf] = {
    shelf.kind: shelf
    for shelf in (
        Shelf(Kind.HITS, "id", "received_at", sized=True),
        Shelf(Kind.POINTS, "id", "received_at"),
        Shelf(Kind.VERDICTS, "id", "received_at"),
        Shelf(Kind.PROBES, "number", "ended_at", "phase != 'active'"),
        Shelf(Kind.INSTANCES, "rowid", "gone_at", "gone_at IS NOT NULL"),
        # the newest entry's number is the revision of all sets
        Shelf(Kind.AUDIT, "id", "at", "id < (SELECT max(id) FROM audit)"),
    )
}
"""In the order in which they make room: of hits, points and verdicts the older first, the audit
log last."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What one step deleted. `after` is where the next begins; None when it was the last."""

    count: int
    chars: int
    after: int | None


# Every text that is put into a query below is one of the fixed ones above.
# ruff: noqa: S608


def clear(
    db: sqlite3.Connection,
    shelf: Shelf,
    after: int,
    *,
    before: float | None = None,
    service: str | None = None,
) -> Cleared:
    """Look at the `LOOK` rows behind `after` and delete those that are asked for and may go."""
    (end, seen) = db.execute(
        f"SELECT max(k), count(*) FROM (SELECT {shelf.key} AS k FROM {shelf.table}"
        f" WHERE {shelf.key} > ? ORDER BY {shelf.key} LIMIT ?)",
        (after, LOOK),
    ).fetchone()
    if end is None:
        return Cleared(0, 0, None)
    where, values = _asked(shelf, before, service)
    count, chars = _delete(
        db, shelf, f"{shelf.key} > ? AND {shelf.key} <= ? AND {where}", [after, end, *values]
    )
    return Cleared(count, chars, end if seen == LOOK else None)


def clear_old(db: sqlite3.Connection, shelf: Shelf, before: float) -> Cleared:
    """Delete what is oldest and older than `before`, at most `LOOK` rows of it."""
    if shelf.kind in (Kind.PROBES, Kind.INSTANCES):  # few, and not in the order of their end
        chosen = f"WHERE {shelf.free} AND {shelf.at} < ? ORDER BY {shelf.at} LIMIT ?"
        values: list[object] = [before, LOOK]
        more = "1"
    else:
        chosen, values = f"WHERE {shelf.free} ORDER BY {shelf.key} LIMIT ?", [LOOK]
        more = f"{shelf.at} < ?"
    count, chars = _delete(
        db,
        shelf,
        f"{shelf.key} IN (SELECT {shelf.key} FROM {shelf.table} {chosen}) AND {more}",
        [*values, before] if more != "1" else values,
    )
    return Cleared(count, chars, 0 if count == LOOK else None)


def clear_oldest(db: sqlite3.Connection, shelf: Shelf, rows: int) -> Cleared:
    """Delete the `rows` oldest that may go, however old they are."""
    order = shelf.at if shelf.kind in (Kind.PROBES, Kind.INSTANCES) else shelf.key
    count, chars = _delete(
        db,
        shelf,
        f"{shelf.key} IN (SELECT {shelf.key} FROM {shelf.table} WHERE {shelf.free}"
        f" ORDER BY {order} LIMIT ?)",
        [rows],
    )
    return Cleared(count, chars, 0 if count == rows else None)


def oldest_at(db: sqlite3.Connection, shelf: Shelf) -> float | None:
    """Return when the first row that may go was written."""
    row = db.execute(
        f"SELECT {shelf.at} FROM {shelf.table} WHERE {shelf.free} ORDER BY {shelf.key} LIMIT 1"
    ).fetchone()
    return None if row is None else float(row[0])


def count(
    db: sqlite3.Connection, shelf: Shelf, before: float | None, service: str | None
) -> int:
    """Return how many rows are asked for and may go."""
    where, values = _asked(shelf, before, service)
    query = f"SELECT count(*) FROM {shelf.table} WHERE {where}"
    return int(db.execute(query, values).fetchone()[0])


def stored(db: sqlite3.Connection, at_most: dict[Kind, int]) -> Iterator[tuple[Kind, Shelved]]:
    """Yield how much there is of each kind, rows that may not go included."""
    for shelf in SHELVES.values():
        (number,) = db.execute(f"SELECT count(*) FROM {shelf.table}").fetchone()
        first = db.execute(
            f"SELECT {_BEGUN.get(shelf.kind, shelf.at)} FROM {shelf.table}"
            f" ORDER BY {shelf.key} LIMIT 1"
        ).fetchone()
        yield shelf.kind, Shelved(number, first[0] if first else None, at_most[shelf.kind])


_BEGUN = {Kind.PROBES: "placed_at", Kind.INSTANCES: "first_seen"}


def _asked(shelf: Shelf, before: float | None, service: str | None) -> tuple[str, list[object]]:
    where, values = shelf.free, list[object]()
    if before is not None:
        where += f" AND {shelf.at} < ?"
        values.append(before)
    if service is not None:
        where += " AND service = ?"
        values.append(service)
    return where, values


def _delete(
    db: sqlite3.Connection, shelf: Shelf, where: str, values: list[object]
) -> tuple[int, int]:
    """Delete rows; returns how many there were, and their characters if that is counted."""
    query = f"DELETE FROM {shelf.table} WHERE {where}"
    if not shelf.sized:
        return db.execute(query, values).rowcount, 0
    sizes = [row[0] for row in db.execute(f"{query} RETURNING size", values)]
    return len(sizes), sum(sizes)
