"""A captured call says the same after it has travelled, and garbage says what it is."""

import contextlib
import json
import math
from collections import deque
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.agent.capture.outcomes import taker
from leadline.agent.capture.room import Room
from leadline.wire.call import CallKind, CallView
from leadline.wire.carriage import MARK, carried, delivered
from leadline.wire.errors import WireError
from leadline.wire.foreseen import folded
from leadline.wire.messages import encode
from leadline.wire.packing import Allowance, packed, unpacked


class Cart:
    def __init__(self, items: list[object], **more: object) -> None:
        self.items = items
        self.owner = self
        self.__dict__.update(more)


class Slotted:
    __slots__ = ("left", "right")


class Plain(dict[str, object]):
    pass


LANDMARKS = Landmarks.of([__name__])


def call_of(before: dict[str, object], change=lambda: None) -> CallView:
    """A call with these arguments, which `change` changes while it is made."""
    kept = withhold(
        keep(before.items(), landmarks=LANDMARKS, leaves_out=True, surrounded=False)
    )
    assert kept.document is not None
    change()
    shown = taker(Room(60_000))
    after = {name: shown(value) for name, value in before.items()}
    return CallView("m:f", CallKind.FUNCTION, True, None, after, kept=kept.document)


def same_after(call: CallView) -> int:
    """Let a call travel; return how many bytes its arguments at the end took then."""
    body = encode(carried(call))
    assert MARK in body
    plain = json.loads(encode(call))
    after = delivered(json.loads(body), Allowance())
    # the members of a value have no order, those of an object have
    assert json.dumps(after["kept"]) == json.dumps(plain["kept"])
    assert json.dumps(after, sort_keys=True) == json.dumps(plain, sort_keys=True)
    return len(encode(json.loads(body)["arguments"]))


def test_what_a_call_has_not_changed_takes_next_to_nothing() -> None:
    cart = Cart([1, "two", None, True, 3.5, ("a", {"b": b"\x00\xff"})], key=Plain(a=1))
    cart.queue = deque([cart, "x"], maxlen=4)
    cart.called = partial(print, "a")
    cart.method, cart.bound, cart.code = cart.__init__, cart.items.append, [len, encode, dict]
    slotted = Slotted()
    slotted.right = None
    slotted.left = {"many": [Cart([n], name=f"name {n}") for n in range(20)]}
    assert same_after(call_of({"cart": cart, "slotted": slotted, "n": 1, "text": "text"})) < 60


def test_what_it_has_changed_is_told() -> None:
    cart = Cart([{"n": n, "text": "some text"} for n in range(50)])

    def change() -> None:
        cart.items[7]["n"] = True
        cart.items[8]["n"] = -0.0
        cart.items[9] = Cart([])
        cart.items[10]["more"] = [1]
        del cart.items[11]["n"]
        cart.late = 5

    call = call_of({"cart": cart, "gone": cart.items})
    assert same_after(call_of({"cart": cart, "gone": cart.items}, change)) < 3_000
    assert same_after(call) < 60


def test_numbers_that_are_alike_are_not_the_same() -> None:
    held = {"zero": 0.0, "one": 1, "true": True, "none": None}

    def change() -> None:
        held.update(zero=-0.0, one=True, true=1.0)

    call = call_of({"held": held}, change)
    after = delivered(json.loads(encode(carried(call))), Allowance())
    zero, one, true, _ = (value for _, value in after["arguments"]["held"]["entries"])
    assert math.copysign(1, zero) == -1
    assert (type(one), type(true)) == (bool, float)


def test_what_lies_deep_in_cycles_and_beyond_the_room_comes_back() -> None:
    deep: object = "end"
    for level in range(12):
        deep = [deep] if level % 2 else {"in": deep, 3: Cart([deep])}
    wide = [["x" * 100] * 20 for _ in range(100)]
    long = "é" * 5_000
    cart = Cart([long, deep])
    same_after(call_of({"deep": deep, "wide": wide, "cart": cart, "long": long, "again": cart}))


_plain = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), st.text(),
        st.binary(), st.just(print), st.just(Cart),
    ),
    lambda inner: st.one_of(
        st.lists(inner), st.tuples(inner, inner), st.dictionaries(st.text(), inner),
        st.dictionaries(st.integers(), inner), st.builds(Cart, st.lists(inner)),
        st.builds(deque, st.lists(inner)), st.builds(Plain, st.dictionaries(st.text(), inner)),
    ),
    max_leaves=30,
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(_plain, _plain)
def test_any_values_come_back(value: object, other: object) -> None:
    held = [value, value, {"k": other}]
    same_after(call_of({"held": held, "value": value}))
    same_after(call_of({"held": held, "value": value}, lambda: held.insert(1, other)))


@given(st.recursive(
    st.one_of(st.none(), st.integers(-2, 3), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from("kaispcdltmqn"), inner, max_size=4),
    ),
    max_leaves=20,
))  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_garbage_is_read_or_refused(nodes: object) -> None:
    for roots in ({"a": []}, {"a": [0]}, nodes):
        said = {"kept": {"v": 2, "roots": roots, "nodes": nodes}, "arguments": {"a": nodes}}
        with contextlib.suppress(WireError):
            delivered(said, Allowance())


def test_little_that_says_much_is_refused() -> None:
    """Each node repeats what the first says, and each value all that is in the one before."""
    nodes = [
        {"k": "bound", "t": "t" * 100_000, "i": [None]},
        *([0, None] for _ in range(10_000)),
    ]
    with pytest.raises(WireError):
        unpacked({"v": 2, "roots": {}, "nodes": nodes}, Allowance())
    rows = [{"l": [[level + 1]] * 100} for level in range(7)]
    said = {"v": 2, "roots": {"a": [0]}, "nodes": [*rows, {"l": []}]}
    with pytest.raises(WireError):
        delivered({"kept": said, "arguments": {"a": []}}, Allowance())


def test_one_that_cannot_be_told_shorter_travels_as_it_is() -> None:
    strange = CallView(
        "m:f", CallKind.FUNCTION, True, kept={"v": 1, "nodes": [], "roots": None}
    )
    none = CallView("m:f", CallKind.FUNCTION, True)
    assert carried(strange) is strange
    assert carried(none) is none
    assert delivered({"kept": {"v": 1, "x": 2}}, Allowance()) == {"kept": {"v": 1, "x": 2}}


def test_a_value_that_began_as_another_sort_is_told() -> None:
    before, after = [1, 2], {"a": [3]}
    document = keep([("held", {"x": before})], surrounded=False).document
    said = taker(Room(9_000))({"x": after})
    folds = folded(document, {"held": said, "more": said})
    assert folds["more"] == said
    assert packed(document)["v"] == 2
