"""`python -m benchmarks.verify.fidelity`: how often unchanged code, run again on captured calls
in fresh sealed places, comes to what really happened.

    python -m benchmarks.verify.fidelity [--only NAME] [--folder DIR] [--json FILE] [--again]
        [--openly]

Each package works (by its own tests, or asked by a client), and calls of all its functions are
kept (`recording`). Each call is then run in two places that share nothing but the code. What is
not the same in both, and as it was, has a reason, and every reason is counted.

Three shares are told: of all calls; of those that looked at nothing that was not kept, because
it lives in its process, is a secret, or was too much; and of those which, besides, tried
nothing that a sealed place refuses: to start a process, to write a file. With `--openly`
nothing counts as a secret while arguments are kept: how much of what is missing is redaction's.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.verify import traffic, weighing
from leadline.agent.place.one_run import HANDED_TO_C
from leadline.exploration.compare import RUN_S, prepared
from leadline.exploration.suites import SUITES, Suite
from leadline.trial.outcome import read_outcome
from leadline.trial.place import Begin, Ran, cut
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import BETWEEN, compare_runs
from leadline.verify.places import Place, order_of
from leadline.verify.verdict import Control
from leadline.wire.foreseen import folded, unfolded
from leadline.wire.messages import encode
from leadline.wire.packing import Allowance, packed, unpacked
from leadline.wire.struct import replace

ROOT = Path(__file__).parents[2]
WITHIN_S = 10.0
"""Of a run: a copy may import a whole application first, on a machine that does more."""
GOALS = {
    "sqlparse": 98, "pyjwt": 98, "jinja2": 95, "click": 90, "isso": 90, "datasette": 90,
    "httpbin": 90, "shop": 90,
}  # fmt: skip
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
SUITES_BY_NAME = {suite.name: suite for suite in SUITES} | {
    "pyjwt": Suite("pyjwt==2.10.1", "jwt", needs=("cryptography",)),
}
_SHOWN = 14
NEEDS = "unknown: it used "
REFUSED = "it was refused "
WITHHELD = f"{NEEDS}what redaction withheld"


@dataclass
class Judged:
    """One call, and what became of it."""

    entry: str
    kind: str
    result: str
    reason: str
    size: int
    us: int
    ms: float
    call: dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=sorted(GOALS), default=[])
    parser.add_argument("--folder", type=Path, default=Path("build/fidelity"))
    parser.add_argument("--calls", type=int, default=8, help="of each function")
    parser.add_argument("--again", action="store_true", help="record again what is recorded")
    parser.add_argument("--openly", action="store_true", help="as if there were no secrets")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--show", type=int, default=0, help="examples of each reason")
    options = parser.parse_args()
    rows = {}
    for name in options.only or GOALS:
        file = recorded(
            name,
            options.folder.absolute(),
            options.calls,
            again=options.again,
            openly=options.openly,
        )
        began = time.monotonic()
        head, judged = judge(file)
        rows[name] = row(name, head, judged, time.monotonic() - began)
        show(name, rows[name], judged, options.show)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    return 0


def recorded(name: str, folder: Path, calls: int, *, again: bool, openly: bool = False) -> Path:
    """Return a file with calls of a package, made now if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{VERSION}{'-openly' if openly else ''}.jsonl"
    if file.exists() and not again:
        return file
    if name not in SUITES_BY_NAME:
        traffic.record(name, file, calls, openly=openly)
        return file
    suite = SUITES_BY_NAME[name]
    suite_run(
        suite, folder, "benchmarks.verify.recording", "--record", suite.package,
        # in one word: pytest takes a file that is there for a test, and its folder for the root
        f"--record-into={file}",
        "--record-calls", str(calls), *(("--record-openly",) if openly else ()),
    )  # fmt: skip
    return file


def suite_run(
    suite: Suite, folder: Path, plugin: str, *options: str, within_s: int = RUN_S
) -> None:
    """Run the tests of a package with a plugin of ours."""
    sources, python = prepared(suite, folder)
    command = [
        python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", plugin, *options,
        *suite.arguments,
    ]  # fmt: skip
    said = folder / f"{suite.name}-{plugin.rpartition('.')[2]}.txt"
    done = run(command, sources, environment(), said, within_s)
    assert done in (0, 1), f"see {said}"


def run(
    command: Sequence[object], where: Path, environ: dict[str, str], said: Path, within_s: int
) -> int:
    """Run something that writes into the file `said`; returns its exit status."""
    with said.open("wb") as output:
        return subprocess.run(
            [str(one) for one in command], cwd=where, env=environ, timeout=within_s,
            check=False, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        ).returncode  # fmt: skip


def environment() -> dict[str, str]:
    """Return the environment in which leadline, and this, can be imported anywhere."""
    own = {name: one for name, one in os.environ.items() if not name.startswith("LEADLINE_")}
    return own | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PYTHONHASHSEED": "random"}


def read(file: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the header of a file, and its calls."""
    with file.open(encoding="utf-8") as lines:
        return json.loads(next(lines)), [json.loads(line) for line in lines]


def judge(file: Path) -> tuple[dict[str, Any], list[Judged]]:
    """Run all calls of a file again, and say of each what became of it."""
    head, calls = read(file)
    head["bytes"] = weighing.weighed(calls)
    os.environ["PYTHONPATH"] = environment()["PYTHONPATH"]
    by_module: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for call in calls:
        by_module[call["entry"].partition(":")[0]].append(call)
    judged: list[Judged] = []
    for module, some in sorted(by_module.items()):
        judged += _of_module(some, head)
        print(f"{module}: {len(some)} calls", file=sys.stderr, flush=True)
    return head, judged


def _of_module(calls: Sequence[dict[str, Any]], head: Any) -> Iterator[Judged]:
    captured = [_captured(number, call) for number, call in enumerate(calls, 1)]
    begin = Begin(
        path=head["path"],
        cwd=head["cwd"],
        entry=calls[0]["entry"],
        readable=[head["cwd"]],
    )
    entries = [call["entry"].partition(":")[2] for call in calls]
    with ThreadPoolExecutor(2) as pool:
        ran = list(
            pool.map(
                lambda seed: _runs(begin, head["executable"], seed, captured, entries),
                ("1", "2"),
            )
        )
    for call, given, one, other in zip(calls, captured, *ran, strict=True):
        result, reason = "not kept", given.obstacle
        if given.document is not None:
            case = compare_runs(given, one, other, other).case
            result, reason = str(case.control), case.reason
        elif not reason:
            reason = "its arguments were not kept"
        agrees = result == Control.AGREES
        yield Judged(
            call["entry"], call["kind"], result, "" if agrees else reason, call["size"],
            call["us"], one.ms, call,
        )  # fmt: skip


def _captured(number: int, call: dict[str, Any]) -> CapturedCall:
    """Return a call as it is when it has travelled."""
    document, live = call["document"], call["live"]
    if document is not None:
        said = json.loads(encode([packed(document), folded(document, live["arguments"])]))
        document = unpacked(said[0], allowance := Allowance())
        live = live | {"arguments": unfolded(document, said[1], allowance)}
    return CapturedCall(
        number, document, read_outcome(live), obstacle=call["obstacle"], kind=call["kind"],
        withheld=call["withheld"], size=call["size"],
    )  # fmt: skip


def _runs(
    begin: Begin, executable: str, seed: str, calls: list[CapturedCall], entries: list[str]
) -> list[Ran]:
    place = Place(begin, executable, seed)
    try:
        ready = place.ready()
        if not ready.ok:
            return [cut(call.number, f"the place: {ready.reason}") for call in calls]
        return [
            place.run(replace(order_of(call, WITHIN_S), entry=entry))
            if call.document is not None
            else cut(call.number, "")
            for call, entry in zip(calls, entries, strict=True)
        ]
    finally:
        place.close()


def row(name: str, head: Any, judged: list[Judged], took_s: float) -> dict[str, Any]:
    """Return the figures of a package."""
    kept = [one for one in judged if one.result != "not kept"]
    costs = sorted(one.us for one in judged) or [0]
    kinds = {}
    for kind in sorted({one.kind for one in judged}):
        some = [one for one in judged if one.kind == kind]
        kinds[kind] = dict(Counter(one.result for one in some)) | {"calls": len(some)}
    return {
        "package": name, "goal": GOALS[name], "python": head["python"],
        "functions": head["functions"], "inner": head["inner"], "lost": head["lost"],
        "calls": len(judged), "kept": len(kept),
        "results": dict(Counter(one.result for one in judged)),
        "needs": sum(reason_class(one).startswith(NEEDS) for one in judged if one.reason),
        "refused": sum(REFUSED in one.reason and not _needs(one) for one in judged),
        "kinds": kinds,
        "bytes": head["bytes"],
        "us": [round(statistics.median(costs)), costs[len(costs) * 9 // 10]],
        "ms": round(statistics.median([one.ms for one in kept] or [0.0]), 2),
        "took_s": round(took_s),
        "reasons": reasons_of(judged),
    }  # fmt: skip


def _needs(one: Judged) -> bool:
    return bool(one.reason) and reason_class(one).startswith(NEEDS)


_PLAIN = re.compile(r"0x[0-9a-f]+|\b\d+\b|'[^']*'|\"[^\"]*\"")


def reason_class(one: Judged) -> str:
    """Return a reason in words that many calls share."""
    reason = one.reason
    if one.result == "not kept":
        return f"not kept: {_PLAIN.sub('#', reason.rpartition(': ')[2])}"
    if one.result == Control.DIFFERS:
        where = re.split(r"[\s.\[{(]", reason, maxsplit=1)[0]
        why = reason.rpartition(" (")[2].rstrip(")") if reason.endswith(")") else ""
        if where == "argument" and " was " in reason:
            where = "an argument's state"
        if REFUSED in why:
            return f"refused: {_tried(why)}"
        return f"differs: {where}" + (f" ({_PLAIN.sub('#', why)[:90]})" if why else "")
    if BETWEEN in reason:
        return f"{NEEDS}what its caller did {BETWEEN}"
    if reason.startswith(HANDED_TO_C):
        return f"{NEEDS}what it has handed to code in C"
    if reason.endswith("the code looked at it"):
        if "was withheld by redaction" in reason:
            return WITHHELD
        kind = re.search(r" is an? (.*) that lives in its process", reason)
        return NEEDS + (f"a {kind[1]}" if kind else "what there was no room for")
    return f"unknown: {_PLAIN.sub('#', reason)[:110]}"


def _tried(why: str) -> str:
    """Return what a sealed place has refused, without the name of the file."""
    tried = why.partition(REFUSED)[2].partition(";")[0].partition(",")[0]
    return re.sub(r" /\S+", " a file", tried)


def show(name: str, row: dict[str, Any], judged: list[Judged], examples: int) -> None:
    """Print the figures of a package."""
    agreed = row["results"].get(str(Control.AGREES), 0)
    whole = row["calls"] - row["needs"]
    print(
        f"\n{name} on CPython {row['python']}: {agreed} of {row['calls']} calls agree, "
        f"{100 * agreed / max(1, row['calls']):.1f} %; {row['needs']} looked at what was not "
        f"there; of the other {whole} agree {100 * agreed / max(1, whole):.1f} % (goal "
        f"{row['goal']} %); {row['refused']} were refused something outside, of the rest agree "
        f"{100 * agreed / max(1, whole - row['refused']):.1f} %; {row['functions']} functions"
    )
    print(f"  results {row['results']}; by kind {row['kinds']}")
    print(
        f"  kB of a call, median/p90/most: {weighing.words(row['bytes'])}\n"
        f"  capture us {row['us']}, run {row['ms']} ms; {row['inner']} functions made in "
        f"functions, {row['lost']} calls without end; {row['took_s']} s"
    )
    show_reasons(row["reasons"], judged, examples)
    sys.stdout.flush()


def show_reasons(
    reasons: Sequence[tuple[str, int]], judged: Sequence[Judged], examples: int
) -> None:
    """Print the reasons that were met most often, with examples of each."""
    for reason, count in reasons[:_SHOWN]:
        print(f"  {count:5} {reason}")
        some = [one for one in judged if one.reason and reason_class(one) == reason]
        for one in some[:: max(1, len(some) // max(1, examples))][:examples]:
            print(f"          {one.entry}: {one.reason[:400]}")


def reasons_of(judged: Sequence[Judged]) -> list[tuple[str, int]]:
    """Return the reasons by how often they were met."""
    return Counter(reason_class(one) for one in judged if one.reason).most_common()


if __name__ == "__main__":
    sys.exit(main())
