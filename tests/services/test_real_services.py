"""Services that nobody here wrote (datasette, Flask under gunicorn) and a plain worker.

For each: probes placed while it runs, hits within the deadline, and the same answers with and
without the agent.
"""

import json
import re
import signal
import sqlite3
import subprocess
import textwrap
import time
from pathlib import Path

import datasette.database
import pytest

from live import LEADLINE, Leadline, Program, free_port, get, tool
from waiting import wait_for

SHOWN_S = 5.0
"""A hit is shown within half a second on a quiet machine; a test only needs it to arrive."""


def line_of(path: str, text: str) -> int:
    """Return the number of the first line that holds `text`."""
    lines = Path(path).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


EXECUTE = line_of(datasette.database.__file__, "cursor.execute(sql, params")
TARGET = f"datasette/database.py:{EXECUTE}"


@pytest.fixture
def database(tmp_path) -> Path:
    path = tmp_path / "d.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(n, f"b{n}") for n in range(50)])
    connection.close()
    return path


def serve_datasette(leadline: Leadline, database: Path, port: int, *, agent: bool) -> Program:
    run = [LEADLINE, "run", "--service", "ds", "--"] if agent else []
    command = [*run, tool("datasette"), "serve", str(database), "--port", str(port)]
    return Program(command, leadline.cwd).serving(port)


PATHS = (
    "/",
    "/d",
    "/d/t",
    "/d/t.json?_shape=array",
    "/d/t?_sort_desc=b&_size=5",
    "/d.json?sql=select+count(*)+from+t",
    "/d/t/7.json",
    "/d/nothing",
    "/d.json?sql=select+nonsense",
    "/-/versions.json",
)
_VARYING = re.compile(rb'"query_ms": [0-9.]+|Queries took [0-9.]+ms|"[0-9.]+ms"')


def everything(port: int) -> list[tuple[int, str | None, bytes]]:
    """Return what the service answers, less what differs from one request to the next."""
    answers = [get(port, path) for path in PATHS]
    return [
        (status, headers.get("content-type"), _VARYING.sub(b"", body))
        for status, headers, body in answers
    ]


def test_datasette_log_and_answers(leadline, database) -> None:
    port = free_port()
    with serve_datasette(leadline, database, port, agent=False):
        expected = everything(port)
    with serve_datasette(leadline, database, port, agent=True) as service:
        wait_for(lambda: leadline.connected("ds"))
        assert everything(port) == expected
        probe = leadline.log(
            "ds", TARGET, "sql={sql}", "--if", "len(sql) > 20", "--hits", "100", "--ttl", "15m"
        )
        assert probe["status"] == "armed", probe
        (state,) = probe["instances"]
        assert "cursor.execute" in state["source"]
        assert everything(port) == expected
        hits = leadline.wait_hits(probe["id"])
        assert all(hit["message"].startswith("sql=") for hit in hits)
        assert any("select" in hit["values"]["sql"] for hit in hits)
        leadline.cli("rm", probe["id"])
        counted = len(leadline.hits(probe["id"]))
        assert everything(port) == expected
        assert len(leadline.hits(probe["id"])) == counted
        (instance,) = leadline.connected("ds")
        assert (instance["faults"], instance["dropped"]) == ({}, {})
        assert service.stop(signal.SIGINT) == 0


def test_a_tail_shows_hits_as_they_happen(leadline, database) -> None:
    port = free_port()
    with serve_datasette(leadline, database, port, agent=True):
        wait_for(lambda: leadline.connected("ds"))
        leadline.log("ds", TARGET, "sql={sql}", "--if", "len(sql) > 20")
        with Program([LEADLINE, "tail", "ds", "--hits", "3"], leadline.cwd) as tail:
            tail.wait_for("watching")
            get(port, "/d/t")
            assert tail.end(SHOWN_S) == 0
            assert len(tail.out.splitlines()) == 3
            assert re.search(r"ds/\d+  datasette/database.py:\d+  sql=select", tail.out)
        with Program([LEADLINE, "tail", "--for", "1s", "--json"], leadline.cwd) as tail:
            tail.wait_for("watching")
            get(port, "/d/t")
            assert tail.end() == 0
            assert json.loads(tail.out.splitlines()[0])["schema_version"] == 1


def test_the_probe_is_there_before_the_service(leadline, database) -> None:
    """Placed for a service that nobody knows yet; on a module that is imported later."""
    probe = leadline.log("ds", TARGET, "sql={sql}", "--wait", "100ms")
    assert probe["status"] == "pending"
    assert "no instance of 'ds' is connected" in probe["reason"]
    port = free_port()
    with serve_datasette(leadline, database, port, agent=True):
        get(port, "/d/t")
        leadline.wait_hits(probe["id"])
        assert leadline.probe(probe["id"])["status"] == "armed"


def test_a_server_that_is_killed_comes_back(leadline, database) -> None:
    port = free_port()
    with serve_datasette(leadline, database, port, agent=True):
        wait_for(lambda: leadline.connected("ds"))
        probe = leadline.log("ds", TARGET, "sql={sql}", "--hits", "10000")
        get(port, "/d/t")
        before = len(leadline.wait_hits(probe["id"]))
        leadline.kill()
        assert "no-server" in leadline.cli("status", status=None)
        assert get(port, "/d/t")[0] == 200  # nobody waits for a dead server
        leadline.up()
        wait_for(lambda: leadline.connected("ds"))
        leadline.wait_hits(probe["id"], before + 1)  # kept while the server was away
        late = leadline.log("ds", TARGET, "late {sql}")
        assert late["status"] == "armed"
        get(port, "/d/t")
        leadline.wait_hits(late["id"])
        sequence = [hit["seq"] for hit in leadline.hits(probe["id"])]
        assert len(set(sequence)) == len(sequence)


FLASK = """\
import os
from flask import Flask, abort, jsonify, request
app = Flask(__name__)

@app.route("/")
def index():
    return "ready"

@app.route("/sum/<int:a>/<int:b>")
def add(a, b):
    total = a + b
    return jsonify(total=total)

@app.route("/login", methods=["POST", "GET"])
def login():
    password = request.args.get("password", "")
    if not password:
        abort(401)
    return jsonify(ok=True)

@app.route("/pid")
def pid():
    return str(os.getpid())

@app.route("/fail")
def fail():
    return 1 / 0
"""


def serve_flask(leadline: Leadline, port: int, *, agent: bool) -> Program:
    (leadline.cwd / "site.py").unlink(missing_ok=True)
    (leadline.cwd / "shopfront.py").write_text(FLASK, "utf-8")
    run = [LEADLINE, "run", "--service", "front", "--"] if agent else []
    command = [*run, tool("gunicorn"), "-w", "2", "-b", f"127.0.0.1:{port}", "shopfront:app"]
    return Program(command, leadline.cwd).serving(port)


FLASK_PATHS = ("/", "/sum/1/2", "/sum/x/2", "/login", "/login?password=hunter2", "/fail")


def flask_answers(port: int) -> list[tuple[int, bytes]]:
    return [(status, body) for status, _, body in (get(port, path) for path in FLASK_PATHS)]


def worker_pids(leadline: Leadline) -> set[int]:
    """The connected processes less the master, which is the oldest."""
    pids = [one["info"]["pid"] for one in leadline.connected("front")]
    return set(pids) - {min(pids)} if pids else set()


def test_flask_under_gunicorn_with_two_workers(leadline) -> None:
    port = free_port()
    with serve_flask(leadline, port, agent=False):
        expected = flask_answers(port)
    with serve_flask(leadline, port, agent=True) as service:
        wait_for(lambda: len(worker_pids(leadline)) == 2)
        probe = leadline.log("front", "shopfront.py:12", "{a}+{b}={total}", "--hits", "1000")
        armed = {one["pid"] for one in probe["instances"] if one["status"] == "armed"}
        assert armed >= worker_pids(leadline), probe
        secret = leadline.log("front", "shopfront.py:17", "password={password}")
        assert flask_answers(port) == expected
        for number in range(20):
            get(port, f"/sum/{number}/1")
        hits = leadline.wait_hits(probe["id"], 21)
        assert {hit["message"] for hit in hits} >= {f"{n}+1={n + 1}" for n in range(20)}
        (hit, *_) = leadline.wait_hits(secret["id"])
        assert "hunter2" not in json.dumps(leadline.json("hits"))
        assert hit["message"] == "password=<redacted name:password>"

        workers = worker_pids(leadline)
        service.process.send_signal(signal.SIGTTIN)  # one worker more, started later
        wait_for(lambda: len(worker_pids(leadline)) == 3)
        (later,) = worker_pids(leadline) - workers

        def later_is_armed() -> bool:
            states = leadline.probe(probe["id"])["instances"]
            return any(one["pid"] == later and one["status"] == "armed" for one in states)

        wait_for(later_is_armed)
        wait_for(lambda: {get(port, "/pid")[2] for _ in range(20)} >= {str(later).encode()})
        assert flask_answers(port) == expected
        assert all(not one["faults"] for one in leadline.connected("front"))
        assert service.stop() == 0
    wait_for(lambda: not leadline.connected("front"))


WORKER = """\
import queue, sys, threading, time
jobs = queue.Queue()
def handle(job):
    result = job * 2
    return result
def work():
    while True:
        job = jobs.get()
        if job is None:
            return
        answer = handle(job)
        print(answer, flush=True)
threading.Thread(target=work, name="worker-1").start()
print("started", flush=True)
number = 0
while number < int(sys.argv[1]):
    number += 1
    jobs.put(number)
    time.sleep(0.01)
jobs.put(None)
"""


def test_a_plain_threaded_worker_whose_loops_are_running(leadline) -> None:
    """The `while True` of a thread, and the loop of the main script itself."""
    (leadline.cwd / "worker.py").write_text(textwrap.dedent(WORKER), "utf-8")
    command = [tool("python"), "worker.py", "600"]
    with Program(command, leadline.cwd) as plain:
        assert plain.end() == 0
        expected = plain.out
    run = [LEADLINE, "run", "--service", "jobs", "--", *command]
    with Program(run, leadline.cwd) as worker:
        worker.wait_for("started")
        wait_for(lambda: leadline.connected("jobs"))
        in_thread = leadline.log("jobs", "worker.py:11", "job={job}", "--hits", "5")
        in_main = leadline.log("jobs", "worker.py:17", "number={number}", "--hits", "5")
        assert (in_thread["status"], in_main["status"]) == ("armed", "armed")
        hits = leadline.wait_hits(in_thread["id"], 5)
        assert {hit["thread"] for hit in hits} == {"worker-1"}
        assert {hit["thread"] for hit in leadline.wait_hits(in_main["id"], 5)} == {"MainThread"}
        wait_for(lambda: leadline.probe(in_main["id"])["status"] == "expired")
        assert worker.end() == 0
        assert worker.out == expected
        assert len(leadline.hits(in_main["id"])) == 5


def test_everything_over_tls(home, tmp_path, monkeypatch, needs) -> None:
    """The agent and the commands check the certificate; without it they stay away."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [needs("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    leadline = Leadline(home, tmp_path)
    leadline.up("--tls-cert", str(cert), "--tls-key", str(key))
    try:
        monkeypatch.setenv("LEADLINE_URL", f"https://localhost:{leadline.port}")
        assert "CERTIFICATE_VERIFY_FAILED" in leadline.cli("status", status=None)
        (tmp_path / "worker.py").write_text(WORKER, "utf-8")
        run = [LEADLINE, "run", "--service", "jobs", "--", tool("python"), "worker.py", "1500"]
        with Program(run, tmp_path) as stranger:
            stranger.wait_for("started")
            monkeypatch.setenv("SSL_CERT_FILE", str(cert))
            with Program(run, tmp_path) as worker:
                worker.wait_for("started")
                (instance,) = wait_for(lambda: leadline.connected("jobs"))
                assert instance["info"]["pid"] == worker.process.pid
                probe = leadline.log("jobs", "worker.py:4", "job={job}", "--hits", "3")
                leadline.wait_hits(probe["id"], 3)
    finally:
        leadline.close()


def test_hits_are_shown_and_probes_armed_soon(leadline) -> None:
    """Not a measurement: only that nothing takes seconds that should take a moment."""
    (leadline.cwd / "worker.py").write_text(textwrap.dedent(WORKER), "utf-8")
    run = [LEADLINE, "run", "--service", "jobs", "--", tool("python"), "worker.py", "1500"]
    with Program(run, leadline.cwd) as worker:
        worker.wait_for("started")
        wait_for(lambda: leadline.connected("jobs"))
        with Program([LEADLINE, "tail", "jobs", "--json"], leadline.cwd) as tail:
            tail.wait_for("watching")
            leadline.log("jobs", "worker.py:4", "job={job}", "--hits", "1")
            tail.wait_for('"hit"')
            shown = time.time()
            hit = json.loads(tail.out.splitlines()[0])["hit"]
            assert shown - hit["time"] < SHOWN_S
