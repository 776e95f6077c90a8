"""Classes whose objects a call hands out: what is changed of them, and no run has shown."""

import pytest
from benchmarks.verify.calling import captured, home, imported

from leadline.trial.candidate import make, of_texts
from leadline.verify.handed_out import changed_classes
from leadline.verify.signature import HINT
from leadline.verify.verifying import Request, verify

CODE = """
import dataclasses

class NotFound(Exception):
    status = 404

class Base:
    currency = "EUR"
    def shown(self):
        return f"{self.total} {self.currency}"

class Quote(Base):
    def __init__(self, total):
        self.total = self.rounded(total)
    def rounded(self, total):
        return round(total)

@dataclasses.dataclass
class Line:
    cents: int

class Unused:
    rate = 1

def f(n):
    if n == 4:
        raise NotFound(n)
    return {"quotes": [Quote(10 // (n % 3))], "line": Line(n)}

def each(n):
    yield Line(n)
    yield Quote(10 // (n % 3))
"""
MENDED = CODE.replace("10 // (n % 3)", "10 // (n % 3) if n % 3 else 0")
OPEN = {
    "class attribute of a base": ('currency = "EUR"', 'currency = "USD"', "Base is changed"),
    "of an exception": ("status = 404", "status = 500", "NotFound is changed"),
    "method": ("{self.total} {", "{self.currency} {", "Base.shown is changed and was not run"),
    "decorator": (
        "@dataclasses.dataclass\n", "@dataclasses.dataclass(eq=False)\n", "Line is changed",
    ),
}  # fmt: skip
SAME = {
    "": ("class Unused", "class Unused"),
    "of what nobody is given": ("rate = 1", "rate = 2"),
    "a method that runs": ("return round(total)", "found = round(total)\n        return found"),
    "one more": ("    status = 404", "    status = 404\n    def more(self): return 1"),
    "its text": ("    rate = 1", '    """A text."""\n    rate = 1'),
}


@pytest.fixture
def calls(tmp_path):
    (tmp_path / "shops.py").write_text(CODE)
    with imported(tmp_path, "shops"):
        given = [(n,) for n in range(12)]
        yield captured("shops:f", given, "raises ZeroDivisionError")


def report(folder, calls, old, new):
    assert old in MENDED
    change = of_texts(str(folder / "shops.py"), CODE, MENDED.replace(old, new))
    asked = ("raises ZeroDivisionError", "len(result['quotes']) == 1")
    request = Request(
        "s", "shops:f", calls, home(folder), make("new", [change]), *asked, least=5
    )
    return verify(request).report


@pytest.mark.parametrize(
    "some", [["of an exception"], pytest.param(list(OPEN), marks=pytest.mark.soak)]
)
def test_all_that_is_changed_of_what_is_handed_out_has_to_run(tmp_path, calls, some):
    for what, (old, new, said) in ((name, OPEN[name]) for name in some):
        found = report(tmp_path, calls, old, new)
        assert found.verdict == "unknown", (what, found.sentence)
        assert said in found.reason
        assert HINT in found.reason


@pytest.mark.parametrize(
    "some", [["a method that runs"], pytest.param(list(SAME), marks=pytest.mark.soak)]
)
def test_what_runs_or_reaches_nobody_is_no_obstacle(tmp_path, calls, some):
    for what, (old, new) in ((name, SAME[name]) for name in some):
        found = report(tmp_path, calls, old, new)
        assert found.verdict == "fixed", (what, found.sentence)


PAIRS = [
    ("x = 1", "x = 2", True),
    ("x: int", "x: int\n    y: int = 0", True),
    ("x: int", "x: int  # said", False),
    ("def m(self): pass", "def m(self):\n        'Says.'\n        pass", False),
    ("def m(self): pass", "x = 1\n    def m(self): pass", False),
    ("def m(self): pass", "def m(self): pass\n    def n(self): pass", False),
    ("def m(self): pass", "def m(self): pass\n    def __eq__(self, o): return True", True),
    ("def m(self): pass", "@property\n    def m(self): pass", True),
    ("def m(self): pass", "pass", True),
    ("class Meta:\n        a = 1", "class Meta:\n        a = 2", True),
]


@pytest.mark.parametrize(("old", "new", "changed"), PAIRS)
def test_what_counts_as_another_class(old, new, changed):
    one, other = (f"class A:\n    {body}\n" for body in (old, new))
    assert bool(changed_classes(one, other)) is changed


def test_whoever_looks_through_a_class_finds_a_new_name():
    one = "class A(Model):\n    x = 1\n"
    assert changed_classes(one, one + "    y = Field()\n")["A"].line == 3
