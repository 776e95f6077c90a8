"""A clock that is set while everything runs, of the service or of the server, by hours.

That what is stored is not called old by a clock that jumped is in
`tests/store/test_store_retention.py`.
"""

import json
import time
from collections.abc import Callable

import pytest

from bad_clock import Clock
from bad_service import WORK, said, serving, works
from live import LEADLINE, Leadline, Program
from waiting import wait_for
from watched import ARRIVES_S, Watched

HOURS = 5 * 3600
FAR = (HOURS, -HOURS, 0)
"""Forwards, backwards by twice as much, and right again."""
PLACE = f"deep.py:{WORK}"
MANY = {"hits": 10_000, "rate_per_s": 1_000.0, "ttl_s": 600.0}


@pytest.fixture
def clock(tmp_path, needs: Callable[[str], str]) -> Clock:
    return Clock(tmp_path, needs("gcc"))


def place_all(watched: Watched) -> tuple[str, str]:
    """Place a log and a counter; returns their ids."""
    log = watched.place({"kind": "log", "target": PLACE, "template": "{n}", "limits": MANY})
    counter = watched.place({"kind": "counter", "target": PLACE})
    watched.wait_armed([log, counter], 1)
    return log, counter


def ends_by_itself(watched: Watched, seconds: int, jump: Callable[[], None]) -> None:
    """A probe of a short life is over in time although the clock is set meanwhile."""
    short = watched.place({"kind": "counter", "target": PLACE, "limits": {"ttl_s": seconds}})
    watched.wait_armed([short], 1)
    jump()

    wait_for(
        lambda: watched.api.probe(short)["status"] == "expired",
        seconds + ARRIVES_S,
        "it is over",
    )


def check(watched: Watched, tail: Program, log: str, counter: str) -> list[float]:
    """All three passages were seen, in their order; returns the times of the hits."""
    hits = watched.wait_hits(log, 3)
    assert [hit["message"] for hit in hits] == ["1", "2", "3"]
    assert [hit["seq"] for hit in hits] == sorted({hit["seq"] for hit in hits})
    wait_for(lambda: tail.out.count('"hit"') == 3, ARRIVES_S, "the stream shows them")
    shown = [json.loads(line) for line in tail.out.splitlines()]
    assert [one["hit"]["message"] for one in shown if "hit" in one] == ["1", "2", "3"]
    wait_for(lambda: watched.api.probe(counter)["total"].get("count") == 3, ARRIVES_S)
    watched.unharmed()
    return [hit["time"] for hit in hits]


def test_the_clock_of_the_service_is_set(shore, clock) -> None:
    """Hits have the time that the service believes; what is limited goes by the steady one."""
    with serving(shore, "timely", clock.env) as watched:
        log, counter = place_all(watched)
        with Program([LEADLINE, "tail", "timely", "--json"], shore.cwd) as tail:
            tail.wait_for("watching")
            for number, shift in enumerate(FAR, 1):
                clock.shift(shift)
                assert abs(said(watched.port, "clock") - time.time() - shift) < ARRIVES_S
                works(watched.port, number)
                watched.wait_hits(log, number)
                assert watched.armed(log)
            times = check(watched, tail, log, counter)
        for found, shift in zip(times, FAR, strict=True):
            assert abs(found - time.time() - shift) < 10 * ARRIVES_S
        ends_by_itself(watched, 2, lambda: clock.shift(-HOURS))
        ends_by_itself(watched, 2, lambda: clock.shift(HOURS))
        assert watched.api.probe(log)["status"] == "armed"


@pytest.mark.soak
def test_the_clock_of_the_server_is_set(home, tmp_path, clock, monkeypatch) -> None:
    """Set back, nothing lives longer in a service than it was given; set forward, what would
    be over by then is, and says so. Placing, hits and streams go on."""
    leadline = Leadline(home, tmp_path)
    with monkeypatch.context() as patch:
        for name, value in clock.env.items():
            patch.setenv(name, value)
        leadline.up()
    try:
        with serving(leadline, "punctual") as watched:
            log, counter = place_all(watched)
            with Program([LEADLINE, "tail", "punctual", "--json"], tmp_path) as tail:
                tail.wait_for("watching")
                for number, shift in enumerate((-HOURS, -2 * HOURS, 0), 1):
                    clock.shift(shift)
                    works(watched.port, number)
                    watched.wait_hits(log, number)
                check(watched, tail, log, counter)
            ends_by_itself(watched, 2, lambda: clock.shift(-HOURS))
            clock.shift(HOURS)
            late = watched.place({"kind": "counter", "target": PLACE})
            watched.wait_armed([late], 1)
            wait_for(lambda: watched.api.probe(log)["status"] == "expired", ARRIVES_S)
            assert "600 seconds are over" in watched.api.probe(log)["reason"]
            assert watched.api.probe(late)["status"] == "armed"
            works(watched.port, 4)
            watched.wait_captured(late, 1)
            clock.shift(0)
            works(watched.port, 5)
            watched.wait_captured(late, 2)
            watched.unharmed()
    finally:
        leadline.close()
