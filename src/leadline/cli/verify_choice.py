"""Whose calls are run where no entry was named: the changed functions, each as far as the calls
of no other have run it, and their callers where their own calls cannot be made again."""

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from leadline.cli.show import err, harmless
from leadline.cli.verify_calls import Captured, from_service
from leadline.cli.verify_candidate import local_candidate, read_candidate
from leadline.cli.verify_entry import (
    MAX_STEPS,
    adds_only,
    entries,
    is_good,
    is_making,
    local_roots,
    makers_of,
    speaks_of_one,
    wants_twin,
    wider,
    worth,
)
from leadline.cli.verify_options import AUTO
from leadline.cli.verify_places import elsewhere, fresh_first
from leadline.cli.verify_twin import noted
from leadline.trial.candidate import Candidate
from leadline.verify.judging import Verified
from leadline.verify.report import UNREACHED
from leadline.verify.unrun import unrun
from leadline.verify.verdict import EXIT, Verdict
from leadline.wire.errors import UnavailableError
from leadline.wire.struct import dataclass, field, replace

MOST_ENTRIES = 6
"""Functions of one candidate whose calls are captured, callers apart: each takes its time."""
BRIEFLY_S = 15.0
"""For the calls of one of several functions, or of a caller: there are others that may tell."""
_STAYS = (
    "{} is about {}, so none of its callers was tried: name one with --entry, such as {}, and "
    "say what is expected of it"
)
_ALSO = "also run: {}"
_OTHERS = (
    "{} is about {}, so other changed functions were not run by themselves: name one with "
    "--entry, and say what is expected of it"
)
MOST_USERS = 3
_FEW = 60
"""Calls of what makes an object, to know who does."""
_MAKES = "{} makes objects, and no caller was run that shows what becomes of these"
_TESTS = "tests are written of the calls of this entry alone"
_GOOD = (Verdict.FIXED, Verdict.NO_LONGER_FAILS, Verdict.NO_DIFFERENCE_SEEN)
_WORST = (
    Verdict.NOT_FIXED,
    Verdict.CHANGES_BEHAVIOUR,
    Verdict.UNKNOWN,
    Verdict.FIXED,
    Verdict.NO_LONGER_FAILS,
    Verdict.NO_DIFFERENCE_SEEN,
    Verdict.NOT_EXERCISED,
)


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of one function, and with which calls."""

    verified: Verified
    captured: Captured
    candidate: Candidate


@dataclass(slots=True)
class _Every:
    """What came of all functions so far, also where it is ended early."""

    found: list[_Tried] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unseen: str = ""
    """What no call shows, though it is changed."""


def chosen(args: argparse.Namespace, patch: bytes) -> Verified:
    """Verify at each changed function whose calls come, and at those that read what is changed
    where no call has reached that; the worst that is said counts. Raises `UnavailableError`
    (`no-calls`) where none is called."""
    points = entries(local_candidate(args, patch), local_roots(args))
    first_s = BRIEFLY_S if len(points) > 1 else math.inf
    tried = _Every()
    try:
        _run_each(args, patch, points, first_s, tried)
    except KeyboardInterrupt:
        if not tried.found:
            raise
        tried.notes.append("stopped before all that is changed was run by itself")
    found, notes = tried.found, tried.notes
    if not found:
        found.append(_outwards(args, patch, next(iter(points)), math.inf))
    if args.export_tests and found[1:]:
        notes.append(_TESTS)
    return _together(found, notes, tried.unseen)


def _run_each(
    args: argparse.Namespace,
    patch: bytes,
    points: Mapping[str, bool],
    first_s: float,
    tried: _Every,
) -> None:
    found, notes = tried.found, tried.notes
    for target, is_changed in _with_users(args, points, first_s):
        if len(found) == MOST_ENTRIES or (found and _is_over(found[-1].verified)):
            break
        if found and not is_changed and not _is_unrun(target, found):
            continue
        if target in (one.verified.report.entry for one in found):
            continue
        asked = _beside(args) if any(map(_fails, found)) else args
        if asked is None:
            notes.append(_OTHERS.format("--fails", found[0].verified.report.entry))
            break
        makes = points.get(target) is None
        try:
            one = _outwards(asked, patch, target, first_s, makes=makes)
        except UnavailableError as error:
            if error.slug != "no-calls" or len(points) == 1:
                raise
            err(f"leadline: {harmless(error.message)}")
            continue
        if found and (makes or is_making(target)) and _tells_of_making(one):
            tried.unseen = _MAKES.format(target.rpartition(":")[2])
        else:
            found.append(one)


def _with_users(
    args: argparse.Namespace, points: Mapping[str, bool], first_s: float
) -> Iterator[tuple[str, bool]]:
    """Yield targets and whether they are changed; in place of what makes an object the callers
    that most of its calls come from, as far as these are known."""
    for target, is_changed in points.items():
        users: list[str] = []
        if is_changed and is_making(target):
            few = argparse.Namespace(**{**vars(args), "many": _FEW, "fails": "", "expect": ""})
            with suppress(UnavailableError):
                calls = from_service(few, target, first_s=first_s).calls
                users = makers_of(calls)[:MOST_USERS]
        for user in users:
            yield user, True
        if not users:
            yield target, is_changed


def _fails(one: _Tried) -> bool:
    """Whether calls of it fail, where it was said which do."""
    return bool(one.captured.fails) and any(call.failed for call in one.captured.calls)


def _tells_of_making(one: _Tried) -> bool:
    verified = one.verified
    verdict = verified.report.verdict
    return is_making(verified.report.entry) or adds_only(verdict, verified.compared)


def _is_over(found: Verified) -> bool:
    """Whether nothing that others say would change the verdict, or the user has seen enough."""
    bad = (Verdict.NOT_FIXED, Verdict.CHANGES_BEHAVIOUR)
    return found.stopped or found.report.verdict in bad


def _is_unrun(target: str, found: Sequence[_Tried]) -> bool:
    """Whether no call has reached what is changed of a function, or what reads that."""
    name = target.rpartition(":")[2]
    return all(
        name in {one for _, one in unrun(tried.candidate.changes, coverage, readers=True)}
        for tried in found
        for coverage in (tried.verified.report.coverage,)
    )


def _beside(args: argparse.Namespace) -> argparse.Namespace | None:
    """Return what is asked of another function than the first: nothing of what is about the
    first one's result or arguments, and None where that says which calls fail."""
    if speaks_of_one(args.fails, ""):
        return None
    expect = "" if speaks_of_one("", args.expect) else args.expect
    return argparse.Namespace(**{**vars(args), "expect": expect})


def _together(found: Sequence[_Tried], notes: Sequence[str], unseen: str) -> Verified:
    """Return the worst of several reports, with what the others say. Where something that is
    changed was reached by no call of any, or `unseen` says what no call shows, nothing good is
    said of the whole."""
    every = [one.verified for one in found]
    worst = min(every, key=_rank)
    others = [one.report for one in every if one is not worst]
    said = [_ALSO.format(f"{one.entry}: {_short(one.sentence)}") for one in others]
    sides = [unrun(one.candidate.changes, one.verified.report.coverage) for one in found]
    rest = [name for file, name in sides[0] if all((file, name) in side for side in sides)]
    report = replace(worst.report, sentence=_short(worst.report.sentence))
    is_good = Verdict(report.verdict) in _GOOD
    if is_good and (rest or unseen):
        reason = f"{UNREACHED}{', '.join(rest)}" if rest else unseen
        report = replace(
            report,
            verdict=Verdict.UNKNOWN,
            exit_status=EXIT[Verdict.UNKNOWN],
            reason=reason,
            sentence=f"{Verdict.UNKNOWN}: {reason}; of what was run: {report.sentence}",
        )
    return noted(replace(worst, report=report), [*said, *notes])


def _short(sentence: str) -> str:
    """Leave out what no call of one entry has reached: it may be reached by those of others."""
    return sentence.partition(f"; {UNREACHED}")[0]


def _rank(one: Verified) -> int:
    return _WORST.index(Verdict(one.report.verdict))


def _outwards(
    args: argparse.Namespace,
    patch: bytes,
    target: str,
    first_s: float,
    *,
    makes: bool = False,
) -> _Tried:
    """Begin at a function, whose first call comes within `first_s`, and go outwards while its
    calls cannot be made again; of what `makes` objects, until it is seen what these are for."""
    best: _Tried | None = None
    tried: list[str] = []
    notes: list[str] = []
    while len(tried) < MAX_STEPS:
        try:
            captured = from_service(args, target, first_s=BRIEFLY_S if tried else first_s)
        except UnavailableError as error:
            if best is None or error.slug != "no-calls":
                raise
            notes.append(f"no call of {target} was captured")
            break
        tried.append(captured.entry)
        candidate = read_candidate(args, captured.home, patch)
        verified, is_fresh = fresh_first(args, captured, candidate)
        one = _Tried(verified, captured, candidate)
        if not is_fresh:
            return one
        report = verified.report
        if best is None or _worth(one) > _worth(best):
            best = one
        adds = makes and adds_only(report.verdict, verified.compared)
        tells = not (is_making(report.entry) or adds)
        if (is_good(report) and tells) or verified.stopped:
            break
        target = wider(captured.calls, tried, report)
        if target and (stays := speaks_of_one(args.fails, args.expect)):
            notes.append(_STAYS.format(stays, captured.entry, target))
            target = ""
        agreed = f"control agreed on {report.shares.agreed} of {report.shares.calls} calls"
        err(f"leadline: {harmless(captured.entry)}: {agreed}")
        if not target:
            break
    assert best is not None  # noqa: S101 - MAX_STEPS is not 0
    verified = best.verified
    if wants_twin(verified.report) and args.place == AUTO and not verified.stopped:
        verified = elsewhere(args, best.candidate, verified, best.captured)
    said = f"entry chosen: {verified.report.entry}"
    if len(tried) > 1:
        said += f", of {', '.join(tried)}"
    if verified.report.verdict != Verdict.UNKNOWN:
        notes.clear()
    return _Tried(noted(verified, [said, *notes]), best.captured, best.candidate)


def _worth(one: _Tried) -> tuple[bool, int, bool, float]:
    """Return what an entry is chosen by: whether it is one whose calls fail, where it was said
    which do, and then by its report."""
    fails = not one.captured.fails or _fails(one)
    return fails, *worth(one.verified.report)
