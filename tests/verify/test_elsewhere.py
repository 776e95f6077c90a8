"""Calls on databases that hold something else: what two versions do there alone."""

import ast
import contextlib
import gc
import sqlite3
from base64 import b64encode
from functools import partial

import pytest

from leadline.trial.candidate import make
from leadline.trial.outcome import Outcome
from leadline.verify import elsewhere, mentioned, verifying
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared
from leadline.verify.judging import Asked, reported
from leadline.verify.mentioned import given_to
from leadline.verify.verdict import Candidate, Case, Control, Verdict
from leadline.wire.kept import CONTEXT
from leadline.wire.struct import replace
from verify.test_databases import folder, verified_texts  # noqa: F401 - a fixture

OLD = """
import contextlib, sqlite3

KEPT = {}

def ask(con, sql, *given):
    return con.execute(sql, given).fetchall()

def pay(ident, note):
    with contextlib.closing(sqlite3.connect("app.db")) as con, con:
        state = ask(con, "select state from orders where id = ?", ident)[0][0]
        con.execute("insert into audit (ident) values (?)", (ident,))
        if state == "new":
            con.execute("update orders set state = 'paid' where id = ?", (ident,))
    return note.strip()
"""
RIGHT = ("note.strip()", '(note or "").strip()')
ORDERS = """
create table orders (id integer primary key, state text);
create table audit (id integer primary key, ident integer);
"""
WRONG = [
    ('== "new"', '== "open"'),
    ('== "new"', '== "new" and ident > 1000'),
    ("= 'paid'", "= 'payed'"),
    ('where id = ?", (ident,))\n    return', 'where id = ? and 0", (ident,))\n    return'),
]


RUNS = 48


@pytest.fixture(autouse=True)
def few_worlds(monkeypatch):
    """Have as many worlds as it takes here."""
    monkeypatch.setattr(elsewhere, "MOST_RUNS", RUNS)


def verified(folder, *changes, old=OLD):  # noqa: F811
    with contextlib.closing(sqlite3.connect("app.db")) as con, con:
        con.executescript(ORDERS)
        con.executemany("insert into orders values (?, 'new')", [(n,) for n in range(8)])

    def paid():
        with contextlib.closing(sqlite3.connect("app.db")) as con, con:
            con.execute("update orders set state = 'paid'")

    new = old
    for one, other in changes:
        assert new.count(one) == 1
        new = new.replace(one, other)
    given = [(number, None if number < 2 else f" n{number}") for number in range(8)]
    return verified_texts(
        folder, old, new, "pay", given, fails="raises AttributeError", before=paid
    ).report


@pytest.mark.parametrize(
    "wrong", [WRONG[0], *(pytest.param(one, marks=pytest.mark.soak) for one in WRONG[1:])]
)
def test_a_write_that_every_captured_call_finds_done_is_met_in_other_worlds(
    folder,  # noqa: F811
    monkeypatch,
    wrong,
):
    monkeypatch.setattr(elsewhere, "MOST_RUNS", 96)
    found = verified(folder, RIGHT, wrong)
    assert found.verdict is Verdict.UNKNOWN
    assert "on a database that holds something else" in found.reason, found.reason
    assert found.runs > 3 * 8


def test_where_both_do_the_same_in_all_of_them_it_is_said(folder):  # noqa: F811
    found = verified(folder, RIGHT)
    assert found.verdict is Verdict.NO_LONGER_FAILS, found.reason
    (note,) = (one for one in found.notes if "hold something else" in one)
    many = int(note.split("run ")[1].split()[0])
    assert note.startswith("6 calls were run")
    assert RUNS / 2 < many <= RUNS


ONCE = """
def pay(ident, note):
    with contextlib.closing(sqlite3.connect("app.db")) as con, con:
        if not ask(con, "select 1 from orders where id = ? and state = 'paid'", ident):
            con.execute("insert or replace into orders values (?, 'paid')", (ident,))
    return note.strip()
"""


def test_a_row_that_is_made_once_is_met_where_it_is_gone(folder):  # noqa: F811
    old = OLD.partition("def pay")[0] + ONCE
    found = verified(folder, RIGHT, ("values (?, 'paid')", "values (?, 'sent')"), old=old)
    assert found.verdict is Verdict.UNKNOWN
    assert "does otherwise" in found.reason


@pytest.mark.parametrize(
    "error",
    [
        "LookupError",
        *(pytest.param(one, marks=pytest.mark.soak) for one in ("ValueError", "OSError")),
    ],
)
def test_what_is_refused_for_what_is_there_is_no_accident(folder, error):  # noqa: F811
    insert = 'con.execute("insert into audit'
    guard = f'if state == "lost": raise {error}(ident)\n        '
    found = verified(folder, RIGHT, (insert, guard + insert))
    assert found.verdict is Verdict.UNKNOWN
    assert "does otherwise (outcome is" in found.reason, found.reason


@pytest.mark.soak
def test_what_rows_make_fail_that_nobody_would_write_tells_nothing(folder):  # noqa: F811
    insert = 'con.execute("insert into audit'
    found = verified(folder, RIGHT, (insert, "state.strip()\n        " + insert))
    assert "does otherwise" not in found.reason, found.reason


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # left open
def test_an_open_connection_has_another_world_as_well(folder):  # noqa: F811
    old = OLD.replace("KEPT = {}", 'KEPT = {}\nCON = sqlite3.connect("app.db")')
    old = old.replace("= ask(con,", "= ask(CON,")
    assert old.count("CON") == 2
    found = verified(folder, RIGHT, WRONG[0], old=old)
    gc.collect()  # here, and not in the next test
    assert "on a database that holds something else" in found.reason, found.reason


def once(outcomes):
    """Return what runs calls: in each world what it comes to there, the last from then on."""

    def run(some, first):
        said = outcomes.get(first, [SAME])
        kind = said.pop(0) if len(said) > 1 else said[0]
        return [Compared(None, Case(False, Control.AGREES, True, kind)) for _ in some]

    return run


SAME, DIFFERS, OPEN = Candidate.SAME, Candidate.DIFFERS, Candidate.UNKNOWN


@pytest.mark.parametrize(
    ("outcomes", "many", "kinds"),
    [
        ({}, RUNS, {SAME}),
        ({3: [DIFFERS]}, 3, {SAME, DIFFERS}),
        ({3: [DIFFERS, SAME]}, RUNS - 1, {SAME}),  # luck
        ({1: [OPEN]}, 5, {SAME, OPEN}),
        ({1: [OPEN], 2: [DIFFERS]}, 2, {OPEN, DIFFERS}),
    ],
)
def test_it_ends_at_what_differs_twice(outcomes, many, kinds):
    found = elsewhere._until_one_differs(["call"], once(outcomes), lambda *_: None)
    assert len(found) == many
    assert {one.case.candidate for one in found} == kinds


def test_it_ends_in_its_time_and_where_no_world_tells_anything(monkeypatch):
    def none(some, first):
        return [Compared(None, Case(False, Control.UNKNOWN)) for _ in some]

    asked = []
    assert elsewhere._until_one_differs([1, 2], none, lambda *told: asked.append(told)) == []
    assert [done for _, done, _ in asked] == [0, 2, 4, 6, 8]
    monkeypatch.setattr(elsewhere, "MOST_S", 0.0)
    found = elsewhere._until_one_differs([1, 2], once({}), lambda *_: None)
    assert len(found) == 2


def test_a_doubt_of_another_place_counts_where_the_world_is_not_known(folder, monkeypatch):  # noqa: F811
    seen = []
    monkeypatch.setattr(
        verifying, "in_other_worlds", lambda *found: seen.append(found[0]) or []
    )
    asked = partial(Asked, "s", "tried:pay", fails="raises AttributeError", least=1)
    assert verified(folder, RIGHT).verdict is Verdict.NO_LONGER_FAILS
    (found,) = seen
    candidate = make("c", [])

    def verdict(doubt, compared):
        told = reported(asked(candidate, doubt=doubt), compared, "place", [], 1, 1.0)
        return told.report.reason, told.doubt

    assert verdict("it does otherwise", found) == ("it does otherwise",) * 2
    assert "it does" not in verdict("", found)[0]
    known = [
        replace(
            one,
            control=replace(one.control, state={}),
            candidate=replace(one.candidate, state={}),
        )
        for one in found
    ]
    assert verdict("it does otherwise", known) == ("", "")


def test_what_a_call_is_given_is_told_with_what_stands_in_a_path_and_a_body():
    body = b64encode(b'{"token": "abc", "count": 12}').decode()
    nodes = [
        {"k": "dict", "p": [["PATH", "/orders/17/pay"], ["n", 4]]},
        {"k": "bytes", "b": body},
    ]
    document = {"v": 1, "roots": {"ident": 3, CONTEXT: "no", "one": [0]}, "nodes": nodes}
    found = given_to(CapturedCall(1, document, Outcome(True)))
    texts = {"PATH", "n", "/orders/17/pay", "orders", "pay", "token", "abc", "count"}
    assert texts | {3, 4, 12, 17} <= set(found)
    assert CONTEXT not in found
    assert given_to(CapturedCall(1, None, Outcome(True))) == []


COLLATED = """
def pay(ident, note):
    with contextlib.closing(sqlite3.connect("app.db")) as con, con:
        con.create_collation("own", lambda a, b: (a > b) - (a < b))
        state = ask(con, "select state from orders where id = ?", ident)[0][0]
    return note.strip()
"""


@pytest.mark.soak
def test_a_run_on_a_copy_that_could_not_be_altered_was_in_no_other_world(folder):  # noqa: F811
    with contextlib.closing(sqlite3.connect("app.db")) as con, con:
        con.create_collation("own", lambda a, b: (a > b) - (a < b))
        con.executescript("create table own (id integer primary key, state text collate own);")
    found = verified(folder, RIGHT, old=OLD.partition("def pay")[0] + COLLATED)
    assert found.verdict is Verdict.NO_LONGER_FAILS, found.reason
    (note,) = (one for one in found.notes if "hold something else" in one)
    assert int(note.split("run ")[1].split()[0]) < 0.8 * RUNS  # some tables were let be


def test_calls_that_are_given_what_few_are_given_are_among_those_that_are_run():
    def one(number, order):
        live = Outcome(True, 1, {"order": order, "ident": number})
        return Compared(CapturedCall(number, {}, live), Case(False, Control.AGREES))

    orders = ["sku"] * 20 + ["price"] * 2 + ["title"] * 3
    found = elsewhere._chosen([one(number, order) for number, order in enumerate(orders)])
    given = [each.call.live.arguments["order"] for each in found]
    assert len(given) == elsewhere.MOST_CALLS
    assert set(given) == set(orders)
    assert given.count("price") == 2


def test_what_the_code_names_and_no_message_can_hold_is_left_out():
    text = "A = 1e999, 0x" + "f" * 5_000 + ", 7, 'x'\nB = 'n = " + "9" * 5_000 + " or n = 8'"
    nodes = list(ast.walk(ast.parse(text)))
    assert list(mentioned._named(nodes)) == [7, "x"]
    assert list(mentioned._compared(nodes)) == [8]
