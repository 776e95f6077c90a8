"""A ledger whose entries are kept in SQLite, a connection for each, while its twins try
candidates."""

import contextlib
import sqlite3
import time

PATH = "ledger.db"


def prepare():
    with contextlib.closing(sqlite3.connect(PATH)) as db, db:
        db.execute("create table entry (id integer primary key, name text, cents integer)")
        db.execute("create table account (name text primary key, cents integer, at real)")
        db.execute("insert into account values ('till', 0, 0)")


def enter(name, cents, count):
    share = cents // count
    with contextlib.closing(sqlite3.connect(PATH)) as db, db:
        db.execute("insert into entry (name, cents) values (?, ?)", (name, share))
    with contextlib.closing(sqlite3.connect(PATH)) as db, db:
        db.execute("update account set cents = cents + ?, at = ?", (share, time.time()))
    with contextlib.closing(sqlite3.connect(PATH)) as db:
        (last,) = db.execute("select name, cents from entry order by id desc limit 1")
    return {"share": share, "last": last}


def number(name, cents):
    """The result tells how many entries there were."""
    with contextlib.closing(sqlite3.connect(PATH)) as db, db:
        return db.execute(
            "insert into entry (name, cents) values (?, ?)", (name, cents * 1)
        ).lastrowid


def main(pause_s):
    prepare()
    count = 0
    while True:
        count += 1
        with contextlib.suppress(ZeroDivisionError):
            enter(f"n{count % 5}", 100 + count % 7, count % 3)
        number("numbered", count)
        time.sleep(pause_s)
