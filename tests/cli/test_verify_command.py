"""`leadline verify` on a service that runs: in fresh processes, in twins, with an approval."""

import json
import re
import signal
import subprocess
import sys

import pytest

from leadline.cli.client import Client
from leadline.verify.verdict import LEAST_GOOD
from leadline.wire.capture_file import read_capture_file
from live import LEADLINE, Program
from waiting import wait_for

SHARING = """\
RATES = {}

def shares(amount, weights):
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    parts[0] += amount - sum(parts)
    return parts

def rated(name):
    RATES.setdefault(name, object())
    return sum(shares(100, [1, len(name)])) + (0 if isinstance(RATES[name], object) else 1)

class Line:
    def __init__(self):
        self.lock = open(__file__)

    def priced(self, amount):
        return helped(amount) + self.lock.closed

def helped(amount):
    return amount + 1
"""
WORKER = """\
import time
from sharing import Line, rated, shares
line = Line()
for number in range(1_000_000):
    try:
        shares(1_000, [number % 4, number % 3, number % 2])
    except ZeroDivisionError:
        pass
    rated("ab")
    line.priced(number % 5)
    time.sleep(0.01)
"""
FIX = """\
--- a/sharing.py
+++ b/sharing.py
@@ -3,3 +3,5 @@ RATES = {}
 def shares(amount, weights):
     whole = sum(weights)
+    if not whole:
+        return [amount, *(0 for _ in weights[1:])]
     parts = [amount * weight // whole for weight in weights]
"""
FAILS = ("--fails", "raises ZeroDivisionError")
ENOUGH = ("--least", "5")
FEW = """\
import sys
from leadline.cli import main, verify
verify.MANY = 24  # some of them fail: the good ones are too few
sys.exit(main.main())
"""


@pytest.fixture
def worker(leadline, tmp_path):
    (tmp_path / "sharing.py").write_text(SHARING)
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "fix.diff").write_text(FIX)
    environ = {
        "LEADLINE_TWIN": "threads",
        "LEADLINE_TWIN_LOAD": "1000",
        "LEADLINE_TWIN_PAUSE": "10000",
        "LEADLINE_TWIN_RATE": "50",
    }
    command = [LEADLINE, "run", "--service", "worker", "--", sys.executable, "worker.py"]
    with Program(command, tmp_path, environ) as program:
        wait_for(lambda: leadline.connected("worker"), 20, "the worker connects")
        before = (tmp_path / "sharing.py").read_text()
        yield program
        assert program.process.poll() is None
        assert (tmp_path / "sharing.py").read_text() == before


def test_a_fix_in_fresh_processes_and_in_twins(leadline, worker, tmp_path):
    expect = ("--expect", "result[0] == amount")
    told = subprocess.run(
        [sys.executable, "-c", FEW, "verify", "worker", *FAILS, *expect, "--patch", "fix.diff",
         "--json"], cwd=leadline.cwd, capture_output=True, text=True, check=True, timeout=90,
    )  # fmt: skip
    found = json.loads(told.stdout)
    assert found["sentence"].startswith("fixed: "), found["sentence"]
    assert found["shares"]["others"] >= LEAST_GOOD
    assert re.search(r"\d+ good calls have come by .* wanted; capturing up to \d+", told.stderr)
    assert (found["entry"], found["exit_status"]) == ("sharing:shares", 0)
    kept = leadline.json("verdicts")["verdicts"]
    assert [(one["verdict"], one["service"]) for one in kept] == [("fixed", "worker")]
    said = leadline.cli(
        "verify", "worker", "--place", "hit", "--patch", "fix.diff", "-n", "4", "--json",
        status=None,
    )  # fmt: skip
    hits = json.loads(said.splitlines()[0])
    assert hits["place"] == "twins of the live process, one at each hit"
    found = leadline.json(
        "verify",
        "worker",
        "--place",
        "twin",
        *FAILS,
        *expect,
        "--patch",
        "fix.diff",
        "-n",
        "24",
        *ENOUGH,
    )
    assert found["sentence"].startswith("fixed: "), found["sentence"]
    assert re.fullmatch(r"twin of the live process, state of \d\d:\d\d:\d\d", found["place"])
    for twins in (hits, found):
        _agrees(twins)


def _agrees(found):
    assert not any("not compared" in note for note in found["notes"])
    said = (found["place"], found["unknown"], found["notes"])
    assert found["shares"]["agreed"] == found["shares"]["calls"], said


@pytest.mark.soak
def test_in_the_checkout_in_which_the_change_was_made_it_is_the_same(
    leadline, worker, tmp_path
):
    expect = ("--expect", "result[0] == amount")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(tmp_path)]
    for words in (["init", "-q"], ["add", "sharing.py"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    subprocess.run([*git, "apply", "fix.diff"], check=True)
    here = ("verify", "worker", *FAILS, *expect, "-n", "24", *ENOUGH)
    again = leadline.json(*here, "--place", "twin", "--patch", "fix.diff")
    leadline.cwd = tmp_path.parent  # where no file is that the service has
    ref = leadline.json(*here, "--ref", "HEAD")
    leadline.cwd = tmp_path
    subprocess.run([*git, "checkout", "-q", "sharing.py"], check=True)
    for made in (again, ref):
        assert made["sentence"].startswith("fixed: "), made["sentence"]
        assert any("the service has loaded is the text before" in one for one in made["notes"])
    _agrees(again)


@pytest.mark.soak
def test_who_stops_the_capture_wants_no_further_one(leadline, worker, tmp_path):
    asked = [LEADLINE, "verify", "worker", *FAILS, "--patch", "fix.diff", "--least", "500"]
    with Program(asked, leadline.cwd) as stopped:
        wait_for(lambda: re.search(r"calls, [1-9]\d* failing", stopped.err), 30)
        stopped.process.send_signal(signal.SIGINT)
        assert stopped.end(30) == 3, stopped.out + stopped.err
        assert "stopped; what came is used" in stopped.err
        assert "capturing up to" not in stopped.err, "who stops it wants no more"


def test_where_a_fresh_process_cannot_be_as_the_live_one_twins_are_tried(
    leadline, worker, tmp_path
):
    text = SHARING.replace("return amount + 1", "return 1 + amount")
    (tmp_path / "new.py").write_text(text)
    found = leadline.json(
        "verify", "worker", "--entry", "sharing:Line.priced", "--replace", "sharing.py=new.py",
        "-n", "4", status=2,
    )  # fmt: skip
    assert found["verdict"] == "no difference seen"
    assert found["place"].startswith("twin of the live process, state of ")
    assert "a fresh process agreed less often" in found["notes"]
    # what sets something that lasts is tried as it begins: a later twin has that already
    found = leadline.json(
        "verify", "worker", "--place", "twin", "--entry", "sharing:rated", "-n", "2",
        "--replace", "sharing.py=new.py", status=2,
    )  # fmt: skip
    assert found["place"] == "twins of the live process, one at each hit"
    assert any(one.startswith("tried at hits: sharing.py:") for one in found["notes"])


@pytest.mark.soak
def test_a_server_that_goes_away_costs_nothing_that_came(leadline, worker, tmp_path):
    """The capture's file is there, and the verification goes on with the calls that it has."""
    common = ("worker", "-n", "9000", "--for", "60s")
    commands = [
        ("capture", common[0], "sharing:shares", *common[1:], "-o", "calls.jsonl"),
        ("verify", *common, "--entry", "sharing:shares", *FAILS, "--patch", "fix.diff"),
    ]
    with (
        Program([LEADLINE, *commands[0]], tmp_path) as capture,
        Program([LEADLINE, *commands[1]], tmp_path) as verify,
    ):
        for command in (capture, verify):
            wait_for(
                lambda command=command: re.search(
                    r"([3-9]\d|\d{3,}) of \d+ calls", command.err
                ),
                30,
            )
        leadline.kill()
        assert capture.end() == 69
        assert verify.end(60) == 2  # a fix without --expect: no longer fails
        assert "calls came before" in capture.err
        assert "no longer fails" in verify.out
        assert "the capture ended early" in verify.out
    with (tmp_path / "calls.jsonl").open(encoding="utf-8") as lines:
        assert read_capture_file(lines).calls
    known = ("verify", "--captured", "calls.jsonl", *FAILS, "--patch", "fix.diff", "-n", "20")
    said = leadline.cli(*known, "--markdown", "/dev/full", status=69)
    assert "control agreed on " in said  # a verdict is there, whatever becomes of its file
    # a file may come from anywhere: the interpreter that it names does not run by itself
    (tmp_path / "evil").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (tmp_path / "evil").chmod(0o755)
    lines = (
        (tmp_path / "calls.jsonl").read_text().replace(sys.executable, str(tmp_path / "evil"))
    )
    (tmp_path / "calls.jsonl").write_text(lines)
    said = leadline.cli(*known, status=3)
    assert "runs only when it is given with --python" in said
    assert "control agreed on " in said
    assert not (tmp_path / "ran").exists()
    said = leadline.cli(*known, "--python", sys.executable, status=3)
    assert "runs only when" not in said


SCRIPT = """\
import time

class Order:
    def __init__(self, people):
        self.people = people

    def share(self):
        return 100 // self.people

def quote(order, then):
    return {"share": order.share(), "kind": type(order)}

def main():
    for number in range(1_000_000):
        try:
            quote(Order(number % 4), main)
        except ZeroDivisionError:
            pass
        time.sleep(0.01)

if __name__ == "__main__":
    main()
"""


BOOK = """\
import contextlib, sqlite3
DB = sqlite3.connect("book.db", isolation_level=None)
DB.execute("create table sale (id integer primary key, state text)")
DB.executemany("insert into sale values (?, 'new')", ((i,) for i in range(5_000)))

def promote(number):
    DB.execute("update sale set state = 'paid' where id = ? and state = 'new'", (number,))

def settled(number):
    with contextlib.closing(sqlite3.connect("book.db")) as db, db:
        (state,) = db.execute("select state from sale where id = ?", (number,)).fetchone()
        db.execute("update sale set state = 'paid' where id = ? and state = 'new'", (number,))
    return state

class Guests(dict):
    def get(self, number):
        if number not in self:
            self[number] = {"number": number}
        return self[number]

guests = Guests()
"""
TILL = """\
import time
from book import guests, promote, settled

def settle(number, note):
    promote(number)
    return note.strip()

def close(number, note):
    state = settled(number)
    return note.strip()

def greet(number, note):
    guest = guests.get(number)
    return note.strip(), guest["number"]

if __name__ == "__main__":
    for number in range(1_000_000):
        note = " a" if number % 4 else None
        for function, of in ((settle, number % 2), (greet, number), (close, number + 2)):
            try:
                function(of, note)
            except AttributeError:
                pass
        time.sleep(0.05)
"""


@pytest.fixture
def till(leadline, tmp_path):
    """Returns what tries a candidate of one of its functions."""
    fixed = TILL.replace("note.strip()", "(note or '').strip()")
    settled = "    state = settled(number)\n"
    candidates = {
        "fixed": fixed,
        "wrong": fixed.replace("    promote(number)\n", ""),
        "lost": fixed.replace("guests.get(number)", "dict.get(guests, number, {'number': 1})"),
        "guard": fixed.replace(
            settled, f"{settled}    if state == 'paid':\n        return 'twice'\n"
        ),
        "never": fixed.replace(settled, ""),
    }
    (tmp_path / "book.py").write_text(BOOK)
    (tmp_path / "till.py").write_text(TILL)
    for name, text in candidates.items():
        (tmp_path / f"{name}.py").write_text(text)

    def told(entry, candidate, place, many):
        said = leadline.cli(
            "verify", "till", "--entry", f"__main__:{entry}", "--place", place, "--fails",
            "raises AttributeError", "--replace", f"till.py={candidate}.py", "-n", str(many),
            "--least", "1", "--json", status=None,
        )  # fmt: skip
        return json.loads(said.splitlines()[0])

    environ = {"LEADLINE_TWIN": "threads", "LEADLINE_TWIN_LOAD": "1000",
               "LEADLINE_TWIN_PAUSE": "10000", "LEADLINE_TWIN_RATE": "50"}  # fmt: skip
    command = [LEADLINE, "run", "--service", "till", "--", sys.executable, "till.py"]
    with Program(command, tmp_path, environ):
        wait_for(lambda: leadline.connected("till"), 20, "the till connects")
        yield told


def test_what_calls_have_set_already_is_no_evidence_in_twins(till):
    """What is set stands in another file, and the runs say that it was called."""
    wrong = till("settle", "wrong", "hit", 3)["sentence"]
    assert wrong.startswith("unknown"), wrong
    assert "what the change leads to, and the database that is open may" in wrong
    lost = till("greet", "lost", "twin", 6)
    assert lost["sentence"].startswith("changes behaviour"), lost["sentence"]
    assert lost["place"] == "twins of the live process, one at each hit"


@pytest.mark.soak
def test_a_twin_at_its_hit_mostly_finds_what_the_live_call_has_found(till):
    """A guard against doing a thing twice is right, and what is never done is not."""
    verdicts = [
        till(*names, "hit", 12)["verdict"]
        for names in (("settle", "fixed"), ("close", "guard"), ("close", "never"))
    ]
    assert verdicts == ["no longer fails", "no longer fails", "changes behaviour"]


def test_the_program_itself_is_imported_without_beginning_its_work(leadline, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    new = SCRIPT.replace("100 // self.people", "100 // (self.people or 1)")
    (tmp_path / "new.py").write_text(new)
    command = [LEADLINE, "run", "--service", "script", "--", sys.executable, "script.py"]
    with Program(command, tmp_path):
        wait_for(lambda: leadline.connected("script"), 20, "the script connects")
        found = leadline.json(
            "verify", "script", "--entry", "__main__:quote", *FAILS, "--expect",
            "result['share'] == 100", "--replace", "script.py=new.py", "-n", "32", *ENOUGH,
        )  # fmt: skip
    assert found["sentence"].startswith("fixed: "), found["sentence"]
    assert found["shares"]["agreed"] == 32


def test_a_service_that_nobody_knows_is_not_waited_for(leadline, tmp_path):
    (tmp_path / "fix.diff").write_text(FIX)
    words = ("verify", "nosuch", "--entry", "sharing:shares", "--patch", "fix.diff")
    said = leadline.cli(*words, status=None)
    assert "knows no service 'nosuch'" in said


def test_who_may_not_run_code_waits_for_an_approval(leadline, worker, tmp_path):
    leadline.cli("keys", "add", "robot", "--to", str(tmp_path / "robot.key"))
    robot = {"LEADLINE_KEY": (tmp_path / "robot.key").read_text().strip()}
    command = [LEADLINE, "verify", "worker", "--place", "twin", "--entry", "sharing:shares",
               "--patch", "fix.diff", "-n", "2", "--json"]  # fmt: skip
    with Program(command, tmp_path, robot) as verify:
        said = verify.wait_for("somebody has to approve")
        (name,) = re.findall(r"/approvals/(\w+)", said)
        client = Client()
        digest = client.get(f"/v1/approvals/{name}")["approval"]["digest"]
        client.post(f"/v1/approvals/{name}/approve", {"digest": digest})
        client.close()
        verify.end()
        assert json.loads(verify.out)["shares"]["calls"] == 2
    with Program(command, tmp_path, robot) as verify:
        (name,) = re.findall(r"/approvals/(\w+)", verify.wait_for("somebody has to approve"))
        client = Client()
        client.post(f"/v1/approvals/{name}/refuse", {"digest": digest})
        client.close()
        assert verify.end() == 77
        assert "was not approved: refused" in verify.err


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        (["worker"], "no-candidate"),
        (["--patch", "fix.diff"], "no-calls"),
        (["worker", "--captured", "c.jsonl", "--patch", "fix.diff"], "no-calls"),
        (["--captured", "missing.jsonl", "--patch", "x.diff"], "bad-capture-file"),
        (["worker", "--patch", "missing.diff"], "bad-patch"),
        (["worker", "--expect", "result > 0", "--patch", "x.diff"], "no-predicate"),
        (["worker", "--fails", "f(", "--patch", "x.diff"], "expression-"),
        (["worker", "--fails", "raises", "--patch", "x.diff"], "expression-syntax"),
        (["worker", "--patch", "x.diff", "-n", "0"], "bad-limit"),
        (["worker", "--patch", "x.diff", "-n", "10001"], "bad-limit"),
        (["worker", "--patch", "x.diff", "--within", "nan"], "bad-limit"),
        (["worker", "--patch", "x.diff", "--within", "inf"], "bad-limit"),
        (["--captured", "/dev/zero", "--patch", "x.diff"], "bad-capture-file"),
        (["worker", "--patch", "/dev/zero"], "bad-patch"),
        (["worker", "--patch", "none.diff"], "bad-patch"),
        (["worker", "--patch", "x.diff", "--path", "nowhere"], "no-such-path"),
        (["worker", "--patch", "x.diff", "--entry", "sharing"], "bad-target"),
    ],
)
def test_what_does_not_go_together_is_said_at_once(home, tmp_path, words, slug):
    (tmp_path / "x.diff").write_text("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-1\n+2\n")
    (tmp_path / "none.diff").write_text("nonsense")
    with Program([LEADLINE, "verify", *words], tmp_path) as program:
        assert program.end() == 64
        assert f"docs/errors/{slug}" in program.err


HEADER = {
    "leadline": "capture", "schema_version": 1, "service": "s", "entry": "sharing:shares",
    "home": {"python": "3.13.0", "executable": "", "path": [], "folder": ".", "file": "",
             "digest": ""},
}  # fmt: skip
CALL = {
    "entry": "sharing:shares", "kind": "function", "returned": True,
    "arguments": {"amount": 1, "weights": []},
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--entry", "sharing:others"], "has calls of sharing:shares, not of sharing:others"),
        (["--fails", "raises KeyError", "--expect", "whole > 1"], "have no whole, which"),
        (["--fails", "amuont > 1"], "they have amount, weights"),
    ],
)
def test_what_no_call_of_a_file_can_answer_is_said_before_any_runs(home, tmp_path, words, said):
    lines = (json.dumps(one) + "\n" for one in (HEADER, CALL))
    (tmp_path / "calls.jsonl").write_text("".join(lines))
    (tmp_path / "fix.diff").write_text(FIX)
    command = [LEADLINE, "verify", "--captured", "calls.jsonl", "--patch", "fix.diff", *words]
    with Program(command, tmp_path) as program:
        assert program.end() == 64
        assert said in program.err


def test_a_candidate_that_is_no_python_is_told_so_before_calls_are_waited_for(leadline):
    for name, text in {"sharing.py": SHARING, "new.py": "def shares(:\n"}.items():
        (leadline.cwd / name).write_text(text)
    said = leadline.cli("verify", "worker", "--replace", "sharing.py=new.py", status=None)
    assert "sharing.py:1 cannot be compiled: invalid syntax" in said
    assert "capturing" not in said
