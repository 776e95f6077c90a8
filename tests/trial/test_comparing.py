"""A live outcome beside its rerun's: what differs is named, what was not seen not claimed."""

import collections
import json
import threading
from copy import deepcopy
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import shower

from leadline.agent.capture.tree import Room, capture
from leadline.trial.agreeing import MAX_DIFFERENCES, MAX_OUTCOME_CHARS, compare
from leadline.trial.comparing import apart
from leadline.trial.marks import Chance, Mark
from leadline.trial.outcome import Outcome, outcome_of, read_outcome
from leadline.trial.running import Rerun, read_rerun
from leadline.wire.errors import WireError
from leadline.wire.limits import CaptureLimits
from leadline.wire.messages import encode
from leadline.wire.struct import asdict
from leadline.wire.twin import Refusal


@dataclass
class Item:
    sku: str
    price: float


@dataclass
class Cart:
    items: list = field(default_factory=list)
    tags: set = field(default_factory=set)


class Plain:
    def __init__(self, **fields) -> None:
        self.__dict__.update(fields)


MARK = {"chance": "it reads the clock", "name": "time.time", "count": 1}
Point = collections.namedtuple("Point", "x y")


def ended(value, *, raised=False, room=20_000, **arguments) -> Outcome:
    made = outcome_of(not raised, value, arguments.items(), shower(room))
    return read_outcome(json.loads(json.dumps(asdict(made))))


def compared(live, rerun, **options):
    return compare(ended(live), ended(rerun), [], **options)


def where(live, rerun) -> list[str]:
    return [one.where for one in compared(live, rerun).differences]


SAME = [
    *(None, 1, -(2**70), 2**70, 1.5, float("nan"), float("inf"), True, 3j, 2**47 - 5),
    *("a", "", b"\xff", "x" * 1_000, b"y" * 1_000, f"<Item object at {object()!r}>"),
    *([], [1, [2, [3]]], (1,), {}, {"a": {"b": 1}}, {1, 2}, frozenset("a"), [[[[[[1]]]]]]),
    *(Item("a", 2.0), Cart([Item("a", 1.0)], {"x"}), Plain(a=1, b=Plain(c=2)), Point(1, 2)),
    *(ValueError("no", 3), len, Item, threading.Lock(), object(), iter([1]), range(3)),
    *(list(range(500)), {n: n for n in range(500)}, set(range(500)), {"password": "hidden"}),
    *(collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), (n for n in ())),
    collections.deque([1, 2]),
]


@pytest.mark.parametrize("value", SAME, ids=lambda value: type(value).__name__)
def test_the_same_is_no_difference(value) -> None:
    found = compared(value, value)
    assert found.differences == []
    assert found.agrees is (True if found.compared else None)
    assert found.compared + found.unseen > 0


@pytest.mark.parametrize(
    ("live", "rerun", "paths"),
    [
        (1, 2, ["result"]),
        (1, True, ["result"]),
        (1, 1.0, ["result"]),
        (1, "1", ["result"]),
        (None, 0, ["result"]),
        ("a", b"a", ["result"]),
        ("a", "a" * 1_000, ["result"]),
        ("a" * 999, "a" * 1_000, ["result"]),
        ("a" * 1_000, "b" * 1_000, ["result"]),
        (2**70, 2**71, ["result"]),
        ({"total": 1}, {"total": 2}, ["result['total']"]),
        ({"a": 1}, {"b": 1}, ["result['a']", "result['b']"]),
        ({"a": 1}, {}, ["len(result)", "result['a']"]),
        ({1: [0, {"x": 2}]}, {1: [0, {"x": 3}]}, ["result[1][1]['x']"]),
        ([1, 2, 3], [1, 2], ["len(result)", "result[2]"]),
        ([1, 2], (1, 2), ["result"]),
        ({1, 2}, {1, 3}, ["result{2}", "result{3}"]),
        (Item("a", 1.0), Item("a", 2.0), ["result.price"]),
        (Cart([Item("a", 1.0)]), Cart([Item("b", 1.0)]), ["result.items[0].sku"]),
        (Plain(a=1), Plain(a=1, b=2), ["result.b"]),
        (Point(1, 2), Point(1, 3), ["result.y"]),
        (Item("a", 1.0), Plain(sku="a", price=1.0), ["result"]),
        (ValueError("a"), ValueError("b"), ["result.args[0]"]),
        (ValueError("a"), KeyError("a"), ["result"]),
        (len, max, ["result"]),
        (1e308 * 10, -1e308 * 10, ["result"]),
        (list(range(500)), [*range(50), -1, *range(51, 500)], ["result[50]"]),
        (collections.deque([1, 2]), collections.deque([1, 3]), ["result[1]"]),
        (2**47 - 5, 5, ["result"]),
    ],
)
def test_a_difference_is_named_by_its_path(live, rerun, paths) -> None:
    assert where(live, rerun) == paths
    assert compared(live, rerun).agrees is False
    assert len(where(rerun, live)) == len(paths)


@pytest.mark.parametrize(
    ("live", "rerun"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a", "b", 3}, {3, "b", "a"}),
        ("<X object at 0x7f0011223344>", "<X object at 0x7fffab223344>"),
        ([Plain(a=1), "at 0x55d0c0ffee00"], [Plain(a=1), "at 0x55d0c0ffee10"]),
        ({Item}, {Item}),
        (0x7F00_1122_3344, 0x7F00_1122_3355),
    ],
)
def test_order_of_sets_and_places_in_memory_are_no_difference(live, rerun) -> None:
    assert compared(live, rerun).differences == []


def test_what_was_not_seen_is_no_agreement() -> None:
    deep = compared([[[[[1]]]]], [[[[[2]]]]])
    assert (deep.agrees, deep.compared, deep.unseen) == (None, 0, 1)
    partly = compared([1, [[[[2]]]]], [1, [[[[3]]]]])
    assert (partly.agrees, partly.compared, partly.unseen) == (True, 1, 1)
    inside = compared({"a": object()}, {"a": object()})
    assert (inside.agrees, inside.compared, inside.unseen) == (None, 0, 1)
    assert [compared(one, one).compared for one in ([], {}, Plain(), "", [1, {"a": 2}])] == [
        *(1, 1, 1, 1, 2),
    ]
    alone = compared(object(), object())
    assert (alone.agrees, alone.compared, alone.unseen) == (None, 0, 1)
    assert alone.reason == "nothing of the outcome could be compared"
    hidden = compared({"password": "a"}, {"password": "b"})
    assert (hidden.differences, hidden.unseen) == ([], 1)


def test_where_the_room_ends_nothing_is_claimed() -> None:
    many = [["x" * 50] * 10 for _ in range(9)]
    live, rerun = ended(many, room=2_000), ended(many, room=1_500)
    found = compare(live, rerun, [])
    assert found.agrees
    assert found.unseen


def test_arguments_are_compared_as_they_were_at_the_end() -> None:
    live = ended(1, cart=Cart([1, 2, 3, 4]), n=1)
    rerun = ended(1, cart=Cart([1, 2, 3, 5]))
    found = compare(live, rerun, [])
    assert [(one.where, one.live, one.rerun) for one in found.differences] == [
        ("argument n", "1", "<not there>"),
        ("argument cart.items[3]", "4", "5"),
    ]


def test_returned_and_raised_are_not_the_same() -> None:
    found = compare(ended(5), ended(ValueError("no"), raised=True), [])
    (one,) = found.differences
    assert (one.where, one.live, one.rerun) == (
        "outcome",
        "returned 5",
        "raised ValueError('no')",
    )
    assert (found.live, found.rerun) == ("5", "raised ValueError('no')")


def test_exceptions_by_class_arguments_and_attributes() -> None:
    def failed(*args, **attributes) -> Outcome:
        error = ValueError(*args)
        error.__dict__.update(attributes)
        error.__cause__ = OSError(len(args))
        return ended(error, raised=True)

    assert compare(failed("a"), failed("a"), []).agrees
    (one,) = compare(failed("a", 1), failed("a", 2), []).differences
    assert one.where == "exception.args[1]"
    (one,) = compare(failed("a", code=1), failed("a", code=2), []).differences
    assert one.where == "exception.code"


def test_what_explains_a_disagreement_is_the_reason() -> None:
    marks = [
        Mark(Chance.CLOCK, "time.time", 3),
        Mark(Chance.RANDOM, "uuid.uuid4"),
        Mark(Chance.CLOCK, "datetime.now"),
    ]
    found = compare(ended(1), ended(2), marks)
    assert found.agrees is False
    assert found.reason == (
        "it reads the clock: time.time, datetime.now; it takes random bytes: uuid.uuid4"
    )
    assert found.marks == ["time.time ×3", "uuid.uuid4", "datetime.now"]
    assert compare(ended(1), ended(1), marks).reason == ""
    assert compare(ended(1), ended(2), []).reason == ""
    refused = [Refusal("clone", "thread", 2), Refusal("vfork")]
    found = compare(ended(1), ended(2), marks[:1], refused=refused)
    assert (
        found.reason
        == "it was refused to start a thread, to start a process; it reads the clock: time.time"
    )
    assert compare(ended(1), ended(1), [], refused=refused).reason == ""


@pytest.mark.parametrize(
    ("live", "rerun", "explains"),
    [
        (1.5, 2.5, True),
        ("at 12:03:04.123", "at 12:03:05.9", True),
        (
            "id 4bb0e7c5-c271-4fb7-b7d3-a1c3a08ecfbc",
            "id 38086458-ce0e-4376-b2ff-f0f5dcf12f5a",
            True,
        ),
        (b"\x1f\x8b\x01", b"\x1f\x8b\x07", True),
        ("open", "done", False),
        (b"open", b"done", False),
        ("at 1, open", "at 2, done", False),
        ([1], [1, 2], False),
        ({"a": 1}, {"b": 1}, False),
        (1, "1", False),
        (None, 1, False),
    ],
)
def test_only_what_chance_can_make_is_explained_by_it(live, rerun, explains: bool) -> None:
    marks = [Mark(Chance.CLOCK, "time.time"), Mark(Chance.RANDOM, "os.urandom")]
    found = compare(ended(live), ended(rerun), marks)
    assert found.agrees is False
    assert bool(found.reason) is explains, found
    assert found.marks


def test_without_one_side_nothing_is_known() -> None:
    cut = compare(ended(1), None, [], "it waits for something")
    assert (cut.agrees, cut.reason, cut.live, cut.rerun) == (
        None,
        "it waits for something",
        "1",
        "",
    )
    assert compare(ended(1), None, []).reason == "the rerun did not come to its end"
    assert compare(None, ended(1), []).reason == "the live call has not been seen to end"


def test_many_differences_are_few_and_short() -> None:
    found = compared({str(n): [["a" * 250]] for n in range(40)}, {str(n): 1 for n in range(40)})
    assert len(found.differences) == MAX_DIFFERENCES
    assert all(len(one.live) <= 200 for one in found.differences)
    assert len(found.live) <= MAX_OUTCOME_CHARS
    found = compared([[1, 2], {"a": [3]}, 4], [[1, 3], {"a": [4]}, 5])
    assert [one.where for one in found.differences] == [
        "result[2]",
        "result[0][1]",
        "result[1]['a'][0]",
    ]


def test_texts_are_safe_to_show() -> None:
    (one,) = compared("a\x1b[31m\n", "b").differences
    assert one.live == repr("a\x1b[31m\n")


@pytest.mark.parametrize(
    "bad", [None, [], {}, {"returned": 1, "arguments": {}}, {"returned": True}]
)
def test_an_outcome_that_is_none(bad) -> None:
    with pytest.raises(WireError):
        read_outcome(bad)


@pytest.mark.parametrize(
    "tree",
    [
        [1],
        {"type": 3, "items": 4},
        {"type": "list", "length": 2, "items": 3},
        {"type": "list", "length": 2, "items": {"a": 1}},
        {"type": "list", "entries": [1]},
        {"type": "list", "fields": [1]},
        {"type": "list", "items": [], "about": 3},
        {"type": "dict", "length": 1, "entries": [[1]]},
        {"items": []},
    ],
)
def test_nonsense_from_a_twin_is_no_agreement(tree) -> None:
    for value in ([1, 2], {"a": 1}, Plain(a=1), "x"):
        assert not compare(ended(value), Outcome(True, tree), []).agrees


@pytest.mark.parametrize(
    "bad",
    [
        [],
        {"cut": "", "raised": "", "printed": "", "outcome": 3, "marks": []},
        {"cut": "", "raised": "", "printed": "", "outcome": None},
        {"cut": "", "raised": "", "printed": "", "marks": [{"chance": "luck"}]},
        {"cut": "", "raised": "", "printed": "", "marks": [1]},
        {"cut": "", "raised": None, "printed": "", "marks": []},
        {"cut": "", "raised": "", "printed": "", "marks": [MARK | {"name": 3}]},
        {"cut": "", "raised": "", "printed": "", "marks": [MARK] * 51},
    ],
)
def test_a_rerun_that_is_none(bad) -> None:
    with pytest.raises(WireError):
        read_rerun(bad)


def test_a_rerun_comes_back() -> None:
    rerun = Rerun(ended([1], a=2), "c", "r", "p", [Mark(Chance.CLOCK, "time.time", 2)])
    assert read_rerun(json.loads(encode(rerun))) == rerun


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=300),
    st.binary(max_size=9),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=4),
        st.builds(Plain, a=inner, b=inner),
        st.sets(st.integers(0, 9), max_size=4),
    ),
    max_leaves=12,
)


def tree_of(value, room=20_000):
    return capture(value, CaptureLimits(depth=8), Room(room))


@given(trees, st.integers(50, 20_000))
def test_everything_agrees_with_itself(value, room) -> None:
    live = Outcome(True, tree_of(value, room))
    found = compare(live, deepcopy(live), [])
    assert found.differences == []
    assert found.compared + found.unseen > 0


def leaves_of(tree, path=()):
    """Yield the way to every plain value of a tree that is shown."""
    if type(tree) is not dict:
        yield path
        return
    for member in ("items", "entries", "fields"):
        inner = tree.get(member)
        pairs = inner.items() if type(inner) is dict else enumerate(inner or [])
        for key, one in pairs:
            if member == "entries":
                yield from leaves_of(one[1], (*path, member, key, 1))
            elif tree["type"] != "set":
                yield from leaves_of(one, (*path, member, key))


def other_than(value):
    return "changed" if type(value) is not str else value + "!"


@given(trees, st.randoms(use_true_random=False))
def test_a_changed_leaf_is_found(value, pick) -> None:
    tree = tree_of(value)
    ways = list(leaves_of(tree))
    if not ways:
        return
    changed, way = [deepcopy(tree)], pick.choice(ways)
    at, key = changed, 0
    for step in way:
        at, key = at[key], step
    at[key] = other_than(at[key])
    found = compare(Outcome(True, tree), Outcome(True, changed[0]), [])
    assert found.agrees is False
    assert len(found.differences) == 1


def test_a_name_that_was_cut_on_one_side_is_not_another() -> None:
    """The live side has less room, so the name of a function may end sooner there."""
    whole = ended([Plain(a=json.dumps)] * 20, room=20_000)
    for room in range(40, 2_000, 7):
        assert compare(ended([Plain(a=json.dumps)] * 20, room=room), whole, []).agrees in (
            True,
            None,
        )
    other = compare(ended(json.loads), ended(json.dumps), [])
    assert other.agrees is False


def test_a_key_that_was_cut_on_one_side_may_be_any() -> None:
    live = {("a", "b" * 30): 1, "n": 2}
    cut = {"type": "tuple", "length": 2, "items": ["a", {"type": "str", "omitted": "room"}]}
    one = ended(live)
    other = ended(live)
    one.value["entries"][0][0] = cut
    assert compare(one, other, []).agrees is True
    one.value["entries"][1][1] = 3
    assert [each.where for each in compare(one, other, []).differences] == ["result['n']"]


def test_a_pool_may_have_one_more_beside_those_that_are_absent() -> None:
    def pool(*rules: str) -> Outcome:
        items = [{"type": "C", "omitted": "opaque", "rule": rule} for rule in rules]
        items = [one | {"text": "a.pool"} if one["rule"] == "absent" else one for one in items]
        return Outcome(True, {"type": "list", "length": len(items), "items": items})

    live, control = pool("resource"), pool("absent", "resource")
    assert compare(live, control, []).differences == []
    assert compare(control, pool("absent", "resource", "resource"), []).differences == []
    [found] = compare(pool("absent", "absent"), pool("absent"), []).differences[:1]
    assert found.where == "len(result)"
    assert compare(live, pool("resource", "name"), []).agrees is False


def test_the_hash_that_a_key_remembers_is_of_its_process() -> None:
    class Unit:
        def __init__(self, name: str, hash_: int) -> None:
            self.name, self._hash = name, hash_

    def of(name: str, hash_: int, price: int = 1) -> Outcome:
        return ended({(Unit(name, hash_), "EUR"): price})

    live = of("pen", 1)
    assert apart(live, of("pen", 2), elsewhere=True).differences == []
    (found,) = apart(live, of("pen", 2, 3), elsewhere=True).differences
    assert (found.live, found.rerun) == ("1", "3")
    assert apart(live, of("ink", 1), elsewhere=True).differences
    for exactly in (False, True):  # of one process, or of two runs whose noise is known
        assert apart(live, of("pen", 2), exactly).differences
    assert apart(
        ended({Unit("a", 1), Unit("a", 2)}), ended({Unit("a", 1)}), elsewhere=True
    ).differences


def test_a_key_whose_text_found_no_room_may_be_any_other() -> None:
    def of(*keys: object) -> Outcome:
        return Outcome(True, {"type": "dict", "entries": [[key, 1] for key in keys]})

    cut = {"type": "str", "text": "", "length": 6, "omitted": "text"}
    assert apart(of("when", cut), of("when", "result")).differences == []
    assert apart(of("when"), of("when", "result")).differences


@pytest.mark.parametrize("name", ["type", "rule", "fields", "items", "text"])
def test_attributes_of_members_of_a_set_may_be_called_as_ours_are(name: str) -> None:
    """Such as the `type` of a column, which is an object."""
    assert where({Plain(**{name: Item("a", 1.0)})}, {Plain(**{name: Item("a", 1.0)})}) == []
    assert where({Plain(**{name: Item("a", 1.0)})}, {Plain(**{name: Item("a", 2.0)})}) != []
