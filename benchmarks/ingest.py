"""How much one server takes in: reports of hits and of points, posted by a few agents at once.

    python -m benchmarks.ingest [SECONDS]

Each agent is a process of its own with one connection, as real ones have; each posts the next
report when the last one was answered. What is counted is what was stored. The server's own time
is CPU time, which says the same on a machine that is busy with something else.
"""

import http.client
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import zlib
from multiprocessing.synchronize import Event
from pathlib import Path
from urllib.parse import urlsplit

from leadline.wire.hit import Hit, InstanceInfo, Point, Report
from leadline.wire.keys import agent_key, load
from leadline.wire.messages import REPORT_PATH, encode
from leadline.wire.sketch import buckets_of

AGENTS = 2
HITS = 100
"""Hits of one report: what a busy second of two probes at their default rate makes."""
POINTS = 10
SERVICE = "bench"


def main(seconds: float = 5.0) -> int:
    """Measure and print; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        server, url = _start(Path(folder))
        try:
            user, key = _keys(Path(folder))
            hits = _place(url, user, {"kind": "log", "target": "a.py:1", "template": "{x}"})
            points = _place(
                url, user, {"kind": "metric", "target": "a.py:1", "expression": "x"}
            )
            print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {AGENTS} agents")
            for name, made in (
                (f"reports of {HITS} hits", (hits, HITS, "", 0)),
                (f"reports of {POINTS} points of 100 buckets", ("", 0, points, POINTS)),
                (f"reports of {HITS} hits and {POINTS} points", (hits, HITS, points, POINTS)),
            ):
                before = _cpu_s(server.pid)
                reports, took = _load(url, key, made, seconds)
                per_s, cpu_us = reports / took, (_cpu_s(server.pid) - before) / reports * 1e6
                print(
                    f"  {name:42} {per_s:7.0f} reports/s  {per_s * made[1]:8.0f} hits/s"
                    f"  {per_s * made[3]:8.0f} points/s  {cpu_us:8.0f} us CPU a report"
                )
        finally:
            server.terminate()
            server.wait(10)
            assert server.stdout is not None
            server.stdout.close()
    return 0


def _start(folder: Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "leadline.server", "--port", "0"]
    command += ["--database", str(folder / "hits.db"), "--keys", str(folder / "keys.json")]
    command += ["--state", str(folder / "state.json")]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().split()[-1]


def _cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _keys(folder: Path) -> tuple[str, str]:
    keys = load(folder / "keys.json")
    return keys.user, agent_key(keys, SERVICE)


def _place(url: str, user: str, body: dict[str, object]) -> str:
    connection = _connect(url)
    body = {"limits": {"hits": 1_000_000}} | body
    headers = {"Authorization": f"Bearer {user}"}
    path = f"/v1/services/{SERVICE}/probes"
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    content = json.loads(answer.read())
    assert answer.status == 201, content
    connection.close()
    return str(content["probe"]["id"])


def _load(
    url: str, key: str, made: tuple[str, int, str, int], seconds: float
) -> tuple[int, float]:
    """Return how many reports were answered, and in how many seconds."""
    go, stop = multiprocessing.Event(), multiprocessing.Event()
    counts: multiprocessing.Queue[int] = multiprocessing.Queue()
    agents = [
        multiprocessing.Process(target=_post, args=(url, key, made, go, stop, counts))
        for _ in range(AGENTS)
    ]
    for agent in agents:
        agent.start()
    go.set()
    begun = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    total = sum(counts.get(timeout=30) for _ in agents)
    took = time.perf_counter() - begun
    for agent in agents:
        agent.join(10)
    return total, took


def _post(
    url: str,
    key: str,
    made: tuple[str, int, str, int],
    go: Event,
    stop: Event,
    counts: "multiprocessing.Queue[int]",
) -> None:
    log, hits, metric, points = made
    name = f"agent-{os.getpid()}"
    info = InstanceInfo(name, SERVICE, os.getpid(), "h", "a.py", "3", "0", "pure", 1.0)
    buckets = buckets_of(1.02**n for n in range(100))
    connection, seq, answered = _connect(url), 0, 0
    headers = {"Authorization": f"Bearer {key}", "Content-Encoding": "deflate"}
    go.wait()
    while not stop.is_set():
        report = Report(
            info,
            [
                Hit(log, name, seq + n, 1.5, "MainThread", "/srv/a.py", 1, "f", f"x={n}",
                    {"x": n, "sql": "SELECT name FROM users WHERE id = 12"})
                for n in range(hits)
            ],
            [
                Point(metric, name, seq + hits + n, time.time(), 1.0, 100, 250.0, 1.0, 7.5,
                      buckets)
                for n in range(points)
            ],
        )  # fmt: skip
        seq += hits + points
        connection.request("POST", REPORT_PATH, zlib.compress(encode(report), 1), headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 204, answer.status
        answered += 1
    counts.put(answered)


def _connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    return http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:2])))
