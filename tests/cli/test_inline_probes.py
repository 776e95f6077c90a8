"""Every kind of probe in `leadline run --probe`, on a real program."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from live import LEADLINE, Program

pytestmark = pytest.mark.soak

APP = """\
import time
def quote(goods, country):
    shipping = 450 if country == "DE" else 390
    total = goods + shipping
    return total
def fail(n):
    password = "hunter2"
    return 1 / n
def careful(n):
    try:
        return fail(n)
    except ZeroDivisionError:
        return None
for n in range(3):
    quote(n * 1000, "DE")
    careful(n)
"""


@pytest.fixture
def app(tmp_path, home) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def run(app: Path, *probes: str, json: bool = False) -> subprocess.CompletedProcess[str]:
    options = [word for probe in probes for word in ("--probe", probe)]
    options += ["--json"] if json else []
    return subprocess.run(
        [LEADLINE, "run", *options, "--", sys.executable, "app.py"],
        cwd=app, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip


def hits(app: Path, probe: str) -> list[dict]:
    lines = run(app, probe, json=True).stderr.splitlines()
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return [one["hit"] for one in found if "hit" in one]


def test_a_snapshot_is_a_stack_with_values(app):
    text = run(app, "snap app.py:4 --if 'goods == 1000' --watch 'goods + 1'").stderr
    assert "goods + 1 = 1001" in text
    stack = text[text.index("stack, the innermost call first") :].splitlines()[1:]
    assert stack[0].endswith("app.py:4 in quote   total = goods + shipping")
    assert stack[1:4] == [
        "      goods = 1000",
        "      country = 'DE'",
        "      shipping = 450",
    ]


def test_a_snapshot_at_a_functions_exit(app):
    (hit,) = hits(app, "snap app:quote --if 'result > 2000' --frames 1")
    detail = hit["detail"]
    assert (detail["moment"], detail["result"], detail["returned"]) == ("exit", 2450, True)
    assert detail["duration_s"] > 0
    assert len(detail["frames"]) == 1
    assert detail["omitted"] == 1


def test_a_snapshot_at_a_functions_entry(app):
    found = hits(app, "snap app:quote --entry --rate 9")
    assert [set(hit["detail"]["frames"][0]["locals"]) for hit in found] == [
        {"goods", "country"}
    ] * 3


def test_a_log_of_a_function(app):
    found = hits(app, "log app:quote '{goods} -> {result}'")
    assert [hit["message"] for hit in found] == ["0 -> 450", "1000 -> 1450", "2000 -> 2450"]


def test_what_adds_up_is_said_at_the_end(app):
    done = run(
        app,
        "count app.py:4",
        "metric app.py:4 goods",
        "time app:quote",
        "time app.py:3 --until 5",
    )
    counted, added, call, way = done.stderr.splitlines()
    assert counted == "leadline: app.py:4  count 3"
    assert re.fullmatch(
        r"leadline: app.py:4  n 3  mean 1000  min 0  .*  max 2000  sum 3000", added
    )
    for place, text in (("app:quote", call), ("app.py:3", way)):
        assert re.fullmatch(rf"leadline: {place}  n 3  mean \S+ \ws  .*  max \S+ \ws", text)


def test_what_adds_up_as_json(app):
    lines = [
        json.loads(one)
        for one in run(app, "metric app.py:4 goods", json=True).stderr.splitlines()
    ]
    points = [one["point"] for one in lines if "point" in one]
    (total,) = [one["sum"] for one in lines if "sum" in one]
    assert sum(point["count"] for point in points) == total["count"] == 3
    assert (total["min"], total["max"], total["sum"]) == (0, 2000, 3000)


def test_what_adds_up_is_said_while_it_runs(tmp_path, home):
    (tmp_path / "slow.py").write_text("import time\nwhile True:\n    time.sleep(0.02)\n")
    command = [LEADLINE, "run", "--probe", "count slow.py:3", "--", sys.executable, "slow.py"]
    with Program(command, tmp_path) as program:
        program.wait_for("slow.py:3  count ")


def test_an_exception_that_leaves_a_function(app):
    done = run(app, "catch app:fail --type ArithmeticError")
    assert "ZeroDivisionError('division by zero') in fail" in done.stderr
    assert "password = <redacted name:password>" in done.stderr
    assert "hunter2" not in done.stderr


def test_an_exception_that_is_caught_where_it_was_raised(app):
    assert not hits(app, "catch app:careful")
    (hit,) = hits(app, "catch app:careful --raised")
    assert hit["function"] == "careful"
    assert not hits(app, "catch app:careful --raised --type KeyError")


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        ("count app:nowhere", "There is no function nowhere"),
        ("count app.py:4 --if 'goods < 0'", "condition false 3 times"),
        ("metric app.py:4 country", "condition unknown 3 times"),
        ("count never:f", "no hit"),
    ],
)
def test_why_nothing_was_counted(app, probe, reason):
    assert reason in run(app, probe).stderr


@pytest.mark.parametrize(
    ("probe", "slug"),
    [
        ("", "bad-probe"),
        ("snap", "bad-probe"),
        ("count app.py:4 --depth 3", "bad-probe"),
        ("metric app.py:4", "bad-probe"),
        ("metric app.py:4 f()", "expression-forbidden"),
        ("snap app.py:4 --watch f()", "expression-forbidden"),
        ("snap app.py:4 --frames 99", "bad-limit"),
        ("snap app.py:4 --entry", "bad-moment"),
        ("snap *", "bad-target"),
        ("time app.py:4", "bad-target"),
        ("time app:quote --until 5", "bad-target"),
        ("time app.py:4 --until other.py:5", "bad-target"),
        ("catch app.py:4", "bad-target"),
        ("catch app:fail --type no-name", "bad-target"),
    ],
)
def test_what_can_never_work_is_one_sentence(tmp_path, home, probe, slug):
    done = subprocess.run(
        [LEADLINE, "run", "--probe", probe, "--", "true"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 64
    assert f"docs/errors/{slug}.md" in done.stderr
    assert "Traceback" not in done.stderr
