"""Whole calls: what went in before it was changed, what came out, and which calls are kept."""

import asyncio
import json
import sys
import threading
import time

import pytest

from leadline.agent.capture import kept_surroundings
from leadline.agent.core.passage import BUDGET_NS
from leadline.agent.probes.capturing import LOOKING_SHARE, MOST_BESIDE, compile_capture
from leadline.agent.probes.choosing import chooser, shape_of
from leadline.expression import fuel
from leadline.trial.depth import depth_of
from leadline.trial.rebuilding import rebuild
from leadline.wire.carriage import delivered
from leadline.wire.errors import UsageError
from leadline.wire.limits import Limits
from leadline.wire.messages import encode
from leadline.wire.packing import Allowance
from leadline.wire.probe import CaptureProbe, Fate, Status
from leadline.wire.target import parse_place

SHOP = """\
import asyncio

def share(cart, people, note=None):
    cart.append("seen")
    each = len(cart) / people
    return {"each": each, "note": note}

def fact(n):
    return 1 if n <= 1 else n * fact(n - 1)

def way(cart):
    return share(cart, 2)

def outer(cart):
    return way(cart)

async def later(n):
    await asyncio.sleep(0)
    if n == 13:
        raise LookupError("no such thing")
    return n + 1

def each(n):
    for one in range(n):
        yield one
    return "end"

def named(result, exception, duration):
    exception.append(5)
    return 4

def hot(n):
    return n

def often(n, over=None):
    while over is not None and not over():
        often(n)
    return n
"""

CALLS = Limits(hits=100, rate_per_s=1_000.0)


@pytest.fixture(autouse=True)
def own_streams(monkeypatch):
    """What the tests are run by has replaced the standard streams; a service has not."""
    monkeypatch.setattr(kept_surroundings, "replaced", lambda: ())


@pytest.fixture
def shop(make_module):
    return make_module("captured_shop", SHOP)


def capture(soundings, function: str, **options) -> str:
    options = {"limits": CALLS} | options
    return soundings.place(CaptureProbe, f"captured_shop:{function}", **options)


def calls(soundings):
    readings = soundings.readings()
    for reading in readings:
        travelled = delivered(json.loads(encode(reading.carried)), Allowance())
        assert travelled == json.loads(encode(reading.call))
    return [reading.call for reading in readings]


def argument(call, name):
    return rebuild(call.kept)[name]


def test_a_call_is_kept_as_it_began_and_as_it_ended(soundings, shop) -> None:
    probe = capture(soundings, "share")
    assert soundings.state(probe).status is Status.ARMED
    assert shop.outer(["tea"]) == {"each": 1.0, "note": None}
    [reading] = soundings.readings()
    call = reading.call
    assert argument(call, "cart") == ["tea"]
    assert call.arguments["cart"]["items"] == ["tea", "seen"]
    assert (call.entry, call.kind, call.returned) == ("captured_shop:share", "function", True)
    assert call.value["entries"][0] == ["each", {"type": "float", "text": "1.0"}] or (
        call.value["entries"][0] == ["each", 1.0]
    )
    assert call.callers[:2] == ["captured_shop:way", "captured_shop:outer"]
    assert 0 < call.duration_s < 1
    assert call.fails is None
    assert call.home is not None
    assert call.home.file == shop.__file__
    assert len(call.home.digest) == 64
    assert call.home.python == sys.version.split()[0]
    assert call.home.recursion_limit == sys.getrecursionlimit()
    assert call.home.max_str_digits == sys.get_int_max_str_digits()
    assert call.home.warnings == sys.warnoptions
    assert reading.message.startswith("share(…) returned {'each': 1.0, 'note': None}, kept ")


def test_how_deep_on_the_stack_a_call_began_is_kept(soundings, shop) -> None:
    capture(soundings, "fact")
    outer = depth_of(sys._getframe())
    assert shop.fact(4) == 24
    depths = {argument(call, "n"): call.depth - outer for call in calls(soundings)}
    assert depths == {4: 1, 3: 2, 2: 3, 1: 4}


def test_parameters_that_are_called_like_parts_of_a_call(soundings, shop) -> None:
    capture(soundings, "named")
    assert shop.named(1, [2], "three") == 4
    [call] = calls(soundings)
    assert call.arguments["result"] == 1
    assert call.arguments["exception"]["items"] == [2, 5]
    assert (call.arguments["duration"], call.value) == ("three", 4)
    assert [argument(call, name) for name in ("result", "exception", "duration")] == [
        1, [2], "three"
    ]  # fmt: skip


def test_what_other_hits_have_looked_at_does_not_end_a_capture(soundings, shop) -> None:
    """How much one hit may look at is counted for each thread, and begins anew with each."""
    capture(soundings, "share", fails="result['each'] > 2")
    for level in (fuel.FULL, 3, -1):
        fuel.fill_to(level)
        shop.share([1, 2], 1)
        fuel.fill_to(level)
    assert [call.fails for call in calls(soundings)] == [True] * 3


def test_the_first_call_of_each_sort_tells_where_the_function_is_from(soundings, shop) -> None:
    """The server may have room for the ones that fail alone."""
    capture(soundings, "share", fails="people > 1")
    for people in (1, 1, 2, 2):
        shop.share([], people)
    assert [call.home is None for call in calls(soundings)] == [False, True, False, True]


def test_only_the_first_call_tells_where_the_function_is_from(soundings, shop) -> None:
    capture(soundings, "share")
    for people in (1, 2):
        shop.share([], people)
    assert [call.home is None for call in calls(soundings)] == [False, True]


def test_a_call_that_raises_says_what_and_whether_that_was_looked_for(soundings, shop) -> None:
    capture(soundings, "share", fails="raises ArithmeticError or result['each'] > 2")
    with pytest.raises(ZeroDivisionError):
        shop.share([], 0)
    with pytest.raises(TypeError):
        shop.share([], "two")
    shop.share([], 1)
    shop.share([1, 2], 1)
    found = calls(soundings)
    assert [call.returned for call in found] == [False, False, True, True]
    assert [call.fails for call in found] == [True, False, False, True]
    assert found[0].value["type"] == "ZeroDivisionError"


def test_each_call_of_a_recursion_has_its_own_arguments(soundings, shop) -> None:
    capture(soundings, "fact")
    assert shop.fact(4) == 24
    found = calls(soundings)
    assert [argument(call, "n") for call in found] == [1, 2, 3, 4]
    assert [call.value for call in found] == [1, 2, 6, 24]


def test_calls_on_several_threads_are_told_apart(soundings, shop) -> None:
    capture(soundings, "share", limits=Limits(hits=1_000, rate_per_s=1_000.0))
    soundings.lift_budget()
    start = threading.Barrier(4)

    def run(number: int) -> None:
        start.wait(10)
        for step in range(10):
            shop.share([number] * (step + 1), number, (number, step))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for call in calls(soundings):
        number, step = argument(call, "note")
        assert argument(call, "cart") == [number] * (step + 1)
        assert argument(call, "people") == number
        assert call.arguments["note"]["items"] == [number, step]


def test_coroutines_are_calls_though_they_take_turns(soundings, shop) -> None:
    probe = capture(soundings, "later", fails="raises LookupError")

    async def many():
        return await asyncio.gather(*map(shop.later, range(10, 15)), return_exceptions=True)

    asyncio.run(many())
    found = {argument(call, "n"): call for call in calls(soundings)}
    assert sorted(found) == [10, 11, 12, 13, 14]
    assert {call.kind for call in found.values()} == {"coroutine"}
    assert found[12].value == 13
    assert [n for n, call in found.items() if call.fails] == [13]
    assert soundings.state(probe).fates == {Fate.CAPTURED: 5}


def test_the_condition_is_asked_at_the_beginning(soundings, shop) -> None:
    probe = capture(soundings, "share", condition="people == 1")
    shop.share([], 1)
    shop.share([], 2)
    assert [argument(call, "people") for call in calls(soundings)] == [1]
    assert soundings.state(probe).fates == {Fate.CAPTURED: 1, Fate.CONDITION_FALSE: 1}


def test_failing_calls_have_a_quarter_of_the_hits(soundings, shop, monkeypatch) -> None:
    monkeypatch.setattr("leadline.agent.probes.choosing.SPREAD_S", 0.0)
    probe = capture(
        soundings,
        "share",
        fails="raises ZeroDivisionError",
        limits=Limits(hits=8, rate_per_s=1_000.0),
    )
    soundings.lift_budget()
    for _ in range(50):
        for _ in range(20):
            shop.share([], 1)
        soundings.tick()
    good = calls(soundings)
    assert len(good) == 6
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            shop.share([], 0)
        soundings.tick()
    assert [call.fails for call in calls(soundings)] == [True, True]
    state = soundings.state(probe)
    assert state.status is Status.EXPIRED
    assert state.fates[Fate.CAPTURED] == 8
    soundings.tick(1.5)
    assert sys.monitoring.get_local_events(4, shop.share.__code__) == 0


def test_of_calls_that_are_alike_some_are_kept() -> None:
    chosen = chooser(1_000_000, reserves=False)
    chosen._began -= 1_000
    assert all(chosen.takes("a", failed=False) for _ in range(3))
    few = chooser(100, reserves=False)
    assert 10 < sum(few.takes("a", failed=False) for _ in range(1_000)) < 100
    assert sum(few.takes("b", failed=False) for _ in range(3)) == 3
    assert few.takes("a", failed=True)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (1, 2, True),
        (0, 1, False),
        (None, False, False),
        ([1], [2], True),
        ([1], [], False),
        ([1] * 4, [1] * 400, True),
        ({"a": 1}, {"a": 2}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": None}, {"a": 1}, False),
        ("", "long text", False),
        (asyncio.Event, asyncio.Lock, True),
    ],
)
def test_a_shape_is_types_keys_and_small_lengths(one, other, alike) -> None:
    assert (shape_of(one) == shape_of(other)) is alike


def test_a_shape_asks_no_object_anything() -> None:
    class Hostile(dict):
        def __len__(self):
            raise AssertionError

        __iter__ = __hash__ = __eq__ = __getattribute__ = items = __len__

    assert shape_of(Hostile()) == "Hostile"
    assert hash(shape_of({Hostile: Hostile(), 1: Hostile()}))


@pytest.mark.parametrize("function", ["hot", pytest.param("often", marks=pytest.mark.soak)])
def test_a_hot_function_is_sampled_and_not_slow(soundings, shop, function) -> None:
    """With a call of it under way all the while, too."""
    probe = capture(
        soundings, function, fails="result < 0", limits=Limits(100, rate_per_s=20.0)
    )
    began = ticked = time.monotonic()
    until = began + (3.4 if function == "often" else 2.0)  # with a pause that begins late

    def over() -> bool:
        nonlocal ticked
        if (now := time.monotonic()) - ticked > 0.1:
            ticked = now
            soundings.registry.tick(now)
        return now > until

    if function == "often":
        shop.often(1, over)
    else:
        while not over():
            shop.hot(1)
    soundings.registry.tick(time.monotonic())
    state = soundings.state(probe)
    spent = state.cost_ns / 1e9
    assert spent / (time.monotonic() - began) < 0.25, spent  # of 1 %, on a machine that is busy
    assert state.status in (Status.ARMED, Status.SUSPENDED), state
    assert state.fates[Fate.CAPTURED] >= 1
    assert len(calls(soundings)) == state.fates[Fate.CAPTURED]


def test_a_recursion_without_end_costs_what_is_kept(soundings, shop) -> None:
    probe = capture(soundings, "fact", limits=Limits(5, rate_per_s=5.0))
    for _ in range(20):
        assert shop.fact(200) > 1
    soundings.tick(0.1)
    assert soundings.state(probe).fates[Fate.CAPTURED] <= 5


def test_a_line_has_no_calls() -> None:
    with pytest.raises(UsageError, match="calls of a function"):
        CaptureProbe("", parse_place("shop.py:3"))


def test_what_it_was_is_gone_with_it(soundings, shop) -> None:
    probe = capture(soundings, "share")
    shop.share([], 1)
    soundings.registry.remove([probe])
    assert sys.monitoring.get_local_events(4, shop.share.__code__) == 0
    shop.share([], 1)
    assert len(calls(soundings)) == 1


def test_calls_that_are_under_way_are_bounded(soundings, shop, monkeypatch) -> None:
    monkeypatch.setattr("leadline.agent.probes.capturing.MAX_OPEN", 2)
    probe = capture(soundings, "fact")
    soundings.lift_budget()
    assert shop.fact(6) == 720
    state = soundings.state(probe)
    assert [argument(call, "n") for call in calls(soundings)] == [5, 6]
    assert state.fates == {Fate.CAPTURED: 2, Fate.CONDITION_UNKNOWN: 4}
    assert "as many calls are under way" in state.unknown


def test_a_call_that_does_not_end_is_given_up(soundings, shop, monkeypatch) -> None:
    monkeypatch.setattr("leadline.agent.probes.capturing.LONGEST_S", 0.0)
    probe = capture(soundings, "later", limits=Limits(1_000, rate_per_s=1.0))
    call = shop.later(1)
    call.send(None)
    for _ in range(5):  # until its rate is used up, then nothing else keeps the witness on
        passage = soundings.registry.standing(probe).compiled.passage
        passage.off = True
        soundings.registry.tick(time.monotonic())
    with pytest.raises(StopIteration):
        call.send(None)
    assert calls(soundings) == []
    assert soundings.state(probe).fates == {Fate.DROPPED: 1}


def test_what_fills_its_room_is_over_and_says_so(soundings, shop, monkeypatch) -> None:
    probe = capture(soundings, "hot")
    shop.hot("x" * 100)
    [first] = soundings.readings()
    room = first.weight * 3 // 2
    monkeypatch.setattr("leadline.agent.probes.capturing.MAX_CAPTURED_BYTES", room)
    for _ in range(50):
        shop.hot("x" * 100)
    soundings.tick(0.1)
    state = soundings.state(probe)
    assert state.status is Status.EXPIRED
    assert state.reason == f"its calls have filled {room / 1e6:g} MB"
    assert len(calls(soundings)) + 1 == state.fates[Fate.CAPTURED] == 2


def test_a_smaller_budget_means_fewer_calls(soundings, shop) -> None:
    soundings.core.budget_ns = soundings.registry.budget.whole_ns = 1_000_000
    probe = capture(soundings, "hot", fails="result < 0", limits=Limits(100, rate_per_s=20.0))
    soundings.registry.tick(time.monotonic())
    for _ in range(5_000):
        shop.hot(1)
    soundings.registry.tick(time.monotonic())
    assert soundings.state(probe).cost_ns < 3_000_000


def test_in_a_forked_child_it_begins_anew(soundings, shop) -> None:
    probe = capture(soundings, "share")
    shop.share([], 1)
    call = None

    async def under_way():
        nonlocal call
        call = shop.later(1)
        call.send(None)

    later = capture(soundings, "later")
    asyncio.run(under_way())
    soundings.registry.before_fork()
    soundings.registry.after_fork_in_child(held=True)
    soundings.core.clear()
    with pytest.raises(StopIteration):
        call.send(None)
    shop.share([], 3)
    [found] = calls(soundings)
    assert argument(found, "people") == 3
    assert found.home is not None
    assert soundings.state(probe).fates == {Fate.CAPTURED: 1}
    assert Fate.CAPTURED not in soundings.state(later).fates


def test_what_goes_on_around_a_call_counts_as_well(soundings, shop) -> None:
    """In a process that does little it takes several times as much as what is timed."""
    where = parse_place("captured_shop:share")
    compiled = compile_capture(CaptureProbe(id="p0", target=where, limits=CALLS))
    recorder = compiled.following
    recorder.allow(BUDGET_NS)
    known = recorder._token_ns
    assert known == LOOKING_SHARE * BUDGET_NS / CALLS.rate_per_s
    for _ in range(40):  # four seconds
        recorder._timed_ns += 1_000_000
        compiled.passage.cost_ns += 2_000_000
        compiled.witness.cost_ns += 1_000_000
        assert recorder.owed_ns() == 1_000_000
        recorder.allow(BUDGET_NS)
    assert known / 3 < recorder._token_ns < known / 2.5
    recorder._timed_ns += 1
    compiled.passage.cost_ns += 10**9  # one of them had to wait for something
    recorder.owed_ns()
    recorder.allow(BUDGET_NS)
    assert recorder._token_ns == pytest.approx(known / MOST_BESIDE)
