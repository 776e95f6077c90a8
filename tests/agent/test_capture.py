"""T13, T16 and the limits of what one value may bring along."""

import json
import re
import sys
import threading
import tracemalloc
from collections import namedtuple
from enum import Enum, IntEnum
from typing import NamedTuple

import pytest

from hostile import calls, zoo
from leadline.agent.capture import tree
from leadline.agent.capture.tree import capture
from leadline.agent.core.passage import NOTHING, Site, Visit
from leadline.agent.core.ring import MAX_RECORD_BYTES
from leadline.agent.locate.source import line_text
from leadline.agent.probes.log import compile_log
from leadline.wire.limits import CaptureLimits, Limits
from leadline.wire.probe import LogProbe
from leadline.wire.redaction import forget_names
from leadline.wire.target import Target
from leadline.wire.value import Omission, render

LIMITS = CaptureLimits()


@pytest.mark.parametrize("name", sorted(zoo()))
def test_no_hostile_object_gets_to_run(name) -> None:
    """T13: not one call into the application while a value is captured."""
    value = zoo()[name]
    calls.clear()
    tree = capture({"k": [value], "same": value}, CaptureLimits(depth=8, items=1_000))
    again = capture(value, LIMITS)
    assert calls == []
    json.dumps([tree, again], allow_nan=False)
    render(tree)
    assert calls == []


def test_the_zoo_as_locals_of_a_probed_function(soundings, make_module) -> None:
    """T13 through the whole path: read, evaluated, captured and written down."""
    module = make_module("zoo_service", "def work(beast):\n    seen = 1\n    return seen\n")
    soundings.lift_budget()  # which a busy machine may have used up
    soundings.log("zoo_service.py:2", "{beast} {beast.name}", depth=4)
    for beast in zoo().values():
        calls.clear()
        assert module.work(beast) == 1
        assert calls == []
    assert len(soundings.messages()) == len(zoo())


class Order:
    def __init__(self, number: int) -> None:
        self.number = number
        self.lines = [number]


class Slotted:
    __slots__ = ("empty", "x")

    def __init__(self) -> None:
        self.x = 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (12, "12"),
        (2**80, str(2**80)),
        (2**5000, "<int of 5001: text>"),
        (1.5, "1.5"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("text", "text"),
        ("a\nb", "a\nb"),
        (b"\x00ab", "b'\\x00ab'"),
        (["a", 1], "['a', 1]"),
        ((1,), "(1,)"),
        ({"a": {"b": (1, 2)}}, "{'a': {'b': (1, 2)}}"),
        ({1: None}, "{1: None}"),
        ({3}, "{3}"),
        (frozenset([3]), "frozenset({3})"),
        (Order, "type('Order')"),
        (Order(7), "Order(number=7, lines=[7])"),
        (Slotted(), "Slotted(empty=<unbound>, x=1)"),
        (object(), "<object: opaque>"),
        (3 + 4j, "(3+4j)"),
        ("x" * 300, "'" + "x" * 256 + "'… <300 in all>"),
        ([[[[1]]]], "[[[<list of 1: depth>]]]"),
        (list(range(200)), f"[{', '.join(map(str, range(100)))}, … 100 more <items>]"),
    ],
    ids=lambda one: re.sub(r" at 0x\w+", "", repr(one)),
)
def test_how_values_read(value, text) -> None:
    tree = json.loads(json.dumps(capture(value, LIMITS)))
    assert render(tree) == text


def test_cycles_end() -> None:
    items: list[object] = [1]
    items.append(items)
    order = Order(1)
    order.lines = order
    assert render(capture(items, LIMITS)) == "[1, <list: cycle>]"
    assert render(capture(order, LIMITS)) == "Order(number=1, lines=<Order: cycle>)"


def test_the_work_is_bounded_by_the_limits_not_by_the_value() -> None:
    """T14, as work and not as time: the size of what is captured does not grow."""
    small = capture([{"k": "v" * 1_000}] * 100, LIMITS)
    for value in ([{"k": "v" * 10_000_000}] * 1_000_000, dict.fromkeys(range(1000000), "v")):
        assert len(json.dumps(capture(value, LIMITS))) <= 2 * len(json.dumps(small))
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    assert len(json.dumps(capture(deep, LIMITS))) < 300


def test_secrets_by_name_stay_home() -> None:
    """T16: in keys, in attributes, in nested objects; the rule is named, the value is gone."""
    order = Order(1)
    order.api_key = "AKIA-very-secret"  # type: ignore[attr-defined]
    value = {"user": {"password": "hunter2", "name": "ada"}, "order": order, "Token": [1, 2]}
    text = json.dumps(capture(value, LIMITS))
    for secret in ("hunter2", "AKIA", "[1, 2]"):
        assert secret not in text
    for rule in ("name:password", "name:api_key", "name:token"):
        assert rule in text
    assert "ada" in text


class Name(str):
    """As an enum's members and case-insensitive headers are."""

    __slots__ = ()

    def __eq__(self, other):
        raise AssertionError("asked")

    __hash__ = str.__hash__


def test_secrets_under_keys_that_are_no_exact_texts() -> None:
    value = {b"Authorization": "Bearer abc", Name("api_key"): "abc"}
    text = json.dumps(capture(value, LIMITS))
    assert "abc" not in text
    assert "name:authorization" in text
    assert "name:api_key" in text


def test_a_secret_variable_is_redacted_in_a_template(soundings, make_module) -> None:
    module = make_module("secret", "def login(user, password):\n    ok = True\n    return ok\n")
    soundings.log("secret.py:2", "{user} {password} {len(password)}")
    module.login("ada", "hunter2")
    ((message, values),) = soundings.hits()
    assert message == "ada <redacted name:password> 7"
    assert "hunter2" not in json.dumps(values)


def test_a_container_that_changes_meanwhile_is_captured_anyway() -> None:
    """T15"""
    shared: dict[int, int] = {}
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            shared[number] = number
            if number % 50 == 0:
                shared.clear()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(2_000):
            (inner,) = capture([shared], LIMITS)["items"]
            assert inner["type"] == "dict"
            assert inner.get("omitted") in (None, "changed", "items")
            assert all(key == value for key, value in inner["entries"])
    finally:
        stop.set()
        thread.join()


class WorkerTimeout(RuntimeError):
    """What a signal handler of an application raises."""


@pytest.mark.parametrize("kind", [WorkerTimeout, RuntimeError, AttributeError])
def test_what_a_signal_handler_raises_is_not_taken_for_a_change(kind, monkeypatch) -> None:
    def strike(_: object) -> None:
        raise kind("of the application")

    for value in ([1 + 1j], {"k": 1 + 1j}, Order(1)):
        layout_of = tree.layout_of
        monkeypatch.setattr(
            tree,
            "layout_of",
            lambda cls, known=layout_of: strike(cls) if cls in (complex, dict) else known(cls),
        )
        with pytest.raises(kind, match="of the application"):
            capture(value if type(value) is not dict else [value], LIMITS)
        monkeypatch.undo()


Login = namedtuple("Login", "user password")


class Point(NamedTuple):
    x: int
    y: int


class Key(Enum):
    API_KEY = "sk-secret"
    PLAIN = "shown"


class TextKey(str, Enum):  # noqa: UP042 - the older way is still written
    API_KEY = "sk-secret"


class Pin(IntEnum):
    PIN = 987654


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Point(1, 2), "Point(x=1, y=2)"),
        (tuple.__new__(Point, (1,)), "Point([1])"),
        (Login("bob", "hunter2"), "Login(user='bob', password=<redacted name:password>)"),
        (tuple.__new__(Login, (1, 2, 3)), "Login([1, <redacted name:password>, 3])"),
        (Key.API_KEY, "<Key.API_KEY: <redacted name:api_key>>"),
        (TextKey.API_KEY, "<TextKey.API_KEY: <redacted name:api_key>>"),
        (Pin.PIN, "<Pin.PIN: <redacted name:pin>>"),
        ([(b"authorization", b"B")], "[(b'authorization', <redacted name:authorization>)]"),
        (["password", "hunter2"], "['password', <redacted name:password>]"),
        ([(Name("cookie"), "hunter2")], "[(Name('cookie'), <redacted name:cookie>)]"),
        (["password", "a", "b"], "['password', 'a', 'b']"),
    ],
    ids=lambda _: "",
)
def test_names_that_a_class_or_a_pair_gives(value, text) -> None:
    assert render(capture(value, LIMITS)) == text


def test_a_named_tuple_that_lies_about_its_fields() -> None:
    lying = type("Lying", (Login,), {"_fields": ("user", "harmless")})
    assert render(capture(lying("bob", "hunter2"), LIMITS)) == (
        "Lying(['bob', <redacted name:password>])"
    )


def test_a_key_that_is_a_secret_member_hides_its_value() -> None:
    assert "hunter2" not in json.dumps(capture({Key.API_KEY: "hunter2"}, LIMITS))
    assert "hunter2" not in json.dumps(capture({Name("password" * 2_000): "hunter2"}, LIMITS))


EMOJI = "\U0001f600"


class LongName(str):
    __slots__ = ()


LongName.__name__ = EMOJI * 200


@pytest.mark.parametrize(
    "value",
    [
        [EMOJI * 4_096] * 1_000,
        dict.fromkeys(range(1_000), "\x00" * 4_096),
        {str(number): "" for number in range(1_000)},
        [LongName("x")] * 1_000,
        {LongName(number): LongName("x") for number in range(1_000)},
        [float("nan")] * 1_000,
        [[[[[[None]]]]]] * 200,
        [b"\xff" * 4_096] * 1_000,
        [2**4000] * 1_000,
    ],
    ids=lambda value: str(type(value)),
)
def test_one_hit_is_cut_before_it_is_too_large(value) -> None:
    probe = LogProbe(
        id="p",
        target=Target.parse("a.py:1"),
        template="{rows}" * 20,
        limits=Limits(hits=1, rate_per_s=1.0, ttl_s=900.0),
        capture=CaptureLimits(depth=8, items=1_000, text=4_096),
    )
    compiled = compile_log(probe)
    here = Site(None, (), "", 0, "")
    visit = Visit(lambda _: value, sys._getframe(), here, NOTHING, None, None)
    payload = compiled.passage.take(visit)
    assert 20_000 < len(payload) <= MAX_RECORD_BYTES
    assert Omission.ROOM in compiled.passage.read(payload)[0]


class Text(str):
    __slots__ = ()


def test_a_long_text_of_a_subclass_is_never_copied_whole() -> None:
    big = Text("x" * 20_000_000)
    tracemalloc.start()
    try:
        capture([big] * 100, LIMITS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_a_drained_table_is_not_walked() -> None:
    drained = dict.fromkeys(range(500_000))
    for number in range(499_999):
        del drained[number]
    emptied = set(range(500_000))
    while len(emptied) > 1:
        emptied.pop()
    for value in (drained, emptied):
        assert capture(value, LIMITS)["omitted"] == Omission.DRAINED
        assert capture(type(value)(value), LIMITS).get("omitted") is None


def test_no_key_is_kept_alive_by_the_cache_of_names() -> None:
    forget_names()
    tracemalloc.start()
    try:
        for number in range(20):
            capture({f"{number}" + "k" * 1_000_000: 1}, LIMITS)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000
    forget_names()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('connect(token="hunter2", user="bob")', 'connect(token="…", user="…")'),
        ('total("plain")', 'total("plain")'),
        ("d = {'password': 'hunter2'}", "d = {'…': '…'}"),
        ('password = """hunter2', 'password = """…'),
        ('password = "hunter2 \\" more" + x', 'password = "…" + x'),
        ("x = password  # hunter2", "x = password  # …"),
        ('f(token, f"{d[\'hunter2\']}-{e["hunter2"]}", 3)', 'f(token, f"…"'),
        ("api-key = 'hunter2", "api-key = '…"),
    ],
)
def test_the_source_of_a_line_that_names_a_secret_is_blanked(tmp_path, line, shown) -> None:
    path = tmp_path / "source.py"
    path.write_text(f"# it's\nx = 'a'\n{line}\n", encoding="utf-8")
    assert line_text(str(path), 3) == shown


def test_a_line_within_a_text_of_many_lines_is_blanked(tmp_path) -> None:
    path = tmp_path / "source.py"
    path.write_text('q = f"""\ntoken=hunter2 {x}\nhunter2""", token, "hunter2"\n', "utf-8")
    assert line_text(str(path), 2) == "…"
    assert line_text(str(path), 3) == '…""", token, "…"'
