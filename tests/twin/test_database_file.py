"""Databases are read whole while others write them, with a journal or a log."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time

import pytest

from leadline.agent.twin import database_file
from leadline.agent.twin.database_file import UnreadError, content

WRITER = """
import itertools, sqlite3, sys
db = sqlite3.connect("a.db", isolation_level=None)
db.execute("pragma busy_timeout = 5000")
for number in itertools.count():
    db.execute("begin immediate")
    db.execute("update account set cents = cents + 1 where id % 2 = 0")
    db.execute("update account set cents = cents - 1 where id % 2 = 1")
    db.execute("insert into entry values (?, ?)", (number, "x" * (number % 3_000)))
    if number % 5 == 0:
        db.execute("delete from entry where id < ?", (number - 50,))
    db.execute("rollback" if number % 7 == 3 else "commit")
"""


def made(mode, more=()):
    db = sqlite3.connect("a.db", isolation_level=None)
    for one in (*more, f"pragma journal_mode = {mode}"):
        db.execute(one).fetchall()
    db.execute("create table account (id integer primary key, cents integer)")
    db.execute("create table entry (id integer, text text)")
    db.executemany("insert into account values (?, 0)", ((i,) for i in range(600)))
    return db


def read(path="a.db"):
    db = sqlite3.connect(":memory:")
    db.deserialize(content(path))
    return db


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist", "wal"])
def test_what_is_written_all_the_while_is_read_whole(mode):
    made(mode, ["pragma page_size = 1024"]).close()
    with subprocess.Popen([sys.executable, "-c", WRITER]) as writer:
        try:
            seen, unread = set(), 0
            while len(seen) < 25 and writer.poll() is None and unread < 1_000:
                try:
                    found = content("a.db")
                except UnreadError:
                    unread += 1
                    continue
                with contextlib.closing(sqlite3.connect(":memory:")) as db:
                    db.deserialize(found)
                    assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
                    cents = db.execute(
                        "select distinct id % 2, abs(cents) from account order by 1"
                    ).fetchall()
                    assert [side for side, _ in cents] == [0, 1]
                    assert cents[0][1] == cents[1][1]
                    seen.add(db.execute("select max(id) from entry").fetchone())
            assert len(seen) == 25, unread
        finally:
            writer.kill()


def test_what_a_transaction_under_way_has_written_is_not_there():
    with contextlib.closing(made("delete", ["pragma cache_size = 5"])) as db:
        before = list(db.iterdump())
        db.execute("begin")
        db.execute("update account set cents = 7")  # more than the cache takes
        db.executemany("insert into entry values (?, ?)", ((i, "y" * 900) for i in range(900)))
        assert os.path.getsize("a.db") > len(content("a.db"))
        with contextlib.closing(read()) as other:
            assert list(other.iterdump()) == before


def test_a_log_is_read_up_to_what_was_committed():
    with contextlib.closing(made("wal")) as db:
        before = list(db.iterdump())
        db.execute("pragma cache_size = 5")
        db.execute("begin")
        db.execute("update account set cents = 7")
        with contextlib.closing(read()) as other:
            assert list(other.iterdump()) == before
        db.execute("commit")
        with open("a.db-wal", "r+b") as log:  # the last page is not written to its end
            log.truncate(os.path.getsize("a.db-wal") - 100)
        with contextlib.closing(read()) as other:
            assert list(other.iterdump()) == before


def test_what_is_no_database_or_too_large_is_not_read(monkeypatch):
    with open("a.db", "wb") as file:
        file.write(b"no database" * 100)
    with pytest.raises(UnreadError, match="no database"):
        content("a.db")
    monkeypatch.setattr(database_file, "MOST_BYTES", 1_000)
    with pytest.raises(UnreadError, match="too large"):
        content("a.db")
    with pytest.raises(FileNotFoundError):
        content("b.db")
    with open("b.db", "wb"):
        assert content("b.db") == b""


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_whether_it_is_what_the_call_has_found_is_known_by_when_it_was_written(
    mode, monkeypatch
):
    for name, held in (("_known", {}), ("_at_hit", {}), ("_unmoved", set())):
        monkeypatch.setattr(database_file, name, held)
    writer = made(mode)

    def write():
        writer.execute("insert into entry values (1, 'x')")

    def as_it_was(*, forget=False, meanwhile=lambda: None):
        database_file._unmoved.clear()
        database_file.remember(forget=forget)
        meanwhile()
        content("a.db")
        return database_file.is_as_it_was("a.db")

    def date(ago_s):
        for name in filter(os.path.exists, ("a.db", "a.db-wal")):
            os.utime(name, (time.time() - ago_s,) * 2)

    with contextlib.closing(writer):
        date(1)
        assert not as_it_was(), "nobody knew at the hit that it was meant"
        database_file.note(["a.db"])
        assert as_it_was()
        assert not as_it_was(meanwhile=write)
        date(-1)
        assert not as_it_was(), "another write may have the same time"
        date(1)
        assert not as_it_was(forget=True), "a twin that lives on is later than its calls"
        assert as_it_was()
