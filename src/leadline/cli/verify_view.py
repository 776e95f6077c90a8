"""A report as text: the verdict first, then the calls that decided it, side by side."""

from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.show import harmless, short_path

_NOT_EXERCISED = "not exercised"
_MAX_CASES = 3
"""Of each sort; all that were kept are in the JSON and on the page."""
_MAX_DIFFERENCES = 5
_OUTCOMES = ("outcome", "result", "exception", "response", "yield")
_TITLES = {
    "failing": "failing calls",
    "differing": "calls that did not fail and differ, the smallest first",
    "unknown": "calls that are unknown",
    "control": "calls whose control did not agree: they prove nothing",
}


def report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield a report, each line harmless on a terminal."""
    yield harmless(report["sentence"])
    yield ""
    yield harmless(f"  entry      {report['entry']}")
    if report["fails"]:
        yield harmless(f"  fails      {report['fails']}")
    if report["expect"]:
        yield harmless(f"  expect     {report['expect']}")
    candidate = report["candidate"]
    yield harmless(f"  candidate  {candidate['title']} ({candidate['digest'][:12]})")
    runs, took = report["runs"], report["took_s"]
    yield harmless(f"  place      {report['place']}; {runs} runs in {took:.1f} s")
    yield from _coverage(report)
    if report["noise"]:
        yield "  masked     " + harmless(_counted(report["noise"], "call"))
    for note in report["notes"]:
        yield harmless(f"  note       {note}")
    for sort, title in _TITLES.items():
        yield from _cases(report, sort, title)


def _coverage(report: Mapping[str, Any]) -> Iterator[str]:
    for one in report["coverage"]:
        if not one["lines"]:
            continue
        side = "new" if one["new"] else "old"
        reached = {line: count for line, count in one["lines"].items() if count}
        missed = [str(line) for line, count in one["lines"].items() if not count]
        said = f"{len(reached)} of {len(one['lines'])} reached"
        if missed and reached:
            said += f"; not reached: {', '.join(missed[:10])}"
        yield harmless(f"  {side} lines  {short_path(one['file'])}: {said}")
    if report["paths"]:
        many = report["paths"]
        yield f"  paths      {many} different {'way' if many == 1 else 'ways'} through the code"


def _counted(counts: Mapping[str, int], what: str) -> str:
    return ", ".join(
        f"{name} in {count} {what}{'' if count == 1 else 's'}" for name, count in counts.items()
    )


def _cases(report: Mapping[str, Any], sort: str, title: str) -> Iterator[str]:
    cases = [case for case in report["cases"] if case["sort"] == sort]
    if sort == "failing":
        unmet = [case for case in cases if not case["met"]]
        cases = unmet or cases[:1]  # one shows what the fix does
        if report["verdict"] == _NOT_EXERCISED:
            return
    if not cases:
        return
    yield ""
    yield f"{title}:"
    for case in cases[:_MAX_CASES]:
        yield from _case(case)
    if len(cases) > _MAX_CASES:
        yield f"  … {len(cases) - _MAX_CASES} more (--json)"


def _case(case: Mapping[str, Any]) -> Iterator[str]:
    arguments = ", ".join(f"{name}={value}" for name, value in case["arguments"].items())
    yield harmless(f"  call {case['number']}: {_cut(arguments, 300)}")
    if case["reason"]:
        yield harmless(f"    {case['reason']}")
    if case["sort"] in ("failing", "control") or not case["differences"]:
        for side in ("live", "control", "candidate"):
            if case[side]:
                yield harmless(f"    {side:<10} {_cut(case[side], 300)}")
    shown = case["differences"] if case["sort"] == "differing" else ()
    if case["sort"] == "failing":  # what it does beside what it comes to
        shown = [one for one in case["differences"] if not one["where"].startswith(_OUTCOMES)]
    for one in shown[:_MAX_DIFFERENCES]:
        yield harmless(f"    {one['where']}")
        yield harmless(f"      control    {one['live']}")
        yield harmless(f"      candidate  {one['rerun']}")
    if case["swallowed"]:
        yield harmless(f"    {case['swallowed']}")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
