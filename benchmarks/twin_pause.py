"""How long a process stands still when a twin of it is made, by its size.

    python -m benchmarks.twin_pause [MEGABYTES...]

Everything in one process that grows from size to size: the pause of the caller of `clone`, and
the longest gap in another thread that wants to run every half millisecond, beside `os.fork` in
the same rounds. Both children end at once; the twin's own time (its seal) is told separately,
nobody waits for it. Then what copy-on-write costs: all objects touched with no copy alive, the
first time with a twin alive, and once more. The ratio is of medians within a round; its spread
is over the rounds. QUICK=1 takes fewer rounds and sizes.
"""

import functools
import gc
import os
import select
import signal
import statistics
import sys
import threading
import time
import warnings
from pathlib import Path
from types import ModuleType

from benchmarks.machine import about
from leadline import native

SIZES = (30, 100, 200, 500, 1000)
QUICK_SIZES = (30, 100, 200)
ROUNDS = 7
QUICK_ROUNDS = 3
CALLS = 8
"""Of each sort in a round, taking turns."""
TICK_S = 0.0005
SETTLE_S = 0.02
LIFE_S = 30.0
PROCESSOR_S = 10
ROOM = 256 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")


class Order:
    """An object as services have them: with a dictionary, a text and a list."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"order {number}"
        self.lines = [number, number + 1]


class Other:
    """A thread that wants to run again and again; `gap_ms` is the longest it had to wait."""

    def __init__(self) -> None:
        self.gap_s = 0.0
        threading.Thread(target=self._tick, daemon=True).start()

    def _tick(self) -> None:
        last = time.perf_counter()
        while True:
            time.sleep(TICK_S)
            now = time.perf_counter()
            self.gap_s = max(self.gap_s, now - last)
            last = now


def resident_mb() -> float:
    """Return the memory of this process."""
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * PAGE / 2**20


def forked() -> float:
    """Fork as Python does; returns the caller's pause in milliseconds."""
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    took = time.perf_counter() - began
    os.waitpid(pid, 0)
    return took * 1e3


def cloned(seal: ModuleType, told: list[int]) -> float:
    """Make a twin; returns the caller's pause in milliseconds, and adds the seal's own time."""
    reading, writing = os.pipe()
    began = time.perf_counter()
    pid = seal.clone(seal.READONLY, LIFE_S, PROCESSOR_S, ROOM, (writing,), (b"/usr/lib",))
    if pid == 0:
        facts = seal.facts()
        os.write(writing, b"%d" % (facts["seal_us"] + facts["hooks_us"]))
        os._exit(0)
    took = time.perf_counter() - began
    os.close(writing)
    told.append(int(os.read(reading, 20) or 0))
    os.close(reading)
    while seal.reap(pid) is None:
        time.sleep(TICK_S)
    return took * 1e3


def touched_ms(orders: list[Order]) -> float:
    """Touch every object once."""
    began = time.perf_counter()
    for order in orders:
        order  # noqa: B018  # its count of references is written to
    return (time.perf_counter() - began) * 1e3


def copied_ms(seal: ModuleType, orders: list[Order]) -> tuple[float, float, float]:
    """Return what touching all takes: without a copy, with a twin alive, and once more."""
    plain = min(touched_ms(orders) for _ in range(3))
    reading, writing = os.pipe()
    pid = seal.clone(seal.STRICT, LIFE_S, PROCESSOR_S, ROOM, (writing,), ())
    if pid == 0:
        os.write(writing, b".")
        time.sleep(LIFE_S)
        os._exit(0)
    os.read(reading, 1)
    first, second = touched_ms(orders), touched_ms(orders)
    os.kill(pid, signal.SIGKILL)
    with os.fdopen(seal.pidfd(pid)) as ended:
        select.select([ended], [], [])
    seal.reap(pid)
    os.close(reading)
    os.close(writing)
    return plain, first, second


def measure(seal: ModuleType, other: Other, rounds: int) -> dict[str, list[float]]:
    """Return the medians of each round: pauses, gaps, and the seal's time, in milliseconds."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        once: dict[str, list[float]] = {}
        told: list[int] = []
        for _ in range(CALLS):
            for name, make in (
                ("idle", lambda: time.sleep(0) or 0.0),
                ("fork", forked),
                ("twin", functools.partial(cloned, seal, told)),
            ):
                time.sleep(SETTLE_S)
                other.gap_s = 0.0
                once.setdefault(name, []).append(make())
                time.sleep(2 * TICK_S)
                once.setdefault(f"{name} gap", []).append(other.gap_s * 1e3)
        once["seal"] = [one / 1e3 for one in told]
        for name, values in once.items():
            found.setdefault(name, []).append(statistics.median(values))
    return found


def spread(values: list[float]) -> str:
    """Return a median with its least and its most."""
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


def main(sizes: tuple[int, ...], rounds: int) -> int:
    """Measure and print; returns the exit status."""
    seal = native.twin()
    if seal is None:
        print(native.twin_reason())
        return 1
    print(", ".join(about().values()))
    print("medians in ms (least-most of the rounds' medians)")
    other = Other()
    orders: list[Order] = []
    gc.disable()
    warnings.simplefilter("ignore", DeprecationWarning)  # of os.fork, in a process with threads
    for size in sizes:
        while resident_mb() < size:
            orders.extend(Order(number) for number in range(5_000))
        found = measure(seal, other, rounds)
        ratios = [twin / fork for twin, fork in zip(found["twin"], found["fork"], strict=True)]
        plain, first, second = copied_ms(seal, orders)
        print(
            f"{resident_mb():5.0f} MB: pause twin {spread(found['twin'])}, "
            f"os.fork {spread(found['fork'])}, ratio {spread(ratios)}; "
            f"other thread's gap twin {spread(found['twin gap'])}, "
            f"os.fork {spread(found['fork gap'])}, neither {spread(found['idle gap'])}; "
            f"the twin's own seal and hooks {spread(found['seal'])}; "
            f"touch all {plain:.0f}, with a twin {first:.0f}, again {second:.0f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    quick = os.environ.get("QUICK", "") not in ("", "0")
    wanted = tuple(int(word) for word in sys.argv[1:])
    sys.exit(
        main(wanted or (QUICK_SIZES if quick else SIZES), QUICK_ROUNDS if quick else ROUNDS)
    )
