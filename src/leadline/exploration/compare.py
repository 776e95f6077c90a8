"""Runs suites without and with probes, and says what differed: `make soak` writes the report.

    python -m leadline.exploration.compare [SUITE ...] [--folder DIR] [--report FILE]

Each suite is downloaded as a source distribution, installed in a virtual environment of its own
and run six times: twice without anything of ours (what these two disagree on is unstable by
itself), once with a log and once with a snapshot on every line, once with calls kept of every
function, and once with a snapshot on a random sample of lines that stays much longer.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from leadline.exploration.account import write_report
from leadline.exploration.outcomes import Difference, differences, read_outcomes
from leadline.exploration.suites import SUITES, Suite

MODES = {
    "log": ("--leadline-kind", "log"),
    "snapshot": ("--leadline-kind", "snapshot"),
    "capture": ("--leadline-kind", "capture"),
    "sample": (
        "--leadline-kind", "snapshot", "--leadline-sample", "200", "--leadline-seed", "1",
        "--leadline-hits", "1000",
    ),
}  # fmt: skip
"""What each run with probes asks of the plugin. A sampled line keeps its probe for a hundred
times as many hits, so that a suite ends with most of its probes still there."""
RUN_S = 2_400
"""A suite that takes longer than this, ten times its longest run without us, hangs."""
_HERE = Path(__file__).parents[2]
"""Where `leadline` is imported from: on the path of both kinds of run, installed in neither."""


@dataclass(slots=True)
class Run:
    """One run of a suite: its exit code, outcomes by test, and what our plugin has seen.

    `seconds` are of processor time, with all its children: how long it took depends on what
    else the machine was doing.
    """

    exit_code: int
    seconds: float
    outcomes: dict[str, str]
    found: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Result:
    """All runs of one suite. `unstable` differed between the two runs without probes."""

    suite: str
    python: str
    tests: int
    seconds: float
    unstable: list[str] = field(default_factory=list)
    runs: dict[str, dict[str, object]] = field(default_factory=dict)
    different: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def bad(self, suite: Suite) -> Iterator[dict[str, str]]:
        """Yield the differences that nothing explains."""
        for found in self.different.values():
            for one in found:
                if not explanation(suite, self, one["test"]):
                    yield one


def explanation(suite: Suite, result: Result, test: str) -> str:
    """Return why the outcome of a test may differ without any doing of ours, or nothing."""
    if test in result.unstable:
        return "differs between two runs without probes, too"
    return next((why for part, why in suite.explained.items() if part in test), "")


def compare(suite: Suite, folder: Path, modes: Sequence[str] = tuple(MODES)) -> Result:
    """Run `suite` without and with probes. Raises `CalledProcessError` when it cannot be set
    up, `TimeoutExpired` when a run hangs."""
    sources, python = prepared(suite, folder)
    first = run_once(suite, sources, python)
    second = run_once(suite, sources, python)
    result = Result(
        suite.source, sys.version.split()[0], len(first.outcomes),
        min(first.seconds, second.seconds),
        unstable=[one.test for one in differences(first.outcomes, second.outcomes)],
    )  # fmt: skip
    for mode in modes:
        run = run_once(suite, sources, python, mode)
        found = differences(first.outcomes, run.outcomes)
        if run.exit_code != first.exit_code and not found:
            found.append(Difference("(exit code)", str(first.exit_code), str(run.exit_code)))
        result.runs[mode] = {**run.found, "suite_seconds": run.seconds}
        result.different[mode] = [asdict(one) for one in found]
    return result


def prepared(suite: Suite, folder: Path) -> tuple[Path, Path]:
    """Return the unpacked sources and the interpreter of the suite's own environment."""
    own = folder / f"{suite.name}-{sys.version_info[0]}.{sys.version_info[1]}"
    python = own / "venv" / "bin" / "python"
    if not (own / "ready").exists():
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(parents=True)
        _do(sys.executable, "-m", "venv", str(own / "venv"))
        pip = (str(python), "-m", "pip", "--quiet", "--disable-pip-version-check")
        words = ("--no-binary", suite.name, "--no-deps", "--dest", str(own), suite.source)
        _do(*pip, "download", *words)
        (archive,) = own.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(own / "sources", filter="data")
        (own / "sources" / "pytest.ini").touch()  # else a project around this one is looked for
        _do(*pip, "install", str(_sources(own)), "pytest<9.1", *suite.needs)
        (own / "ready").touch()
    return _sources(own), python


def _sources(own: Path) -> Path:
    (sources,) = (path for path in (own / "sources").iterdir() if path.is_dir())
    return sources


def _do(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours


def run_once(suite: Suite, sources: Path, python: Path, mode: str = "") -> Run:
    """Run a suite in the folder `sources`, with probes if there is a `mode`. What pytest writes
    is kept beside that folder's own folder. Raises `TimeoutExpired` when it hangs."""
    own = sources.parents[1]
    outcomes, found = own / "outcomes.xml", own / "found.json"
    outcomes.unlink(missing_ok=True)
    found.unlink(missing_ok=True)
    plugin = [
        "-p", "leadline.exploration", "--leadline-explore", suite.package,
        *MODES.get(mode, ()), "--leadline-report", str(found),
    ]  # fmt: skip
    command = [
        str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider",
        f"--junitxml={outcomes}", *suite.arguments, *(plugin if mode else ()),
    ]  # fmt: skip
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LEADLINE_")
    }
    environment |= {"PYTHONPATH": str(_HERE), "PYTHONHASHSEED": "0", "NO_COLOR": "1"}
    before = os.times()
    with (own / f"output-{mode or 'without'}.txt").open("wb") as output:
        done = subprocess.run(  # noqa: S603 - ours
            command, cwd=sources, env=environment, timeout=RUN_S, check=False,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    after = os.times()
    seconds = (
        after.children_user + after.children_system
        - before.children_user - before.children_system
    )  # fmt: skip
    if not outcomes.exists():
        raise RuntimeError(f"{suite.name}: pytest ended with {done.returncode} and no report")
    if done.returncode not in (0, 1):  # 1: tests that fail, as they may without us
        raise RuntimeError(f"{suite.name}: pytest ended with {done.returncode}")
    seen = json.loads(found.read_text("utf-8")) if found.exists() else {}
    return Run(done.returncode, seconds, read_outcomes(outcomes), seen)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites that are named, or all; 0 when nothing differs without a reason."""
    parser = argparse.ArgumentParser(prog="python -m leadline.exploration.compare")
    parser.add_argument("suites", nargs="*", help="names; all of them by default")
    parser.add_argument("--folder", type=Path, default=Path("build/exploration"))
    parser.add_argument("--report", type=Path, help="a page with markers to write between")
    parser.add_argument("--again", action="store_true", help="run what has a result, too")
    asked = parser.parse_args(arguments)
    bad = 0
    for suite in SUITES:
        if asked.suites and suite.name not in asked.suites:
            continue
        result = _result(suite, asked.folder.absolute(), again=asked.again)
        unexplained = list(result.bad(suite))
        bad += len(unexplained)
        print(f"{suite.source}: {result.tests} tests, {len(unexplained)} differ", flush=True)
        for one in unexplained:
            print(f"  {one['test']}: {one['without']!r} -> {one['with_probes']!r}")
    if asked.report:
        write_report(asked.report, asked.folder / "results")
    return 1 if bad else 0


def _result(suite: Suite, folder: Path, *, again: bool) -> Result:
    """Return the result of a suite; one that is there already is taken as it is."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    path = folder / "results" / f"{suite.name}-{version}.json"
    if path.exists() and not again:
        return Result(**json.loads(path.read_text("utf-8")))
    result = compare(suite, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(result), indent=1), "utf-8")
    return result


if __name__ == "__main__":
    sys.exit(main())
