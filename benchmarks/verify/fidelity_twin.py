"""`python -m benchmarks.verify.fidelity_twin`: how often unchanged code, run again in twins of
the working process, comes to what really happened.

    python -m benchmarks.verify.fidelity_twin [--only NAME] [--folder DIR] [--json FILE]

Each package works (by its own tests, or asked by a client). Each call that is kept is made
again in a twin at its entry, twice, and, when the test or the work is over, from its arguments
by value in copies of one twin, twice. What is not the same both times, and as it was, has a
reason, and every reason is counted.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.verify import fidelity, traffic
from benchmarks.verify.fidelity import Judged, environment
from leadline.exploration.compare import RUN_S
from leadline.trial.outcome import read_outcome
from leadline.trial.place import Ran, cut, ran_of
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import compare_runs
from leadline.verify.verdict import Control

PLACES = ("hit", "zygote")
NAMES = ("shop", "isso", "click", "httpbin", "datasette", "sqlparse", "pyjwt", "jinja2")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=NAMES, default=[])
    parser.add_argument("--folder", type=Path, default=Path("build/fidelity"))
    parser.add_argument("--calls", type=int, default=4, help="of each function")
    parser.add_argument("--no-hits", action="store_true", help="the zygote alone")
    parser.add_argument("--again", action="store_true", help="run again what was run")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--show", type=int, default=0, help="examples of each reason")
    options = parser.parse_args()
    rows = {}
    for name in options.only or NAMES[:3]:
        folder, no_hits = options.folder.absolute(), options.no_hits
        file = _recorded(name, folder, options.calls, again=options.again, no_hits=no_hits)
        head, judged = judge(file)
        rows[name] = _show(name, head, judged, options.show)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    return 0


def _recorded(name: str, folder: Path, calls: int, *, again: bool, no_hits: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-twin-{fidelity.VERSION}.jsonl"
    if file.exists() and not again:
        return file
    if name in fidelity.SUITES_BY_NAME:
        suite = fidelity.SUITES_BY_NAME[name]
        fidelity.suite_run(
            suite, folder, "benchmarks.verify.twinning", "--twin", suite.package,
            f"--twin-into={file}", "--twin-calls", str(calls), *["--twin-no-hits"][: no_hits],
            within_s=2 * RUN_S,
        )  # fmt: skip
        return file
    where = file.with_suffix(".home")
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir()
    command = [
        sys.executable, "-m", "benchmarks.verify.twinning", name, "--into", file,
        "--calls", calls, *["--no-hits"][: no_hits],
    ]  # fmt: skip
    path = environment()
    path["PYTHONPATH"] += f":{traffic.SERVED}"
    said = folder / f"{name}-twinning.txt"
    fidelity.run(command, where, path, said, 2 * RUN_S)
    assert file.exists(), f"see {said}"
    return file


def judge(file: Path) -> tuple[dict[str, Any], dict[str, list[Judged]]]:
    """Say of each call what became of it in each place. One is read at a time: all of them
    can be gigabytes."""
    found: dict[str, list[Judged]] = {place: [] for place in PLACES}
    with file.open(encoding="utf-8") as lines:
        head = json.loads(next(lines))
        for number, line in enumerate(lines, 1):
            call = json.loads(line)
            for place, judged in found.items():
                judged.append(_judged(number, call, place))
    return head, found


def _judged(number: int, call: dict[str, Any], place: str) -> Judged:
    said = call[place]
    result, reason = "not run", said.get("why", "")
    if place == "zygote" and call["document"] is None:
        reason = call["obstacle"] or "its arguments were not kept"
    elif not reason:
        given = CapturedCall(number, call["document"], read_outcome(call["live"]))
        one, other = (
            _ran(number, *run) for run in zip(said["runs"], said["whys"], strict=True)
        )
        case = compare_runs(given, one, other, other).case
        result, reason = str(case.control), case.reason
    agrees = result == Control.AGREES
    return Judged(
        call["entry"], call["kind"], result, "" if agrees else reason, call["size"],
        call["us"], 0.0, {},
    )  # fmt: skip


def _ran(number: int, run: Any, why: str) -> Ran:
    return ran_of(run) if run is not None else cut(number, why or "it said nothing")


def _show(
    name: str, head: Any, judged: dict[str, list[Judged]], examples: int
) -> dict[str, Any]:
    calls = len(judged[PLACES[0]])
    row: dict[str, Any] = {"package": name, "python": head["python"], "calls": calls}
    print(f"\n{name} on CPython {head['python']}: {calls} calls")
    for place in (*PLACES, "better of both"):
        some = judged.get(place) or [
            min(pair, key=lambda one: one.result != Control.AGREES)
            for pair in zip(*judged.values(), strict=True)
        ]
        agreed = sum(one.result == Control.AGREES for one in some)
        run = sum(one.result != "not run" for one in some)
        reasons = fidelity.reasons_of(some)
        print(f"  {place}: {agreed} of {len(some)} agree, {100 * agreed / len(some):.1f} %; "
              f"of the {run} that were run {100 * agreed / max(1, run):.1f} %")  # fmt: skip
        row[place] = {"agree": agreed, "run": run, "reasons": reasons}
        fidelity.show_reasons(reasons, some, examples)
    for place, pauses in head["pauses"].items():
        if pauses:
            ordered = sorted(pauses)
            row[f"pause {place}"] = [round(statistics.median(ordered), 2),
                                     round(ordered[len(ordered) * 9 // 10], 2)]  # fmt: skip
            print(
                f"  pause for a {place}, ms median/p90: {row[f'pause {place}']}, {len(ordered)}"
            )
    if head["ran_s"]:
        row["runs_s"] = round(head["runs"] / head["ran_s"], 1)
        print(f"  runs a second in the zygote: {row['runs_s']}")
    sys.stdout.flush()
    return row


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "random")
    sys.exit(main())
