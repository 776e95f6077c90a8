"""Kill switches in SQLite: what is switched off, by whom and why; it outlives the server."""

import sqlite3

from leadline.store.events import Switched
from leadline.store.records import Switch
from leadline.store.sqlite.audit import note
from leadline.store.sqlite.writer import Transaction
from leadline.wire.errors import RefusedError


def off(transaction: Transaction, switch: Switch) -> None:
    """Switch a service off, or everything; once more is a new reason."""
    transaction.db.execute(
        "INSERT INTO switches (service, reason, who, since) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (service) DO UPDATE SET reason = excluded.reason, who = excluded.who,"
        " since = excluded.since",
        (switch.service, switch.reason, switch.who, switch.since),
    )
    revision = note(
        transaction.db,
        at=switch.since,
        who=switch.who,
        action="off",
        service=switch.service,
        detail={"reason": switch.reason},
    )
    transaction.events.append(Switched(switch.service, switch, revision))


def on(transaction: Transaction, service: str, who: str, now: float) -> bool:
    """Turn a switch back; False if it was not off."""
    gone = transaction.db.execute("DELETE FROM switches WHERE service = ?", (service,))
    if not gone.rowcount:
        return False
    revision = note(
        transaction.db,
        at=now,
        who=who,
        action="on",
        service=service,
    )
    transaction.events.append(Switched(service, None, revision))
    return True


def select(db: sqlite3.Connection) -> list[Switch]:
    """Return what is switched off, everything first."""
    rows = db.execute("SELECT service, reason, who, since FROM switches ORDER BY service")
    return [Switch(*row) for row in rows]


def refuse_if_off(db: sqlite3.Connection, service: str) -> None:
    """Raise slug `switched-off` if a service, or everything, is switched off."""
    found = db.execute(
        "SELECT service, reason, who FROM switches WHERE service IN ('', ?) ORDER BY service",
        (service,),
    ).fetchone()
    if found is not None:
        what = f"The service {service!r}" if found[0] else "Everything"
        why = f": {found[1]}" if found[1] else ""
        raise RefusedError(
            "switched-off",
            f"{what} was switched off by {found[2]}{why}.",
            f"Switch it on again first: `leadline on {found[0]}`."
            if found[0]
            else "Switch it on again first: `leadline on`.",
        )
