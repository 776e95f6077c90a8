"""T3: nothing of ours reaches the application, and nothing of the application's is kept."""

import ctypes
import importlib
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from leadline.agent.guard import faults, guarded
from leadline.wire.probe import Fate
from waiting import wait_for

WORK = "def work(x):\n    y = x + 1\n    return y\n"
OURS: dict = {"__name__": "leadline.fault"}
exec(  # frames of ours, as far as the guard can see
    "def failing(error):\n    def fail(*_):\n        raise error\n    return fail\n", OURS
)
failing = OURS["failing"]


class Own(BaseException):
    """Derived from nothing that a careless `except Exception` would stop."""


ERRORS = [
    ValueError("x"),
    MemoryError(),
    RecursionError(),
    SystemExit(3),
    GeneratorExit(),
    StopIteration(),
    Own("y"),
    Exception(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("where", ["take", "holds"])
def test_no_error_of_ours_reaches_the_application(soundings, make_module, error, where) -> None:
    """T3"""
    module = make_module("t3", WORK)
    probe = soundings.log("t3.py:2", "x={x}", condition="x > 0")
    passage = soundings.registry.standing(probe).compiled.passage
    setattr(passage, where, failing(error))
    assert [module.work(1) for _ in range(5)] == [2] * 5
    counted = soundings.core.dropped() if type(error) is RecursionError else faults.counts
    assert sum(counted.values()) == 5
    assert soundings.state(probe).fates.get(Fate.CAPTURED, 0) == 0
    faults.clear()


def test_no_error_reaches_a_worker_thread_either(soundings, make_module) -> None:
    """KeyboardInterrupt too: handlers run in the main thread only, so there it is ours."""
    module = make_module("t3t", WORK)
    probe = soundings.log("t3t.py:2")
    passage = soundings.registry.standing(probe).compiled.passage
    passage.take = failing(KeyboardInterrupt())
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(module.work(1)))
    thread.start()
    thread.join()
    assert results == [2]
    assert faults.counts == {"hit": 1}
    faults.clear()


def test_a_failure_in_an_import_is_counted_and_the_import_succeeds(
    soundings, make_module, monkeypatch
) -> None:
    make_module("later", WORK, load=False)
    soundings.log("later.py:2")
    monkeypatch.setattr("leadline.agent.probes.sites.place", failing(Own("bad")))
    later = importlib.import_module("later")
    assert later.work(1) == 2
    assert set(faults.counts) == {"import"}
    faults.clear()


def test_guarded_returns_the_default_and_counts() -> None:
    entry = guarded("place", 7)(failing(ValueError("x" * 10_000)))
    assert entry() == 7
    assert faults.counts == {"place": 1}
    assert len(faults.first["place"]) <= 300
    faults.clear()


def test_what_is_told_of_a_failure_is_its_line_and_nothing_of_its_text() -> None:
    entry = guarded("place", None)(failing(KeyError("hunter2")))
    entry()
    entry()
    assert faults.told() == {"place: KeyError at <string>:3": 2}
    faults.clear()
    assert faults.told() == {}


SIGNALS = """
    import signal, sys, time
    from leadline.agent.core import Monitor, choose
    from leadline.agent.probes.registry import Registry
    from leadline.wire.limits import Limits
    from leadline.wire.probe import LogProbe
    from leadline.wire.target import Target
    monitor = Monitor(); monitor.open(); core = choose(monitor)
    registry = Registry(core, monitor)
    class Timeout(Exception): pass
    def alarm(number, frame): raise Timeout
    signal.signal(signal.SIGALRM, alarm)
    def work(values):
        total = 0
        for value in values:
            total += value  # probed
        return total
    limits = Limits(hits=1_000_000, rate_per_s=1_000)
    line = work.__code__.co_firstlineno + 3
    registry.add([LogProbe("p1", Target(__file__, line), "{values}", limits=limits)])
    passage = registry.standing("p1").compiled.passage
    values = [{"k": [n] * 20} for n in range(100)]
    received = 0
    for _ in range(100):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            while True:
                passage.tokens, passage.off, passage.hits_left = 1e9, False, 10**9
                core.spent_ns(); core.drain(10**6)
                work([1, 2, 3])
        except Timeout:
            received += 1
    from leadline.agent.guard import faults
    print(received, dict(faults.first), registry.state("p1").fates["captured"] > 100)
"""


def test_every_exception_of_a_signal_handler_arrives(tmp_path) -> None:
    """A worker's timeout that strikes inside our callback is not ours to keep."""
    script = tmp_path / "signals.py"
    script.write_text(textwrap.dedent(SIGNALS), "utf-8")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "100 {} True", done.stderr


class Sent(Exception):
    """What a watchdog sends to a thread that takes too long."""


@pytest.mark.parametrize("kind", [Sent, SystemExit])
def test_every_exception_that_another_thread_sends_arrives(
    soundings, make_module, kind
) -> None:
    module = make_module("guarded_work", "def work(x):\n    y = x\n    return y\n")
    probe = soundings.log("guarded_work.py:2", "{x}")
    passage = soundings.registry.standing(probe).compiled.passage
    value = [{"k": [number] * 20} for number in range(100)]
    received: list[int] = []
    begun: list[int] = []  # not an Event: what strikes within its lock would break that

    def run() -> None:
        while len(received) < 50:
            try:
                begun.append(1)
                while True:
                    passage.tokens, passage.off, passage.hits_left = 1e9, False, 10**9
                    soundings.core.spent_ns()
                    soundings.core.drain(10**6)
                    module.work(value)
            except kind:
                received.append(1)

    thread = threading.Thread(target=run)
    thread.start()
    for number in range(50):
        wait_for(lambda sent=number: len(begun) > sent, 10, "the next round begins")
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(kind)
        )
        wait_for(lambda sent=number: len(received) > sent, 10, "the exception arrives")
    thread.join(10)
    assert not thread.is_alive()


def test_ctrl_c_ends_a_probed_program(tmp_path) -> None:
    script = tmp_path / "loop.py"
    script.write_text(
        "import sys\ndef work(n):\n    return n + 1\n"
        "print('ready', flush=True)\nn = 0\nwhile True:\n    n = work(n)\n",
        "utf-8",
    )
    program = subprocess.Popen(
        [sys.executable, "-m", "leadline", "run", "--probe", "log loop.py:3 {n}", "--",
         sys.executable, script],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert program.stdout.readline() == "ready\n"
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=30)
    assert program.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in errors
