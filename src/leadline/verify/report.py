"""What is reported of one verification: plain data, from which every form of it is made."""

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from io import StringIO
from typing import Any

from leadline.trial.candidate import Candidate as Code
from leadline.trial.outcome import Outcome
from leadline.trial.place import Ran
from leadline.verify.comparison import Compared
from leadline.verify.gateways import answer_text, request_text
from leadline.verify.verdict import (
    Candidate,
    Control,
    Judgement,
    Shares,
    Stated,
    Verdict,
    meets,
)
from leadline.wire.gateway import RESPONSE
from leadline.wire.struct import asdict, dataclass, field, replace
from leadline.wire.twin import Difference
from leadline.wire.value import render

SCHEMA_VERSION = 1
_ASKED = "request"
"""Stands before the arguments of a call that was a request."""
MAX_SHOWN = 20
"""Calls of each sort that are shown; all are counted."""
MAX_DIFFERENCES = 20
"""Of one call."""
_MAX_TEXT = 400
_MAX_SHOWN_SOURCE = 40_000
_NO_NEWLINE = "\\ No newline at end of file\n"


class Sort(StrEnum):
    """Why a call is shown."""

    FAILING = "failing"
    DIFFERING = "differing"
    UNKNOWN = "unknown"
    CONTROL = "control"
    """The old code did not come to what really happened."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One call side by side. `live`, `control` and `candidate` are outcomes as text.
    `swallowed` says which exception of the live call is still raised, and where it is taken."""

    number: int
    sort: Sort
    arguments: dict[str, str]
    live: str
    control: str = ""
    candidate: str = ""
    met: bool | None = None
    differences: list[Difference] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)
    swallowed: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many calls reached each changed line; on the candidate's side if `new`."""

    file: str
    new: bool
    lines: dict[int, int]


@dataclass(frozen=True, slots=True)
class Patch:
    """The candidate as it is shown. `diff` is empty where it is too long."""

    title: str
    digest: str
    files: list[str]
    notes: list[str] = field(default_factory=list)
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about one verification."""

    verdict: str
    sentence: str
    exit_status: int
    reason: str
    service: str
    entry: str
    place: str
    fails: str
    expect: str
    candidate: Patch
    shares: Shares
    cases: list[Shown]
    coverage: list[Coverage]
    paths: int
    """Different paths, sets of lines, of the calls that are evidence."""
    noise: dict[str, int]
    """Masked paths of values, and in how many calls."""
    unknown: dict[str, int]
    """Why calls are no evidence, or unknown among it, and how often."""
    took_s: float
    runs: int
    notes: list[str] = field(default_factory=list)
    schema_version: int = SCHEMA_VERSION

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return dict(asdict(self))


def shown_cases(found: Sequence[Compared], stated: Stated) -> list[Shown]:
    """Return the calls that a person wants to see, the smallest first of each sort."""
    sorts: dict[Sort, list[Compared]] = {sort: [] for sort in Sort}
    for one in found:
        case = one.case
        if not case.agreed:
            sorts[Sort.CONTROL].append(one)
        elif case.failed:
            sorts[Sort.FAILING].append(one)
        elif not case.is_evidence:
            continue
        elif case.candidate is Candidate.DIFFERS:
            sorts[Sort.DIFFERING].append(one)
        elif case.candidate is Candidate.UNKNOWN:
            sorts[Sort.UNKNOWN].append(one)
    return [
        _shown(one, sort, stated)
        for sort, members in sorts.items()
        for one in sorted(members, key=lambda one: _size(one, stated))[:MAX_SHOWN]
    ]


def _size(one: Compared, stated: Stated) -> tuple[bool, int, int]:
    """The smallest first: what has not been met, few differences, small arguments."""
    met = bool(one.case.failed and meets(one.case, stated))
    return met, len(one.differences), one.call.size


def _shown(one: Compared, sort: Sort, stated: Stated) -> Shown:
    swallowed, given = "", one.call.live.arguments
    asked = request_text(given)
    if one.swallowed is not None:
        name = one.swallowed.classes[0].rpartition(".")[2]
        swallowed = f"{name} is still raised at {one.swallowed.at}"
        if one.swallowed.handled:
            swallowed += f" and swallowed at {one.swallowed.handled}"
    return Shown(
        number=one.call.number,
        sort=sort,
        arguments=({_ASKED: _text(asked)} if asked else {})
        | {name: _text(value) for name, value in given.items() if name != RESPONSE},
        live=outcome_text(one.call.live),
        control=_ran_text(one.control),
        candidate=_ran_text(one.candidate),
        met=meets(one.case, stated) if one.case.failed and one.case.agreed else None,
        differences=one.differences[:MAX_DIFFERENCES],
        masked=one.noise,
        swallowed=swallowed,
        reason=one.case.reason,
    )


def _ran_text(ran: Ran | None) -> str:
    outcome = ran.rerun.outcome if ran is not None else None
    if ran is not None and outcome is not None and ran.given and RESPONSE in ran.given:
        outcome = replace(outcome, arguments=ran.given)  # with the body
    return outcome_text(outcome)


def outcome_text(outcome: Outcome | None) -> str:
    """Return what a call came to, in one line; empty where nothing is known. What a web
    application came to is its response."""
    if outcome is None:
        return ""
    if outcome.returned and (said := answer_text(outcome.arguments.get(RESPONSE))):
        return _cut(said)
    text = _text(outcome.value)
    return f"returned {text}" if outcome.returned else f"raised {text}"


def _text(value: Any) -> str:
    return _cut(render(value, quoted=True))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"


def reasons(found: Sequence[Compared]) -> dict[str, int]:
    """Count why calls are no evidence, or unknown among it."""
    counted = Counter(
        one.case.reason
        for one in found
        if one.case.reason and (not one.case.agreed or one.case.candidate is Candidate.UNKNOWN)
    )
    return dict(counted.most_common(MAX_SHOWN))


def noise_of(found: Sequence[Compared]) -> dict[str, int]:
    """Count the masked paths of the calls whose control agreed."""
    counted = Counter(
        where for one in found if one.case.control is Control.AGREES for where in one.noise
    )
    return dict(counted.most_common(MAX_SHOWN))


def coverage_of(
    found: Sequence[Compared],
    old: Mapping[str, Sequence[int]],
    new: Mapping[str, Sequence[int]],
) -> list[Coverage]:
    """Count, for each line of the change, the calls that reached it."""
    coverage = []
    for wanted, is_new in ((old, False), (new, True)):
        for file, lines in wanted.items():
            counts = dict.fromkeys(sorted(lines), 0)
            for one in found:
                ran = one.candidate if is_new else one.control
                if ran is None or not one.case.agreed:
                    continue
                for line in ran.coursed.touched.get(file, ()):
                    counts[line] = counts.get(line, 0) + 1
            coverage.append(Coverage(file, is_new, counts))
    return coverage


def paths_of(found: Sequence[Compared]) -> int:
    """Count the different paths that the evidence has taken in the old code."""
    return len({one.control.coursed.path for one in found
                if one.case.is_evidence and one.control is not None})  # fmt: skip


def patch_of(code: Code) -> Patch:
    """Return a candidate as it is shown."""
    from difflib import unified_diff  # noqa: PLC0415 - with all that it needs

    pieces: list[str] = []
    for change in code.changes:
        # by "\n" alone, as Python counts them: other ends of lines are a part of them
        old, new = (
            list(StringIO(text or "", newline="\n")) for text in (change.old, change.new)
        )
        pieces += (
            piece if piece.endswith("\n") else f"{piece}\n{_NO_NEWLINE}"
            for piece in unified_diff(old, new, f"a/{change.file}", f"b/{change.file}")
        )
    diff = "".join(pieces)
    return Patch(
        title=code.title,
        digest=code.digest,
        files=[change.file for change in code.changes],
        notes=list(code.notes),
        diff=diff if len(diff) <= _MAX_SHOWN_SOURCE else "",
    )


UNREACHED = "changed as well, and not reached: "
"""Before the functions of which nothing good is said; they end a sentence."""


def sentence(
    judgement: Judgement, stated: Stated, cases: Sequence[Shown], unrun: Sequence[str] = ()
) -> str:
    """Say a verdict with its shares in one sentence. `unrun` are functions that are changed as
    well, and no call has reached that: nothing good is said of those."""
    shares, verdict = judgement.shares, judgement.verdict
    parts: list[str] = []
    if shares.failing and verdict is not Verdict.NOT_EXERCISED:
        done = "meet the expectation" if stated.expect else "do not fail any more"
        parts.append(f"{shares.met} of {shares.failing} failing calls {done}")
    match verdict:
        case Verdict.CHANGES_BEHAVIOUR | Verdict.NOT_FIXED if shares.differing:
            parts.append(f"{shares.differing} of {shares.others} good calls differ")
        case Verdict.NO_DIFFERENCE_SEEN:
            parts.append(f"on {shares.same} calls")
        case _ if shares.others:
            parts.append(f"{shares.same} of {shares.others} other calls the same")
        case Verdict.FIXED | Verdict.NO_LONGER_FAILS if shares.untouched:
            parts.append(
                f"none of {shares.untouched} other calls came by a changed line, all the same"
            )
    if verdict is Verdict.UNKNOWN and shares.unknown:
        parts.append(f"{shares.unknown} of {shares.reached} are unknown")
    if verdict in (Verdict.NOT_FIXED, Verdict.NO_LONGER_FAILS):
        parts += [case.swallowed for case in cases if case.swallowed][:1]
    if verdict is Verdict.NO_LONGER_FAILS:
        parts += [
            f"but call {case.number} {case.candidate}"
            for case in cases
            if case.met and case.candidate.startswith("raised ")
        ][:1]
    said = ", ".join(parts)
    rest = [f"control agreed on {shares.agreed} of {shares.calls}"]
    rest.append(f"changed lines reached by {shares.reached}")
    if verdict in (Verdict.FIXED, Verdict.NO_LONGER_FAILS, Verdict.NO_DIFFERENCE_SEEN):
        most = f"{shares.bound * 100:.2g} %"
        rest.append(f"at most {most} of such calls could still differ (95 %)")
        rest += [f"{UNREACHED}{', '.join(unrun)}"] * bool(unrun)
    if judgement.reason:
        rest.insert(0, judgement.reason)
    if verdict is Verdict.NO_DIFFERENCE_SEEN:
        return f"{verdict} {said}; " + "; ".join(rest)
    return f"{verdict}: " + "; ".join(filter(None, (said, *rest)))
