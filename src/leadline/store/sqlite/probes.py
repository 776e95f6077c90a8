"""Probes in SQLite: placing, ending and reading them; each change is a row of the audit log."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from leadline.store.events import Changed, Ended, Placed
from leadline.store.records import EVERY_SERVICE, Canary, Phase, PlacedProbe, Step, Terms, Where
from leadline.store.sqlite.audit import SERVER, note
from leadline.store.sqlite.retention import count_trimmed
from leadline.store.sqlite.switches import refuse_if_off
from leadline.store.sqlite.told import told
from leadline.store.sqlite.writer import Transaction
from leadline.wire.errors import RefusedError
from leadline.wire.hit import ProbeState
from leadline.wire.messages import MAX_PROBES, decode_probes
from leadline.wire.probe import AGGREGATED, Probe, TwinProbe
from leadline.wire.struct import asdict, replace

ENDED_KEPT = 1_000
"""Probes that are over and still listed or looked up; older ones are forgotten."""

_COLUMNS = (
    "number, service, phase, reason, placed_at, expires_at, ended_at, hits, beyond_limit, body,"
    " terms, canary"
)
type Row = tuple[int, str, str, str, float, float, float | None, int, int, str, str, str | None]


def number_of(probe: str) -> int | None:
    """Return the row of the probe `p12`; None for anything that is no such id."""
    digits = probe.removeprefix("p")
    if probe[:1] != "p" or not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        return None
    return int(digits) if digits[0] != "0" else None


def insert(
    transaction: Transaction,
    service: str,
    probe: Probe,
    terms: Terms,
    who: str,
    now: float,
) -> PlacedProbe:
    """Put a probe into a service's set, unless the set is full."""
    db = transaction.db
    refuse_if_off(db, service)
    _refuse_if_full(db, service)
    canary = None if terms.canary_s is None else Canary(terms.canary_s)
    number = db.execute(
        "INSERT INTO probes (service, phase, placed_at, expires_at, max_hits, body, terms,"
        " set_name, canary) VALUES (?, 'active', ?, ?, ?, ?, ?, ?, ?)",
        (
            service,
            now,
            now + probe.limits.ttl_s,
            probe.limits.hits,
            json.dumps(asdict(probe)),
            json.dumps(asdict(terms)),
            terms.set,
            canary and json.dumps(asdict(canary)),
        ),
    ).lastrowid
    revision = note(
        db,
        at=now,
        who=who,
        action="twin" if isinstance(probe, TwinProbe) else "place",
        service=service,
        probe=f"p{number}",
        detail=told(probe) | {"terms": asdict(terms)},
    )
    (placed,) = _read(db, "WHERE number = ?", (number,))
    transaction.events.append(Placed(placed, revision))
    return placed


def _refuse_if_full(db: sqlite3.Connection, service: str) -> None:
    """An agent takes a set of so many; it is told of its own service's and of everybody's."""
    active = dict(
        db.execute(
            "SELECT service, count(*) FROM probes WHERE phase = 'active' GROUP BY service"
        )
    )
    everybodys = active.pop(EVERY_SERVICE, 0)
    own = (
        max(active.values(), default=0) if service == EVERY_SERVICE else active.get(service, 0)
    )
    if own + everybodys >= MAX_PROBES:
        name = "A service" if service == EVERY_SERVICE else f"The service {service!r}"
        raise RefusedError(
            "too-many-probes",
            f"{name} carries {own + everybodys} probes, which is the most it may.",
            "Remove some first.",
        )


def change(
    transaction: Transaction,
    placed: PlacedProbe,
    action: str,
    detail: dict[str, object],
    *,
    now: float,
    by: str = "",
) -> None:
    """Write the anchor and the canary of an active probe; `by` is who the anchor is from."""
    db = transaction.db
    db.execute(
        "UPDATE probes SET body = ?, canary = ? WHERE number = ?",
        (
            json.dumps(asdict(placed.probe)),
            placed.canary and json.dumps(asdict(placed.canary)),
            number_of(placed.probe.id),
        ),
    )
    revision = note(
        db,
        at=now,
        who=SERVER,
        action=action,
        service=placed.service,
        probe=placed.probe.id,
        detail=detail,
    )
    transaction.events.append(Changed(placed, revision, by))


def keep_anchor(transaction: Transaction, state: ProbeState, instance: str, now: float) -> None:
    """Tie a probe that has no anchor yet to what its place looks like in the first instance.

    A probe of every service is not tied: what is at its place differs from program to program.
    """
    found = transaction.db.execute(
        "SELECT 1 FROM probes WHERE number = ? AND phase = 'active' AND service != ?"
        " AND json_extract(body, '$.anchor') IS NULL",
        (number_of(state.probe), EVERY_SERVICE),
    ).fetchone()
    placed = select_one(transaction.db, state.probe) if found else None
    if placed is None or state.anchor is None or isinstance(placed.probe, TwinProbe):
        return
    anchored = replace(placed, probe=replace(placed.probe, anchor=state.anchor))
    detail: dict[str, object] = {"instance": instance, "anchor": asdict(state.anchor)}
    change(transaction, anchored, "anchor", detail, now=now, by=instance)


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


def end_one(transaction: Transaction, probe: str, reason: str, now: float) -> None:
    """End an active probe for a reason of the server's own."""
    placed = select_one(transaction.db, probe)
    if placed is not None and placed.phase is Phase.ACTIVE:
        end(transaction, [replace(placed, reason=reason)], Phase.EXPIRED, SERVER, now)


def exhausted(probe: PlacedProbe) -> PlacedProbe:
    """Return the probe with the reason that its hits are used up."""
    adds_up, many = probe.probe.kind in AGGREGATED, probe.probe.limits.hits
    what, done = ("passage", "counted") if adds_up else ("hit", "captured")
    reason = (
        f"all of its {many} {what}s are {done}" if many > 1 else f"its one {what} is {done}"
    )
    return replace(probe, reason=reason)


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
    """Return the probes in one of `phases`, in order of placing: all, or a service's and those
    that are for every service."""
    marks = ", ".join("?" * len(phases))
    where, values = f"WHERE phase IN ({marks})", [str(phase) for phase in phases]
    if service is not None:
        where += " AND service IN (?, ?)"
        values += [service, EVERY_SERVICE]
    return _read(db, where, values)


def of_set(db: sqlite3.Connection, service: str, name: str) -> list[PlacedProbe]:
    """Return the probes of a set, in order of placing: the active and the expired."""
    where = "WHERE phase != 'removed' AND service = ? AND set_name = ?"
    return _read(db, where, (service, name))


def save_canary(transaction: Transaction, probe: str, canary: Canary, now: float) -> None:
    """Note how far the canary of an active probe has come."""
    placed = select_one(transaction.db, probe)
    if placed is not None and placed.phase is Phase.ACTIVE:
        after = replace(placed, canary=canary)
        change(transaction, after, "canary", asdict(canary), now=now)


def select_one(db: sqlite3.Connection, probe: str) -> PlacedProbe | None:
    """Return one probe, whatever its phase."""
    found = _read(db, "WHERE number = ?", (number_of(probe),))
    return found[0] if found else None


def _read(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[PlacedProbe]:
    # `where` is one of the texts above; whatever came from outside is in `values`
    query = f"SELECT {_COLUMNS} FROM probes {where} ORDER BY number"  # noqa: S608
    return [_placed(row) for row in db.execute(query, values)]


def _placed(row: Row) -> PlacedProbe:
    number, service, phase, reason, placed_at, expires_at, ended_at, hits, beyond = row[:9]
    body, terms, canary = row[9:]
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
        terms=_terms(json.loads(terms)),
        canary=_canary(json.loads(canary)) if canary else None,
    )


def _terms(value: dict[str, Any]) -> Terms:
    return Terms(**value | {"where": Where(**value.get("where", {}))})


def _canary(value: dict[str, Any]) -> Canary:
    return Canary(**value | {"step": Step(value["step"])})


def _forget_old(db: sqlite3.Connection) -> None:
    gone = db.execute(
        "DELETE FROM probes WHERE phase != 'active' AND number <= coalesce("
        " (SELECT number FROM probes WHERE phase != 'active'"
        "  ORDER BY number DESC LIMIT 1 OFFSET ?), -1)",
        (ENDED_KEPT,),
    ).rowcount
    count_trimmed(db, "probes", gone)
