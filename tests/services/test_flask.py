"""Flask under gunicorn: forked workers, and one more that is started later."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinds import rows
from live import GUNICORN, Leadline, Program, free_port, get, tool
from soundings import Soundings
from waiting import wait_for
from watched import ARRIVES_S, Spot, Watched, library, line_in, line_of, with_agent

SITE = """\
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
FLASK = library("flask/app.py")
PATHS = (
    "/", "/sum/1/2", "/sum/20/3", "/sum/x/2", "/login", "/login?password=hunter2", "/fail"
)  # fmt: skip
SPOTS = (
    Spot(
        name="own",
        file=Path("shopfront.py"),
        line=line_in(SITE, "return jsonify(total=total)"),
        module="shopfront",
        function="add",
        template="{a}+{b}={total}",
        message=r"^(1\+2=3|20\+3=23)$",
        value="total",
        values=(3, 23),
        passes=2,
        raiser="shopfront:fail",
        raises="ZeroDivisionError",
    ),
    Spot(
        name="library",
        file=FLASK,
        line=line_of(FLASK, "return self.finalize_request(rv)", "def full_dispatch_request"),
        module="flask.app",
        function="Flask.full_dispatch_request",
        template="rv={rv}",
        message="^rv=",
        value="len(self.import_name)",
        passes=len(PATHS) - 1,
        calls=len(PATHS),
        raiser="flask.app:Flask.dispatch_request",
        raises="NotFound",
    ),
)


def answers(port: int) -> list[tuple[object, ...]]:
    """Return status, headers and body of each path."""
    found = []
    for path in PATHS:
        status, headers, body = get(port, path)
        headers.pop("Date")
        found.append((path, status, headers, body))
    return found


@pytest.fixture(scope="module")
def soundings(shore: Leadline) -> Iterator[Soundings]:
    (shore.cwd / "shopfront.py").write_text(SITE, "utf-8")
    port = free_port()
    command = [
        tool("gunicorn"), "-w", "2", *GUNICORN, "-b", f"127.0.0.1:{port}",
        "shopfront:app",
    ]  # fmt: skip
    with Program(command, shore.cwd).serving(port) as plain:
        expected = answers(port)
        assert plain.stop() == 0, plain.last
    with Program(with_agent("front", command), shore.cwd).serving(port) as program:
        watched = Watched(shore, "front", program, port)
        watched.connected(3)
        yield Soundings(watched, SPOTS, lambda: answers(port), expected, processes=2)
        assert program.stop() == 0, program.last
        wait_for(lambda: watched.api.instances("front") == [], ARRIVES_S, "all have left")


@pytest.mark.parametrize(("kind", "spot"), rows(SPOTS), ids=str)
def test_each_kind(soundings, kind, spot) -> None:
    soundings.check(kind, spot)


def test_the_answers_are_the_same(soundings) -> None:
    soundings.check_answers()


def test_the_server_is_killed_and_comes_back(soundings) -> None:
    soundings.check_without_server()


def test_a_secret_is_not_told(soundings) -> None:
    watched = soundings.watched
    line = line_in(SITE, "if not password")
    probe = watched.place(
        {"kind": "log", "target": f"shopfront.py:{line}", "template": "password={password}"}
    )
    watched.wait_armed([probe], 2)
    get(watched.port, "/login?password=hunter2")
    (hit,) = watched.wait_hits(probe)
    assert hit["message"] == "password=<redacted name:password>"
    assert "hunter2" not in str(hit)
    watched.remove(probe)


@pytest.mark.soak
def test_workers_that_are_started_later(soundings) -> None:
    """One more by a signal, then two anew: each carries the probe from its beginning, and what
    the old ones have seen arrives."""
    watched = soundings.watched
    probe = watched.place({"kind": "counter", "target": "shopfront:pid"})
    watched.wait_armed([probe], 2)
    before = workers(watched)
    watched.program.process.send_signal(signal.SIGTTIN)
    watched.connected(4)
    (later,) = workers(watched) - before
    wait_for(lambda: later in watched.armed(probe), ARRIVES_S)
    asked = until_answered(watched, {later})
    watched.program.process.send_signal(signal.SIGHUP)
    old = before | {later}
    wait_for(lambda: len(workers(watched)) == 2 and not workers(watched) & old, ARRIVES_S)
    new = workers(watched)
    wait_for(lambda: new <= watched.armed(probe), ARRIVES_S, "armed anew")
    passed = asked + until_answered(watched, new)
    wait_for(lambda: watched.api.probe(probe)["total"]["count"] == passed, ARRIVES_S)
    watched.unharmed()
    watched.remove(probe)


def workers(watched: Watched) -> set[int]:
    """All connected processes but the one that makes them."""
    pids = {one["info"]["pid"] for one in watched.api.instances("front")}
    return pids - {watched.program.process.pid}


def until_answered(watched: Watched, pids: set[int]) -> int:
    """Ask until each of these has answered; returns how often that was."""
    asked, seen = 0, set[int]()

    def all_seen() -> bool:
        nonlocal asked
        seen.add(int(get(watched.port, "/pid")[2]))
        asked += 1
        return pids <= seen

    wait_for(all_seen, ARRIVES_S, f"answers of {pids}")
    return asked
