"""Mail that waits to be sent: queued with the order, sent later by the worker."""

import logging
import sqlite3
from datetime import UTC, datetime

from shop.db import Database

log = logging.getLogger(__name__)


def queue(connection: sqlite3.Connection, recipient: str, subject: str) -> None:
    """Queue a mail within the caller's transaction: no order without, no mail alone."""
    connection.execute(
        "INSERT INTO outbox (recipient, subject) VALUES (?, ?)", (recipient, subject)
    )


def waiting(db: Database) -> int:
    with db.reading() as connection:
        row = connection.execute(
            "SELECT count(*) AS waiting FROM outbox WHERE sent_at IS NULL"
        ).fetchone()
    return int(row["waiting"])


def send(db: Database, batch: int = 20) -> int:
    """Send the oldest mails; returns how many. There is no mail server yet: it logs."""
    with db.reading() as connection:
        mails = connection.execute(
            """
            SELECT id, recipient, subject FROM outbox
            WHERE sent_at IS NULL ORDER BY id LIMIT ?
            """,
            (batch,),
        ).fetchall()
    if not mails:
        return 0
    sent_at = datetime.now(UTC).isoformat(timespec="seconds")
    for mail in mails:
        log.debug("to %s: %s", mail["recipient"], mail["subject"])
    with db.writing() as connection:
        connection.executemany(
            "UPDATE outbox SET sent_at = ? WHERE id = ?",
            [(sent_at, mail["id"]) for mail in mails],
        )
    return len(mails)
