"""Conditions agree with Python wherever they answer, and answer within bounds."""

import warnings
from collections import deque
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.expression import ExpressionError, Unknown, compile_condition, operations
from leadline.expression.operations import MAX_TEXT


class Status(StrEnum):
    OPEN = "open"


class User:
    def __init__(self) -> None:
        self.name = "bob"
        self.roles = ["admin", "staff"]


VALUES = {
    "i": 7,
    "f": 2.5,
    "nan": float("nan"),
    "big": 1 << 2_000,
    "t": "text",
    "b": b"text",
    "none": None,
    "yes": True,
    "l": [1, "a", None],
    "p": (1, 2),
    "d": {"k": 5, 1: "one", "deep": {"er": [1, 2]}},
    "s": {1, 2, "a"},
    "q": deque([1, 2]),
    "empty": [],
    "status": Status.OPEN,
    "user": User(),
    "huge": "x" * (MAX_TEXT + 1),
    "huge2": "y" + "x" * MAX_TEXT,
    "nest": [[1]],
    "many": list(range(5_000)),
}


def holds(text: str) -> bool:
    return compile_condition(text).holds(VALUES.__getitem__)


def reason(text: str) -> str:
    with pytest.raises(Unknown) as caught:
        holds(text)
    return caught.value.reason


@pytest.mark.parametrize(
    "text",
    [
        "i == 7 and f > 2 and t != 'closed' and d['k'] < 9",
        "1 < i < 10 and not 1 < i < 5",
        "i == 7.0 and yes == 1 and none == None",
        "t == 'text' and not t == b and not i == '7' and i != 'x'",
        "nan != nan and not nan == nan and not nan < 1",
        "none is None and yes is True and i is not None and i is not False",
        "1 in l and 'a' in l and None in l and 5 not in l and 2 in s and 2 in q and 'k' in d",
        "'ex' in t and 'z' not in t and i in (1, 7) and t in ['a', 'text']",
        "p == (1, 2) and p != [1, 2] and l == [1, 'a', None] and p != (1, 3) and l != []",
        "d['deep']['er'][-1] == 2 and d[1] == 'one' and d[yes] == 'one' and l[i - 7] == 1",
        "t[1:3] == 'ex' and t[::-1] == 'txet' and len(l[1:]) == 2 and huge[:2] == 'xx'",
        "i + 1 == 8 and i - 1 == 6 and i * 2 == 14",
        "i / 2 == 3.5 and i // 2 == 3 and i % 4 == 3",
        "-i == -7 and -f < 0 and --i == 7 and i * 1.5 > 10",
        "len(t) == 4 and len(d) == 3 and len(s) == 3 and len(huge) > 10000",
        "isinstance(i, int) and isinstance(yes, (str, int)) and not isinstance(t, bytes)",
        "isinstance(status, Status) and isinstance(status, str) and isinstance(user, User)",
        "isinstance(user, test_expression_conditions.User) and not isinstance(user, ser)",
        "t.startswith('te') and t.endswith('xt')",
        "t.startswith(('a', 't')) and t.startswith(t) and not t.startswith(('a', 'b'))",
        "status == 'open' and status in ('open', 'new') and status.startswith('op')",
        "status.value == 'open' and user.name == 'bob' and 'admin' in user.roles",
        "t and i and l and yes and user and not empty and not none and not 0 and not ''",
        "none or i == 7",
        "not (none and missing)",
        "i == 7 or missing",
        "huge != 'x' and many and 4 in many",
        "user == None or user != None",
    ],
)
def test_conditions_hold(text: str) -> None:
    assert holds(text) is True


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("i < t", "a int and a str have no order"),
        ("none < 1", "a NoneType and a int have no order"),
        ("l < l", "a list compares with its own code"),
        ("t + t == 'x'", "a str is not a number"),
        ("t * 3 == 'x'", "a str is not a number"),
        ("i / 0 == 1", "/ has no result"),
        ("i % 0 == 1", "% has no result"),
        ("10 * big > 1", "larger than 1,024 bits"),
        ("big == 1", "larger than 1,024 bits"),
        ("i * big > 1", "larger than 1,024 bits"),
        ("huge == huge2", "longer than 10,000"),
        ("'x' in huge", "longer than 10,000"),
        ("huge < 'x'", "longer than 10,000"),
        ("len(huge[:20000]) == 1", "the slice is longer than 10,000"),
        ("4999 in many", "not among the first 1,000 of 5,000"),
        ("many == many", "100 elements are too many"),
        ("[1] in nest", "one level deep"),
        ("1 in i", "nothing is in a int"),
        ("i in t", "a int cannot be in a str"),
        ("len(i) == 1", "a int has no length"),
        ("i.startswith('a')", "asks a text about a text"),
        ("l[9] == 1", "no item 9: there are 3"),
        ("d['zz'] == 1", "no key 'zz'"),
        ("d[t] == 1", "nothing to read under the computed key"),
        ("i[0] == 1", "a int has no items"),
        ("s[0:1]", "a set has no slices"),
        ("user.age > 3", "a User holds no age"),
    ],
)
def test_what_has_no_answer_says_why(text: str, words: str) -> None:
    assert words in reason(text)


class Says:
    def __bool__(self) -> bool:
        raise AssertionError


class First(list):
    __bool__ = Says.__bool__


class Last(list, Says):
    """Takes its truth from a class that comes after list, which has none."""


class Sized(dict):
    def __len__(self) -> int:
        raise AssertionError


@pytest.mark.parametrize("value", [Says(), First(), Last(), Sized()])
def test_a_truth_of_ones_own_is_unknown(value: object) -> None:
    with pytest.raises(Unknown, match="is true is decided by its own code"):
        compile_condition("x").holds(lambda _: value)


def test_growth_stops_at_the_bound() -> None:
    power = compile_condition(" * ".join(["x"] * 29) + " > 0")
    assert power.holds(lambda _: 1 << 30)
    with pytest.raises(Unknown, match="larger than 1,024 bits"):
        power.holds(lambda _: 1 << 40)


def test_a_huge_compare_looks_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """T17 in counts: neither operand is compared when they are too long."""
    looked: list[object] = []
    check = operations._check_text
    monkeypatch.setattr(
        operations, "_check_text", lambda text: (looked.append(text), check(text))
    )
    huge, other = "x" * 5_000_000, "x" * 4_999_999 + "y"
    with pytest.raises(Unknown, match="longer than 10,000"):
        compile_condition("a == b").holds({"a": huge, "b": other}.__getitem__)
    assert len(looked) == 1
    assert not compile_condition("a == b").holds({"a": huge, "b": huge[1:]}.__getitem__)
    assert compile_condition("a == a").holds({"a": huge}.__getitem__)
    assert len(looked) == 1


def test_only_the_names_it_needs_are_asked_for() -> None:
    asked: list[str] = []

    def scope(name: str) -> object:
        asked.append(name)
        return 0

    condition = compile_condition("a and b or isinstance(c, Kind) and c.d[e]")
    assert condition.names == {"a", "b", "c", "e"}
    assert not condition.holds(scope)
    assert asked == ["a", "c"]


def test_what_the_scope_does_not_know_is_unknown() -> None:
    def scope(name: str) -> object:
        raise Unknown(f"{name} has no value yet")

    with pytest.raises(Unknown, match="x has no value yet"):
        compile_condition("x == 1").holds(scope)


CALLABLE = {"len": len, "isinstance": isinstance, "int": int, "str": str}
_LEAVES = (
    "a|b|c|d|e|1|0|-2|2.5|'a'|'ab'|''|True|None|(1, 'a')|[1, 2]|c[0]|d['a']|d['x']|e[1:]|e[-1]|"
    "c[a]|len(c)"
)
_BINARY = "==|!=|<|<=|>|>=|in|not in|+|-|*|/|//|%|and|or"
LEAVES = st.sampled_from(_LEAVES.split("|"))
BINARY = st.sampled_from(_BINARY.split("|"))


def _grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, BINARY, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} < {t[1]} <= {t[2]})"),
        inner.map(lambda x: f"(not {x})"),
        inner.map(lambda x: f"(-{x})"),
        inner.map(lambda x: f"({x} is None)"),
        inner.map(lambda x: f"len({x})"),
        inner.map(lambda x: f"isinstance({x}, (int, str))"),
        inner.map(lambda x: f"{x}.startswith('a')"),
        st.tuples(inner, inner).map(lambda t: f"{t[0]}[{t[1]}]"),
    )


PLAIN = st.one_of(
    st.integers(-5, 5),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text("ab", max_size=3),
    st.binary(max_size=2),
)
CONTAINERS = st.one_of(
    st.lists(PLAIN, max_size=4),
    st.tuples(PLAIN, PLAIN),
    st.dictionaries(PLAIN, PLAIN, max_size=4),
    st.frozensets(PLAIN, max_size=3),
    st.sets(PLAIN, max_size=3),
)
ANY = st.one_of(PLAIN, CONTAINERS)


@settings(max_examples=1_000, deadline=None)
@given(
    st.recursive(LEAVES, _grow, max_leaves=6),
    st.fixed_dictionaries({"a": PLAIN, "b": ANY, "c": ANY, "d": CONTAINERS, "e": ANY}),
)
def test_an_answer_is_pythons_answer(text: str, values: dict[str, object]) -> None:
    try:
        condition = compile_condition(text)
    except ExpressionError:
        return
    try:
        answer = condition.holds(values.__getitem__)
    except Unknown:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = eval(text, {"__builtins__": CALLABLE}, dict(values))
    assert answer is bool(expected)


@given(ANY, ANY)
def test_most_comparisons_of_plain_values_have_an_answer(a: object, b: object) -> None:
    scope = {"a": a, "b": b}.__getitem__
    plain = (int, float, str, bytes, type(None))
    if isinstance(a, plain) and isinstance(b, plain):
        assert compile_condition("a == b").holds(scope) is (a == b)
        assert compile_condition("a").holds(scope) is bool(a)
