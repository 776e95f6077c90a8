"""The variables that the cases of the corpus are asked about. Imports nothing of Leadline.

`scope()` builds them afresh: what is hostile tells in `hostile.calls` when its code runs, and
that list is empty afterwards.
"""

import asyncio
import collections
import datetime
import decimal
import enum
import fractions
import functools
import os
import sys
import types
import unittest.mock
import weakref

import hostile

Login = collections.namedtuple("Login", "user password")
Point = collections.namedtuple("Point", "x y")
MILLION = list(range(1_000_000))
LARGE_KEYS = dict.fromkeys(range(100_000), 1)


class Color(enum.Enum):
    RED = 1
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Secret(enum.Enum):
    API_KEY = "hunter2"


class Customer:
    kind = "person"

    def __init__(self) -> None:
        self.name = "Ada"
        self.vip = True
        self.password = "hunter2"

    @property
    def full_name(self) -> str:
        hostile.calls.append("Customer.full_name")
        return self.name

    @functools.cached_property
    def orders(self) -> list[int]:
        hostile.calls.append("Customer.orders")
        return []

    def rename(self, name: str) -> str:
        hostile.calls.append("Customer.rename")
        self.name = name
        return name


class Order:
    __slots__ = ("customer", "items", "missing", "total")

    def __init__(self) -> None:
        self.customer = Customer()
        self.items = [{"sku": "book", "price": 12.5}, {"sku": "pen", "price": 2}]
        self.total = 14.5


class Cents(decimal.Decimal):
    def __eq__(self, other: object) -> bool:
        hostile.calls.append("Cents.__eq__")
        return True

    __hash__ = decimal.Decimal.__hash__


class Zone(datetime.tzinfo):
    def utcoffset(self, _: object) -> datetime.timedelta:
        hostile.calls.append("Zone.utcoffset")
        return datetime.timedelta(0)


class LocalProxy:
    """As werkzeug's: whatever is asked is asked of another object."""

    def __getattr__(self, name: str) -> object:
        hostile.calls.append(f"LocalProxy.{name}")
        return 5

    def __eq__(self, other: object) -> bool:
        hostile.calls.append("LocalProxy.__eq__")
        return True

    def __hash__(self) -> int:
        hostile.calls.append("LocalProxy.__hash__")
        return 1

    @property
    def __class__(self) -> type:
        hostile.calls.append("LocalProxy.__class__")
        return int


_HOUR = datetime.timedelta(hours=1)


def _numbers() -> dict[str, object]:
    return {
        "i": 7, "zero": 0, "minus": -3, "yes": True, "no": False, "none": None,
        "f": 1.5, "nan": float("nan"), "inf": float("inf"), "tiny": 5e-324,
        "wide": 2**1023, "huge": 2**100_000, "z": 1 + 2j,
        "dec": decimal.Decimal("1.5"), "dec_nan": decimal.Decimal("NaN"),
        "dec_signal": decimal.Decimal("sNaN"), "dec_wide": decimal.Decimal("1e999"),
        "dec_zero": decimal.Decimal("-0.00"), "dec_own": Cents("1.5"),
        "frac": fractions.Fraction(1, 2), "low": Level.LOW,
    }  # fmt: skip


def _texts() -> dict[str, object]:
    return {
        "s": "hello", "empty": "", "name": "Ångström", "path": "/api/orders?id=7",
        "long": "y" * 20_000, "zeros": "\0\0", "lone": "\ud800",
        "emoji": "👩‍👩‍👧", "cafe": "café",
        "prefixes": tuple(f"p{number}" for number in range(150)),
        "b": b"bytes", "blob": bytes(50_000), "ba": bytearray(b"abc"),
    }  # fmt: skip


def _containers() -> dict[str, object]:
    cycle: list[object] = []
    cycle.append(cycle)
    deep: object = 1
    for _ in range(200):
        deep = [deep]
    return {
        "xs": [1, 2, 3], "tup": (1, "a", None), "st": {1, 2}, "fs": frozenset({"a"}),
        "d": {"k": 1, "a": {"b": [10, 20]}, 1: "one", None: "none", "price": 12.5},
        "names": {"User": 1, "user": 2, "ключ": 3}, "dq": collections.deque([1, 2, 3]),
        "million": MILLION, "large": LARGE_KEYS, "cyc": cycle, "deep": deep,
        "rng": range(10), "mv": memoryview(b"abc"), "proxy": types.MappingProxyType({"k": 1}),
        "counter": collections.Counter("aab"), "ordered": collections.OrderedDict(k=1),
        "point": Point(1, 2), "nothing": [], "void": {},
        "headers": {"Authorization": "Bearer abc", "Accept": "*/*"},
        "login": Login("bob", "hunter2"), "password": "hunter2", "token": "abc",
    }  # fmt: skip


def _machinery() -> dict[str, object]:
    """Return what an escape would climb along."""

    async def wait() -> None:
        await asyncio.sleep(0)

    coroutine = wait()
    coroutine.close()
    try:
        raise KeyError("lost")  # noqa: TRY301 - to have a traceback
    except KeyError as caught:
        error, traceback = caught, caught.__traceback__
    mock = unittest.mock.MagicMock(name="mock")
    return {
        "function": _texts, "method": Customer().rename, "builtin": len, "cls": Order,
        "module": os, "modules": sys.modules, "code": _texts.__code__, "coroutine": coroutine,
        "frame": sys._getframe(), "error": error, "traceback": traceback,
        "lambda_": lambda: hostile.calls.append("lambda"), "partial": functools.partial(print),
        "ref": weakref.ref(Order), "file": sys.__stdout__, "mock": mock,
    }  # fmt: skip


def _application() -> dict[str, object]:
    half = object.__new__(Customer)
    order = Order()
    zoned = datetime.datetime(2026, 1, 2, tzinfo=Zone())
    return {
        "order": order, "customer": order.customer, "half": half, "color": Color.RED,
        "green": Color.GREEN, "key": Secret.API_KEY, "local": LocalProxy(),
        "weak": weakref.proxy(order.customer), "when": datetime.datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 - there are such
        "day": datetime.date(2026, 1, 2), "delta": datetime.timedelta(1), "obj": object(),
        "utc": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), "zoned": zoned,
        "east": datetime.datetime(2026, 1, 2, 1, tzinfo=datetime.timezone(_HOUR)),
    }  # fmt: skip


def scope() -> dict[str, object]:
    """Return every variable by name, hostile ones included; none of their code has run."""
    made = {
        **_numbers(), **_texts(), **_containers(), **_machinery(), **_application(),
        **{name: value for name, value in hostile.zoo().items() if name != "function"},
    }  # fmt: skip
    hostile.calls.clear()
    return made
