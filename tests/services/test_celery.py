"""Celery's workers: prefork under load with processes that are replaced, and solo."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinds import MANY, rows
from live import Leadline, Program, tool
from soundings import Soundings
from waiting import wait_for
from watched import ARRIVES_S, Spot, Watched, library, line_in, line_of, with_agent

pytestmark = pytest.mark.soak

TASKS = """\
import json, os, sys
from celery import Celery, group

app = Celery("tasks", broker="filesystem://", backend="file://results")
app.conf.update(
    broker_transport_options={
        "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control",
        "polling_interval": 0.05},
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    result_expires=None,
)


@app.task
def add(a, b):
    total = a + b
    return total


@app.task
def divide(a, b):
    share = a / b
    return share


if __name__ == "__main__":
    # the transport's reader may meet a file half-written, so each is moved in when complete
    app.conf.broker_transport_options["data_folder_out"] = "outbox"
    jobs = [add.s(n, 1) for n in range(int(sys.argv[1]))] + [divide.s(n, n) for n in range(3)]
    sent = [job.delay() for job in jobs]
    for name in os.listdir("outbox"):
        os.rename(f"outbox/{name}", f"queue/{name}")
    answers = [one.get(timeout=60, interval=0.05, propagate=False) for one in sent]
    print(json.dumps([repr(one) for one in answers]))
"""
TRACE = library("celery/app/trace.py")
JOBS = 20
SPOTS = (
    Spot(
        name="own",
        file=Path("tasks.py"),
        line=line_in(TASKS, "return total"),
        module="tasks",
        function="add",
        template="{a}+{b}={total}",
        message=r"^\d+\+1=\d+$",
        value="total",
        passes=JOBS,
        values=tuple(range(1, JOBS + 1)),
        raiser="tasks:divide",
        raises="ZeroDivisionError",
    ),
    Spot(
        name="library",
        file=TRACE,
        line=line_of(TRACE, "task_request = Context(", "def trace_task(uuid"),
        module="celery.app.trace",
        function="build_tracer.<locals>.trace_task",
        template="{uuid} {args}",
        message=r"^[0-9a-f-]{36} \[",
        value="1",
        passes=JOBS + 3,
    ),
)


def send(folder: Path) -> list[str]:
    """Send a round of jobs; returns what each of them answered."""
    done = subprocess.run(
        [tool("python"), "tasks.py", str(JOBS)],
        cwd=folder, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def make_folder(shore: Leadline, name: str) -> Path:
    folder = shore.cwd / name
    for queue in ("queue", "outbox", "control", "results"):
        (folder / queue).mkdir(parents=True)
    (folder / "tasks.py").write_text(TASKS, "utf-8")
    return folder


EXPECTED = [
    *(str(n + 1) for n in range(JOBS)), "ZeroDivisionError('division by zero')", "1.0", "1.0"
]  # fmt: skip
POOLS = {
    "prefork": (3, ("-P", "prefork", "-c", "2")),
    "solo": (1, ("-P", "solo")),
}
"""How many processes load the tasks, and the options that ask for them."""


@pytest.fixture(
    scope="module", params=["prefork", pytest.param("solo", marks=pytest.mark.soak)]
)
def soundings(request: pytest.FixtureRequest, shore: Leadline) -> Iterator[Soundings]:
    pool = request.param
    folder = make_folder(shore, pool)
    processes, options = POOLS[pool]
    command = [tool("celery"), "-A", "tasks", "worker", "-l", "INFO", *options]
    with Program(command, folder) as plain:
        plain.wait_for("ready.")
        assert send(folder) == EXPECTED
        plain.stop(signal.SIGKILL)  # its own way out takes seconds
    with Program(with_agent(pool, command), folder) as program:
        program.wait_for("ready.")
        watched = Watched(shore, pool, program)
        watched.connected(processes)
        yield Soundings(watched, SPOTS, lambda: send(folder), EXPECTED, processes)
        if pool == "solo":
            program.stop(signal.SIGKILL)
        else:
            assert program.stop() == 0


@pytest.mark.parametrize(("kind", "spot"), rows(SPOTS), ids=str)
def test_each_kind(soundings, kind, spot) -> None:
    soundings.check(kind, spot)


def test_the_answers_are_the_same(soundings) -> None:
    soundings.check_answers()


@pytest.mark.soak
def test_the_server_is_killed_and_comes_back(soundings) -> None:
    soundings.check_without_server()


@pytest.mark.soak
def test_what_replaced_children_saw_last_arrives(shore) -> None:
    """A child ends by `os._exit` or is killed by its parent, once it has done so many tasks."""
    folder = make_folder(shore, "replaced")
    command = [
        tool("celery"), "-A", "tasks", "worker", "-l", "INFO", "-c", "2",
        "--max-tasks-per-child", "15",
    ]  # fmt: skip
    with Program(with_agent("replaced", command), folder) as program:
        program.wait_for("ready.")
        watched = Watched(shore, "replaced", program)
        first = {one["info"]["id"] for one in watched.connected(3)}
        assert send(folder) == EXPECTED
        line = f"tasks.py:{SPOTS[0].line}"
        log = watched.place({"kind": "log", "target": line, "template": "{a}", "limits": MANY})
        counter = watched.place({"kind": "counter", "target": "tasks:add"})
        watched.wait_armed([log, counter], 3)
        assert send(folder) == EXPECTED
        assert send(folder) == EXPECTED
        found = watched.wait_hits(log, 2 * JOBS)
        assert sorted(hit["message"] for hit in found) == sorted(
            2 * [str(n) for n in range(JOBS)]
        )
        assert not {hit["instance"] for hit in found} <= first
        wait_for(lambda: watched.api.probe(counter)["total"]["count"] == 2 * JOBS, ARRIVES_S)
        watched.unharmed()
        assert program.stop() == 0
