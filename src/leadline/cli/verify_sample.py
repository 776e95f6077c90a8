"""Captured calls, run in copies of one twin of the live process: the sample."""

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import Any

from leadline.cli.client import Client
from leadline.cli.duration import duration
from leadline.cli.show import err
from leadline.cli.twin_candidate import ordered, unanswered
from leadline.cli.twin_order import Order
from leadline.cli.twin_waiting import Waiting
from leadline.cli.verify_calls import Captured
from leadline.cli.verify_runs import compare, many_runs
from leadline.trial.candidate import NOT_PUT_IN
from leadline.verify.aside import aside
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared, left_open, not_replayable
from leadline.verify.judging import Asked
from leadline.verify.places import most_yields
from leadline.verify.signature import unseen_change
from leadline.wire.errors import RefusedError
from leadline.wire.sample import MAX_BYTES, MAX_CALLS, call_digest
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.twin import LIFE_S, TwinUse

_SAMPLE = "twin of the live process, state of {}"
_NOT_TRIED = "it was not run: {}"


@dataclass(frozen=True, slots=True)
class Tried:
    """Calls that were tried in twins: where, and what there is to say of it."""

    compared: list[Compared]
    place: str
    runs: int
    notes: list[str] = field(default_factory=list)
    stopped: bool = False
    """Whether it was ended before all calls were tried: nobody wants others in their place."""


@dataclass(slots=True)
class _Heard:
    """What a sample has said so far: of which calls, since when, and why no more."""

    found: dict[int, Compared] = field(default_factory=dict)
    at: str = ""
    why: str = "nothing can be made again of any of the calls"
    runs: int = 0
    notes: list[str] = field(default_factory=list)
    is_told: bool = False
    """Whether the twin itself has said that no more comes."""
    stopped: bool = False

    def stop(self, why: str) -> None:
        """No more comes, for another reason than the twin's."""
        self.why, self.stopped = why, True
        self.notes.append(f"not all calls were run in a twin: {why}")


def sampled(args: argparse.Namespace, asked: Asked, captured: Captured) -> Tried:
    """Try captured calls in copies of one twin, made at a hit of the entry."""
    chosen, notes = _chosen(captured.calls)
    heard = _Heard(notes=notes)
    if chosen:
        _listen(heard, args, asked, chosen)
    everything = [
        heard.found.get(number) or _lost(call, _NOT_TRIED.format(heard.why.rstrip(".")))
        for number, call in enumerate(chosen, 1)
    ]
    known = {call.number for call in chosen}
    everything += [not_replayable(one) for one in captured.calls if one.number not in known]
    compared = seen(asked, everything, captured.home.file)
    return Tried(compared, _SAMPLE.format(heard.at), heard.runs, heard.notes, heard.stopped)


def check_put_in(obstacle: str) -> None:
    """Raise `RefusedError` if an obstacle is that the candidate cannot be put into a twin."""
    if obstacle.startswith(NOT_PUT_IN):
        raise RefusedError(
            "not-applicable", obstacle, "Try it with --place fresh, which imports it."
        )


def seen(asked: Asked, found: Sequence[Compared], file: str) -> list[Compared]:
    """Leave open what no call shows: changes above the entry."""
    function = asked.entry.rpartition(":")[2]
    unseen = unseen_change(asked.candidate.changes, file, function)
    return [left_open(one, unseen) for one in found] if unseen else list(found)


def _listen(
    heard: _Heard, args: argparse.Namespace, asked: Asked, chosen: Sequence[CapturedCall]
) -> None:
    """Order a sample, and take what it says until its end."""
    client, seconds = Client(), duration(args.seconds)
    within_s = seconds + LIFE_S[TwinUse.SAMPLE]
    order = _order(client, args, asked, chosen, within_s)
    files = {change.file for change in asked.candidate.changes}
    left = aside(asked.candidate.changes)
    try:
        waiting = Waiting(client, order, within_s, is_sample=True, made_within=seconds)
        for hit in waiting.hits(len(chosen) + 1):
            twin = hit["twin"]
            heard.at = time.strftime("%H:%M:%S", time.localtime(hit["time"]))
            tried: Mapping[str, Any] = twin.get("tried") or {}
            number = tried.get("number", 0)
            if not number:
                heard.why = tried.get("obstacle") or twin["reason"] or "the twin has ended"
                heard.is_told = True
                heard.notes += twin["notes"]
                check_put_in(heard.why)
                break
            call = chosen[number - 1]
            if tried["obstacle"]:
                heard.found[number] = _lost(call, tried["obstacle"])
            else:
                heard.runs += many_runs(tried)
                heard.found[number] = compare(call, tried, files, left)
    except KeyboardInterrupt:
        if not heard.at:
            raise
        err("leadline: stopped; what came is used")
        heard.stop("it was stopped by Ctrl-C")
    else:
        if heard.at and not heard.is_told and len(heard.found) < len(chosen):
            heard.stop("the twin has ended, or its service")
    finally:
        order.remove()
    if not heard.at:
        raise unanswered(order)


def _order(
    client: Client,
    args: argparse.Namespace,
    asked: Asked,
    chosen: Sequence[CapturedCall],
    seconds: float,
) -> Order:
    named = [
        [one.hit, call_digest(one.document, one.turns), most_yields(one), one.depth]
        for one in chosen
    ]
    return ordered(
        client,
        asked,
        TwinUse.SAMPLE,
        many=len(chosen) + 1,
        seconds=seconds,
        instance=_instance(chosen),
        more={"calls": named, "within_s": args.within},
    )


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
