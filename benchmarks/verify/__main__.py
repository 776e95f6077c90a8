"""`python -m benchmarks.verify`: verdicts on candidates of known truth, as a table.

    python -m benchmarks.verify [--mutants N] [--calls N] [--seed N] [--only TEXT] [--json FILE]

Each real function is run on made-up calls. Its candidates are mutants, and the same
function written otherwise. What is true of a candidate is found out by running it, without
any part of Leadline: the results of all calls, compared. The hand-written cases (`cases/`) say
what is true themselves.
"""

import argparse
import asyncio
import json
import pickle
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.verify import handmade
from benchmarks.verify.apart import apart
from benchmarks.verify.calling import captured, home
from benchmarks.verify.mutants import mutants, rewritten
from benchmarks.verify.real import Subject, subjects
from leadline.trial.candidate import make, of_texts
from leadline.trial.overlay import Overlay
from leadline.verify.verifying import Request, verify


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--mutants", type=int, default=6)
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table: Counter[tuple[str, str]] = Counter()
    counts: Counter[str] = Counter()
    wrong: list[dict[str, Any]] = []
    began = time.monotonic()
    for subject in subjects():
        if options.only and options.only not in subject.entry:
            continue
        for row in real_cases(subject, options):
            table[row["truth"], row["verdict"]] += 1
            counts["calls"] += row["calls"]
            counts["agreed"] += row["agreed"]
            counts["runs"] += row["runs"]
            if row["truth"] == "same":
                counts["same calls"] += row["agreed"]
            if row["bad"]:
                wrong.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    for row in handmade.run(options.only):
        table[row["truth"], row["verdict"]] += 1
        counts["agreed"] += row["agreed"]
        counts["calls"] += row["calls"]
        counts["runs"] += row["runs"]
        if row["bad"]:
            wrong.append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
    took = time.monotonic() - began
    _show(table, counts, wrong, took)
    if options.json:
        said = {f"{truth} -> {verdict}": count for (truth, verdict), count in table.items()}
        options.json.write_text(json.dumps({"table": said, "counts": counts, "wrong": wrong,
                                            "took_s": round(took)}, indent=1))  # fmt: skip
    return 1 if wrong else 0


def real_cases(subject: Subject, options: argparse.Namespace):
    """Yield a row for each candidate of a function."""
    qualname = subject.entry.partition(":")[2]
    given = [
        subject.make(random.Random(f"{options.seed} {number}"))
        for number in range(options.calls)
    ]
    child = apart(lambda: _capture(subject.entry, given))
    if isinstance(child, str):
        print(f"{subject.entry}: {child}", file=sys.stderr)
        return
    calls, file, place, truth = child
    source = Path(file).read_text("utf-8")
    tried = [("same tree", rewritten(source, qualname))]
    tried += mutants(source, qualname, options.mutants, options.seed)
    for label, new in tried:
        found = apart(lambda new=new: _results(subject.entry, given, {file: new}))
        if isinstance(found, str):
            known = "no answer"
        else:
            known = "same" if found == truth else "differs"
        candidate = make(label, [of_texts(file, source, new)])
        request = Request("bench", subject.entry, calls, place, candidate, within_s=3.0)
        row = {"case": f"{subject.entry} {label}", "truth": known, "bad": False}
        try:
            report = verify(request).report
        except Exception as error:  # noqa: BLE001 - it is a row of the table
            yield row | {
                "verdict": f"{type(error).__name__}: {error}"[:100],
                "calls": 0,
                "agreed": 0,
                "runs": 0,
            }
            continue
        bad = (known == "differs" and report.verdict in ("no difference seen", "fixed")) or (
            known == "same" and report.verdict in ("changes behaviour", "not fixed")
        )
        yield row | {
            "verdict": report.verdict, "bad": bad, "calls": report.shares.calls,
            "agreed": report.shares.agreed, "runs": report.runs, "reason": report.reason,
        }  # fmt: skip


def _capture(entry: str, given: list[tuple]):
    module, _, _ = entry.partition(":")
    __import__(module)
    calls = captured(entry, _fresh(given))
    file = sys.modules[module].__file__
    return calls, file, home(Path.cwd()), _run_all(entry, given)


def _results(entry: str, given: list[tuple], overlay: dict[str, str]):
    Overlay(overlay).install()
    __import__(entry.partition(":")[0])
    return _run_all(entry, given)


def _run_all(entry: str, given: list[tuple]) -> list[str]:
    from leadline.agent.place.entry import find_entry

    module, _, qualname = entry.partition(":")
    function = find_entry(sys.modules[module], module, qualname).function
    found = []
    for args in _fresh(given):
        try:
            value = function(*args)
            if hasattr(value, "__await__"):
                value = asyncio.run(value)
            if hasattr(value, "__next__"):
                value = list(value)
            said = f"returned {type(value).__name__} {value!r}"
        except Exception as error:  # noqa: BLE001 - it is what the call comes to
            said = f"raised {type(error).__name__} {error}"
        found.append(f"{said} {args!r}")
    return found


def _fresh(given: list[tuple]) -> list[tuple]:
    return pickle.loads(pickle.dumps(given))  # noqa: S301 - our own


def _show(table, counts, wrong, took) -> None:
    truths = sorted({truth for truth, _ in table})
    verdicts = sorted({verdict for _, verdict in table})
    print("| truth | " + " | ".join(verdicts) + " |")
    print("|---|" + "---:|" * len(verdicts))
    for truth in truths:
        print(
            f"| {truth} | "
            + " | ".join(str(table[truth, verdict]) for verdict in verdicts)
            + " |"
        )
    total = sum(table.values())
    print(
        f"\n{total} cases, {counts['calls']} calls, control agreed on {counts['agreed']}, "
        f"{counts['runs']} runs in {took:.0f} s; wrong verdicts: {len(wrong)}"
    )
    for row in wrong:
        print("WRONG", json.dumps(row))


if __name__ == "__main__":
    sys.exit(main())
