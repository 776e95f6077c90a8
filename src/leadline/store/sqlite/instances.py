"""Instances and the states they reported, in SQLite."""

import json
import sqlite3
from typing import Any

import msgspec

from leadline.store.records import EVERY_SERVICE, InstanceRecord, StateRecord
from leadline.store.sqlite.probes import number_of
from leadline.store.sqlite.retention import count_trimmed
from leadline.store.sqlite.writer import Transaction
from leadline.wire.errors import RefusedError
from leadline.wire.hit import InstanceInfo, ProbeState
from leadline.wire.messages import encode
from leadline.wire.probe import Anchor, Fate, Status
from leadline.wire.struct import asdict, replace

INSTANCES_KEPT = 5_000
"""Processes that are remembered; those longest gone are forgotten with their states."""


def enter(transaction: Transaction, info: InstanceInfo, now: float) -> int:
    """Know a process from now on, and keep its id from belonging to two services; returns the
    number of the last hit that it reported, -1 if none."""
    db = transaction.db
    row = db.execute(
        "SELECT service, last_seq FROM instances WHERE id = ?", (info.id,)
    ).fetchone()
    if row is None:
        db.execute(
            "INSERT INTO instances (id, service, first_seen, last_seen, body)"
            " VALUES (?, ?, ?, ?, ?)",
            (info.id, info.service, now, now, body_of(info)),
        )
        _forget_old(db)
        return -1
    service, last_seq = row
    if service != info.service:
        raise RefusedError(
            "wrong-service", f"The instance {info.id} belongs to another service."
        )
    return int(last_seq)


def save(transaction: Transaction, info: InstanceInfo, now: float) -> None:
    """Note a process that is here now; see `enter`."""
    enter(transaction, info, now)
    transaction.db.execute(
        "UPDATE instances SET last_seen = ?, gone_at = NULL, body = ? WHERE id = ?",
        (now, body_of(info), info.id),
    )


def body_of(info: InstanceInfo) -> str:
    """Return the JSON of a process, in ASCII."""
    try:
        written = msgspec.json.encode(info)  # a tenth of the time of Python's, at each report
    except UnicodeEncodeError:
        return encode(info).decode("ascii")
    return (written if written.isascii() else encode(info)).decode("ascii")


def gone(transaction: Transaction, instance: str, now: float) -> None:
    """Note that a process has ended or cannot be reached."""
    transaction.db.execute(
        "UPDATE instances SET gone_at = ? WHERE id = ? AND gone_at IS NULL", (now, instance)
    )


def all_gone(transaction: Transaction) -> None:
    """Note that no process is connected: the last that is known of each is when it spoke."""
    transaction.db.execute("UPDATE instances SET gone_at = last_seen WHERE gone_at IS NULL")


def save_state(
    transaction: Transaction, info: InstanceInfo, state: ProbeState, now: float
) -> bool:
    """Keep an instance's word about a probe of its service; False if it has no such probe."""
    number = number_of(state.probe)
    known = transaction.db.execute(
        "SELECT 1 FROM probes WHERE number = ? AND service IN (?, ?)",
        (number, info.service, EVERY_SERVICE),
    ).fetchone()
    if known is None:
        return False
    transaction.db.execute(
        "INSERT INTO states (probe, instance, reported_at, body) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (probe, instance) DO UPDATE"
        " SET reported_at = excluded.reported_at, body = excluded.body",
        (number, info.id, now, json.dumps(asdict(state))),
    )
    return True


_COLUMNS = "body, first_seen, last_seen, gone_at, hits, strays, dropped, faults"


def select(db: sqlite3.Connection, service: str | None) -> list[InstanceRecord]:
    """Return the known processes, oldest first."""
    query = f"SELECT {_COLUMNS} FROM instances"  # noqa: S608 - a constant
    if service is None:
        rows = db.execute(f"{query} ORDER BY first_seen, id")
    else:
        rows = db.execute(f"{query} WHERE service = ? ORDER BY first_seen, id", (service,))
    return [_record(row) for row in rows]


def select_one(db: sqlite3.Connection, instance: str) -> InstanceRecord | None:
    """Return one process, by its whole id."""
    query = f"SELECT {_COLUMNS} FROM instances WHERE id = ?"  # noqa: S608 - a constant
    row = db.execute(query, (instance,)).fetchone()
    return None if row is None else _record(row)


def _record(row: tuple[Any, ...]) -> InstanceRecord:
    body, first_seen, last_seen, gone_at, hits, strays, dropped, faults = row
    return InstanceRecord(
        InstanceInfo(**json.loads(body)),
        first_seen,
        last_seen,
        gone_at,
        hits,
        strays,
        json.loads(dropped),
        json.loads(faults),
    )


def select_states(
    db: sqlite3.Connection, service: str | None, probe: str | None
) -> dict[str, list[StateRecord]]:
    """Return the last states reported, by probe; of one probe, of a service, or all."""
    query = "SELECT states.probe, states.instance, states.reported_at, states.body FROM states"
    if probe is not None:
        rows = db.execute(f"{query} WHERE states.probe = ?", (number_of(probe),))
    elif service is not None:
        rows = db.execute(
            f"{query} JOIN probes ON probes.number = states.probe"
            " WHERE probes.service IN (?, ?)",
            (service, EVERY_SERVICE),
        )
    else:
        rows = db.execute(query)
    found: dict[str, list[StateRecord]] = {}
    for number, instance, reported_at, body in rows:
        probe = f"p{number}"
        record = StateRecord(instance, reported_at, _state(body, probe))
        found.setdefault(probe, []).append(record)
    return found


def select_statuses(
    db: sqlite3.Connection, instance: str | None = None
) -> dict[str, dict[str, Status]]:
    """Return the last status that each instance, or one of them, reported, by probe."""
    where, values = ("", ()) if instance is None else (" WHERE instance = ?", (instance,))
    known = {str(status): status for status in Status}
    found: dict[str, dict[str, Status]] = {}
    for number, reporter, status in db.execute(
        "SELECT probe, instance, json_extract(body, '$.status') FROM states"  # noqa: S608 - ours
        f"{where}",
        values,
    ):
        found.setdefault(f"p{number}", {})[reporter] = known[status]
    return found


_STATES = msgspec.json.Decoder(ProbeState)


def _state(body: str, probe: str) -> ProbeState:
    try:
        state = _STATES.decode(body)
    except msgspec.DecodeError:  # a lone surrogate, which only Python's reader takes
        return _state_of(json.loads(body), probe)
    return state if state.probe == probe else replace(state, probe=probe)


def _state_of(value: dict[str, Any], probe: str) -> ProbeState:
    fates = {Fate(fate): count for fate, count in value["fates"].items()}
    anchor = value.get("anchor")
    return ProbeState(
        **{
            **value,
            "probe": probe,
            "status": Status(value["status"]),
            "fates": fates,
            "anchor": Anchor(**anchor) if anchor else None,
        }
    )


def _forget_old(db: sqlite3.Connection) -> None:
    removed = db.execute(
        "DELETE FROM instances WHERE id IN ("
        " SELECT id FROM instances ORDER BY gone_at IS NULL, last_seen"
        " LIMIT max(0, (SELECT count(*) FROM instances) - ?))",
        (INSTANCES_KEPT,),
    ).rowcount
    count_trimmed(db, "instances", removed)
