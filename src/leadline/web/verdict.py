"""One verdict: what stands behind it, the candidate with what reached it, the calls by sort."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from leadline.control.verdicts import VerdictView
from leadline.verify.verdict import Verdict
from leadline.web import diff
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.web.verdicts import said, tone
from leadline.wire.struct import dataclass

_NAME_PARTS = 2
"""Of a path, as the command shows it; more where two files would have the same name."""
_MOST_PARTS = 8
OPEN = 3
"""Calls of the sort that decided it that are open when the page comes, the smallest ones, which
say most; of each other sort it is one."""
_BRIEF_CHARS = 110
_FIRST = {Verdict.CHANGES_BEHAVIOUR: "differing", Verdict.UNKNOWN: "unknown"}
"""Which sort has decided it; of all others it is the failing calls."""
_SORTS = (
    ("failing", "Failing calls", "They failed live. What was stated has to hold for each."),
    (
        "differing",
        "Calls that differ",
        "They did not fail, and come out differently with the candidate; the smallest first.",
    ),
    ("unknown", "Unknown", "What the candidate comes to is not known of them."),
    (
        "control",
        "Control did not agree",
        "The old code, run again, did not come to what really happened: they prove nothing.",
    ),
)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One call. `sides` are its outcomes as (name, text), `met` whether what was stated holds
    for it (None: nobody knows)."""

    number: int
    arguments: list[tuple[str, str]]
    sides: list[tuple[str, str]]
    differences: list[Mapping[str, Any]]
    masked: list[str]
    met: str
    swallowed: str
    reason: str
    brief: str
    open: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The calls of one sort."""

    sort: str
    title: str
    told: str
    cases: list[CaseRow]


@dataclass(frozen=True, slots=True)
class Lines:
    """How far the changed lines of one side of a file were reached; `missed` were not."""

    file: str
    name: str
    side: str
    reached: int
    whole: int
    missed: str


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many calls, and what is said of them; `part` is the share of it."""

    name: str
    count: int
    of: int
    told: str

    @property
    def part(self) -> float:
        """The share, 0 where there is none."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Page:
    """What the view shows. `bound` is the share of calls that could still differ, in words;
    `names` are files as they are shown."""

    verdict: VerdictView
    report: Mapping[str, Any]
    tone: str
    said: str
    shares: list[Share]
    bound: str
    files: list[diff.FileDiff]
    cut: int
    lines: list[Lines]
    groups: list[Group]
    names: Mapping[str, str]


def view(verdict: VerdictView) -> Page:
    """Make the view model of a report, which is plain data."""
    report = verdict.report
    files, cut = diff.files(report["candidate"]["diff"], _reached(report))
    names = _short_names([one["file"] for one in report["coverage"]])
    return Page(
        verdict=verdict,
        report=report,
        tone=tone(report["exit_status"]),
        said=said(report["verdict"], report["sentence"]),
        shares=_shares(report),
        bound=_bound(report["shares"]),
        files=files if report["candidate"]["diff"] else [],
        cut=cut,
        lines=[_lines(one, names) for one in report["coverage"] if one["lines"]],
        names=names,
        groups=_groups(report),
    )


def page(frame: Frame, shown: Page) -> str:
    """Return the whole page."""
    return render("verdict.html", frame=frame, view=shown)


def _shares(report: Mapping[str, Any]) -> list[Share]:
    counted = report["shares"]
    met = "meet what was stated" if report["expect"] else "do not fail any more"
    shares = [
        Share("control", counted["agreed"], counted["calls"],
              "calls: the old code, run twice, came to the same"),
        Share("reached", counted["reached"], counted["calls"],
              "calls have reached a changed line"),
    ]  # fmt: skip
    if counted["failing"] or report["fails"]:
        shares.append(
            Share("failing", counted["met"], counted["failing"], f"failing calls {met}")
        )
    shares.append(
        Share("others", counted["same"], counted["others"], "other calls are the same")
    )
    return shares


def _bound(shares: Mapping[str, Any]) -> str:
    if not shares["reached"]:
        return "nothing can be said: no call is evidence"
    share = shares["bound"]
    said = f"{share:.2g}" if share < 0.001 else f"{share * 100:.2g} %"
    return f"at most {said} of such calls could differ (95 %)"


def _reached(report: Mapping[str, Any]) -> diff.Reached:
    return {
        (one["file"], one["new"]): {int(line): calls for line, calls in one["lines"].items()}
        for one in report["coverage"]
    }


def _short_names(files: list[str]) -> dict[str, str]:
    """Return the end of each path: as much of it as tells it from the others."""
    names: dict[str, str] = {}
    for many in range(_NAME_PARTS, _MOST_PARTS):
        ends = {file: "/".join(file.rsplit("/", many)[-many:]) for file in files}
        counts = Counter(ends.values())
        names = {file: end for file, end in ends.items() if counts[end] == 1} | names
    return {file: names.get(file, file) for file in files}


def _lines(one: Mapping[str, Any], names: Mapping[str, str]) -> Lines:
    missed = [line for line, calls in one["lines"].items() if not calls]
    more = f" and {len(missed) - 20} more" if len(missed) > 20 else ""
    return Lines(
        file=one["file"],
        name=names[one["file"]],
        side="new" if one["new"] else "old",
        reached=len(one["lines"]) - len(missed),
        whole=len(one["lines"]),
        missed=", ".join(missed[:20]) + more,
    )


def _groups(report: Mapping[str, Any]) -> list[Group]:
    """Return the calls by sort, those first that decided it."""
    first = _FIRST.get(report["verdict"], "failing")
    groups: list[Group] = []
    for sort, title, told in sorted(_SORTS, key=lambda one: one[0] != first):
        cases = [case for case in report["cases"] if case["sort"] == sort]
        most = 1 if groups else OPEN
        rows = [_case(case, number < most) for number, case in enumerate(cases)]
        if rows:
            groups.append(Group(sort, title, told, rows))
    return groups


def _case(case: Mapping[str, Any], is_open: bool) -> CaseRow:
    sides = (("live", "what happened"), ("control", "control"), ("candidate", "candidate"))
    return CaseRow(
        number=case["number"],
        arguments=list(case["arguments"].items()),
        sides=[(name, case[side]) for side, name in sides if case[side]],
        brief=_brief(case),
        differences=[] if _is_whole(case) else case["differences"],
        masked=case["masked"],
        met=_met(case),
        swallowed=case["swallowed"],
        reason=case["reason"],
        open=is_open,
    )


def _brief(case: Mapping[str, Any]) -> str:
    """Return what stands beside a call that is not open."""
    text: str = case["reason"] or case["candidate"] or case["live"]
    return text if len(text) <= _BRIEF_CHARS else f"{text[: _BRIEF_CHARS - 1]}…"


def _is_whole(case: Mapping[str, Any]) -> bool:
    """Tell whether all that differs is the outcome itself, which is shown anyway."""
    return {one["where"] for one in case["differences"]} == {"outcome"}


def _met(case: Mapping[str, Any]) -> str:
    if case["sort"] != "failing":
        return ""
    return {True: "met", False: "not met"}.get(case["met"], "unknown")
