"""What costs too much is suspended, told by the work that was done and not by time.

A real service under load, with a probe in its hottest loop: the loop goes on by the hundred
thousand, the probe by what is allowed.
"""

import pytest

from live import Program, tool
from waiting import wait_for

PERCENT = "0.02"
"""Of a core: so little that a probe exceeds it on any core, in C or in Python."""
SERVICE = """\
import os, sys, time
def step(total, number):
    changed = total ^ number
    return changed
end = time.monotonic() + 120
passes = 0
print("ready", flush=True)
while time.monotonic() < end:
    total = 0
    for number in range(16_384):
        total = step(total, number)
    assert total == 0, total
    passes += 16_384
    time.sleep(0.001)
    with open("passes.new", "w") as file:
        file.write(str(passes))
    os.replace("passes.new", "passes")
"""


@pytest.fixture
def hot(leadline, monkeypatch):
    monkeypatch.setenv("LEADLINE_BUDGET", PERCENT)
    (leadline.cwd / "hot.py").write_text(SERVICE, "utf-8")
    command = ["run", "--service", "hot", "--", tool("python"), "hot.py"]
    with Program([tool("leadline"), *command], leadline.cwd) as program:
        program.wait_for("ready")
        wait_for((leadline.cwd / "passes").exists)
        wait_for(lambda: leadline.connected("hot"))
        yield lambda: int((leadline.cwd / "passes").read_text("utf-8"))


def test_a_costly_probe_in_the_hottest_loop_is_suspended(leadline, hot) -> None:
    words = ("--rate", "1000", "--hits", "10000", "--ttl", "1h")
    probe = leadline.json("snap", "hot", "hot.py:4", *words)["probe"]["id"]

    def reason() -> str:
        (one,) = leadline.probe(probe)["instances"]
        return str(one["reason"]) if one["status"] == "suspended" else ""

    first = wait_for(reason, 30)
    assert "are allowed" in first
    assert "tries again after" in first
    wait_for(lambda: "tried again" in reason(), 60, "it was not suspended again")
    fates = leadline.probe(probe)["fates"]
    assert fates["captured"] >= 1
    before = hot()
    wait_for(lambda: hot() > before + 200_000, 60, "the service went on")
    assert sum(leadline.probe(probe)["fates"].values()) < hot() / 20


def test_a_probe_that_may_cost_less_is_suspended_for_itself(leadline, hot) -> None:
    words = ("--rate", "1000", "--hits", "10000", "--cost", "0.002")
    probe = leadline.json("snap", "hot", "hot.py:4", *words)["probe"]["id"]

    def reason() -> str:
        (one,) = leadline.probe(probe)["instances"]
        return str(one["reason"]) if one["status"] == "suspended" else ""

    said = wait_for(lambda: "its limit is" in reason() and reason(), 30)
    assert "its limit is 0.02; it tries again after" in said
    listed = wait_for(lambda: "its limit is" in (text := leadline.cli("probes")) and text, 30)
    assert "at most 0.002 % of a core" in listed
    before = hot()
    wait_for(lambda: hot() > before + 100_000, 60, "the service went on")
    assert leadline.probe(probe)["limits"]["cost_percent"] == 0.002


def test_a_probe_over_its_rate_does_no_more_work_than_its_rate(leadline, hot) -> None:
    """Or than the budget, whichever is less."""
    words = ("--rate", "10", "--hits", "100000")
    probe, before = leadline.log("hot", "hot.py:4", "{number}", *words)["id"], hot()
    wait_for(lambda: hot() > before + 300_000, 60)
    fates = wait_for(lambda: leadline.probe(probe)["fates"], 30)
    assert fates["captured"] >= 1
    assert sum(fates.values()) < hot() / 100
