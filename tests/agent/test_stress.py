"""T6: arming and disarming under threads, generators and asyncio; no result is wrong."""

import subprocess
import sys

STRESS = r"""
import asyncio, faulthandler, random, sys, threading, time
from leadline.agent.core import Monitor, choose
from leadline.agent.guard import faults
from leadline.agent.probes.registry import Registry
from leadline.wire.probe import Limits, LogProbe, Target
faulthandler.enable()

def numbers(n):
    for i in range(n):
        yield i * 2

def chain(n):
    total = yield from numbers(n)
    return total

def summed(n):
    total = 0
    try:
        for value in chain(n):
            total += value
            if value == 2 * n - 2:
                raise KeyError(value)
    except KeyError as error:
        return total, error.args[0]
    finally:
        total = -1
    return total, None

async def step(i):
    await asyncio.sleep(0)
    return i * 3

async def gathered(n):
    parts = await asyncio.gather(*(step(i) for i in range(n)))
    return sum(parts)

FUNCTIONS = (numbers, chain, summed, step, gathered)
LINES = [f.__code__.co_firstlineno + k for f in FUNCTIONS for k in range(1, 6)]
monitor = Monitor(); monitor.open()
core = choose(monitor); registry = Registry(core, monitor)
stop, wrong, rounds = threading.Event(), [], [0] * 4

def thread(index):
    while not stop.is_set():
        if summed(50) != (2450, 98): wrong.append("summed")
        rounds[index] += 1

def loop():
    async def run():
        while not stop.is_set():
            if await gathered(20) != 570: wrong.append("gathered")
            rounds[3] += 1
    asyncio.run(run())

threads = [threading.Thread(target=thread, args=(i,)) for i in range(3)]
threads.append(threading.Thread(target=loop))
for one in threads: one.start()
chosen, armed, number, hits = random.Random(7), [], 0, 0
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    number += 1
    probe = LogProbe(f"p{number}", Target(__file__, chosen.choice(LINES)),
                     "{n} {i} {total}", condition=chosen.choice([None, "total > 10"]),
                     limits=Limits(rate_per_s=1000))
    registry.add([probe]); armed.append(probe.id)
    if len(armed) > 5: registry.remove([armed.pop(chosen.randrange(len(armed)))])
    if number % 20 == 0: registry.tick(time.monotonic())
    hits += len([r.passage.read(r.payload) for r in core.drain(10_000)])
registry.apply([]); stop.set()
for one in threads: one.join()
core.close()
assert not wrong, wrong[:5]
assert min(rounds) > 0 and hits > 0 and not faults.counts, (rounds, hits, faults.first)
print("armed", number, "hits", hits, "rounds", rounds)
"""


def test_ten_seconds_of_arming_change_no_result(tmp_path) -> None:
    script = tmp_path / "stress.py"
    script.write_text(STRESS, "utf-8")
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", script, "10"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("armed ")
