"""Databases that hold something else: what becomes of their rows, and what never does."""

import contextlib
import sqlite3
from types import SimpleNamespace

import pytest

from leadline.agent.place import altered
from leadline.agent.place.altered import UnalteredError, alter
from leadline.agent.place.asked import asked_rows
from leadline.agent.place.world import World

SCHEMA = """
create table orders (id integer primary key, state text, total integer, paid_at text, doc blob);
create table other (id integer primary key, state text);
create table pairs (a integer, b text, primary key (a)) without rowid;
create table keyed (id integer primary key, code text unique not null, twice generated always
    as (id * 2));
create virtual table words using fts5(text);
create view paid as select * from orders where state = 'paid';
create trigger noted after update on orders begin delete from other; end;
insert into other values (1, 'x'), (2, 'y');
insert into pairs values (1, 'p'), (2, 'q');
insert into keyed values (1, 'k'), (2, 'l');
insert into words values ('one'), ('two');
"""
NAMES = ["Order", "STATE", "total", "paid_at"]
WORDS = ("new", "lost", 7)


def database(rows=20, schema=SCHEMA):
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.executescript(schema)
    made.executemany(
        "insert into orders values (?, 'paid', ?, '2026-11-30 10:00', x'00')",
        [(number, number * 10) for number in range(rows)],
    )
    return contextlib.closing(made)


def rows_in(world, table="orders", **more):
    with database(**more) as made:
        alter(made, world)
        return made.execute(f"select * from {table}").fetchall()


def test_the_same_world_is_the_same_each_time_and_another_is_another():
    assert rows_in(World(5, WORDS, names=NAMES)) == rows_in(World(5, WORDS, names=NAMES))
    assert (
        len({repr(rows_in(World(number, WORDS, names=NAMES))) for number in range(1, 21)}) > 10
    )


def test_columns_hold_what_others_do_what_the_code_names_and_nothing():
    worlds = [rows_in(World(number, WORDS, names=NAMES)) for number in range(1, 200)]
    states, totals, times = ({row[at] for rows in worlds for row in rows} for at in (1, 2, 3))
    assert {"paid", "new", "lost", None} <= states
    assert {7, 0, 1, -1, None, 190} <= totals
    assert {"2026-11-30 10:00", "2001-11-30 10:00", "2999-11-30 10:00", None} <= times
    assert {row[4] for rows in worlds for row in rows} >= {b"\0", None}
    assert any(len(rows) < 20 for rows in worlds)
    assert any(len({row[1] for row in rows}) == 1 and rows[0][1] == "new" for rows in worlds)
    assert any(len({row[1] for row in rows}) > 2 for rows in worlds)


def test_keys_and_what_the_code_does_not_name_stay():
    for number in range(1, 60):
        with database() as made:
            alter(made, World(number, WORDS, names=NAMES))
            ids = {one for (one,) in made.execute("select id from orders")}
            assert ids & set(range(20))
            assert made.execute("select * from other").fetchall() == [(1, "x"), (2, "y")]
            assert made.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_table_is_named_by_a_part_of_its_name():
    more = SCHEMA + "create table shop_order_lines (id integer primary key, state text);"
    more += "insert into shop_order_lines values (1, 'z'), (2, 'z');"
    named = [(["line"], True), (["x", "Order"], True), (["other", "lin"], False)]
    for names, is_named in named:
        found = {
            repr(rows_in(World(number, names=names), "shop_order_lines", schema=more))
            for number in range(1, 40)
        }
        assert (len(found) > 2) is is_named, names


def test_where_the_code_names_no_table_all_are_altered():
    found = {repr(rows_in(World(number), "other")) for number in range(1, 40)}
    assert len(found) > 5


def test_what_is_unique_or_reckoned_is_left_whole():
    for number in range(1, 60):
        with database() as made:
            alter(made, World(number, ("k", "z")))
            codes = [code for (code,) in made.execute("select code from keyed")]
            assert len(codes) == len(set(codes))
            assert None not in codes
            assert all(
                twice == 2 * key for key, twice in made.execute("select id, twice from keyed")
            )
            assert made.execute("select * from words('one')").fetchall() == [("one",)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of others
def test_a_column_that_needs_a_function_which_is_not_here_stays():
    more = "create table led (id integer primary key, a text check (a is not null and own(a)));"
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        made.create_function("own", 1, lambda text: len(text) == 1, deterministic=True)
        made.executescript(more)
        made.execute("insert into led values (1, 'a')")
        made.create_function("own", 1, None)
        for number in range(1, 20):
            alter(made, World(number))
        assert set(made.execute("select a from led")) <= {("a",)}


def test_triggers_work_again_afterwards():
    with database() as made:
        alter(made, World(3, WORDS, names=NAMES))
        made.execute("insert into orders (id, state) values (99, 'new')")
        made.execute("update orders set state = 'x' where id = 99")
        assert made.execute("select * from other").fetchall() == []


def test_what_takes_too_long_is_given_up_and_nothing_stays_of_it(monkeypatch):
    monkeypatch.setattr(altered, "WITHIN_S", 0.0)
    with database(rows=20_000) as made:
        with pytest.raises(UnalteredError, match="interrupted"):
            alter(made, World(1, WORDS, names=NAMES))
        assert made.execute("select count(*) from paid").fetchone() == (20_000,)
        made.execute("update orders set state = 'x'")


def test_texts_that_are_none_are_drawn_as_they_are():
    with database() as made:
        made.execute("update orders set state = cast(x'ff61' as text) where id < 10")
        for number in range(1, 20):
            alter(made, World(number, WORDS, names=NAMES))
        assert made.execute("pragma integrity_check").fetchone() == ("ok",)


def test_rows_without_numbers_are_altered_by_their_keys():
    worlds = [rows_in(World(number, names=["pairs", "b"]), "pairs") for number in range(1, 80)]
    assert {0, 1, 2} <= {len(rows) for rows in worlds}
    assert {row[1] for rows in worlds for row in rows} == {"p", "q", None}


def test_documents_are_altered_within():
    more = SCHEMA + "create table docs (id integer primary key, doc text);"
    for text in ('{"state": "a", "items": [1, {"n": 2}]}', "[broken"):
        more += f"insert into docs (doc) values ('{text}');"
    worlds = [
        rows_in(World(number, ("new", 7), names=["docs", "doc"]), "docs", schema=more)
        for number in range(1, 500)
    ]
    found = {row[1] for rows in worlds for row in rows}
    assert {
        None,
        '{"state": "new", "items": [1, {"n": 2}]}',
        '{"items": [1, {"n": 2}]}',
        '{"state": "a", "items": [{"n": 2}]}',
        '{"state": "a", "items": [1, {"n": 7}]}',
    } <= found


def test_rows_are_as_another_one_as_a_new_one_and_known_by_what_the_call_is_given():
    more = (
        SCHEMA
        + """
    create table jobs (name text primary key, state text default 'new', tries integer default 0,
        done text);
    insert into jobs values ('a', 'done', 3, 'x'), ('b', 'late', 4, 'y');
    """
    )
    worlds = [
        rows_in(World(number, given=("call", 5), names=["jobs"]), "jobs", schema=more)
        for number in range(1, 300)
    ]
    found = {row for rows in worlds for row in rows}
    assert ("b", "done", 3, "x") in found  # as another
    assert {("a", "new", 0, None), ("b", "new", 0, None)} <= found  # as one just made
    assert {"call"} < {row[0] for row in found}
    assert 5 in {row[2] for row in found}


def test_a_row_that_was_asked_for_is_there():
    more = SCHEMA + "create table tokens (token text primary key, purpose text, user_id int);"
    asked = [{"token": "t3", "purpose": "reset"}, {"id": 7}]
    worlds = [
        rows_in(World(number, given=(3,), asked=asked, names=["tokens"]), "tokens", schema=more)
        for number in range(1, 200)
    ]
    assert sum(("t3", "reset", 3) in rows for rows in worlds) > 5


def test_rows_are_asked_for_by_what_a_statement_says_of_them():
    texts = [
        "select * from tokens where token = 't''3' and purpose is 'reset' and tries < 5",
        'update "orders" set state = \'paid\' where "id" = 7 and [version] = 1.5',
        "select * from a where n in (select id from b WHERE Name = 'x')",
        "select * from a where t.k = -4 and long = '" + "a" * 90 + "'",
        "select 1 where 1",
    ]
    assert asked_rows([SimpleNamespace(asked=texts * 2)]) == [
        {"token": "t'3", "purpose": "reset"},
        {"id": 7, "version": 1.5},
        {"name": "x"},
        {"k": -4},
    ]


def test_numbers_and_texts_that_no_column_can_hold_do_nothing():
    with database() as made:
        made.execute("update orders set total = 9223372036854775807")
        for number in range(1, 60):
            alter(made, World(number, (2**70, "\ud800"), (2**70, "\ud800"), names=NAMES))
        assert made.execute("pragma integrity_check").fetchone() == ("ok",)
