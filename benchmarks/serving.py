"""What the agent costs a service of Flask and SQLite, in requests a second and CPU a request.

Five processes of the same service stand beside each other: without the agent, again without it
(the control of the comparison itself: what it differs by is noise), with the agent idle, with a
probe elsewhere, with one hit a request. Each round gives each a short window, in an order that
changes; what is reported are ratios to the first process in the same round. Every generation
starts the processes anew, because two processes of one program differ by some percent for good.
Who asks and who answers share one CPU: waking up another one costs a virtual machine more than
the whole request, and that differs from one moment to the next.
"""

import http.client
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import service as measured
from benchmarks.end_to_end import WAIT_S, running_process, running_server
from leadline.cli.client import Client

WINDOW = 40
"""Requests in a window, some 65 ms: short enough that the five windows of a round meet the same
machine."""
ROUND_S = 0.8
"""How long a round takes at least. It makes 50 hits a second, the default rate of a log probe:
at full speed the probe would be suspended by the budget of 1 % of a core, as it should be."""
RATE_PER_S = 1_000
"""So that it is never the rate that lets a request go without a hit."""
NONE, AGAIN, IDLE, ELSEWHERE, HIT = CASES = (
    "no agent",
    "no agent, a second process",
    "agent idle",
    "a probe elsewhere",
    "one log hit a request",
)
_SOURCE = Path(measured.__file__)
_WARM = 200


@dataclass(frozen=True, slots=True)
class Spread:
    """A ratio to the service without the agent: median of the rounds, the tenth and the
    ninetieth percentile, and the median of each generation."""

    median: float
    low: float
    high: float
    generations: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """One case: its own figures (medians), the ratios, and what its process uses of a second
    between its windows beyond what the one without the agent does."""

    name: str
    per_s: float
    cpu_us: float
    speed: Spread
    cpu: Spread
    beside_us: float


@dataclass(frozen=True, slots=True)
class Serving:
    """All cases, and whether each request to the probed service was a hit: those sent, and what
    became of their passages, with those that are stored. `receipt_us` is what a hit took of the
    application's thread by the probe's own receipt."""

    loads: list[Load]
    requests: int
    fates: Counter[str]
    receipt_us: float


@dataclass(slots=True)
class _Running:
    """One process under load: one connection, one window in each round."""

    connection: http.client.HTTPConnection
    per_s: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    beside_us: list[float] = field(default_factory=list)
    requests: int = 0
    ended: tuple[float, int] = (0.0, 0)

    def window(self, count: int) -> None:
        """Ask so often; note the speed, the CPU time of the whole process in the window, and
        that since the last one, in microseconds of a second."""
        used, began = self.used_ns(), time.perf_counter()
        for _ in range(count):
            self.requests += 1
            self.ask(f"/orders/{self.requests}")
        ended, used_then = time.perf_counter(), self.used_ns()
        self.per_s.append(count / (ended - began))
        self.cpu_us.append((used_then - used) / count / 1e3)
        if self.ended[1]:
            self.beside_us.append((used - self.ended[1]) / 1e3 / (began - self.ended[0]))
        self.ended = ended, used_then

    def used_ns(self) -> int:
        return int(json.loads(self.ask("/cpu"))["ns"])

    def ask(self, path: str) -> bytes:
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        assert answer.status == 200, answer.status
        return answer.read()


def measure(generations: int, rounds: int) -> Serving:
    """Measure so many rounds in each of so many generations of processes."""
    seen: list[dict[str, _Running]] = []
    fates: Counter[str] = Counter()
    requests = 0
    for _ in range(generations):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            client = stack.enter_context(running_server(folder))
            stack.enter_context(_one_cpu())
            measured.fill(str(folder / "orders.db"))
            running = {
                name: stack.enter_context(_service(folder, client, name)) for name in CASES
            }
            for one in running.values():
                for _ in range(_WARM):
                    one.ask("/orders/1")
            probes = [
                _place(client, _name(ELSEWHERE), "return -total"),
                _place(client, _name(HIT), "return total if count"),
            ]
            _rounds(running, rounds)
            fates += _fates(client, probes[1], running[HIT].requests)
            requests += running[HIT].requests
            seen.append(running)
    loads = [_load(name, seen) for name in CASES]
    receipt_us = fates.pop("cost_ns") / fates["captured"] / 1e3
    return Serving(loads, requests, fates, receipt_us)


@contextmanager
def _one_cpu() -> Iterator[None]:
    """Keep this process and those that it starts to one CPU; the server has the others."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(every)})
    yield
    os.sched_setaffinity(0, every)


def _rounds(running: dict[str, _Running], rounds: int) -> None:
    order = list(running.values())
    for _ in range(rounds + 1):
        until = time.monotonic() + ROUND_S
        random.shuffle(order)
        for one in order:
            one.window(WINDOW)
        time.sleep(max(0.0, until - time.monotonic()))
    for one in running.values():
        del one.per_s[0], one.cpu_us[0]  # the first pass through a probed function


def _load(name: str, seen: list[dict[str, _Running]]) -> Load:
    per_s = [value for running in seen for value in running[name].per_s]
    cpu_us = [value for running in seen for value in running[name].cpu_us]
    return Load(
        name,
        statistics.median(per_s),
        statistics.median(cpu_us),
        _spread([(running[name].per_s, running[NONE].per_s) for running in seen]),
        _spread([(running[name].cpu_us, running[NONE].cpu_us) for running in seen]),
        _beside_us(name, seen) - _beside_us(NONE, seen),
    )


def _beside_us(name: str, seen: list[dict[str, _Running]]) -> float:
    return statistics.median(value for running in seen for value in running[name].beside_us)


def _spread(pairs: list[tuple[list[float], list[float]]]) -> Spread:
    ratios = [
        [one / control for one, control in zip(ones, controls, strict=True)]
        for ones, controls in pairs
    ]
    flat = sorted(ratio for generation in ratios for ratio in generation)
    tenth = len(flat) // 10
    medians = tuple(statistics.median(generation) for generation in ratios)
    return Spread(statistics.median(flat), flat[tenth], flat[-1 - tenth], medians)


def _place(client: Client, service: str, text: str) -> str:
    """Place a log probe at the line that holds `text`; return it when it is armed."""
    lines = _SOURCE.read_text("utf-8").splitlines()
    line = next(number for number, found in enumerate(lines, 1) if text in found)
    body = {
        "kind": "log",
        "target": f"benchmarks/{_SOURCE.name}:{line}",
        "template": "total={total}" + (" count={count}" if service == _name(HIT) else ""),
        "limits": {"hits": 1_000_000, "ttl_s": 3_600, "rate_per_s": RATE_PER_S},
    }
    probe = str(client.post(f"/v1/services/{service}/probes", body)["probe"]["id"])
    deadline = time.monotonic() + WAIT_S
    while client.get(f"/v1/probes/{probe}")["probe"]["status"] != "armed":
        if time.monotonic() > deadline:
            raise TimeoutError("the probe was not armed")
        time.sleep(0.02)
    return probe


def _fates(client: Client, probe: str, expected: int) -> Counter[str]:
    """Return how many hits are stored and all fates, once there are as many as requests."""
    deadline = time.monotonic() + WAIT_S / 4
    while True:
        shown = client.get(f"/v1/probes/{probe}")["probe"]
        if shown["hits"] >= expected or time.monotonic() > deadline:
            told = {"stored": shown["hits"], "cost_ns": shown["cost_ns"]}
            return Counter(told | shown["fates"])
        time.sleep(0.05)


@contextmanager
def _service(folder: Path, client: Client, name: str) -> Iterator[_Running]:
    environ = {}
    if name not in (NONE, AGAIN):
        key = client.post(f"/v1/services/{_name(name)}/agent-key")["key"]
        environ = {
            "LEADLINE_URL": client.url,
            "LEADLINE_KEY": key,
            "LEADLINE_SERVICE": _name(name),
        }
    command = [sys.executable, str(_SOURCE), str(folder / "orders.db")]
    with running_process(command, folder, environ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        deadline = time.monotonic() + WAIT_S
        while environ and not _connected(client, _name(name)):
            if time.monotonic() > deadline:
                raise TimeoutError("the service did not connect")
            time.sleep(0.05)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
        yield _Running(connection)
        connection.close()


def _connected(client: Client, service: str) -> bool:
    services = client.get("/v1/services")["services"]
    return any(one["connected"] for one in services if one["service"] == service)


def _name(case: str) -> str:
    return case.split(",", 1)[0].replace(" ", "-")
