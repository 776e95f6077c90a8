"""Arms and disarms probes at random while threads, generators and asyncio run through them.

A program of its own: `python tests/arming_stress.py SECONDS`. It exits with 0 and one line of
counts, or fails with what went wrong.
"""

import asyncio
import faulthandler
import random
import sys
import threading
import time
from collections.abc import Iterator

from leadline.agent.core import Monitor, choose
from leadline.agent.guard import faults
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


def numbers(n: int) -> Iterator[int]:
    for i in range(n):
        yield i * 2


def chain(n: int) -> Iterator[int]:
    total = yield from numbers(n)
    return total


def summed(n: int) -> tuple[int, int | None]:
    total = 0
    try:
        for value in chain(n):
            total += value
            if value == 2 * n - 2:
                raise KeyError(value)  # noqa: TRY301 - a way through the frame
    except KeyError as error:
        return total, error.args[0]
    finally:
        total = -1
    return total, None


async def step(i: int) -> int:
    await asyncio.sleep(0)
    return i * 3


async def gathered(n: int) -> int:
    parts = await asyncio.gather(*(step(i) for i in range(n)))
    return sum(parts)


BUSY_S = 60.0
FUNCTIONS = (numbers, chain, summed, step, gathered)
LINES = [one.__code__.co_firstlineno + offset for one in FUNCTIONS for offset in range(1, 5)]


class Load:
    """Three threads of generators and one of asyncio, checking every result."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.wrong: list[str] = []
        self.rounds = [0] * 4
        self._threads = [
            *(threading.Thread(target=self._generators, args=(index,)) for index in range(3)),
            threading.Thread(target=lambda: asyncio.run(self._tasks())),
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def _generators(self, index: int) -> None:
        while not self.stop.is_set():
            if summed(50) != (2450, 98):
                self.wrong.append("summed")
            self.rounds[index] += 1

    async def _tasks(self) -> None:
        while not self.stop.is_set():
            if await gathered(20) != 570:
                self.wrong.append("gathered")
            self.rounds[3] += 1


def any_probe(probe: str, chosen: random.Random) -> Probe:
    """Return a probe of any kind at any place of the functions."""
    limits = Limits(rate_per_s=1000)
    condition = chosen.choice([None, "total > 10"])
    if chosen.random() < 0.5:
        line = Target(__file__, chosen.choice(LINES))
        return LogProbe(probe, line, "{n} {i} {total}", condition, limits)
    function = FunctionTarget(__file__, chosen.choice(FUNCTIONS).__name__)
    match chosen.randrange(6):
        case 0:
            return SnapshotProbe(probe, function, limits=limits, moment=Moment.EXIT)
        case 1:
            return CounterProbe(probe, function, moment=Moment.ENTRY)
        case 2:
            return MetricProbe(probe, function, "duration", moment=Moment.EXIT)
        case 3:
            return TimerProbe(probe, function)
        case 4:
            moment = chosen.choice([Moment.RAISED, Moment.LEAVING])
            return ExceptionProbe(probe, function, limits=limits, moment=moment)
        case _:
            anywhere = FunctionTarget("*", "*")
            return ExceptionProbe(probe, anywhere, limits=limits, moment=Moment.RAISED)


def main(seconds: float) -> str:
    """Stress for so long; returns the counts."""
    faulthandler.enable()
    monitor = Monitor()
    monitor.open()
    core = choose(monitor)
    registry = Registry(core, monitor)
    chosen, armed = random.Random(7), []
    number = hits = points = 0
    end = time.monotonic() + seconds
    with Load() as load:

        def seen() -> bool:
            return min(load.rounds) > 0 and hits > 0 and points > 0

        # a machine that is busy elsewhere is given more time until there was anything at all
        while (left := end - time.monotonic()) > 0 or (not seen() and left > -BUSY_S):
            number += 1
            probe = any_probe(f"p{number}", chosen)
            registry.add([probe])
            armed.append(probe.id)
            if len(armed) > 5:
                registry.remove([armed.pop(chosen.randrange(len(armed)))])
            if number % 20 == 0:
                registry.tick(time.monotonic())
            for record in core.drain(10_000):
                if record.passage.read is not None:
                    record.passage.read(record.payload)
                hits += 1
            points += len(registry.points("i", 1, last=True))
            if number % 40 == 0:
                registry.switch_off("stress")
                registry.switch_on()
        registry.apply([])
    core.close()
    assert not load.wrong, load.wrong[:5]
    assert seen(), (load.rounds, hits, points)
    assert not faults.counts, faults.first
    return f"armed {number} probes, {hits} hits, {points} points, rounds {load.rounds}"


if __name__ == "__main__":
    print(main(float(sys.argv[1])))
