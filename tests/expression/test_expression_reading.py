"""Reading gives what Python would give, wherever it can do so without running code."""

import collections
import datetime
import enum
import functools
import threading
import types
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from leadline.expression import reading
from leadline.expression.layout import LAYOUTS, MAX_LAYOUTS
from leadline.expression.reading import (
    MAX_WALK,
    Unknown,
    attribute,
    entry,
    item,
    layout_of,
    length,
    plain,
    type_names,
)


class Colour(enum.Enum):
    RED = 1


class Level(enum.StrEnum):
    HIGH = "high"


class Point(NamedTuple):
    x: int
    y: int


@dataclass(slots=True)
class Slim:
    width: int
    _depth: int = 2


class Order:
    limit = 10

    def __init__(self) -> None:
        self.id = 7
        self.limit = 20

    @functools.cached_property
    def total(self) -> int:
        return 99

    def method(self) -> None: ...


class Special(Order):
    __slots__ = ("extra",)
    kind = "special"


@pytest.mark.parametrize(
    ("obj", "name"),
    [
        (Order(), "id"),
        (Order(), "limit"),
        (Special(), "kind"),
        (Order, "limit"),
        (Order, "__name__"),
        (Slim(3), "width"),
        (Slim(3), "_depth"),
        (Point(1, 2), "y"),
        (Colour.RED, "value"),
        (Colour.RED, "name"),
        (Level.HIGH, "value"),
        (Colour, "RED"),
        (ValueError("a", 2), "args"),
        (OSError(5, "x"), "errno"),
        (datetime, "MINYEAR"),
        (datetime.datetime(2026, 1, 2, 3), "hour"),  # noqa: DTZ001
        (datetime.date(2026, 1, 2), "month"),
        (datetime.timedelta(days=3), "days"),
        (types.SimpleNamespace(a=1), "a"),
        (range(3, 5), "start"),
        (functools.partial(len, ()), "func"),
    ],
)
def test_an_attribute_is_what_python_says(obj: object, name: str) -> None:
    assert attribute(obj, name) is getattr(obj, name) or attribute(obj, name) == getattr(
        obj, name
    )


def test_a_cached_property_is_read_once_it_is_there() -> None:
    order = Order()
    with pytest.raises(Unknown, match=r"Order.total is a cached_property"):
        attribute(order, "total")
    assert order.total == attribute(order, "total") == 99


@pytest.mark.parametrize(
    ("obj", "name", "reason"),
    [
        (Order(), "method", "Order.method is a method, not a value"),
        (Order(), "nothing", "a Order holds no nothing"),
        (Special(), "extra", "Special.extra is not set"),
        (Order, "nothing", "a type holds no nothing"),
        (Order, "method", "Order.method is a method, not a value"),
        (3, "real", "int.real is computed by its type, which may run other code"),
    ],
)
def test_what_is_not_there_has_a_reason(obj: object, name: str, reason: str) -> None:
    with pytest.raises(Unknown) as caught:
        attribute(obj, name)
    assert caught.value.reason == reason


def test_a_thread_local_is_not_initialised() -> None:
    made = []

    class Local(threading.local):
        def __init__(self) -> None:
            made.append(threading.get_ident())
            self.value = 1

    local = Local()

    def ask() -> None:
        with suppress(Unknown):
            attribute(local, "value")

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(10)
    assert made == [threading.get_ident()]


@pytest.mark.parametrize(
    ("obj", "key"),
    [
        ([1, 2], 0),
        ([1, 2], -1),
        ((1, 2), True),
        ("text", 3),
        (b"text", 1),
        (collections.deque([1, 2]), 1),
        (Point(1, 2), 1),
        ({"a": 1}, "a"),
        ({1: "x"}, 1.0),
        ({True: "x"}, 1),
        ({None: 1}, None),
        ({b"a": 1}, b"a"),
        ({"high": 3}, Level.HIGH),
        ({Level.HIGH: 3}, "high"),
        (collections.OrderedDict(a=1), "a"),
        (collections.defaultdict(list, a=1), "a"),
        (collections.Counter("aab"), "a"),
        ({(1, 2): 1, Colour.RED: 2, int: 3, "z": 4}, "z"),
    ],
)
def test_an_item_is_what_python_says(obj: object, key: object) -> None:
    assert item(obj, key) == obj[key]


@pytest.mark.parametrize(
    ("obj", "key", "reason"),
    [
        ({"a": 1}, "k", "no key 'k'"),
        ({1: 1}, "1", "no key '1'"),
        ({Colour.RED: 1, int: 2, (1,): 3}, "k", "no key 'k'"),
        (collections.Counter(), "k", "no key 'k'"),
        ([1], 3, "no item 3: there are 1"),
        ([1], 1 << 200, "no item of a large number: there are 1"),
        ([1], "a", "a list has no item 'a'"),
        ({}, (1,), "a tuple cannot be looked up without its code"),
        ({1, 2}, 1, "a set has no items"),
        (range(3), 1, "what [] means on a range is decided by its own code"),
    ],
)
def test_an_item_that_is_not_there_has_a_reason(obj: object, key: object, reason: str) -> None:
    with pytest.raises(Unknown) as caught:
        item(obj, key)
    assert caught.value.reason == reason


def test_a_large_dictionary_is_walked_so_far_and_no_further() -> None:
    large = {f"k{number}": number for number in range(MAX_WALK + 1)}
    assert item(large, f"k{MAX_WALK - 1}") == MAX_WALK - 1
    with pytest.raises(Unknown, match="not among the first 1,000 keys"):
        item(large, f"k{MAX_WALK}")
    del large["k0"]
    assert item(large, f"k{MAX_WALK}") == MAX_WALK


def test_a_dictionary_that_keeps_changing_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = []
    shared: dict[object, int] = {1: 1, 2: 2}

    def changing(*_: object) -> bool:
        walks.append(1)
        shared[object()] = 1
        return False

    monkeypatch.setattr(reading, "equals", changing)
    with pytest.raises(Unknown, match="kept changing"):
        entry(shared, "k")
    assert len(walks) == reading.ATTEMPTS


def test_dictionaries_survive_other_threads() -> None:
    shared: dict[str, int] = {"last": 1}
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for number in range(50):
                shared[f"k{number}"] = number
            for number in range(50):
                shared.pop(f"k{number}", None)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(3_000):
            with suppress(Unknown):
                assert item(shared, "last") == 1
                item(shared, "never")
    finally:
        stop.set()
        thread.join(10)


@pytest.mark.parametrize("value", [[1], (1,), {1: 1}, {1}, frozenset((1,)), "a", b"a"])
def test_length_is_pythons(value: object) -> None:
    assert length(value) == 1


@pytest.mark.parametrize("value", ["a", b"a", 3, 3.5, True, None])
def test_plain_values_stay_themselves(value: object) -> None:
    assert plain(value) is value


def test_plain_makes_subclasses_exact() -> None:
    for base, value in ((str, "text"), (bytes, b"text"), (int, 300), (float, 2.5)):
        made = plain(type("Sub", (base,), {})(value))
        assert type(made) is base
        assert made == value
    for other in ([], (), {}, object(), 1j, bytearray(), int):
        with pytest.raises(Unknown):
            plain(other)
    with pytest.raises(Unknown, match="too long to copy"):
        plain(type("Sub", (str,), {})("x" * 20_000))


def test_a_layout_says_where_things_are() -> None:
    layout = layout_of(Special)
    assert (layout.name, layout.module, layout.base) == ("Special", __name__, None)
    assert [name for name, _ in layout.slots] == ["extra"]
    assert layout.namespace is not None
    assert layout.namespace(Order()) == {"id": 7, "limit": 20}
    assert layout_of(Slim).namespace is None
    assert [name for name, _ in layout_of(Slim).slots] == ["_depth", "width"]
    assert layout_of(type).namespace is None
    assert layout_of(functools.partial).namespace is None
    assert layout_of(bool).base is bool
    assert layout_of(collections.Counter).base is dict
    assert layout_of(collections.deque).base is collections.deque
    assert layout_of(Colour).base is None
    assert layout_of(enum.EnumType).base is type
    assert layout_of(datetime.datetime).module == "datetime"
    assert type_names(Level.HIGH)[:3] == (f"{__name__}.Level", "enum.StrEnum", "builtins.str")


def test_names_are_exact_even_when_a_class_has_others() -> None:
    class Text(str):
        __slots__ = ()

        def __eq__(self, _: object) -> bool:
            raise AssertionError

        __hash__ = str.__hash__

    odd = type(Text("Odd"), (), {"__module__": Text("m")})
    assert type(layout_of(odd).name) is str
    assert layout_of(odd).module == ""
    assert type_names(odd())[0] == "Odd"


def test_a_layout_is_learnt_again_when_the_class_changes() -> None:
    class Left:
        __slots__ = ()
        side = "left"

    class Right:
        __slots__ = ()
        side = "right"

    class Child(Left):
        pass

    child = Child()
    assert attribute(child, "side") == "left"
    Left.side = "changed"
    assert attribute(child, "side") == "changed"
    Child.__bases__ = (Right,)
    assert attribute(child, "side") == "right"
    Child.side = property(lambda _: 1 / 0)
    with pytest.raises(Unknown, match=r"Child.side is a property"):
        attribute(child, "side")


def test_layouts_are_bounded_and_can_be_forgotten() -> None:
    for number in range(MAX_LAYOUTS + 10):
        layout_of(type(f"C{number}", (), {}))
        assert len(LAYOUTS) <= MAX_LAYOUTS
    reading.forget_layouts()
    assert not LAYOUTS
