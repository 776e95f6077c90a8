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
from leadline.cli.show import err
from leadline.cli.twin_candidate import ordered, unanswered
from leadline.cli.twin_waiting import Waiting
from leadline.cli.verify_calls import Captured
from leadline.cli.verify_runs import compare, ran_of
from leadline.trial.candidate import Candidate
from leadline.trial.outcome import Outcome
from leadline.trial.remade import remade_in
from leadline.verify.aside import Aside, aside
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared, left_open, not_replayable
from leadline.verify.places import most_yields
from leadline.verify.signature import unseen_change
from leadline.verify.verifying import Asked, Verified, reported
from leadline.wire.errors import LeadlineError, RefusedError
from leadline.wire.sample import MAX_BYTES, MAX_CALLS, call_digest
from leadline.wire.service import check_service
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.twin import LIFE_S, LIVE, TwinEnd, TwinUse

MOST = 20
"""Calls that are tried at their hits if nothing is said: each is a pause of the process."""
_AT_HITS = "twins of the live process, one at each hit"
_SAMPLE = "twin of the live process, state of {}"
_NOT_TRIED = "it was not run: {}"


@dataclass(frozen=True, slots=True)
class Tried:
    """Calls that were tried in twins: where, and what there is to say of it."""

    compared: list[Compared]
    place: str
    runs: int
    notes: list[str] = field(default_factory=list)


def in_twins(args: argparse.Namespace, candidate: Candidate, captured: Captured) -> Verified:
    """Try a candidate on captured calls in one twin, and where the failing ones of them cannot
    be run again there, on live calls at their hits. Raises as `at_hits`."""
    began = time.monotonic()
    asked = _asked(args, candidate, captured.entry)
    tried = [_sampled(args, asked, captured)]
    lost = [one for one in tried[0].compared if one.case.failed and not one.case.agreed]
    if lost:
        err(f"leadline: {len(lost)} failing calls could not be run again; trying live ones")
        try:
            live = _live(args, asked, captured.home.file, stop=_has_failing)
        except LeadlineError as error:
            tried[0].notes.append(f"not tried at their hits: {error.message}")
        else:
            tried = _instead(tried[0], live)
    return _reported(asked, tried, began)


def at_hits(args: argparse.Namespace, candidate: Candidate, known: Captured) -> Verified:
    """Try a candidate on live calls, each in a twin at its hit; `known` says where the service
    has its code. Raises `RefusedError` where the service makes no twins, or nobody approves,
    and `UnavailableError` where no call came."""
    began = time.monotonic()
    asked = _asked(args, candidate, known.entry)

    def enough(found: Sequence[Compared]) -> bool:
        return len(found) >= args.least and (_has_failing(found) or not args.fails)

    return _reported(asked, [_live(args, asked, known.home.file, stop=enough)], began)


def _asked(args: argparse.Namespace, candidate: Candidate, entry: str) -> Asked:
    service = check_service(args.service)
    for names in remade_in(candidate.old_sources, candidate.sources).values():
        raise RefusedError(
            "not-applicable",
            f"Objects of {names[0]} that live were made by the old code, and the candidate "
            "makes them otherwise: no twin can tell what it will do.",
            "Try it with --place fresh, and an --entry in which they are made.",
        )
    return Asked(service, entry, candidate, args.fails, args.expect, args.least)


def _reported(asked: Asked, tried: Sequence[Tried], began: float) -> Verified:
    return reported(
        asked,
        [one for part in tried for one in part.compared],
        "; ".join(part.place for part in tried),
        [note for part in tried for note in part.notes],
        sum(part.runs for part in tried),
        time.monotonic() - began,
    )


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


def _seen(asked: Asked, found: Sequence[Compared], file: str) -> list[Compared]:
    """Leave open what no call shows: changes above the entry."""
    function = asked.entry.rpartition(":")[2]
    unseen = unseen_change(asked.candidate.changes, file, function)
    return [left_open(one, unseen) for one in found] if unseen else list(found)


def _live(
    args: argparse.Namespace,
    asked: Asked,
    file: str,
    stop: Callable[[Sequence[Compared]], bool],
) -> Tried:
    """Try live calls at their hits, until there are so many of them, and enough."""
    seconds, many = duration(args.seconds), min(args.many, MOST)
    client = Client()
    order = ordered(client, asked, TwinUse.VERIFY, many=many, seconds=seconds)
    found: list[Compared] = []
    runs = 0
    files = {change.file for change in asked.candidate.changes}
    left = aside(asked.candidate.changes)
    try:
        for hit in Waiting(client, order, seconds).hits(many):
            twin, number = hit["twin"], len(found) + 1
            runs += _many(twin.get("tried"))
            found.append(compared(number, twin, files, left, stated=bool(asked.fails)))
            if len(found) >= many and stop(found):
                break
    except KeyboardInterrupt:
        err("leadline: stopped; what came is used")
    finally:
        order.remove()
    if not found:
        raise unanswered(order)
    return Tried(_seen(asked, found, file), _AT_HITS, runs)


def _many(tried: Mapping[str, Any] | None) -> int:
    """Return how many runs a twin has told of, without the live one."""
    return sum(run["what"] != LIVE for run in (tried or {}).get("runs", ()))


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


def _sampled(args: argparse.Namespace, asked: Asked, captured: Captured) -> Tried:
    """Try captured calls in copies of one twin, made at a hit of the entry."""
    seconds = duration(args.seconds)
    chosen, notes = _chosen(captured.calls)
    found: dict[int, Compared] = {}
    at, why, runs = "", "nothing can be made again of any of the calls", 0
    if chosen:
        client = Client()
        more = {
            "calls": [
                [one.hit, call_digest(one.document, one.turns), most_yields(one)]
                for one in chosen
            ],
            "within_s": args.within,
        }
        life_s = LIFE_S[TwinUse.SAMPLE]
        order = ordered(
            client,
            asked,
            TwinUse.SAMPLE,
            many=len(chosen) + 1,
            seconds=seconds + life_s,
            instance=_instance(chosen),
            more=more,
        )
        files = {change.file for change in asked.candidate.changes}
        left = aside(asked.candidate.changes)
        try:
            waiting = Waiting(
                client, order, seconds + life_s, is_sample=True, made_within=seconds
            )
            for hit in waiting.hits(len(chosen) + 1):
                twin = hit["twin"]
                at = time.strftime("%H:%M:%S", time.localtime(hit["time"]))
                tried = twin.get("tried") or {}
                number = tried.get("number", 0)
                if not number:
                    why = tried.get("obstacle") or twin["reason"] or "the twin has ended"
                    notes += twin["notes"]
                    break
                call = chosen[number - 1]
                if tried["obstacle"]:
                    found[number] = _lost(call, tried["obstacle"])
                else:
                    runs += _many(tried)
                    found[number] = compare(call, tried, files, left)
        except KeyboardInterrupt:
            err("leadline: stopped; what came is used")
        finally:
            order.remove()
        if not at:
            raise unanswered(order)
    everything = [
        found.get(number) or _lost(call, _NOT_TRIED.format(why.rstrip(".")))
        for number, call in enumerate(chosen, 1)
    ]
    known = {call.number for call in chosen}
    everything += [not_replayable(one) for one in captured.calls if one.number not in known]
    compared_all = _seen(asked, everything, captured.home.file)
    return Tried(compared_all, _SAMPLE.format(at), runs, notes)


def _lost(call: CapturedCall, why: str) -> Compared:
    return not_replayable(replace(call, obstacle=why))


def _chosen(calls: Sequence[CapturedCall]) -> tuple[list[CapturedCall], list[str]]:
    """Return the calls that are sent, as many as may be, and what there is to say of it."""
    able = [one for one in calls if one.document is not None and one.hit]
    found: list[CapturedCall] = []
    room = MAX_BYTES
    for one in able:
        if len(found) < MAX_CALLS and one.size <= room:
            room -= one.size
            found.append(one)
    left = len(able) - len(found)
    note = f"{left} calls are left out: their arguments are more than {MAX_BYTES:,} bytes"
    return found, [note] if left else []


def _instance(calls: Sequence[CapturedCall]) -> str:
    """Return the process that most of the calls come from: what lives there can be met."""
    of = [one.instance for one in calls]
    return max(set(of), key=of.count) if of else ""
