"""Processes made by multiprocessing and by `os.fork`: each child is watched from its beginning.

A forked child carries its parent's probes; a spawned one asks the server for them, so it is
watched from its first tenths of a second on.
"""

from pathlib import Path

import pytest

from live import Leadline, Program, tool
from waiting import wait_for
from watched import Watched, line_in, with_agent

JOBS = """\
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor

def work(number):
    square = number * number
    return square

def child():
    for number in range(10):
        work(number)

def patient():
    for number in range(200):
        work(number)
        time.sleep(0.01)

def fork_by_hand():
    for _ in range(3):
        if os.fork() == 0:
            child()
            time.sleep(1.5)  # what is not told by then is lost with `_exit`
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.wait()[1]))

def processes(context, target):
    started = [context.Process(target=target) for _ in range(3)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    print([one.exitcode for one in started])

def pool(context):
    with context.Pool(2) as workers:
        print(sum(workers.map(work, range(30), chunksize=1)))
        workers.close()
        workers.join()

def executor(context):
    with ProcessPoolExecutor(2, mp_context=context) as workers:
        print(sum(workers.map(work, range(30))))

if __name__ == "__main__":
    how, _, method = sys.argv[1].partition(" ")
    while not os.path.exists(sys.argv[2]):
        time.sleep(0.01)
    context = multiprocessing.get_context(method or "fork")
    match how:
        case "os.fork": fork_by_hand()
        case "process": processes(context, child)
        case "patient": processes(context, patient)
        case "pool": pool(context)
        case "executor": executor(context)
"""
LINE = line_in(JOBS, "return square")
MANY = {"hits": 100_000, "rate_per_s": 1_000.0}


@pytest.fixture(scope="module")
def folder(shore: Leadline) -> Path:
    (shore.cwd / "jobs.py").write_text(JOBS, "utf-8")
    return shore.cwd


def place_all(watched: Watched) -> dict[str, str]:
    """Place the kinds that count; returns their ids."""
    line = f"jobs.py:{LINE}"
    bodies = {
        "log": {"target": line, "template": "{square}", "limits": MANY},
        "counter": {"target": line},
        "metric": {"target": line, "expression": "square"},
        "timer": {"target": "jobs:work"},
    }
    return {kind: watched.place({"kind": kind, **body}) for kind, body in bodies.items()}


def play(shore: Leadline, how: str) -> tuple[Watched, dict[str, str]]:
    """Run the jobs alone, then watched; returns the probes once every process has ended."""
    service, go = how.replace(" ", "-"), shore.cwd / how
    command = [tool("python"), "jobs.py", how, str(go)]
    with Program(with_agent(service, command), shore.cwd) as program:
        watched = Watched(shore, service, program)
        watched.connected(1)
        probes = place_all(watched)
        watched.wait_armed(probes.values(), 1)
        go.touch()
        with Program(command, shore.cwd) as plain:
            assert plain.end() == 0
            expected = plain.out, plain.err
        assert program.end() == 0
        assert (program.out, program.err) == expected
    return watched, probes


@pytest.mark.parametrize("how", ["os.fork", "process fork", "pool fork", "executor fork"])
def test_every_passage_in_forked_children_counts(shore, folder, how) -> None:
    watched, probes = play(shore, how)
    for kind, probe in probes.items():
        found = watched.wait_captured(probe, 30)
        assert found["fates"] == {"captured": 30}, kind
    assert len(watched.wait_hits(probes["log"], 30)) == 30
    for kind in ("counter", "metric", "timer"):
        wait_for(lambda kind=kind: watched.api.probe(probes[kind])["total"]["count"] == 30)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_children_that_begin_anew_ask_for_their_probes(shore, folder, method) -> None:
    watched, probes = play(shore, f"patient {method}")
    instances = {hit["instance"] for hit in watched.wait_hits(probes["log"])}
    assert len(instances) == 3
    for probe in probes.values():
        assert 0 < watched.wait_captured(probe, 1)["fates"]["captured"] <= 600
