"""From the command to the armed probe, and from the hit to the screen, on a real service.

The server, the service and the commands are processes of their own; the clock is the
machine's. "Placed" is a request to the server; a command is a whole `leadline log`, from its
start until it has said in which instances the probe is armed. What of that is the start of the
interpreter and of the command line is measured beside it, by `leadline --version`.
"""

import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from leadline.cli.client import Client
from leadline.wire.keys import load

WORKER = """
import time
def work(n):
    now = time.time()
    return now
n = 0
while True:
    n += 1
    work(n)
    time.sleep(0.01)
"""
WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds: median, 95th percentile, largest."""

    name: str
    p50: float
    p95: float
    most: float


def measure(samples: int, first: int) -> list[Times]:
    """Return the figures, each over so many probes; those of the `first` probe of a process
    over so many processes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        client = stack.enter_context(running_server(folder))
        stack.enter_context(_worker(folder, client))
        first_ms = _first_ms(folder, client, first)
        shown = _watch(client)
        armed_ms, shown_ms, command_ms, start_ms = [], [], [], []
        for _ in range(samples):
            start_ms.append(_command(folder, "--version")[0])
            took, answer = _command(
                folder, "log", "bench", "worker.py:4", "{n}", "--if", "n < 0", "--json"
            )
            placed = json.loads(answer)["probe"]
            assert placed["instances"][0]["status"] == "armed", answer
            command_ms.append(took)
            client.delete(f"/v1/probes/{placed['id']}")
            began = time.time()
            probe = _place(client)
            armed_ms.append((time.time() - began) * 1e3)
            hit, at = shown.get(timeout=WAIT_S)
            shown_ms.append((at - hit["time"]) * 1e3)
            client.delete(f"/v1/probes/{probe}")
    return [
        _times("placed to armed", armed_ms),
        _times("command to armed", command_ms),
        _times("  of it, the command's start", start_ms),
        _times("hit to shown", shown_ms),
        _times("placed to armed, a process's first probe", first_ms),
    ]


def _first_ms(folder: Path, client: Client, count: int) -> list[float]:
    """Return how long the first probe took in each of so many new processes."""
    taken = []
    for number in range(count):
        with _worker(folder, client, f"bench-{number}"):
            began = time.time()
            _place(client, f"bench-{number}")
            taken.append((time.time() - began) * 1e3)
    return taken


def _command(folder: Path, *words: str) -> tuple[float, str]:
    """Run one `leadline` command; returns its milliseconds and what it printed."""
    began = time.time()
    done = subprocess.run(
        [Path(sys.executable).with_name("leadline"), *words],
        env=os.environ | {"XDG_STATE_HOME": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=WAIT_S,
        check=True,
    )
    return (time.time() - began) * 1e3, done.stdout


def _place(client: Client, service: str = "bench") -> str:
    """Place a probe and return its id once the server knows that it is armed."""
    body = {"kind": "log", "target": "worker.py:4", "template": "{n}", "limits": {"hits": 1}}
    probe = str(client.post(f"/v1/services/{service}/probes", body)["probe"]["id"])
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        states = client.get(f"/v1/probes/{probe}")["probe"]["instances"]
        if any(one["status"] in ("armed", "expired") for one in states):
            return probe
    raise TimeoutError("the probe was not armed")


def _watch(client: Client) -> "queue.Queue[tuple[dict[str, float], float]]":
    """Watch hits on a thread; returns where they arrive, with the time that they did."""
    arrived: queue.Queue[tuple[dict[str, float], float]] = queue.Queue()
    opened = threading.Event()

    def follow() -> None:
        for name, data in client.stream("/v1/hits/stream", time.monotonic() + 600):
            opened.set()
            if name == "hit":
                arrived.put((json.loads(data), time.time()))

    threading.Thread(target=follow, daemon=True).start()
    if not opened.wait(WAIT_S):
        raise TimeoutError("the stream of hits did not open")
    return arrived


@contextmanager
def running_server(folder: Path) -> Iterator[Client]:
    """Start a server that keeps everything in `folder`; returns the user's client of it."""
    keys = folder / "keys.json"
    (folder / "leadline").mkdir()
    command = [sys.executable, "-m", "leadline.server", "--port", "0", "--keys", str(keys)]
    command += [
        "--database",
        str(folder / "bench.db"),
        "--state",
        str(folder / "leadline/server.json"),
    ]
    with running_process(command, folder, {}) as server:
        assert server.stdout is not None
        url = server.stdout.readline().removeprefix("listening on ").strip()
        yield Client(url, load(keys).user)


@contextmanager
def _worker(folder: Path, client: Client, service: str = "bench") -> Iterator[None]:
    (folder / "worker.py").write_text(WORKER, "utf-8")
    key = client.post(f"/v1/services/{service}/agent-key")["key"]
    environ = {"LEADLINE_URL": client.url, "LEADLINE_KEY": key, "LEADLINE_SERVICE": service}
    with running_process([sys.executable, "worker.py"], folder, environ):
        deadline = time.monotonic() + WAIT_S
        while not any(
            one["connected"]
            for one in client.get("/v1/services")["services"]
            if one["service"] == service
        ):
            if time.monotonic() > deadline:
                raise TimeoutError("the worker did not connect")
            time.sleep(0.05)
        yield


@contextmanager
def running_process(
    command: list[str], folder: Path, environ: dict[str, str]
) -> Iterator["subprocess.Popen[str]"]:
    """Start a program and end it with the block; its output can be read."""
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environ, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=WAIT_S)


def _times(name: str, samples: list[float]) -> Times:
    ordered = sorted(samples)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return Times(name, statistics.median(ordered), p95, ordered[-1])
