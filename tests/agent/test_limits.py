"""S3: rate, number, life, budget, and the full buffer."""

import sys

import pytest

from leadline.agent.core.passage import BUDGET_NS
from leadline.wire.probe import DEFAULTS, CounterProbe, Fate, ProbeKind, Status

WORK = "def work(x):\n    y = x + 1\n    return y\n"
ENDLESS = DEFAULTS[ProbeKind.COUNTER]
PASS = "def work(x):\n    y = x\n    return y\n"


def test_over_its_rate_a_probe_is_off_until_the_next_second(soundings, make_module) -> None:
    module = make_module("rate", WORK)
    probe = soundings.log("rate.py:2", rate=5)
    soundings.tick(0)
    for _ in range(1_000):
        module.work(1)
    state = soundings.state(probe)
    assert state.fates[Fate.CAPTURED] == 5
    assert state.fates[Fate.RATE_LIMITED] == 1  # asked once, then DISABLE: not called again
    soundings.tick(1.1)
    for _ in range(1_000):
        module.work(1)
    assert soundings.state(probe).fates[Fate.CAPTURED] == 10
    assert soundings.state(probe).status is Status.ARMED


def test_false_conditions_do_not_use_up_the_rate(soundings, make_module) -> None:
    module = make_module("rare", WORK)
    probe = soundings.log("rare.py:2", "x={x}", condition="x == 500", rate=1)
    for number in range(1_000):
        module.work(number)
    assert soundings.messages() == ["x=500"]
    assert soundings.state(probe).fates[Fate.CONDITION_FALSE] == 500  # then off, at no cost


def test_the_hit_limit_expires_and_leaves_no_event(soundings, make_module) -> None:
    module = make_module("three", WORK)
    probe = soundings.log("three.py:2", hits=3)
    for _ in range(10):
        module.work(1)
    soundings.tick()
    assert len(soundings.messages()) == 3
    assert soundings.state(probe).status is Status.EXPIRED
    assert "3 hits" in soundings.state(probe).reason
    assert sys.monitoring.get_local_events(soundings.monitor.tool, module.work.__code__) == 0


def test_the_time_to_live_expires_without_a_server(soundings, make_module) -> None:
    module = make_module("life", WORK)
    probe = soundings.log("life.py:2", ttl=60)
    soundings.tick(61)
    module.work(1)
    assert soundings.messages() == []
    assert soundings.state(probe).status is Status.EXPIRED


def test_the_costliest_probe_is_suspended_and_tries_again(soundings, make_module) -> None:
    """The budget is what was measured on the application's thread."""
    module = make_module("budget", PASS)
    cheap = soundings.log("budget.py:3", "here", condition="x is None")
    costly = soundings.log("budget.py:2", "{x}", items=1_000)
    value = [{"k": n} for n in range(1_000)]
    for _ in range(10_000):
        module.work(value)
        if soundings.core.unread_ns > BUDGET_NS:
            break
    soundings.tick()
    state = soundings.state(costly)
    assert state.status is Status.SUSPENDED
    assert "10 are allowed" in state.reason
    assert state.cost_ns > BUDGET_NS / 2
    assert soundings.state(cheap).status is Status.ARMED
    soundings.messages()  # a full buffer would drop what comes
    captured = state.fates[Fate.CAPTURED]
    module.work(value)
    assert soundings.state(costly).fates[Fate.CAPTURED] == captured
    soundings.tick(1.5)
    assert soundings.state(costly).status is Status.ARMED
    module.work(value)
    assert soundings.state(costly).fates[Fate.CAPTURED] == captured + 1


def test_a_probe_stops_at_its_own_cost(soundings, make_module) -> None:
    """Long before the budget of the process; the other probe does not notice."""
    module = make_module("own_cost", PASS)
    other = soundings.log("own_cost.py:3", "here", condition="x is None")
    costly = soundings.log("own_cost.py:2", "{x}", items=1_000, cost=0.1)
    value = [{"k": n} for n in range(150)]  # several hits until it stops
    calls = 0
    while not soundings.state(costly).fates.get(Fate.OVER_BUDGET) and calls < 10_000:
        module.work(value)
        calls += 1
    stopped = soundings.state(costly)
    assert 1_000_000 < stopped.cost_ns < BUDGET_NS
    for _ in range(100):
        module.work(value)
    assert soundings.state(costly).fates == stopped.fates  # it costs nothing any more
    soundings.tick(0.1)  # not only when the second is over
    state = soundings.state(costly)
    assert state.status is Status.SUSPENDED
    assert state.reason.endswith("and its limit is 1; it tries again after 1 s")
    assert soundings.state(other).status is Status.ARMED
    soundings.tick(1.1)
    assert soundings.state(costly).status is Status.ARMED
    for _ in range(calls + 10):
        module.work(value)
    soundings.tick(0.1)
    state = soundings.state(costly)
    assert "tried again" in state.reason
    assert state.reason.endswith("after 2 s")
    used = state.cost_ns - stopped.cost_ns
    assert used < 2 * stopped.cost_ns  # a tenth of its limit, and one hit, slow or not
    assert soundings.state(other).status is Status.ARMED
    assert soundings.state(other).fates[Fate.CONDITION_FALSE] > calls


def test_a_cheap_probe_that_uses_up_the_budget_is_suspended(soundings, make_module) -> None:
    """Its hits are so short that it stops just at the budget, and not far beyond."""
    module = make_module("cheap", PASS)
    cheap = soundings.place(CounterProbe, "cheap.py:2", limits=ENDLESS)
    soundings.registry.budget.whole_ns = 20_000
    soundings.tick(0.2)
    while not soundings.state(cheap).fates.get(Fate.OVER_BUDGET):
        module.work(1)
    soundings.tick(0.1)
    state = soundings.state(cheap)
    assert state.status is Status.SUSPENDED
    assert "0.02 are allowed" in state.reason
    over = state.fates[Fate.OVER_BUDGET]
    soundings.tick(1.2)
    soundings.tick(20)  # it was calm, but not for a minute
    assert soundings.state(cheap).status is Status.ARMED
    while soundings.state(cheap).fates[Fate.OVER_BUDGET] == over:
        module.work(1)
    soundings.tick(0.1)
    reason = soundings.state(cheap).reason
    # where the hit before the budget's end is a slow one, it has gone beyond it
    assert reason.startswith("tried again, it used") or "tries again after 2 s" in reason


def test_when_the_budget_is_used_up_no_other_gets_a_hit(soundings, make_module) -> None:
    """Not even one at each tick, which with many probes would be much."""
    module = make_module("others", PASS)
    soundings.registry.budget.whole_ns = 20_000
    soundings.tick(0.2)
    costly = soundings.log("others.py:2", "{x}")
    other = soundings.log("others.py:3", "{y}", condition="x == 'late'")
    while not soundings.state(costly).fates.get(Fate.OVER_BUDGET):
        module.work(1)
    for _ in range(3):
        soundings.tick(0.1)
        module.work("late")
    assert soundings.state(other).fates.get(Fate.CAPTURED) is None
    soundings.registry.remove([costly])
    soundings.tick(1)
    module.work("late")
    assert soundings.state(other).fates[Fate.CAPTURED] == 1


def test_a_full_ring_drops_counts_and_goes_on(soundings, make_module) -> None:
    """The full-buffer hang of a peer: here nobody waits for anybody."""
    soundings.core.ring.most_records = 10
    module = make_module("full", WORK)
    probe = soundings.log("full.py:2")
    assert [module.work(n) for n in range(30)] == [n + 1 for n in range(30)]
    state = soundings.state(probe)
    assert state.fates[Fate.CAPTURED] == 10
    assert state.fates[Fate.DROPPED] == 20
    assert soundings.core.dropped() == {"buffer full": 20}
    assert len(soundings.messages()) == 10
    module.work(1)
    assert len(soundings.messages()) == 1


def test_the_ring_is_bounded_in_bytes_too(soundings, make_module) -> None:
    soundings.core.ring.most_bytes = 1_000
    module = make_module("bytes", PASS)
    soundings.log("bytes.py:2", "{x}")
    for _ in range(10):
        module.work("v" * 250)
    assert soundings.core.dropped() == {"buffer full": 7}


def test_a_hit_that_is_too_large_is_dropped_alone(soundings, make_module) -> None:
    soundings.core.ring.most_record_bytes = 1_000
    module = make_module("wide", PASS)
    soundings.log("wide.py:2", "{x}")
    module.work(["v" * 200] * 50)
    module.work("small")
    assert soundings.messages() == ["small"]
    assert soundings.core.dropped() == {"hit too large": 1}


@pytest.mark.soak
def test_a_thousand_probes_on_one_line(soundings, make_module) -> None:
    module = make_module("many", WORK)
    for _ in range(1_000):
        soundings.log("many.py:2", "x={x}", condition="x > 5")
    assert module.work(1) == 2
    assert soundings.messages() == []
