"""Candidates that come to the same by other means: with a cache more or a cache less, with one
object for two equal ones, with a logger of the same name."""

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.trial.candidate import make, of_texts
from leadline.verify.verdict import Candidate
from leadline.verify.verifying import Request, verify
from verify.test_verdict_second_eyes import only, texts_of

pytestmark = pytest.mark.soak

STATE = """
class Row(dict):
    pass

class Money(int):
    pass

class Word(str):
    pass

class Many(list):
    pass

def row(a=1, cur="EUR"):
    made = Row(a=a)
    made.cur = cur
    return made

def money(n, cur="EUR"):
    made = Money(n)
    made.cur = cur
    return made

class Cart:
    def __init__(self, n):
        self.n = n
    @functools.cached_property
    def rest(self):
        return [self.n % 3]

CART = Cart(4)
"""
SAME = {
    "shared_row": ("z = row()\nreturn [z, [z]]", "return [row(), [row()]]"),
    "shared_list": ("z = [row()]\nreturn [z, z]", "z = [row()]\nreturn [z, list(z)]"),
    "shared_number": ("z = money(2)\nreturn {'a': z, 'b': z}",
                      "return {'a': money(2), 'b': money(2)}"),
    "shared_text": ("z = Word('a'); z.k = [1]\nreturn [z, z]",
                    "z = Word('a'); z.k = [1]\nw = Word('a'); w.k = [1]\nreturn [z, w]"),
    "of_itself": ("z = Many(); z.own = z; z.append(z)\nreturn [z, z]",
                  "k = 0\nz = Many(); z.own = z; z.append(z)\nreturn [z, z]"),
    "reckoned": ("return x['c'].n % 3", "return x['c'].rest[0]"),
    "reckoned_before": ("return x['c'].rest[0]", "return x['c'].n % 3"),
    "reckoned_in_a_module": ("return CART.n % 3", "return CART.rest[0]"),
    "reckoned_in_both": ("return CART.rest[0]", "k = CART.rest\nreturn k[0]"),
    "logger": ("x['log'].debug('a')", "x['log'].debug('b')"),
}  # fmt: skip
DIFFERS = {
    "row": ("z = row()\nreturn [z, [z]]", "return [row(), [row(cur='USD')]]"),
    "number": ("z = money(2)\nreturn [z, z]", "return [money(2), money(2, 'USD')]"),
    "text": ("z = Word('a'); z.k = 1\nreturn [z]", "z = Word('a')\nreturn [z]"),
    "inside": ("z = row(); z.k = [[1]]\nreturn z", "z = row(); z.k = [[2]]\nreturn z"),
    "key": ("return {money(1): 1}", "return {money(1, 'USD'): 1}"),
    "wrongly_reckoned": ("k = x['c'].rest", "x['c'].__dict__['rest'] = [7]"),
    "wrongly_in_a_module": ("k = CART.rest", "CART.__dict__['rest'] = [7]"),
    "more_in_a_module": ("k = CART.rest", "CART.rest.append(7)"),
    "forgotten": ("del CART.__dict__['n']", "k = CART.n"),
    "on_an_argument": ("k = x['c'].n", "x['c'].total = x['c'].n"),
    "other_logger": ("k = x['log']", "x['log'] = logging.getLogger('another')"),
}
UNKNOWN = {
    "memo": ("k = x['c'].n", "x['c']._total = x['c'].n"),
}


GIVEN = """
def given():
    return {"c": Cart(4), "log": logging.getLogger("of it")}
"""


def test_what_is_the_same_by_other_means(tmp_path):
    bodies = SAME | DIFFERS | UNKNOWN
    old, new, wanted = texts_of(bodies, STATE + GIVEN)
    (tmp_path / "tried.py").write_text(old)
    with imported(tmp_path, "tried") as (module,):
        calls = captured("tried:call", [(*one, module.given()) for one in wanted])
        candidate = make("new", [of_texts(str(tmp_path / "tried.py"), old, new)])
        found = verify(Request("s", "tried:call", calls, home(tmp_path), candidate)).compared
    assert [one.call.number for one in found if not one.case.agreed] == []
    assert {name: one.case.candidate for name, one in zip(bodies, found, strict=True)} == {
        **only(Candidate.SAME, SAME),
        **only(Candidate.DIFFERS, DIFFERS),
        **only(Candidate.UNKNOWN, UNKNOWN),
    }


DROPPED = {
    "_cache": ("_cache[x] = 1\nreturn x in _cache", Candidate.UNKNOWN),
    "_rows": ("_rows[1].append(1)", Candidate.DIFFERS),
    "_listed": ("_listed.append(1)", Candidate.DIFFERS),
    "shown": ("shown[1] = 1", Candidate.DIFFERS),
}


@pytest.mark.parametrize("name", DROPPED)
def test_a_table_that_the_candidate_has_no_more(tmp_path, name):
    body, expected = DROPPED[name]
    above = (
        f"\n{name} = {{1: []}}\nROWS = [{name}[1]]\n"
        if name != "_listed"
        else ("\n_listed = []\ndef listed():\n    return list(_listed)\n")
    )
    old = f"{above}def f(x):\n    " + body.replace("\n", "\n    ") + "\n"
    new = "\nROWS = [[]]\ndef f(x):\n    " + ("return True\n" if "return" in body else "pass\n")
    (tmp_path / "tried.py").write_text(old)
    with imported(tmp_path, "tried"):
        calls = captured("tried:f", [(1,)])
        candidate = make("new", [of_texts(str(tmp_path / "tried.py"), old, new)])
        found = verify(Request("s", "tried:f", calls, home(tmp_path), candidate)).compared[0]
    assert found.case.candidate is expected
    if expected is Candidate.UNKNOWN:
        assert "tried._cache[1]" in found.case.reason


HELD = """
HANDLERS = {}
def mended(x):
    return 1 // x
def other(x):
    return 2
def f(x):
    %s
    return [other(x), mended(x) if x else x]
"""


@pytest.mark.parametrize(
    ("old", "new", "given", "expected"),
    [
        ("HANDLERS[1] = mended", "HANDLERS[1] = mended", 2, Candidate.SAME),
        ("HANDLERS[1] = mended", "HANDLERS[1] = other", 2, Candidate.DIFFERS),
        ("HANDLERS[1] = mended", "HANDLERS[1] = mended", 0, Candidate.UNKNOWN),
    ],
    ids=["it has run", "another one", "it has not run"],
)
def test_state_that_holds_the_changed_function(tmp_path, old, new, given, expected):
    texts = [HELD % old, (HELD % new).replace("1 // x", "1 // (x or 1)")]
    texts[1] = texts[1].replace("[other(x), ", "[2, ") if old == new else texts[1]
    (tmp_path / "tried.py").write_text(texts[0])
    with imported(tmp_path, "tried"):
        calls = captured("tried:f", [(given,)])
        candidate = make("new", [of_texts(str(tmp_path / "tried.py"), *texts)])
        found = verify(Request("s", "tried:f", calls, home(tmp_path), candidate)).compared[0]
    assert found.case.reached
    assert found.case.candidate is expected


VIEW = """\
class Request:
    def __init__(self, n, view):
        self.n, self.view = n, view

def view(request):
    return 10 // request.n
"""


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("return 10 // (request.n or 1)", Candidate.SAME),
        ("request.view = Request\n    return 10 // request.n", Candidate.DIFFERS),
        ("return 20 // request.n", Candidate.DIFFERS),
    ],
)
def test_a_request_that_knows_its_view_is_the_same_one(tmp_path, new, expected):
    """As those of Django do; the view is what was called."""
    (tmp_path / "tried.py").write_text(VIEW)
    changed = VIEW.replace("return 10 // request.n", new)
    with imported(tmp_path, "tried") as (module,):
        calls = captured("tried:view", [(module.Request(3, module.view),)])
        candidate = make("new", [of_texts(str(tmp_path / "tried.py"), VIEW, changed)])
        found = verify(Request("s", "tried:view", calls, home(tmp_path), candidate)).compared[0]
    assert found.case.agreed
    assert found.case.candidate is expected
