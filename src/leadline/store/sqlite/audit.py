"""The audit log in SQLite: who did what, and when; its newest number is the sets' revision."""

import json
import sqlite3

from leadline.store.records import EVERY_ENTRY, AuditEntry, AuditFilter
from leadline.store.sqlite.retention import count_trimmed
from leadline.wire.struct import asdict

MAX_ROW = 2**63 - 1
AUDIT_KEPT = 100_000
SERVER = "server"
"""Who did it when nobody asked."""


def note(
    db: sqlite3.Connection,
    *,
    at: float,
    who: str,
    action: str,
    service: str = "",
    probe: str = "",
    detail: dict[str, object] | None = None,
) -> int:
    """Add an entry and return its number. `detail` never holds a key."""
    row = db.execute(
        "INSERT INTO audit (at, who, action, service, probe, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (at, who, action, service, probe, json.dumps(detail or {})),
    ).lastrowid
    assert row is not None  # noqa: S101 - SQLite numbers every row it inserts
    gone = db.execute("DELETE FROM audit WHERE id <= ?", (row - AUDIT_KEPT,)).rowcount
    count_trimmed(db, "audit", gone)
    return row


def revision(db: sqlite3.Connection) -> int:
    """Return the number of the last change of any set."""
    (number,) = db.execute("SELECT coalesce(max(id), 0) FROM audit").fetchone()
    return int(number)


def select(
    db: sqlite3.Connection,
    limit: int,
    before: int | None = None,
    matching: AuditFilter = EVERY_ENTRY,
) -> list[AuditEntry]:
    """Return the newest entries that match, or the newest before a number, the oldest of them
    first."""
    said = {name: value for name, value in asdict(matching).items() if value}
    columns = "".join(f" AND {name} = ?" for name in said)
    rows = db.execute(
        "SELECT id, at, who, action, service, probe, detail FROM audit"  # noqa: S608 - our names
        f" WHERE id < ?{columns} ORDER BY id DESC LIMIT ?",
        (MAX_ROW if before is None else before, *said.values(), limit),
    ).fetchall()
    return [AuditEntry(*row) for row in reversed(rows)]
