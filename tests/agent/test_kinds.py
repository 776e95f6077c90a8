"""What each kind of probe sees, in functions of every form, and what it leaves alone."""

import asyncio
import json
import math
import sys
import threading
import time
import traceback
import types

import pytest

from leadline.agent.core.passage import MAX_ENTRIES
from leadline.agent.guard import guarded
from leadline.agent.link.native import start_thread
from leadline.demo.__main__ import SERVICE
from leadline.wire.errors import UsageError
from leadline.wire.limits import Limits
from leadline.wire.probe import (
    CounterProbe,
    ExceptionProbe,
    Fate,
    LogProbe,
    MetricProbe,
    Moment,
    SnapshotProbe,
    Status,
    TimerProbe,
)
from leadline.wire.sketch import GAMMA
from leadline.wire.target import FunctionTarget, Target, parse_place
from leadline.wire.value import render

SHOP = """\
import contextlib

class Basket:
    def __init__(self, prices):
        self.prices = prices
        self.password = "hunter2"

    def total(self, factor=1):
        amount = 0
        for price in self.prices:
            amount += price
        return amount * factor

def share(amount, people):
    each = amount / people
    return each

def quote(basket, people):
    label = "quote"
    total = basket.total(2)
    return share(total, people)

def careful(basket):
    try:
        return quote(basket, 0)
    except ZeroDivisionError:
        return None

def numbers(limit):
    for number in range(limit):
        yield number

async def ask(clock, seconds):
    answer = seconds
    await clock(seconds)
    return answer

def outer():
    def inner(value):
        return value
    return inner

def branch(flag):
    if flag:
        return "yes"
    return "no"

def body(work):
    first = 1
    work()
    second = 2
    if not first:
        return None
    third = 3
    return third
"""


@pytest.fixture
def shop(make_module):
    return make_module("kinds_shop", SHOP)


def test_snapshot_at_a_line_has_the_stack_with_its_variables(soundings, shop) -> None:
    soundings.place(SnapshotProbe, "kinds_shop.py:15", watches=("amount * 2", "nothing"))
    assert shop.quote(shop.Basket([1, 2]), 3) == 2.0
    [reading] = soundings.readings()
    assert reading.values["amount * 2"] == 12
    assert reading.values["nothing"]["omitted"] == "unknown"
    detail = reading.detail
    assert detail.moment is Moment.LINE
    share, quote, test, *_ = detail.frames
    assert (share.function, share.line, share.source) == ("share", 15, "each = amount / people")
    assert share.locals == {"amount": 6, "people": 3}
    assert (quote.function, quote.line) == ("quote", 21)
    assert quote.locals["label"] == "quote"
    assert quote.locals["basket"]["fields"]["password"]["omitted"] == "redacted"
    assert test.function == "test_snapshot_at_a_line_has_the_stack_with_its_variables"
    assert len(detail.frames) == 10
    assert detail.omitted > 0
    assert "share; amount * 2=12" in reading.message


def test_snapshot_at_exit_has_the_result_and_the_duration(soundings, shop) -> None:
    probe = soundings.place(SnapshotProbe, "kinds_shop:share", condition="result > 1")
    shop.share(1, 2)
    shop.share(8, 2)
    [reading] = soundings.readings()
    assert (reading.detail.returned, reading.detail.result) == (True, 4.0)
    assert 0 <= reading.detail.duration_s < 5
    assert reading.message.startswith("share returned 4.0 after")
    assert soundings.state(probe).fates[Fate.CONDITION_FALSE] == 1


def test_an_exit_by_an_exception_is_an_exit(soundings, shop) -> None:
    soundings.place(SnapshotProbe, "kinds_shop:share")
    probe = soundings.place(LogProbe, "kinds_shop:share", template="{result} {exception}")
    assert shop.careful(shop.Basket([1])) is None
    snapshot, log = soundings.readings()
    assert snapshot.detail.exception["type"] == "ZeroDivisionError"
    assert not snapshot.detail.returned
    assert "an exception left the call" in log.message
    assert soundings.state(probe).fates[Fate.CAPTURED] == 1


def test_log_at_entry_and_exit(soundings, shop) -> None:
    soundings.place(LogProbe, "kinds_shop:share", template="in {amount}", moment=Moment.ENTRY)
    soundings.place(LogProbe, "kinds_shop:share", template="out {result}")
    shop.share(6, 3)
    assert soundings.messages() == ["in 6", "out 2.0"]


def test_counter_counts_entries_lines_and_what_its_condition_wants(soundings, shop) -> None:
    calls = soundings.place(CounterProbe, "kinds_shop:share")
    lines = soundings.place(CounterProbe, "kinds_shop.py:11")
    some = soundings.place(CounterProbe, "kinds_shop:share", condition="people == 3")
    for people in (1, 2, 3, 3):
        shop.quote(shop.Basket([1, 2, 3]), people)
    counts = {point.probe: point.count for point in soundings.points()}
    assert counts == {calls: 4, lines: 12, some: 2}
    assert soundings.points() == []
    assert soundings.hits() == []


def test_metric_adds_up_numbers_and_says_what_is_none(soundings, shop) -> None:
    probe = soundings.place(MetricProbe, "kinds_shop:share", expression="result")
    for amount in (1, 10, 100, -5, 0):
        shop.share(amount, 1)
    with pytest.raises(TypeError):
        shop.share("x", 2)
    shop.share(float("inf"), 1)
    [point] = soundings.points()
    assert (point.count, point.total, point.low, point.high) == (5, 106.0, -5.0, 100.0)
    assert sum(point.buckets.values()) == 5
    assert point.buckets["z"] == 1
    largest = max(int(key[1:]) for key in point.buckets if key[0] == "p")
    assert 99 <= GAMMA**largest <= 102.1
    state = soundings.state(probe)
    assert state.fates[Fate.CONDITION_UNKNOWN] == 2
    assert "an exception left the call" in state.unknown


def test_timer_of_a_function_counts_failing_calls_too(soundings, shop) -> None:
    soundings.place(TimerProbe, "kinds_shop:share")
    shop.share(1, 2)
    shop.careful(shop.Basket([1]))
    [point] = soundings.points()
    assert point.count == 2
    assert 0 < point.low <= point.high < 5


def test_timer_between_two_lines(soundings, shop) -> None:
    soundings.place(TimerProbe, "kinds_shop.py:49", until=Target("kinds_shop.py", 51))
    shop.body(lambda: time.sleep(0.02))
    [point] = soundings.points()
    assert point.count == 1
    assert 0.02 <= point.low < 5


def test_timer_forgets_calls_that_never_reach_the_second_line(soundings, shop) -> None:
    probe = soundings.place(TimerProbe, "kinds_shop.py:49", until=Target("kinds_shop.py", 51))

    def fail() -> None:
        raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            shop.body(fail)
    assert soundings.points() == []
    assert not soundings.registry.standing(probe).compiled.passage.began


def test_timer_between_lines_of_two_functions_is_refused(soundings, shop) -> None:
    probe = soundings.place(TimerProbe, "kinds_shop.py:49", until=Target("kinds_shop.py", 15))
    state = soundings.state(probe)
    assert state.status is Status.ERROR
    assert "[not-one-function]" in state.reason


def test_timer_does_not_count_a_call_that_began_before(soundings, shop) -> None:
    calls = shop.numbers(2)
    next(calls)
    soundings.place(TimerProbe, "kinds_shop:numbers")
    assert list(calls) == [1]
    assert list(shop.numbers(3)) == [0, 1, 2]
    [point] = soundings.points()
    assert point.count == 1


def test_coroutines_are_timed_over_their_waits(soundings, shop) -> None:
    soundings.place(TimerProbe, "kinds_shop:ask")
    soundings.place(LogProbe, "kinds_shop:ask", template="{seconds} {result}")

    async def both() -> None:
        await asyncio.gather(shop.ask(asyncio.sleep, 0.04), shop.ask(asyncio.sleep, 0.02))

    asyncio.run(both())
    assert sorted(soundings.messages()) == ["0.02 0.02", "0.04 0.04"]
    [point] = soundings.points()
    assert point.count == 2
    assert 0.02 <= point.low < point.high
    assert point.high >= 0.04


def test_exception_leaving_a_function_shows_where_it_was_raised(soundings, shop) -> None:
    soundings.place(ExceptionProbe, "kinds_shop:quote", watches=("total",))
    assert shop.careful(shop.Basket([3])) is None
    [reading] = soundings.readings()
    detail = reading.detail
    assert detail.exception["type"] == "ZeroDivisionError"
    assert [frame.function for frame in detail.frames[:3]] == ["share", "quote", "careful"]
    assert detail.frames[0].line == 15
    assert detail.frames[0].locals == {"amount": 6, "people": 0}
    assert detail.frames[1].line == 21
    assert reading.values == {"total": 6}
    assert "ZeroDivisionError" in reading.message


def test_exceptions_by_class_subclasses_count(soundings, shop) -> None:
    wanted = soundings.place(ExceptionProbe, "kinds_shop:share", raises=("ArithmeticError",))
    full = soundings.place(
        ExceptionProbe, "kinds_shop:share", raises=("builtins.ZeroDivisionError",)
    )
    other = soundings.place(ExceptionProbe, "kinds_shop:share", raises=("KeyError",))
    shop.careful(shop.Basket([1]))
    with pytest.raises(TypeError):
        shop.share("x", 1)
    fates = {
        probe: soundings.state(probe).fates.get(Fate.CAPTURED, 0)
        for probe in (wanted, full, other)
    }
    assert fates == {wanted: 1, full: 1, other: 0}


def test_exception_raised_is_seen_though_it_is_caught_inside(soundings, shop) -> None:
    soundings.place(ExceptionProbe, "kinds_shop:careful")
    raised = soundings.place(ExceptionProbe, "kinds_shop:careful", moment=Moment.RAISED)
    shop.careful(shop.Basket([1]))
    [reading] = soundings.readings()
    assert reading.detail.moment is Moment.RAISED
    assert reading.detail.frames[0].function == "share"
    assert soundings.state(raised).fates[Fate.CAPTURED] == 1


def test_exceptions_everywhere_are_seen_once_where_they_begin(soundings, shop) -> None:
    probe = soundings.place(ExceptionProbe, "*", raises=("ZeroDivisionError",))
    assert soundings.state(probe).status is Status.ARMED
    shop.careful(shop.Basket([1]))
    [reading] = soundings.readings()
    assert reading.detail.frames[0].function == "share"


def test_ends_of_iterators_are_nobodys_exceptions_unless_named(soundings, shop) -> None:
    soundings.place(ExceptionProbe, "*")
    soundings.place(ExceptionProbe, "kinds_shop:numbers")
    assert list(shop.numbers(2)) == [0, 1]
    assert soundings.hits() == []


def test_only_while_it_is_needed_exceptions_are_listened_to(soundings, shop) -> None:
    def globally() -> int:
        return sys.monitoring.get_events(soundings.monitor.tool)

    assert globally() == 0
    first = soundings.place(ExceptionProbe, "kinds_shop:share")
    second = soundings.place(TimerProbe, "kinds_shop:share")
    assert globally() != 0
    soundings.registry.remove([first])
    assert globally() != 0
    soundings.registry.remove([second])
    assert globally() == 0


def test_a_line_that_is_not_reached_counts_its_functions_entries(soundings, shop) -> None:
    probe = soundings.log("kinds_shop.py:45", "yes")
    standing = soundings.registry.standing(probe)
    standing.armed_at -= 5
    shop.branch(False)
    soundings.tick()
    for _ in range(3):
        shop.branch(False)
    assert soundings.state(probe).entered == 3
    for _ in range(2 * MAX_ENTRIES):
        shop.branch(False)
    assert soundings.state(probe).entered == MAX_ENTRIES
    shop.branch(True)
    assert soundings.messages() == ["yes"]


def test_a_function_in_a_function_is_named_with_or_without_locals(soundings, shop) -> None:
    short = soundings.place(CounterProbe, "kinds_shop:outer.inner")
    long = soundings.place(CounterProbe, "kinds_shop:outer.<locals>.inner")
    shop.outer()(1)
    assert {point.probe: point.count for point in soundings.points()} == {short: 1, long: 1}


def test_methods_and_paths_name_functions(soundings, shop) -> None:
    probes = [
        soundings.place(CounterProbe, target)
        for target in ("kinds_shop:Basket.total", "kinds_shop.py:Basket.total")
    ]
    shop.Basket([1]).total()
    assert {point.probe: point.count for point in soundings.points()} == dict.fromkeys(
        probes, 1
    )


def test_a_function_that_is_not_there_is_an_error(soundings, shop) -> None:
    state = soundings.state(soundings.place(CounterProbe, "kinds_shop:quotes"))
    assert state.status is Status.ERROR
    assert "[no-such-function]" in state.reason


def test_threads_are_added_up_without_a_loss(soundings, shop) -> None:
    soundings.core.budget_ns = 10**10
    calls = soundings.place(CounterProbe, "kinds_shop:branch")
    metric = soundings.place(MetricProbe, "kinds_shop:branch", expression="len(result)")

    def work() -> None:
        for _ in range(100):
            shop.branch(True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    points = {point.probe: point for point in soundings.points()}
    assert points[calls].count == 400
    assert points[metric].count == 400
    assert points[metric].total == 1200


def test_switched_off_leaves_nothing_and_on_goes_on(soundings, shop) -> None:
    probe = soundings.place(CounterProbe, "kinds_shop:share")
    caught = soundings.place(ExceptionProbe, "kinds_shop:share")
    shop.share(1, 1)
    soundings.registry.switch_off("an incident")
    assert [sys.monitoring.get_tool(tool) for tool in (4, 3, 5)] == [None] * 3
    assert soundings.state(probe).status is Status.SUSPENDED
    assert "an incident" in soundings.state(probe).reason
    shop.share(1, 1)
    late = soundings.place(CounterProbe, "kinds_shop:share")
    assert soundings.state(late).status is Status.SUSPENDED
    soundings.tick()
    soundings.registry.switch_on()
    assert soundings.state(probe).status is Status.ARMED
    shop.share(1, 1)
    shop.careful(shop.Basket([1]))
    counts = {point.probe: point.count for point in soundings.points()}
    assert counts == {probe: 3, late: 2}
    assert soundings.state(caught).fates[Fate.CAPTURED] == 1


def test_results_and_tracebacks_are_as_without_probes(soundings, shop) -> None:
    def outcome() -> list[object]:
        try:
            shop.quote(shop.Basket([1]), 0)
        except ZeroDivisionError as error:
            text = traceback.format_exception(error)
        return [text, shop.careful(shop.Basket([2])), list(shop.numbers(3))]

    expected = outcome()
    for kind, options in (
        (SnapshotProbe, {}),
        (CounterProbe, {}),
        (MetricProbe, {"expression": "result"}),
        (TimerProbe, {}),
        (ExceptionProbe, {}),
        (ExceptionProbe, {"moment": Moment.RAISED}),
    ):
        for function in ("share", "quote", "careful", "numbers", "Basket.total"):
            soundings.place(kind, f"kinds_shop:{function}", **options)
    assert outcome() == expected
    assert soundings.readings()


def test_places_are_read_and_refused() -> None:
    assert parse_place("a/b.py:3") == Target("a/b.py", 3)
    assert parse_place("a.b:C.d") == FunctionTarget("a.b", "C.d")
    assert str(parse_place("*")) == "*"
    for text in ("", "a", "a:", ":b", "a:b c", "a.py:0", "*:x", "x:*", "a:b-c", "<string>:3"):
        with pytest.raises(UsageError):
            parse_place(text)


def test_moments_that_make_no_sense_are_refused() -> None:
    line, function = Target("a.py", 1), FunctionTarget("a", "b")
    with pytest.raises(UsageError, match="looks at"):
        CounterProbe("p", line, moment=Moment.EXIT)
    with pytest.raises(UsageError, match="looks at"):
        CounterProbe("p", function)
    with pytest.raises(UsageError, match="is on a function"):
        ExceptionProbe("p", line)
    with pytest.raises(UsageError, match="another line"):
        TimerProbe("p", line)
    with pytest.raises(UsageError, match="Only exceptions"):
        CounterProbe("p", FunctionTarget("*", "*"), moment=Moment.ENTRY)
    with pytest.raises(UsageError, match="rate"):
        LogProbe("p", line, "x", limits=Limits(rate_per_s=5_000))


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"hits": 0}, "hits must be from 1 to 1,000,000, not 0."),
        ({"hits": 2_000_000}, "hits must be from 1 to 1,000,000, not 2,000,000."),
        ({"rate_per_s": 0}, "rate must be from 0.01 to 1,000 a second, not 0."),
        ({"ttl_s": 1e6}, "ttl must be from 0 to 604,800 seconds, not 1,000,000."),
        ({"rate_per_s": math.nan}, "rate must be from 0.01 to 1,000 a second."),
    ],
)
def test_a_limit_is_said_as_a_person_writes_it_and_for_its_kind(limits, said) -> None:
    with pytest.raises(UsageError) as refused:
        LogProbe("p", Target("kinds_shop.py", 3), "x", limits=Limits(**limits))
    assert refused.value.message == said


def test_what_adds_up_has_limits_of_its_own() -> None:
    with pytest.raises(UsageError, match="from 1 to 1,000,000,000,000, not 0"):
        CounterProbe("p", Target("kinds_shop.py", 3), limits=Limits(hits=0))


def test_what_an_exception_is_rendered_as(soundings, shop) -> None:
    soundings.place(ExceptionProbe, "kinds_shop:share")
    shop.careful(shop.Basket([1]))
    [reading] = soundings.readings()
    assert "ZeroDivisionError" in render(reading.detail.exception)


def test_on_says_so_when_another_tool_has_the_seat_now(soundings, shop) -> None:
    probe = soundings.place(CounterProbe, "kinds_shop:share")
    soundings.registry.switch_off("an incident")
    for tool in (4, 3, 5):
        sys.monitoring.use_tool_id(tool, "other")
    try:
        soundings.registry.switch_on()
        state = soundings.state(probe)
        assert state.status is Status.SUSPENDED
        assert "[no-tool-id]" in state.reason
    finally:
        for tool in (4, 3, 5):
            sys.monitoring.free_tool_id(tool)
    soundings.registry.switch_on()
    assert soundings.state(probe).status is Status.ARMED


def test_a_way_that_was_begun_in_a_closed_generator_is_not_ended_by_another(
    soundings, make_module
) -> None:
    module = make_module(
        "kinds_ways",
        "def way(skip):\n"
        "    if not skip:\n"
        "        begun = 1\n"
        "    yield 1\n"
        "    ended = 2\n"
        "    yield ended\n",
    )
    soundings.place(TimerProbe, "kinds_ways.py:3", until=Target("kinds_ways.py", 5))
    for _ in range(50):
        closed = module.way(False)
        next(closed)
        closed.close()
        del closed
        assert list(module.way(True)) == [1, 2]
    assert soundings.points() == []
    assert list(module.way(False)) == [1, 2]
    [point] = soundings.points()
    assert point.count == 1


def test_exceptions_on_our_own_threads_are_not_the_applications(soundings) -> None:
    ended = threading.Event()

    def ours() -> None:
        try:
            json.loads("{")
        except ValueError:
            ended.set()

    soundings.place(ExceptionProbe, "*", raises=("JSONDecodeError",))
    start_thread("test", ours)
    assert ended.wait(10)
    assert soundings.readings() == []
    with pytest.raises(ValueError, match="Expecting"):
        json.loads("{")
    assert len(soundings.readings()) == 1


def test_a_stack_that_takes_too_long_is_cut_and_says_so(soundings, shop, monkeypatch) -> None:
    monkeypatch.setattr("leadline.agent.capture.stack.LONGEST_NS", 0)
    soundings.place(SnapshotProbe, "kinds_shop.py:15", watches=("amount",))
    shop.quote(shop.Basket([1, 2]), 3)
    [reading] = soundings.readings()
    assert reading.values == {"amount": 6}
    assert not any(frame.locals for frame in reading.detail.frames)
    assert "used up" in reading.detail.frames[0].omitted
    assert len(reading.detail.frames) == 10


def test_code_that_a_program_named_itself_can_be_meant(soundings) -> None:
    space: dict[str, object] = {}
    exec(compile("def rule(value):\n    return value + 1\n", "<rule 7>", "exec"), space)
    sys.modules["kinds_rules"] = module = types.ModuleType("kinds_rules")
    module.rule = rule = space["rule"]
    try:
        probe = soundings.log("<rule 7>:2", "{value}")
        for _ in range(3):
            soundings.tick(2.1)
        assert soundings.state(probe).status is Status.ARMED, soundings.state(probe)
        rule(4)
        assert soundings.messages() == ["4"]
    finally:
        del sys.modules["kinds_rules"]


def test_frames_of_our_own_are_named_and_not_opened(soundings, make_module) -> None:
    """What starts us can be on the stack: our settings hold the service's key."""
    module = make_module("kinds_start", "def seen():\n    return 1\n")
    soundings.place(SnapshotProbe, "kinds_start:seen", moment=Moment.ENTRY)
    guarded("test", None)(module.seen)()
    [reading] = soundings.readings()
    ours = reading.detail.frames[1]
    assert ours.function == "guarded.<locals>.decorate.<locals>.enter"
    assert (ours.locals, ours.omitted) == ({}, "it is Leadline's own")


def test_frames_of_the_demo_are_an_applications(soundings) -> None:
    """Its service lies in our folder, and is there to be looked into."""
    file = str(SERVICE / "shop" / "made_up.py")
    space: dict[str, object] = {}
    exec(compile("def seen(price):\n    return price\n", file, "exec"), space)
    sys.modules["kinds_demo"] = module = types.ModuleType("kinds_demo")
    module.seen = seen = space["seen"]
    try:
        soundings.place(SnapshotProbe, "kinds_demo:seen", moment=Moment.ENTRY)
        seen(7)
        [reading] = soundings.readings()
        assert reading.detail.frames[0].locals == {"price": 7}
    finally:
        del sys.modules["kinds_demo"]
