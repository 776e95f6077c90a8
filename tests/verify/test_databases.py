"""Code that writes to a SQLite file: what it writes is compared, and the file stays."""

import contextlib
import gc
import hashlib
import shutil
import sqlite3
import threading
import warnings

import pytest
from benchmarks.verify.calling import home, imported
from benchmarks.verify.calling import one as called

from leadline.trial.candidate import make, of_texts
from leadline.trial.predicate import compile_predicate
from leadline.verify.verdict import Candidate
from leadline.verify.verifying import Request, verify
from verify.test_verdict_second_eyes import only, texts_of

PRELUDE = """
import contextlib, pathlib, sqlite3, threading, uuid
from sqlite3 import connect

PATH = "app.db"
HERE = pathlib.Path(PATH)

def run(sql, *given, path=PATH):
    with contextlib.closing(sqlite3.connect(path)) as con, con:
        return con.execute(sql, given).fetchall()

def enter(count):
    with sqlite3.connect(PATH) as con:
        con.executemany("insert into log values (?)", [(str(i),) for i in range(count)])

def refused(do, *args, **kwargs):
    try: do(*args, **kwargs)
    except sqlite3.OperationalError as error: return str(error)

def read_only():
    ro = connect('file:app.db?mode=ro', uri=True)
    said = refused(ro.execute, 'delete from log')
    said += refused(connect, 'file:none.db?mode=rw', uri=True)
    return said, ro.execute('select count(*) from log').fetchall()

class Rows(sqlite3.Connection):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.row_factory = sqlite3.Row
    def add(self, text):
        self.execute("insert into comments (text) values (?)", (text,))

class Placed(sqlite3.Connection):
    def __init__(self, path, **more):
        super().__init__(path, **more)
        self.name = "placed"

KEPT = {}
"""
SCHEMA = """
create table comments (id integer primary key, text text, likes integer default 0, created real
);
create table log (line text);
create table users (name text primary key collate nocase, password text, seen real);
create table pairs (a integer, b text, c, primary key (a, b)) without rowid;
create trigger noted after insert on pairs begin insert into log values (new.b); end;
create table numbered (id integer primary key autoincrement, text text);
insert into comments (text, likes) values ('first', 1), ('second', 2), ('third', 3);
insert into log values ('a'), ('a'), ('b');
insert into users values ('ada', 'secret of ada', 1.0), ('bob', 'secret of bob', 2.0);
insert into pairs values (1, 'x', 'c'), (2, 'y', null);
"""


def bodies(text):
    """Return old and new bodies by name: `== name`, the old one, `--`, the new one."""
    found = {}
    for one in text.split("== ")[1:]:
        name, _, both = one.partition("\n")
        old, new = both.split("\n--\n")
        found[name] = old, new.rstrip()
    return found


def make_database(path, more=""):
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as con, con:
        con.executescript(SCHEMA + more)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verified_texts(folder, old, new, entry, given, fails="", expect="", before=None):
    """Make calls, each on the database as it was made, and verify a new text on them."""
    (folder / "tried.py").write_text(old)
    file, whole = folder / "app.db", folder.parent / "before.db"
    shutil.copy(file, whole)
    (folder / "link.db").unlink(missing_ok=True)
    (folder / "link.db").hardlink_to(file)
    held = digest(file)
    predicate = compile_predicate(fails) if fails else None
    calls = []
    with (
        imported(folder, "tried") as (module,),
        warnings.catch_warnings(action="ignore", category=ResourceWarning),
    ):
        for number, args in enumerate(given, 1):
            calls.append(called(getattr(module, entry), args, number, predicate))
            while module.KEPT:
                module.KEPT.popitem()[1].close()
            gc.collect()
            for made in folder.glob("*.db*"):
                made.unlink()
            shutil.copy(whole, file)
            (folder / "link.db").hardlink_to(file)
    candidate = make("new", [of_texts(str(folder / "tried.py"), old, new)])
    request = Request(
        "s", f"tried:{entry}", calls, home(folder), candidate, fails, expect, least=1
    )
    if before is not None:
        before()
        return verify(request)
    found = verify(request)
    assert digest(file) == held
    assert sorted(one.name for one in folder.glob("*.db*")) == ["app.db", "link.db"]
    return found


def became(folder, bodies, more=""):
    old, new, given = texts_of(bodies, PRELUDE + more)
    compared = verified_texts(folder, old, new, "call", given).compared
    for name, each in zip(bodies, compared, strict=True):
        assert each.case.agreed, (name, each.case)
        assert each.case.reached, (name, each.case)
    return dict(zip(bodies, compared, strict=True))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    place = tmp_path / "service"
    place.mkdir()
    monkeypatch.chdir(place)
    make_database(place / "app.db")
    return place


OTHERWISE = bodies("""
== value
run("insert into comments (text) values (?)", "new")
--
run("insert into comments (text) values (?)", "other")
== no_commit
con = sqlite3.connect(PATH)
con.execute("insert into comments (text) values ('n')")
con.commit()
--
con = sqlite3.connect(PATH)
con.execute("insert into comments (text) values ('n')")
== no_commit_kept
con = KEPT['c'] = sqlite3.connect(PATH)
con.execute("insert into comments (text) values ('n')")
con.commit()
--
con = KEPT['c'] = sqlite3.connect(PATH)
con.execute("insert into comments (text) values ('n')")
== uncommitted_value
con = KEPT['c'] = sqlite3.connect(PATH)
con.execute("insert into comments (text) values ('n')")
--
con = KEPT['c'] = sqlite3.connect(PATH)
con.execute("insert into comments (text) values ('m')")
== table
run("insert into comments (text) values (?)", "new")
--
run('insert into log values (?)', 'new')
== too_much
run('delete from comments where id = 2')
--
run('delete from comments')
== not_at_all
run('update comments set likes = 9 where id = 1')
--
pass
== type
run('insert into pairs values (3, 4, 5)')
--
run('insert into pairs values (3, 4, 5.0)')
== case
run("insert into users values ('Eve', 'x', 0)")
--
run("insert into users values ('eve', 'x', 0)")
== secret
run("update users set password = 'a' where name = 'ada'")
--
run("update users set password = 'b' where name = 'ada'")
== twice
run('insert into log values (?)', 'c')
--
for _ in '12': run('insert into log values (?)', 'c')
== schema
run('create table made (a)')
--
run('create table made (a, b)')
== new_file
sqlite3.connect('new.db').close()
--
pass
== in_new_file
run('create table a (b)', path='new.db'); run('insert into a values (1)', path='new.db')
--
run('create table a (b)', path='new.db'); run('insert into a values (2)', path='new.db')
== version
run('pragma user_version = 3')
--
run('pragma user_version = 4')
== at_a_time
import time
run('insert into comments (text, created) values (?, ?)', 'a', time.time())
--
import time
run('insert into comments (text, created) values (?, ?)', 'b', time.time())
== time_left_out
import time
run('insert into comments (text, created) values (?, ?)', 'a', time.time())
--
run('insert into comments (text, created) values (?, ?)', 'a', None)
== many
enter(900)
--
enter(901)
== large
run('insert into log values (?)', 'a' * 40_000)
--
run('insert into log values (?)', 'a' * 39_999 + 'b')
== next_number
run("insert into numbered (text) values ('a')")
--
run("insert into numbered (text) values ('b')"); run('delete from numbered')
run("insert into numbered (id, text) values (1, 'a')")
run("insert into numbered (text) values ('b')"); run('delete from numbered where id > 1')
""")
ALIKE = bodies("""
== idle_committed
run('update comments set likes = likes where id = 1')
--
con = sqlite3.connect(PATH, isolation_level=None)
con.execute('update comments set likes = likes where id = 1')
con.close()
== other_words
run("insert into comments (text) values (?)", "new")
--
run("insert into comments (text) values ('new')")
== in_one
run("insert into log values ('x')"); run("insert into log values ('y')")
--
run("insert into log values ('x'), ('y')")
== reads_it
run("insert into comments (text) values (?)", "new")
return run('select id, text from comments order by id')
--
run("insert into comments (text) values (?)", "new")
rows = run('select id, text from comments order by id')
return rows
== one_connection
run("insert into comments (text) values (?)", "new")
run('update comments set likes = 8 where id = 1')
--
with sqlite3.connect(PATH) as con:
    con.execute("insert into comments (text) values ('new')")
    con.execute('update comments set likes = 8 where id = 1')
== at_a_time
import time
run('insert into comments (text, created) values (?, ?)', 'a', time.time())
--
import time
now = time.time()
run('insert into comments (text, created) values (?, ?)', 'a', now)
== by_chance
run('insert into users values (?, ?, 0)', uuid.uuid4().hex, uuid.uuid4().hex)
--
made = uuid.uuid4().hex, uuid.uuid4().hex
run('insert into users values (?, ?, 0)', *made)
== idle
run('delete from comments where id = 77'); run('create table if not exists log (line)')
--
x = 1
run('delete from comments where id = 77'); run('create table if not exists log (line)')
== replaced
run("replace into users values ('ada', 'y', 5)")
--
x = 1
run("replace into users values ('ada', 'y', 5)")
== factory
with sqlite3.connect(PATH, factory=Rows) as con: con.add('x')
found = [dict(row) for row in con.execute('select * from comments')]
return found, type(con).__name__, isinstance(con, Rows)
--
con = sqlite3.connect(PATH, factory=Rows)
con.add('x'); con.commit()
found = [dict(row) for row in con.execute('select * from comments')]
return found, type(con).__name__, isinstance(con, Rows)
== factory_by_place
con = sqlite3.connect(PATH, factory=Placed)
con.execute("insert into log values (?)", (con.name,))
con.commit()
--
con = sqlite3.connect(PATH, factory=Placed)
con.execute("insert into log (line) values (?)", (con.name,))
con.commit()
== paths
for one in (HERE, b'app.db', './app.db', str(HERE.absolute())):
    run('insert into log values (?)', repr(type(one)), path=one)
return len(run('select * from log'))
--
pass
for one in (HERE, b'app.db', './app.db', str(HERE.absolute())):
    run('insert into log values (?)', repr(type(one)), path=one)
return len(run('select * from log'))
== uris
con = connect('file:app.db?mode=rw', uri=True, isolation_level=None)
con.execute("insert into log values ('u')")
return read_only()
--
con = connect('file:app.db?mode=rw', uri=True, isolation_level=None)
con.execute('insert into log values (?)', ('u',))
return read_only()
== memory
con = connect(':memory:')
con.execute('create table a (b)')
return con.execute('select * from a').fetchall()
--
con = connect('')
con.execute('create table a (b)')
return con.execute('select * from a').fetchall()
== thread
t = threading.Thread(target=run, args=("insert into comments (text) values (?)", "new"))
t.start()
t.join()
--
run("insert into comments (text) values (?)", "new")
== other_words_without_key
run("update log set line = 'z' where line = 'b'")
--
run("update log set line = ? where line = ?", 'z', 'b')
== by_another_name
run("insert into log values (?)", 'c', path='app.db')
return run("select count(*) from log", path='link.db')
--
run("insert into log values ('c')", path='app.db')
return run("select count(*) from log", path='link.db')
== triggered
run("insert into pairs values (5, 't', 1)")
--
run("insert into pairs (c, b, a) values (1, 't', 5)")
== rolled_back
con = sqlite3.connect(PATH)
con.execute('delete from log'); con.rollback()
return con.execute('select count(*) from log').fetchall()
--
con = sqlite3.connect(PATH)
con.execute('delete from log'); con.execute('rollback')
return con.execute('select count(*) from log').fetchall()
== traced
said = []
with sqlite3.connect(PATH) as con:
    con.set_trace_callback(said.append)
    con.execute('insert into log values (?)', ('t',))
return said
--
said = []
with sqlite3.connect(PATH) as con:
    con.set_trace_callback(lambda s: said.append(s))
    con.execute('insert into log values (?)', ('t',))
return said
""")


OPEN = bodies("""
== acted_upon
run("update comments set text = 'first' where id = 1")
--
if ('first',) in run('select text from comments where id = 1'): raise KeyError('it is')
run("update comments set text = 'first' where id = 1")
== idle_not_committed
with contextlib.closing(sqlite3.connect(PATH)) as con:
    con.execute('update comments set likes = likes where id = 1'); con.commit()
--
with contextlib.closing(sqlite3.connect(PATH)) as con:
    con.execute('update comments set likes = likes where id = 1')
== idle_rolled_back_in_part
with contextlib.closing(sqlite3.connect(PATH, isolation_level=None)) as con:
    con.execute('begin'); con.execute('savepoint a')
    con.execute('update comments set likes = likes where id = 1'); con.execute('commit')
--
with contextlib.closing(sqlite3.connect(PATH, isolation_level=None)) as con:
    con.execute('begin'); con.execute('savepoint a')
    con.execute('update comments set likes = likes where id = 1')
    con.execute('rollback to a'); con.execute('commit')
== idle_rolled_back
con = sqlite3.connect(PATH)
con.execute('update comments set likes = likes where id = 1'); con.commit()
--
con = sqlite3.connect(PATH)
con.execute('update comments set likes = likes where id = 1'); con.rollback()
== idle_left_out
run('update comments set likes = 1 where id = 1')
--
pass
== idle_of_none
run('delete from comments where id = 77')
--
run('delete from comments where id = 78')
== idle_otherwise
run("insert into comments (text) values (?)", "new")
run("update users set password = 'secret of ada' where name = 'ada'")
--
run("insert into comments (text) values (?)", "new")
run("update users set password = 'another' where name = 'eve'")
== idle_beside_another_key
run("update log set line = 'z' where line = 'b'")
run("update comments set likes = 2 where id = 2")
--
run("update log set line = 'z' where line = 'b'")
== other_number_of_row
run("insert into log (rowid, line) values (70, 'x')")
--
run("insert into log (rowid, line) values (71, 'x')")
== definition_left_out
run('create table if not exists log (line)')
--
pass
== attached
con = sqlite3.connect(PATH)
try: con.execute("attach 'more/other.db' as other")
except sqlite3.OperationalError: pass
--
con = sqlite3.connect(PATH)
try: con.execute("attach 'more/other.db' as another")
except sqlite3.OperationalError: pass
== too_large
try: run('insert into a values (1)', path='more/large.db')
except sqlite3.OperationalError: pass
--
try: run('insert into a values (2)', path='more/large.db')
except sqlite3.OperationalError: pass
""")
REPORT = """
def add(text):
    with contextlib.closing(sqlite3.connect(PATH)) as con, con:
        con.execute("insert into comments (text, likes) values (?, ?)", (text, {}))
        return con.execute("select count(*) from comments").fetchone()[0]
"""
APPLICATIONS = """
import flask, flask.testing, sqlalchemy, django
from django.conf import settings

app = flask.Flask(__name__)

def database():
    if "db" not in flask.g:
        flask.g.db = sqlite3.connect(PATH)
        flask.g.db.row_factory = sqlite3.Row
    return flask.g.db

@app.teardown_appcontext
def close(error):
    if (db := flask.g.pop("db", None)) is not None:
        db.close()

@app.post("/comments")
def post():
    db, given = database(), flask.request.json
    db.execute("insert into comments (text) values (?)", (given["text"].strip(),))
    if given["keep"]:
        db.commit()
    rows = database().execute("select * from comments order by id desc")
    return {"comment": dict(rows.fetchone())}, 201

def in_flask(text, keep=True):
    app.test_client().post("/comments", json={"text": text, "keep": keep}).json["comment"]

def in_alchemy(text, keep=True):
    engine = sqlalchemy.create_engine("sqlite:///app.db")
    with engine.connect() as con:
        given = {"text": text}
        con.execute(sqlalchemy.text("insert into comments (text) values (:text)"), given)
        if keep:
            con.commit()
    engine.dispose()

if not settings.configured:
    one = {"ENGINE": "django.db.backends.sqlite3", "NAME": PATH}
    settings.configure(DATABASES={"default": one})
    django.setup()
from django.db import connection, transaction

def in_django(text, keep=True):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("insert into comments (text) values (%s)", [text])
        if not keep:
            transaction.set_rollback(True)
    connection.close()
"""


def tried(folder, old, new, entry, given, fails="", expect=""):
    """Verify a module of which one function is called, each time on the same database."""
    return verified_texts(folder, PRELUDE + old, PRELUDE + new, entry, given, fails, expect)


@pytest.mark.soak
def test_what_is_written_otherwise_changes_behaviour(folder):
    found = became(folder, OTHERWISE)
    assert {name: one.case.candidate for name, one in found.items()} == only(
        Candidate.DIFFERS, OTHERWISE
    )
    shown = {name: one.differences for name, one in found.items()}
    (first,) = shown["value"]
    assert (first.where, first.live, first.rerun) == (
        "database app.db: table comments[4]['text']", "'new'", "'other'",
    )  # fmt: skip
    (secret,) = shown["secret"]
    assert secret.where == "database app.db: table users['ada']['password']"
    assert secret.live == secret.rerun == "<redacted name:password>"
    assert {one.where for one in shown["too_much"]} == {
        "database app.db: table comments[1]", "database app.db: table comments[3]",
    }  # fmt: skip
    kept = {one.where for one in shown["no_commit_kept"]}
    assert "database app.db, not committed: table comments[4]" in kept
    assert "database app.db: table comments[4]" in {one.where for one in shown["no_commit"]}


@pytest.mark.soak
def test_what_is_written_alike_is_the_same(folder):
    found = became(folder, ALIKE)
    assert {name: one.case.candidate for name, one in found.items()} == only(
        Candidate.SAME, ALIKE
    )


@pytest.mark.soak
def test_what_no_row_shows_is_unknown(folder):
    (folder / "more").mkdir()
    for name in ("other.db", "large.db"):
        with contextlib.closing(sqlite3.connect(folder / "more" / name)) as con, con:
            con.execute("create table a (b)")
            con.execute("insert into a values (zeroblob(?))", (name[0] == "l" and 17_000_000,))
    found = became(folder, OPEN)
    assert {name: one.case.candidate for name, one in found.items()} == only(
        Candidate.UNKNOWN, OPEN
    )
    reasons = {name: one.case.reason for name, one in found.items()}
    assert "attach another database" in reasons["attached"]
    assert reasons["too_large"].endswith("large.db")
    assert "writes here what is there already" in reasons["idle_left_out"]


def test_a_fix_that_writes_is_fixed(folder):
    old, new = REPORT.format("10 // len(text)"), REPORT.format("10 // (len(text) or 1)")
    given = [(text,) for text in ("", "a", "bb", "")]
    fails, expect = "raises ZeroDivisionError", "result == 4"
    found = tried(folder, old, new, "add", given, fails, expect)
    assert found.report.verdict == "fixed", found.report.sentence
    wrong = new.replace("(text, likes)", "(text, id)")
    assert tried(folder, old, wrong, "add", given, fails, expect).report.verdict == (
        "changes behaviour"
    )


GUARDED = """
def add(text):
    liked = 10 // len(text)
    with contextlib.closing(connect(PATH)) as con:
        (line,) = con.execute("select text from comments where id = 1").fetchone()
        if line != "first":
            con.execute("update comments set text = 'first' where id = 1")
            con.commit()
    return liked
"""
HIDDEN = {
    "its change": ("text = 'first' where", "text = 'last' where", "no call has reached "),
    "its commit": ("            con.commit()\n", "", "no call has reached "),
    "its guard": (
        'line != "first"',
        'line == "none"',
        " of the change decides what is written",
    ),
    "its end": (
        "    return liked",
        "    con.commit() if 0 else 0\n    return liked",
        "transactions",
    ),
}


@pytest.mark.parametrize(
    "of",
    [pytest.param(one, marks=() if one == "its end" else pytest.mark.soak) for one in HIDDEN],
)
def test_what_the_live_call_has_written_hides_how_the_candidate_would(folder, of):
    """No run comes by what the real call has done: the row is as it left it."""
    before, after, reason = HIDDEN[of]
    right = GUARDED.replace("10 // len(text)", "10 // (len(text) or 1)")
    given = [(text,) for text in ("", "a", "bb", "")]
    fails, expect = "raises ZeroDivisionError", "result == 10"
    new = right.replace(before, after)
    assert new != right
    report = tried(folder, GUARDED, new, "add", given, fails, expect).report
    assert report.verdict == "unknown", report.sentence
    assert reason in report.reason, report.reason


COUNTED = """
def add(text):
    liked = 10 // len(text)
    with contextlib.closing(connect(PATH)) as con, con:
        con.execute("update comments set text = 'seen', likes = likes + 1 where id = 1")
        con.execute("insert into comments (text, likes) values (?, 0)", (text,))
    return liked
"""


@pytest.mark.parametrize("is_right", [True, False])
def test_what_is_written_each_time_tells_nothing_of_what_was_written_once(folder, is_right):
    """The text is `seen` already: who leaves it out writes the same row."""
    new = COUNTED.replace("10 // len(text)", "10 // (len(text) or 1)")
    if not is_right:
        new = new.replace("text = 'seen', ", "")
    given = [(text,) for text in ("", "a", "bb", "")]
    with contextlib.closing(sqlite3.connect(folder / "app.db")) as con, con:
        con.execute("update comments set text = 'seen' where id = 1")
    found = tried(
        folder, COUNTED, new, "add", given, "raises ZeroDivisionError", "result == 10"
    )
    assert found.report.verdict == ("fixed" if is_right else "unknown"), found.report.sentence
    assert is_right or "the candidate does otherwise (database app.db" in found.report.reason


@pytest.mark.soak
def test_more_functions_than_are_told_leave_it_unknown(folder):
    """Any of those beyond may write."""
    many = "\n".join(f"def step_{n}():\n    return {n}" for n in range(600))
    calls = "    [globals()[f'step_{n}']() for n in range(600)]\n    return liked"
    old = many + COUNTED.replace("    return liked", calls)
    new = old.replace("10 // len(text)", "10 // (len(text) or 1)")
    given = [(text,) for text in ("", "a", "bb", "")]
    found = tried(folder, old, new, "add", given, "raises ZeroDivisionError", "result == 10")
    assert found.report.verdict == "unknown", found.report.sentence
    assert "more functions of the service have run" in found.report.reason


@pytest.mark.soak
def test_applications_write_to_their_copy(folder):
    bodies = {
        f"{name}_{number}": (f"{name}('a')", f"{name}({new})")
        for name in ("in_flask", "in_alchemy", "in_django")
        for number, new in enumerate(("'A'.lower()", "'b'", "'a', False"))
    }
    found = became(folder, bodies, APPLICATIONS)
    wanted = (Candidate.SAME, Candidate.DIFFERS, Candidate.DIFFERS)
    for number, (name, each) in enumerate(found.items()):
        assert each.case.candidate is wanted[number % 3], (name, each)
        wheres = {difference.where for difference in each.differences}
        assert all(where.startswith("database app.db: table comments[4]") for where in wheres)


def test_a_database_in_the_memory_of_the_service_is_compared(folder):
    old = """
KEPT["memory"] = sqlite3.connect(":memory:")
KEPT["memory"].execute("create table comments (text)")

def add(text):
    with KEPT["memory"] as con:
        con.execute("insert into comments (text) values (?)", (text,))
"""
    for new, became in (("text + ''", Candidate.SAME), ("text + '!'", Candidate.DIFFERS)):
        found = tried(folder, old, old.replace("(text,))", f"({new},))"), "add", [("a",)])
        (case,) = [one.case for one in found.compared]
        assert (case.agreed, case.candidate) == (True, became), found.compared


def test_a_connection_that_was_opened_at_import_is_to_the_copy(folder):
    old = """
KEPT["db"] = sqlite3.connect(PATH)

def add(text):
    with KEPT["db"] as con:
        con.execute("insert into comments (text) values (?)", (text,))
"""
    for new, became in (("text + ''", Candidate.SAME), ("text + '!'", Candidate.DIFFERS)):
        found = tried(folder, old, old.replace("(text,))", f"({new},))"), "add", [("a",)])
        (case,) = [one.case for one in found.compared]
        assert (case.agreed, case.candidate) == (True, became), found.compared


@pytest.mark.soak
def test_a_file_that_is_written_meanwhile_makes_no_difference(folder):
    """Each run begins with what is there by then, and what began otherwise is not compared."""
    old = REPORT.format("1")
    over = threading.Event()

    def write():
        with contextlib.closing(sqlite3.connect("app.db", timeout=30)) as con:
            while not over.wait(0.02):
                with con:
                    con.execute("update comments set likes = likes + 1 where id = 2")

    writer = threading.Thread(target=write)
    started = []

    def begin():
        started.append(writer.start())

    try:
        found = verified_texts(
            folder, PRELUDE + old, PRELUDE + REPORT.format("2 - 1"), "add",
            [("x",)] * 12, before=begin,
        )  # fmt: skip
    finally:
        over.set()
        if started:
            writer.join()
    cases = [one.case for one in found.compared]
    assert {one.candidate for one in cases if one.agreed} <= {
        Candidate.SAME, Candidate.UNKNOWN,
    }  # fmt: skip
    assert any("did not hold the same" in one.reason for one in cases), cases


REPOSITORY = """
@contextlib.contextmanager
def repository():
    con = connect(PATH)
    try:
        yield con
        con.commit()
    except Exception:
        con.rollback()
        raise
    finally:
        con.close()

def note(con, line):
    con.execute("insert into log values (?)", (line,))

def add(text):
    with repository() as con:
        line = "by " + text[:1]
        share = 10 // len(text)
        (seen,) = con.execute("select text from comments where id = 1").fetchone()
        con.execute("update comments set text = 'seen', likes = likes + 1 where id = 1")
        note(con, line)
    return share
"""
GUARD = "        if {} == '{}':\n            return 0\n"
UPDATE = "        con.execute("
ONE_MORE = "        (seen,) = con"
BY_WORLD = "of the change decides by what is there, and database app.db may have been otherwise"


@pytest.mark.parametrize(
    ("before", "after", "verdict", "reason"),
    [
        ("text[:1]", "(text or '-')[:1]", "fixed", ""),
        (UPDATE, f"{GUARD.format('seen', 'seen')}{UPDATE}", "unknown", BY_WORLD),
        (ONE_MORE, f"{GUARD.format('text', 'a')}{ONE_MORE}", "changes behaviour", ""),
        ('"by "', '"of "', "changes behaviour", ""),
    ],
)  # fmt: skip
def test_a_guard_against_doing_a_thing_twice_is_not_refuted_by_its_own_call(
    folder, before, after, verdict, reason
):
    """As a service has it: a connection for each call, helpers, and a row beside it."""
    new = REPOSITORY.replace("10 // len(text)", "10 // (len(text) or 1)").replace(before, after)
    with contextlib.closing(sqlite3.connect(folder / "app.db")) as con, con:
        con.execute("update comments set text = 'seen' where id = 1")
    given = [(text,) for text in ("", "a", "bb", "")]
    found = tried(
        folder, REPOSITORY, new, "add", given, "raises ZeroDivisionError", "result == 10"
    )
    assert found.report.verdict == verdict, found.report.sentence
    assert reason in found.report.reason
