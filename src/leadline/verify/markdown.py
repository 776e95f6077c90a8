"""A report as Markdown for a pull request. Values are captured text, so each stands in code."""

from collections.abc import Iterator, Mapping
from typing import Any

_MARKS = {0: "✅", 1: "❌", 2: "⚪", 3: "❔"}
_MAX_CASES = 5
_MAX_TEXT = 300


def markdown(report: Mapping[str, Any]) -> str:
    """Return the block, with one empty line at its end."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    mark = _MARKS.get(report["exit_status"], "❔")
    yield f"### {mark} Leadline: {_plain(report['verdict'])}"
    yield ""
    yield _plain(report["sentence"])
    yield ""
    yield "| | |"
    yield "|---|---|"
    for name, value in (
        ("service", report["service"]),
        ("entry", report["entry"]),
        ("fails", report["fails"]),
        ("expect", report["expect"]),
        ("candidate", f"{report['candidate']['title']} {report['candidate']['digest'][:12]}"),
        ("place", report["place"]),
    ):
        if value:
            yield f"| {name} | {_code(value)} |"
    differing = [case for case in report["cases"] if case["sort"] == "differing"]
    failing = [case for case in report["cases"] if case["sort"] == "failing"]
    unmet = [case for case in failing if not case["met"]]
    yield from _differing(differing)
    yield from _failing("Failing calls that are not fixed", unmet)
    if not unmet and failing:
        yield from _failing("One failing call", failing[:1])
    if report["unknown"]:
        yield ""
        yield f"<details><summary>{len(report['unknown'])} reasons for what is not known"
        yield "</summary>"
        yield ""
        for reason, count in report["unknown"].items():
            yield f"- {count} × {_code(reason)}"
        yield ""
        yield "</details>"


def _differing(cases: list[Mapping[str, Any]]) -> Iterator[str]:
    if not cases:
        return
    yield ""
    yield "**Calls that did not fail, and differ** (the smallest first)"
    yield ""
    yield "| call | where | before | with the candidate |"
    yield "|---|---|---|---|"
    for case in cases[:_MAX_CASES]:
        for one in case["differences"][:3]:
            cells = (one["where"], one["live"], one["rerun"])
            yield f"| {case['number']} | " + " | ".join(map(_code, cells)) + " |"


def _failing(title: str, cases: list[Mapping[str, Any]]) -> Iterator[str]:
    if not cases:
        return
    yield ""
    yield f"**{title}**"
    yield ""
    yield "| call | arguments | happened | with the candidate |"
    yield "|---|---|---|---|"
    for case in cases[:_MAX_CASES]:
        given = ", ".join(f"{name}={value}" for name, value in case["arguments"].items())
        after = case["candidate"] or case["reason"]
        if case["swallowed"]:
            after += f" ({case['swallowed']})"
        yield (
            f"| {case['number']} | "
            + " | ".join(map(_code, (given, case["live"], after)))
            + " |"
        )


def _code(text: str) -> str:
    """Return a text as code in a cell: nothing in it is Markdown, HTML or a link."""
    text = text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"
    shown = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass")
        .decode("ascii")
        for letter in text
    )  # fmt: skip
    ticks = "`" * (max(map(len, _runs(shown)), default=0) + 1)
    edge = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{edge}{shown.replace('|', chr(92) + '|')}{edge}{ticks}"


def _runs(text: str) -> Iterator[str]:
    """Yield the runs of back-ticks."""
    run = ""
    for letter in text:
        if letter == "`":
            run += letter
        elif run:
            yield run
            run = ""
    if run:
        yield run


def _plain(text: str) -> str:
    """Return a text in which nothing is Markdown or HTML."""
    return "".join(
        f"\\{letter}" if letter in "\\`*_{}[]()#+!|<>&~@" else letter
        for letter in text
        if letter.isprintable()
    )
