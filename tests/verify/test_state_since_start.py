"""What a service has changed in its modules since it was started, where a fresh place has it as
it was then: a candidate that reads it anew is not known there."""

import json
import os
import subprocess
import sys

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.agent.capture import outlet
from leadline.agent.place.moved import Moved
from leadline.agent.state import CUT, UNKNOWN, held_by, held_by_modules
from leadline.trial.candidate import make, of_texts
from leadline.verify.state import IN_TWIN
from leadline.verify.verifying import Request, verify
from leadline.wire.struct import replace

CONF = """
RATE = 1
RATES = {}
"""
CODE = """
import collections, conf
from conf import RATES

class Shop:
    open = False
    def __init__(self):
        self.factor = 1

def tax(n):
    return n

RECENT = collections.deque()
CONFIG, STATS, DB, SHOP, FIXED = {"base": 1}, {"calls": 0}, None, Shop(), {"a": 1}

def helper(n):
    return CONFIG.get("factor", 1) * n

def f(n):
    STATS["calls"] += 1
    RECENT.append(n)
    while len(RECENT) > 20:
        RECENT.pop()
    value = n * CONFIG["base"]
    return {"q": 10 // (n % 3), "v": value}
"""
MENDED = CODE.replace("10 // (n % 3)", "10 // (n % 3) if n % 3 else 0")


def start(module, conf):
    """What a program does when it begins its work."""
    module.CONFIG["factor"] = 2
    module.RECENT.extend(range(20))
    module.STATS["calls"] = 20
    module.DB = object()
    module.SHOP.factor = 3
    module.Shop.open = True
    module.tax = lambda n: 2 * n
    conf.RATE = 2
    conf.RATES["a"] = 1


READS = {
    "a table": ("n * CONFIG", 'n * CONFIG.get("factor", 1) * CONFIG', "trade.CONFIG"),
    "none then": ('"v": value', '"v": value if DB is None else 0', "trade.DB"),
    "an object": ('"v": value', '"v": value * SHOP.factor', "trade.SHOP"),
    "a class": ('"v": value', '"v": value if Shop.open else 0', "trade.Shop.open"),
    "another function": ("value = n", "value = tax(n)", "trade.tax"),
    "another module": ("value = n", "value = n * conf.RATE", "conf.RATE"),
    "by name": ("value = n", 'value = n * RATES.get("a", 0)', "trade.RATES"),
    "in the function": (
        '    STATS["calls"]', '    from conf import RATE as r\n    STATS["calls"]', "conf.RATE",
    ),
    "beneath": ("value = n", "value = helper(n)", "trade.CONFIG"),
    "set, not added to": ('STATS["calls"] += 1', 'STATS["calls"] = 1', "trade.STATS"),
    "at its other end": ("RECENT.append(n)", "RECENT.appendleft(n)", "trade.RECENT"),
    "no more": ("    while len(RECENT) > 20:\n        RECENT.pop()\n", "", "trade.RECENT"),
}  # fmt: skip
SAME = {
    "as before": ("value = n", "value = 1 * n"),
    "what nobody has changed": ("value = n", 'value = FIXED["a"] * n'),
    "of its own": ("def f(n):", "OWN = {1: 1}\ndef f(n):\n    OWN.get(n)"),
}


COUNTING = """
SEEN, OUT, TABLE, LOG = 0, [], {}, []

class Service:
    def __init__(self):
        self.count = 0

    def f(self, n):
        global SEEN
        self.count += 1
        share = 10 // (n % 3)
        OUT.append((n, share))
        TABLE[n] = share
        SEEN += 1
        return {"q": share}

SERVICE = Service()

def f(n):
    return SERVICE.f(n)
"""
"""What a call puts into something, as counters and lists, comes out of nothing it says."""
PUTS = {
    "or": ("10 // (n % 3)", "10 // (n % 3 or 1)", "fixed"),
    "read": ("10 // (n % 3)", "10 // (n % 3 or 1 + len(OUT))", "unknown"),
    "taken": ('{"q": share}', '{"q": share, "o": OUT.pop() and 0}', "unknown"),
}


@pytest.mark.parametrize("which", PUTS)
def test_what_a_call_only_puts_something_into_need_not_be_as_it_was(tmp_path, which):
    old, new, verdict = PUTS[which]
    mended = COUNTING if which == "or" else COUNTING.replace("(n % 3)", "(n % 3 or 1)")
    text = (
        mended.replace(old, new) if old in mended else mended.replace("10 // (n % 3 or 1)", new)
    )
    file = tmp_path / "counting.py"
    file.write_text(COUNTING)
    with imported(tmp_path, "counting") as (module,):
        calls = captured("counting:f", [(n,) for n in range(12)], "raises ZeroDivisionError")
        state = {"counting": held_by("counting", vars(module))}
    where = replace(home(tmp_path), state=state)
    candidate = make("new", [of_texts(str(file), COUNTING, text)])
    asked = ("raises ZeroDivisionError", "result['q'] == 10")
    request = Request("s", "counting:f", calls, where, candidate, *asked, least=1)
    report = verify(request).report
    assert report.verdict == verdict, report.sentence


def reports(folder, changes):
    """Return the report of each candidate, all on the same calls."""
    (folder / "conf.py").write_text(CONF)
    (folder / "trade.py").write_text(CODE)
    file = str(folder / "trade.py")
    with imported(folder, "trade", "conf") as (module, conf):
        start(module, conf)
        calls = captured("trade:f", [(n,) for n in range(12)], "raises ZeroDivisionError")
        state = {name: held_by(name, vars(one)) for name, one in
                 (("trade", module), ("conf", conf))}  # fmt: skip
    where = replace(home(folder), state=state)
    for old, new, *_ in changes:
        assert old in MENDED
        candidate = make("new", [of_texts(file, CODE, MENDED.replace(old, new))])
        asked = ("raises ZeroDivisionError", "result['q'] == 0")
        yield verify(Request("s", "trade:f", calls, where, candidate, *asked, least=1)).report


@pytest.mark.parametrize("which", list(READS)[::6])
def test_what_only_the_candidate_reads_is_not_known(tmp_path, which):
    (report,) = reports(tmp_path, [READS[which]])
    assert report.verdict == "unknown", report.sentence
    assert READS[which][2] in report.reason
    assert IN_TWIN in report.reason


@pytest.mark.soak
def test_so_it_is_of_all_that_a_start_can_change(tmp_path):
    for which, report in zip(READS, reports(tmp_path, READS.values()), strict=True):
        assert report.verdict == "unknown", (which, report.sentence)
        assert READS[which][2] in report.reason


@pytest.mark.soak
def test_what_the_old_code_reads_as_well_is_known(tmp_path):
    for report in reports(tmp_path, list(SAME.values())[:2]):
        assert report.verdict == "fixed", report.sentence


LATER = """
CONFIG = {}

def f(n):
    share = 10 // (n % 3)
    return {"q": share, "v": n, "c": CONFIG["currency"]}
"""


@pytest.mark.parametrize("mended", ["10 // (n % 3) if n % 3 else 0", "[10 // (n % 3)][0]"])
def test_what_the_old_code_lacks_as_well_is_nothing_against_a_candidate(tmp_path, mended):
    (tmp_path / "later.py").write_text(LATER)
    with imported(tmp_path, "later") as (module,):
        module.CONFIG["currency"] = "EUR"
        calls = captured("later:f", [(n,) for n in range(12)], "raises ZeroDivisionError")
    new = LATER.replace("10 // (n % 3)", mended)
    candidate = make("new", [of_texts(str(tmp_path / "later.py"), LATER, new)])
    asked = ("raises ZeroDivisionError", "result['q'] == 0")
    request = Request("s", "later:f", calls, home(tmp_path), candidate, *asked, least=1)
    report = verify(request).report
    if mended.startswith("["):  # it fails as before
        assert report.verdict == "not fixed", report.sentence
        return
    assert report.verdict == "unknown", report.sentence
    assert "raised KeyError('currency'), as the old code does in this place" in report.reason
    assert IN_TWIN in report.reason


HELD = """
import collections, dataclasses, enum, functools, logging, os, re, socket, threading, weakref
from decimal import Decimal

class Colour(enum.Enum):
    RED = 1

@dataclasses.dataclass
class Point:
    x: int = 1
    tags: set = dataclasses.field(default_factory=lambda: {"a", "b", "c", "d"})

class Shop:
    rate, names, own = 2, ["a"], Point()
    def sell(self): ...

WORDS = {f"w{n}" for n in range(50)}
TABLE = {("a", 1): {"b": Point(2)}, Colour.RED: frozenset("xyz"), 3: Decimal("1.5")}
LOG, LOCK, LOCAL, PATTERN = \\
    logging.getLogger("x"), threading.Lock(), threading.local(), re.compile(".")
QUEUE, CACHED, COUNTED = \\
    collections.deque([1], 5), functools.cache(len), collections.Counter("aab")
password = "hunter22"
SETTINGS = {"api_key": "sk_live_1234567890abcdef", "debug": True}
LARGE = list(range(100_000))
SHOP, HERE = Shop(), Point(x=5)
HERE.password = "hunter22"
AGAIN = [HERE]; AGAIN.append(AGAIN)
def outer():
    def inner(): ...
    return inner
made = outer()
"""
TOLD = """
import json, sys, held
from leadline.agent.state import held_by_modules
found = held_by_modules(held.__file__)
print(json.dumps(found["held"]))
"""


def told(folder, seed):
    done = subprocess.run(
        [sys.executable, "-c", TOLD], capture_output=True, text=True, timeout=30, check=True,
        env={**os.environ, "PYTHONPATH": f"{folder}:{os.pathsep.join(sys.path)}",
             "PYTHONHASHSEED": seed, "LEADLINE_OFF": "1"},
    )  # fmt: skip
    return json.loads(done.stdout)


def test_two_processes_tell_the_same_of_what_was_made_alike(tmp_path):
    (tmp_path / "held.py").write_text(HELD)
    one, other = told(tmp_path, "1"), told(tmp_path, "2")
    assert one == other
    assert {"WORDS", "TABLE", "HERE", "HERE.x", "Shop.rate", "Shop.own", "made"} <= set(one)
    assert not {"Shop", "Point", "outer", "os", "Shop.sell"} & set(one)
    assert {one[name] for name in ("password", "HERE.password", "LARGE", "LOCAL")} == {UNKNOWN}
    (tmp_path / "held.py").write_text(
        HELD.replace("hunter22", "another1").replace("sk_live_1", "sk_live_2")
    )
    assert told(tmp_path, "1") == one, "a secret is no part of a digest"
    (tmp_path / "held.py").write_text(HELD.replace("= 2, [", "= 3, ["))
    changed = told(tmp_path, "1")
    assert [name for name in one if one[name] != changed[name]] == ["Shop.rate"]


HOSTILE = """
class Meta(type):
    def __getattribute__(cls, name): RAN.append(name); raise SystemExit
    def __instancecheck__(cls, one): RAN.append("check"); raise SystemExit
class Evil(metaclass=Meta):
    def __getattribute__(self, name): RAN.append(name); raise SystemExit
    def __eq__(self, other): RAN.append("eq"); raise SystemExit
    def __hash__(self): RAN.append("hash"); return 1
    def __repr__(self): RAN.append("repr"); raise SystemExit
    def __iter__(self): RAN.append("iter"); raise SystemExit
class Late:
    def __get__(self, one, cls): RAN.append("get"); raise SystemExit
class Holder:
    late, evil = Late(), Evil()
EVIL, TABLE = Evil(), {"a": Evil()}
NAMES = {1: 2}
"""


def test_no_code_of_the_application_runs_for_it():
    held = {"RAN": [], "__name__": "hostile"}
    exec(HOSTILE, held)
    held["RAN"].clear()
    held[3] = held["\udcff"] = 1
    found = held_by("hostile", held)
    assert held["RAN"] == []
    assert {"EVIL", "TABLE", "NAMES", "Holder.evil"} <= set(found)
    assert "Holder.late" not in found


def test_a_strict_service_tells_nothing_of_it(monkeypatch):
    assert held_by_modules(__file__)
    monkeypatch.setattr(outlet, "is_strict", lambda: True)
    assert held_by_modules(__file__) == {}


def test_of_modules_for_which_there_is_no_time_nothing_is_known(monkeypatch):
    monkeypatch.setattr("leadline.agent.state.MAX_S", -1.0)
    found = held_by_modules(__file__)
    assert found
    assert all(names == {CUT: UNKNOWN} for names in found.values())


def test_what_the_program_holds_is_told_before_a_library_that_the_entry_is_in():
    core = sys.modules["hypothesis.core"]
    found = [
        name.partition(".")[0] == "hypothesis" for name in held_by_modules(core.__file__ or "")
    ]
    assert set(found) == {True, False}
    assert found == sorted(found)


class Held:
    at_start = ("held",)


def test_attributes_of_a_library_that_nobody_looked_at_are_none_of_the_services():
    live = {name: {CUT: UNKNOWN} for name in (__name__, "hypothesis.errors", "logging")}
    found = [one.split(":") for one in Moved(live, lambda file: file == __file__).names]
    assert [__name__, "Held.at_start"] in found
    of_libraries = [name for module, name in found if module != __name__]
    assert "root" in of_libraries  # what a library holds by itself is what nobody knows
    assert not [name for name in of_libraries if "." in name]
