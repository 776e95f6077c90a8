"""The zoo through every kind of probe, thousands of times: nothing runs, leaks or raises.

What `hostile` has is joined by proxies, objects that nobody has initialised, what is made in C,
and what other threads change meanwhile; hypothesis nests them in each other.
"""

import builtins
import collections
import collections.abc
import dataclasses
import gc
import hashlib
import itertools
import json
import re
import socket
import sqlite3
import sys
import threading
import types
import unittest.mock
import weakref
import zlib

import lazy_object_proxy
import pytest
import wrapt
from django.utils.functional import SimpleLazyObject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.local import LocalProxy

import hostile
from leadline.agent.capture.tree import capture
from leadline.wire.limits import CaptureLimits
from leadline.wire.probe import (
    CounterProbe,
    ExceptionProbe,
    Fate,
    LogProbe,
    MetricProbe,
    SnapshotProbe,
    TimerProbe,
)

ROUNDS = 10
"""Through six probes each, with some 120 animals: about 7,000 passages."""
GROWN_KB = 3_000
"""Of resident memory, over the last four rounds; one leaked animal a passage is more."""


@dataclasses.dataclass
class Record:
    number: int
    name: str


class Slots:
    __slots__ = ("a", "b")

    @classmethod
    def of(cls, parts: object) -> "Slots":
        made = cls()
        made.a = parts
        return made


def tell(*_args: object) -> object:
    hostile.calls.append("proxied")
    return hostile.every("Proxied")


def proxies() -> dict[str, object]:
    target = hostile.Described()
    mock = unittest.mock.MagicMock()
    mock.__len__.side_effect = tell
    return {
        "weak proxy": weakref.proxy(target),
        "its target": target,
        "local proxy": LocalProxy(tell),
        "lazy object": SimpleLazyObject(tell),
        "mapping proxy": types.MappingProxyType({"k": hostile.Slotted()}),
        "mock": mock,
        "mock of a class": unittest.mock.create_autospec(Record),
        "wrapt proxy": wrapt.ObjectProxy(hostile.every("Wrapped")),
        "wrapt function": wrapt.FunctionWrapper(tell, tell),
        "wrapt lazy": wrapt.LazyObjectProxy(tell),
        "lazy proxy": lazy_object_proxy.Proxy(tell),
        "async mock": unittest.mock.AsyncMock(),
        "non-callable mock": unittest.mock.NonCallableMagicMock(),
        "dead weak proxy": weakref.proxy(hostile.Described()),
    }


def unfinished() -> dict[str, object]:
    """Return what `__init__` has not seen, as a probe in a constructor finds it."""
    made = [object.__new__(cls) for cls in (Record, Slots, hostile.EvilKind, hostile.Described)]
    module = types.ModuleType("coming")
    module.__spec__ = types.SimpleNamespace(_initializing=True, name="coming")
    return {
        **{f"bare {type(one).__name__}": one for one in made},
        "bare exception": ValueError.__new__(ValueError),
        "bare path error": OSError.__new__(OSError),
        "short named tuple": tuple.__new__(hostile.Pair, ()),
        "bare counter": collections.Counter.__new__(collections.Counter),
        "bare default": collections.defaultdict.__new__(collections.defaultdict),
        "bare lazy": SimpleLazyObject.__new__(SimpleLazyObject),
        "bare mock": unittest.mock.Mock.__new__(unittest.mock.Mock),
        "module under import": module,
        "bare module": types.ModuleType.__new__(types.ModuleType),
    }


def capture_cell(value: object) -> object:
    return (lambda: value).__closure__[0]


def in_c() -> dict[str, object]:
    link = socket.socket()
    link.close()
    base = sqlite3.connect(":memory:")
    base.row_factory = sqlite3.Row
    row = base.execute("select 1 as a, 'x' as b").fetchone()
    base.close()
    return {
        "match": re.match("(a)(b)?", "a"), "pattern": re.compile("a"), "hash": hashlib.sha256(),
        "zlib": zlib.compressobj(), "closed socket": link, "closed database": base, "row": row,
        "chain": itertools.chain([1], [2]), "count": itertools.count(), "lock": threading.Lock(),
        "weak set": weakref.WeakSet(), "iterator": iter([1]), "code": tell.__code__,
        "cell": capture_cell(1), "super": super(type, int),
        "ellipsis": ..., "wrapper": [].__len__, "getset": type.__dict__["__mro__"],
    }  # fmt: skip


def large() -> dict[str, object]:
    deep: object = 1
    for _ in range(5_000):
        deep = [deep]
    chain = node = {}
    for _ in range(1_000):
        node["next"] = {}
        node = node["next"]
    return {
        "deep": deep, "chain of dicts": chain, "wide": list(range(1_000_000)),
        "many keys": dict.fromkeys(range(100_000)), "long": "x" * 10_000_000,
        "number": 10**5_000, "blob": bytes(10_000_000), "fields": _fields(5_000),
    }  # fmt: skip


def _fields(number: int) -> object:
    one = types.SimpleNamespace()
    vars(one).update((f"field{at}", at) for at in range(number))
    return one


def everything() -> dict[str, object]:
    made = {
        **hostile.zoo(),
        **hostile.named_zoo(),
        **proxies(),
        **unfinished(),
        **in_c(),
        **large(),
    }
    hostile.calls.clear()
    return made


SOURCE = """\
def work(value):
    here = value
    return here
def called(value):
    return value
def timed(value):
    return value
def broken(value):
    raise KeyError(value)
"""


def visit(module, animal: object) -> None:
    """Take one animal past every probe."""
    module.work(animal)
    module.called(animal)
    module.timed(animal)
    try:
        module.broken(animal)
    except KeyError as error:
        error.__traceback__ = None


@pytest.mark.soak
def test_thousands_of_captures_run_leak_and_raise_nothing(soundings, make_module) -> None:
    module = make_module("zoo_keeper", SOURCE)
    soundings.lift_budget()
    placed = [
        soundings.place(
            LogProbe, "zoo_keeper.py:2", template="{value} {value.name} {value[0]}"
        ),
        soundings.place(SnapshotProbe, "zoo_keeper.py:3", watches=("value", "value.name")),
        soundings.place(CounterProbe, "zoo_keeper:called", condition="value == 5"),
        soundings.place(MetricProbe, "zoo_keeper.py:5", expression="value"),
        soundings.place(TimerProbe, "zoo_keeper:timed"),
        soundings.place(ExceptionProbe, "zoo_keeper:broken", raises=("KeyError",)),
    ]
    animals = list(everything().values())
    counts, sizes = [], []
    for number in range(ROUNDS):
        for animal in animals:
            visit(module, animal)
            soundings.core.drain(1_000)
        soundings.tick()
        if number in (5, ROUNDS - 1):
            gc.collect()
            counts.append([sys.getrefcount(animal) for animal in animals])
            sizes.append(resident_kb())
    assert hostile.calls == []
    assert counts[0] == counts[1]
    assert sizes[1] - sizes[0] < GROWN_KB, sizes
    for probe in placed:
        fates = soundings.state(probe).fates
        assert sum(fates.values()) > 1_000, (probe, fates)
        assert Fate.DROPPED not in fates, (probe, fates)


def resident_kb() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4


@pytest.mark.parametrize("name", ["proxies", "unfinished", "in_c"])
def test_each_animal_has_a_form(name: str) -> None:
    for kind, animal in globals()[name]().items():
        hostile.calls.clear()
        json.dumps(capture({"animal": animal}, CaptureLimits()), allow_nan=False)
        assert hostile.calls == [], kind
    hostile.calls.clear()


def test_every_special_method_of_the_language_tells() -> None:
    """As many as the types of the interpreter have; what it adds later is missed here."""
    kinds = [*_kinds(object), *_kinds(type)]
    known = {
        name
        for kind in kinds
        for name, member in type.__dict__["__dict__"].__get__(kind).items()
        if name[:2] == name[-2:] == "__" and callable(member) and not isinstance(member, type)
    }
    assert len(known) > 80
    told = {
        *hostile.OPERATIONS,
        *hostile.BEFORE_AND_AFTER,
        "__getattribute__",
        "__subclasses__",
    }
    told |= {"__alloc__", "__getformat__"}  # of one type each, and nothing asks them by itself
    assert known - told == set()


def _kinds(base: type) -> list[type]:
    """Return the types that builtins and collections are made of."""
    modules = (builtins, types, collections.abc)
    names = [one for module in modules for one in vars(module).values()]
    return [kind for kind in names if isinstance(kind, type) and issubclass(kind, base)]


def test_proxies_do_bite() -> None:
    """Whoever asks them the usual way runs what they stand for."""
    for name in ("local proxy", "lazy object", "wrapt lazy", "lazy proxy", "wrapt proxy"):
        hostile.calls.clear()
        str(proxies()[name])
        assert hostile.calls, name
    hostile.calls.clear()


_ANIMALS = [one for name, one in everything().items() if name not in {"wide", "long", "blob"}]
_HOLDERS = {
    "list": list,
    "tuple": tuple,
    "dict": lambda parts: dict(enumerate(parts)),
    "named": lambda parts: {f"key{at}": part for at, part in enumerate(parts)},
    "namespace": lambda parts: types.SimpleNamespace(value=list(parts)),
    "record": lambda parts: Record(len(parts), list(parts)),
    "error": lambda parts: ValueError(*parts),
    "deque": lambda parts: collections.deque(parts, 3),
    "pair": lambda parts: hostile.Pair(list(parts), None),
    "slots": Slots.of,
}
_PLANS = st.recursive(
    st.integers(0, len(_ANIMALS) - 1) | st.text() | st.binary() | st.floats(),
    lambda inner: st.tuples(st.sampled_from(sorted(_HOLDERS)), st.lists(inner, max_size=4)),
    max_leaves=12,
)
"""Plans and not objects: hypothesis looks at what it draws, and that would run the animals."""


def built(plan: object) -> object:
    """Return what a plan says, with animals for its numbers."""
    if type(plan) is tuple:
        return _HOLDERS[plan[0]]([built(part) for part in plan[1]])
    return _ANIMALS[plan] if type(plan) is int else plan


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=_PLANS, depth=st.integers(0, 8), items=st.integers(1, 1_000))
def test_however_they_are_nested(plan: object, depth: int, items: int) -> None:
    value = built(plan)
    hostile.calls.clear()
    shown = capture(value, CaptureLimits(depth=depth, items=items))
    assert hostile.calls == []
    json.dumps(shown, allow_nan=False)


def test_what_other_threads_change_meanwhile(soundings, make_module) -> None:
    module = make_module("zoo_shared", SOURCE)
    soundings.lift_budget()
    soundings.place(SnapshotProbe, "zoo_shared.py:2")
    soundings.place(LogProbe, "zoo_shared.py:3", template="{value} {value.number} {value['k']}")
    shared = {
        "list": [],
        "dict": {},
        "set": set(),
        "object": Record(1, "x"),
        "deque": collections.deque(),
    }
    over = threading.Event()

    def churn() -> None:
        for number in itertools.count():
            if over.is_set():
                return
            shared["list"][:] = range(number % 50)
            shared["dict"][f"key{number % 70}"] = number
            shared["set"] ^= {number % 90}
            shared["deque"].append(number)
            vars(shared["object"])[f"extra{number % 60}"] = number
            if number % 40 == 0:
                shared["dict"].clear()
                shared["deque"].clear()
                vars(shared["object"]).clear()

    threads = [threading.Thread(target=churn) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        hits = 0
        for _ in range(400):
            for value in shared.values():
                assert module.work(value) is value
            hits += len(soundings.core.drain(1_000))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert hits > 1_000
