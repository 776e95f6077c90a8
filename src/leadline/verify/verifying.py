"""One verification, from calls and a candidate to a report."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from leadline.trial.candidate import Candidate as Code
from leadline.trial.candidate import Change, obstacles, touched_new, touched_old
from leadline.trial.outcome import Outcome
from leadline.trial.place import RUN_S, Begin, Ready
from leadline.verify import advice
from leadline.verify.as_test import NO_PROGRAM, Program
from leadline.verify.aside import aside
from leadline.verify.calls import CapturedCall, Home
from leadline.verify.comparison import (
    Compared,
    compare_runs,
    left_open,
    not_replayable,
    not_run,
)
from leadline.verify.elsewhere import (
    LEAST_RUNS,
    differs_elsewhere,
    in_other_worlds,
    same_elsewhere,
)
from leadline.verify.exporting import wanted
from leadline.verify.gateways import notes_of
from leadline.verify.handed_out import with_classes_open
from leadline.verify.lacking import without_what_lacks
from leadline.verify.left import left_behind
from leadline.verify.loaded import check_loaded, edited, loaded_of, taken_back
from leadline.verify.luck import TIMES, once_more, to_run_again, without_luck
from leadline.verify.moved_on import has_moved_on, in_time, late_words, with_world_open
from leadline.verify.places import ENDLESS, Places
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
from leadline.verify.signature import unseen_change
from leadline.verify.state import imported
from leadline.verify.unmet import not_met
from leadline.verify.verdict import Candidate, Case, Stated, judge
from leadline.verify.writable import forms, is_whole
from leadline.wire.errors import RefusedError, UnavailableError
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.value import Value

_RUNNING = "running"
_ENDLESS = (
    "not run: none of the first {} had ended after {:g} s (--within gives each more time, "
    "another --entry may take less)"
)

type Progress = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be verified, on what, and what was stated beforehand."""

    service: str
    entry: str
    calls: Sequence[CapturedCall]
    home: Home
    candidate: Code
    fails: str = ""
    expect: str = ""
    scope: list[str] = field(default_factory=list)
    readable: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    least: int | None = None
    """As in `Stated`."""
    within_s: float = RUN_S
    exported: bool = False
    """Whether calls become tests: then it is seen which of them need nothing around them."""


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


def verify(request: Request, progress: Progress = lambda *_: None) -> Verified:
    """Run the candidate on the calls, beside two controls, and report what may be said.

    Raises `RefusedError` (`not-applicable`) for a candidate that cannot run at all, and
    `UnavailableError` (`no-place`) where no sealed process can be made.
    """
    began = time.monotonic()
    if said := obstacles(request.candidate):
        raise RefusedError("not-applicable", f"{said[0]}.")
    asked = Asked(
        request.service,
        request.entry,
        request.candidate,
        request.fails,
        request.expect,
        request.least,
    )
    ready = [call for call in request.calls if call.document is not None]
    found, runs = _run(request, ready, progress)
    notes = [*found.notes, *advice.in_twins(found.compared), *advice.late(found.compared)]
    lost = [not_replayable(call) for call in request.calls if call.document is None]
    took = time.monotonic() - began
    every = [*found.compared, *lost]
    verified = reported(asked, every, found.place, notes, runs, took, found.elsewhere)
    return replace(verified, program=Program(request.home.main, request.first))


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
        sentence=sentence(judgement, stated, cases),
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
        coverage = coverage_of(opened, _lines(changes, _old), _lines(changes, _new))
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


@dataclass(frozen=True, slots=True)
class _Found:
    """The calls, some of them again in other worlds, the place, and what there is to say of
    it."""

    compared: list[Compared]
    elsewhere: list[Compared]
    place: str
    notes: list[str]

    @property
    def runs(self) -> int:
        """Return how many runs there were."""
        every = (*self.compared, *self.elsewhere)
        return 3 * sum(one.control is not None for one in every)


def _run(
    request: Request, calls: Sequence[CapturedCall], progress: Progress
) -> tuple[_Found, int]:
    """Run the calls; where they import modules of the service, once more in places that have
    these beforehand: what a module holds is compared with what it held before."""
    found = _run_in(request, calls, (), progress)
    later = {name for one in found.compared for name in imported(one.control, one.candidate)}
    if not later:
        return found, found.runs
    again = _run_in(request, calls, sorted(later), progress)
    return again, found.runs + again.runs


def _imported(found: Sequence[Compared]) -> Iterator[str]:
    """Yield the modules of the service that calls have imported."""
    for one in found:
        yield from imported(one.control, one.candidate)


def _run_in(
    request: Request,
    calls: Sequence[CapturedCall],
    later: Sequence[str],
    progress: Progress,
) -> _Found:
    home, candidate = request.home, request.candidate
    place = f"fresh sealed process, CPython {home.python}"
    if not calls:
        return _Found([], [], place, [])
    progress("importing", 0, 1)
    begin = _begin(request, later)
    sides = (_lines(candidate.changes, _old), _lines(candidate.changes, _new))
    untold: list[str] = []
    with Places(begin, candidate.sources, sides, home) as places:
        control = _control(request, places)
        left = replace(aside(candidate.changes), changed=frozenset(control.moved))

        def compared(some: Sequence[CapturedCall], doing: str) -> list[Compared]:
            def told(done: int) -> None:
                progress(doing, done, len(some))

            runs = places.run(some, request.within_s, told)
            lost = _ENDLESS.format(ENDLESS, request.within_s)
            if len(runs) < len(some) and doing == _RUNNING:
                untold.append(f"{len(some) - len(runs)} calls were {lost}")
            return [
                *(compare_runs(call, *three, left)
                  for call, three in zip(some, runs, strict=False)),
                *(not_run(call, lost) for call in some[len(runs):]),
            ]  # fmt: skip

        found = compared(calls, _RUNNING)
        _see_luck(found, calls, compared)
        found = without_what_lacks(found)
        is_again = not later and any(_imported(found))  # then all are run once more
        if request.exported and not is_again and (late := _see_written(found, compared)):
            untold.append(_UNTRIED.format(late, TESTS_S))
        elsewhere = (
            []
            if is_again
            else in_other_worlds(
                found, candidate.changes, places, left, request.within_s, progress
            )
        )
    unseen = unseen_change(candidate.changes, control.file, control.function)
    if unseen:
        found = [left_open(one, unseen) for one in found]
    notes = control.notes if request.scope else [*control.notes, *edited(begin.loaded, control)]
    return _Found(found, elsewhere, place, [*untold, *notes])


def _begin(request: Request, later: Sequence[str]) -> Begin:
    """Return what the places of the old code begin with."""
    home = request.home
    return Begin(
        path=home.path,
        cwd=home.cwd,
        entry=request.entry,
        argv=home.argv,
        main=home.main,
        has_main=_are_given_main(request.calls),
        state=home.state,
        loaded=loaded_of(request.candidate, home),
        recursion_limit=home.recursion_limit,
        max_str_digits=home.max_str_digits,
        warnings=home.warnings,
        overlay=dict(request.candidate.old_sources),
        scope=request.scope,
        readable=request.readable,
        first=request.first,
        later=list(later),
        fails=request.fails,
        expect=request.expect,
    )


def _are_given_main(calls: Sequence[CapturedCall]) -> bool:
    """Tell whether most calls are given what the program itself holds, such as an application
    that serves where it was made. A file of calls may hold anything: what is no node names
    nothing."""
    return sum(map(_names_main, calls)) > len(calls) / 2


def _names_main(call: CapturedCall) -> bool:
    nodes = (call.document or {}).get("nodes")
    return isinstance(nodes, list) and any(
        isinstance(one, dict) and (one.get("k"), one.get("m")) == ("name", "__main__")
        for one in nodes
    )


def _control(request: Request, places: Places) -> Ready:
    """Wait for the places; return what a control says of itself. Raises `UnavailableError`
    where the old code cannot be imported there, and `RefusedError` where the new cannot."""
    control, tried = places.ready()
    if not control.ok:
        raise UnavailableError(
            "no-place",
            f"The calls cannot be run again in a fresh process: {_why(control)}.",
            advice.of_import(control, request.entry, request.home.main),
        )
    if not tried.ok:
        raise RefusedError(
            "not-applicable", f"The candidate cannot be imported: {_why(tried)}."
        )
    check_loaded(request.candidate, places.begin.loaded, control, tried)
    return control


TESTS_S = 30.0
"""For what becomes tests: of a function that takes a second. A choice."""
_AT_ONCE = 10
"""Calls between two looks at the time."""
_UNTRIED = "of {} calls it was not found out within {:g} s whether a test can hold them"
type _Runner = Callable[[Sequence[CapturedCall], str], list[Compared]]
"""Runs calls in all places and compares; the text says to whoever waits what is being done."""


def _see_luck(found: list[Compared], calls: Sequence[CapturedCall], compared: _Runner) -> None:
    """Run calls again that differ, if they are few: what differs no more is left open."""
    for _ in range(TIMES):
        if few := to_run_again(found):
            again = compared([calls[number] for number in few], "running again")
            for number, one in zip(few, again, strict=True):
                found[number] = once_more(found[number], one)


def _see_written(found: list[Compared], compared: _Runner) -> int:
    """Run what becomes a test with so much of each call as a test can hold, and keep what comes
    to the same. Returns for how many calls there was no time."""
    left = [(one, list(forms(one.call))) for one in wanted(found) if not is_whole(one.call)]
    until = time.monotonic() + TESTS_S
    written: dict[int, CapturedCall] = {}
    while left and time.monotonic() < until:
        some, left = left[:_AT_ONCE], left[_AT_ONCE:]
        again = compared([form[0] for _, form in some], "running what becomes a test")
        for other, (one, form) in zip(again, some, strict=True):
            if _is_alike(one.case, other.case):
                written[one.call.number] = form[0]
            elif form[1:]:
                left.append((one, form[1:]))
    found[:] = [replace(one, written=written.get(one.call.number)) for one in found]
    return len(left)


def _is_alike(one: Case, other: Case) -> bool:
    """Tell whether a test of the one call does what one of the other would."""
    if not one.failed:
        return one.agreed and other.agreed and other.candidate is Candidate.DIFFERS
    told = [(case.agreed, case.still_fails, case.expected) for case in (one, other)]
    return told[0] == told[1]


def _why(ready: Ready) -> str:
    return ready.reason.rstrip(".")


def _lines(
    changes: Sequence[Change], touched: Callable[[Change], frozenset[int]]
) -> dict[str, list[int]]:
    return {change.file: sorted(touched(change)) for change in changes}


def _old(change: Change) -> frozenset[int]:
    return touched_old(change, beside=False)  # of an insertion the other side knows


def _new(change: Change) -> frozenset[int]:
    return touched_new(change, beside=False)
