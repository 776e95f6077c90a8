"""Probes in SQLite: placing, ending and reading them; each change is a row of the audit log."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from leadline.store.records import Ended, Phase, Placed, PlacedProbe
from leadline.store.sqlite.audit import SERVER, note
from leadline.store.sqlite.retention import count_trimmed
from leadline.store.sqlite.switches import refuse_if_off
from leadline.store.sqlite.writer import Transaction
from leadline.wire.errors import RefusedError
from leadline.wire.messages import MAX_PROBES, decode_probes
from leadline.wire.probe import Probe

ENDED_KEPT = 1_000
"""Probes that are over and still listed or looked up; older ones are forgotten."""

_COLUMNS = (
    "number, service, phase, reason, placed_at, expires_at, ended_at, hits, beyond_limit, body"
)
type Row = tuple[int, str, str, str, float, float, float | None, int, int, str]


def number_of(probe: str) -> int | None:
    """Return the row of the probe `p12`; None for anything that is no such id."""
    digits = probe.removeprefix("p")
    if probe[:1] != "p" or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    return int(digits) if digits[0] != "0" else None


def insert(
    transaction: Transaction, service: str, probe: Probe, who: str, now: float
) -> PlacedProbe:
    """Put a probe into a service's set, unless the set is full."""
    db = transaction.db
    refuse_if_off(db, service)
    (active,) = db.execute(
        "SELECT count(*) FROM probes WHERE phase = 'active' AND service = ?", (service,)
    ).fetchone()
    if active >= MAX_PROBES:
        raise RefusedError(
            "too-many-probes",
            f"The service {service!r} carries {active} probes, which is the most it may.",
            "Remove some first.",
        )
    number = db.execute(
        "INSERT INTO probes (service, phase, placed_at, expires_at, max_hits, body)"
        " VALUES (?, 'active', ?, ?, ?, ?)",
        (service, now, now + probe.limits.ttl_s, probe.limits.hits, json.dumps(asdict(probe))),
    ).lastrowid
    revision = note(
        db,
        at=now,
        who=who,
        action="place",
        service=service,
        probe=f"p{number}",
        detail=asdict(probe),
    )
    (placed,) = _read(db, "WHERE number = ?", (number,))
    transaction.events.append(Placed(placed, revision))
    return placed


def end(
    transaction: Transaction, probes: Iterable[PlacedProbe], phase: Phase, who: str, now: float
) -> list[PlacedProbe]:
    """Move probes of one or more services into `phase`, each with its own reason."""
    db = transaction.db
    by_service: dict[str, list[PlacedProbe]] = {}
    for probe in probes:
        after = replace(probe, phase=phase, ended_at=probe.ended_at or now)
        db.execute(
            "UPDATE probes SET phase = ?, reason = ?, ended_at = ? WHERE number = ?",
            (phase, after.reason, after.ended_at, number_of(probe.probe.id)),
        )
        by_service.setdefault(probe.service, []).append(after)
    for service, ended in by_service.items():
        for probe in ended:
            revision = note(
                db,
                at=now,
                who=who,
                action=phase,
                service=service,
                probe=probe.probe.id,
                detail={"reason": probe.reason},
            )
        transaction.events.append(Ended(service, ended, revision))
    if by_service:
        _forget_old(db)
    return [probe for ended in by_service.values() for probe in ended]


def exhausted(probe: PlacedProbe) -> PlacedProbe:
    """Return the probe with the reason that its hits are used up."""
    return replace(probe, reason=f"all of its {probe.probe.limits.hits} hits are captured")


def expire(transaction: Transaction, now: float) -> None:
    """End the probes whose time is over."""
    due = _read(transaction.db, "WHERE phase = 'active' AND expires_at <= ?", (now,))
    over = [
        replace(probe, reason=f"its {probe.probe.limits.ttl_s:g} seconds are over")
        for probe in due
    ]
    end(transaction, over, Phase.EXPIRED, SERVER, now)


def remove(
    transaction: Transaction, service: str | None, probe: str | None, who: str, now: float
) -> list[PlacedProbe]:
    """Remove one probe, or all of a service; those that are removed already do not count."""
    where = "WHERE phase != 'removed'"
    if probe is not None:
        found = _read(transaction.db, f"{where} AND number = ?", (number_of(probe),))
    else:
        found = _read(transaction.db, f"{where} AND service = ?", (service,))
    gone = [replace(item, reason="removed") for item in found]
    return end(transaction, gone, Phase.REMOVED, who, now)


def select(
    db: sqlite3.Connection, service: str | None, phases: Sequence[Phase]
) -> list[PlacedProbe]:
    """Return the probes in one of `phases`, of one service or of all, in order of placing."""
    marks = ", ".join("?" * len(phases))
    where, values = f"WHERE phase IN ({marks})", [str(phase) for phase in phases]
    if service is not None:
        where += " AND service = ?"
        values.append(service)
    return _read(db, where, values)


def select_one(db: sqlite3.Connection, probe: str) -> PlacedProbe | None:
    """Return one probe, whatever its phase."""
    found = _read(db, "WHERE number = ?", (number_of(probe),))
    return found[0] if found else None


def _read(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[PlacedProbe]:
    # `where` is one of the texts above; whatever came from outside is in `values`
    query = f"SELECT {_COLUMNS} FROM probes {where} ORDER BY number"  # noqa: S608
    return [_placed(row) for row in db.execute(query, values)]


def _placed(row: Row) -> PlacedProbe:
    number, service, phase, reason, placed_at, expires_at, ended_at, hits, beyond, body = row
    (probe,) = decode_probes([json.loads(body)])
    return PlacedProbe(
        probe=replace(probe, id=f"p{number}"),
        service=service,
        phase=Phase(phase),
        reason=reason,
        placed_at=placed_at,
        expires_at=expires_at,
        ended_at=ended_at,
        hits=hits,
        beyond_limit=beyond,
    )


def _forget_old(db: sqlite3.Connection) -> None:
    gone = db.execute(
        "DELETE FROM probes WHERE phase != 'active' AND number <= coalesce("
        " (SELECT number FROM probes WHERE phase != 'active'"
        "  ORDER BY number DESC LIMIT 1 OFFSET ?), -1)",
        (ENDED_KEPT,),
    ).rowcount
    count_trimmed(db, "probes", gone)
