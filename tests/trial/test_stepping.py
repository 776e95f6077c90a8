"""The real frame steps on in a twin, over a real socket, while the live call is long done."""

import asyncio
import os
import sys
import time
from pathlib import Path
from types import FunctionType

import jinja2
import pytest
import sqlalchemy
from sessions import FIRST, LIFE_S, Session, place, refused
from twins import shown

from leadline.wire.messages import encode
from leadline.wire.stepping import Do, Reason, Request
from leadline.wire.twin import MAX_ANSWER_BYTES, Refusal
from leadline.wire.value import render


class Cart:
    def __init__(self) -> None:
        self.items = [3, 4]

    @property
    def total(self):
        return sum(self.items) * 10


def helper(cart, k):
    r = cart.total + k
    return r  # noqa: RET504 - stepped


def handler(cart, k):
    x = helper(cart, k)
    for i in range(3):
        x += i
    return x * 2


def outer(cart):
    answer = handler(cart, 5)
    return answer + 1


@pytest.fixture
def stepped():
    with Session(handler, lambda: outer(Cart())) as session:
        assert session.result == 157
        yield session


def test_it_stands_at_the_beginning_until_it_is_told_to_move(stepped) -> None:
    reply = stepped.ask("where")
    assert (reply.reason, reply.stop.function) == (Reason.LINE, "handler")
    assert reply.stop.source == "def handler(cart, k):"
    assert 0 < reply.alive_s <= LIFE_S
    first, second, *_ = reply.frames
    assert (first.is_selected, first.is_above) == (True, False)
    assert (second.function, second.is_selected, second.is_above) == ("outer", False, True)
    assert second.source == "answer = handler(cart, 5)"
    assert {name: render(one) for name, one in stepped.ask("args").variables.items()} == {
        "cart": "Cart(items=[3, 4])",
        "k": "5",
    }


def test_next_goes_over_calls_to_the_end(stepped) -> None:
    moves = stepped.go(*["next"] * 9)
    assert moves == [
        *("line handler+1", "line handler+2", "line handler+3", "line handler+2"),
        *("line handler+3", "line handler+2", "line handler+3", "line handler+2"),
        "line handler+4",
    ]
    last = stepped.ask("next")
    assert (last.reason, last.value) == (Reason.FINISHED, 156)
    assert stepped.value("x") == "78"
    assert stepped.ask("where").reason is Reason.FINISHED
    for move in ("next", "step", "continue", "return", "until"):
        reply = stepped.ask(move)
        assert reply.reason is Reason.ERROR
        assert "has come to its end" in reply.text
    assert stepped.ask("quit").number
    assert stepped.end() == 0


def test_step_goes_into_calls_and_properties(stepped) -> None:
    assert stepped.go("step", "step", "step") == [
        "line handler+1",
        "line helper+1",
        "line total+0",
    ]
    reply = stepped.ask("step")
    assert (place(reply), reply.value) == ("return total+0", 70)
    assert stepped.go("step") == ["line helper+2"]


def test_step_skips_nothing_of_ours(stepped) -> None:
    stepped.go("step", "step")
    reply = stepped.ask("where")
    assert [one.function for one in reply.frames[:3]] == ["helper", "handler", "outer"]
    assert not any("leadline/trial" in one.file for one in reply.frames)


def test_return_ends_the_function_that_is_looked_at(stepped) -> None:
    stepped.go("step", "step")
    reply = stepped.ask("return")
    assert (place(reply), reply.value) == ("return helper+2", 75)
    assert stepped.go("next") == ["line handler+2"]
    assert stepped.ask("return").reason is Reason.FINISHED


def test_until_leaves_loops_and_finds_lines(stepped) -> None:
    assert stepped.go("next", "next", "next", "next")[-1] == "line handler+2"
    assert stepped.go("until") == ["line handler+3"]
    assert stepped.go("until") == ["line handler+4"]


def test_until_a_line(stepped) -> None:
    line = handler.__code__.co_firstlineno + 3
    assert stepped.go(f"until {line}") == ["line handler+3"]
    assert stepped.ask("until", "soon").text == "'soon' is no number."
    assert stepped.ask("until", "100000").reason is Reason.FINISHED


def test_continue_runs_to_the_end(stepped) -> None:
    reply = stepped.ask("continue")
    assert (reply.reason, reply.value) == (Reason.FINISHED, 156)


def test_up_and_down_look_and_never_run_on(stepped) -> None:
    stepped.go("step", "step")
    reply = stepped.ask("up")
    assert (reply.stop.function, reply.stop.is_above) == ("handler", False)
    assert stepped.value("k + 1") == "6"
    reply = stepped.ask("up")
    assert (reply.stop.function, reply.stop.is_above) == ("outer", True)
    assert stepped.value("len(cart.items)") == "2"
    for move in ("return", "next", "until", "continue", "step"):
        reply = stepped.ask(move)
        assert (reply.reason, reply.stop.function) == (Reason.ERROR, "outer")
        assert "does not go on" in reply.text
    assert stepped.ask("down", "2").stop.function == "helper"
    assert stepped.ask("down").text == "This is the innermost frame."
    assert stepped.ask("up", "1000").text == "This is the outermost frame."
    assert stepped.ask("up", "x").reason is Reason.ERROR
    stepped.ask("up")
    assert stepped.ask("return").reason is Reason.FINISHED


def test_list_shows_the_text_around(stepped) -> None:
    first = handler.__code__.co_firstlineno
    lines = stepped.ask("list").lines
    assert lines[0].number <= first <= lines[-1].number
    assert next(one.text for one in lines if one.number == first) == "def handler(cart, k):"
    following = stepped.ask("list").lines
    assert following[0].number == lines[-1].number + 1
    assert stepped.ask("list", "2").lines[0].number == 1
    assert "The file ends with line" in stepped.ask("list", "100000").text
    assert stepped.ask("list", "x").reason is Reason.ERROR


def test_what_is_printed_and_what_fails(stepped) -> None:
    reply = stepped.ask("print", "print('a'); 1 / 0")
    assert (reply.reason, reply.printed) == (Reason.ERROR, "a\n")
    assert reply.text == "ZeroDivisionError: division by zero (line 1)"
    assert stepped.ask("print", "1 +").text.startswith("Line 1 cannot be compiled")
    assert stepped.ask("print", "").text.startswith("There is no code")
    assert stepped.ask("print", "raise SystemExit(3)").text.startswith("SystemExit: 3")
    reply = stepped.ask("pp", "{n: 'x' * 30 for n in range(4)}")
    assert reply.text.startswith("{0: 'xxx")
    assert reply.text.count("\n") == 3
    assert stepped.value("sum(i * k for i in cart.items)") == "35"
    assert stepped.value("(lambda: cart.total + k)()") == "75"


def test_assignments_take_effect(stepped) -> None:
    stepped.go("next", "next")
    assert stepped.value("x = 100", "run") == ""
    assert stepped.value("x") == "100"
    stepped.ask("run", "own = 3\ndef twice(n): return n * own")
    assert stepped.value("twice(x)") == "300"
    stepped.ask("run", "del own")
    assert stepped.ask("print", "own").text.startswith("NameError")
    stepped.ask("run", "k = 7; import json as j")
    assert stepped.value("j.dumps([k])") == "[7]"
    assert stepped.ask("continue").value == 206


def test_a_variable_of_a_function_stays_bound(stepped) -> None:
    reply = stepped.ask("run", "del k")
    assert reply.text == "k cannot be unbound while its function runs."
    assert stepped.value("k") == "5"


def rendered(names):
    return jinja2.Template("{% for n in names %}{{ n|upper }},{% endfor %}").render(names=names)


def selected(name):
    table = sqlalchemy.table("t", sqlalchemy.column("a"))
    return str(sqlalchemy.select(table).where(table.c.a == name))


def handled(n):
    found = []
    for key in range(n):
        try:
            try:
                {}[key]
            finally:
                found.append(key)
        except KeyError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize("function", [rendered, selected, handled])
def test_stepping_through_everything_changes_nothing(function) -> None:
    """A step for each line of two libraries, and a look on the way."""
    function("ab" if function is not handled else 3)  # what is made once is there
    with Session(function, lambda: function("ab" if function is not handled else 3)) as session:
        for number in range(20_000):
            reply = session.ask("step")
            if reply.reason is Reason.FINISHED:
                break
            if number % 100 == 0:
                session.ask("locals")
                session.ask("run", "never_there = 1")
        assert reply.reason is Reason.FINISHED
        assert reply.value == shown(session.result)


def test_assignments_in_the_frame_above(stepped) -> None:
    stepped.go("step", "step")
    stepped.ask("up")
    stepped.ask("run", "k = 1000")
    assert stepped.value("k") == "1000"
    stepped.ask("down")
    assert stepped.value("k") == "5"
    stepped.ask("run", "k = 6")
    assert stepped.ask("return").value == 76


def test_completion(stepped) -> None:
    assert stepped.ask("complete", "cart.it").completions == ["cart.items"]
    assert stepped.ask("complete", "x = cart.items.app").completions == ["cart.items.append"]
    assert stepped.ask("complete", "print(cart.items[0].re").completions == [
        "cart.items[0].real"
    ]
    assert "helper" in stepped.ask("complete", "hel").completions
    assert "lambda" in stepped.ask("complete", "la").completions
    assert "len" in stepped.ask("complete", "le").completions
    assert stepped.ask("complete", "cart.__cl").completions == ["cart.__class__"]
    assert not any("._" in one for one in stepped.ask("complete", "cart.").completions)
    assert stepped.ask("complete", "nothing.a").completions == []
    assert len(stepped.ask("complete", "").completions) > 20


def test_locals(stepped) -> None:
    assert list(stepped.ask("locals").variables) == ["cart", "k"]
    stepped.go("next", "next")
    assert list(stepped.ask("locals").variables) == ["cart", "k", "x"]


def test_whoever_goes_ends_it(stepped) -> None:
    stepped.go("next")
    stepped.ours.close()
    assert stepped.end() == 0


def test_whoever_goes_while_it_runs_ends_it() -> None:
    def busy():
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            pass
        return 1

    with Session(busy, busy) as session:
        session.send(encode(Request(Do.CONTINUE)))
        session.ours.close()
        assert session.end() == 0


def test_lines_that_are_no_requests(stepped) -> None:
    for line in (b"next", b"{}", b"\xff\xfe", b'{"do": "jump"}', b""):
        stepped.send(line)
        assert stepped.receive().reason is Reason.ERROR
    assert stepped.go("next") == ["line handler+1"]
    stepped.ours.sendall(b"x" * 200_000)
    assert stepped.end() == 0


def test_an_answer_is_never_larger_than_it_may_be() -> None:
    def plain(value):
        return {"type": "str", "text": str(value)}

    with Session(handler, lambda: handler(Cart(), 5), plain) as session:
        reply = session.ask("print", f"'x' * {MAX_ANSWER_BYTES + 1}")
        assert "ask for a part of it" in reply.text
        assert not reply.has_value
        assert session.go("next") == ["line handler+1"]


# --- exceptions and refusals ---


def fails(n):
    if n == 0:
        raise ValueError("at the bottom")
    return fails(n - 1)


def catches(n):
    try:
        fails(n)
    except ValueError:
        return "caught"
    return "not"


def test_an_exception_stops_where_it_is_raised_and_where_it_passes() -> None:
    with Session(catches, lambda: catches(1)) as session:
        assert session.go(*["step"] * 6) == [
            *("line catches+1", "line catches+2", "line fails+1", "line fails+3"),
            *("line fails+1", "line fails+2"),
        ]
        reply = session.ask("step")
        assert place(reply) == "exception fails+2"
        assert render(reply.value) == "ValueError('at the bottom')"
        assert reply.text.startswith("ValueError: at the bottom\n  ")
        assert session.go("next", "next", "next") == [
            "exception fails+3",
            "exception catches+2",
            "line catches+3",
        ]
        assert session.ask("continue").value == "caught"


def test_an_exception_that_leaves_the_call_finishes_it() -> None:
    def live():
        with pytest.raises(ValueError, match="at the bottom"):
            fails(2)

    for move in ("continue", "return"):
        with Session(fails, live) as session:
            reply = session.ask(move)
            assert (reply.reason, render(reply.value)) == (
                Reason.FINISHED,
                "ValueError('at the bottom')",
            )
            assert "ValueError: at the bottom" in reply.text


def test_return_out_of_a_function_that_raises() -> None:
    with Session(catches, lambda: catches(1)) as session:
        session.go("step", "step", "step")
        assert session.go("return") == ["exception catches+2"]


def writes():
    kept = []
    with open(os.devnull) as there:
        kept.append(there.read())
    try:
        effect()
    except PermissionError:
        kept.append("no")
    return kept


def effect():
    refused.append(Refusal("openat", "/var/lib/shop", 1))
    raise PermissionError(13, "Permission denied")


def test_what_the_kernel_refuses_stops_at_the_line_that_tried() -> None:
    def live():
        try:
            return writes()
        finally:
            refused.clear()

    for move in ("continue", "return", "next", "until 100000", "step"):
        with Session(writes, live) as session:
            told = []
            while not told or told[-1].reason is not Reason.EXCEPTION:
                told.append(session.ask(*move.split()))
                assert len(told) < 30
            last = told[-1]
            assert place(last) == "exception effect+2"
            assert last.stop.source.startswith("raise PermissionError")
            news = [refusal for one in told for refusal in one.refused]
            assert news == [Refusal("openat", "/var/lib/shop", 1)]
            assert last.text.startswith("PermissionError: [Errno 13]")
            assert session.ask("where").refused == []
            assert session.go("next", "next") == ["exception writes+5", "line writes+6"]
            assert session.value("len(kept)") == "1"
            assert session.ask("continue").value == {
                "type": "list",
                "length": 2,
                "items": ["", "no"],
            }


def test_that_a_source_cannot_be_read_is_no_refusal_of_the_code() -> None:
    def unreadable(_code):
        refused.append(Refusal("openat", "/a", 1))

    def live():
        try:
            return writes()
        finally:
            refused.clear()

    with Session(writes, live, source=unreadable) as session:
        assert session.ask("where").refused == []
        assert session.ask("continue").refused == [Refusal("openat", "/var/lib/shop", 1)]
        assert session.ask("list").text.endswith("is not here.")


# --- generators, coroutines, recursion, comprehensions, libraries ---


def counts(n):
    for i in range(n):  # noqa: UP028 - stepped
        yield i
    return "all"


def drains():
    found = []
    for one in counts(2):
        found.append(one)  # noqa: PERF402 - stepped
    total = sum(x * 2 for x in found)
    return [y + total for y in found]


def test_generators_are_stepped_into() -> None:
    with Session(drains, drains) as session:
        session.go("next", "next")
        assert session.go("step", "step") == ["line counts+1", "line counts+2"]
        reply = session.ask("step")
        assert (place(reply), reply.value) == ("return counts+2", 0)
        assert session.go("next", "next", "next", "next", "next") == [
            *("line drains+3", "line drains+2", "line drains+3", "line drains+2"),
            "line drains+4",
        ]
        assert "<genexpr>" in session.ask("step").stop.function
        assert session.ask("return").reason in (Reason.RETURN, Reason.EXCEPTION)
        assert session.ask("continue").value == {"type": "list", "length": 2, "items": [2, 3]}


def test_a_generator_that_was_hit_ends_where_it_yields() -> None:
    with Session(counts, lambda: list(counts(2))) as session:
        assert session.go("next", "next") == ["line counts+1", "line counts+2"]
        reply = session.ask("next")
        assert (reply.reason, reply.value) == (Reason.FINISHED, 0)
        assert "who takes the value does not run" in reply.text


async def inner(n):
    await asyncio.sleep(0)
    return n


async def quick(n):
    return n


async def view(n):
    one = await quick(n)
    two = await inner(one + 1)
    return two  # noqa: RET504 - stepped


def runs(coroutine, factory):
    """Return what runs a coroutine on a loop of that kind."""
    loop = pytest.importorskip(factory).new_event_loop if factory else None

    def live():
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(coroutine())

    return live


LOOPS = pytest.mark.parametrize("factory", [None, "uvloop"])
EVENT_LOOP = "The event loop stands still in a twin: it cannot go past this await."


@LOOPS
def test_a_coroutine_begins_anew_and_goes_past_its_awaits(factory) -> None:
    with Session(view, runs(lambda: view(3), factory)) as session:
        assert session.result == 4
        reply = session.ask("where")
        assert reply.text.startswith("This coroutine begins anew here")
        above = [one.function for one in reply.frames if one.is_above]
        assert session.go("next", "step", "next", "next") == [
            *("line view+1", "line quick+1", "return quick+1", "line view+2"),
        ]
        reply = session.ask("where")
        assert [one.function for one in reply.frames if one.is_above] == above
        assert session.value("await quick(8)") == "8"
        assert session.value("await inner(9)") == "9"
        assert session.value("one") == "3"
        assert session.go("step", "next") == ["line inner+1", "line inner+2"]
        session.ask("run", "n = 10")
        reply = session.ask("return")
        assert (place(reply), reply.value) == ("return inner+2", 10)
        assert session.go("next") == ["line view+3"]
        reply = session.ask("next")
        assert (reply.reason, reply.value) == (Reason.FINISHED, 10)
        assert session.value("one + 1") == "4"
        assert "has come to its end" in session.ask("next").text


async def gathers(n):
    async with asyncio.timeout(0.3):
        parts = await asyncio.gather(inner(n), asyncio.to_thread(len, "ab"))
    await asyncio.sleep(0.001)
    return parts


@LOOPS
def test_the_clock_of_its_loop_stands_while_somebody_looks(factory) -> None:
    with Session(gathers, runs(lambda: gathers(3), factory)) as session:
        assert session.go("next", "next") == ["line gathers+1", "line gathers+2"]
        time.sleep(0.4)
        assert session.go("next", "next")[0] == "line gathers+1"
        assert session.ask("continue").value == {"type": "list", "length": 2, "items": [3, 2]}


def test_what_was_changed_before_it_moves_is_what_it_begins_with() -> None:
    with Session(view, lambda: asyncio.run(view(3))) as session:
        session.ask("run", "n = 20")
        assert session.ask("continue").value == 21


async def waits_for_live(future):
    await asyncio.sleep(0)
    return await future


def test_what_it_awaits_of_the_live_loop_is_an_exception() -> None:
    async def live():
        future = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(waits_for_live(future))
        await asyncio.sleep(0.01)
        future.set_result(1)
        return await task

    with Session(waits_for_live, lambda: asyncio.run(live())) as session:
        assert session.go("next", "next") == ["line waits_for_live+1", "line waits_for_live+2"]
        reply = session.ask("next")
        assert reply.reason is Reason.EXCEPTION
        assert "attached to a different loop" in reply.text
        assert session.ask("continue").reason is Reason.FINISHED


def here():
    return 1


async def midway(n):
    one = here()
    two = await quick(n)
    waiting = asyncio.get_running_loop().run_in_executor(None, here)
    time.sleep(0.01)
    return one + two + await waiting


@LOOPS
def test_a_coroutine_that_is_under_way_goes_on_to_its_first_real_await(factory) -> None:
    with Session(here, runs(lambda: midway(3), factory), above=1) as session:
        assert session.result == 5
        reply = session.ask("where")
        assert reply.text == ""
        assert place(reply) == "line midway+1"
        assert session.go("next", "next") == ["line midway+2", "line midway+3"]
        assert session.value("await quick(8)") == "8"
        assert session.go("next", "next") == ["line midway+4", "line midway+5"]
        reply = session.ask("next")
        assert (place(reply), reply.text) == ("finished midway+5", EVENT_LOOP)
        assert session.value("two + 1") == "4"
        assert "has come to its end" in session.ask("next").text


def deep(n):
    if n == 0:
        return 0
    return 1 + deep(n - 1)


def test_next_stays_in_its_frame_of_a_recursion() -> None:
    with Session(deep, lambda: deep(3)) as session:
        assert session.go("next", "next") == ["line deep+1", "line deep+3"]
        assert session.go("step", "next") == ["line deep+1", "line deep+3"]
        reply = session.ask("next")
        assert (place(reply), reply.value) == ("return deep+3", 2)
        assert session.value("n") == "2"
        assert session.ask("next").value == 3


def parses(text):
    return Path(text).with_suffix(".b").name


def test_step_goes_into_library_code() -> None:
    with Session(parses, lambda: parses("x.a")) as session:
        session.go("step")
        reply = session.ask("step")
        assert "pathlib" in reply.stop.file
        assert session.ask("where").frames[1].function == "parses"
        assert session.ask("up").stop.function == "parses"
        assert session.ask("return").value == "x.b"


class Closing:
    def __init__(self, n) -> None:
        self.n = n

    def total(self, m):
        rate = 2

        def inner_one(x):
            nonlocal rate
            rate += x
            return rate * self.n

        return inner_one(m) + rate


def test_cells_are_seen_and_written() -> None:
    with Session(Closing.total, lambda: Closing(3).total(1)) as session:
        FIRST["total"] = Closing.total.__code__.co_firstlineno
        assert session.result == 12
        session.ask("next")
        session.ask("next")
        session.ask("run", "rate = 10")
        assert session.value("rate") == "10"
        session.ask("next")
        session.ask("step")
        assert session.ask("where").stop.function.endswith("inner_one")
        session.go("next")
        assert session.value("rate") == "11"
        session.ask("run", "rate = 20")
        assert session.ask("return").value == 60
        assert session.ask("continue").value == 80


def says():
    print("from the application")
    sys.stderr.write("and an error\n")
    return 1


def test_what_the_application_prints_is_told() -> None:
    with Session(says, says) as session:
        replies = [session.ask("next").printed for _ in range(3)]
        assert replies == ["", "from the application\n", "and an error\n"]
    with Session(says, says) as session:
        assert session.ask("continue").printed == "from the application\nand an error\n"


def declared():
    return RATE


RATE = 3


def test_globals_are_changed_where_that_is_said() -> None:
    with Session(declared, declared) as session:
        session.ask("run", "RATE = 4")
        assert session.value("RATE") == "4"
        assert session.ask("continue").value == 3
    with Session(declared, declared) as session:
        session.ask("run", "global RATE; RATE = 4")
        assert session.ask("continue").value == 4
    assert RATE == 3


def test_a_defect_of_ours_ends_the_twin() -> None:
    def breaks(_):
        raise KeyError("ours")

    with Session(handler, lambda: handler(Cart(), 5)) as session:
        session.ask("run", "import leadline.trial.standing as s; s.Standing.stand = None")
        reply = session.ask("next")
        assert reply.reason is Reason.ERROR
        assert reply.text.startswith("This is a defect of Leadline: TypeError")
        assert session.end() == 70
    assert breaks


FIRST.update(
    (name, one.__code__.co_firstlineno)
    for name, one in list(globals().items())
    if isinstance(one, FunctionType)
)
