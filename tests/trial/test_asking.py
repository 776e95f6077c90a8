"""What a frame is asked: values and errors, prints and refusals; nothing breaks out."""

import asyncio
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import shown, twin_of

from leadline.trial.asking import ask, asked
from leadline.trial.code import check
from leadline.trial.printed import MAX_PRINTED_CHARS
from leadline.wire.errors import UsageError
from leadline.wire.messages import encode
from leadline.wire.twin import MAX_ANSWER_BYTES, Refusal, Said
from leadline.wire.value import render

RATE = 3


class Cart:
    def __init__(self) -> None:
        self.items = [3, 4]

    @property
    def total(self) -> int:
        return sum(self.items) * 10

    def broken(self) -> int:
        return self.total // 0


def said(*code: str, refusals=list) -> list[Said]:
    cart, k = Cart(), 5  # noqa: F841 - what is asked for
    return ask(sys._getframe(), code, shown, refusals)


def value(*code: str) -> str:
    *_, last = said(*code)
    assert last.raised == ""
    assert last.returned
    return render(last.value)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (["cart.total + k"], "75"),
        (["[i * k for i in cart.items]"], "[15, 20]"),
        (["sum(i * k for i in cart.items)"], "35"),
        (["(lambda x: x * k * RATE)(2)"], "30"),
        (["list(map(lambda x: [y + x + k for y in cart.items], [1]))"], "[[9, 10]]"),
        (["{i: RATE for i in range(k) if i in cart.items}"], "{3: 3, 4: 3}"),
        (["x = cart.total", "x + 1"], "71"),
        (["def twice(n):\n    return n * k\n", "twice(RATE)"], "15"),
        (["cart.items.append(10)", "cart.total"], "170"),
        (["import math\ny = math.floor(2.5)\ny + k"], "7"),
        (["  cart.total  "], "70"),
        (["k = 6", "k"], "6"),
        (["None"], "None"),
        (["(x := 3)", "x"], "3"),
        (["class A:\n    y = k\n", "A.y"], "5"),
        (["'a;b'; k"], "5"),
    ],
)
def test_expressions_and_statements(code, expected) -> None:
    assert value(*code) == expected


def test_a_statement_has_no_value() -> None:
    (one,) = said("x = 1")
    assert (one.returned, one.value, one.raised) == (False, None, "")


def test_one_that_fails_does_not_stop_the_next() -> None:
    first, second = said("1 / 0", "k")
    assert first.raised == "ZeroDivisionError: division by zero (line 1)"
    assert second.value == 5


def test_an_error_has_its_line_and_the_frames_it_came_from() -> None:
    (one,) = said("x = 1\n\ncart.broken()")
    head, frame = one.raised.splitlines()
    assert head.startswith("ZeroDivisionError: ")
    assert head.endswith("(line 3)")
    line = Cart.broken.__code__.co_firstlineno + 1
    assert frame.strip().endswith(f"test_asking.py:{line} Cart.broken")


def test_what_is_printed_is_kept() -> None:
    (one,) = said(
        "import sys\nprint('a', k)\nsys.stderr.write('b')\nsys.stdout.buffer.write(b'c')"
    )
    assert one.printed == "a 5\nbc"
    (one,) = said("print('x' * 100_000); 1 / 0")
    assert one.printed.endswith("\n… 92,001 more characters")
    assert len(one.printed) < MAX_PRINTED_CHARS + 100
    assert one.raised.startswith("ZeroDivisionError")


def test_the_streams_are_put_back() -> None:
    before = sys.stdout, sys.stderr
    said("print(1)", "1 / 0")
    assert (sys.stdout, sys.stderr) == before


def test_what_was_refused_meanwhile_is_told_with_each() -> None:
    log: list[Refusal] = [Refusal("openat", "/a", 1)]

    class Kernel:
        def refuse(self) -> None:
            log[0] = Refusal("openat", "/a", log[0].count + 1)
            log.append(Refusal("socket"))

    kernel = Kernel()  # noqa: F841 - asked for below
    one, two, three = ask(
        sys._getframe(), ["1", "kernel.refuse()", "kernel"], shown, lambda: list(log)
    )
    assert one.refused == three.refused == []
    assert two.refused == [Refusal("openat", "/a", 1), Refusal("socket", "", 1)]


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("raise SystemExit(3)", "SystemExit: 3 (line 1)"),
        ("import sys; sys.exit()", "SystemExit (line 1)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (line 1)"),
        ("raise GeneratorExit", "GeneratorExit (line 1)"),
        ("[0] * 10**14", "MemoryError (line 1)"),
        ("(lambda f: f(f))(lambda f: f(f))", "RecursionError: maximum recursion depth"),
        ("nothing", "NameError: name 'nothing' is not defined (line 1)"),
        ("1 +", "Line 1 cannot be compiled: invalid syntax."),
        ("x =\ny = = 2", "Line 1 cannot be compiled"),
        ("return 1", "Line 1 cannot be compiled: 'return' outside function."),
        ("", "There is no code"),
        ("\0", "cannot be compiled"),
        ("\ud800", "cannot be compiled"),
        ("(" * 5000, "cannot be compiled"),
        ("-" * 9_990 + "1", "The code is nested too deeply to be compiled."),
        ("k" + " + k" * 2_400, ""),
        ("(" * 150 + ")" * 150, ""),
        ("a" * 20_000, "Code has at most 10,000 characters."),
    ],
)
def test_whatever_happens_is_told(code, raised) -> None:
    (one,) = said(code)
    assert raised in one.raised
    assert len(one.raised) < 3_000


HOSTILE = """\
class Meta(type):
    def __getattribute__(cls, name): raise RuntimeError(name)
class Evil(Exception, metaclass={meta}):
    {body}
raise Evil('x' * 100_000)
"""


@pytest.mark.parametrize(
    ("body", "raised"),
    [
        ("def __str__(self): raise SystemExit", "Evil: <its text cannot be had: SystemExit>"),
        ("def __str__(self): return 3", "Evil: <its text cannot be had: TypeError>"),
        ("__str__ = lambda self: self.__str__()", "Evil: <its text cannot be had: RecursionE"),
        ("def __getattribute__(self, name): raise KeyError", "Evil: xxx"),
        ("__class__ = property(lambda self: 1 / 0)", "Evil: xxx"),
        ("__traceback__ = property(lambda self: 1 / 0)", "Evil: xxx"),
        ("def __repr__(self): raise SystemExit", "Evil: xxx"),
    ],
)
@pytest.mark.parametrize("meta", ["type", "Meta"])
def test_hostile_exceptions_are_told_in_short(body, raised, meta) -> None:
    (one,) = said(HOSTILE.format(body=body, meta=meta))
    assert raised in one.raised
    assert len(one.raised) < 1_500


def test_hostile_values_are_shown() -> None:
    code = """
    class Evil:
        __class__ = property(lambda self: 1 / 0)
        def __repr__(self): raise SystemExit
        def __getattribute__(self, name): raise SystemExit
        def __eq__(self, other): raise SystemExit
        __hash__ = __eq__
    """
    assert value(textwrap.dedent(code), "Evil()") == "Evil()"


def test_what_cannot_be_shown_says_so() -> None:
    def fails(_: object):
        raise OSError("no")

    (one,) = ask(sys._getframe(), ["1"], fails, list)
    assert one.returned
    assert render(one.value) == "<unknown: it cannot be shown: OSError>"


def test_nothing_runs_when_one_cannot_be_compiled() -> None:
    ran: list[int] = []
    answers = ask(sys._getframe(), ["ran.append(1)", "1 +"], shown, list)
    assert [one.code for one in answers] == ["1 +"]
    assert ran == []


def test_all_answers_together_are_bounded() -> None:
    def plain(value):
        return {"type": "str", "text": str(value)}

    answers = ask(sys._getframe(), ["'x' * 100_000"] * 20, plain, list)
    assert len(encode(answers)) < MAX_ANSWER_BYTES
    assert answers[0].value["text"] == "x" * 100_000
    assert answers[-1].value == {"type": "str", "omitted": "room"}


def test_answers_come_one_by_one() -> None:
    ran: list[int] = []
    answers = asked(sys._getframe(), ["ran.append(1)", "ran.append(2)"], shown, list)
    next(answers)
    assert ran == [1]


def test_an_await_runs_on_a_loop_of_its_own() -> None:
    async def later(n: int) -> int:
        await asyncio.sleep(0.001)
        return n * 2

    async def view(n: int) -> int:
        return await later(n)

    async def live() -> int:
        return await view(4)

    def inside(frame):
        return ask(
            frame,
            [
                "from asyncio import get_running_loop as g",
                "await later(n)",
                "x = await later(n + 1)\nx + 1",
                "[await later(i) async for i in many()]",
                "await later(1 // 0)",
                "import asyncio",
                "await asyncio.wait_for(asyncio.sleep(9), 0.01)",
            ],
            shown,
            list,
        )

    async def many():
        yield 1
        yield 2

    globals().update(later=later, many=many)
    result, answers = twin_of(view, inside, lambda: asyncio.run(live()))
    assert result == 8
    values = [one["value"] for one in answers]
    assert values[1:3] == [8, 11]
    assert [one["raised"] for one in answers[:3]] == [""] * 3
    assert render(values[3]) == "[2, 4]"
    assert answers[4]["raised"].startswith("ZeroDivisionError")
    assert answers[6]["raised"].startswith("TimeoutError")


BODIES = """
import sys
level = 3
found = [ask(sys._getframe(), ["level + 1", "added = 5", "[level for _ in range(2)]"])]
class Body:
    level = 4
    found.append(ask(sys._getframe(), ["level + 1", "sum(level for _ in range(2))"]))
class Meta(type):
    def __prepare__(name, bases):
        return Odd()
odd = []
class Odd(dict):
    def keys(self):
        return super().keys() if odd else 1 / 0
    def __iter__(self):
        return super().__iter__() if odd else 1 / 0
class Strange(metaclass=Meta):
    found.append(ask(sys._getframe(), ["level"]))
    odd.append(1)
def later():
    return [ask(sys._getframe(), ["level"]) for level in range(2)]
found += later()
generated = list(ask(sys._getframe(), ["one", "level"]) for one in range(1))
found += generated
"""


def test_bodies_and_comprehensions_are_asked_too() -> None:
    def in_frame(frame, code):
        return [one.raised or render(one.value) for one in ask(frame, code, shown, list)]

    namespace = {"ask": in_frame}
    exec(BODIES, namespace)
    assert namespace["found"] == [
        ["4", "None", "[3, 3]"],
        ["5", "8"],
        ["3"],
        ["0"],
        ["1"],
        ["0", "3"],
    ]
    assert "added" not in namespace


def test_deep_in_a_recursion_there_is_room() -> None:
    def down(n: int) -> list[Said]:
        return down(n - 1) if n else said("cart.total")

    limit = sys.getrecursionlimit()
    try:
        frame, depth = sys._getframe(), 0
        while frame is not None:
            frame, depth = frame.f_back, depth + 1
        assert down(limit - depth - 20)[0].value == 70
    finally:
        sys.setrecursionlimit(limit)


@pytest.fixture(autouse=True)
def same_limit():
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


def test_check_points_at_what_is_wrong() -> None:
    check("cart.total + 1")
    check("x = 1\nawait y")
    with pytest.raises(UsageError) as caught:
        check("a = 1\nb = = 2")
    assert caught.value.slug == "bad-code"
    assert str(caught.value) == (
        "Line 2 cannot be compiled: invalid syntax.\n    b = = 2\n        ^"
    )


PIECES = st.sampled_from(
    [*"()[]{}:,;.=+-*/@'\"\\\n\t #$?!", "if", "else", "for", "in", "await", "async", "def f",
     "lambda", "yield", "return", "x", "1", "0x", "1e", "f'", "'''", "class A", "import", "del",
     "global x", "nonlocal x", "  ", "\0", "\ud800", "é", "\u2028", "with", "match x", "case _"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=20))
def test_any_text_is_code_or_is_not(text) -> None:
    try:
        check(text)
    except UsageError as error:
        problem = error
    else:
        return
    assert problem.slug == "bad-code"
    assert problem.message.endswith((".", "?", "!"))
    assert len(str(problem)) < 500
