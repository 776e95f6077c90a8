"""Changes that equal outcomes say nothing of: signatures, decorators, state of modules."""

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.trial.candidate import make, of_texts
from leadline.verify.signature import unseen_change
from leadline.verify.verifying import Request, verify

OLD = "def f(a, b=1, *, c=2):\n    return a + b + c\n"


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("def f(a, b=1, *, c=2):\n    return c + b + a\n", ""),
        ("def f(a: int, b: int = 1, *, c: int = 2) -> int:\n    return a + b + c\n", ""),
        ("def f(a, b=1, d=None, *, c=2, e=0):\n    return a + b + c\n", ""),
        ("def f(a, b=2, *, c=2):\n    return a + b + c\n", "a default"),
        ("def f(a, b=1, *, c=3):\n    return a + b + c\n", "a default"),
        ("def f(b=1, a=0, *, c=2):\n    return a + b + c\n", "the parameters"),
        ("def f(a, x=1, *, c=2):\n    return a + x + c\n", "the parameters"),
        ("def f(a, b, *, c=2):\n    return a + b + c\n", "a default"),
        ("def f(a, /, b=1, *, c=2):\n    return a + b + c\n", "the parameters"),
        ("def f(a, b=1, c=2):\n    return a + b + c\n", "the parameters"),
        ("def f(a, b=1, *, c=2, d):\n    return a + b + c\n", "the parameters"),
        ("def f(a, b=1, *rest, c=2):\n    return a + b + c\n", "the * of f"),
        ("async def f(a, b=1, *, c=2):\n    return a + b + c\n", "of another kind"),
        ("def f(a, b=1, *, c=2):\n    yield a + b + c\n", "of another kind"),
        ("@cache\ndef f(a, b=1, *, c=2):\n    return a + b + c\n", "decorates f"),
        ("def g(a, b=1, *, c=2):\n    return a + b + c\n", "has no f"),
        (OLD + "if True:\n    def f(a):\n        return a\n", "the parameters"),
    ],
)
def test_what_of_the_entry_is_changed_beyond_its_body(new, said):
    change = of_texts("/m.py", OLD, new)
    found = unseen_change([change], "/m.py", "f")
    assert said in found if said else not found
    assert unseen_change([change], "/other.py", "f") == ""


SOURCE = """
from dataclasses import dataclass, field

SEEN = []
HITS = {"all": 0}
last = None

class Shop:
    open_since = None
    orders = 0

def count(x):
    global last
    SEEN.append(x)
    HITS["all"] += 1
    last = x
    Shop.orders += 1
    return x * 2

def default(x, rate=2):
    return x * rate
"""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "counting.py").write_text(SOURCE)
    with imported(tmp_path, "counting"):
        yield tmp_path


def judged(folder, entry, old, new, given):
    file = str(folder / "counting.py")
    assert SOURCE.count(old) == 1
    candidate = make("fix", [of_texts(file, SOURCE, SOURCE.replace(old, new))])
    calls = captured(f"counting:{entry}", given)
    return verify(Request("s", f"counting:{entry}", calls, home(folder), candidate)).report


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("SEEN.append(x)", "SEEN.append(x + 1)", "counting.SEEN[0]"),
        ('HITS["all"] += 1', 'HITS["all"] += 2', "counting.HITS['all']"),
        ("last = x\n", "pass\n", "counting.last"),
        ("Shop.orders += 1", "Shop.open_since = x", "counting.Shop.orders"),
    ],
)
def test_what_a_call_leaves_in_its_module_is_compared(shop, old, new, where):
    found = judged(shop, "count", old, new, [(x,) for x in range(1, 5)])
    assert found.verdict == "changes behaviour"
    assert where in [one.where for one in found.cases[0].differences]


def test_a_changed_default_leaves_open_what_callers_see(shop):
    found = judged(shop, "default", "rate=2", "rate=3", [(x,) for x in range(20)])
    assert (found.verdict, found.exit_status) == ("unknown", 3)
    assert "changes the parameters of default, or a default" in found.reason


def test_functions_of_one_line_are_reached(tmp_path):
    source = "def one(x): return x + 1\ntwo = lambda x: one(x) * 2\n"
    source += "def three(x):\n    return two(x)\n"
    (tmp_path / "lines.py").write_text(source)
    new = source.replace("x + 1", "1 + x")
    with imported(tmp_path, "lines"):
        calls = captured("lines:three", [(x,) for x in range(3)])
        candidate = make("fix", [of_texts(str(tmp_path / "lines.py"), source, new)])
        found = verify(Request("s", "lines:three", calls, home(tmp_path), candidate)).report
    assert (found.verdict, found.shares.reached) == ("no difference seen", 3)


ROUTED = """
class Route:
    def __init__(self, answers):
        self.answers = answers
        self.around = lambda x: answers(x)

class App:
    stack = None

    def __call__(self, x):
        if self.stack is None:
            self.stack = {"routes": [Route(shown), Route(listed)]}
        return self.stack["routes"][x % 2].answers(x)

def shown(x):
    return 10 // (x - 2)

def listed(x):
    return x

app = App()

def serve(x):
    return app(x)
"""


def test_routes_that_the_first_call_makes_lead_to_the_changed_function(tmp_path):
    """Each run is the first call of its process: what it makes of a function that was there
    before leads to the function, whichever version that has."""
    (tmp_path / "routed.py").write_text(ROUTED)
    new = ROUTED.replace("10 // (x - 2)", "10 // (x - 2) if x != 2 else 0")
    fails = "raises ZeroDivisionError"
    with imported(tmp_path, "routed"):
        calls = captured("routed:serve", [(x,) for x in range(6)], fails)
        candidate = make("fix", [of_texts(str(tmp_path / "routed.py"), ROUTED, new)])
        request = Request("s", "routed:serve", calls, home(tmp_path), candidate, fails,
                          "result == 0", least=1)  # fmt: skip
        found = verify(request).report
    assert found.verdict == "fixed", found.sentence
