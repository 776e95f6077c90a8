"""The report of an exploration, as a table in a page of the documentation."""

import json
import platform
import time
from collections import Counter
from pathlib import Path
from typing import Any

from leadline.exploration.suites import SUITES

BEGIN, END = "<!-- exploration: begin -->", "<!-- exploration: end -->"
_HEAD = (
    "| suite | Python | tests | kind | probes armed | reached | hits | differences | explained "
    "| slowdown |"
)


def write_report(page: Path, results: Path) -> None:
    """Write what is in the folder `results` between the markers of `page`.

    Raises `ValueError` when the page has no markers.
    """
    order = {suite.name: number for number, suite in enumerate(SUITES)}
    found = [json.loads(path.read_text("utf-8")) for path in results.glob("*.json")]
    found.sort(key=lambda one: (one["python"], order.get(_name(one), len(order))))
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, marker, after = rest.partition(END)
    if not marker:
        raise ValueError(f"{page} has no place for the report: {BEGIN} … {END}")
    page.write_text(f"{before}{BEGIN}\n{report_of(found)}{END}{after}", "utf-8")


def report_of(results: list[dict[str, Any]]) -> str:
    """Return the tables: one row a run, then what differed and why."""
    date = time.strftime("%Y-%m-%d", time.gmtime())
    lines = [
        f"Made on {date} on {platform.system()} {platform.machine()}.",
        "",
        _HEAD,
        "|---|---|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        lines += [_row(result, kind) for kind in result["runs"]]
    lines += ["", *_totals(results), "", *_explained(results)]
    return "\n".join(lines) + "\n"


def _row(result: dict[str, Any], kind: str) -> str:
    run, different = result["runs"][kind], result["different"][kind]
    reasons = [_why(result, one["test"]) for one in different]
    cells = [
        result["suite"].replace("==", " "),
        result["python"],
        f"{result['tests']:,}",
        kind,
        f"{run['armed']:,}",
        f"{run['reached']:,}",
        f"{run['hits']:,}",
        f"{reasons.count('')}",
        f"{len(reasons) - reasons.count('')}",
        f"{run['suite_seconds'] / result['seconds']:.1f}x",
    ]
    return f"| {' | '.join(cells)} |"


def _totals(results: list[dict[str, Any]]) -> list[str]:
    runs = [(result, run) for result in results for run in result["runs"].values()]
    tests = sum(result["tests"] for result, _ in runs)
    hits = sum(run["hits"] for _, run in runs)
    faults = sum(len(run["faults"]) for _, run in runs)
    dropped = sum(sum(run["dropped"].values()) for _, run in runs)
    cores = ", ".join(sorted({run["core"] for _, run in runs}))
    sentence = (
        f"Together: {len(runs)} runs with probes, {tests:,} tests, {hits:,} hits captured, "
        f"{dropped:,} dropped and counted, {faults} faults of the agent. Core: {cores}."
    )
    return [sentence]


def _explained(results: list[dict[str, Any]]) -> list[str]:
    """Name every test that differed, and the reason where there is one."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for result in results:
        for found in result["different"].values():
            for one in found:
                why = _why(result, one["test"]) or "**not explained**"
                seen[_name(result), one["test"], why] += 1
    if not seen:
        return ["No test ended differently."]
    rows = [
        f"| {suite} | `{test}` | {why} | {times} |"
        for (suite, test, why), times in sorted(seen.items())
    ]
    return ["| suite | test that ended differently | why | runs |", "|---|---|---|---:|", *rows]


def _why(result: dict[str, Any], test: str) -> str:
    if test in result["unstable"]:
        return "differs between two runs without probes, too"
    suite = next((suite for suite in SUITES if suite.name == _name(result)), None)
    reasons = suite.explained if suite is not None else {}
    return next((why for part, why in reasons.items() if part in test), "")


def _name(result: dict[str, Any]) -> str:
    return str(result["suite"]).partition("==")[0]
