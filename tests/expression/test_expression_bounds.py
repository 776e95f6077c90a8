"""S2, S3 and S4 of whole expressions: what strikes passes, work is counted, secrets stay."""

from collections import namedtuple
from enum import Enum

import pytest

from leadline.expression import (
    Redacted,
    Unknown,
    compile_condition,
    compile_template,
    operations,
    reading,
    walking,
)
from leadline.expression.fuel import FULL, fuel_left, refuel
from leadline.expression.layout import MISSING
from leadline.expression.reading import lookup

Login = namedtuple("Login", "user password")
VALUES = {
    "c": Login("bob", "hunter2"),
    "pair": (b"authorization", b"hunter2"),
    "i": 1,
    "s": "hunter2",
}


class Key(Enum):
    API_KEY = "hunter2"


class TextKey(str, Enum):  # noqa: UP042 - the older way is still written
    API_KEY = "hunter2"


VALUES |= {"k": Key.API_KEY, "t": TextKey.API_KEY}


@pytest.mark.parametrize(
    "text",
    [
        *('c[1] < "i"', "c[-1] == 'x'", "c[i] == s", '"hunter2" in c', '"x" not in c'),
        *("c == ('bob', 'hunter2')", "('bob', 'hunter2') != c", "c[0:2] == 1", "c[::-1] == 1"),
        *("pair[1] == s", "pair == s", "s in pair", "s.startswith(pair)", "pair[1:] == s"),
        *("k.value == s", "k._value_ < 'm'", "t == s", "t < 'm'", "t[0] == 'h'", "t[:3] == s"),
        *("t in s", "s in t", "'h' in t", "t.startswith('h')", "s.startswith(t)"),
    ],
)
def test_what_lies_under_a_name_that_no_expression_spells(text: str) -> None:
    with pytest.raises(Redacted):
        compile_condition(text).holds(VALUES.__getitem__)


@pytest.mark.parametrize(
    "text",
    [
        *("c[0] == 'bob'", "c.user == 'bob'", "c[:1] != 3 or True", "len(c) == 2", "c"),
        *("k.name == 'API_KEY'", "s in ('password', 'hunter2')", "pair[0] == pair[0]"),
    ],
)
def test_what_is_no_secret_can_be_asked(text: str) -> None:
    assert compile_condition(text).holds(VALUES.__getitem__)


@pytest.mark.parametrize("text", ["{c[1]}", "{c[0:2]}", "{pair[1]}", "{k.value}", "{t[:2]}"])
def test_a_placeholder_shows_the_rule(text: str) -> None:
    with pytest.raises(Redacted):
        compile_template(text).placeholders[0].evaluate(VALUES.__getitem__)


class WorkerTimeout(RuntimeError):
    """What a signal handler of an application raises."""


@pytest.mark.parametrize("kind", [WorkerTimeout, RuntimeError])
@pytest.mark.parametrize("text", ["x in seen", "d['k'] == 1"])
def test_what_a_signal_handler_raises_arrives(
    text: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def strike(*_: object) -> bool:
        raise kind("of the application")

    monkeypatch.setattr(operations, "equal_elements", strike)
    monkeypatch.setattr(reading, "equals", strike)
    values = {"x": 1, "seen": [2], "d": {5: 1}}
    with pytest.raises(kind, match="of the application"):
        compile_condition(text).holds(values.__getitem__)


def test_an_expression_walks_no_more_than_its_fuel(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(operations, "equal_elements", lambda *_: compared.append(1))
    condition = compile_condition(" or ".join(["x in seen"] * 60))
    with pytest.raises(Unknown, match="5,000 entries"):
        condition.holds({"x": -1, "seen": list(range(1_000))}.__getitem__)
    assert len(compared) == FULL


def test_the_placeholders_of_a_hit_share_its_fuel() -> None:
    template = compile_template("{x in seen}" * 2)
    scope = {"x": -1, "seen": list(range(1_000))}.__getitem__
    first, second = template.placeholders
    first.evaluate(scope)
    after = fuel_left()
    assert after <= FULL - 1_000
    second.evaluate(scope, more=True)
    assert fuel_left() <= after - 1_000
    second.evaluate(scope)
    assert fuel_left() == after


def test_long_texts_of_subclasses_are_not_copied_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = type("Text", (str,), {})
    seen = [text("y" * 10_000)] * 1_000
    copied = []
    monkeypatch.setattr(
        operations, "unwrapped", lambda value: copied.append(1) or reading.unwrapped(value)
    )
    with pytest.raises(Unknown, match="5,000 entries"):
        compile_condition("x in seen").holds({"x": "z" * 9_999, "seen": seen}.__getitem__)
    assert fuel_left() == 0
    assert len(copied) < 1_000


def test_long_keys_of_the_same_length_are_not_compared() -> None:
    d = {"q" * 100_000 + "a": 1}
    with pytest.raises(Unknown, match="too long to compare"):
        compile_condition("k in d").holds({"k": "q" * 100_000 + "b", "d": d}.__getitem__)
    assert not compile_condition("k in d").holds({"k": "q" * 9, "d": d}.__getitem__)


def test_a_drained_table_is_not_searched() -> None:
    d = dict.fromkeys(range(500_000))
    for number in range(499_999):
        del d[number]
    with pytest.raises(Unknown, match="larger once"):
        compile_condition("499999 in d").holds({"d": d}.__getitem__)


class Evil:
    def __hash__(self) -> int:
        return hash("later")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("asked")


def test_a_variable_is_looked_up_without_asking_any_key() -> None:
    made = "x_later"[2:]
    namespace: dict[object, object] = {Evil(): 1, "x": 2}
    assert lookup(namespace, "later") is MISSING  # type: ignore[arg-type]
    assert lookup(namespace, "x") == 2  # type: ignore[arg-type]
    assert lookup({made: 3}, "later") == 3
    with pytest.raises(Unknown):
        lookup(dict.fromkeys(map(str, range(walking.MAX_NAMES + 1))), "later")
    refuel()
