"""Where a probe fires and how often, on real code objects of this interpreter."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import greenlet
import pytest

from leadline.wire.probe import Fate, Status
from waiting import wait_for

LINES = """\
def one(x): return x + 1
double = lambda x: x * 2
def branch(n):
    if n > 2:
        kind = "big"
    else:
        kind = "small"
    return kind
def loops(items):
    total = 0
    for item in items:
        total += item
    while total > 100:
        total -= 100
    return total
def cleanup(fail):
    done = []
    try:
        if fail:
            raise ValueError(fail)
        return done
    finally:
        done.append("closed")
def inline(items):
    return [item * 2
            for item in items
            if item]
def lazy(items):
    return sum(item * 2 for item in items)
def ranked(pairs):
    return sorted(pairs, key=lambda pair: pair[1])
def call(a, b):
    return max(
        a,
        b,
    )
"""


def test_one_line_functions_and_lambdas_fire(soundings, make_module) -> None:
    """T1: a LINE event never fires for these on 3.13."""
    module = make_module("t1", LINES)
    first = soundings.log("t1.py:1", "x={x}")
    second = soundings.log("t1.py:2", "x={x}")
    assert module.one(1) == 2
    assert module.double(21) == 42
    assert soundings.messages() == ["x=1", "x=21"]
    assert soundings.state(first).function == "one"
    assert soundings.state(second).function == "<lambda>"


@pytest.mark.parametrize(
    ("line", "function", "arguments", "hits"),
    [
        (4, "branch", (3,), 1),
        (5, "branch", (3,), 1),
        (7, "branch", (3,), 0),
        (7, "branch", (1,), 1),
        (11, "loops", ([1, 2, 3],), 1),  # a `for` line begins once for each loop
        (12, "loops", ([1, 2, 3],), 3),
        (13, "loops", ([250],), 3),  # the test of a `while` begins each time it is made
        (14, "loops", ([250],), 2),
        (21, "cleanup", ("",), 1),
        (23, "cleanup", ("",), 1),  # one copy of `finally` for each way out
        (25, "inline", ([1, 2, 3],), 1),
        (29, "lazy", ([1, 2, 3],), 1),
        (33, "call", (1, 2), 1),
        (34, "call", (1, 2), 1),
    ],
)
def test_a_line_hits_once_each_time_it_begins(
    soundings, make_module, line, function, arguments, hits
) -> None:
    """T18, as documented in docs/probes.md."""
    module = make_module("t18", LINES)
    soundings.log(f"t18.py:{line}")
    getattr(module, function)(*arguments)
    assert len(soundings.messages()) == hits


def test_finally_hits_on_the_way_of_an_exception(soundings, make_module) -> None:
    module = make_module("t18f", LINES)
    soundings.log("t18f.py:23", "fail={fail}")
    with pytest.raises(ValueError, match="broken"):
        module.cleanup("broken")
    assert soundings.messages() == ["fail=broken"]


def test_names_of_an_inner_function_choose_it(soundings, make_module) -> None:
    module = make_module("inner", LINES)
    soundings.log("inner.py:31", "pair={pair}")
    soundings.log("inner.py:31", "pairs={pairs}")
    module.ranked([("a", 2), ("b", 1)])
    assert soundings.messages() == [
        "pairs=[('a', 2), ('b', 1)]",
        "pair=('a', 2)",
        "pair=('b', 1)",
    ]


def test_several_probes_on_one_line_and_each_is_removed_alone(soundings, make_module) -> None:
    module = make_module("several", LINES)
    first = soundings.log("several.py:5", "first n={n}")
    soundings.log("several.py:5", "second n={n}")
    module.branch(3)
    assert soundings.messages() == ["first n=3", "second n=3"]
    soundings.registry.remove([first])
    module.branch(4)
    assert soundings.messages() == ["second n=4"]


def test_removed_leaves_no_event(soundings, make_module) -> None:
    """S7: the code objects carry nothing of ours any more."""
    module = make_module("gone", LINES)
    probe = soundings.log("gone.py:5")
    code, tool = module.branch.__code__, soundings.monitor.tool
    assert sys.monitoring.get_local_events(tool, code)
    soundings.registry.remove([probe])
    assert sys.monitoring.get_local_events(tool, code) == 0
    module.branch(3)
    assert soundings.messages() == []


def _endless(stop: threading.Event, seen: list[int]) -> None:
    count = 0
    while not stop.is_set():
        count += 1  # line of T4
        seen.append(count)
        stop.wait(0.001)


def _tight(limit: list[int]) -> int:
    count = 0
    while count < limit[0]:
        count += 1  # line of T4, no call in the loop
    return count


def _counting() -> Iterator[int]:
    yield 1
    second = 2  # line of T4
    yield second


async def _waiting(event: asyncio.Event) -> int:
    await event.wait()
    return 42  # line of T4


def _line_of(function: object, text: str) -> str:
    """Return `file:line` of the line of `function` that contains `text`."""
    code = function.__code__  # type: ignore[attr-defined]
    with open(code.co_filename, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for number in range(code.co_firstlineno, code.co_firstlineno + 20):
        if text in lines[number - 1]:
            return f"{code.co_filename}:{number}"
    raise AssertionError(text)


def test_a_loop_that_is_running_in_another_thread(soundings) -> None:
    """T4"""
    stop, seen = threading.Event(), []
    thread = threading.Thread(target=_endless, args=(stop, seen))
    thread.start()
    try:
        wait_for(lambda: seen)
        soundings.log(_line_of(_endless, "line of T4"), "count={count}")
        assert wait_for(soundings.messages)[0].startswith("count=")
    finally:
        stop.set()
        thread.join()


def test_a_loop_without_calls_that_is_running(soundings) -> None:
    """T4"""
    limit = [sys.maxsize]
    thread = threading.Thread(target=_tight, args=(limit,))
    thread.start()
    try:
        soundings.log(_line_of(_tight, "line of T4"), "count={count}", rate=10)
        assert wait_for(soundings.messages)[0].startswith("count=")
    finally:
        limit[0] = 0
        thread.join()


def test_a_suspended_generator(soundings) -> None:
    """T4"""
    generator = _counting()
    assert next(generator) == 1
    soundings.log(_line_of(_counting, "line of T4"))
    assert next(generator) == 2
    assert soundings.messages() == ["here"]


def test_a_suspended_coroutine(soundings) -> None:
    """T4"""

    async def story() -> int:
        event = asyncio.Event()
        task = asyncio.create_task(_waiting(event))
        await asyncio.sleep(0)
        soundings.log(_line_of(_waiting, "line of T4"))
        event.set()
        return await task

    assert asyncio.run(story()) == 42
    assert soundings.messages() == ["here"]


def test_a_suspended_greenlet(soundings) -> None:
    """T4"""

    def work() -> int:
        greenlet.getcurrent().parent.switch()
        return 7  # line of T4

    suspended = greenlet.greenlet(work)
    suspended.switch()
    soundings.log(_line_of(work, "line of T4"))
    assert suspended.switch() == 7
    assert soundings.messages() == ["here"]


def test_locals_of_the_application_stay_as_they_are(soundings, make_module) -> None:
    """T9, T10: a dictionary from `locals()` is not written to, a deleted local dies."""
    module = make_module(
        "t9",
        "import weakref\n"
        "class Thing: pass\n"
        "def work():\n"
        "    x = 1\n"
        "    kept = locals()\n"
        "    thing = Thing()\n"
        "    alive = weakref.ref(thing)\n"
        "    x = 2\n"
        "    del thing\n"
        "    return kept['x'], alive()\n",
    )
    for line in (8, 9, 10):
        soundings.log(f"t9.py:{line}", "x={x} thing={thing} kept={kept}")
    assert module.work() == (1, None)
    assert [message.split()[0] for message in soundings.messages()] == ["x=1", "x=2", "x=2"]


def test_a_generator_that_is_dropped_after_a_hit(soundings) -> None:
    """T12: a view of locals that outlived this frame crashed 3.13.0."""
    soundings.log(_line_of(_counting, "line of T4"), "second={second}")
    for _ in range(50):
        generator = _counting()
        next(generator)
        next(generator)
        del generator
    assert len(soundings.messages()) == 50


def test_variables_of_every_sort_can_be_read(soundings, make_module) -> None:
    module = make_module(
        "sorts",
        "level = 'module'\n"
        "def outer(argument):\n"
        "    cell = [argument]\n"
        "    def inner(*rest, **named):\n"
        "        local = cell\n"
        "        return local\n"
        "    return inner(1, 2, k=3)\n",
    )
    soundings.log("sorts.py:6", "{level} {cell} {rest} {named} {local} {later}")
    module.outer("a")
    (message,) = soundings.messages()
    assert message == (
        "module ['a'] (1, 2) {'k': 3} ['a'] <unknown: there is no variable later here>"
    )


def test_a_condition_decides_and_unknown_is_counted(soundings, make_module) -> None:
    module = make_module("cond", LINES)
    probe = soundings.log("cond.py:5", "n={n}", condition="n > 3 and n.real < 10")
    for n in (3, 5, 20):
        module.branch(n)
    state = soundings.state(probe)
    assert soundings.messages() == []
    assert state.fates[Fate.CONDITION_FALSE] == 1
    assert state.fates[Fate.CONDITION_UNKNOWN] == 2
    assert "real" in state.unknown


def test_a_huge_function_is_refused_with_the_figure(soundings, make_module) -> None:
    body = "".join(f"    x{n} = {n}\n" for n in range(4_000))
    make_module("huge", f"def huge():\n{body}    return x1\n")
    probe = soundings.log("huge.py:7")
    state = soundings.state(probe)
    assert state.status is Status.ERROR
    assert "units of bytecode" in state.reason


def test_long_functions_hit_at_their_end(soundings, make_module) -> None:
    """EXTENDED_ARG stands before a line's first instruction there."""
    body = "".join(f"    x{n} = 'text {n}'\n" for n in range(600))
    module = make_module("long", f"def long():\n{body}    return x1\n")
    soundings.log("long.py:601", "x598={x598}")
    assert module.long() == "text 1"
    assert soundings.messages() == ["x598=text 598"]


COPIES = """\
def opened(fail):
    if fail:
        raise OSError
    return []
def variable(fail):
    try:
        conn = []
        if fail:
            raise ValueError
    finally:
        conn.append(1)
def swallow(fail):
    for _ in range(1):
        try:
            if fail:
                raise ValueError
        finally:
            continue
def leave(fail):
    try:
        if fail:
            raise ValueError
    finally:
        return 1
def adjacent(fail):
    try:
        first, second = 1, 2
        if fail:
            raise ValueError
    finally:
        first = first, second
"""


@pytest.mark.parametrize(
    ("line", "function"), [(11, "variable"), (18, "swallow"), (24, "leave"), (31, "adjacent")]
)
def test_every_copy_of_finally_hits(soundings, make_module, line, function) -> None:
    """The compiler's copies do not begin alike: what is known to be bound differs, and so
    does what the way of an exception has to clean up first."""
    module = make_module("copies", COPIES)
    soundings.log(f"copies.py:{line}")
    for fail in (False, True):
        with suppress(ValueError):
            getattr(module, function)(fail)
    assert len(soundings.messages()) == 2
