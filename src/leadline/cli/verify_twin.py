"""The other places: twins of the live process, where calls meet all that is around them.

Captured calls are run in copies of one twin, the *sample*: they cost the service one pause. A
call that needs the very state that it met is run in a twin at its own hit: it costs one each.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from leadline.cli.client import Client
from leadline.cli.duration import duration
from leadline.cli.show import err, harmless
from leadline.cli.twin_candidate import ordered, unanswered
from leadline.cli.twin_waiting import Waiting
from leadline.cli.verify_calls import Captured
from leadline.cli.verify_runs import compare, many_runs, ran_of
from leadline.cli.verify_sample import Tried, check_put_in, sampled, seen
from leadline.trial.candidate import Candidate
from leadline.trial.outcome import Outcome
from leadline.trial.place import IN_TWIN
from leadline.trial.remade import remade_in
from leadline.verify.aside import Aside, aside
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared, not_replayable
from leadline.verify.effects import effect_of
from leadline.verify.judging import Asked, Verified, reported
from leadline.verify.loaded import loaded_of
from leadline.verify.moved_on import in_time
from leadline.verify.verdict import LEAST_EVIDENCE
from leadline.wire.errors import LeadlineError, RefusedError
from leadline.wire.service import check_service
from leadline.wire.struct import replace
from leadline.wire.twin import TwinEnd, TwinUse

MOST = 40
"""Calls that are tried at their hits at most, each a pause of the process: as many good ones as
`fixed` wants (`LEAST_GOOD`), and ten that fail."""
MOST_INSTEAD = 20
"""Where only failing ones are wanted, as the rest was tried in the sample."""
_SPARE = 2
"""Times as many hits as calls: some twins read what the live call has written by then, and of
few calls none fails, perhaps."""
_MOST = (
    "at hits {} calls are enough, each a pause of the service; twice as many are tried where "
    "some are late or none fails"
)
_AT_HITS = "twins of the live process, one at each hit"
_EFFECT = (
    "tried at hits: {} may set what outlives the call, which a twin that is made afterwards "
    "has already"
)


def in_twins(args: argparse.Namespace, candidate: Candidate, captured: Captured) -> Verified:
    """Try a candidate on captured calls in one twin, and where the failing ones of them cannot
    be run again there, on live calls at their hits; on these alone where code may set what the
    live calls have set already. Raises as `at_hits`."""
    if where := effect_of(candidate.changes, captured.entry):
        why = _EFFECT.format(where)
        err(f"leadline: {harmless(why)}")
        return noted(at_hits(args, candidate, captured), [why])
    began = time.monotonic()
    loaded_of(candidate, captured.home, in_twin=True)
    asked = _asked(args, candidate, captured)
    tried = [sampled(args, asked, captured)]
    lost = [one for one in tried[0].compared if one.case.failed and not one.case.agreed]
    if lost and not tried[0].stopped:
        err(f"leadline: {len(lost)} failing calls could not be run again; trying live ones")
        try:
            live = _live(args, asked, captured.home.file, MOST_INSTEAD, stop=_has_failing)
        except LeadlineError as error:
            tried[0].notes.append(f"not tried at their hits: {error.message}")
        except KeyboardInterrupt:
            err("leadline: stopped; what came is used")
            tried[0].notes.append("not tried at their hits: it was stopped by Ctrl-C")
        else:
            tried = _instead(tried[0], live)
    found = replace(_reported(asked, tried, began), stopped=tried[0].stopped)
    return _at_hits_too(args, candidate, captured, found)


def _at_hits_too(
    args: argparse.Namespace, candidate: Candidate, captured: Captured, found: Verified
) -> Verified:
    """Try the candidate at hits where a twin that was made afterwards has shown that it does
    not know enough."""
    why = found.report.reason
    if found.stopped or IN_TWIN not in why:
        return found
    err(f"leadline: {harmless(why)}; trying live calls at their hits")
    try:
        live = at_hits(args, candidate, captured)
    except LeadlineError as error:
        return noted(found, [f"not tried at their hits: {error.message}"])
    return noted(live, [f"a twin that was made afterwards did not know: {why}"])


def at_hits(args: argparse.Namespace, candidate: Candidate, known: Captured) -> Verified:
    """Try a candidate on live calls, each in a twin at its hit; `known` says where the service
    has its code. Raises `RefusedError` where the service makes no twins, or nobody approves,
    and `UnavailableError` where no call came."""
    began = time.monotonic()
    loaded_of(candidate, known.home, in_twin=True)
    asked = _asked(args, candidate, known)

    def enough(found: Sequence[Compared]) -> bool:
        return len(found) >= (args.least or LEAST_EVIDENCE) and (
            _has_failing(found) or not args.fails
        )

    return _reported(asked, [_live(args, asked, known.home.file, MOST, stop=enough)], began)


def _asked(args: argparse.Namespace, candidate: Candidate, known: Captured) -> Asked:
    service = check_service(args.service)
    for names in remade_in(candidate.old_sources, candidate.sources).values():
        raise RefusedError(
            "not-applicable",
            f"Objects of {names[0]} that live were made by the old code, and the candidate "
            "makes them otherwise: no twin can tell what it will do.",
            "Try it with --place fresh, and an --entry in which they are made.",
        )
    return Asked(
        service, known.entry, candidate, args.fails, args.expect, args.least, known.doubt
    )


def noted(found: Verified, notes: list[str]) -> Verified:
    """Return what was found with more notes."""
    return replace(found, report=replace(found.report, notes=[*found.report.notes, *notes]))


def _reported(asked: Asked, tried: Sequence[Tried], began: float) -> Verified:
    compared = [one for part in tried for one in part.compared]
    notes = [note for part in tried for note in part.notes]
    if any(_NO_THREAD in one.case.reason for one in compared):
        notes.append("twins of a service with LEADLINE_TWIN=threads may start threads")
    return reported(
        asked,
        compared,
        "; ".join(part.place for part in tried),
        notes,
        sum(part.runs for part in tried),
        time.monotonic() - began,
    )


_NO_THREAD = "refused to start a thread"


def _has_failing(found: Sequence[Compared]) -> bool:
    return any(one.case.failed and one.case.agreed for one in found)


def _instead(sample: Tried, live: Tried) -> list[Tried]:
    """Take failing calls from their hits, where one of them agrees: those of the sample whose
    control does not are left out then, with a word."""
    if not _has_failing(live.compared):
        sample.notes.append("no failing call could be run again at its hit either")
        return [sample]
    others = [one for one in sample.compared if one.case.agreed or not one.case.failed]
    left_out = len(sample.compared) - len(others)
    failing = [one for one in live.compared if one.case.failed]
    numbered = [
        replace(one, call=replace(one.call, number=number))
        for number, one in enumerate(failing, len(sample.compared) + 1)
    ]
    note = (
        f"{left_out} captured failing calls could not be run again as they were, and are left "
        f"out: {len(failing)} others were tried at their hits instead"
    )
    return [
        replace(sample, compared=others, notes=[*sample.notes, note]),
        replace(live, compared=numbered),
    ]


def _live(
    args: argparse.Namespace,
    asked: Asked,
    file: str,
    most: int,
    stop: Callable[[Sequence[Compared]], bool],
) -> Tried:
    """Try live calls at their hits, until there are so many of them, and enough."""
    seconds, many = duration(args.seconds), min(args.many, most)
    client = Client()
    order = ordered(client, asked, TwinUse.VERIFY, many=_SPARE * many, seconds=seconds)
    found: list[Compared] = []
    notes = [_MOST.format(many)] * (args.many > many)
    runs = 0
    files = {change.file for change in asked.candidate.changes}
    left = aside(asked.candidate.changes)
    try:
        for hit in Waiting(client, order, seconds).hits(_SPARE * many):
            twin, number = hit["twin"], len(found) + 1
            check_put_in((twin.get("tried") or {}).get("obstacle", ""))
            runs += many_runs(twin.get("tried"))
            found.append(compared(number, twin, files, left, stated=bool(asked.fails)))
            if len(in_time(found)) >= many and stop(found):
                break
    except KeyboardInterrupt:
        if not found:
            raise
        err("leadline: stopped; what came is used")
        notes.append("no more calls were tried at their hits: it was stopped by Ctrl-C")
    finally:
        order.remove()
    if not found:
        raise unanswered(order)
    return Tried(seen(asked, found, file), _AT_HITS, runs, notes)


def compared(
    number: int,
    twin: Mapping[str, Any],
    files: set[str],
    left: Aside,
    *,
    stated: bool,
) -> Compared:
    """Return what one twin has answered, as one call. `stated` says whether it was asked which
    calls fail; the first control answers that, for nothing is said of a call with which it
    does not agree."""
    tried = twin.get("tried") or {}
    runs = {run["what"]: run for run in tried.get("runs", ())}
    reason = tried.get("obstacle") or (twin["reason"] if twin["end"] != TwinEnd.DONE else "")
    live = ran_of(number, runs.get("live", {}), runs, files)
    call = CapturedCall(
        number=number,
        document=None,
        live=live.rerun.outcome or Outcome(True),
        failed=tried.get("fails") if stated else False,
        obstacle=reason or live.rerun.cut,
    )
    if reason or live.rerun.outcome is None or not {"control 1", "control 2"} <= set(runs):
        return not_replayable(call)
    return compare(call, tried, files, left)
