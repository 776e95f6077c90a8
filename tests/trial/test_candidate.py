"""Candidates: which files a diff means, and which lines a run must reach to have met it."""

import difflib
import json
import os
import subprocess
import sys
import textwrap

import pytest

from leadline.trial import candidate, reachable
from leadline.trial.untried import is_inert
from leadline.verify.git import from_git
from leadline.wire.errors import RefusedError, UsageError, WireError

PRICING = """\
RATE = 0.2
TABLE = {"a": RATE}


class Basket:
    tax = 0.1

    def total(self, prices):
        found = 0
        for price in prices:
            found += price
        return found * (1 + self.tax)


def rate(name):
    return TABLE[name]


def quote(prices, name="a"):
    def inner(price):
        return price * rate(name)

    # sum
    return sum(inner(price) for price in prices)
"""


def change(old, new):
    return candidate.of_texts("/srv/x.py", textwrap.dedent(old), textwrap.dedent(new))


def touched(old, new, *, beside=False):
    one = change(old, new)
    return (
        sorted(candidate.touched_old(one, beside=beside)),
        sorted(candidate.touched_new(one, beside=beside)),
    )


BODY = """\
def f(a, b):
    x = a
    if b:
        x += 1
    else:
        x += 2
    y = [
        x,
        b,
    ]
    return y
"""


@pytest.mark.parametrize(
    ("old", "new", "exact", "beside"),
    [
        pytest.param("x = a", "x = b", ([2], [2]), ([2], [2]), id="a statement"),
        pytest.param("    x = a\n", "", ([2], []), ([2], [2]), id="gone"),
        pytest.param("x = a\n", "x = a\n    a = 2\n", ([], [3]), ([3], [3]), id="new"),
        pytest.param("if b:", "if not b:", ([3], [3]), ([3], [3]), id="a condition"),
        pytest.param("x += 2", "x += 3", ([6], [6]), ([6], [6]), id="in a branch"),
        pytest.param(
            "    else:\n        x += 2\n", "", ([6], []), ([6], [5]), id="a branch is gone"
        ),
        pytest.param(
            "        x += 2\n",
            "        x += 2\n        x += 3\n",
            ([], [7]),
            ([7], [7]),
            id="at the end of a branch",
        ),
        pytest.param("        b,", "        a,", ([9], [9]), ([9], [9]), id="in an expression"),
        pytest.param("    return y\n", "", ([11], []), ([11], [9]), id="the end is gone"),
        pytest.param("(a, b)", "(a, b=1)", ([2], [2]), ([2], [2]), id="a default"),
        pytest.param("def f", "@print\ndef f", ([2], [3]), ([2], [3]), id="a decorator"),
        pytest.param("x = a", "x = a  # why", ([], []), ([], []), id="a comment"),
        pytest.param("x = a", "x   =   (a)", ([], []), ([], []), id="blanks"),
        pytest.param(
            "    x = a\n    if b:\n        x += 1",
            "    if b:\n        x = a\n        x += 1",
            ([2], [3]),
            ([2, 4], [2, 3]),
            id="into a branch",
        ),
    ],
)
def test_the_lines_that_stand_for_a_change(old, new, exact, beside):
    assert old in BODY
    assert touched(BODY, BODY.replace(old, new)) == exact
    assert touched(BODY, BODY.replace(old, new), beside=True) == beside


TRIES = """\
def f(a):
    try:
        a = int(a)
    except ValueError:
        return 0
    match a:
        case 1:
            a = 2
        case [x, y]:
            a = x
    with open(a) as b, open(b):
        pass
    def g(c=1):
        return lambda: c
    return g
"""


@pytest.mark.parametrize(
    ("old", "new", "exact"),
    [
        ("except ValueError:", "except TypeError:", ([4], [4])),
        ("    match", "    except KeyError:\n        return 1\n    match", ([], [6, 7])),
        ("case 1:", "case 2:", ([7], [7])),
        ("        case [x, y]:\n            a = x\n", "", ([9, 10], [])),
        ("open(b)", "open(a)", ([11], [11])),
        ("c=1", "c=2", ([13], [13])),
        ("lambda: c", "lambda: 1", ([14], [14])),
        ("int(a)", "int(a, 10)", ([3], [3])),
    ],
)
def test_parts_of_statements(old, new, exact):
    assert old in TRIES
    assert touched(TRIES, TRIES.replace(old, new)) == exact


@pytest.mark.parametrize(
    ("old", "new", "functions", "names", "lines"),
    [
        ("return TABLE[name]", "return 1", ("rate",), (), ([16], [16])),
        ("RATE = 0.2", "RATE = 0.3", (), ("RATE", "TABLE"), ([16], [16])),
        ("tax = 0.1", "tax = 0.2", (), (".tax",), ([12], [12])),
        ("price * rate", "price + rate", ("quote",), (), ([21], [21])),
        ('name="a"', 'name="b"', ("quote",), (), ([20, 21], [20, 21])),
        ("+= price", "-= price", ("Basket.total",), (), ([11], [11])),
        ("class Basket", "class Basket(dict)", (), ("Basket",), ([], [])),
        ("# sum", "# all of them", (), (), ([], [])),
        ("def rate(name)", "def tariff(name)", (), ("rate", "tariff"), ([16, 21], [16, 21])),
    ],
)
def test_functions_and_names(old, new, functions, names, lines):
    one = change(PRICING, PRICING.replace(old, new))
    assert one.functions == functions
    assert one.difference.names == names
    found = one.difference
    if old == 'name="a"':  # the first line that a run of it stops at
        assert found.old == found.new == {20}
    else:
        assert (sorted(found.old), sorted(found.new)) == lines
    assert one.same_code == (old == "# sum")


def points(old, new):
    made = candidate.make("", [change(PRICING, PRICING.replace(old, new))])
    return [(one.function, one.why) for one in candidate.entry_points(made)]


def test_entry_points_go_outwards():
    assert points("return TABLE[name]", "return 1") == [
        ("rate", "changed"),
        ("quote", "reads rate"),
    ]
    assert points("RATE = 0.2", "RATE = 0.3") == [
        ("rate", "reads TABLE"),
        ("quote", "reads rate"),
    ]
    assert points("tax = 0.1", "tax = 0.2") == [("Basket.total", "reads .tax")]
    assert points("# sum", "#") == []


def test_a_function_without_a_name_is_no_entry_point():
    old = "R = 1\nkey = lambda a: a * R\ndef f(a):\n    return key(a)\n"
    made = candidate.make("", [change(old, old.replace("R = 1", "R = 2"))])
    assert [one.function for one in candidate.entry_points(made)] == ["f"]
    found = made.changes[0].difference
    assert found.new == {2, 4}


TRACED = {
    "plain": "def f():\n    a = 1\n    b = (\n        a,\n        2,\n    )\n    return b\nf()\n",  # noqa: E501
    "one line": "def f(): return 1\nf()\n",
    "generator": "def f():\n    yield 1\n    yield 2\nlist(f())\n",
    "closure": "def f():\n    a = 1\n    def g():\n        return a\n    return g()\nf()\n",
    "try": "def f():\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        pass\n"
    "    finally:\n        a = 1\n    return a\nf()\n",
    "class": "class A:\n    x = 1\n    def f(self):\n        return super().__init__()\nA().f()\n",  # noqa: E501
    "with": "import io\ndef f():\n    with io.StringIO() as a:\n        a.write('')\nf()\n",
}


@pytest.mark.parametrize("text", TRACED.values(), ids=TRACED)
def test_executable_lines_are_those_that_the_interpreter_stops_at(text):
    stopped, started = set(), set()
    tool, events = 3, sys.monitoring.events
    sys.monitoring.use_tool_id(tool, "test")

    def line(code, number):
        if code.co_filename == "<traced>" and code.co_flags & 1:
            stopped.add(number)

    def start(code, _):
        if code.co_filename == "<traced>" and code.co_flags & 1:
            started.add(code.co_firstlineno)

    sys.monitoring.register_callback(tool, events.LINE, line)
    sys.monitoring.register_callback(tool, events.PY_START, start)
    sys.monitoring.set_events(tool, events.LINE | events.PY_START)
    try:
        exec(compile(text, "<traced>", "exec"), {})
    finally:
        sys.monitoring.set_events(tool, 0)
        sys.monitoring.free_tool_id(tool)
    reached = reachable.executable(text)
    assert stopped <= reached <= stopped | started  # one line alone is reached by starting


FILES = {
    "/srv/app/shop/pricing.py": PRICING,
    "/srv/app/shop/__init__.py": "",
    "/srv/app/shop/tools/pricing.py": "x = 1\n",
    "/srv/app/main.py": "import shop\n",
}
MODULES = [
    ("shop.pricing", "/srv/app/shop/pricing.py"),
    ("shop", "/srv/app/shop/__init__.py"),
    ("shop.tools.pricing", "/srv/app/shop/tools/pricing.py"),
    ("__main__", "/srv/app/main.py"),
]
read = candidate.reader(MODULES, FILES.get)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("src/shop/pricing.py", "/srv/app/shop/pricing.py"),
        ("shop/pricing.py", "/srv/app/shop/pricing.py"),
        ("app/shop/tools/pricing.py", "/srv/app/shop/tools/pricing.py"),
        ("tools/pricing.py", "/srv/app/shop/tools/pricing.py"),
        ("src/main.py", "/srv/app/main.py"),
        ("src/shop/__init__.py", "/srv/app/shop/__init__.py"),
        ("other/pricing.py", None),
        ("src/other/__init__.py", None),
        ("tests/test_pricing.py", None),
    ],
)
def test_which_file_a_diff_means(name, file):
    found = read(name)
    assert (found and found[0]) == file


def test_two_files_that_fit_are_said():
    with pytest.raises(UsageError, match="may be /srv/app/shop") as raised:
        read("pricing.py")
    assert raised.value.slug == "ambiguous-file"


def diff_of(*files):
    return "".join(
        line
        for name, old, new in files
        for line in difflib.unified_diff(
            old.splitlines(True), new.splitlines(True), f"a/{name}", f"b/{name}"
        )
    )


def test_what_is_no_python_and_may_be_read_is_part_of_a_candidate():
    pricing = ("src/shop/pricing.py", PRICING, PRICING.replace("0.2", "0.3"))
    plain = candidate.from_diff(diff_of(pricing, ("docs/x.json", "1\n", "2\n")), read)
    assert plain.untried == ()
    rates = [("src/rates.json", "1\n", f"{n}\n") for n in (2, 3)]
    one, other = (candidate.from_diff(diff_of(pricing, part), read) for part in rates)
    assert [part.name for part in one.untried] == ["src/rates.json"]
    assert len({plain.digest, one.digest, other.digest}) == 3
    assert candidate.decode(json.loads(json.dumps(candidate.encode(one)))) == one
    said = candidate.encode(one)
    del said["untried"]
    with pytest.raises(WireError):
        candidate.decode(said)


@pytest.mark.parametrize(
    ("name", "inert"),
    [
        ("README.md", True),
        ("shop/readme.de.rst", True),
        ("CHANGES.rst", True),
        ("SECURITY.md", True),
        ("LICENSE", True),
        ("LICENSE-MIT.txt", True),
        ("docs/how.adoc", True),
        ("shop/prompts/system.md", False),
        ("shop/terms.rst", False),
        ("mails/news.md", False),
        ("NOTICE.html", False),
        ("README", True),
        ("tests/data/a.json", True),
        (".gitignore", True),
        ("shop/templates/a.html", False),
        ("requirements.txt", False),
        ("setup.cfg", False),
        ("Makefile", False),
        ("shop/rates.JSON", False),
    ],
)
def test_what_a_service_reads_is_told_by_its_name(name, inert):
    assert is_inert(name) is inert


def test_a_diff_becomes_a_candidate_without_what_the_service_does_not_run():
    new = PRICING.replace("+= price", "-= price").replace("0.2", "helper()")
    diff = diff_of(
        ("README.md", "a\n", "b\n"),
        ("tests/test_pricing.py", "a = 1\n", "a = 2\n"),
        ("src/shop/pricing.py", PRICING, new),
    )
    diff += "--- /dev/null\n+++ b/src/shop/extra/helper.py\n@@ -0,0 +1 @@\n+x = 1\n"
    made = candidate.from_diff(diff, read)
    assert {one.file: (one.old, one.new) for one in made.changes} == {
        "/srv/app/shop/extra/helper.py": (None, "x = 1\n"),
        "/srv/app/shop/pricing.py": (PRICING, new),
    }
    assert made.notes == (
        "README.md: left out, it is no Python source",
        "tests/test_pricing.py: left out, the service runs no such file",
    )
    pricing = made.changes[1]
    assert (pricing.removed, pricing.added) == ({1, 11}, {1, 11})
    assert candidate.obstacles(made) == []
    again = candidate.decode(json.loads(json.dumps(candidate.encode(made))))
    assert again == made
    spoiled = candidate.encode(made) | {"digest": "0" * 64}
    for wrong in (spoiled, {}, None, {"changes": []}, {**candidate.encode(made), "title": 1}):
        with pytest.raises(WireError):
            candidate.decode(wrong)


def test_the_digest_is_of_both_texts():
    one = candidate.make("a", [change("x = 1\n", "x = 2\n")])
    same = candidate.make("b", [change("x = 1\n", "x = 2\n")], ["a note"])
    other = candidate.make("a", [change("x = 3\n", "x = 2\n")])
    assert one.digest == same.digest != other.digest


def test_what_cannot_be_a_candidate():
    diff = diff_of(("README.md", "a\n", "b\n"))
    with pytest.raises(UsageError, match="Nothing in the diff") as raised:
        candidate.from_diff(diff, read)
    assert raised.value.slug == "bad-patch"
    diff = diff_of(("src/shop/pricing.py", PRICING, "x = (\n"))
    made = candidate.from_diff(diff, read)
    assert candidate.obstacles(made) == [
        "/srv/app/shop/pricing.py:1 cannot be compiled: '(' was never closed"
    ]
    assert not made.same_code
    assert made.changes[0].functions == ()
    diff = "--- /dev/null\n+++ b/src/shop/pricing.py\n@@ -0,0 +1 @@\n+x = 1\n"
    with pytest.raises(RefusedError, match="has it already"):
        candidate.from_diff(diff, read)
    made = candidate.from_file("shop/pricing.py", PRICING, read)
    assert candidate.obstacles(made) == ["the candidate is what the service runs already"]


def test_renames_and_deletions():
    diff = (
        "diff --git a/shop/tools/pricing.py b/shop/tools/prices.py\nsimilarity index 60%\n"
        "rename from shop/tools/pricing.py\nrename to shop/tools/prices.py\n"
        "--- a/shop/tools/pricing.py\n+++ b/shop/tools/prices.py\n"
        "@@ -1 +1,2 @@\n x = 1\n+y = 2\n"
        "diff --git a/main.py b/main.py\ndeleted file mode 100644\n"
        "--- a/main.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-import shop\n"
    )
    made = candidate.from_diff(diff, read)
    assert made.sources == {
        "/srv/app/main.py": None,
        "/srv/app/shop/tools/prices.py": "x = 1\ny = 2\n",
        "/srv/app/shop/tools/pricing.py": None,
    }
    assert made.old_sources["/srv/app/shop/tools/prices.py"] is None


def test_git_says_what_is_changed(tmp_path):
    def git(*words):
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c", *words],
            check=True,
            capture_output=True,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )

    git("init", "-q")
    file = tmp_path / "shop.py"
    file.write_text("def f():\n    return 1\n")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    file.write_text("def f():\n    return 2\n")
    served = {"/srv/shop.py": "# served\ndef f():\n    return 1\n"}
    run = candidate.reader([("shop", "/srv/shop.py")], served.get)
    made = from_git("HEAD", str(tmp_path), run)
    (one,) = made.changes
    assert one.new == "# served\ndef f():\n    return 2\n"
    assert one.functions == ("f",)
    assert made.notes == ("shop.py: the hunk on line 5 of the diff fits 1 line further down",)
    for ref, said in (("nothing", "git says"), ("--output=x", "nothing that git")):
        with pytest.raises(UsageError, match=said):
            from_git(ref, str(tmp_path), run)
    git("commit", "-q", "-am", "second")
    with pytest.raises(UsageError, match="no difference"):
        from_git("HEAD", str(tmp_path), run)
    git("branch", "fix")
    git("checkout", "-q", "-b", "base", "HEAD~1")
    (one,) = from_git("fix", str(tmp_path), run).changes
    assert one.new == "# served\ndef f():\n    return 2\n", "what it adds, not the reverse"
    (tmp_path / "other.py").write_text("")
    git("add", "-A")
    git("commit", "-q", "-m", "third")
    with pytest.raises(UsageError, match="the other way round") as unclear:
        from_git("fix", str(tmp_path), run)
    assert "--ref HEAD...fix is what fix adds" in unclear.value.hint
    (again,) = from_git("HEAD...fix", str(tmp_path), run).changes
    assert again.new == one.new
