"""What is kept by value comes back as it was: kinds, sharing, cycles, texts and numbers."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import importlib
import io
import ipaddress
import json
import logging
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import threading
import types
import uuid
import weakref
import zoneinfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from leadline.agent.capture import outlet
from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.trial.rebuilding import Withheld, WithheldTouched, check, rebuild
from leadline.wire.errors import RefusedError
from leadline.wire.packing import Allowance, packed, unpacked


@dataclasses.dataclass(frozen=True)
class Item:
    sku: str
    cents: int
    tags: tuple[str, ...] = ()


@dataclasses.dataclass(slots=True)
class Slotted:
    left: object = None
    right: object = None


class Node:
    def __init__(self, name: object) -> None:
        self.name = name
        self.links: list[object] = []


class Guarded:
    """Would refuse whatever is asked of it while it is being rebuilt."""

    def __new__(cls, key: object) -> "Guarded":
        made = super().__new__(cls)
        made.__dict__["key"] = key
        return made

    def __init__(self, key: object) -> None:
        assert key is self.__dict__["key"]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)  # recurses without end where nothing is set

    def __reduce__(self) -> object:
        raise TypeError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Guarded) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


class Keyed:
    def __init__(self, key: str) -> None:
        self.key = key
        self.among: set[object] = {self}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyed) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Words(list):  # type: ignore[type-arg]
    pass


class Registry(dict):  # type: ignore[type-arg]
    def __setitem__(self, key: object, value: object) -> None:
        raise TypeError


class Amount(int):
    pass


class Label(str):
    __slots__ = ("lang",)


class Token(tuple):  # noqa: SLOT001 - it has attributes
    pass


class Failure(Exception):
    def __init__(self, code: int, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


Point = collections.namedtuple("Point", "x y")
MISSING = object()
SERVICE = Node("service")
EMPTY = object.__new__(Guarded)
Renamed = collections.namedtuple("Original", "a")


def _class_made_here() -> object:
    class Local:
        def __init__(self) -> None:
            self.a = 1

    return Local()


local = _class_made_here()


def add(left: int, right: int) -> int:
    return left + right


def _made_here() -> object:
    def inner() -> None: ...

    return inner


hook = _made_here()
LANDMARKS = Landmarks.of([__name__])


def kept(**named: object) -> dict[str, object]:
    """Keep and rebuild, through JSON as it travels; also check the check."""

    def again(pairs: object) -> object:
        return keep(pairs, landmarks=LANDMARKS)

    found = again(named.items())
    assert found.obstacle == ""
    text = json.dumps(found.document)
    assert text.isascii()
    assert len(text) <= found.size * 1.1
    document = json.loads(text)
    assert check(document, again) == ""
    travelled = json.loads(json.dumps(packed(document)))
    assert json.dumps(unpacked(travelled, Allowance())) == text
    return rebuild(document)


def same(one: object, other: object) -> bool:
    """As `==`, but exact: types, the sign of zero, none of the numbers, and order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, complex):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        pairs = zip(one.items(), other.items(), strict=True)
        return len(one) == len(other) and all(
            same(key, key_too) and same(value, value_too)
            for (key, value), (key_too, value_too) in pairs
        )
    if isinstance(one, (list, tuple, collections.deque)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, (Item, Slotted)):
        names = one.__match_args__
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return one == other


_hashable = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.binary()
    | st.text(st.characters()) | st.sampled_from(Colour) | st.dates()
    | st.decimals(allow_nan=False),
    lambda inner: st.tuples(inner) | st.tuples(inner, inner) | st.frozensets(inner, max_size=3)
    | st.builds(Item, st.text(max_size=3), st.integers(), st.tuples(inner)),
    max_leaves=5,
)  # fmt: skip
_values = st.recursive(
    _hashable | st.floats() | st.complex_numbers(allow_nan=False) | st.binary().map(bytearray)
    | st.text(st.characters(categories=["Cs", "Lu", "Cc"])) | st.datetimes() | st.times()
    | st.timedeltas() | st.uuids() | st.fractions() | st.integers(min_value=10**30)
    | st.ip_addresses(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(_hashable, inner, max_size=4)
    | st.sets(_hashable, max_size=4)
    | st.tuples(inner, inner)
    | st.lists(inner, max_size=3).map(Words)
    | st.lists(inner, max_size=3).map(collections.deque)
    | st.builds(Slotted, inner, inner),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_values)
@example(bytearray(4))
def test_any_value_comes_back_as_it_was(value: object) -> None:
    assert same(kept(value=value)["value"], value)


KINDS = [
    Colour.RED, Access.READ | Access.WRITE, Access(0), Amount(5), Point(1, 2), Words([1]),
    collections.OrderedDict(a=1), collections.Counter("aab"), collections.deque([1], 3),
    collections.ChainMap({"a": 1}, {}), collections.UserDict(a=1),
    decimal.Decimal("1.50"), decimal.Decimal("-0"), fractions.Fraction(1, 3),
    uuid.UUID(int=7), pathlib.PurePosixPath("/a/b"), pathlib.PureWindowsPath("c:/a"),
    datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC, fold=1),
    datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=1), "X")),
    datetime.datetime(2026, 6, 2, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    ipaddress.ip_network("10.0.0.0/8"), range(1, 9, 2), slice(1, None), ..., NotImplemented,
    re.compile("a+", re.IGNORECASE), types.SimpleNamespace(a=1), int, Item, add, len, json,
    str.upper, list.append, dict.fromkeys, type(None), types.MappingProxyType({"a": 1}),
    {"a": 1}.keys(), {"a": 1}.items(), 2**63, -(2**63), 2**63 - 1, 10**400, "\ud800\udc00",
    "\x00 \U0001f600 é", b"\xff\x00", -0.0, math.inf, logging.getLogger("shop.pricing"),
    datetime.datetime.now, "a" * 5_000, "",
]  # fmt: skip


@pytest.mark.parametrize(
    "value", KINDS, ids=lambda value: f"{type(value).__name__} {ascii(value)[:20]}"
)
def test_each_kind_comes_back_equal_and_of_its_type(value: object) -> None:
    made = kept(value=value)["value"]
    assert type(made) is type(value)
    assert made == value


def test_what_has_no_equality_comes_back_alike() -> None:
    made = kept(
        partial=functools.partial(add, 1, right=2),
        method=Node("x").links.append,
        bound=Guarded("k").__hash__,
        text=io.StringIO("some text"),
        octets=io.BytesIO(b"\xff"),
        rest=iter([1, 2, 3]),
        lock=threading.RLock(),
        event=threading.Event(),
        default=collections.defaultdict(list, a=[1]),
        nan=math.nan,
    )
    assert made["partial"]() == 3
    assert made["bound"]() == hash("k")
    assert made["text"].getvalue() == "some text"
    assert made["octets"].getvalue() == b"\xff"
    assert list(made["rest"]) == [1, 2, 3]
    with made["lock"]:
        made["event"].set()
        assert made["event"].wait(0)
    assert made["default"]["b"] == []
    assert math.isnan(made["nan"])


def test_iterators_and_streams_stand_where_they_stood() -> None:
    row, stream = iter([1, 2, 3]), io.StringIO("ab\ncd\n")
    next(row)
    stream.readline()
    table = iter({"a": 1, "b": 2}.items())
    next(table)
    made = kept(
        row=row, stream=stream, back=reversed([1, 2]), count=iter(range(3)), table=table,
        numbered=enumerate([5]), pairs=zip([1], iter("x"), strict=False), done=iter([]),
        mapped=map(abs, [-1]), kept=filter(None, (0, 7)), text=iter("ab"), names=iter({"k"}),
    )  # fmt: skip
    assert list(made["row"]) == [2, 3]
    assert made["stream"].read() == "cd\n"
    assert list(made["back"]) == [2, 1]
    assert list(made["count"]) == [0, 1, 2]
    assert list(made["table"]) == [("b", 2)]
    assert (list(made["numbered"]), list(made["pairs"])) == ([(0, 5)], [(1, "x")])
    assert (list(made["mapped"]), list(made["kept"])) == ([1], [7])
    assert (list(made["text"]), list(made["names"]), list(made["done"])) == (
        ["a", "b"],
        ["k"],
        [],
    )


class Limited(io.RawIOBase):
    """As Django hands out the body of a request."""

    def __init__(self, inner: io.BytesIO, limit: int) -> None:
        super().__init__()
        self._read, self._left = inner.read, limit

    def read(self, size: int = -1) -> bytes:
        size = self._left if size < 0 else min(size, self._left)
        self._left -= size
        return self._read(size)


def test_a_stream_written_in_python_has_its_attributes() -> None:
    given = Limited(io.BytesIO(b"abcdef"), 3)
    assert given.read(1) == b"a"
    made = kept(given=given)["given"]
    assert type(made) is Limited
    assert (made.read(), made.read()) == (b"bc", b"")
    assert given.read() == b"bc"


def test_what_is_shared_is_shared_and_cycles_close() -> None:
    item = Item("a", 1)
    loop: list[object] = [item]
    loop.append(loop)
    one, two = Node("one"), Node("two")
    one.links, two.links = [two, loop], [one, (one, two, loop)]
    made = kept(loop=loop, one=one, again=[item, two])
    assert made["loop"][1] is made["loop"]
    assert made["again"][0] is made["loop"][0]
    assert made["again"][1] is made["one"].links[0]
    assert made["again"][1].links[1][0] is made["one"]
    assert made["again"][1].links[1][2] is made["loop"]


def test_a_tuple_may_hold_itself_through_a_list() -> None:
    inner: list[object] = []
    outer = ((inner,), frozenset(["x"]))
    inner.append((outer, inner))
    made = kept(outer=outer)["outer"]
    assert made[0][0][0][0] is made
    assert made[0][0][0][1] is made[0][0]


def test_keys_are_whole_before_they_are_asked_for_their_hash() -> None:
    key = Keyed("k")
    table = {key: [key], Guarded("g"): key}
    made = kept(key=key, table=table)
    assert made["key"] in made["key"].among
    assert made["table"][made["key"]] == [made["key"]]
    assert made["table"][Guarded("g")] is made["key"]


def test_classes_of_their_own_ways_are_not_asked() -> None:
    registry = Registry(a=Guarded(1))
    made = kept(guarded=Guarded("k"), registry=registry)
    assert made["guarded"] == Guarded("k")
    assert type(made["registry"]) is Registry
    assert made["registry"]["a"] == Guarded(1)


def test_slots_attributes_and_what_was_never_set() -> None:
    label = Label("text")
    label.lang = "en"
    made = kept(label=label, bare=object.__new__(Slotted), slotted=Slotted([1], label))
    assert (made["label"], made["label"].lang, type(made["label"])) == ("text", "en", Label)
    assert made["slotted"].right is made["label"]
    assert not hasattr(made["bare"], "left")


def test_errors_keep_arguments_cause_notes_and_fields() -> None:
    error = Failure(404, "gone")
    error.__cause__ = KeyError("k")
    error.add_note("seen")
    made = kept(error=error, os=FileNotFoundError(2, "no", "name"), bare=StopIteration(3))
    assert (made["error"].args, made["error"].code) == (error.args, 404)
    assert repr(made["error"].__cause__) == "KeyError('k')"
    assert made["error"].__suppress_context__
    assert made["error"].__notes__ == ["seen"]
    assert (made["os"].errno, made["os"].filename) == (2, "name")
    assert made["bare"].value == 3


def test_groups_of_errors_matches_and_numbers_that_are_to_come() -> None:
    group = ExceptionGroup("several", [ValueError(1), KeyError("k")])
    match = re.compile(r"(\w)(\d)?").search("a1 b2", 2)
    numbers = random.Random(7)
    numbers.gauss()
    made = kept(group=group, match=match, numbers=numbers, alias=list[int], either=int | None)
    assert made["group"].message == "several"
    assert [type(one) for one in made["group"].exceptions] == [ValueError, KeyError]
    assert (made["match"].groups(), made["match"].span()) == (("b", "2"), (3, 5))
    assert [made["numbers"].gauss() for _ in range(3)] == [numbers.gauss() for _ in range(3)]
    assert (made["alias"], made["either"]) == (list[int], int | None)


def _counter(start: int) -> tuple[object, object]:
    count = start

    def step(by: int = 1, *, twice: bool = False) -> int:
        nonlocal count
        count += by * (1 + twice)
        return count

    def again(times: int) -> int:
        return step() if times < 2 else again(times - 1)

    step.label = "stepping"
    return step, again


def test_functions_that_functions_made_close_over_what_they_did() -> None:
    step, again = _counter(5)
    step()
    key = [lambda item: item.cents, lambda item: item.sku][1]
    made = kept(step=step, again=again, key=key, wraps=functools.wraps(add)(step))
    assert made["step"](2, twice=True) == 10
    assert made["again"](3) == 11
    assert (made["step"].label, made["step"].__name__) == ("stepping", "add")
    assert made["wraps"] is made["step"]
    assert made["step"].__wrapped__ is add
    assert made["key"](Item("a", 1)) == "a"
    assert step() == 7


@pytest.fixture
def strict():
    outlet.be_strict(True)
    yield
    outlet.be_strict(False)


def test_what_a_strict_service_lets_out_can_be_rebuilt(strict: None) -> None:
    more = [
        functools.partial(add, 1, right=2), Node("x").links.append, io.StringIO("a"),
        iter("ab"), collections.defaultdict(list, a=[1]),
        zip("ab", [1], strict=False), ValueError("text"),
        ExceptionGroup("several", [ValueError(1)]), re.match("a", "a"), {"a": 1}.values(),
        _counter(1)[0], weakref.ref(Node), [{"a": {"b": Item("a", 1, ("x",))}}],
    ]  # fmt: skip
    for value in [*KINDS, *more]:
        found = withhold(keep([("value", [value])], landmarks=LANDMARKS))
        assert found.obstacle == ""
        made = rebuild(json.loads(json.dumps(found.document)))["value"][0]
        assert type(made) is Withheld or type(made) is type(value)


def test_what_cannot_be_empty_may_lead_to_itself() -> None:
    label, text = Token(("a",)), Label("b")
    label.within = {label: [label]}
    label.parent = Token((label, text))
    text.lang = label
    made = kept(label=label)["label"]
    assert made.within[made][0] is made
    assert made.parent[0] is made
    assert made.parent[1].lang is made


def test_order_of_a_dictionary_of_its_own_order() -> None:
    moved = collections.OrderedDict(a=1, b=2, c=3)
    moved.move_to_end("a")
    assert list(kept(moved=moved)["moved"]) == ["b", "c", "a"]


def test_singletons_of_modules_are_those_of_the_module() -> None:
    made = kept(missing=[MISSING], service=SERVICE, hook=hook, empty=EMPTY)
    again = kept(renamed=Renamed(1), other=type(local)())
    assert type(again["renamed"]) is Renamed
    assert type(again["other"]) is type(local)
    assert made["missing"][0] is MISSING
    assert made["service"] is SERVICE
    assert made["hook"] is hook
    assert made["empty"] is EMPTY


def test_a_name_that_means_something_else_by_now_is_not_used() -> None:
    landmarks = Landmarks.of([__name__])
    old = MISSING
    try:
        globals()["MISSING"] = object()
        document = keep([("old", old)], landmarks=landmarks).document
        assert document is not None
        assert "MISSING" not in json.dumps(document)
    finally:
        globals()["MISSING"] = old


def test_weak_references_lead_where_they_led() -> None:
    node = Node("target")
    made = kept(node=node, weak=weakref.ref(node), gone=weakref.ref(Node("gone")))
    assert made["weak"]() is made["node"]
    assert made["gone"]() is None


def test_texts_that_code_compares_by_identity_are_those_of_the_code() -> None:
    token = sys.intern("block_{}".format("begin"))
    made = kept(word=token, inside={"kind": token})
    assert made["word"] is token
    assert made["inside"]["kind"] is token


def test_depth_is_no_limit() -> None:
    deep: list[object] = []
    for _ in range(3_000):
        deep = [deep]
    chain: Node | None = None
    for number in range(1_000):
        link = Node(number)
        link.links.append(chain)
        chain = link
    made = kept(deep=deep, chain=chain)
    depth, node = 0, made["deep"]
    while node:
        depth, node = depth + 1, node[0]
    assert depth == 3_000
    length, link = 0, made["chain"]
    while link is not None:
        length, link = length + 1, link.links[0]
    assert length == 1_000


_USES = {
    "attribute": lambda it: it.name, "call": lambda it: it(), "equal": lambda it: it == 1,
    "unequal": lambda it: it != 1, "hash": hash, "str": str, "repr": repr, "bool": bool,
    "format": lambda it: f"{it:>5}", "iterate": list, "len": len, "in": lambda it: 1 in it,
    "item": lambda it: it[0], "add": lambda it: it + 1, "other side": lambda it: 1 + it,
    "less": lambda it: it < 1, "key": lambda it: {it: 1},
    "isinstance": lambda it: isinstance(it, str),
    "set": lambda it: setattr(it, "a", 1), "with": lambda it: it.__enter__(), "int": int,
    "path": pathlib.Path,
    "print": lambda it: print(it, file=io.StringIO()), "not": lambda it: not it,
    "sorted": lambda it: sorted([it, 1]), "json": lambda it: json.dumps({"a": it}),
    "copy": lambda it: __import__("copy").deepcopy(it), "or": lambda it: it or "default",
    "pickle": lambda it: __import__("pickle").dumps(it), "match": lambda it: re.match("a", it),
}  # fmt: skip


@pytest.mark.parametrize("use", _USES)
def test_whoever_looks_at_what_was_withheld_is_told(use: str) -> None:
    made = rebuild(keep([("user", types.SimpleNamespace(password="x"))]).document)
    stand_in = made["user"].password
    if use in ("match", "json", "path"):
        with pytest.raises((WithheldTouched, TypeError)):
            _USES[use](stand_in)
        return
    with pytest.raises(WithheldTouched, match=r"user\.password was withheld"):
        _USES[use](stand_in)


def test_what_was_withheld_can_be_passed_on_and_kept_again() -> None:
    document = keep([("user", types.SimpleNamespace(password="x", name="Ann"))]).document
    made = rebuild(document)
    stand_in = made["user"].password
    passed = [stand_in, (stand_in, 1), {"it": stand_in}]
    assert passed[0] is passed[1][0] is made["user"].password
    assert type(stand_in) is Withheld
    assert check(document, keep) == ""


@pytest.mark.parametrize(("document", "reason"), [
    ({"v": 2, "roots": {}, "nodes": []}, "another version"),
    ({"v": 1, "roots": {"a": [0]}, "nodes": [{"k": "new kind"}]}, "no builder"),
    ({"v": 1, "roots": {"a": [0]}, "nodes": [{"k": "name", "m": "nobody", "t": ""}]}, "nobody"),
    ({"v": 1, "roots": {"a": [0]}, "nodes": [{"k": "name", "m": "json", "t": "no"}]}, "no"),
    ({"v": 1, "roots": {"a": [5]}, "nodes": []}, "damaged"),
    ({"v": 1, "roots": {"a": [0]}, "nodes": [{"k": "tuple", "i": [[0]]}]}, "holds itself"),
    ({"v": 1, "roots": {"a": [0]}, "nodes": [{}]}, "damaged"),
    ({"v": 1}, "damaged"),
])  # fmt: skip
def test_what_cannot_be_rebuilt_says_why(document: dict[str, object], reason: str) -> None:
    with pytest.raises(RefusedError, match=reason) as refusal:
        rebuild(document)
    assert refusal.value.slug == "not-rebuildable"


def test_a_check_names_where_another_value_came_back() -> None:
    document = keep([("item", Item("a", 1, ("x", "y")))]).document

    def other(_: object) -> object:
        return keep([("item", Item("a", 1, ("x", "z")))])

    assert check(document, other) == "item.tags[1]"
    assert "cannot be kept" in check(document, lambda _: keep([("item", threading.Thread())]))


def _elsewhere(document: dict[str, object], program: str) -> str:
    """Rebuild in a fresh process, which has the module as it is after its import."""
    lines = f"""
import json, sys
import kept_app as app
from leadline.agent.capture import outlet
from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.trial.rebuilding import check, rebuild
document = json.loads(sys.stdin.read())
made = rebuild(document)
{program}
landmarks = Landmarks.of(["kept_app"])
print(check(document, lambda named: keep(named, landmarks=landmarks)) or "same")
"""
    done = subprocess.run(
        [sys.executable, "-c", lines],
        input=json.dumps(document),
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr


def test_a_singleton_comes_back_as_itself_with_what_it_held() -> None:
    app = importlib.import_module("kept_app")
    landmarks = Landmarks.of(["kept_app"])
    app.RATES.by_name["EUR"] = 1.25
    app.RATES.calls = 7
    app.TABLE["later"] = 1
    kept = keep([("self", app.PRICING), ("name", "EUR")], landmarks=landmarks)
    assert kept.withheld == ["self.rates.api_key (name 'api_key')"]
    assert "key-from" not in json.dumps(kept.document)
    told = _elsewhere(
        kept.document,
        """
pricing = made["self"]
assert pricing is app.PRICING and pricing.rates is app.RATES and pricing.table is app.TABLE
assert (app.RATES.by_name, app.RATES.calls) == ({"EUR": 1.25}, 7)
assert app.TABLE == {"start": 0, "later": 1} and list(app.TABLE) == ["start", "later"]
assert app.RATES.api_key == "key-from-the-environment"  # what was withheld stays as it is here
assert app.PRICING.gateway is app.GATEWAY and app.GATEWAY.seen == []
""",
    )
    assert told == "same"


def test_a_singleton_that_holds_what_lives_in_its_process_is_its_name() -> None:
    app = importlib.import_module("kept_app")
    landmarks = Landmarks.of(["kept_app"])
    for _ in range(2):
        kept = keep([("gateway", app.GATEWAY), ("none", app.Pricing.NONE)], landmarks=landmarks)
        assert [node["k"] for node in kept.document["nodes"]] == ["name", "name"]
    made = rebuild(kept.document)
    assert made["gateway"] is app.GATEWAY
    assert made["none"] is app.Pricing.NONE
    inside = keep([("cart", [app.GATEWAY, app.GATEWAY.worker])], landmarks=landmarks)
    assert inside.obstacle == "cart[1]: a threading.Thread lives in its process"


def test_a_singleton_that_holds_very_much_is_its_name() -> None:
    app = importlib.import_module("kept_app")
    landmarks = Landmarks.of(["kept_app"])
    app.LARGE.by_name = dict.fromkeys(map(str, range(10_000)), 0.5)
    rows = [Item(str(at), at) for at in range(1_000)]
    kept = keep(
        [("large", app.LARGE), ("rows", rows), ("table", app.TABLE)], landmarks=landmarks
    )
    assert kept.obstacle == ""
    made = rebuild(kept.document)
    assert made["large"] is app.LARGE
    assert made["rows"] == rows
    assert made["table"] is app.TABLE


def test_a_method_that_was_wrapped_is_found_in_its_class() -> None:
    app = importlib.import_module("kept_app")
    landmarks = Landmarks.of(["kept_app"])
    kept = keep([("said", app.Loud().say), ("plain", app.RATES.rate)], landmarks=landmarks)
    assert kept.obstacle == ""
    made = rebuild(kept.document)
    assert made["said"]() == "said"
    assert made["plain"].__func__ is app.Rates.rate


def test_a_module_may_have_another_name_there() -> None:
    document = keep([("item", Item("a", 1))]).document
    text = json.dumps(document).replace(f'"m": "{__name__}"', '"m": "__main__"')
    made = rebuild(json.loads(text), {"__main__": __name__})
    assert made["item"] == Item("a", 1)
