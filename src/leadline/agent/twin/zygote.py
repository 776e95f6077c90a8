"""A candidate tried on captured calls, all in copies of one twin: what is around them is what
the live process had at one moment, its caches and registries, its open files.

The twin runs nothing of the calls. It asks the live process for them, as many as go at once,
takes those that its order names, and has each made in grandchildren: twice by the old code,
once with the candidate.
"""

import gc
import time
from functools import partial
from types import FrameType
from typing import Any

from leadline.agent.capture import living
from leadline.agent.place.entry import Entry
from leadline.agent.place.lines import Lines
from leadline.agent.place.one_run import be_in, call_with
from leadline.agent.twin import database_file
from leadline.agent.twin.apart import all_apart
from leadline.agent.twin.bench import (
    RUNS,
    Bench,
    bench_of,
    entry_of,
    is_run,
    may_be_luck,
    same,
)
from leadline.agent.twin.trying import Tell
from leadline.trial import revival, sessions
from leadline.trial.calls import Call, FunctionOf
from leadline.trial.depth import depth_of
from leadline.trial.place import Order
from leadline.trial.rebuilding import rebuild
from leadline.wire.errors import LeadlineError, WireError
from leadline.wire.kept import CONTEXT
from leadline.wire.probe import TwinProbe
from leadline.wire.sample import Named, SampledCall, call_digest, names, read_sampled
from leadline.wire.struct import replace
from leadline.wire.twin import AGAIN, TwinPolicy

_SPARE_S = 0.5
"""What is left of the twin's life when no call is begun any more."""
NO_CALL = "the captured call is not there any more, or is another one"
TOO_LATE = "the life of the twin was over"


def serve(
    probe: TwinProbe,
    frame: FrameType,
    channel: int,
    tell: Tell,
    policy: TwinPolicy,
    function_of: FunctionOf,
) -> None:
    """Try the candidate of an order on the calls that it names, and tell of each."""
    over = time.monotonic() + probe.life_s - _SPARE_S
    named, within_s = names(probe.code)
    notes = revival.revive()
    try:
        bench = bench_of(probe.code, entry_of(frame, function_of), policy, is_later=True)
    except LeadlineError as error:
        tell({"obstacle": error.message, "done": True})
        return
    if bench.obstacle:
        tell({"obstacle": bench.obstacle, "done": True})
        return
    gc.freeze()  # a copy that collects garbage would touch, and so copy, all of it
    tell({"notes": [*notes, *bench.notes]})
    lines, depth = Lines(channel), depth_of(frame)
    number = 1
    while number <= len(named):
        came = _asked(number, lines, tell)
        if not came:
            break
        for call in came:
            if call.number != number or number > len(named):
                return  # nobody of ours says that
            one = named[number - 1]
            order = _order(bench, call, one, within_s)
            if isinstance(order, str):
                tell({"call": number, "obstacle": order})
            elif time.monotonic() > over:
                tell({"call": number, "obstacle": TOO_LATE})
            else:
                _tried(bench, order, depth, channel, tell, over)
            tell({"call": number, "over": True})
            number += 1
    tell({"done": True})


def _asked(number: int, lines: Lines, tell: Tell) -> list[SampledCall]:
    """Return calls from that number on, in their order; none where there are no more."""
    tell({"want": number})
    line = lines.next()
    try:
        return read_sampled(line) if line else []
    except WireError:
        return []


def _order(bench: Bench, call: SampledCall, named: Named, within_s: float) -> Order | str:
    """Return what is to be run, or why nothing is."""
    if call.document is None or call_digest(call.document, call.turns) != named.digest:
        return NO_CALL
    nodes = call.document.get("nodes", ())
    made = [(str(one.get("m")), str(one.get("t"))) for one in nodes if one["k"] == "function"]
    if why := bench.planned.makes_otherwise(made):
        return why
    return Order(
        call.number,
        call.document,
        named.most_yields,
        within_s,
        turns=call.turns,
        depth=named.depth,
    )


def _tried(
    bench: Bench, order: Order, depth: int, channel: int, tell: Tell, over: float
) -> None:
    """Make a call three times, each apart, side by side, and twice more where a difference may
    be luck; what came out as before is said once."""
    known: dict[str, dict[str, Any]] = {}
    rounds: list[tuple[str, ...]] = [RUNS]
    for one_round in rounds:
        within_s = min(order.within_s, over - time.monotonic())
        now = replace(order, within_s=max(_SPARE_S, within_s))
        make = partial(made, now, depth)
        runs = [partial(bench.run, what, now, make) for what in one_round]
        came = all_apart(runs, now.within_s, channel)
        met = [database_file.take(one.said.get("databases")) for one in came]
        if any(met):
            came = all_apart(runs, now.within_s, channel)  # which all begin with the same now
        for what, heard in zip(one_round, came, strict=True):
            said = dict(heard.said)
            if is_run(said.get("run")):
                known[what] = said["run"]
                alike = next(one for one, ran in known.items() if same(ran, said["run"]))
                if alike != what:
                    said |= {"same_as": alike, "run": _without(said["run"])}
            tell({"call": order.number, "ran": what, **said})
            if heard.why:
                tell({"call": order.number, "ended": [what, heard.why]})
        if one_round == RUNS and may_be_luck(known):
            rounds.append(AGAIN)


def made(
    order: Order, depth: int, entry: Entry
) -> tuple[Call, dict[str, Any], dict[str, object]]:
    """Make the arguments again, and the call of them. Raises `RefusedError`."""
    given = rebuild(order.document, living=_living)
    around = given.pop(CONTEXT, None)
    streams = be_in(around)
    sessions.be_without(order.document)
    call = call_with(entry, given, order, around)
    return replace(call, depth=order.depth or depth), given, streams


def _living(mark: Any) -> tuple[object] | None:
    """Return what a node means that lived in this process when its call was captured."""
    if not isinstance(mark, list) or len(mark) not in (2, 3):
        return None
    value = living.found(*mark)
    return None if value is living.NOTHING else (value,)


def _without(ran: dict[str, Any]) -> dict[str, Any]:
    return ran | {
        "rerun": ran["rerun"] | {"outcome": None}, "state": {}, "given": None, "inside": {},
    }  # fmt: skip
