"""From a line of a running service to an OpenTelemetry collector, every kind of probe."""

import sys
from contextlib import closing

import pytest

from collecting import Receiver, attributes
from live import LEADLINE, Leadline, Program
from waiting import wait_for

SERVICE = """\
import time

def price(n):
    total = n * 2.5
    if n % 10 == 0:
        raise LookupError(f"no price for {n}")
    return total

def main():
    n = 0
    while True:
        n += 1
        try:
            price(n)
        except LookupError:
            pass
        time.sleep(0.005)

main()
"""
LINE = SERVICE.splitlines().index("    total = n * 2.5") + 1


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()
    assert made.faults == []


@pytest.fixture
def exporting(receiver, home, tmp_path):
    with closing(Leadline(home, tmp_path)) as made:
        yield made.up("--otlp", receiver.url)


@pytest.mark.soak
def test_hits_and_points_of_a_running_service_arrive(
    exporting, receiver, tmp_path, monkeypatch
):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=7.1")
    (tmp_path / "app.py").write_text(SERVICE)
    command = [LEADLINE, "run", "--service", "shop", "--", sys.executable, "app.py"]
    with Program(command, tmp_path):
        wait_for(lambda: exporting.connected("shop"), 20)
        probes = {
            "log": ["log", "shop", f"app.py:{LINE}", "n={n}", "--hits", "5"],
            "counter": ["count", "shop", f"app.py:{LINE}"],
            "metric": ["metric", "shop", "app:price", "result"],
            "timer": ["time", "shop", "app:price"],
            "exception": ["catch", "shop", "app:price", "--type", "LookupError", "--hits", "2"],
            "snapshot": ["snap", "shop", f"app.py:{LINE + 1}", "--hits", "1"],
        }
        kinds = {
            exporting.json(*words, "--wait", "10s", status=None)["probe"]["id"]: kind
            for kind, words in probes.items()
        }

        def seen():
            logs = [attributes(entry.attributes) for _, entry in list(receiver.logs)]
            return {kinds[one["leadline.probe.id"]] for one in logs}

        wait_for(lambda: seen() == {"log", "exception", "snapshot"}, 20)
        wait_for(lambda: {metric.name for _, metric in list(receiver.metrics)} >= NAMES, 20)
    logs, metrics = list(receiver.logs), list(receiver.metrics)
    assert {one["service.name"] for one, _ in [*logs, *metrics]} == {"shop"}
    assert {one["service.version"] for one, _ in [*logs, *metrics]} == {"7.1"}
    found = [attributes(entry.attributes) for _, entry in logs]
    thrown = next(one for one in found if "exception.type" in one)
    assert thrown["exception.type"] == "LookupError"
    assert thrown["exception.message"].startswith("no price for ")
    last = thrown["exception.stacktrace"].splitlines()[-1]
    assert last == f"LookupError: {thrown['exception.message']}"
    assert sum(
        point.as_int
        for _, metric in metrics
        if metric.name == "leadline.probe.passages"
        for point in metric.sum.data_points
    )
    for _, metric in metrics:
        for point in metric.exponential_histogram.data_points:
            counts = [*point.positive.bucket_counts, *point.negative.bucket_counts]
            assert point.count == point.zero_count + sum(counts)
            assert 0 <= point.min <= point.sum / point.count <= point.max


NAMES = {"leadline.probe.passages", "leadline.probe.value", "leadline.probe.duration"}
