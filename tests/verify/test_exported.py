"""Calls exported as tests: they fail on the old code, pass on the fix, and need no Leadline."""

import collections
import contextlib
import datetime
import decimal
import os
import pathlib
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import zoneinfo

import pytest
from benchmarks.verify.calling import captured, home, imported
from benchmarks.verify.calling import one as called

from leadline.agent.capture.keeping import Landmarks, keep
from leadline.trial.candidate import make, of_texts
from leadline.trial.predicate import compile_predicate
from leadline.verify.exporting import export_tests
from leadline.verify.literals import NotLiteral, arguments_source
from leadline.verify.verdict import Candidate
from leadline.verify.verifying import Request, verify
from leadline.wire.call import TurnKind
from leadline.wire.errors import UnavailableError
from verify.shop import FIXES, SHOP, candidate_of, verified
from verify.test_verdict_second_eyes import texts_of
from verify.test_verdict_second_eyes import verified as verified_texts

EXPECT = 'result["total"] > 0'


def run(folder, code):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider",
         str(folder)],
        capture_output=True, text=True, cwd=code, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(code)},
    )  # fmt: skip
    return done.stdout


def patched(tmp_path, fix):
    code = tmp_path / fix
    shutil.copytree(SHOP / "shop", code / "shop")
    subprocess.run(
        ["git", "apply", str(FIXES / f"{fix}.diff")],
        cwd=code, check=True, env={**os.environ, "GIT_DIR": "/nowhere"},
    )  # fmt: skip
    return code


class Basket(dict):
    def __init__(self, *args, owner="", **held):
        super().__init__(*args, **held)
        self.owner = owner

    def __repr__(self):
        return f"Basket({dict(self)}, {self.owner})"


class Many(set):
    pass


class Sku(str):
    __slots__ = ()


Line = collections.namedtuple("Line", "sku many")

GIVEN = [
    datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.UTC),
    datetime.datetime(2026, 1, 2, fold=1),  # noqa: DTZ001 - one without a zone is meant
    datetime.time(1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "E")),
    datetime.date(2026, 1, 2),
    datetime.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    collections.deque([1, "a"], 5),
    collections.deque(),
    collections.defaultdict(list, {"a": [1]}),
    collections.OrderedDict(b=1, a=2),
    re.compile("a(b)", re.IGNORECASE),
    re.IGNORECASE | re.MULTILINE,
    range(1, 9, 2),
    bytearray(b"\xffa"),
    complex(-0.0, 1.5),
    pathlib.PurePosixPath("/srv/a"),
    decimal.Decimal("1.50"),
    KeyError("a", [1]),
    Basket({"tea": 2}, owner="ada"),
    [Basket(tea=1), Line("tea", 2), Many([1, 2]), Sku("tea")],
]


@pytest.mark.parametrize("value", GIVEN, ids=repr)
def test_what_a_call_was_given_is_written_as_source(value):
    source = arguments_source(keep([("value", value)]).document)
    made = {}
    lines = [*source.imports, *source.helpers, *source.lines]
    exec("\n".join([*lines, f"made = {source.roots['value']}"]), made)
    assert made["made"] == value or isinstance(value, Exception)
    assert repr(made["made"]) == repr(value)


def test_they_fail_before_and_pass_after(quotes, tmp_path):
    found = verified(quotes, candidate_of("plausible"), home(SHOP), EXPECT)
    folder = tmp_path / "exported"
    said = (str(folder), "shop.pricing:quote", found.compared)
    said += ("raises ZeroDivisionError", EXPECT)
    first = folder / export_tests(*said).files[0]
    first.write_text("# by hand\n")
    exported = export_tests(*said)
    assert list(exported.left_out.values()) == [f"{first.name} is there, and is another's"]
    first.unlink()
    exported = export_tests(*said)
    assert not exported.left_out
    text = (folder / exported.files[0]).read_text()
    assert "leadline" not in text.replace("captured by Leadline", "")
    assert "2 failed, 5 passed" in run(folder, SHOP)
    assert "5 failed, 2 passed" in run(folder, patched(tmp_path, "plausible"))
    full = tmp_path / "full"
    with no_room(), pytest.raises(UnavailableError, match="The tests cannot be written"):
        export_tests(str(full), "shop.pricing:quote", found.compared, "", EXPECT)
    assert list(full.iterdir()) == []  # a file without a test would pass for one


@contextlib.contextmanager
def no_room():
    """Have files end after a few bytes, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


SURROUNDED = """
import contextvars
USER = contextvars.ContextVar("user")

def share(n):
    return 12 // n

def mine(n):
    return [USER.get(), 12 // n]

def theirs(n):
    return [USER.get()(), 12 // n]
"""


@pytest.mark.soak
def test_of_context_variables_a_test_has_what_the_call_needs(tmp_path):
    """Of a web service there are some around each call."""
    (tmp_path / "surrounded.py").write_text(SURROUNDED)
    new = SURROUNDED.replace("12 // n", "12 // n if n else 0")
    candidate = make("new", [of_texts(str(tmp_path / "surrounded.py"), SURROUNDED, new)])
    fails, expect = "raises ZeroDivisionError", "result is not None"
    written = {}
    for name, user in (("share", "ada"), ("mine", "ada"), ("theirs", (lambda: "ada"))):
        with imported(tmp_path, "surrounded") as (module,):
            token = module.USER.set(user)
            kept = {"leaves_out": True, "landmarks": Landmarks.of(["surrounded"])}
            calls = captured(f"surrounded:{name}", [(0,), (1,), (2,)], fails, **kept)
            module.USER.reset(token)
        assert all(call.is_surrounded for call in calls)
        found = verify(Request("s", f"surrounded:{name}", calls, home(tmp_path), candidate,
                               fails, expect, least=1, exported=True))  # fmt: skip
        assert name == "theirs" or found.report.verdict == "fixed", found.report.reason
        folder = str(tmp_path / name)
        written[name] = export_tests(
            folder, f"surrounded:{name}", found.compared, fails, expect
        )
    for name in ("share", "mine"):
        assert written[name].files == [f"test_surrounded_{name}_call_1.py"]
        text = (tmp_path / name / written[name].files[0]).read_text()
        assert ("contextvars" in text) == (name == "mine")
        assert "1 failed" in run(tmp_path / name, tmp_path)
    (tmp_path / "surrounded.py").write_text(new)
    for name in ("share", "mine"):
        assert "1 passed" in run(tmp_path / name, tmp_path)
    assert "not known to come to the same" in written["theirs"].left_out[1]


MORE = """
import dataclasses, datetime

@dataclasses.dataclass
class Point:
    x: int
    y: object = None

Row = collections.namedtuple("Row", "a b")
"""
DIFFERING = {
    "json": ("return {'b': json.dumps({'n': 1})}", "return {'b': json.dumps({'n': 2})}"),
    "json_whole": ("return json.dumps([1, {'a': 'x'}])", "return json.dumps([1, {'a': 'y'}])"),
    "json_deep": (
        "return [json.dumps({'r': [{'id': 4, \"it's\": [1.5]}]})]",
        "return [json.dumps({'r': [{'id': 4, \"it's\": [2.5]}]})]",
    ),
    "json_twice": (
        "return {'b': '{\"a\": 1, \"a\": 2}'}",
        "return {'b': '{\"a\": 1, \"a\": 3}'}",
    ),
    "json_built_otherwise": ("return {'b': '{\"a\": 1}'}", "return {'b': '{\"a\":1}'}"),
    "json_beside_a_time": (
        "return {'b': json.dumps({'at': time.time(), 'sum': 1})}",
        "return {'b': json.dumps({'at': time.time(), 'sum': 2})}",
    ),
    "part": ("return ['a 1 b 2']", "return ['a 1 b 3']"),
    "part_beside_a_time": (
        "return ['at %s owes %d' % (time.time(), 4)]",
        "return ['at %s owes %d' % (time.time(), 5)]",
    ),
    "text": ("return {'t': 'abc'}", "return {'t': 'abd'}"),
    "order": ("return {'a': 1, 'b': 2}", "return {'b': 2, 'a': 1}"),
    "order_inside": ("return [{'a': 1, 'b': 2}]", "return [{'b': 2, 'a': 1}]"),
    "length": ("return {'l': [1]}", "return {'l': [1, 2]}"),
    "shorter": ("return {'l': [1, 2]}", "return {'l': [1]}"),
    "member": ("return {'s': {'read', 'write'}}", "return {'s': {'read', 'delete'}}"),
    "member_tuple": ("return {(1, 'a'), (2, 'b')}", "return {(1, 'a'), (2, 'c')}"),
    "key": ("return {'a': 1}", "return {'b': 1}"),
    "key_more": ("return {'a': 1}", "return {'a': 1, 'b': 2}"),
    "key_tuple": ("return {(1, 'a]'): {'x': 1}}", "return {(1, 'a]'): {'x': 2}}"),
    "key_number": ("return {1: [1], '1': [2]}", "return {1: [1], '1': [3]}"),
    "yes": ("return [1]", "return [True]"),
    "zero": ("return [0.0]", "return [-0.0]"),
    "kind": ("return [1, 2]", "return (1, 2)"),
    "as_float": ("return {'v': 1}", "return {'v': 1.0}"),
    "none": ("return {'a': None}", "return {'a': 0}"),
    "bytes": ("return [b'a\\xff']", "return [b'a\\xfe']"),
    "large": ("return {'big': 10 ** 40}", "return {'big': 10 ** 40 + 1}"),
    "field": ("return [Point(1, [2])]", "return [Point(1, [3])]"),
    "field_text": ("return Point(1, '{\"a\": 1}')", "return Point(1, '{\"a\": 2}')"),
    "named": ("return Row(1, 2)", "return Row(1, 3)"),
    "raised": ("raise KeyError('a')", "raise KeyError('b')"),
    "raised_else": ("raise KeyError('a')", "raise LookupError('a')"),
    "raised_first": ("raise KeyError('a')", "return 1"),
    "raised_now": ("return 1", "raise KeyError('a')"),
    "argument": ("x['a'][0].append(1)", "x['a'][0].append(2)", {"a": [[]]}),
    "argument_key": ("x['k'] = 1", "x['l'] = 1", {"a": 1}),
    "frozen": ("return frozenset('ab')", "return frozenset('ac')"),
    "number_as_key": ("return {decimal.Decimal(1): 1}", "return {decimal.Decimal(1): 2}"),
    "decimal": ("return decimal.Decimal('1.50')", "return decimal.Decimal('1.51')"),
    "decimal_digits": (
        "return {'d': decimal.Decimal('1')}",
        "return {'d': decimal.Decimal('1.0')}",
    ),
    "moment": (
        "return {'at': datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)}",
        "return {'at': datetime.datetime(2026, 1, 2, 4, tzinfo=datetime.UTC)}",
    ),
    "day": ("return datetime.date(2026, 1, 2)", "return datetime.date(2026, 1, 3)"),
    "set_in_order": ("return {'a': {1}, 'b': 2}", "return {'b': 2, 'a': {1}}"),
}
UNWRITTEN = {
    "closure": ("v = 1\nreturn lambda: v", "v = 2\nreturn lambda: v"),
    "printed": ("print(1)", "print(2)"),
    "range": ("return range(0, 3)", "return range(0, 4)"),
    "not_there": ("return [float('nan'), 1.5]", "return [float('inf'), 1.5]"),
}


@pytest.mark.soak
def test_they_tell_the_old_code_from_the_candidate(tmp_path):
    bodies = {**DIFFERING, **UNWRITTEN}
    old, new, given = texts_of(bodies, MORE)
    found = verified_texts(tmp_path, old, new, "call", given).compared
    assert {one.case.candidate for one in found} == {Candidate.DIFFERS}
    folder = tmp_path / "exported"
    exported = export_tests(str(folder), "tried:call", found, "", "")
    names = dict(enumerate(bodies, 1))
    assert {names[number] for number in exported.left_out} == set(UNWRITTEN)
    for text, said in ((old, "passed"), (new, "failed")):
        code = tmp_path / said
        code.mkdir()
        (code / "tried.py").write_text(text)
        assert f"{len(DIFFERING)} {said} in" in run(folder, code)


DECORATED = """
import functools

def told(function):
    @functools.wraps(function)
    def inner(*given):
        return {"w": function(*given)}
    return inner

def hidden(function):
    return lambda *given: [function(*given)]

@told
@hidden
def shares(x):
    return {"n": 10 // x}
"""


@pytest.mark.parametrize(
    ("fails", "given"),
    [pytest.param("", 2, marks=pytest.mark.soak), ("raises ZeroDivisionError", 0)],
)
@pytest.mark.soak
def test_they_call_beneath_decorators(tmp_path, fails, given):
    new = DECORATED.replace("10 // x", "12 // (x or 1)")
    expect = "exception is None and result['n'] == 12" if fails else ""
    found = verified_texts(tmp_path, DECORATED, new, "shares", [(given,)], fails, expect)
    folder = tmp_path / "exported"
    assert not export_tests(str(folder), "tried:shares", found.compared, fails, expect).left_out
    was, became = ("failed", "passed") if fails else ("passed", "failed")
    for text, said in ((DECORATED, was), (new, became)):
        code = tmp_path / said
        code.mkdir()
        (code / "tried.py").write_text(text)
        assert f"1 {said} in" in run(folder, code)


BATCHES = """
def batches(rows):
    for row in rows:
        yield {"row": row, "share": 12 // row}
    return len(rows)
"""


@pytest.mark.soak
def test_generators_are_gone_through_to_their_end(tmp_path):
    code, fixed = tmp_path / "old", tmp_path / "new"
    wrong = BATCHES.replace("12 // row", "12 // row + (row == 3) if row else 0")
    for folder, text in ((code, BATCHES), (fixed, wrong)):
        folder.mkdir()
        (folder / "batch.py").write_text(text)
    fails, expect = "raises ZeroDivisionError", "result == 2"
    with imported(code, "batch"):
        calls = captured("batch:batches", [([1, 0],), ([1, 2],), ([2, 3],)], fails)
    candidate = make("new", [of_texts(str(code / "batch.py"), BATCHES, wrong)])
    request = Request(
        "s", "batch:batches", calls, home(code), candidate, fails, expect, least=1
    )
    found = verify(request)
    assert found.report.verdict == "changes behaviour", found.report.sentence
    exported = export_tests(
        str(tmp_path / "kept"), "batch:batches", found.compared, fails, expect
    )
    assert (len(exported.files), exported.left_out) == (2, {})
    text = "".join(one.read_text() for one in (tmp_path / "kept").iterdir())
    assert "assert given_out[1]['share'] == 4" in text
    assert "1 failed, 1 passed" in run(tmp_path / "kept", code)
    assert "1 failed, 1 passed" in run(tmp_path / "kept", fixed)


TALLY = """
def tally(n):
    total = 0
    while True:
        try:
            total += 12 // (yield total)
        except KeyError as error:
            total = len(error.args)
"""
ROWS = """
async def rows(n):
    for one in n:
        yield 12 // one
"""
DRIVEN = TALLY + TALLY.replace("def tally", "async def atally") + ROWS


@pytest.mark.soak
def test_generators_are_driven_as_their_callers_did(tmp_path):
    """Asked, sent to, thrown into and left, of the asynchronous kind as well."""
    code, fixed = tmp_path / "old", tmp_path / "new"
    wrong = DRIVEN.replace("12 // (yield total)", "13 // ((yield total) or 13)").replace(
        "12 // one", "13 // (one or 13)"
    )
    for folder, text in ((code, DRIVEN), (fixed, wrong)):
        folder.mkdir()
        (folder / "driven.py").write_text(text)
    send, throw = (lambda value: (TurnKind.SEND, value)), (TurnKind.THROW, KeyError("a", "b"))
    end = (TurnKind.CLOSE, None)
    calls = {
        "rows": [([0, 1], {}), ([2, 1], {}), ([3], {1: end})],
        "tally": [
            (0, {1: send(0)}),
            (0, {1: send(1), 2: throw, 3: end}),
            (0, {1: send(4), 2: end}),
        ],
    }  # fmt: skip
    calls["atally"] = calls["tally"]
    fails, said = "raises ZeroDivisionError", compile_predicate("raises ZeroDivisionError")
    for name, driven in calls.items():
        with imported(code, "driven") as (module,):
            function = getattr(module, name)
            kept = [called(function, (given,), number, said, turns)
                    for number, (given, turns) in enumerate(driven, 1)]  # fmt: skip
        candidate = make("new", [of_texts(str(code / "driven.py"), DRIVEN, wrong)])
        request = Request("s", f"driven:{name}", kept, home(code), candidate, fails, least=1)
        found = verify(request)
        assert found.report.verdict == "changes behaviour", found.report.sentence
        to = tmp_path / name
        exported = export_tests(str(to), f"driven:{name}", found.compared, fails, "")
        many = len(found.compared) - 1  # one comes to the same
        assert (len(exported.files), exported.left_out) == (many, {})
        assert f"1 failed, {many - 1} passed" in run(to, code)
        assert f"{many - 1} failed, 1 passed" in run(to, fixed)


def test_what_the_program_itself_holds_is_imported_by_its_own_name():
    document = {"v": 1, "roots": {"site": [0]}, "nodes": [
        {"k": "name", "t": "site", "m": "__main__"}
    ]}  # fmt: skip
    source = arguments_source(document, main="program")
    assert (source.imports, source.roots) == (["import program"], {"site": "program.site"})
    with pytest.raises(NotLiteral, match="what the program itself holds"):
        arguments_source(document)


STORED = """
import contextlib, pathlib, sqlite3

FILE = pathlib.Path(__file__).with_name("rates.db")

def rate(book, stars):
    with contextlib.closing(sqlite3.connect(FILE)) as db, db:
        db.execute("insert into rates values (?, ?)", (book, stars))
        rows = db.execute("select stars from rates where book = ?", (book,)).fetchall()
    return sum(one for one, in rows) // (len(rows) if stars else 0)
"""


@pytest.mark.soak
def test_what_asks_a_database_writes_to_a_copy_of_it(tmp_path):
    (tmp_path / "stored.py").write_text(STORED)
    file = tmp_path / "rates.db"
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        db.execute("create table rates (book, stars)")
    new = STORED.replace(" if stars else 0", "")
    candidate = make("new", [of_texts(str(tmp_path / "stored.py"), STORED, new)])
    fails, expect = "raises ZeroDivisionError", "result >= 0"
    with imported(tmp_path, "stored"):
        calls = captured("stored:rate", [(1, 3), (1, 5), (2, 0), (2, 4)], fails)
    held = file.read_bytes()
    found = verify(Request("s", "stored:rate", calls, home(tmp_path), candidate, fails, expect,
                           least=1, exported=True))  # fmt: skip
    failing = [one for one in found.compared if one.case.failed]
    to = tmp_path / "kept"
    exported = export_tests(str(to), "stored:rate", failing, fails, expect)
    assert (exported.databases, exported.left_out) == (["database rates.db"], {})
    assert "1 failed" in run(to, tmp_path)
    (tmp_path / "stored.py").write_text(new)
    assert "1 passed" in run(to, tmp_path)
    assert file.read_bytes() == held
