"""T13, T16 and the limits of what one value may bring along."""

import json
import threading

import pytest

from hostile import calls, zoo
from leadline.agent.capture.tree import capture
from leadline.wire.probe import CaptureLimits
from leadline.wire.value import render

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
        (Slotted(), "Slotted(x=1)"),
        (object(), "<object: opaque>"),
        (3 + 4j, "(3+4j)"),
        ("x" * 300, "'" + "x" * 256 + "'… <300 in all>"),
        ([[[[1]]]], "[[[<list of 1: depth>]]]"),
        (list(range(200)), f"[{', '.join(map(str, range(100)))}, … 100 more <items>]"),
    ],
    ids=repr,
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
            render(capture([shared], LIMITS))
    finally:
        stop.set()
        thread.join()
