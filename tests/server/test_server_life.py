"""The life of the server: starting, being refused, being killed, and ending in time."""

import json
import resource
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
import urllib.request
from contextlib import closing

import pytest

from leadline.wire.hit import Report


def test_it_says_where_it_is_and_takes_that_back(own_server, tmp_path):
    server = own_server().start()
    state = tmp_path / "state.json"
    assert json.loads(state.read_text()) == {
        "url": server.url,
        "pid": server.process.pid,
        "keys": str(tmp_path / "keys.json"),
    }
    for name in ("state.json", "keys.json", "hits.db", "hits.db-wal", "hits.db.lock"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name
    assert server.stop() == 0
    assert not state.exists()
    assert server.stderr() == "leadline: stopping\n"
    assert not (tmp_path / "hits.db-wal").exists()  # it was closed, not dropped


def test_the_state_of_another_server_stays(own_server, tmp_path):
    server = own_server().start()
    (tmp_path / "state.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1}')
    server.stop()
    assert (tmp_path / "state.json").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_with_all_streams_open(own_server, instance, some_hits, number):
    server = own_server().start()
    info, probe = instance("open", "o1"), server.place("open", limits={"hits": 10_000})["id"]
    stream, watching = server.connect(info), server.watch().opened()
    stuck = server.watch().opened()  # never read: its socket fills up
    stream.next()
    for batch in range(10):
        numbers = range(batch * 100, batch * 100 + 100)
        hits = some_hits(info, probe, numbers, values={"x": "y" * 15_000})
        assert server.report(Report(info, hits)).status == 204
        for _ in numbers:
            watching.next()
    server.process.send_signal(number)
    assert stream.next() is None
    assert watching.next() is None
    assert server.process.wait(20) == 0
    stuck.close()
    assert "slow-stop" not in server.stderr()
    assert "Traceback" not in server.stderr()


def test_a_sigint_inherited_as_ignored_still_ends_it(own_server):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server = own_server().start(start_new_session=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert server.stop(signal.SIGINT) == 0


def test_killed_and_started_again_it_is_where_it_was(own_server, instance, some_hits):
    server = own_server().start()
    port, info = server.port, instance("killed", "k1")
    kept, ended = server.place("killed"), server.place("killed")
    short = server.place("killed", limits={"ttl_s": 0.5})
    server.request("DELETE", f"/v1/probes/{ended['id']}")
    stream = server.connect(info)
    revision = stream.next()[1]["revision"]
    hits = some_hits(info, kept["id"], range(50))
    assert server.report(Report(info, hits)).status == 204
    server.process.kill()
    assert server.process.wait(20) == -signal.SIGKILL
    server.process.stdout.close()
    server.start()  # on the same port, with the old connections still around
    assert server.port == port
    assert len(server.hits("service=killed")) == 50
    assert server.report(Report(info, hits)).status == 204  # its answer may have been lost
    assert server.probe(kept["id"])["hits"] == 50
    again = server.connect(info)
    event, content = again.next()
    left = [probe["id"] for probe in content["probes"]]
    assert event == "set"
    assert left in ([kept["id"]], [kept["id"], short["id"]])
    assert content["revision"] >= revision
    assert server.place("killed")["id"] == "p4"


def test_what_expired_while_it_was_down_is_expired(own_server, tmp_path, instance):
    server = own_server().start()
    probe = server.place("down")["id"]
    server.stop()
    with closing(sqlite3.connect(tmp_path / "hits.db")) as db, db:
        db.execute("UPDATE probes SET expires_at = 5")
    server.start()
    assert server.probe(probe)["status"] == "expired"
    assert server.connect(instance("down", "d1")).next()[1]["probes"] == []


def test_a_port_that_is_taken(own_server, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        server = own_server()
        server.port = other.getsockname()[1]
        server.start(expect=69)
    assert "[port-in-use]" in server.stderr()
    assert not (tmp_path / "hits.db").exists()  # nothing else was touched


def test_two_servers_on_one_database(own_server, tmp_path):
    first = own_server().start()
    second = own_server("--state", str(tmp_path / "other"))
    second.start(expect=69)
    assert "[database-in-use]" in second.stderr()
    assert first.request("GET", "/health").status == 200
    assert (tmp_path / "state.json").exists()
    first.process.kill()
    first.process.wait(20)
    first.process.stdout.close()
    second.start()  # the lock died with its holder


def make_newer(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA application_id = {0x4C454144}")
        db.execute("PRAGMA user_version = 9999")


def make_foreign(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")


@pytest.mark.parametrize(
    ("make", "slug"),
    [
        (make_newer, "newer-database"),
        (make_foreign, "not-our-database"),
        (lambda path: path.write_bytes(b"not a database at all " * 500), "database-corrupt"),
        (lambda path: path.mkdir(), "database-unwritable"),
    ],
    ids=["newer", "foreign", "corrupt", "folder"],
)
def test_a_database_that_cannot_be_used_is_left_as_it_is(own_server, tmp_path, make, slug):
    path = tmp_path / "hits.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    server = own_server().start(expect=69)
    assert f"[{slug}]" in server.stderr()
    assert "Traceback" not in server.stderr()
    assert (path.read_bytes() if path.is_file() else None) == before


@pytest.mark.parametrize(
    ("option", "slug"),
    [
        ("--database", "database-unwritable"),
        ("--keys", "key-file-unwritable"),
        ("--state", "state-file-unwritable"),
    ],
)
@pytest.mark.parametrize("place", ["absent", "read-only"])
def test_a_folder_that_cannot_be_written(own_server, tmp_path, option, slug, place):
    folder = tmp_path / "no" if place == "absent" else "/sys"
    server = own_server(option, f"{folder}/leadline-test").start(expect=69)
    assert f"[{slug}]" in server.stderr()
    assert "Traceback" not in server.stderr()


def test_a_key_file_that_others_can_read(own_server, tmp_path):
    server = own_server().start()
    server.stop()
    (tmp_path / "keys.json").chmod(0o644)
    assert "[key-file-open]" in server.start(expect=77).stderr()


def test_beyond_this_machine_only_when_it_is_meant(own_server):
    server = own_server("--host", "0.0.0.0")
    assert "[not-loopback]" in server.start(expect=77).stderr()
    open_server = own_server("--host", "0.0.0.0", "--insecure").start()
    assert open_server.url.startswith("http://127.0.0.1:")
    assert open_server.request("GET", "/health").status == 200
    assert open_server.request("GET", "/health", headers={"Host": "0.0.0.0"}).slug == "bad-host"


def test_tls(own_server, tmp_path, needs):
    needs("openssl")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
            *("-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    server = own_server("--host", "0.0.0.0", "--tls-cert", str(cert), "--tls-key", str(key))
    server.start()
    trust = ssl.create_default_context(cafile=cert)
    assert server.url.startswith("https://127.0.0.1:")
    with urllib.request.urlopen(f"{server.url}/health", timeout=20, context=trust) as answer:
        assert json.load(answer)["ok"] is True
    assert server.stop() == 0
    broken = own_server("--tls-cert", str(key), "--tls-key", str(cert)).start(expect=69)
    assert "[bad-tls-file]" in broken.stderr()


@pytest.mark.parametrize(
    "options", [("--port", "x"), ("--port", "70000"), ("--tls-cert", "x"), ("--what",)]
)
def test_options_that_make_no_sense(own_server, options):
    assert "[bad-option]" in own_server(*options).start(expect=64).stderr()


def test_a_host_that_is_none(own_server):
    assert "[cannot-listen]" in own_server("--host", "no.invalid").start(expect=69).stderr()


def test_a_full_disk_costs_hits_and_says_so(own_server, tmp_path, instance, some_hits):
    server = own_server().start()
    info, probe = instance("disk", "f1"), server.place("disk", limits={"hits": 1000})["id"]
    size = (tmp_path / "hits.db-wal").stat().st_size
    pid = server.process.pid
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 20_000, hard))
    report = Report(info, some_hits(info, probe, range(30), values={"x": "y" * 10_000}))
    answer = server.report(report)
    assert answer.status == 503
    assert answer.slug in ("disk-full", "database-unwritable")
    assert server.request("GET", "/health").status == 200
    assert server.hits("service=disk") == []
    losses = server.request("GET", "/v1/services").json["losses"]
    assert losses["not_stored"] == {answer.slug: 30}
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert server.report(report).status == 204
    assert len(server.hits("service=disk")) == 30


def test_a_database_that_somebody_locks(own_server, tmp_path, instance, some_hits):
    server = own_server().start()
    probe = server.place("locked")["id"]
    info = instance("locked", "l1")
    report = Report(info, some_hits(info, probe, range(3)))
    with closing(sqlite3.connect(tmp_path / "hits.db", isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        answer = server.report(report)
        assert (answer.status, answer.slug) == (503, "database-locked")
        assert server.probe(probe)["hits"] == 0  # reading goes on
        db.execute("ROLLBACK")
    assert server.report(report).status == 204
