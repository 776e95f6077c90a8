"""`python -m benchmarks.verify.releases`: hunks of real releases, put back one by one.

    python -m benchmarks.verify.releases [--only NAME] [--seen] [--folder DIR] [--json FILE]

The newer release is what runs, and its own tests make the calls. Each candidate takes one hunk
back to what it was before. Whether that is wrong is said by the newer release's tests, without
any part of Leadline: a test that fails with the hunk put back has seen it. Such a candidate is
tried on calls made by those tests (they hold what triggers the difference), and on calls made
by all the others. Of hunks that no test sees nothing is known; they are tried on all calls.
With `--seen` nothing but the former is tried, in a fifth of the time.
"""

import argparse
import difflib
import json
import os
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.verify.fidelity import environment
from leadline.cli.verify_entry import MAX_STEPS, is_good, wider
from leadline.exploration.compare import RUN_S, prepared
from leadline.exploration.suites import Suite
from leadline.trial.candidate import Candidate, entry_points, make, of_texts
from leadline.trial.outcome import read_outcome
from leadline.verify.calls import CapturedCall, Home
from leadline.verify.report import Report
from leadline.verify.verifying import Request, verify
from leadline.wire.errors import LeadlineError

MOST_CALLS = 200
WITHIN_S = 5.0
MOST_ENTRIES = 6
"""Functions whose calls are tried for a hunk, the changed one first."""
_NO_TESTS = "the tests do not begin"
RELEASES = (
    ("0.5.1", Suite("sqlparse==0.5.2", "sqlparse")),
    ("2.10.0", Suite("pyjwt==2.10.1", "jwt", needs=("cryptography",))),
    ("3.1.4", Suite("jinja2==3.1.5", "jinja2", needs=("trio",))),
    ("8.1.7", Suite("click==8.1.8", "click")),
)


@dataclass(frozen=True)
class Hunk:
    """One hunk of a release: the newer text of its file, and that text without this hunk."""

    name: str
    file: Path
    newer: str
    back: str

    @property
    def candidate(self) -> Candidate:
        return make(self.name, [of_texts(str(self.file), self.newer, self.back)])


@dataclass(frozen=True)
class Release:
    """A newer release, unpacked and installed with what its tests need."""

    suite: Suite
    sources: Path
    python: Path
    package: Path

    @property
    def own(self) -> Path:
        return self.sources.parents[1]

    def test(self, *arguments: str) -> list[str]:
        """Run the tests; return the names of those that fail."""
        into = self.own / "failing.json"
        into.unlink(missing_ok=True)
        self.pytest("-p", "benchmarks.verify.failing", "--failing-into", str(into), *arguments)
        return json.loads(into.read_text("utf-8")) if into.exists() else [_NO_TESTS]

    def record(self, functions: Sequence[str], *arguments: str) -> list[dict[str, Any]]:
        """Run tests, and return the calls of these functions; the first line is the header."""
        into = self.own / "calls.jsonl"
        into.unlink(missing_ok=True)
        self.pytest(
            "-p", "benchmarks.verify.recording", "--record", self.suite.package,
            "--record-into", str(into), "--record-calls", str(MOST_CALLS),
            *(f"--record-only={name}" for name in functions), *arguments,
        )  # fmt: skip
        lines = into.read_text("utf-8").splitlines() if into.exists() else ["{}"]
        return [json.loads(line) for line in lines]

    def pytest(self, *arguments: str) -> None:
        command = [
            str(self.python), "-m", "pytest", "-q", "-p", "no:cacheprovider",
            f"--rootdir={self.sources}",
            *self.suite.arguments, *arguments,
        ]  # fmt: skip
        with (self.own / "output.txt").open("wb") as output:
            subprocess.run(
                command, cwd=self.sources, env=environment() | {"PYTHONHASHSEED": "0"},
                timeout=RUN_S, check=False, stdout=output, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = [suite.name for _, suite in RELEASES]
    parser.add_argument("--only", action="append", choices=names, default=[])
    parser.add_argument("--seen", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("build/releases"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = environment()["PYTHONPATH"]
    rows, began = [], time.monotonic()
    for older, suite in RELEASES:
        if options.only and suite.name not in options.only:
            continue
        for row in tried(older, suite, options.folder.absolute(), seen_only=options.seen):
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    show(rows, time.monotonic() - began)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    return 0


def tried(
    older: str, suite: Suite, folder: Path, *, seen_only: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield a row for each hunk and each traffic."""
    folder.mkdir(parents=True, exist_ok=True)
    release = _release(suite, folder)
    before = _unpacked(suite, older, folder, release)
    failing = set(release.test())
    for hunk in hunks(release, before):
        seen = sorted(set(_tested(release, hunk)) - failing)
        broken = any("::" not in name for name in seen)
        tests = [name for name in seen if "::" in name]
        if broken:
            yield _row(
                hunk, "not importable", "", None, "the tests cannot be collected with it"
            )
        elif tests:
            yield _judged(release, hunk, "wrong", "tests that see it", *tests)
        if seen_only or broken:
            continue
        if tests:
            others = [f"--deselect={name}" for name in seen]
            yield _judged(release, hunk, "wrong", "all other tests", *others)
        else:
            yield _judged(release, hunk, "not known", "all tests")


def hunks(release: Release, before: Path) -> Iterator[Hunk]:
    """Yield the hunks in which the newer release differs; files that are new are left out."""
    for path in sorted(release.package.rglob("*.py")):
        inside = path.relative_to(release.package)
        if not (before / inside).exists():
            continue
        newer, old = path.read_text("utf-8"), (before / inside).read_text("utf-8")
        lines, was = newer.splitlines(keepends=True), old.splitlines(keepends=True)
        changed = difflib.SequenceMatcher(None, lines, was, autojunk=False)
        for group in changed.get_grouped_opcodes(3):
            back = list(lines)
            for tag, i1, i2, j1, j2 in reversed(group):
                if tag != "equal":
                    back[i1:i2] = was[j1:j2]
            first = next(i1 for tag, i1, *_ in group if tag != "equal")
            name = f"{release.suite.name} {inside}:{first + 1}"
            yield Hunk(name, path, newer, "".join(back))


def _release(suite: Suite, folder: Path) -> Release:
    sources, python = prepared(suite, folder)
    where = f"import {suite.package} as package; print(package.__file__)"
    found = subprocess.run(
        [str(python), "-c", where], cwd=sources, check=True, capture_output=True, text=True
    ).stdout.strip()
    return Release(suite, sources, python, Path(found).parent)


def _unpacked(suite: Suite, older: str, folder: Path, release: Release) -> Path:
    """Return the package's folder in the older release's sources."""
    into = folder / f"{suite.name}-{older}"
    if not into.exists():
        command = [
            str(release.python), "-m", "pip", "--quiet", "--disable-pip-version-check",
            "download", "--no-binary", suite.name, "--no-deps", "--dest", str(folder),
            f"{suite.name}=={older}",
        ]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = (
            path for path in folder.glob("*.tar.gz")
            if path.name.lower().startswith(f"{suite.name}-{older}")
        )  # fmt: skip
        with tarfile.open(archive) as packed:
            packed.extractall(into, filter="data")
    return next(
        path.parent
        for path in sorted(
            into.rglob(f"{suite.package}/__init__.py"), key=lambda at: len(at.parts)
        )
    )


def _tested(release: Release, hunk: Hunk) -> list[str]:
    try:
        hunk.file.write_text(hunk.back, "utf-8")
        return release.test()
    finally:
        hunk.file.write_text(hunk.newer, "utf-8")


def _judged(
    release: Release, hunk: Hunk, truth: str, traffic: str, *arguments: str
) -> dict[str, Any]:
    """Try a hunk on the calls of its functions, the nearest first, and of their callers as
    `leadline verify` does, until something is said."""
    candidate = hunk.candidate
    points = [one.function.split(".<locals>")[0] for one in entry_points(candidate)]
    points = list(dict.fromkeys(point for point in points if "<" not in point))[:MOST_ENTRIES]
    if not points:
        return _row(hunk, truth, traffic, None, "no function's calls could show it")
    head, *calls = release.record(points, *arguments)
    best, said = None, "no calls"
    waiting: list[tuple[str, int]] = []
    for point in points:
        some = [one for one in calls if one["entry"].partition(":")[2] == point]
        of_file = [one for one in some if one["file"] == str(hunk.file)]
        if of_file:
            waiting.append((of_file[0]["entry"], 1))
    tried = [entry for entry, _ in waiting]
    while waiting:
        entry, step = waiting.pop(0)
        of_entry = [one for one in calls if one["entry"] == entry]
        if not of_entry:
            _, *of_entry = release.record([entry.partition(":")[2]], *arguments)
            of_entry = [one for one in of_entry if one["entry"] == entry]
        if not of_entry:
            continue
        try:
            given = _given(of_entry)
            report = _verified(given, head, candidate, entry)
        except LeadlineError as error:
            said = f"{entry}: {error}"
            continue
        if best is None or _RANK.index(report.verdict) < _RANK.index(best.verdict):
            best = report
        if best.verdict == "changes behaviour":
            break
        outer = "" if is_good(report) or step == MAX_STEPS else wider(given, tried, report)
        if outer:
            tried.append(outer)
            waiting.append((outer, step + 1))
    return _row(hunk, truth, traffic, best, said)


_RANK = ("changes behaviour", "no difference seen", "unknown", "not exercised")
"""What says more comes first: what one entry shows is true whatever another does not show."""


def _given(calls: list[dict[str, Any]]) -> list[CapturedCall]:
    return [
        CapturedCall(
            number, call["document"], read_outcome(call["live"]), obstacle=call["obstacle"],
            kind=call["kind"], withheld=call["withheld"], size=call["size"],
            callers=call["callers"],
        )
        for number, call in enumerate(calls, 1)
    ]  # fmt: skip


def _verified(
    calls: list[CapturedCall], head: dict[str, Any], candidate: Candidate, entry: str
) -> Report:
    home = Home(head["path"], head["cwd"], head["executable"], head["python"])
    request = Request(
        "releases", entry, calls, home, candidate, within_s=WITHIN_S, readable=[head["cwd"]]
    )
    return verify(request).report


def _row(
    hunk: Hunk, truth: str, traffic: str, report: Report | None, reason: str
) -> dict[str, Any]:
    row = {"hunk": hunk.name, "truth": truth, "traffic": traffic}
    if report is None:
        return row | {"verdict": "nothing to try", "reason": reason, "calls": 0, "agreed": 0}
    return row | {
        "verdict": str(report.verdict), "entry": report.entry, "reason": report.reason,
        "calls": report.shares.calls, "agreed": report.shares.agreed,
        "unknown": dict(list(report.unknown.items())[:3]),
    }  # fmt: skip


def show(rows: Sequence[dict[str, Any]], took_s: float) -> None:
    """Print what was said of the hunks."""
    kinds = list(dict.fromkeys((row["truth"], row["traffic"]) for row in rows))
    verdicts = sorted({row["verdict"] for row in rows})
    print("| truth | traffic | " + " | ".join(verdicts) + " |")
    print("|---|---|" + "---:|" * len(verdicts))
    for kind in kinds:
        counts = Counter(
            row["verdict"] for row in rows if (row["truth"], row["traffic"]) == kind
        )
        print(
            f"| {' | '.join(kind)} | " + " | ".join(str(counts[one]) for one in verdicts) + " |"
        )
    agreed = sum(row["agreed"] for row in rows)
    print(f"\n{len(rows)} rows, control agreed on {agreed} calls, {took_s:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
