"""The rules: from what became of each call to what may be said of the candidate.

Pure functions over `Case`s, so that every combination can be looked at in a table. Two rules
stand above the others: nothing is said of a call whose control did not come, twice, to what
really happened; and what is unknown is never taken for good.
"""

from collections.abc import Sequence
from enum import StrEnum

from leadline.verify.bounds import most_share
from leadline.wire.struct import dataclass

LEAST_EVIDENCE = 10
"""Calls that have to stand behind `fixed`: with fewer, nearly a third could still differ."""
LEAST_GOOD = 29
"""Calls that did not fail and came by a changed line, where any did: with fewer, more than a
tenth of them could still differ (`bounds.most_share(0, 28)` is 10.2 %). The demo's plausible
candidate, which is wrong on a third of such calls, was `fixed` on seven."""
MORE_GOOD = "too few to say that nothing else changed"
CAPTURE_MORE = "; capture more"
"""How a reason ends where more calls may tell."""
"""What the reason says where calls like those that were run may change the verdict."""
LEAST_AGREED = 0.5
"""Share of the calls whose control has to agree before anything good is said. Of a release of
jinja2 a wrong hunk was "no difference seen" on 4 calls, while the 10 that it matters for were
not known (benchmarks/verify/releases.py)."""


class Verdict(StrEnum):
    """What is said of a candidate. There is no "pass"."""

    FIXED = "fixed"
    NO_LONGER_FAILS = "no longer fails"
    NOT_FIXED = "not fixed"
    CHANGES_BEHAVIOUR = "changes behaviour"
    NO_DIFFERENCE_SEEN = "no difference seen"
    NOT_EXERCISED = "not exercised"
    UNKNOWN = "unknown"


EXIT: dict[Verdict, int] = {
    Verdict.FIXED: 0,
    Verdict.NOT_FIXED: 1,
    Verdict.CHANGES_BEHAVIOUR: 1,
    Verdict.NO_LONGER_FAILS: 2,
    Verdict.NO_DIFFERENCE_SEEN: 2,
    Verdict.NOT_EXERCISED: 2,
    Verdict.UNKNOWN: 3,
}
"""The command's exit status."""


class Control(StrEnum):
    """Whether the old code, run again twice, came to what really happened."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


class Candidate(StrEnum):
    """What the candidate came to, beside the control."""

    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Case:
    """One call, as far as the rules are concerned.

    `failed` says whether the live call was one of those that fail, None where that is not
    known. `reached` says whether a changed line ran, in the control or in the candidate.
    `still_fails` and `expected` are the two predicates over what the candidate came to; None
    where there is no answer, or none was stated. `reason` says why something is unknown, or
    the control differs.
    """

    failed: bool | None
    control: Control
    reached: bool = False
    candidate: Candidate = Candidate.UNKNOWN
    still_fails: bool | None = None
    expected: bool | None = None
    reason: str = ""

    @property
    def agreed(self) -> bool:
        return self.control is Control.AGREES

    @property
    def is_evidence(self) -> bool:
        """Whether the control agreed, and a changed line was reached; a candidate that comes
        to something else, or to no end, has reached it, whatever the lines say."""
        return self.agreed and (self.reached or self.candidate is not Candidate.SAME)


@dataclass(frozen=True, slots=True)
class Stated:
    """What was stated before anything ran: which calls fail, what has to hold for them, and
    which files of the candidate are not tried. `left` says of what the calls have read that the
    old code may have left it, where it may have; `unmet` which changed lines the real calls may
    have reached, and no run has; `elsewhere` what the candidate does otherwise in another
    world. `least` is how many calls have to stand behind
    `fixed`, of all that came by a changed line and of the good ones among them; None for
    `LEAST_EVIDENCE` and `LEAST_GOOD`."""

    fails: bool = False
    expect: bool = False
    least: int | None = None
    untried: tuple[str, ...] = ()
    left: str = ""
    unmet: str = ""
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many calls stand behind a verdict.

    `failing` of those whose control agreed failed live, and `met` of them meet what was stated;
    `others` of the evidence did not fail, and `same` of them came to the same. `unknown` of the
    evidence has no answer. `bound` is the largest share of such calls that could still differ
    (95 %): of the good ones that came by a changed line, where any did, else of the evidence.
    """

    calls: int
    agreed: int
    reached: int
    failing: int
    met: int
    others: int
    same: int
    differing: int
    unknown: int
    failing_lost: int
    """Failing calls that are no evidence, because their control did not agree."""
    bound: float
    untouched: int = 0
    """Calls that did not fail, have not reached a changed line and came to the same."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, the shares behind it, and its reason in one sentence, where it needs one."""

    verdict: Verdict
    shares: Shares
    reason: str = ""

    @property
    def exit_status(self) -> int:
        return EXIT[self.verdict]


def judge(cases: Sequence[Case], stated: Stated) -> Judgement:
    """Return what may be said of the candidate."""
    shares = _shares(cases, stated)
    verdict, reason = _rules(cases, stated, shares)
    return Judgement(verdict, shares, reason)


def meets(case: Case, stated: Stated) -> bool | None:
    """Tell whether the candidate has done for a failing call what was stated; None where that
    is not known."""
    if case.still_fails:
        return False
    if not stated.expect:
        return None if case.still_fails is None else True
    if case.expected is False:
        return False
    return True if case.expected and case.still_fails is False else None


def wanted_good(least: int | None) -> int:
    """Return how many good calls have to come by a changed line, where any does."""
    return least or LEAST_GOOD


def _rules(cases: Sequence[Case], stated: Stated, shares: Shares) -> tuple[Verdict, str]:
    if not shares.agreed:
        return Verdict.UNKNOWN, _no_control(cases)
    evidence = [case for case in cases if case.is_evidence]
    if not evidence:
        return _not_exercised(cases, shares)
    # Said of a failing call whether or not it came by a changed line: it was run.
    if any(meets(case, stated) is False for case in cases if case.agreed and case.failed):
        return Verdict.NOT_FIXED, ""
    if shares.differing:
        return Verdict.CHANGES_BEHAVIOUR, ""
    if unknown := _unknown(cases, evidence, stated, shares):
        return Verdict.UNKNOWN, unknown
    if not shares.failing:
        if stated.fails:
            return Verdict.NO_DIFFERENCE_SEEN, "no failing call was among them"
        return Verdict.NO_DIFFERENCE_SEEN, ""
    return (Verdict.FIXED if stated.expect else Verdict.NO_LONGER_FAILS), ""


def _unknown(
    cases: Sequence[Case], evidence: Sequence[Case], stated: Stated, shares: Shares
) -> str:
    """Return what stands in the way of saying anything good."""
    if stated.elsewhere:
        return stated.elsewhere
    for case in evidence:
        if _is_unknown(case, stated):
            return case.reason or "of a call it is not known what the candidate comes to"
    if shares.failing_lost:
        lost = next(case for case in cases if case.failed and not case.agreed)
        why = f": {lost.reason}" if lost.reason else ""
        return f"{shares.failing_lost} failing calls could not be run again as they were{why}"
    unreached = sum(1 for case in cases if case.failed and case.agreed and not case.is_evidence)
    if unreached:
        return f"{unreached} failing calls have not reached a changed line"
    if few := _few_agreed(cases, shares):
        return few
    if stated.untried and not stated.left:
        names, are = ", ".join(stated.untried), "are" if len(stated.untried) > 1 else "is"
        return f"{names} {are} part of the candidate, and not tried"
    return stated.left or _too_few(cases, stated, shares) or stated.unmet


def _not_exercised(cases: Sequence[Case], shares: Shares) -> tuple[Verdict, str]:
    if few := _few_agreed(cases, shares):
        return Verdict.UNKNOWN, f"no call that could be run has reached a changed line; {few}"
    return Verdict.NOT_EXERCISED, "no call has reached a changed line"


def _few_agreed(cases: Sequence[Case], shares: Shares) -> str:
    if shares.agreed >= LEAST_AGREED * shares.calls:
        return ""
    reason = next((case.reason for case in cases if case.reason and not case.agreed), "")
    why = f": {reason}" if reason else ""
    return f"of most calls nothing is known, since their control did not agree{why}"


def _too_few(cases: Sequence[Case], stated: Stated, shares: Shares) -> str:
    if not shares.failing:
        return ""
    wanted = stated.least or LEAST_EVIDENCE
    if shares.reached < wanted:
        few = f"{shares.reached} calls are {MORE_GOOD}"
        return f"{few}: at least {wanted} are wanted{CAPTURE_MORE}"
    wanted = wanted_good(stated.least)
    if 0 < shares.others < wanted:
        have = "call has" if shares.others == 1 else "calls have"
        return (
            f"{shares.others} good {have} come by a changed line, {MORE_GOOD}: at least "
            f"{wanted} are wanted{CAPTURE_MORE}"
        )
    if not shares.others and not shares.untouched:
        if all(case.failed for case in cases):
            return "no call that did not fail was run, so nothing is known of those"
        return "none of the calls that did not fail could be compared"
    return ""


def _is_unknown(case: Case, stated: Stated) -> bool:
    if case.failed:
        return meets(case, stated) is None
    return case.failed is None or case.candidate is Candidate.UNKNOWN


def _no_control(cases: Sequence[Case]) -> str:
    if not cases:
        return "no call was captured"
    reason = next((case.reason for case in cases if case.reason), "")
    why = f": {reason}" if reason else ""
    return f"the old code, run again, never came to what really happened{why}"


def _is_untouched(case: Case) -> bool:
    good = case.failed is False and case.agreed
    return good and not case.reached and case.candidate is Candidate.SAME


def _shares(cases: Sequence[Case], stated: Stated) -> Shares:
    evidence = [case for case in cases if case.is_evidence]
    failing = [case for case in cases if case.agreed and case.failed]
    others = [case for case in evidence if case.failed is False]
    differing = [case for case in others if case.candidate is Candidate.DIFFERS]
    missed = sum(1 for case in failing if meets(case, stated) is False)
    bound = (
        most_share(len(differing), len(others))
        if others
        else most_share(min(missed, len(evidence)), len(evidence))
    )
    return Shares(
        calls=len(cases),
        agreed=sum(1 for case in cases if case.agreed),
        reached=len(evidence),
        failing=len(failing),
        met=sum(1 for case in failing if meets(case, stated)),
        others=len(others),
        same=sum(1 for case in others if case.candidate is Candidate.SAME),
        differing=len(differing),
        unknown=sum(1 for case in evidence if _is_unknown(case, stated)),
        failing_lost=sum(1 for case in cases if case.failed and not case.agreed),
        bound=bound,
        untouched=sum(1 for case in cases if _is_untouched(case)),
    )
