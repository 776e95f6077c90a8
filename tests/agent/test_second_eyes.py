"""What only looking for trouble brings to light: odd programs, and what probes make of them."""

import os
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction

import pytest

from leadline.agent.capture.recognition import held
from leadline.agent.core.passage import MAX_OPEN_CALLS
from leadline.agent.locate.text import text_of
from leadline.expression.layout import MISSING, layout_of
from leadline.wire.limits import Limits
from leadline.wire.probe import ExceptionProbe, Moment, Status, TimerProbe
from leadline.wire.scrubbing import scrub_values

EVENTS = sys.monitoring.events
OFTEN = Limits(hits=1_000, rate_per_s=1_000.0)
CARD = 4111111111111111


@pytest.fixture
def deep() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


@pytest.fixture
def few_digits() -> Iterator[None]:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    yield
    sys.set_int_max_str_digits(before)


THROWING = """
def throw():
    try:
        raise ValueError
    except ValueError:
        return 1
"""


def test_a_suspended_probe_on_exceptions_is_not_called(soundings, make_module) -> None:
    """Their events are of all code and cannot be switched off where they happen."""
    module = make_module("throwing", THROWING)
    probe = soundings.place(ExceptionProbe, "*", limits=OFTEN)
    passage = soundings.registry.standing(probe).compiled.passage
    soundings.tick()
    passage.window_ns = soundings.core.unread_ns = 10**9
    soundings.tick()
    assert soundings.state(probe).status is Status.SUSPENDED
    assert not sys.monitoring.get_events(soundings.monitor.tool)
    for _ in range(5):
        soundings.tick()
    assert soundings.state(probe).status is Status.ARMED
    module.throw()
    said = [reading.message for reading in soundings.readings()]  # who runs tests raises, too
    assert [one for one in said if one.endswith("in throw")] == ["ValueError() in throw"]


def test_one_suspended_probe_on_exceptions_does_not_deafen_another(
    soundings, make_module
) -> None:
    module = make_module("throwing2", THROWING)
    costly = soundings.place(ExceptionProbe, "*", limits=OFTEN)
    soundings.place(
        ExceptionProbe, "throwing2:throw", limits=OFTEN, moment=Moment.RAISED
    )  # fmt: skip
    soundings.tick()
    passage = soundings.registry.standing(costly).compiled.passage
    passage.window_ns = soundings.core.unread_ns = 10**9
    soundings.tick()
    assert soundings.state(costly).status is Status.SUSPENDED
    module.throw()
    said = [reading.message for reading in soundings.readings()]  # who runs tests raises, too
    assert [one for one in said if one.endswith("in throw")] == ["ValueError() in throw"]


def test_calls_that_never_end_leave_room_for_others(soundings, make_module) -> None:
    module = make_module("unfinished", "def rows():\n    yield 1\n    yield 2\n")
    probe = soundings.place(
        TimerProbe, "unfinished:rows", limits=Limits(10**6, rate_per_s=10**6)
    )
    passage = soundings.registry.standing(probe).compiled.passage
    open_ones = [module.rows() for _ in range(MAX_OPEN_CALLS + 10)]
    for rows in open_ones:
        next(rows)
    assert passage.lost == MAX_OPEN_CALLS // 2
    assert len(passage.began) <= MAX_OPEN_CALLS
    soundings.core.spent_ns()  # so that no budget ends it
    last = open_ones.pop()
    assert list(last) == [2]
    assert len(passage.samples) == 1


DEEP = """
def down(n):
    if n == 0:
        raise ValueError("bottom")
    return down(n - 1)

def top(n):
    down(n)
"""


@pytest.mark.parametrize("depth", [50, 3_000])
def test_an_exception_from_far_below_is_shown_where_it_was_raised(
    soundings, make_module, deep, depth
) -> None:
    module = make_module(f"far{depth}", DEEP)
    soundings.place(ExceptionProbe, f"far{depth}:top", limits=OFTEN, frames=3)
    with pytest.raises(ValueError, match="bottom"):
        module.top(depth)
    (reading,) = soundings.readings()
    assert [frame.locals for frame in reading.detail.frames] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert reading.detail.omitted > depth - 2


def test_of_an_endless_chain_the_live_frames_are_shown(soundings, make_module, deep) -> None:
    module = make_module("endless", DEEP)
    soundings.place(ExceptionProbe, "endless:top", limits=OFTEN)
    with pytest.raises(ValueError, match="bottom"):
        module.top(12_000)
    (reading,) = soundings.readings()
    assert reading.detail.frames[0].function == "top"
    assert reading.detail.omitted >= 10_000


def test_numbers_of_more_digits_than_the_application_allows(
    soundings, make_module, few_digits
) -> None:
    module = make_module("digits", "def take(x):\n    return x\n")
    soundings.log("digits.py:2", "{x}")
    module.take(10**639)
    module.take(10**640)
    module.take(Fraction(10**640, 3))
    short, long, fraction = soundings.messages()
    assert short == str(10**639)
    assert long == "<int of 2127: text>"
    assert "opaque" in fraction


@pytest.mark.parametrize("value", [float(CARD), [float(CARD)], CARD + 0.5])
def test_a_card_among_floats_is_withheld(value) -> None:
    captured = value if type(value) is float else {"type": "list", "items": value}
    assert str(CARD) not in str(scrub_values({"x": captured}))
    assert scrub_values({"x": CARD + 1.0}) == {"x": CARD + 1.0}


def test_a_file_that_is_a_pipe_is_not_waited_for(tmp_path) -> None:
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)
    answers: list[object] = []
    reading = threading.Thread(target=lambda: answers.append(text_of(str(pipe))))
    reading.start()
    reading.join(5)
    if not answers:  # let it go, so that the test ends
        os.close(os.open(pipe, os.O_RDWR))
    assert answers == [None]


BODIES = """
import enum
RED = "global"
made = [
    one * 2
    for one in (1, 2)
]
class Color(enum.Enum):
    RED = 5
    SAME = RED + 0

class Own(dict):
    def __getitem__(self, name):
        if name not in self and not name.startswith("__"):
            raise KeyError(name)
        return dict.__getitem__(self, name)

class Meta(type):
    @classmethod
    def __prepare__(mcs, name, bases):
        return Own()
    def __new__(mcs, name, bases, namespace):
        return type.__new__(mcs, name, bases, dict(namespace))

class Odd(metaclass=Meta):
    RED = 7
    same = RED + 0
"""


def test_the_variables_of_a_body_are_its_own(soundings, make_module) -> None:
    """Those of a comprehension in a module, of an enum, and of what a metaclass has made."""
    make_module("bodies", BODIES, load=False)
    soundings.log("bodies.py:5", "{one} {RED}")
    soundings.log("bodies.py:10", "{RED}")
    soundings.log("bodies.py:27", "{RED}")
    __import__("bodies")
    *mine, odd = soundings.messages()
    assert mine == ["1 global", "2 global", "5"]
    assert odd.startswith("<unknown: the variables of this body")


def test_an_object_with_a_million_attributes_is_not_walked_for_one(
    soundings, make_module
) -> None:
    """Its items are watched as they are taken: no name may be looked for among all of them."""
    module = make_module("crowded", "def take(x):\n    return x\n")
    soundings.log("crowded.py:2", "{x}")
    error = ValueError("many")
    vars(error).update((f"a{number}", number) for number in range(1_000_000))
    module.take(error)
    (message,) = soundings.messages()
    assert "a0=0" in message
    assert "<items>" in message
    assert held(error, layout_of(ValueError), "__notes__") is MISSING
    error.add_note("found only by walking past the others")
    assert held(error, layout_of(ValueError), "__notes__") is MISSING
