"""T18 as a law: a line hits exactly as often as it is reached, whatever is compiled of it.

Functions are made at random out of every statement that jumps. Each has a twin in which every
line says itself that it was reached; the hits are compared with what the twins have said.
"""

import contextlib
import random
import re
import sys
from collections import Counter

import pytest

from leadline.agent.locate.lines import executable_lines, first_offsets

SIMPLE = ("t.append(c())", "x = 1", "x = None", "x = x", "pass", "x = 1 if c() else 2")
LEAVING = ("return", "return 1", "return x", "return c()", "raise ValueError(1)")
PROGRAMS = 300


class Program:
    """One function made at random, as lines of source."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines = ["def work(x, t, c, n, m):", *self.block(0, 1, in_loop=False)]

    def block(self, depth: int, indent: int, *, in_loop: bool) -> list[str]:
        out: list[str] = []
        for _ in range(self.random.randint(1, 3)):
            out += self.statement(depth, "    " * indent, in_loop=in_loop)
        return out

    def statement(self, depth: int, pad: str, *, in_loop: bool) -> list[str]:  # noqa: PLR0911 - one a kind
        kinds = ["simple", "simple", "leave", "jump"]
        kinds += ["if", "else", "while", "for", "except", "finally", "with"] * (depth < 4)
        indent = len(pad) // 4 + 1

        def inner(*, loop: bool = in_loop) -> list[str]:
            return self.block(depth + 1, indent, in_loop=loop)

        match self.random.choice(kinds):
            case "simple":
                return [pad + self.random.choice(SIMPLE)]
            case "leave":
                return [pad + self.random.choice(LEAVING)]
            case "jump":
                return [
                    pad + (self.random.choice(("break", "continue")) if in_loop else "x = 3")
                ]
            case "if":
                return [f"{pad}if c():", *inner()]
            case "else":
                return [f"{pad}if c() and c():", *inner(), f"{pad}else:", *inner()]
            case "while":
                out = f"{pad}    if n(): break"
                return [f"{pad}while c():", out, *inner(loop=True)]
            case "for":
                return [f"{pad}for i in range(2):", *inner(loop=True)]
            case "except":
                return [f"{pad}try:", *inner(), f"{pad}except ValueError as e:", *inner()]
            case "finally":
                return [f"{pad}try:", *inner(), f"{pad}finally:", f"{pad}    t.append(3)"]
            case _:
                return [f"{pad}with m():", *inner()]

    def twin(self) -> list[str]:
        return [said(number, line) for number, line in enumerate(self.lines, 1)]


def said(number: int, line: str) -> str:
    """Return a line that says its number when it is reached."""
    headed = re.match(r"(\s*)(if|while|with|for i in) (.*?):(.*)", line)
    if headed:
        pad, word, value, rest = headed.groups()
        return f"{pad}{word} (said({number}), {value})[1]:{rest}"
    simple = re.match(r"(\s*)(t\.|x = |pass|return|break|continue|raise)", line)
    return f"{simple[1]}said({number}); {line.lstrip()}" if simple else line


def run(function, seed: int) -> None:
    chance, asked = random.Random(seed), [0]

    def n() -> bool:
        asked[0] += 1
        return asked[0] % 3 == 0

    def c() -> bool:
        asked[0] += 1
        if asked[0] > 200:
            raise TimeoutError
        return chance.random() < 0.5

    with contextlib.suppress(ValueError, TimeoutError):
        function(0, [], c, n, contextlib.nullcontext)


@pytest.fixture
def count():
    """Count how often each line of a function begins, by the offsets that would be armed."""
    events = sys.monitoring.events
    sys.monitoring.use_tool_id(4, "test")

    def counting(function) -> Counter[int]:
        code, hits = function.__code__, Counter()
        begins = {
            offset: line
            for line in executable_lines(code)
            for offset in first_offsets(code, line)
        }
        sys.monitoring.register_callback(
            4,
            events.INSTRUCTION,
            lambda _, offset: hits.update(filter(None, [begins.get(offset)])),
        )
        sys.monitoring.set_local_events(4, code, events.INSTRUCTION)
        return hits

    yield counting
    sys.monitoring.register_callback(4, events.INSTRUCTION, None)
    sys.monitoring.free_tool_id(4)


def made(source: str, **known):
    exec(compile(source, "<made>", "exec"), known)
    return known["work"]


def test_a_line_hits_as_often_as_it_is_reached(count) -> None:
    compared = 0
    for seed in range(PROGRAMS):
        program, expected = Program(seed), Counter()
        work = made("\n".join(program.lines))
        twin = made("\n".join(program.twin()), said=lambda line, e=expected: e.update([line]))
        hits = count(work)
        for chance in range(8):
            run(work, chance)
            run(twin, chance)
        sys.monitoring.set_local_events(4, work.__code__, 0)
        reached = {line: hits[line] for line in expected}
        assert reached == dict(expected), "\n".join(program.lines)
        compared += sum(expected.values())
    assert compared > 5_000


FOREVER = """\
def work():
    while True:
        for i in 1, 2:
            pass
        break
"""
COUNTED = """\
def work():
    i = 0
    while 1:
        i += 1
        if i > 3:
            return
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [(FOREVER, {2: 1, 3: 1, 4: 2, 5: 1}), (COUNTED, {2: 1, 3: 1, 4: 4, 5: 4, 6: 1})],
)
def test_a_loop_without_a_test_begins_once(count, source, expected) -> None:
    work = made(source)
    hits = count(work)
    work()
    sys.monitoring.set_local_events(4, work.__code__, 0)
    assert dict(hits) == expected
