"""The cost of one passage on the application's thread, for each thing that can happen there.

Windows are short and interleaved with the control's in one process; of many, the smallest
counts, because a busy machine only ever adds. The spread is over the rounds.
"""

import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from benchmarks import request
from leadline import native
from leadline.agent.core import Core, Monitor, choose
from leadline.agent.probes.registry import Registry
from leadline.wire.limits import Limits
from leadline.wire.probe import (
    CounterProbe,
    ExceptionProbe,
    LogProbe,
    MetricProbe,
    Moment,
    Probe,
    SnapshotProbe,
    TimerProbe,
)
from leadline.wire.target import FunctionTarget, Target

CALLS = 100
ROUNDS = 5
WARM = 20
"""Passages before a window: a probe stays for minutes; its first ones are not what counts."""

type Work = Callable[[int, str], int]
type Switch = Callable[[bool], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """Nanoseconds of thread time that a call costs more than its control: the median of the
    rounds, the smallest and the largest."""

    name: str
    extra_ns: float
    low_ns: float
    high_ns: float


def work(number: int, text: str) -> int:
    total = number + len(text)
    return total  # noqa: RET504 - the line that is probed


def elsewhere(number: int) -> int:
    return number


def logged(number: int, text: str) -> int:
    total = number + len(text)
    logging.getLogger("bench").info("number=%s text=%s", number, text)
    return total


def measure_core(core: str, windows: int) -> list[Figure]:
    """As `measure`, in a process of its own that runs the core `native` or `pure`."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.hot_path", str(windows)],
        env=os.environ | {native.SETTING: core},
        stdout=subprocess.PIPE,
        check=True,
    )
    return [Figure(**one) for one in json.loads(done.stdout)]


def measure(windows: int) -> list[Figure]:
    """Return a figure for each case, the hard-coded log line that people write first."""
    here = Target(__file__, work.__code__.co_firstlineno + 2)
    other = Target(__file__, elsewhere.__code__.co_firstlineno + 1)
    call = FunctionTarget(__file__, "work")
    raising = FunctionTarget(__file__, "elsewhere")
    probes: dict[str, Probe] = {
        "probe on another function": LogProbe("p", other, "x"),
        "exception probe on another function": ExceptionProbe("p", raising),
        "condition false": LogProbe("p", here, "x", "number < 0"),
        "log, no value": LogProbe("p", here, "x"),
        "log, two values": LogProbe("p", here, "{number} {text}"),
        "log at exit, with the result": LogProbe("p", call, "{result}", moment=Moment.EXIT),
        "counter": CounterProbe("p", here),
        "metric": MetricProbe("p", here, "number"),
        "timer of a function": TimerProbe("p", call),
        "snapshot, 10 frames": SnapshotProbe("p", here),
        "over its rate": LogProbe("p", here, "x", limits=Limits(rate_per_s=0.01)),
    }
    monitor = Monitor()
    monitor.open()
    core = choose(monitor)
    core.budget_ns = 10**12  # the cost is asked for, not what happens when it is too much
    registry = Registry(core, monitor)
    figures = [_logging(core, windows)]
    for name, probe in probes.items():
        figures.append(_compare(name, work, _switch(registry, probe), core, windows))
    seen = SnapshotProbe("p", Target(request.__file__, request.LINE), frames=request.FRAMES)
    switch = _switch(registry, seen)
    name = f"snapshot, {request.FRAMES} frames of a request"
    figures.append(_compare(name, request.serve, switch, core, windows, request.serve))
    core.close()
    return figures


def _switch(registry: Registry, probe: Probe) -> Switch:
    def switch(on: bool) -> None:
        registry.apply([probe] if on else [])
        if on and probe.limits.rate_per_s >= 1:
            compiled = registry.standing(probe.id).compiled
            assert compiled is not None
            compiled.passage.tokens = compiled.passage.hits_left = 10**9

    return switch


def _logging(core: Core, windows: int) -> Figure:
    logger = logging.getLogger("bench")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    handler = logging.FileHandler("/dev/null")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    try:
        return _compare("logging.info, to a file", logged, lambda _: None, core, windows)
    finally:
        logger.removeHandler(handler)
        handler.close()


def _compare(
    name: str,
    probed: Work,
    switch: Switch,
    core: Core,
    windows: int,
    control: Work = work,
) -> Figure:
    extras = []
    for _ in range(ROUNDS):
        off = on = sys.float_info.max
        for _ in range(windows):
            switch(False)
            off = min(off, _window(control))
            switch(True)
            for _ in range(WARM):
                probed(1, "the first passes after arming")
            on = min(on, _window(probed))
            core.drain(10**6)
            core.spent_ns()
            switch(False)
        extras.append(on - off)
    return Figure(name, statistics.median(extras), min(extras), max(extras))


def _window(function: Work) -> float:
    began = time.thread_time_ns()
    for _ in range(CALLS):
        function(5, "some text")
    return (time.thread_time_ns() - began) / CALLS


if __name__ == "__main__":
    print(json.dumps([asdict(one) for one in measure(int(sys.argv[1]))]))
