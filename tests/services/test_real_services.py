"""What a person does with a real service, by the commands: place, watch, and wait for it.

Probes of all kinds on each service are in the modules that are named after the services.
"""

import json
import re
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


def serve_datasette(leadline: Leadline, database: Path, port: int) -> Program:
    run = [LEADLINE, "run", "--service", "ds", "--"]
    command = [*run, tool("datasette"), "serve", str(database), "--port", str(port)]
    return Program(command, leadline.cwd).serving(port)


def test_a_tail_shows_hits_as_they_happen(leadline, database) -> None:
    port = free_port()
    with serve_datasette(leadline, database, port):
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
    with serve_datasette(leadline, database, port):
        get(port, "/d/t")
        leadline.wait_hits(probe["id"])
        assert leadline.probe(probe["id"])["status"] == "armed"


WORKER = """\
import os, queue, sys, threading, time
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
while number < int(sys.argv[1]) and not os.path.exists("enough"):
    number += 1
    jobs.put(number)
    time.sleep(0.01)
jobs.put(None)
"""


def test_a_plain_threaded_worker_whose_loops_are_running(leadline) -> None:
    """The `while True` of a thread, and the loop of the main script itself."""
    (leadline.cwd / "worker.py").write_text(textwrap.dedent(WORKER), "utf-8")
    command, enough = [tool("python"), "worker.py", "10000"], leadline.cwd / "enough"
    run = [LEADLINE, "run", "--service", "jobs", "--", *command]
    with Program(run, leadline.cwd) as worker:
        worker.wait_for("started")
        wait_for(lambda: leadline.connected("jobs"))
        in_thread = leadline.log("jobs", "worker.py:11", "job={job}", "--hits", "5")
        in_main = leadline.log("jobs", "worker.py:17", "number={number}", "--hits", "5")
        for placed in (in_thread, in_main):  # with five hits in 50 ms it may be over by then
            assert placed["status"] in {"armed", "expired"}
        hits = leadline.wait_hits(in_thread["id"], 5)
        assert {hit["thread"] for hit in hits} == {"worker-1"}
        assert {hit["thread"] for hit in leadline.wait_hits(in_main["id"], 5)} == {"MainThread"}
        wait_for(lambda: leadline.probe(in_main["id"])["status"] == "expired")
        enough.touch()
        assert worker.end() == 0
        answers = worker.out.splitlines()[1:]
        assert len(answers) > 10
        assert answers == [str(2 * number) for number in range(1, len(answers) + 1)]
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
