"""Verdicts in SQLite: what verifications said of candidates, the newest of them kept."""

import sqlite3

from leadline.store.keep import Kind
from leadline.store.sqlite.audit import note
from leadline.store.sqlite.retention import ROOM_ROWS, count_trimmed
from leadline.store.sqlite.writer import Transaction
from leadline.store.verdicts import NewVerdict, StoredVerdict, VerdictFilter

VERDICTS_KEPT = 1_000
"""Each has up to 2 MB, and some 50 KB as a rule: more than anybody looks back at."""
MAX_ROW = 2**63 - 1


def insert(
    transaction: Transaction, new: NewVerdict, who: str, now: float, detail: dict[str, object]
) -> int:
    """Keep a verdict, note it in the audit log with `detail`, and return its number."""
    db = transaction.db
    number = db.execute(
        "INSERT INTO verdicts (service, verdict, received_at, who, head, body)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (new.service, new.verdict, now, who, new.head, new.body),
    ).lastrowid
    assert number is not None  # noqa: S101 - SQLite numbers every row it inserts
    note(
        db,
        at=now,
        who=who,
        action="verdict",
        service=new.service,
        detail={"verdict": new.verdict, "number": number, **detail},
    )
    gone = db.execute(
        "DELETE FROM verdicts WHERE id <= coalesce("
        "(SELECT id FROM verdicts ORDER BY id DESC LIMIT 1 OFFSET ?), 0)",
        (VERDICTS_KEPT,),
    )
    count_trimmed(db, Kind.VERDICTS, gone.rowcount)
    transaction.retention.make_room(ROOM_ROWS)
    return number


def select(
    db: sqlite3.Connection, matching: VerdictFilter, before: int | None, limit: int
) -> list[StoredVerdict]:
    """Return the newest that match, or the newest before a number, the newest first and without
    their bodies."""
    said = {"service": matching.service, "verdict": matching.verdict}
    asked = {name: value for name, value in said.items() if value}
    columns = "".join(f" AND {name} = ?" for name in asked)
    rows = db.execute(
        "SELECT id, service, received_at, who, head, '' FROM verdicts"  # noqa: S608 - our names
        f" WHERE id < ?{columns} ORDER BY id DESC LIMIT ?",
        (MAX_ROW if before is None else before, *asked.values(), limit),
    )
    return [StoredVerdict(*row) for row in rows]


def select_one(db: sqlite3.Connection, number: int) -> StoredVerdict | None:
    """Return one whole."""
    row = db.execute(
        "SELECT id, service, received_at, who, head, body FROM verdicts WHERE id = ?", (number,)
    ).fetchone()
    return StoredVerdict(*row) if row else None
