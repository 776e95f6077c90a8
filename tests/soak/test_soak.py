"""What takes minutes: `make soak`. Each test prints one line of report."""

import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from live import LEADLINE, Leadline, Program, tool
from waiting import wait_for

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_200)]

COUNTER = """\
import sys, time
def work(n):
    done = n
    return done
n = 0
end = time.monotonic() + float(sys.argv[1])
print("started", flush=True)
while time.monotonic() < end:
    n += 1
    work(n)
    time.sleep(0.05)
print(n, flush=True)
"""
SAYING = (
    COUNTER.replace('"started"', '"started", os.getpid()')
    .replace("    work(n)\n", "    work(n)\n    print(n, flush=True)\n")
    .replace("import sys", "import os, sys")
)
"""The same, which tells of each round."""
INSTANCES = 200
KILLS = 20
WORKERS_KILLED = 100
ARMING_S = 120
PROGRAM = Path(__file__).parents[1] / "arming_stress.py"


def report(capfd, text: str) -> None:
    """Print one line of the report, whatever pytest captures."""
    with capfd.disabled():
        print(f"\nsoak: {text}")


def worker(leadline: Leadline, service: str, seconds: int) -> Program:
    script = leadline.cwd / "counter.py"
    if not script.exists():  # written once: others are being started from it
        script.write_text(textwrap.dedent(COUNTER), "utf-8")
    command = [LEADLINE, "run", "--service", service, "--", tool("python"), "counter.py"]
    return Program([*command, str(seconds)], leadline.cwd)


def test_two_hundred_instances(leadline, capfd) -> None:
    """One probe on 200 processes: all armed, all heard, the hit limit kept over all."""
    began = time.monotonic()
    programs = [worker(leadline, "many", 240) for _ in range(INSTANCES)]
    try:
        wait_for(lambda: len(leadline.connected("many")) == INSTANCES, 200)
        connected = time.monotonic() - began
        began = time.monotonic()
        probe = leadline.log(
            "many", "counter.py:3", "{n}", "--hits", "5000", "--rate", "5", "--wait", "60s"
        )
        armed = time.monotonic() - began
        states = [one["status"] for one in probe["instances"]]
        assert states.count("armed") == INSTANCES
        wait_for(lambda: leadline.probe(probe["id"])["status"] == "expired", 120)
        final = leadline.probe(probe["id"])
        assert final["hits"] == 5000
        assert not any(one["faults"] for one in leadline.connected("many"))
    finally:
        for program in programs:
            program.stop()
    report(
        capfd,
        f"{INSTANCES} instances connected in {connected:.1f} s, a probe armed on all in "
        f"{armed:.2f} s, {final['hits']} hits kept, {final['beyond_limit']} beyond the limit",
    )


def every_hit(leadline: Leadline, probe: str) -> list[dict]:
    """Return all hits of a probe, page by page."""
    hits: list[dict] = []
    words = ("hits", "--probe", probe, "--limit", "1000", "--after")
    while page := leadline.json(*words, str(hits[-1]["id"] if hits else 0))["hits"]:
        hits += page
    return hits


def test_a_server_that_is_killed_again_and_again(leadline, capfd) -> None:
    """Every hit of the worker is stored once, or counted as dropped."""
    with worker(leadline, "steady", 120) as program:
        program.wait_for("started")
        wait_for(lambda: leadline.connected("steady"))
        probe = leadline.log("steady", "counter.py:3", "{n}", "--hits", "100000")["id"]
        chosen = random.Random(7)
        for _ in range(KILLS):
            time.sleep(chosen.uniform(0.2, 3.0))
            leadline.kill()
            time.sleep(chosen.uniform(0.0, 2.0))
            leadline.up()
        assert program.end(300) == 0
        last = int(program.out.split()[-1])
    numbers = [hit["values"]["n"] for hit in every_hit(leadline, probe)]
    assert numbers == list(range(numbers[0], last + 1))
    report(capfd, f"{KILLS} kills of the server, all of {len(numbers)} hits stored once")


def test_two_minutes_of_arming(capfd) -> None:
    """T6 for longer."""
    done = subprocess.run(
        [sys.executable, PROGRAM, str(ARMING_S)], capture_output=True, text=True,
        timeout=ARMING_S + 100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report(capfd, f"{ARMING_S} s: {done.stdout.strip()}")


def test_memory_does_not_grow(leadline, capfd) -> None:
    """A thousand probes placed and removed, with hits: the process is as large as before."""
    with worker(leadline, "lean", 600) as program:
        program.wait_for("started")
        (instance,) = wait_for(lambda: leadline.connected("lean"))
        pid = instance["info"]["pid"]
        sizes = []
        for number in range(300):
            probe = leadline.log("lean", "counter.py:3", f"{number} {{n}}", "--hits", "3")
            assert probe["status"] in ("armed", "expired")
            leadline.cli("rm", probe["id"])
            if number in (50, 299):
                with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                    sizes.append(int(file.read().split()[1]) * 4)
        assert program.process.poll() is None
        program.stop(signal.SIGKILL)
    grown = sizes[1] - sizes[0]
    assert grown < 2_000, sizes
    report(capfd, f"250 probes placed and removed, resident memory {grown:+d} kB")


def test_a_worker_that_is_killed_a_hundred_times(leadline, capfd) -> None:
    """T20: whatever arrived of a worker is whole, in order, once; only its end is lost."""
    chosen = random.Random(20)
    (leadline.cwd / "counter.py").write_text(SAYING, "utf-8")
    first = worker(leadline, "mortal", 60)
    wait_for(lambda: leadline.connected("mortal"))
    probe = leadline.log("mortal", "counter.py:3", "{n}", "--hits", "1000000", "--ttl", "2h")[
        "id"
    ]
    first.stop(signal.SIGKILL)
    made: dict[int, int] = {}
    for _ in range(WORKERS_KILLED):
        one = worker(leadline, "mortal", 60)
        one.wait_for("started")
        time.sleep(chosen.uniform(0.0, 2.0))
        one.stop(signal.SIGKILL)
        pid, *said = one.last[0].split("\n")[:-1]  # the last line may be cut off
        made[int(pid.split()[1])] = len(said)
    by_instance: dict[str, list[int]] = {}
    for hit in every_hit(leadline, probe):
        assert hit["message"] == str(hit["values"]["n"])
        by_instance.setdefault(hit["instance"], []).append(hit["values"]["n"])
    lost = 0
    (service,) = leadline.json("status")["services"]
    for instance in service["instances"]:
        numbers = by_instance.get(instance["info"]["id"], [])
        assert instance["hits"] == len(numbers)
        assert not instance["dropped"]
        if numbers and (last := made.get(instance["info"]["pid"])):
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            lost += max(0, last - numbers[-1])
    assert len(by_instance) > WORKERS_KILLED // 4
    stored = sum(map(len, by_instance.values()))
    report(
        capfd,
        f"{WORKERS_KILLED} workers killed, {stored} hits of {len(by_instance)} of them: each "
        f"whole, in order and once; {lost} made at the very end were lost with their process",
    )
