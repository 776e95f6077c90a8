"""How values of the standard library read."""

import array
import asyncio
import concurrent.futures
import dataclasses
import datetime
import enum
import functools
import json
import pathlib
import types
import uuid
import zoneinfo
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction

import pytest

from leadline.agent.capture.tree import capture
from leadline.wire.limits import CaptureLimits
from leadline.wire.value import render

LIMITS = CaptureLimits()


def shown(value: object) -> str:
    return render(json.loads(json.dumps(capture(value, LIMITS), allow_nan=False)))


class Color(enum.Enum):
    RED = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Size(enum.StrEnum):
    SMALL = "s"


@dataclasses.dataclass(slots=True)
class Base:
    first: int
    second: int = 2


@dataclasses.dataclass(slots=True)
class Derived(Base):
    third: int = 3
    password: str = "hunter2"


@dataclasses.dataclass
class Computed:
    first: int
    second: int = dataclasses.field(init=False)
    third: int = 0

    def __post_init__(self) -> None:
        self.second = 5
        self.more = 1


class Service:
    def quote(self) -> None: ...


def rows():
    yield 1


started = rows()
next(started)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
WEST = datetime.timezone(datetime.timedelta(hours=-3, minutes=-30))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Color.RED, "<Color.RED: 1>"),
        (Access.READ | Access.WRITE, "<Access.READ|WRITE: 3>"),
        (Size.SMALL, "<Size.SMALL: 's'>"),
        (Derived(1), "Derived(first=1, second=2, third=3, password=<redacted name:password>)"),
        (Computed(1), "Computed(first=1, second=5, third=0, more=1)"),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC),
         "datetime('2026-01-02T03:04:05.000006+00:00')"),
        (datetime.datetime(2026, 1, 2, 3, 4, tzinfo=WEST),
         "datetime('2026-01-02T03:04:00-03:30')"),
        (datetime.datetime(2026, 10, 25, 2, tzinfo=BERLIN, fold=1),
         "datetime('2026-10-25T02:00:00', tzinfo=ZoneInfo('Europe/Berlin'), fold=1)"),
        (datetime.datetime(1, 2, 3), "datetime('0001-02-03T00:00:00')"),  # noqa: DTZ001 - read as it is
        (datetime.date(2026, 1, 2), "date('2026-01-02')"),
        (datetime.time(1, 2, 3), "time('01:02:03')"),
        (datetime.timedelta(days=-1, seconds=5), "timedelta('-1 day, 00:00:05')"),
        (datetime.timedelta(days=2, hours=1, microseconds=7),
         "timedelta('2 days, 01:00:00.000007')"),
        (WEST, "timezone('-03:30')"),
        (Decimal("12.50"), "Decimal('12.50')"),
        (Decimal("NaN"), "Decimal('NaN')"),
        (Decimal("9" * 300), "Decimal('" + "9" * 256 + "')… <300 in all>"),
        (Decimal("9" * 20_000), "<Decimal: text>"),
        (Fraction(3, 4), "Fraction('3/4')"),
        (Fraction(1, 2**5_000), "<Fraction: opaque>"),
        (uuid.UUID(int=5), "UUID('00000000-0000-0000-0000-000000000005')"),
        (pathlib.PurePosixPath("/a/b"), "PurePosixPath('/a/b')"),
        (pathlib.PurePosixPath("a//b/./c", "d"), "PurePosixPath('a/b/c/d')"),
        (pathlib.PurePosixPath("a", "/b"), "PurePosixPath('/b')"),
        (pathlib.PurePosixPath("//a/b"), "PurePosixPath('//a/b')"),
        (pathlib.PurePosixPath(), "PurePosixPath('.')"),
        (pathlib.PurePosixPath("/a/b").parent, "PurePosixPath('/a')"),
        (pathlib.PureWindowsPath("c:\\x", "y"), "PureWindowsPath('c:\\\\x\\\\y')"),
        (range(3), "range(0, 3)"),
        (range(1, 10, 2), "range(1, 10, 2)"),
        (slice(1, 2), "slice(1, 2, None)"),
        (deque([1, 2], 3), "deque([1, 2], maxlen=3)"),
        (deque([1]), "deque([1])"),
        (defaultdict(list, a=1), "defaultdict({'a': 1}, default_factory=type('list'))"),
        (OrderedDict(a=1), "OrderedDict({'a': 1})"),
        (Counter("aab"), "Counter({'a': 2, 'b': 1})"),
        (ChainMap({"a": 1}), "ChainMap(maps=[{'a': 1}])"),
        (types.MappingProxyType({"a": 1, "password": "x"}),
         "mappingproxy({'a': 1, 'password': <redacted name:password>})"),
        (types.SimpleNamespace(a=1, token="x"),
         "SimpleNamespace(a=1, token=<redacted name:token>)"),
        ({"a": 1}.keys(), "dict_keys(['a'])"),
        ({"pin": 1}.values(), "dict_values({'pin': <redacted name:pin>})"),
        ({"a": 1}.items(), "dict_items({'a': 1})"),
        (bytearray(b"xy"), "bytearray(b'xy')"),
        (memoryview(b"hello"), "memoryview(b'hello')"),
        (memoryview(b"x" * 300), "memoryview(b'" + "x" * 256 + "')… <300 in all>"),
        (memoryview(array.array("i", [1, 2])), "memoryview([1, 2], shape=(2,), format='i')"),
        (memoryview(b"abcd").cast("B", (2, 2)),
         "memoryview(shape=(2, 2), format='B', … <opaque>)"),
        (array.array("d", [1.5]), "array([1.5], typecode='d')"),
        (len, "<builtin_function_or_method len>"),
        ([].append, "<builtin_function_or_method list.append>"),
        (str.upper, "<method_descriptor str.upper>"),
        (rows, f"<function {__name__}.rows>"),
        (Service().quote, f"<method {__name__}.Service.quote of Service>"),
        (rows(), "<generator rows>"),
        (started, "<generator rows; state='suspended'>"),
        (json, "<module json>"),
        (functools.partial(rows, 1, a=2), f"partial(<function {__name__}.rows>, 1, a=2)"),
        (KeyError("password", "hunter2"), "KeyError('password', <redacted name:password>)"),
        (SystemExit(3), "SystemExit(3)"),
        (FileNotFoundError(2, "gone", "/x"), "FileNotFoundError(2, 'gone', filename='/x')"),
        (ExceptionGroup("g", [ValueError(1)]),
         "ExceptionGroup('g', [ValueError(1)], exceptions=(ValueError(1),))"),
        (iter([]), "<list_iterator: opaque>"),
    ],
    ids=lambda value: str(type(value)) if type(value) is not str else "",
)  # fmt: skip
def test_how_the_standard_library_reads(value, text) -> None:
    assert shown(value) == text


def test_a_released_view_says_so() -> None:
    view = memoryview(b"abc")
    view.release()
    assert capture(view, LIMITS)["rule"] == "it was released"


class Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__("refused")
        self.code = code
        self.api_key = "hunter2"


def raised(how) -> BaseException:
    try:
        how()
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("it did not raise")


def with_cause() -> None:
    try:
        {}["x"]
    except KeyError as error:
        error.add_note("hint")
        raise ValueError("bad") from error


def with_context() -> None:
    try:
        {}["x"]
    except KeyError:
        raise Refused(7)  # noqa: B904 - the context is the subject


def with_suppressed_context() -> None:
    try:
        {}["x"]
    except KeyError:
        raise ValueError("bad") from None


@pytest.mark.parametrize(
    ("how", "text"),
    [
        (with_cause, "ValueError('bad'; cause=KeyError('x'; notes=['hint']))"),
        (with_context,
         "Refused('refused', code=7, api_key=<redacted name:api_key>; context=KeyError('x'))"),
        (with_suppressed_context, "ValueError('bad'; suppressed=KeyError('x'))"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_an_exception_shows_what_is_behind_it(how, text) -> None:
    assert shown(raised(how)) == text


def test_a_long_chain_of_exceptions_ends_at_the_depth() -> None:
    error = ValueError(0)
    for number in range(1, 10):
        error, error.__cause__ = ValueError(number), error
    assert shown(error) == (
        "ValueError(9; cause=ValueError(8; cause=ValueError(7; cause=<ValueError: depth>)))"
    )


def test_tasks_and_futures_show_their_state() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 5

    async def main() -> list[str]:
        task = asyncio.create_task(work(), name="pricing")
        before = shown(task)
        await task
        failed = asyncio.get_running_loop().create_future()
        failed.set_exception(ValueError("x"))
        seen = [before, shown(task), shown(failed)]
        failed.exception()
        return seen

    done = concurrent.futures.Future()
    waiting = shown(done)
    done.set_result([1])
    runs = "test_tasks_and_futures_show_their_state.<locals>.work"
    assert [*asyncio.run(main()), waiting, shown(done)] == [
        f"Task(state='pending', name='pricing', coroutine='{runs}')",
        f"Task(state='finished', result=5, name='pricing', coroutine='{runs}')",
        "Future(state='finished', exception=ValueError('x'))",
        "Future(state='pending')",
        "Future(state='finished', result=[1])",
    ]


def test_looking_at_a_failed_future_is_not_taking_its_exception(caplog) -> None:
    """asyncio complains of an exception that was never retrieved; it still has to."""

    async def main() -> None:
        failed = asyncio.get_running_loop().create_future()
        failed.set_exception(ValueError("unseen"))
        shown(failed)

    asyncio.run(main())
    assert "exception was never retrieved" in caplog.text
