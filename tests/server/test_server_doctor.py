"""What the server says of itself, and that it is so."""

import os
import sqlite3
import time
from contextlib import closing

from leadline.control.context import Context, Keep
from leadline.control.doctor import examine
from leadline.store.sqlite import retention
from leadline.wire.hit import Report
from leadline.wire.probe import LogProbe
from leadline.wire.target import Target


def test_the_doctor_says_how_the_server_is(own_server, instance, some_hits):
    server = own_server("--keep", "3600", "--keep-size", "5000000").start()
    info = instance("shop", "i")
    noted = type(info)(**{**vars_of(info), "notes": {"trace": "no OpenTelemetry here"}})
    server.connect(noted).next()
    probe = server.place("shop")["id"]
    server.report(Report(noted, some_hits(noted, probe, range(7))))
    gone = instance("shop", "gone")
    server.report(Report(gone, leaving=True))
    server.request("POST", "/v1/off", {"reason": "why"})
    answer = server.request("GET", "/v1/doctor").json
    assert abs(answer["now"] - time.time()) < 20
    assert answer["server"]["pid"] == server.process.pid
    assert answer["server"]["sqlite"] == sqlite3.sqlite_version
    assert 0 < answer["now"] - answer["server"]["started_at"] < 60
    database = answer["database"]
    assert database["path"] == str(server.folder / "hits.db")
    assert (database["max_bytes"], database["keep_s"]) == (5_000_000, 3_600.0)
    files = ("hits.db", "hits.db-wal")
    assert database["bytes"] == sum((server.folder / one).stat().st_size for one in files)
    assert database["disk_free_bytes"] > 0
    assert database["stored"]["hits"]["count"] == 7
    assert abs(database["stored"]["hits"]["oldest_at"] - answer["now"]) < 60
    assert database["stored"]["points"] == {"count": 0, "oldest_at": None, "at_most": 500_000}
    assert [one["info"]["id"] for one in answer["instances"]] == ["i"]
    assert answer["instances"][0]["info"]["notes"] == {"trace": "no OpenTelemetry here"}
    assert [one["reason"] for one in answer["off"]] == ["why"]
    assert answer["exporter"] is None
    assert [one["what"] for one in answer["keys"]] == ["user", "agents"]
    assert answer["findings"] == []
    assert server.keys.user not in str(answer)


def vars_of(struct):
    return {name: getattr(struct, name) for name in struct.__dataclass_fields__}


def test_what_somebody_should_look_at(tmp_path, monkeypatch, instance, some_hits):
    monkeypatch.setattr("leadline.store.sqlite.store.MAX_HITS_STORED", 10)
    monkeypatch.setattr(retention.Retention, "make_room", lambda *_: False)
    with closing(Context(tmp_path / "hits.db", keep=Keep(bytes=1_000_000))) as context:
        assert examine(context).findings == []
        probe = LogProbe("", Target("app.py", 3), "x")
        context.store.place("shop", probe, who="user", now=1.0)
        info = instance("shop", "i")
        hits = some_hits(info, "p1", range(10), message="x" * 100_000)
        assert context.store.take(Report(info, hits), 1.0).stored == 10
        context.count_not_stored("disk-full", 3)
        found = [(one.level, one.subject, one.message) for one in examine(context).findings]
    assert [one[:2] for one in found] == [
        ("warning", "database"), ("note", "database"), ("warning", "losses"),
    ]  # fmt: skip
    assert "MB of 1:" in found[0][2]
    assert "10 hits of at most 10" in found[1][2]
    assert "3 hits" in found[2][2]


def test_a_disk_that_cannot_be_asked_is_not_known(tmp_path, monkeypatch):
    def gone(_path):
        raise OSError(2, os.strerror(2))

    with closing(Context(tmp_path / "hits.db")) as context:
        monkeypatch.setattr("leadline.control.doctor.shutil.disk_usage", gone)
        assert examine(context).database.disk_free_bytes is None
