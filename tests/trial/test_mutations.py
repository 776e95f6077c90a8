"""Two laws over programs that are changed at random: a run that comes to something else has
reached a touched line, and a candidate that is applied does what a fresh import of it does."""

import ast
import copy
import linecache
import sys
import types
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.trial import applying, candidate
from leadline.wire.errors import RefusedError

PROGRAM = '''
RATE = 2
TABLE = {1: RATE, 2: 5}


class Basket:
    tax = 1

    def __init__(self, items):
        self.items = items

    def total(self, extra=RATE):
        found = 0
        for item in self.items:
            if item > 3:
                continue
            found += item * TABLE.get(item, self.tax)
        else:
            found += 1
        return found + extra


def spread(items, step=1):
    """Yield."""
    while items:
        yield items[0] - step
        items = items[1:]
    yield from ()


def chosen(n):
    match n:
        case 0:
            return "none"
        case 1 | 2:
            return f"few {n}"
        case _ if n > 5:
            return "many"
    return [n, (lambda a: a + RATE)(n)]


def careful(items, n):
    try:
        first = items[n]
        share = first / (n - 1)
    except IndexError:
        return None
    except ZeroDivisionError as error:
        return str(error)
    else:
        share += 1
    finally:
        items.append(n)
    return share


def f(items, n):
    basket = Basket(list(items))
    found = [basket.total(), *spread(list(items), n)]
    def inner(a, b=n):
        nonlocal found
        found = [*found, a + b]
        return a * 2
    if n > 2 and items:
        found.append(inner(n))
    elif not items:
        del found[0]
    result = {key: inner(key) for key in items if key != n}
    return found, result, chosen(n), careful(list(items), n), basket.items
'''
CALLS = [([], 0), ([1, 2], 1), ([1, 4, 2], 2), ([3], 3), ([2, 2], 7)]


ENDLESS = 2_000


class Endless(BaseException):
    """A changed program that goes round and round."""


class Mutation(ast.NodeTransformer):
    """Changes the node number `at` of those that can be changed in this way."""

    def __init__(self, at):
        self.at, self.seen, self.done = at, -1, ""

    def hit(self):
        self.seen += 1
        return self.seen == self.at

    def visit_Constant(self, node):
        if type(node.value) is int and self.hit():
            self.done = "constant"
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node

    def visit_Compare(self, node):
        self.generic_visit(node)
        if self.hit():
            self.done = "comparison"
            return ast.copy_location(ast.UnaryOp(ast.Not(), node), node)
        return node

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if self.hit():
            self.done = "operator"
            swapped = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            return ast.copy_location(ast.BinOp(node.left, swapped, node.right), node)
        return node

    def generic_visit(self, node):
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                setattr(node, name, self.block(node, block))
        return node

    def block(self, parent, block):
        made = []
        for one in block:
            definition = isinstance(one, ast.FunctionDef | ast.ClassDef)
            if not definition and self.hit():
                self.done = "gone"
                continue
            made.append(one)
            if not definition and self.hit():
                self.done = "twice"
                made.append(copy.deepcopy(one))
            if len(made) > 1 and isinstance(made[-2], ast.If) and not definition and self.hit():
                self.done = "into the branch"
                made[-2].body.append(made.pop())
        return made or [ast.Pass()]


def mutated(text, at):
    tree = ast.parse(text)
    mutation = Mutation(at)
    tree = ast.fix_missing_locations(mutation.visit(tree))
    return ast.unparse(tree), mutation.done, mutation.seen


NORMAL = ast.unparse(ast.parse(PROGRAM))
COUNT = mutated(NORMAL, -2)[2]
FILE = "/nowhere/mutated.py"


def outcome(function, items, n):
    try:
        return "returned", repr(function(items, n))
    except Exception as error:  # noqa: BLE001 - whatever it comes to
        return "raised", repr(error)


def traced(function, items, n):
    """Return the outcome and the lines that were reached."""
    tool, events = 3, sys.monitoring.events
    reached, passed = set(), []

    def line(code, number):
        if code.co_filename == FILE:
            reached.add(number)
            passed.append(number)
            if len(passed) > ENDLESS:
                raise Endless

    def start(code, _):
        if code.co_filename == FILE:
            reached.add(code.co_firstlineno)

    sys.monitoring.use_tool_id(tool, "test")
    sys.monitoring.register_callback(tool, events.LINE, line)
    sys.monitoring.register_callback(tool, events.PY_START, start)
    sys.monitoring.set_events(tool, events.LINE | events.PY_START)
    try:
        return outcome(function, list(items), n), reached
    except Endless:
        return ("endless", ""), reached
    finally:
        sys.monitoring.set_events(tool, 0)
        sys.monitoring.free_tool_id(tool)


def loaded(text):
    module = types.ModuleType("mutated")
    module.__file__ = FILE
    sys.modules["mutated"] = module  # where a class looks for its module
    exec(compile(text, FILE, "exec"), module.__dict__)
    return module


@pytest.fixture(autouse=True)
def nothing_left():
    before = list(sys.meta_path)
    yield
    sys.meta_path[:] = before
    sys.modules.pop("mutated", None)
    linecache.cache.pop(FILE, None)


def held(new, done):
    """Check both laws for one changed program."""
    try:
        after = loaded(new)
    except Exception:  # noqa: BLE001 - it does not even import
        return "no module"
    before = loaded(NORMAL)
    change = candidate.of_texts(FILE, NORMAL, new)
    old_lines = candidate.touched_old(change, beside=False)
    new_lines = candidate.touched_new(change, beside=False)
    outcomes = []
    for items, n in CALLS:
        one, old_reached = traced(before.f, items, n)
        other, new_reached = traced(after.f, items, n)
        outcomes.append(other)
        if one != other:
            assert old_reached & old_lines or new_reached & new_lines, (done, new)
    if ("endless", "") in outcomes:
        return "endless"
    try:
        applying.apply(candidate.make("", [change]), {"mutated": before})
    except RefusedError:
        assert {name: before.__dict__[name] for name in ("RATE", "TABLE")} == {
            "RATE": 2,
            "TABLE": {1: 2, 2: 5},
        }
        return "refused"
    assert [outcome(before.f, list(items), n) for items, n in CALLS] == outcomes, (done, new)
    return "applied"


def changed_at(places):
    counted = Counter()
    for at in places:
        new, done, _ = mutated(NORMAL, at)
        counted[held(new, done)] += 1
    return counted


def test_single_changes():
    counted = changed_at(range(1, COUNT + 1, 12))
    assert counted["applied"] > 3 * counted["refused"]


@pytest.mark.soak
def test_each_single_change():
    counted = changed_at(range(COUNT + 1))
    assert counted["applied"] > 10 * counted["refused"]


places = st.lists(st.integers(0, COUNT), min_size=2, max_size=5)


@pytest.mark.soak
@settings(max_examples=5, deadline=None)
@given(places)
def test_several_changes(places):
    change_several(places)


@pytest.mark.soak
@settings(max_examples=1_500, deadline=None)
@given(places)
def test_many_times_several_changes(places):
    change_several(places)


def change_several(places):
    text = NORMAL
    for at in places:
        text, _, _ = mutated(text, at)
    try:
        compile(text, FILE, "exec")
    except SyntaxError:
        return
    held(text, places)
