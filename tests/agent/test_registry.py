"""The set of probes: one that fails is alone with it, one that goes says its last word."""

import sys
from dataclasses import replace
from threading import Thread

import pytest

from leadline.agent.guard import faults
from leadline.wire.errors import UsageError
from leadline.wire.probe import Fate, LogProbe, Status
from leadline.wire.target import Target

WORK = "def work(x):\n    y = x\n    return y\n"


@pytest.mark.parametrize(
    "file", ["", ".", "..", "a/..", "a/", "/\ud800/x.py", "a\0b.py", "<string>", "x" * 501]
)
def test_what_is_no_file_is_no_target(file) -> None:
    with pytest.raises(UsageError) as refused:
        Target(file, 1)
    assert refused.value.slug == "bad-target"


def test_a_probe_that_cannot_be_placed_keeps_no_other_out(
    soundings, make_module, monkeypatch
) -> None:
    module = make_module("set_of", WORK)
    real = soundings.registry._arming.look

    def failing(one):
        if one.probe.id == "bad":
            raise ZeroDivisionError
        real(one)

    monkeypatch.setattr(soundings.registry._arming, "look", failing)
    target = Target("set_of.py", 2)
    soundings.registry.apply([LogProbe("bad", target, "x"), LogProbe("good", target, "{x}")])
    module.work(1)
    assert soundings.messages() == ["1"]
    assert soundings.state("bad").status is Status.ERROR
    assert faults.counts == {"placing": 1}
    faults.clear()


def test_another_probe_under_a_known_id_takes_its_place(soundings, make_module) -> None:
    """As a server says that has lost its database; the same one with less time goes on."""
    module = make_module("again", WORK)
    here, there = (LogProbe("p1", Target("again.py", line), "{x}") for line in (2, 3))
    soundings.registry.apply([here])
    module.work(1)
    soundings.registry.apply([replace(here, limits=replace(here.limits, ttl_s=5.0))])
    assert soundings.state("p1").fates == {Fate.CAPTURED: 1}
    soundings.registry.apply([there])
    assert (soundings.state("p1").line, soundings.state("p1").fates) == (3, {})


def test_a_probe_that_is_taken_out_reports_its_last_counts(soundings, make_module) -> None:
    module = make_module("last", WORK)
    probe = soundings.log("last.py:2")
    soundings.registry.acknowledge(soundings.registry.changes())
    for number in range(3):
        module.work(number)
    soundings.registry.remove([probe])
    (state,) = soundings.registry.changes()
    assert (state.status, state.fates[Fate.CAPTURED]) == (Status.REMOVED, 3)
    assert soundings.registry  # there is something to report yet
    soundings.registry.acknowledge([state])
    assert soundings.registry.changes() == []
    assert not soundings.registry


def test_what_removed_probes_have_spent_suspends_no_other(soundings, make_module) -> None:
    make_module("calm", WORK)
    soundings.tick()
    soundings.core._spent_ns = 20_000_000  # left over from a probe that is gone
    probe = soundings.log("calm.py:2")
    soundings.tick(3)
    assert soundings.state(probe).status is Status.ARMED


@pytest.mark.soak
def test_one_thread_changes_the_set_while_another_reports_it(soundings, make_module) -> None:
    """What the receiver and the sender do, with the interpreter changing between them as often
    as it can: many probes come, wait, are acknowledged, and go."""
    make_module("busy", WORK)
    registry, failures = soundings.registry, []
    probes = [
        LogProbe(f"b{n}", Target("busy.py" if n % 2 else "absent.py", 2), "x")
        for n in range(30)
    ]

    def report() -> None:
        try:
            while not done:
                registry._search(0.0)
                registry.acknowledge(registry.changes())
        except RuntimeError as error:
            failures.append(error)

    done: list[bool] = []
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    sender = Thread(target=report)
    sender.start()
    try:
        for _ in range(10):
            registry.apply(probes)
            registry.remove(f"b{n}" for n in range(0, 30, 2))
            registry.apply([])
    finally:
        done.append(True)
        sender.join(30)
        sys.setswitchinterval(before)
    assert not failures
    assert not sender.is_alive()
