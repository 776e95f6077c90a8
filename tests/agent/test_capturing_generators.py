"""Generators as calls: what they give out, what is sent into them, and how they are left."""

import asyncio
import gc
import sys
import time

import pytest

from leadline import native
from leadline.trial.rebuilding import rebuild
from leadline.wire.limits import Limits
from leadline.wire.probe import CaptureProbe, Fate

LINES = """\
import asyncio

def each(n):
    for one in range(n):
        yield one
    return "end"

def whole(n):
    yield from each(n)

def told(n):
    heard = []
    for one in range(n):
        heard.append((yield one))
    return heard

def careful(n):
    try:
        for one in range(n):
            try:
                yield one
            except KeyError as error:
                yield error.args[0]
    finally:
        n = "over"

async def later(n, waited=None):
    for one in range(n):
        await asyncio.sleep(0)
        sent = yield [one]
        if sent:
            waited = sent
    await asyncio.sleep(0)

async def stuck(n):
    yield n
    await asyncio.sleep(60)
"""
CALLS = Limits(hits=100, rate_per_s=1_000.0)
_EVENTS = sys.monitoring.events
needs_c = pytest.mark.skipif(native.core() is None, reason="Python cannot see what is sent")


@pytest.fixture
def lines(make_module):
    return make_module("captured_lines", LINES)


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr("leadline.agent.probes.turns.GONE_S", 0.0)


def capture(soundings, function: str, **options) -> str:
    options = {"limits": CALLS} | options
    return soundings.place(CaptureProbe, f"captured_lines:{function}", **options)


def calls(soundings):
    soundings.tick(0.1)
    return [reading.call for reading in soundings.readings()]


def turns(call):
    found = []
    for turn in call.turns:
        sent = rebuild(turn.kept)["sent"] if turn.kept is not None else None
        found.append((turn.after, turn.kind, sent))
    return found


def test_what_a_generator_gives_out_is_there(soundings, lines) -> None:
    capture(soundings, "each")
    assert list(lines.each(3)) == [0, 1, 2]
    [reading] = soundings.readings()
    call = reading.call
    assert (call.kind, call.value, call.yields) == ("generator", "end", [0, 1, 2])
    assert (call.obstacle, call.more_yields, call.turns) == ("", 0, [])
    assert rebuild(call.kept)["n"] == 3
    assert reading.message.startswith("each(…) returned 'end' after 3 yields, kept ")


def test_generators_that_take_turns_are_told_apart(soundings, lines) -> None:
    capture(soundings, "each")
    open_ = [lines.each(n) for n in (3, 1, 2)]
    while open_:
        open_ = [one for one in open_ if next(one, None) is not None]
    found = {rebuild(call.kept)["n"]: call.yields for call in calls(soundings)}
    assert found == {3: [0, 1, 2], 1: [0], 2: [0, 1]}


def test_a_generator_that_delegates_gives_out_what_that_does(soundings, lines) -> None:
    capture(soundings, "whole")
    assert list(lines.whole(2)) == [0, 1]
    [call] = calls(soundings)
    assert (call.entry, call.yields) == ("captured_lines:whole", [0, 1])
    if native.core() is None:
        assert call.obstacle == "what was sent into it is seen by the core in C only"
    else:
        assert call.obstacle == ""


def test_of_many_yields_the_first_are_taken_and_the_others_counted(soundings, lines) -> None:
    capture(soundings, "each")
    assert sum(lines.each(250)) == sum(range(250))
    [call] = calls(soundings)
    assert (call.yields, call.more_yields) == (list(range(100)), 150)
    assert (call.returned, call.value) == (True, "end")


def test_yields_have_the_room_of_one_call(soundings, lines, monkeypatch) -> None:
    monkeypatch.setattr("leadline.agent.probes.capturing.CALL_OUTCOME_BYTES", 400)
    capture(soundings, "careful")
    made = lines.careful(50)
    for one in made:
        if one == 20:
            made.throw(KeyError("x" * 10_000))
    [call] = calls(soundings)
    assert len(call.yields) == 51
    assert call.yields[0] == 0
    assert call.yields[-1] == {"type": "?", "omitted": "room"}


@needs_c
def test_what_is_sent_is_kept(soundings, lines) -> None:
    capture(soundings, "told")
    made = lines.told(4)
    next(made)
    assert made.send({"a": [1]}) == 1
    assert next(made) == 2
    assert made.send(None) == 3
    with pytest.raises(StopIteration) as end:
        made.send("last")
    [call] = calls(soundings)
    assert turns(call) == [(1, "send", {"a": [1]}), (4, "send", "last")]
    assert (call.yields, call.obstacle) == ([0, 1, 2, 3], "")
    assert end.value.value == [{"a": [1]}, None, None, "last"]


@needs_c
def test_with_more_sent_than_is_kept_it_is_another_call(soundings, lines, at_once) -> None:
    capture(soundings, "told")
    made = lines.told(200)
    next(made)
    for number in range(1, 200):
        made.send(number)
    made.close()
    [call] = calls_when_left(soundings)
    assert call.obstacle == "more than 100 values were sent into it"


@needs_c
def test_what_cannot_be_sent_again_says_so(soundings, lines) -> None:
    capture(soundings, "told")
    made = lines.told(2)
    next(made)
    made.send(type("Local", (), {"__slots__": ()})())
    list(made)
    [call] = calls(soundings)
    assert call.obstacle or call.turns[0].kept is not None


def test_without_the_extension_it_says_where_it_cannot_know(soundings, lines) -> None:
    capture(soundings, "told")
    list(lines.told(2))
    [call] = calls(soundings)
    unknown = "what was sent into it is seen by the core in C only"
    assert call.obstacle == (unknown if native.core() is None else "")


def test_what_is_thrown_is_kept(soundings, lines) -> None:
    capture(soundings, "careful")
    made = lines.careful(3)
    next(made)
    assert made.throw(KeyError("who")) == "who"
    assert list(made) == [1, 2]
    with pytest.raises(ValueError, match="not mine"):
        thrown_at_once(lines.careful(3), ValueError("not mine"))
    caught, passed = calls(soundings)
    [(after, kind, error)] = turns(caught)
    assert (after, kind, type(error), error.args) == (1, "throw", KeyError, ("who",))
    assert caught.yields == [0, "who", 1, 2]
    assert not passed.returned
    assert passed.value["type"] == "ValueError"
    assert [turn.after for turn in passed.turns] == [1]


def thrown_at_once(made, error) -> None:
    next(made)
    made.throw(error)


def calls_when_left(soundings):
    """Return the calls, also of generators that end without a word (3.13, or in Python)."""
    for _ in range(3):
        soundings.registry.tick(time.monotonic())
    return calls(soundings)


def test_a_generator_that_is_closed_says_so(soundings, lines, at_once) -> None:
    """With a handler in the way the interpreter tells of it, on each version."""
    capture(soundings, "careful")
    made = lines.careful(9)
    next(made), next(made)
    made.close()
    [call] = calls_when_left(soundings)
    assert call.closed
    assert (turns(call), call.yields) == ([(2, "close", None)], [0, 1])
    assert (call.returned, call.value["type"]) == (False, "GeneratorExit")
    assert call.arguments == {"n": "over"}


def test_generators_that_are_left_are_neither_lost_nor_in_the_way(
    soundings, lines, at_once
) -> None:
    probe = capture(soundings, "each")
    for n in range(5, 9):
        for one in lines.each(n):
            if one == n - 4:
                break
    gc.collect()
    assert list(lines.each(2)) == [0, 1]
    found = {rebuild(call.kept)["n"]: call for call in calls_when_left(soundings)}
    assert found.pop(2).value == "end"
    unheard = {8} if native.core() is None and sys.version_info >= (3, 13) else set()
    unheard -= found.keys()  # only until another call lies in its place, which may be by now
    assert set(found) == {5, 6, 7, 8} - unheard
    for n, call in found.items():
        assert call.closed
        assert (call.yields, call.value["type"]) == (list(range(n - 3)), "GeneratorExit")
    assert soundings.state(probe).fates == {Fate.CAPTURED: 5 - len(unheard)}


@needs_c
def test_one_that_is_closed_and_held_on_to_is_over(soundings, lines, at_once) -> None:
    capture(soundings, "each")
    held = lines.each(9)
    next(held)
    held.close()
    [call] = calls_when_left(soundings)
    assert (call.closed, call.yields) == (True, [0])
    under_way = lines.each(3)
    next(under_way)
    assert calls_when_left(soundings) == []
    assert list(under_way) == [1, 2]
    [call] = calls(soundings)
    assert (call.closed, call.yields) == (False, [0, 1, 2])


def test_of_an_asynchronous_one_only_what_it_gives_out_counts(soundings, lines) -> None:
    capture(soundings, "later")

    async def use():
        found = [one async for one in lines.later(3)]
        made = lines.later(3)
        await anext(made)
        await made.asend("word")
        await made.aclose()
        return found

    assert asyncio.run(use()) == [[0], [1], [2]]
    whole, closed = calls(soundings)
    assert whole.kind == "async generator"
    assert [one["items"] for one in whole.yields] == [[0], [1], [2]]
    assert (whole.returned, whole.turns) == (True, [])
    assert [one["items"] for one in closed.yields] == [[0], [1]]
    assert closed.closed
    if native.core() is not None:
        assert turns(closed) == [(1, "send", "word"), (2, "close", None)]
        assert closed.arguments["waited"] == "word"


def test_an_exception_that_comes_while_it_waits_cannot_be_repeated(soundings, lines) -> None:
    capture(soundings, "stuck")

    async def use():
        async for _ in lines.stuck(1):
            asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(use())
    [call] = calls(soundings)
    assert call.obstacle == "an exception came to it while it waited: CancelledError"


def test_only_generators_are_asked_for_turns_and_only_while_it_is_armed(
    soundings, lines
) -> None:
    probe = capture(soundings, "each")
    turned = _EVENTS.PY_YIELD | (_EVENTS.PY_RESUME if native.core() is not None else 0)

    def heard(function) -> int:
        return sys.monitoring.get_local_events(4, function.__code__)

    mask = _EVENTS.PY_YIELD | _EVENTS.PY_RESUME
    assert heard(lines.each) & mask == turned
    assert heard(lines.told) == 0
    assert sys.monitoring.get_events(4) & _EVENTS.PY_THROW
    soundings.registry.remove([probe])
    assert heard(lines.each) == 0
    assert not sys.monitoring.get_events(4) & _EVENTS.PY_THROW
    later = capture(soundings, "stuck", limits=Limits(hits=1, rate_per_s=1.0))
    soundings.registry.remove([later])
