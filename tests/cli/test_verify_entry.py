"""Whose calls are run, where no --entry was given."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.cli.capture import Capture
from leadline.cli.verify_choice import _together, _Tried
from leadline.cli.verify_entry import (
    adds_only,
    entries,
    is_good,
    makers_of,
    speaks_of_one,
    wider,
    worth,
)
from leadline.trial.candidate import make, of_texts
from leadline.trial.place import FURTHER_OUT
from leadline.verify.calls import CapturedCall
from leadline.verify.judging import sides_of
from leadline.verify.report import Coverage
from leadline.verify.signature import HINT
from leadline.verify.unrun import unrun
from leadline.verify.verifying import Request, verify
from live import LEADLINE, Program
from waiting import wait_for

OUTER = ["shop:Till.add", "shop:Till.add.<locals>.again", "shop:sell", "shop:main"]
MADE = f"objects of Till were made by the old code; {FURTHER_OUT} they are made would tell"
LIVES = "self.lock is a lock that lives in its process, and the code looked at it"


def report(reason="", unknown=(), verdict="unknown", agreed=4, calls=4):
    return SimpleNamespace(
        entry="shop:Till.total",
        reason=reason,
        unknown=dict.fromkeys(unknown, 1),
        verdict=verdict,
        shares=SimpleNamespace(agreed=agreed, calls=calls),
    )


@pytest.mark.parametrize(
    ("found", "tried", "outer"),
    [
        (report(HINT), [], "shop:Till.add"),
        (report(HINT), ["shop:Till.add"], "shop:sell"),
        (report(MADE), [], "shop:sell"),  # `add` is given the same till
        (report("most are unknown", [LIVES]), [], "shop:sell"),
        (report(MADE), ["shop:sell", "shop:main"], "shop:Till.add"),  # better than none
        (report(MADE), [one for one in OUTER if "<" not in one], ""),
    ],
)
def test_the_next_entry_is_a_caller_that_may_tell_more(found, tried, outer):
    calls = [CapturedCall(number, None, None, callers=OUTER) for number in (1, 2)]
    calls.append(CapturedCall(3, None, None))
    assert wider(calls, tried, found) == outer


def test_an_entry_is_good_and_chosen_by_what_its_calls_tell():
    assert is_good(report("it draws random numbers"))
    assert not any(
        map(is_good, (report(HINT), report(MADE), report(agreed=3), report(calls=0)))
    )
    worst_first = [
        report(verdict="not exercised", agreed=4),
        report(agreed=1),
        report(MADE, agreed=4),
        report(verdict="fixed", agreed=3),
        report(verdict="changes behaviour", agreed=4),
    ]
    assert sorted(worst_first, key=worth) == worst_first


@pytest.mark.parametrize(
    ("fails", "expect", "of_one"),
    [
        ("", "", ""),
        ("raises KeyError or raises ValueError", "", ""),
        ("raises KeyError", "not raises Exception", ""),
        ("raises KeyError", "result > 0", "--expect"),
        ("amount < 0", "", "--fails"),
        ("result is None", "", "--fails"),
    ],
)
def test_what_is_asked_of_one_function_says_nothing_of_its_callers(fails, expect, of_one):
    assert speaks_of_one(fails, expect) == of_one


TILL = """\
class Till:
    def total(self):
        return sum(self.prices)
    def shown(self):
        return f"{self.total()} in all"
    def __init__(self, prices):
        self.prices = list(prices)
def sell(prices):
    return Till(prices).shown()
"""
SELLS = """\
import time
from till import sell
for number in range(1_000_000):
    sell([number % 2, number % 3])
    time.sleep(0.01)
"""


@pytest.mark.soak
def test_what_makes_its_objects_otherwise_is_tried_where_they_are_made(leadline, tmp_path):
    new = TILL.replace("list(prices)", "list(prices)\n        self.off = len(prices)")
    new = new.replace("sum(self.prices)", "sum(self.prices) - self.off")
    (tmp_path / "till.py").write_text(TILL)
    (tmp_path / "sells.py").write_text(SELLS)
    (tmp_path / "new.py").write_text(new)
    command = [LEADLINE, "run", "--service", "sells", "--", sys.executable, "sells.py"]
    with Program(command, tmp_path):
        wait_for(lambda: leadline.connected("sells"), 20, "it connects")
        patch = subprocess.run(
            ["diff", "-u", "till.py", "new.py"], cwd=tmp_path, capture_output=True, check=False
        )
        (tmp_path / "off.diff").write_bytes(patch.stdout.replace(b"new.py", b"till.py"))
        words = ("verify", "sells", "--patch", "off.diff", "-n", "12")
        found = leadline.json(*words, status=1)
        asked = leadline.json(
            *words, "--expect", "result > 0", "--fails", "result == 0", status=3
        )
    assert found["verdict"] == "changes behaviour", found["sentence"]
    assert found["entry"] == "till:sell"
    assert asked["entry"] == "till:Till.total"
    assert any("--entry, such as till:sell, and say what" in note for note in asked["notes"])


CART = """\
LEAST = 10

class Cart:
    def __init__(self, prices):
        self.prices = prices

    def mean(self):
        return sum(self.prices) / len(self.prices)

    def total(self):
        return sum(self.prices)


def made(prices):
    return Cart(prices)


def check(prices):
    cart = made(prices)
    return cart.mean() if cart.total() > LEAST else None
"""


def changed(*pairs):
    new = CART
    for old, other in pairs:
        new = new.replace(old, other)
    return make("new", [of_texts("/srv/carts.py", CART, new)])


@pytest.mark.parametrize(
    ("pairs", "targets"),
    [
        ([("/ len(", "// len(")], ["Cart.mean"]),
        ([("= prices", "= [*prices]"), ("/ len", "// len")], ["Cart.mean", "Cart.__init__"]),
        ([("LEAST = 10", "LEAST = 11")], ["check"]),
        ([("LEAST = 10", "LEAST = 11"), ("/ len(", "// len(")], ["Cart.mean", "check"]),
    ],
)  # fmt: skip
def test_changed_functions_come_first_and_what_makes_objects_last(pairs, targets):
    found = [one.removeprefix("carts.py:") for one in entries(changed(*pairs), ["/srv"])]
    assert found[: len(targets)] == targets


def test_who_makes_objects_is_named_the_most_frequent_first():
    ways = [["shop:Sub.__init__", "shop:load"], ["shop:sell", "shop:main"], ["shop:load"], []]
    calls = [CapturedCall(at, None, None, callers=way) for at, way in enumerate(ways)]
    assert makers_of(calls) == ["shop:load", "shop:sell"]


def differing(*wheres, live="<not there>"):
    found = [SimpleNamespace(where=where, live=live) for where in wheres]
    sides = [SimpleNamespace(differences=[]), SimpleNamespace(differences=found)]
    return "changes behaviour", sides


def test_what_an_object_has_in_addition_is_nothing_that_its_user_sees():
    assert adds_only(*differing("argument self.rate", "result.rate"))
    assert not adds_only(*differing("result.rate", live="3"))
    assert not adds_only(*differing("result"))
    assert not adds_only(*differing())


def test_a_constant_of_another_module_is_named_where_nothing_there_was_reached():
    [carts] = changed(("/ len(", "// len(")).changes
    other = of_texts("/srv/settings.py", "RATE = 19\n", "RATE = 20\n")
    old, new = sides_of([carts, other])
    coverage = [
        Coverage(file, is_new, dict.fromkeys(lines, 3))
        for side, is_new in ((old, False), (new, True))
        for file, lines in side.items()
        if file == carts.file
    ]
    assert unrun([carts, other], coverage) == [("/srv/settings.py", "settings.RATE")]


def test_what_no_call_has_reached_of_a_change_is_named():
    candidate = changed(("/ len(", "// len("), ("return sum(self.prices)\n", "return 0\n"))
    [change] = candidate.changes
    old, new = sides_of([change])
    reached = [
        Coverage(change.file, is_new, dict.fromkeys(side[change.file], 0))
        for side, is_new in ((old, False), (new, True))
    ]
    assert [name for _, name in unrun([change], reached)] == ["Cart.mean", "Cart.total"]
    for one in reached:
        one.lines[8] = 3
    assert [name for _, name in unrun([change], reached)] == ["Cart.total"]


SHOPS = """\
import time
from carts import check
for number in range(1_000_000):
    try:
        check([number, 1][: number % 3])
    except ZeroDivisionError:
        pass
    time.sleep(0.005)
"""


@pytest.mark.soak
def test_every_changed_function_whose_calls_come_is_run(leadline, tmp_path):
    (tmp_path / "carts.py").write_text(CART.replace("> LEAST", "> -LEAST"))
    (tmp_path / "shops.py").write_text(SHOPS)
    good = (tmp_path / "carts.py").read_text()
    good = good.replace("/ len(self.prices)", "/ (len(self.prices) or 1)")
    (tmp_path / "good.py").write_text(good)
    (tmp_path / "bad.py").write_text(good.replace("cart.mean() if", "-cart.mean() if"))
    asked = ("--fails", "raises ZeroDivisionError", "--expect", "result == 0", "--least", "5")
    command = [LEADLINE, "run", "--service", "shops", "--", sys.executable, "shops.py"]
    with Program(command, tmp_path):
        wait_for(lambda: leadline.connected("shops"), 20, "it connects")
        words = ("verify", "shops", *asked, "-n", "40", "--replace")
        right = leadline.json(*words, "carts.py=good.py")
        wrong = leadline.json(*words, "carts.py=bad.py", status=1)
    assert (right["verdict"], right["entry"]) == ("fixed", "carts:Cart.mean")
    assert (wrong["verdict"], wrong["entry"]) == ("changes behaviour", "carts:check")
    assert any("also run: carts:Cart.mean: fixed" in note for note in wrong["notes"])


TWO = """\
def called(n):
    return n + 1

def rare(n):
    return n + 2
"""


def tried_two(folder, new):
    (folder / "two.py").write_text(TWO)
    with imported(folder, "two"):
        calls = captured("two:called", [(n,) for n in range(4)])
    candidate = make("new", [of_texts(str(folder / "two.py"), TWO, new)])
    request = Request("s", "two:called", calls, home(folder), candidate, least=1)
    return _Tried(verify(request), None, candidate)


def test_nothing_good_is_said_of_a_change_that_is_not_seen_whole(tmp_path):
    one = tried_two(tmp_path, TWO.replace("n + 1", "1 + n"))
    assert _together([one], [], "").report.verdict == "no difference seen"
    found = _together([one], [], "A.__init__ makes objects").report
    assert (found.verdict, found.exit_status) == ("unknown", 3)
    assert found.sentence.startswith(
        "unknown: A.__init__ makes objects; of what was run: no diff"
    )
    both = tried_two(tmp_path, TWO.replace("n + 1", "1 + n").replace("n + 2", "3 + n"))
    assert both.verified.report.sentence.endswith("changed as well, and not reached: rare")
    found = _together([both], [], "").report
    assert (found.verdict, found.exit_status) == ("unknown", 3)
    assert found.reason == "changed as well, and not reached: rare"
    wrong = tried_two(tmp_path, TWO.replace("n + 1", "n - 1"))
    worst = _together([one, wrong], [], "A.__init__ makes objects").report
    assert worst.verdict == "changes behaviour"
    assert worst.notes[-1].startswith("also run: two:called: no difference seen on 4 calls")


def test_the_first_call_is_waited_for_less_long_than_those_after_it():
    capture = object.__new__(Capture)
    capture._until, capture._first_until, capture.calls = 60.0, 15.0, []
    assert capture._ends_at == 15.0
    capture.calls.append({})
    assert capture._ends_at == 60.0
