"""Arguments by value: nothing of the application's runs, nothing is without limit, and no
secret is in the document."""

import collections
import dataclasses
import enum
import gc
import json
import pathlib
import queue
import subprocess
import sys
import threading
import time
import tracemalloc
import types
import weakref

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_zoo import everything

import hostile
from leadline.agent.capture import outlet
from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.trial.rebuilding import WithheldTouched, check, rebuild
from leadline.wire.kept import MAX_CALL_BYTES, MAX_NODES, Kept

BEARER = "Bearer abcdef0123456789abcdef"
CARD = 4_111_111_111_111_111


@dataclasses.dataclass(frozen=True)
class Item:
    sku: str
    cents: int


@dataclasses.dataclass
class Customer:
    name: str
    password: str = ""


class Login(collections.namedtuple("Login", "user password")):
    __slots__ = ()


class Mode(enum.Enum):
    SECRET = "hunter2-of-the-enum"


@pytest.fixture
def strict():
    outlet.be_strict(True)
    yield
    outlet.be_strict(False)


def text_of(kept: Kept) -> str:
    return json.dumps([kept.document, kept.withheld, kept.obstacle])


def test_a_call_is_written_down_and_made_again() -> None:
    items = [Item("a", 1), Item("b", 2)]
    named = {"items": items, "first": items[0], "options": {"fast": True, "rate": 0.5}}
    kept = keep(named.items())
    assert (kept.obstacle, kept.withheld) == ("", [])
    document = json.loads(json.dumps(kept.document))
    made = rebuild(document)
    assert made == named
    assert made["first"] is made["items"][0]
    assert check(document, keep) == ""


def test_nothing_of_the_zoo_runs() -> None:
    animals = everything()
    landmarks = Landmarks.of([__name__, "hostile", "test_zoo"])
    hostile.calls.clear()
    for name, animal in animals.items():
        withhold(keep([(name, animal)]))
        keep([(name, [animal, {"x": animal}]), ("again", animal)], landmarks=landmarks)
    assert hostile.calls == []


class Shell:
    __slots__ = ("__dict__", "__weakref__", "inside")


def _shell(inside: object) -> object:
    shell = Shell()
    shell.inside = shell.again = inside
    return shell


_ANIMALS = st.sampled_from(sorted(hostile.zoo())).map(lambda name: hostile.zoo()[name])
_CAGES = st.recursive(
    _ANIMALS | st.sampled_from(sorted(hostile.named_zoo())).map(hostile.named_zoo().get),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | inner.map(lambda one: {"key": one})
        | inner.map(lambda one: types.SimpleNamespace(one=one))
        | inner.map(lambda one: ValueError(one, [one]))
        | inner.map(lambda one: collections.deque([one]))
        | inner.map(_shell)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(_CAGES)
def test_nothing_of_the_zoo_runs_in_any_cage(cage: object) -> None:
    hostile.calls.clear()
    kept = withhold(keep([("cage", cage)]))
    assert hostile.calls == []
    assert (kept.document is None) == bool(kept.obstacle)


def test_audit_hooks_hear_nothing() -> None:
    program = """
import collections, dataclasses, datetime, decimal, enum, functools, io, logging, pathlib, re
import sys, threading, types, uuid, weakref, zoneinfo
from leadline.agent.capture.keeping import keep, Landmarks
@dataclasses.dataclass
class Item:
    sku: str
class Slots:
    __slots__ = ("a",)
class Mode(enum.Enum):
    A = 1
def work(): yield
def outer(a):
    def inner(b=1, *, c=2): return a
    return inner
slots = Slots(); slots.a = Item("x")
values = [types.MappingProxyType({"a": 1}), {}.keys(), ValueError(1), sys, keep, work(), work,
          functools.partial(print, 1), datetime.datetime(2026, 1, 1), print, [].append, slots,
          decimal.Decimal(1), io.StringIO("x"), io.BytesIO(b"x"), pathlib.Path("a"), Mode.A,
          threading.Event(), threading.current_thread(), uuid.uuid4(), re.compile("a"), {1},
          weakref.ref(Mode), collections.deque(), logging.getLogger(), iter([1]), OSError(2),
          zoneinfo.ZoneInfo("UTC"), collections.OrderedDict(a=1), sys._getframe(),
          slots.__init__, outer(3)]
landmarks = Landmarks.of_process()
heard = []
sys.addaudithook(lambda event, _: heard.append(event))
for value in values:
    keep([("value", value)]), keep([("value", [value])], landmarks=landmarks)
print(heard)
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_names_of_attributes_are_asked_for_nothing() -> None:
    path = pathlib.PurePosixPath("/a")
    error = ValueError("x")
    for one in (type("Odd", (pathlib.PurePosixPath,), {})("/a"), error, Shell()):
        one.__dict__[hostile.Colliding("_hash")] = 1
        hostile.calls.clear()
        assert "no plain text" in keep([("one", one)]).obstacle
        assert hostile.calls == []
    assert keep([("path", path)]).obstacle == ""


@pytest.mark.parametrize("value", [
    list(range(1_000_000)), dict.fromkeys(range(100_000)), "x" * 10_000_000, bytes(10_000_000),
    10**100_000 << 4_000_000, set(range(100_000)), [[i] for i in range(30_000)],
    [{"a": i} for i in range(30_000)], tuple("abc" * 100_000), bytearray(1_000_000),
    [["x" * 200_000], ["y" * 200_000]],
], ids=lambda value: type(value).__name__)  # fmt: skip
def test_what_is_too_large_is_given_up_soon(value: object) -> None:
    gc.collect()
    tracemalloc.start()
    kept = keep([("value", value)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept.document is None
    assert kept.obstacle.endswith("the arguments are larger than can be kept")
    assert peak < 40 * MAX_CALL_BYTES  # 20,000 small nodes as objects, however much there is


def test_a_limit_of_bytes_is_kept_within() -> None:
    rows = [Item(f"sku {at}", at) for at in range(2_000)]
    for most in (500, 5_000, 50_000):
        kept = keep([("rows", rows)], most)
        assert kept.document is None
        assert kept.size <= most * 4
    whole = keep([("rows", rows)])
    assert len(json.dumps(whole.document)) <= whole.size <= MAX_CALL_BYTES
    assert len(whole.document["nodes"]) <= MAX_NODES


def test_a_drained_table_is_not_walked() -> None:
    table = dict.fromkeys(range(300_000))
    for key in range(299_999):
        del table[key]
    names = set(range(300_000))
    for key in range(299_999):
        names.discard(key)
    assert "much larger once" in keep([("table", table)]).obstacle
    assert "much larger once" in keep([("names", names)]).obstacle


@pytest.mark.parametrize(("value", "reason"), [
    (threading.Thread(), "a threading.Thread lives in its process"),
    (queue.Queue, ""),
    ((one for one in ()), "a generator lives in its process"),
    (eval("lambda: 1", {}), "a function that no module has under its name"),
    (types.new_class("Local"), "Local is no class that a module has under its name"),
    (types.new_class("Local")(), "Local is no class that a module has under its name"),
    (sys.stdout, ""),
    (memoryview(b"abc"), "a memoryview lives in its process"),
    (threading.local(), "a _thread._local lives in its process"),
    (sys._getframe(), "a frame lives in its process"),
])  # fmt: skip
def test_what_cannot_be_kept_says_why_and_where(value: object, reason: str) -> None:
    kept = keep([("cart", {"worker": [1, value]})], landmarks=Landmarks.of(["sys"]))
    if not reason:
        assert kept.obstacle == "" or value is sys.stdout
        return
    assert kept.document is None
    assert kept.obstacle.startswith("cart['worker'][1]")
    assert kept.obstacle.endswith(reason)


def test_what_a_name_calls_a_secret_is_withheld() -> None:
    secret = "hunter2-of-the-test"
    login = Login("ann", secret)
    kept = keep([
        ("customer", Customer("Ann", secret)), ("login", login), ("password", secret),
        ("headers", [("Authorization", secret), ("Accept", "*")]),
        ("table", {"api_key": secret}),
        ("pair", ["token", secret]), ("error", ValueError("password", secret)),
        ("mode", Mode.SECRET), ("bytes", {b"secret": secret}),
        ("spaces", types.SimpleNamespace(pin=secret)),
    ])  # fmt: skip
    assert kept.obstacle == ""
    assert "hunter2" not in text_of(kept)
    assert sorted(kept.withheld) == [
        "bytes[…] (name 'secret')", "customer.password (name 'password')",
        "error (name 'password')", "headers[0][1] (name 'authorization')",
        "login[1] (name 'password')", "pair[1] (name 'token')", "password (name 'password')",
        "spaces.pin (name 'pin')", "table['api_key'] (name 'api_key')",
    ]  # fmt: skip
    made = rebuild(json.loads(json.dumps(kept.document)))
    assert made["customer"].name == "Ann"
    with pytest.raises(WithheldTouched, match=r"customer\.password"):
        made["customer"].password.upper()


@pytest.mark.parametrize("value", [
    BEARER, [BEARER], {"a": BEARER}, {BEARER: 1}, {BEARER}, BEARER.encode(),
    bytearray(BEARER, "ascii"), b"\xff" + BEARER.encode(), "\ud800 " + BEARER, CARD,
    float(CARD), [CARD], {"n": (CARD,)},
    type("Text", (str,), {}), types.SimpleNamespace(a=BEARER), ValueError(BEARER),
    types.SimpleNamespace(**{BEARER: 1}), Item("x", str(CARD)), 1 << 64,
    __import__("array").array("q", [CARD]), __import__("pathlib").PurePosixPath("/x/" + BEARER),
    __import__("re").compile(BEARER), __import__("io").StringIO(BEARER), Item(BEARER, 1),
], ids=lambda value: type(value).__name__)  # fmt: skip
def test_what_a_pattern_finds_is_withheld_before_it_leaves(value: object) -> None:
    kept = withhold(keep([("value", value)]))
    left = text_of(kept)
    assert "abcdef0123456789" not in left
    assert str(CARD) not in left
    assert "YWJjZGVmMDEyMzQ1Njc4" not in left
    if kept.document is not None and "withheld" in left:
        assert kept.withheld
        assert "pattern '" in kept.withheld[0]
        rebuild(json.loads(json.dumps(kept.document)))


def test_half_of_a_cloud_key_beside_the_other_half() -> None:
    half = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    kept = withhold(keep([("pair", ["AKIAIOSFODNN7EXAMPLE", {"other": half}])]))
    assert half not in text_of(kept)
    assert "AKIA" not in text_of(kept)


def test_a_plain_document_leaves_as_it_is() -> None:
    kept = keep([("item", Item("a", 1)), ("names", {"b": [1.5, None, b"x"]})])
    left = withhold(kept)
    assert (left.document, left.withheld) == (kept.document, [])


def test_no_text_leaves_a_strict_service(strict: None) -> None:
    kept = withhold(keep([
        ("item", Item("sku-of-ann", 5)), ("numbers", [1, 2.5, None, True, 10**30]),
        ("table", {"ann": 1}), ("by number", {7: "ann"}), ("names", {"ann"}), ("raw", b"ann"),
    ]))  # fmt: skip
    assert "ann" not in text_of(kept)
    made = rebuild(kept.document)
    assert (made["item"].cents, made["numbers"]) == (5, [1, 2.5, None, True, 10**30])
    with pytest.raises(WithheldTouched, match=r"item\.sku"):
        str(made["item"].sku)
    assert "strict" in kept.withheld[0]
    refused = withhold(keep([("cart", {"ann": threading.Thread()})]))
    assert "ann" not in refused.obstacle


def test_landmarks_keep_nothing_alive() -> None:
    module = types.ModuleType("app_of_landmarks")
    module.service = Shell()
    sys.modules[module.__name__] = module
    try:
        landmarks = Landmarks.of([module.__name__])
        assert len(landmarks) == 1
        service = module.service
        assert "service" in text_of(keep([("it", service)], landmarks=landmarks))
        module.service = None
        again = keep([("it", service)], landmarks=landmarks)
        assert "app_of_landmarks" not in text_of(again)
    finally:
        del sys.modules[module.__name__]


def test_landmarks_of_a_hostile_module_run_nothing() -> None:
    class Namespace(types.ModuleType):
        def __getattribute__(self, name: str) -> object:
            hostile.calls.append(name)
            return super().__getattribute__(name)

    module = Namespace("app_of_zoo")
    vars(types.ModuleType)["__dict__"].__get__(module).update(hostile.zoo())
    vars(types.ModuleType)["__dict__"].__get__(module)[hostile.Colliding("kind")] = 1
    sys.modules["app_of_zoo"] = module
    try:
        hostile.calls.clear()
        landmarks = Landmarks.of_process()
        for animal in list(vars(types.ModuleType)["__dict__"].__get__(module).values()):
            keep([("it", animal)], landmarks=landmarks)
        assert hostile.calls == []
    finally:
        del sys.modules["app_of_zoo"]


def test_what_others_change_meanwhile_is_kept_or_given_up() -> None:
    table: dict[object, object] = {"seed": [0]}
    done = threading.Event()

    def churn() -> None:
        at = 0
        while not done.is_set():
            at += 1
            table[at % 500] = [at]
            table.pop((at + 250) % 500, None)

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            kept = keep([("table", table)])
            assert kept.obstacle == ""
            rebuild(kept.document)
    finally:
        done.set()
        worker.join()


def test_nothing_is_held_afterwards() -> None:
    shell = Shell()
    shell.inside = [Item("a", 1)]
    gone = weakref.ref(shell)
    kept = keep([("shell", shell)])
    del shell
    assert gone() is None
    assert kept.document is not None


def test_what_a_program_imports_is_called_by_the_module_it_is_of(monkeypatch):
    """`from shop.app import app`: another process has no such program."""
    shop = types.ModuleType("shop_of_landmarks")
    shop.app = app = object()
    monkeypatch.setitem(sys.modules, shop.__name__, shop)
    monkeypatch.setattr(sys.modules["__main__"], "app_of_landmarks", app, raising=False)
    found = Landmarks.of(["__main__", shop.__name__])
    assert found.name_of(app) == (shop.__name__, "app")
