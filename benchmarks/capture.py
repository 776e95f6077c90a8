"""What a captured call costs, beside the same call without a probe, on the demo's `quote`.

    python -m benchmarks.capture

One process; the control of each row is measured right after it, when the probe is gone.
*captured* is the whole of it on the application's thread: arguments by value, predicate,
outcome. *let go* is a call that is looked at and not chosen. *off* is a capture whose rate is
used up, *expired* one that has all its calls, *removed* one that was taken out. Ratios are of
medians within a round; the spread is over the rounds. LEADLINE_CORE=pure measures the core in
Python.
"""

import statistics
import sys
import time
from collections.abc import Callable

from benchmarks.machine import about
from leadline.agent.core import Monitor, Passage, choose
from leadline.agent.probes.registry import Registry
from leadline.demo.__main__ import SERVICE
from leadline.wire.limits import Limits
from leadline.wire.probe import CaptureProbe, Fate
from leadline.wire.target import parse_place

ROUNDS = 15
CALLS = 300
ENTRY = "shop.pricing:quote"
PLENTY = 10**18


class Bench:
    """An agent's engine and the function, in one process."""

    def __init__(self) -> None:
        sys.path.insert(0, str(SERVICE))
        from shop.basket import Line
        from shop.customers import Customer
        from shop.pricing import quote
        from shop.vouchers import Voucher

        lines = [
            Line(f"PEN-{number}", f"Pen {number}", number + 1, 1_990, 19, 120, True)
            for number in range(4)
        ]
        customer = Customer(7, "Ada Becker", "ada@mail.example", "DE", "silver")
        voucher = Voucher("HARBOUR10", "percent", 10, 2_500, "2099-12-31")
        self.call = lambda: quote(lines, customer, voucher)
        monitor = Monitor()
        monitor.open()
        self.core = choose(monitor)
        self.registry = Registry(self.core, monitor)
        self.core.budget_ns = self.registry.budget.whole_ns = PLENTY
        self._number = 0

    def place(self, fails: str, hits: int, rate: float = 1_000.0) -> str:
        """Capture the function from now on; returns the probe's id."""
        self._number += 1
        limits = Limits(hits, rate_per_s=rate)
        probe = CaptureProbe(f"p{self._number}", parse_place(ENTRY), fails, limits=limits)
        self.registry.add([probe])
        passage = self.passage(probe.id)
        passage.tokens = passage.burst = PLENTY
        return probe.id

    def passage(self, probe: str) -> Passage:
        """Return what counts the probe's beginnings."""
        compiled = self.registry.standing(probe).compiled
        assert compiled is not None
        return compiled.passage

    def read(self) -> None:
        """Take what was captured, as the sender would."""
        for record in self.core.drain(10_000):
            record.passage.read(record.payload)

    def remove(self, probe: str) -> None:
        self.registry.remove([probe])


def median_us(call: Callable[[], object], calls: int = CALLS) -> float:
    """Return the median of single calls, in microseconds."""
    clock = time.perf_counter_ns
    taken = []
    for _ in range(calls):
        began = clock()
        call()
        taken.append(clock() - began)
    return statistics.median(taken) / 1e3


def rounds(bench: Bench) -> dict[str, list[tuple[float, float]]]:
    """Measure every row so many times, each beside its control: (with, without)."""
    found: dict[str, list[tuple[float, float]]] = {}

    def note(row: str, probe: str, taken: float) -> None:
        bench.read()
        bench.remove(probe)
        found.setdefault(row, []).append((taken, median_us(bench.call)))

    for _ in range(ROUNDS):
        probe = bench.place("result['total'] > 0", 2 * CALLS)
        taken = median_us(bench.call)
        assert bench.registry.state(probe).fates == {Fate.CAPTURED: CALLS}
        note("captured", probe, taken)

        probe = bench.place("result['total'] < 0", 4)
        median_us(bench.call, 100)  # its good ones
        note("let go", probe, median_us(bench.call))

        probe = bench.place("result['total'] < 0", 4)
        passage = bench.passage(probe)
        passage.tokens = passage.burst = 0.0  # no window gives it more
        _settle(bench)
        note("off", probe, median_us(bench.call))

        probe = bench.place("result['total'] > 0", 1)
        _settle(bench)
        note("expired", probe, median_us(bench.call))

        probe = bench.place("result['total'] > 0", 1)
        bench.remove(probe)
        note("removed", probe, median_us(bench.call))
    return found


def _settle(bench: Bench) -> None:
    """Let the probe be reached, and time pass for it."""
    median_us(bench.call, 3)
    for _ in range(2):
        bench.registry.tick(time.monotonic())


def main() -> None:
    print(", ".join(about().values()))
    bench = Bench()
    median_us(bench.call, 3_000)
    print(f"{ENTRY}, {bench.core.name} core, {ROUNDS} rounds of {CALLS} calls; median, range")
    for row, pairs in rounds(bench).items():
        ratios = sorted(one / other for one, other in pairs)
        extra = statistics.median(one - other for one, other in pairs)
        plain = statistics.median(other for _, other in pairs)
        print(
            f"{row:9} {statistics.median(ratios):6.2f}x ({ratios[0]:.2f}-{ratios[-1]:.2f}), "
            f"{extra:+8.1f} us on {plain:.1f} us"
        )


if __name__ == "__main__":
    main()
