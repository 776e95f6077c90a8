"""Other people's tests end the same with a probe on every line. All of them: `make soak`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.exploration.compare import Run, run_once
from leadline.exploration.lines import files_of, lines_of, sampled
from leadline.exploration.outcomes import differences, read_outcomes
from leadline.exploration.suites import Suite

pytestmark = pytest.mark.soak

INSTALLED = Suite(
    "referencing",
    "referencing",
    arguments=("--pyargs", "referencing.tests.test_core", "referencing.tests.test_jsonschema"),
)
"""A pure Python library that comes with its tests; it is here because a validator needs it."""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "own" / "sources"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """How the library's tests end without anything of ours."""
    folder = tmp_path_factory.mktemp("own") / "own" / "sources"
    folder.mkdir(parents=True)
    return run_once(INSTALLED, folder, Path(sys.executable))


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["log", pytest.param("snapshot", marks=pytest.mark.soak)])
def test_a_suite_ends_the_same_with_a_probe_on_every_line(
    kind: str, sources: Path, without: Run
) -> None:
    run = run_once(INSTALLED, sources, Path(sys.executable), kind)
    assert len(without.outcomes) > 150
    assert differences(without.outcomes, run.outcomes) == []
    assert run.exit_code == without.exit_code == 0
    found = run.found
    assert found["faults"] == {}
    assert found["armed"] > 400
    assert found["reached"] > 250
    assert found["hits"] > 1_000
    assert found["read"] > 0
    assert sum(found["fates"].values()) >= found["hits"]


@pytest.mark.soak
def test_a_suite_ends_the_same_while_calls_of_all_functions_are_kept(
    sources: Path, without: Run
) -> None:
    run = run_once(INSTALLED, sources, Path(sys.executable), "capture")
    assert differences(without.outcomes, run.outcomes) == []
    assert run.exit_code == 0
    found = run.found
    assert found["faults"] == {}
    assert found["armed"] > 40
    assert found["reached"] > 20
    assert found["hits"] > 50
    assert found["read"] == found["hits"]


CHANGED = """\
import sys
from looked_at import double
def test_good():
    assert double(2) == 4
def test_sees_a_difference():
    assert "leadline" not in {name.partition(".")[0] for name in sys.modules}
"""


def test_a_difference_is_found_and_named(sources: Path) -> None:
    """The comparison proves nothing unless it can fail."""
    (sources / "looked_at.py").write_text("def double(n):\n    return 2 * n\n", "utf-8")
    (sources / "test_it.py").write_text(CHANGED, "utf-8")
    suite = Suite("looked_at", "looked_at")
    without = run_once(suite, sources, Path(sys.executable))
    run = run_once(suite, sources, Path(sys.executable), "log")
    (different,) = differences(without.outcomes, run.outcomes)
    assert different.test == "test_it::test_sees_a_difference"
    assert different.without == "passed"
    assert different.with_probes.startswith("failed: ")
    assert run.found["reached"] == 2


def test_the_plugin_says_what_it_saw_and_refuses_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "looked_at.py").write_text("def double(n):\n    return 2 * n\n", "utf-8")
    (tmp_path / "test_it.py").write_text(CHANGED.partition("def test_sees")[0], "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
               "-p", "leadline.exploration"]  # fmt: skip
    plain = subprocess.run(
        [*command, "--leadline-explore", "looked_at", "--leadline-report", "found.json",
         "--leadline-sample", "1", "--leadline-seed", "3", "--leadline-kind", "snapshot"],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert plain.returncode == 0, plain.stdout
    assert "1 of 1 probes armed, 1 reached, 1 hits, 0 dropped, 0 faults" in plain.stdout
    assert json.loads((tmp_path / "found.json").read_text("utf-8"))["hits"] == 1
    refused = subprocess.run(
        [*command, "--leadline-explore", "no_such_package"],
        cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR
    assert "there is no package 'no_such_package'" in refused.stderr


def test_lines_are_those_that_can_be_probed(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "explored" / "tests").mkdir(parents=True)
    (tmp_path / "explored" / "tests" / "test_x.py").write_text("x = 1\n", "utf-8")
    (tmp_path / "explored" / "template.py").write_text("{% if x %}\n", "utf-8")
    source = '"""Text."""\ndef double(n):\n    # twice\n    return 2 * n\n'
    (tmp_path / "explored" / "__init__.py").write_text(source, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    paths = files_of("explored")
    assert [path.name for path in paths] == ["__init__.py", "template.py"]
    lines = [line for path in paths for line in lines_of(path)]
    assert [(line.number, line.names) for line in lines] == [(1, ()), (2, ()), (4, ("n",))]
    assert sampled(lines, 2, seed=1) == sampled(lines, 2, seed=1)
    assert sampled(lines, 0, seed=1) == lines


def test_outcomes_are_compared_without_what_varies(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(
        """<testsuites><testsuite>
        <testcase classname="t" name="a"/>
        <testcase classname="t" name="a"><failure message="at 0x7f01, 3.5 s"/></testcase>
        <testcase classname="t" name="b"><skipped message="no"/></testcase>
        </testsuite></testsuites>""",
        "utf-8",
    )
    found = read_outcomes(tmp_path / "report.xml")
    assert found == {"t::a": "passed", "t::a (2)": "failed: at #, # s", "t::b": "skipped: no"}
