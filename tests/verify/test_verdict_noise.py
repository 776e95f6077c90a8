"""What differs by itself hides nothing else, and is no difference: the order of sets, luck,
classes and keys that look alike, lines that have moved."""

from pathlib import Path

import pytest
from test_verdict_second_eyes import became, only, verified

from leadline.verify.verdict import Candidate

OTHER = """
class NotFound(Exception):
    pass

class Point:
    def __init__(self, x):
        self.x = x
"""
STATE = f"""
import other_of_it
{OTHER}
class Refused(KeyError):
    pass

SETS = {{
    "read": {{"read", "write"}},
    "delete": {{"read", "delete"}},
    "more": {{"read", "write", "own"}},
}}

def maker(number):
    def made(x):
        return x + number
    return made
"""
UNKNOWN = {
    "of_a_set": ("return list(SETS['read'])", "return list(SETS['delete'])"),
    "told": (
        "return {'n': 1, 'm': 'tags %s' % SETS['read']}",
        "return {'n': 1, 'm': 'tags %s' % SETS['more']}",
    ),
    "nothing_told": (
        "return {'n': 1, 'm': 'tags %s' % SETS['read']}", "return {'n': 1, 'm': None}"
    ),
    "printed": ("print(SETS['read'], 'total', 1)", "print(SETS['read'], 'total', 2)"),
    "raised": ("raise NotFound(1)", "raise other_of_it.NotFound(1)"),
    "made": ("return Point(1)", "return other_of_it.Point(1)"),
    "a_class": ("return [Point]", "return [other_of_it.Point]"),
    "base": ("class E(KeyError): pass\nraise E(1)", "class E(Exception): pass\nraise E(1)"),
}  # fmt: skip
DIFFERS = {
    "functions": ("return {maker(1): 1, maker(1): 5}", "return {maker(1): 2, maker(1): 5}"),
    "objects": ("return {object(): 1, object(): 5}", "return {object(): 2, object(): 5}"),
    "no_numbers": (
        "return {float('nan'): 1, float('nan'): 5}", "return {float('nan'): 2, float('nan'): 5}"
    ),
    "beside_a_set": (
        "return {'n': 1, 'm': list(SETS['read'])}", "return {'n': 2, 'm': list(SETS['read'])}"
    ),
}  # fmt: skip
CLOCK = """
import datetime, time
from datetime import UTC, timedelta, timezone
now = datetime.datetime.now
"""
OTHER_TIMES = {
    "naive": ("return {'a': now(UTC)}", "return {'a': now()}"),
    "text": ("return {'b': str(now(UTC))}", "return {'b': str(now())}"),
    "in_a_text": ("return {'c': f'at {now(UTC)}, ok'}", "return {'c': f'at {now()}, ok'}"),
    "zone": ("return {'d': now(UTC)}", "return {'d': now(timezone(timedelta(hours=2)))}"),
    "unit": ("return {'e': time.time_ns()}", "return {'e': int(time.time_ns() / 1e6)}"),
    "expiry": ("return {'f': time.time() + 3_600}", "return {'f': time.time() - 3_600}"),
    "later": ("return {'g': now()}", "return {'g': now() + timedelta(hours=2)}"),
}
ALIKE = {
    "time": ("return {'h': time.time()}", "return {'h': time.time() + 0}"),
    "ns": ("return {'i': time.time_ns()}", "return {'i': 1 + time.time_ns()}"),
    "aware": ("return {'j': now(UTC)}", "return {'j': now(timezone.utc)}"),
    "alike": ("return {'k': str(now(UTC))}", "return {'k': f'{now(UTC)}'}"),
}


@pytest.mark.soak
def test_a_clock_explains_minutes_and_no_zone(tmp_path):
    assert became(tmp_path, OTHER_TIMES | ALIKE, CLOCK) == {
        **only(Candidate.DIFFERS, OTHER_TIMES),
        **only(Candidate.SAME, ALIKE),
    }


SAME = {
    "the_same_set": ("return list(SETS['read'])", "x = 1\nreturn list(SETS['read'])"),
    "printed_set": ("print(SETS['read'])", "x = 1\nprint(SETS['read'])"),
    "written_set": (
        "return str(SETS['read'])[:0], 1",
        "x = 1\nreturn str(SETS['read'])[:0], 1",
    ),
}


@pytest.mark.soak
def test_what_is_alike_by_its_name_or_noisy_by_itself_hides_nothing(tmp_path):
    (tmp_path / "other_of_it.py").write_text(OTHER)
    assert became(tmp_path, UNKNOWN | DIFFERS | SAME, STATE) == {
        **only(Candidate.UNKNOWN, UNKNOWN),
        **only(Candidate.DIFFERS, DIFFERS),
        **only(Candidate.SAME, SAME),
    }


SHIFTED = """
def logged(x):
    try:
        return 1 // 0
    except ZeroDivisionError:
        logging.getLogger("of_it").exception("failed %d", 1)

def warned(x):
    warnings.warn("hm", stacklevel=1)

def traced(x):
    try:
        return 1 // 0
    except ZeroDivisionError:
        return {"tb": traceback.format_exc()}
"""


def test_where_a_line_stands_is_no_difference(tmp_path):
    bodies = {
        name: (f"return {name}(1)", f"x = 1\nreturn {name}(1)")
        for name in ("logged", "warned", "traced")
    }
    bodies["other_line"] = (
        "return {'at': 'line 1, of_it.py:1'}",
        "return {'at': 'line 2, of_it.py:2'}",
    )
    more = (
        f"import traceback\nlogging.basicConfig()\nwarnings.simplefilter('always')\n{SHIFTED}"
    )
    with pytest.warns(UserWarning, match="hm"):
        found = became(tmp_path, bodies, more, "# another line\n\n")
    assert found == {
        **only(Candidate.SAME, ("logged", "warned", "traced")),
        "other_line": Candidate.DIFFERS,
    }


@pytest.mark.soak
def test_luck_is_no_difference(tmp_path):
    """Of a draw with few outcomes both controls are alike in most calls."""
    old = "import random\n\ndef f(x):\n    return {'n': x, 'drawn': random.random() < 0.4}\n"
    given = [(number,) for number in range(24)]
    same = verified(
        tmp_path, old, old.replace("    return", "    y = x\n    return"), "f", given
    )
    assert same.report.verdict in ("unknown", "no difference seen")  # once in thirty times
    assert same.report.verdict != "unknown" or "luck" in same.report.reason
    wrong = verified(tmp_path, old, old.replace("'n': x", "'n': x + 1"), "f", given)
    assert wrong.report.verdict == "changes behaviour"


OUTSIDE = """
import socket, subprocess

def sent(text):
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(text, ("127.0.0.1", 9))
    except OSError:
        pass

def written(text):
    try:
        with open("/dev/shm/never_of_it", "a") as file:
            file.write(text)
    except OSError:
        pass
"""
EFFECTS = {
    "sent_": ("sent(b'1')", "sent(b'2')"),
    "written_": ("written('1')", "written('2')"),
    "memory": ("return 1", "bytearray(1 << 50)\nreturn 1"),
    "swallowed": (
        "return 1", "try:\n    bytearray(1 << 50)\nexcept MemoryError:\n    return 2\nreturn 1"
    ),
}  # fmt: skip


def test_what_is_done_outside_and_swallowed_leaves_it_unknown(tmp_path):
    try:
        found = became(tmp_path, EFFECTS, OUTSIDE)
    finally:
        Path("/dev/shm/never_of_it").unlink()  # by the live call
    assert found == only(Candidate.UNKNOWN, EFFECTS)


DRAWN = """
def f(x):
    return {"n": x, "drawn": False}
"""


@pytest.mark.parametrize("meets", ["once", "always"])
def test_what_differs_once_and_not_when_it_is_run_again_is_luck(tmp_path, meets):
    """A draw that no control has met, and the candidate in one call. Here a file decides it,
    which is taken away once the candidate has met it, or stays."""
    met = tmp_path / "met"
    met.touch()
    new = "import os\n" + DRAWN.replace("False", f"x == 3 and os.path.exists({str(met)!r})")

    def told(doing: str, done: int, whole: int) -> None:
        if (meets, doing, done) == ("once", "running", whole):
            met.unlink()

    calls = [(number,) for number in range(12)]
    found = verified(tmp_path, DRAWN, new, "f", calls, progress=told)
    assert met.exists() is (meets == "always")
    (fourth,) = [one for one in found.compared if one.call.number == 4]
    assert fourth.case.agreed
    if meets == "always":
        assert found.report.verdict == "changes behaviour"
        assert fourth.case.candidate is Candidate.DIFFERS
        return
    assert fourth.case.candidate is Candidate.UNKNOWN
    assert (
        fourth.case.reason
        == "result['drawn'] differs in one run and not in the next: it is luck"
    )
    assert found.report.verdict == "unknown"
