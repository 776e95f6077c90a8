"""What became of the calls, judged and put into a report, whatever the place."""

from collections import Counter
from collections.abc import Sequence

from leadline.trial.candidate import Candidate as Code
from leadline.trial.candidate import Change, touched_new, touched_old
from leadline.trial.outcome import Outcome
from leadline.verify import advice
from leadline.verify.as_test import NO_PROGRAM, Program
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared
from leadline.verify.elsewhere import LEAST_RUNS, differs_elsewhere, same_elsewhere
from leadline.verify.gateways import notes_of
from leadline.verify.handed_out import with_classes_open
from leadline.verify.left import left_behind
from leadline.verify.loaded import taken_back
from leadline.verify.luck import without_luck
from leadline.verify.moved_on import has_moved_on, in_time, late_words, with_world_open
from leadline.verify.report import (
    Coverage,
    Report,
    coverage_of,
    noise_of,
    patch_of,
    paths_of,
    reasons,
    sentence,
    shown_cases,
)
from leadline.verify.unmet import not_met
from leadline.verify.unrun import unrun
from leadline.verify.verdict import Stated, judge
from leadline.wire.struct import dataclass
from leadline.wire.value import Value


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a candidate, whatever the place."""

    service: str
    entry: str
    candidate: Code
    fails: str = ""
    expect: str = ""
    least: int | None = None
    doubt: str = ""
    """What the candidate does otherwise in other worlds, where that was seen in another place:
    it counts where the world of the calls is not known to be there."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The report, and the calls behind it."""

    report: Report
    compared: list[Compared]
    stopped: bool = False
    """Whether it was ended before all calls were run."""
    doubt: str = ""
    """As in `Asked`, of this place."""
    program: Program = NO_PROGRAM
    """What tests of it have to know of the service."""


_ANOTHER_CAUSE = (
    "{} of {} failing calls have come by no changed line, and may fail for another reason: "
    "--fails or --entry can say more closely which are meant"
)


def reported(
    asked: Asked,
    compared: list[Compared],
    place: str,
    notes: Sequence[str],
    runs: int,
    took_s: float,
    elsewhere: Sequence[Compared] = (),
) -> Verified:
    """Judge what became of the calls, and put it all into a report. `elsewhere` are runs of
    some of them in other worlds (`in_other_worlds`)."""
    changes = asked.candidate.changes
    compared = with_classes_open(without_luck(compared), changes)
    every = compared
    compared, coverage, unmet = _in_their_world(every, elsewhere, changes, asked.entry)
    doubt = differs_elsewhere(elsewhere)
    if not doubt and has_moved_on(compared):
        doubt = asked.doubt
    left_out = late_words(every, compared) if len(compared) < len(every) else []
    stated = Stated(
        bool(asked.fails),
        bool(asked.expect),
        asked.least,
        tuple(one.name for one in asked.candidate.untried),
        left_behind(compared),
        unmet,
        doubt,
    )
    judgement = judge([one.case for one in compared], stated)
    cases = shown_cases(compared, stated)
    report = Report(
        verdict=judgement.verdict,
        sentence=sentence(
            judgement, stated, cases, [name for _, name in unrun(changes, coverage)]
        ),
        exit_status=judgement.exit_status,
        reason=judgement.reason,
        service=asked.service,
        entry=asked.entry,
        place=place,
        fails=asked.fails,
        expect=asked.expect,
        candidate=patch_of(asked.candidate),
        shares=judgement.shares,
        cases=cases,
        coverage=coverage,
        paths=paths_of(compared),
        noise=noise_of(compared),
        unknown=reasons(compared),
        took_s=round(took_s, 3),
        runs=runs,
        notes=[
            *asked.candidate.notes,
            *taken_back(asked.candidate),
            *notes,
            *left_out,
            *same_elsewhere(elsewhere),
            *advice.of_requests(compared),
            *advice.of_environment(compared),
            *advice.of_refusals(compared),
            *notes_of(map(_agreed, compared)),
            *_not_named(compared, asked.fails),
            *_of_another_cause(compared, asked.fails),
            *_met_by_none(compared, asked.expect),
        ],
    )
    return Verified(report, compared, doubt=doubt)


def _in_their_world(
    compared: list[Compared],
    elsewhere: Sequence[Compared],
    changes: Sequence[Change],
    entry: str,
) -> tuple[list[Compared], list[Coverage], str]:
    """Leave open what may follow from a world that has moved on since the calls; returns the
    calls, how many of them have reached each changed line, and what they may have missed."""

    def look(found: list[Compared]) -> tuple[list[Compared], list[Coverage], str]:
        opened = with_world_open(found, changes, entry)
        coverage = coverage_of(opened, *sides_of(changes))
        counts = [(one.file, one.lines) for one in coverage]
        tried = len(elsewhere) >= LEAST_RUNS
        unmet = not_met(opened, counts, changes, entry, is_tried_elsewhere=tried)
        return opened, coverage, unmet

    first = look(compared)
    if not first[2] and first[0] == compared:
        return first
    kept = in_time(compared)
    return look(kept) if len(kept) < len(compared) else first


def _not_named(compared: Sequence[Compared], fails: str) -> list[str]:
    """Say of which calls that raised `--fails` says nothing: they count as good ones."""
    counted = Counter(
        _type_of(one.call.live.value)
        for one in compared
        if fails and one.case.failed is False and not one.call.live.returned
    )
    calls = {name: f"{count} call{'s' * (count != 1)}" for name, count in counted.items()}
    return [f"{calls[name]} raised {name}, and --fails does not say so" for name in calls]


def _of_another_cause(compared: Sequence[Compared], fails: str) -> list[str]:
    """Say how many failing calls never come by what is changed."""
    failing = [one for one in compared if one.case.failed and one.case.agreed]
    passed = [one for one in failing if not one.case.reached]
    if not fails or len(passed) in (0, len(failing)):
        return []
    return [_ANOTHER_CAUSE.format(len(passed), len(failing))]


def _met_by_none(compared: Sequence[Compared], expect: str) -> list[str]:
    """Say that an expectation holds for no call at all: it may be written wrongly."""
    runs = [one.candidate if one.case.failed else one.control for one in compared]
    ran = [run for run in runs if run is not None]
    if not expect or not ran or any(run.expected for run in ran):
        return []
    return [f"no call meets the expectation, good ones included: {expect}"]


def _type_of(value: Value) -> str:
    return str(value.get("type", "?")) if isinstance(value, dict) else "?"


def _agreed(one: Compared) -> tuple[CapturedCall, Outcome | None]:
    """Return a call, and its control where that agreed."""
    control = one.control.rerun.outcome if one.control is not None else None
    return one.call, control if one.case.agreed else None


def sides_of(changes: Sequence[Change]) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Return the changed lines of each file, those of the old code and those of the new."""
    old = {one.file: sorted(touched_old(one, beside=False)) for one in changes}
    return old, {one.file: sorted(touched_new(one, beside=False)) for one in changes}
