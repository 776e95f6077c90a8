"""What Python refuses of builtin values is told apart from what only other code could tell."""

import datetime
import itertools
from collections import Counter, defaultdict, deque
from decimal import Decimal

import pytest

from leadline.expression import Unknown, compile_condition
from leadline.expression.unknown import Impossible
from leadline.trial.questions import Questions


class Whole(int):
    """Not an exact builtin."""


class Made(dict[str, int]):
    """One that makes what is missing."""

    def __missing__(self, key: str) -> int:
        return 1


VALUES = [
    *(None, True, 0, 3, 1.5, 2j, "", "ab", b"", b"ab", bytearray(b"a"), [], [1], [[]], ()),
    *((1, "a"), {}, {"a": 1}, set(), {1}, frozenset({1}), deque([1]), Whole(3), Made()),
    *(defaultdict(int), Counter("a"), object(), int, Decimal(1), Decimal("nan")),
    *(datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1)),  # noqa: DTZ001 - a naive one
]
OPERATORS = "< <= > >= == != in + - * / // %".split()
TEXTS = [
    *(f"a {operator} b" for operator in OPERATORS),
    *("a[b]", "a[0]", 'a["x"]', "a[1:2]", "len(a) > 1", "-a > 1", "a.foo == 1", "a.real == 1"),
    *('a.startswith("a")', "a.startswith(b)", "a.endswith(b)", "a and b", "a[b] > 0"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_python_raises_where_it_is_said_to(text: str) -> None:
    condition, sure = compile_condition(text), 0
    for a, b in itertools.product(VALUES, VALUES):
        variables = {"a": a, "b": b}
        try:
            condition.holds(variables.__getitem__)
        except Impossible:
            sure += 1
            with pytest.raises(Exception):  # noqa: B017, PT011 - which one does not matter
                eval(text, dict(variables))
        except Unknown:
            pass
    assert sure or text in ("a == b", "a != b", "a and b")


@pytest.mark.parametrize(
    ("text", "value", "answer"),
    [
        ('result["cost"] == 0', None, False),
        ('not result["cost"] == 0', None, False),
        ('result is None or result["cost"] == 0', None, True),
        ('result["cost"] == 0 or result is None', None, False),
        ('result["cost"] == 0', {}, False),
        ("result[0] == 0", [], False),
        ("result[n] == 0", {}, False),
        ("result.total == 3", None, False),
        ("len(result) == 3", None, False),
        ('"x" in result', None, False),
        ('"x" not in result', None, False),
        ("result > 0", None, False),
        ("result + 1 == 2", None, False),
        ("-result == 2", None, False),
        ('result.startswith("a")', None, False),
        ("result[:1] == n", None, False),
        ("1 / result == 1", 0, False),
        ('result["cost"] == 0', Made(), None),
        ("result.total == 3", object(), None),
        ("result > 0", Whole, None),
    ],
)
def test_what_has_to_hold_does_not_where_python_would_raise(
    text: str, value: object, answer: bool | None
) -> None:
    """Of what makes a call a failing one the same is not known: nobody has said so."""
    questions = Questions(text, text, {"n": 7})
    questions.ask({}, True, value)
    assert questions.expect is answer
    assert questions.fails is (answer or None)
    assert bool(questions.unknown) is (questions.fails is None)
