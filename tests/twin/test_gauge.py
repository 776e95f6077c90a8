"""Each guard rail refuses, and says why; what a pause will be is foretold from what it was."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leadline import native
from leadline.agent.twin import gauge as module
from leadline.agent.twin.gauge import Gauge
from leadline.agent.twin.terms import Terms
from leadline.wire.struct import replace
from leadline.wire.twin import TwinPolicy

QUIET = Terms(policy=TwinPolicy.THREADS, load=1e6, pause_ms=10_000.0)


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the tests may have grown past what twins are made of."""
    monkeypatch.setattr(module, "MOST_BYTES", 10**12)


def looked(terms: Terms = QUIET) -> Gauge:
    """Return a gauge that has looked at this process."""
    twin = native.twin()
    assert twin is not None, native.twin_reason()
    made = Gauge(terms, twin)
    made.refresh(time.monotonic())
    return made


def why(gauge: Gauge) -> str:
    return gauge.why_not(time.monotonic())


def test_with_nothing_in_the_way_a_twin_may_be_made() -> None:
    assert why(looked()) == ""


def test_a_pause_that_was_too_long_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One slow moment of the host is not the end of twins in this process; and a process that
    is really slow is not paused again and again to find out."""
    gauge = looked(replace(QUIET, pause_ms=5_000.0))
    began = time.monotonic()
    gauge.paid(began, 10_000.0)
    monkeypatch.setattr(module, "PAUSE_S_AN_HOUR", 1_000.0)
    gauge.refresh(began + module.AGAIN_S / 2)
    assert "its pause would be" in gauge.why_not(began + module.AGAIN_S / 2)
    made = []
    with monkeypatch.context() as slow:
        slow.setattr(gauge, "_measure", lambda: made.append(gauge._learn(10_000.0)))
        for seconds in range(600):
            gauge.refresh(began + seconds)
    assert 1 <= len(made) <= 5
    gauge.refresh(began + 5_000)
    assert gauge.why_not(began + 5_000) == ""


def test_before_it_has_looked_no_twin_is_made() -> None:
    twin = native.twin()
    assert twin is not None
    assert "does not come to run" in why(Gauge(QUIET, twin))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("MOST_BYTES", 1, "1,000 are the most"),
        ("MOST_SHARED", -1, "shared with other processes"),
        ("PAUSE_S_AN_HOUR", 0.0, "within the hour"),
    ],
)
def test_what_is_too_much(
    name: str, value: float, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gauge = looked()
    gauge.paid(0.0, 3.0)
    monkeypatch.setattr(module, name, value)
    gauge.refresh(time.monotonic())
    assert says in why(gauge)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"memory.max": "1000000000", "memory.current": "999999999"}, "of memory are free"),
        ({"pids.max": "100", "pids.current": "90"}, "only 10 more processes"),
    ],
)
def test_what_its_group_has_left(
    files: dict[str, str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n", "ascii")
    monkeypatch.setattr(module, "_CGROUP", f"{tmp_path}/")
    assert says in why(looked())


def test_a_pause_that_would_be_too_long() -> None:
    gauge = looked(replace(QUIET, pause_ms=1e-9))
    gauge.paid(0.0, 3.0)
    gauge.refresh(time.monotonic())
    assert why(gauge).startswith("its pause would be ")
    gauge.paid(time.monotonic(), 3.0)
    assert why(gauge) == "twins are made 1 a second at most"
    assert gauge.obstacle.startswith("its pause would be "), "what lasts is known meanwhile"


def test_a_single_slow_moment_is_not_what_is_foretold() -> None:
    gauge = looked()
    for pause_ms in (2.0, 2.0, 500.0, 2.0):
        gauge.paid(0.0, pause_ms)
    gauge.refresh(time.monotonic())
    assert gauge.foretold_ms() < 10


def test_a_busy_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_load", lambda: 1_000.0)
    said = why(looked(Terms(policy=TwinPolicy.THREADS, load=4.0)))
    assert said.startswith("the host is busy: load 1000.0 on ")
    assert "LEADLINE_TWIN_LOAD" in said


def test_one_a_second() -> None:
    gauge = looked()
    gauge.paid(time.monotonic(), 3.0)
    assert why(gauge) == "twins are made 1 a second at most"


def test_a_raised_rate_raises_the_budget_of_the_hour() -> None:
    gauge = looked(Terms(policy=TwinPolicy.THREADS, load=1e6, rate=100.0))
    for _ in range(1_000):
        gauge.paid(time.monotonic() - 1, 3.0)
    gauge.refresh(time.monotonic())
    assert why(gauge) == ""


_HEAVY = """
import gc, os, sys, time
from leadline import native
from leadline.agent.twin.gauge import Gauge
from leadline.agent.twin.terms import Terms

class Part:
    def __init__(self, n):
        self.n, self.name, self.parts = n, f"part {n}", [n, n + 1]

kept = []
pages = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
while pages() < int(sys.argv[1]) * 1_000_000:
    kept.extend(Part(n) for n in range(20_000))
twin = native.twin()
gauge = Gauge(Terms(load=1e6), twin)
gauge.refresh(time.monotonic())
gauge.calibrate()
found = []
for _ in range(7):
    foretold, began = gauge.foretold_ms(), time.perf_counter()
    pid = twin.clone(twin.READONLY, 2.0, 2, 1 << 29, (), (), ())
    if pid == 0:
        os._exit(0)
    took = (time.perf_counter() - began) * 1e3
    while twin.reap(pid) is None:
        time.sleep(0.001)
    gauge.paid(time.monotonic(), took)
    found.append(foretold / took)
print(sorted(found)[3])
"""


@pytest.mark.soak
@pytest.mark.parametrize("megabytes", [200, 500])
def test_the_pause_is_foretold_within_a_factor_of_two(megabytes: int) -> None:
    """The median of seven, each foretold from those before it."""
    done = subprocess.run(
        [sys.executable, "-c", _HEAVY, str(megabytes)],
        capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "LEADLINE_OFF": "1"},
    )  # fmt: skip
    assert 0.5 <= float(done.stdout) <= 2.0
