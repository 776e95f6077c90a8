"""Traps of the interpreter and of the company that an agent keeps: docs/traps.md lists them all.

Real processes with the whole agent in them, at a server that is dead, silent or not there.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadline.agent.core import Monitor
from leadline.wire.errors import UnavailableError

DEAD = "http://127.0.0.1:9"
SECONDS = 100


def probe(file: Path, line: int, template: str = "{n}") -> str:
    """Return what LEADLINE_PROBES is set to for one log."""
    return json.dumps([{
        "id": "p1", "kind": "log", "target": {"file": str(file), "line": line},
        "moment": "line", "template": template, "condition": None,
        "limits": {"hits": 1_000_000, "ttl_s": 600.0, "rate_per_s": 1_000.0},
        "capture": {"depth": 3, "items": 1_000, "text": 4_096}, "owner": "", "note": "",
    }])  # fmt: skip


def run(
    tmp_path: Path, source: str, *words: str, probes: str = "", url: str = DEAD
) -> subprocess.CompletedProcess[str]:
    """Run a program with the agent in it, or without if it has no `probes`."""
    (tmp_path / "app.py").write_text(textwrap.dedent(source), "utf-8")
    environ = {name: one for name, one in os.environ.items() if not name.startswith("LEADLINE")}
    environ |= {"LEADLINE_URL": url, "LEADLINE_PROBES": probes} if probes else {}
    return subprocess.run(
        [sys.executable, *(words or ("app.py",))], cwd=tmp_path, env=environ,
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


@pytest.mark.soak
def test_thousands_of_times_armed_hit_and_removed(soundings, make_module) -> None:
    """T5: nothing grows; what is timed of it is in `benchmarks/`."""
    module = make_module("armed_often", "def work(n):\n    return n\n")
    soundings.core.budget_ns = 10**18
    sizes, counts = [], []
    for number in range(600):
        placed = soundings.log("armed_often.py:2", "{n}")
        for _ in range(5):
            module.work(number)
        assert len(soundings.core.drain(100)) == 5
        soundings.registry.remove([placed])
        if number in (300, 599):
            gc.collect()
            with open("/proc/self/statm", encoding="ascii") as file:
                sizes.append(int(file.read().split()[1]) * 4)
            counts.append(sys.getrefcount(module.work.__code__))
    assert counts[0] == counts[1]
    assert sizes[1] - sizes[0] < 500, sizes
    tool = soundings.monitor.tool
    assert sys.monitoring.get_local_events(tool, module.work.__code__) == 0


@pytest.fixture
def other() -> Iterator[Callable[..., None]]:
    """Another tool, which hears the lines of a function and gives a fixed answer."""
    lines = sys.monitoring.events.LINE
    heard = []

    def listen(function, answer: object) -> None:
        heard.append(function.__code__)
        sys.monitoring.register_callback(1, lines, lambda *_: answer)
        sys.monitoring.set_local_events(1, function.__code__, lines)

    sys.monitoring.use_tool_id(1, "other")
    yield listen
    for code in heard:
        sys.monitoring.set_local_events(1, code, 0)
    sys.monitoring.register_callback(1, lines, None)
    sys.monitoring.free_tool_id(1)


def test_another_tool_restarts_events_and_frees_its_seat(soundings, make_module, other) -> None:
    """T8: our hits go on, and afterwards no event of ours is left."""
    module = make_module("company", "def work(n):\n    return n\n")
    other(module.work, None)
    soundings.log("company.py:2", "{n}")
    for number in range(3):
        assert module.work(number) == number
        sys.monitoring.restart_events()
    assert soundings.messages() == ["0", "1", "2"]
    tool = soundings.monitor.tool
    soundings.close()
    assert sys.monitoring.get_tool(tool) is None
    sys.monitoring.use_tool_id(tool, "looking")
    try:
        assert sys.monitoring.get_local_events(tool, module.work.__code__) == 0
        assert sys.monitoring.get_events(tool) == 0
    finally:
        sys.monitoring.free_tool_id(tool)


def test_the_passage_in_which_another_tool_disables_the_line_is_not_seen(
    soundings, make_module, other
) -> None:
    """A defect of CPython 3.12 and 3.13, stated in docs/traps.md: where the LINE event of
    another tool is answered with DISABLE, as coverage does, the INSTRUCTION event of the same
    place is left out that one time."""
    module = make_module("disabling", "def work(n):\n    return n\n")
    other(module.work, sys.monitoring.DISABLE)
    soundings.log("disabling.py:2", "{n}")
    for number in range(4):
        assert module.work(number) == number
    assert soundings.messages() == ["1", "2", "3"]


def test_all_six_seats_are_taken() -> None:
    """T7: said with who holds them; nobody loses a seat."""
    for tool in range(6):
        sys.monitoring.use_tool_id(tool, f"tool{tool}")
    try:
        with pytest.raises(UnavailableError) as caught:
            Monitor().open()
        assert caught.value.slug == "no-tool-id"
        assert "tool4, tool3, tool5" in str(caught.value)
        assert [sys.monitoring.get_tool(tool) for tool in range(6)] == [
            f"tool{tool}" for tool in range(6)
        ]
    finally:
        for tool in range(6):
            sys.monitoring.free_tool_id(tool)


SEATLESS = """\
import sys
for tool in range(6):
    sys.monitoring.use_tool_id(tool, "other")
import leadline
n = 5
print(leadline.start(url="http://127.0.0.1:9"), n)
sys.exit(3)
"""


def test_a_process_without_a_seat_goes_on(tmp_path) -> None:
    done = run(tmp_path, SEATLESS)
    assert (done.returncode, done.stdout, done.stderr) == (3, "False 5\n", "")


PROFILED = """\
import cProfile, sys, threading
def work(n):
    return n + 1
def all_of_it():
    return sum(work(n) for n in range(100))
def traced(tool):
    seen = []
    if tool == "cProfile":
        profile = cProfile.Profile()
        result = profile.runcall(all_of_it)
        seen = [one for one in profile.getstats() if getattr(one.code, "co_name", "") == "work"]
        return result, seen[0].callcount
    if tool == "settrace":
        def trace(frame, event, _):
            if frame.f_code.co_name == "work" and event == "call":
                seen.append(1)
            return trace
        sys.settrace(trace)
        try:
            result = all_of_it()
        finally:
            sys.settrace(None)
        return result, len(seen)
    if tool == "coverage":
        import coverage
        measured = coverage.Coverage(data_file=None, include=[__file__])
        measured.start()
        result = all_of_it()
        measured.stop()
        lines = measured.get_data().lines(__file__)
        return result, 100 if 3 in lines and 5 in lines else 0
    import debugpy
    if not seated:
        seated.append(1)
        debugpy.configure(subProcess=False)
        debugpy.listen(("127.0.0.1", 0))
    return all_of_it(), 100
seated = []
before = sys.argv[2] == "before"
if before:
    print(*traced(sys.argv[1]))
import leadline.agent.boot as boot
import leadline
assert leadline.start(url="http://127.0.0.1:9")
guest = boot._guest
guest.rouse().core.budget_ns = 10**18
from leadline.wire.limits import Limits
from leadline.wire.probe import LogProbe
from leadline.wire.target import Target
guest.rouse().registry.add([LogProbe("p1", Target(__file__, 3), "{n}", limits=Limits(rate_per_s=1000, hits=1000))])
assert guest.rouse().registry.state("p1").status == "armed", guest.rouse().registry.state("p1")
print(*traced(sys.argv[1]))
hits = sum(guest.rouse().registry.state("p1").fates.values())
print("hits", hits, guest.rouse().registry.state("p1").fates.get("dropped", 0))
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("tool", ["cProfile", "settrace", "coverage", "debugpy"])
def test_beside_other_tools_that_look(tmp_path, tool: str, when: str, monkeypatch) -> None:
    """T7: started before and after us, both see what they saw alone."""
    monkeypatch.setenv("COVERAGE_CORE", "sysmon")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    done = run(tmp_path, PROFILED, "-Xfrozen_modules=off", "app.py", tool, when)
    assert done.returncode == 0, done.stderr
    *seen, last = done.stdout.splitlines()
    counted = (
        {"5050 100", "5050 101"} if (tool, when) == ("cProfile", "after") else {"5050 100"}
    )
    assert set(seen) <= counted  # one call too many: see docs/traps.md
    hits = 100 if tool != "coverage" else 99  # see the test of DISABLE below
    assert last == f"hits {hits} 0"


ENDS = {
    "falls off": "work(1)",
    "sys.exit": "work(1)\nsys.exit(3)",
    "raises": "work(1)\nraise ValueError('lost')",
    "os._exit": "print(work(1), flush=True)\nos._exit(5)",
    "killed by itself": "work(1)\nos.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()",
    "at exit": "atexit.register(work, 2)",
    "finalizer": "class Late:\n    def __del__(self):\n        work(3)\nlate = Late()\nlate.self = late",
    "daemon thread": "threading.Thread(target=forever, daemon=True).start()\nwork(1)",
    "thread that outlives": "threading.Thread(target=shortly).start()",
    "generator left": "kept = left()\nnext(kept)",
    "exit in a thread": "thread = threading.Thread(target=sys.exit)\nthread.start()\nthread.join()",
}
ENDING = """\
import atexit, os, signal, sys, threading, time
def work(n):
    return n + 1
def forever():
    while True:
        work(7)
def shortly():
    for n in range(200):
        work(n)
    print("last", flush=True)
def left():
    try:
        yield work(1)
    finally:
        work(2)
"""


@pytest.mark.parametrize("how", ENDS)
def test_a_process_ends_as_it_would_without_us(tmp_path, how: str) -> None:
    """T24: with a probe armed, status and output are the same."""
    source = ENDING + ENDS[how] + "\n"
    without = run(tmp_path, source)
    with_probe = run(tmp_path, source, probes=probe(tmp_path / "app.py", 3))
    assert with_probe.returncode == without.returncode
    assert with_probe.stdout == without.stdout
    assert with_probe.stderr == without.stderr


FORKING = """\
import os, sys, threading
def work(n):
    return n + 1
over = threading.Event()
def hit():
    n = 0
    while not over.is_set():
        n = work(n)
threads = [threading.Thread(target=hit) for _ in range(2)]
for thread in threads:
    thread.start()
ended = 0
for number in range(40):
    child = os.fork()
    if child == 0:
        os._exit(0 if work(number) == number + 1 else 1)
    ended += os.waitpid(child, 0)[1] == 0
over.set()
for thread in threads:
    thread.join()
print(ended)
"""


def test_forks_in_the_middle_of_hits(tmp_path) -> None:
    """T21: no child hangs on a lock that was held, and none is wrong."""
    done = run(
        tmp_path, FORKING, "-W", "ignore::DeprecationWarning", "app.py",
        probes=probe(tmp_path / "app.py", 3),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "40\n", "")


FULL = """\
import threading
from leadline.agent import boot
big = ["x" * 300] * 200
def work(n, big):
    return n + 1
def hit():
    for n in range(5_000):
        assert work(n, big) == n + 1
boot._guest.rouse().core.budget_ns = 10**18
threads = [threading.Thread(target=hit) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
state = boot._guest.rouse().registry.state("p1")
dropped = boot._guest.rouse().core.dropped()
print(sorted(dropped), state.fates["dropped"] == dropped["buffer full"], state.fates["captured"] > 0)
"""


@pytest.mark.parametrize("server", ["silent", "dead", "slow"])
def test_a_full_buffer_and_a_slow_server_hold_up_nobody(tmp_path, server: str) -> None:
    """What hangs a peer's application for good: every hit finds the buffer full, and who should
    empty it waits for a server that never answers. Hits are dropped and counted."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    port = listener.getsockname()[1]
    taken: list[socket.socket] = []

    def accept() -> None:
        listener.settimeout(0.1)
        while not over.is_set():
            try:
                taken.append(listener.accept()[0])
            except TimeoutError:
                continue
            if server == "slow":
                taken[-1].send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")

    if server == "dead":
        listener.close()
    else:
        waiter = threading.Thread(target=accept)
        waiter.start()
    try:
        done = run(
            tmp_path, FULL, url=f"http://127.0.0.1:{port}",
            probes=probe(tmp_path / "app.py", 5, "{n} {big}"),
        )  # fmt: skip
    finally:
        over.set()
        if server != "dead":
            waiter.join()
            listener.close()
        for one in taken:
            one.close()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['buffer full'] True True\n"
    assert done.stderr == ""


def test_killed_in_the_middle_of_hits(tmp_path) -> None:
    """T20 for one moment; a hundred random ones are in `make soak`."""
    source = ENDING + "print('on', flush=True)\nforever()\n"
    (tmp_path / "app.py").write_text(source, "utf-8")
    environ = os.environ | {
        "LEADLINE_URL": DEAD,
        "LEADLINE_PROBES": probe(tmp_path / "app.py", 3),
    }
    with subprocess.Popen(
        [sys.executable, "app.py"], cwd=tmp_path, env=environ, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"on\n"
        process.kill()
        assert process.wait(SECONDS) == -signal.SIGKILL
