"""What a service of Flask and SQLite notices of twins, and how fast they answer.

    python -m benchmarks.twin_service

Windows with one rerun a second and windows without take turns, in an order that changes, on
one process under a steady load: the latency of its requests is compared within each round.
Then, one after the other, asks from the order to the stored answer; and reruns as fast as one
twin at a time allows. QUICK=1 takes fewer rounds.
"""

import http.client
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import service as measured
from benchmarks.end_to_end import WAIT_S, running_process, running_server
from benchmarks.machine import about
from leadline.cli.client import Client

SERVICE = "bench"
TARGET = "service.py:total_of"
WINDOW_S = 6.0
ROUNDS, QUICK_ROUNDS = 10, 3
PAUSE_S = 0.01
"""Between two requests: of a saturated service one would measure the queue."""
ASKS, QUICK_ASKS = 40, 10
RERUNS, QUICK_RERUNS = 300, 100


def main() -> int:
    """Measure and print; returns the exit status."""
    quick = os.environ.get("QUICK", "") not in ("", "0")
    print(", ".join(about().values()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured.fill(str(folder / "orders.db"))
        with running_server(folder) as client, _service(folder, client) as port:
            _latencies(client, port, QUICK_ROUNDS if quick else ROUNDS)
            _asks(client, port, QUICK_ASKS if quick else ASKS)
            _reruns(client, port, QUICK_RERUNS if quick else RERUNS)
    return 0


@contextmanager
def _service(folder: Path, client: Client) -> Iterator[int]:
    key = client.post(f"/v1/services/{SERVICE}/agent-key")["key"]
    environ = {
        "LEADLINE_URL": client.url,
        "LEADLINE_KEY": key,
        "LEADLINE_SERVICE": SERVICE,
        "LEADLINE_TWIN": "threads",
        "LEADLINE_TWIN_RATE": "1000",
        "LEADLINE_TWIN_LOAD": "1000",
        "LEADLINE_TWIN_PAUSE": "10000",
    }
    command = [sys.executable, measured.__file__, str(folder / "orders.db")]
    with running_process(command, folder, environ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


def _order(client: Client, **said: object) -> str:
    body = {"target": TARGET} | said
    return str(client.post(f"/v1/services/{SERVICE}/twins", body)["probe"]["id"])


def _window(port: int, seconds: float) -> list[float]:
    """Return the milliseconds of each request of so many seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        connection.request("GET", f"/orders/{len(found)}")
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
        found.append((time.perf_counter() - began) * 1e3)
        time.sleep(PAUSE_S)
    connection.close()
    return found


def _quantile(samples: list[float], part: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def _latencies(client: Client, port: int, rounds: int) -> None:
    _window(port, 2.0)
    pairs: list[dict[bool, list[float]]] = []
    twins = 0
    for number in range(rounds):
        pair: dict[bool, list[float]] = {}
        for with_twins in random.sample([True, False], 2):
            order = ""
            if with_twins:
                order = _order(client, use="rerun", hits=1_000, rate_per_s=1.0, ttl_s=600)
                time.sleep(0.5)
            pair[with_twins] = _window(port, WINDOW_S)
            if order:
                client.delete(f"/v1/probes/{order}")
                found = client.get("/v1/hits", probe=order)["hits"]
                twins += len(found)
                pauses = [hit["twin"]["pause_ms"] for hit in found]
        pairs.append(pair)
        print(f"  round {number + 1}: last pauses {pauses} ms", file=sys.stderr)
    print(
        f"latency with one twin a second, {twins} twins in {rounds} windows of {WINDOW_S:g} s:"
    )
    for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        off = [_quantile(pair[False], part) for pair in pairs]
        on = [_quantile(pair[True], part) for pair in pairs]
        ratios = sorted(one / other for one, other in zip(on, off, strict=True))
        print(
            f"  {name}: {statistics.median(off):.2f} ms without, "
            f"{statistics.median(on):.2f} ms with; "
            f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
        )


def _asks(client: Client, port: int, count: int) -> None:
    taken, pauses, lives = [], [], []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    for _ in range(count):
        began = time.perf_counter()
        order = _order(
            client, use="ask", code=["len(lines)", "sum(one['price'] for one in lines)"]
        )
        deadline = time.monotonic() + WAIT_S
        while not (hits := client.get("/v1/hits", probe=order)["hits"]):
            connection.request("GET", "/orders/1")
            connection.getresponse().read()
            assert time.monotonic() < deadline, client.get(f"/v1/probes/{order}")
            time.sleep(0.002)
        taken.append((time.perf_counter() - began) * 1e3)
        twin = hits[0]["twin"]
        assert twin["said"][0]["value"] == measured.LINES
        pauses.append(twin["pause_ms"])
        lives.append(twin["life_s"] * 1e3)
    for name, found in (
        ("from the order to the stored answer", taken),
        ("pause of the process", pauses),
        ("life of the twin", lives),
    ):
        print(
            f"ask, {name}: {statistics.median(found):.1f} ms "
            f"(95 %: {_quantile(found, 0.95):.1f}, {count} asks)"
        )


def _reruns(client: Client, port: int, count: int) -> None:
    order = _order(client, use="rerun", hits=count, rate_per_s=1_000.0, ttl_s=600)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    times: list[float] = []
    agree = 0
    deadline = time.monotonic() + 120
    while len(times) < count and time.monotonic() < deadline:
        for _ in range(50):
            connection.request("GET", "/orders/1")
            connection.getresponse().read()
        found = client.get("/v1/hits", probe=order, limit=1_000)["hits"]
        times = [hit["time"] for hit in found]
        agree = sum(hit["twin"]["agreement"]["agrees"] is True for hit in found)
    rate = (len(times) - 1) / (max(times) - min(times))
    print(f"reruns, one twin at a time: {rate:.1f} a second; {agree} of {len(times)} agree")


if __name__ == "__main__":
    sys.exit(main())
