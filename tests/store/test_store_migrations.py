"""A database of any older version comes up to date whole, or stays what it was."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from leadline.store.records import HitFilter, Phase
from leadline.store.sqlite import SqliteStore, database
from leadline.wire.errors import LeadlineError

SCRIPTS = {
    int(file.name[:4]): file.read_text("utf-8")
    for file in files("leadline.store.sqlite").iterdir()
    if file.name.endswith(".sql")
}
LATEST = max(SCRIPTS)
PROBE = {
    "id": "",
    "target": {"file": "app.py", "line": 3},
    "template": "x={x}",
    "condition": None,
    "limits": {"hits": 100, "ttl_s": 900.0, "rate_per_s": 50.0},
    "capture": {"depth": 3, "items": 100, "text": 256},
    "owner": "",
    "note": "",
    "kind": "log",
}
HIT = {
    "probe": "p1",
    "instance": "i1",
    "seq": 0,
    "time": 1.5,
    "thread": "Main\ud800",
    "file": "app.py",
    "line": 3,
    "function": "f",
    "message": "x=\ud800",
    "values": {"x": "\ud800"},
}


def of_version(path: Path, version: int, hits: int = 3) -> Path:
    """Make a database as the first release with that schema would have left it."""
    with closing(database.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        for number in sorted(SCRIPTS):
            if number <= version:
                database._offer(db)
                database._migrate(db, number, SCRIPTS[number])
            if number == 1:
                fill(db, hits)
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
    return path


def fill(db: sqlite3.Connection, hits: int) -> None:
    """Put in what the first version had."""
    db.execute(
        "INSERT INTO probes (service, phase, placed_at, expires_at, max_hits, hits, body)"
        " VALUES ('shop', 'active', 1, 1e12, 100, ?, ?)",
        (hits, json.dumps(PROBE)),
    )
    info = {"id": "i1", "service": "shop", "pid": 1, "host": "h", "program": "p"}
    info |= {"python": "3.13.0", "agent": "0.1.0", "core": "pure", "started_at": 1.0}
    db.execute(
        "INSERT INTO instances (id, service, first_seen, last_seen, last_seq, hits, body)"
        " VALUES ('i1', 'shop', 1, 2, ?, ?, ?)",
        (hits - 1, hits, json.dumps(info)),
    )
    state = {"probe": "p1", "status": "armed", "reason": "", "file": "app.py", "line": 3}
    state |= {"source": "", "function": "f", "fates": {"captured": 3}, "unknown": ""}
    db.execute(
        "INSERT INTO states VALUES (1, 'i1', 2, ?)", (json.dumps(state | {"cost_ns": 5}),)
    )
    for seq in range(hits):
        body = json.dumps(HIT | {"seq": seq})
        db.execute(
            "INSERT INTO hits (service, probe, instance, seq, received_at, size, body)"
            " VALUES ('shop', 1, 'i1', ?, 2, ?, ?)",
            (seq, len(body), body),
        )
    db.execute("INSERT INTO audit VALUES (1, 1, 'user', 'place', 'shop', 'p1', '{}')")


def schema(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return db.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
        ).fetchall()


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def check_content(path: Path, hits: int = 3) -> None:
    """Read everything, as a server does, and go on writing."""
    with closing(SqliteStore(path, lambda _: None)) as store:
        (placed,) = store.probes("shop")
        assert (placed.probe.id, placed.probe.template, placed.hits) == ("p1", "x={x}", hits)
        assert (placed.probe.moment, placed.phase) == ("line", Phase.ACTIVE)
        (record,) = store.instances()
        assert (record.info.id, record.hits, record.info.tags) == ("i1", hits, {})
        assert store.states()["p1"][0].state.cost_ns == 5
        found = store.hits(HitFilter(probes=("p1",), text="x="), newest=True, limit=9_999)
        assert [json.loads(hit.body)["message"] for hit in found.hits] == ["x=\ud800"] * hits
        assert store.revision() == 1
        assert store.switches() == []
        store.note("user", "test", "shop", {}, now=3.0)


@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_every_older_version_comes_up_to_date_with_all_that_is_in_it(tmp_path, version):
    path = of_version(tmp_path / "hits.db", version)
    check_content(path)
    with closing(SqliteStore(tmp_path / "new.db", lambda _: None)):
        pass
    assert schema(path) == schema(tmp_path / "new.db")
    assert version_of(path) == LATEST


def test_migrations_are_numbered_without_a_gap():
    assert sorted(SCRIPTS) == list(range(1, LATEST + 1))
    names = [file.name for file in files("leadline.store.sqlite").iterdir()]
    assert len([name for name in names if name.endswith(".sql")]) == LATEST


def test_a_newer_database_is_refused_and_not_touched(tmp_path):
    path = of_version(tmp_path / "hits.db", LATEST)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {LATEST + 1}")
    before = path.read_bytes()
    with pytest.raises(LeadlineError) as caught:
        SqliteStore(path, lambda _: None)
    assert caught.value.slug == "newer-database"
    assert str(LATEST + 1) in caught.value.message
    assert path.read_bytes() == before


DYING = """
import os, signal, sys
from pathlib import Path
from leadline.store.sqlite import database

path, statements = Path(sys.argv[1]), int(sys.argv[2])
db = database.connect(path)

def look(_statement):
    global statements
    statements -= 1
    if statements < 0:
        os.kill(os.getpid(), signal.SIGKILL)

db.set_trace_callback(look)
database.prepare(db, path)
"""


def test_a_server_killed_in_the_middle_leaves_the_old_version(tmp_path):
    """Killed before each statement of all migrations in turn, until it gets to the end."""
    killed_at, survived = [], False
    for statements in range(0, 400, 3):
        path = of_version(tmp_path / f"{statements}.db", 1)
        command = [sys.executable, "-c", DYING, str(path), str(statements)]
        done = subprocess.run(command, check=False, timeout=60, env=os.environ)
        if done.returncode == 0:
            survived = True
            break
        assert done.returncode == -signal.SIGKILL
        assert version_of(path) == 1
        killed_at.append(path)
    assert survived
    assert len(killed_at) > 5
    for path in killed_at:
        check_content(path)
        assert version_of(path) == LATEST


def test_a_full_disk_leaves_the_old_version(tmp_path):
    path = of_version(tmp_path / "hits.db", 1, hits=2_000)
    full = 0
    with closing(database.connect(path)) as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        for room in (0, 5, 20, 60):
            db.execute(f"PRAGMA max_page_count = {pages + room}").fetchone()
            with contextlib.suppress(LeadlineError):
                database.prepare(db, path)
            full += version_of(path) == 1
    assert full > 0
    check_content(path, hits=2_000)
