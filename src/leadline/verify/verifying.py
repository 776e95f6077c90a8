"""One verification, from calls and a candidate to a report."""

import time
from collections.abc import Callable, Mapping, Sequence

from leadline.trial.candidate import Candidate as Code
from leadline.trial.candidate import Change, obstacles, touched_new, touched_old
from leadline.trial.place import RUN_S, Begin, Ready
from leadline.verify.calls import CapturedCall, Home
from leadline.verify.comparison import Compared, compare_runs, not_replayable
from leadline.verify.places import Places
from leadline.verify.report import (
    Report,
    coverage_of,
    noise_of,
    patch_of,
    paths_of,
    reasons,
    sentence,
    shown_cases,
)
from leadline.verify.verdict import LEAST_EVIDENCE, Stated, judge
from leadline.wire.errors import RefusedError, UnavailableError
from leadline.wire.struct import dataclass, field

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
    least: int = LEAST_EVIDENCE
    within_s: float = RUN_S


@dataclass(frozen=True, slots=True)
class Verified:
    """The report, and the calls behind it."""

    report: Report
    compared: list[Compared]


def verify(request: Request, progress: Progress = lambda *_: None) -> Verified:
    """Run the candidate on the calls, beside two controls, and report what may be said.

    Raises `RefusedError` (`not-applicable`) for a candidate that cannot run at all, and
    `UnavailableError` (`no-place`) where no sealed process can be made.
    """
    began = time.monotonic()
    if said := obstacles(request.candidate):
        raise RefusedError("not-applicable", f"{said[0]}.")
    stated = Stated(bool(request.fails), bool(request.expect), request.least)
    old = _lines(request.candidate.changes, touched_old)
    new = _lines(request.candidate.changes, touched_new)
    ready = [call for call in request.calls if call.document is not None]
    found, place, notes = _run(request, ready, old, new, progress)
    lost = [not_replayable(call) for call in request.calls if call.document is None]
    every = [*found, *lost]
    judgement = judge([one.case for one in every], stated)
    cases = shown_cases(every, stated)
    report = Report(
        verdict=judgement.verdict,
        sentence=sentence(judgement, stated, cases),
        exit_status=judgement.exit_status,
        reason=judgement.reason,
        service=request.service,
        entry=request.entry,
        place=place,
        fails=request.fails,
        expect=request.expect,
        candidate=patch_of(request.candidate),
        shares=judgement.shares,
        cases=cases,
        coverage=coverage_of(every, old, new),
        paths=paths_of(every),
        noise=noise_of(every),
        unknown=reasons(every),
        took_s=round(time.monotonic() - began, 3),
        runs=3 * len(ready),
        notes=[*request.candidate.notes, *notes],
    )
    return Verified(report, every)


def _run(
    request: Request,
    calls: Sequence[CapturedCall],
    old: Mapping[str, list[int]],
    new: Mapping[str, list[int]],
    progress: Progress,
) -> tuple[list[Compared], str, list[str]]:
    home, candidate = request.home, request.candidate
    begin = Begin(
        path=home.path,
        cwd=home.cwd,
        entry=request.entry,
        argv=home.argv,
        overlay=dict(candidate.old_sources),
        scope=request.scope,
        readable=request.readable,
        first=request.first,
        fails=request.fails,
        expect=request.expect,
    )
    place = f"fresh sealed process, CPython {home.python}"
    if not calls:
        return [], place, []
    progress("importing", 0, 1)
    sides = (dict(old), dict(new))
    with Places(begin, candidate.sources, sides, home.executable, home.hash_seed) as places:
        control, tried = places.ready()
        if not control.ok:
            raise UnavailableError(
                "no-place",
                f"The calls cannot be run again in a fresh process: {_why(control)}.",
            )
        if not tried.ok:
            raise RefusedError(
                "not-applicable", f"The candidate cannot be imported: {_why(tried)}."
            )
        total = len(calls)
        runs = places.run(
            calls, request.within_s, lambda done: progress("running", done, total)
        )
    found = [compare_runs(call, *three) for call, three in zip(calls, runs, strict=True)]
    return found, place, control.notes


def _why(ready: Ready) -> str:
    return ready.reason.rstrip(".")


def _lines(
    changes: Sequence[Change], touched: Callable[[Change], frozenset[int]]
) -> dict[str, list[int]]:
    return {change.file: sorted(touched(change)) for change in changes}
