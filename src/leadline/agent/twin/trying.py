"""A candidate tried on the live call, in a twin: the old code twice, then the candidate.

Each run has a grandchild of its own, sealed as the twin is: what one of them changes, the next
one never sees. The twin itself runs nothing; it waits for each and says how it ended.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from types import FrameType, FunctionType
from typing import Any

from leadline.agent.place.entry import Entry
from leadline.agent.twin import database_file
from leadline.agent.twin.apart import apart
from leadline.agent.twin.bench import (
    RUNS,
    bench_of,
    ends_with,
    entry_of,
    is_run,
    may_be_luck,
)
from leadline.agent.twin.served import served
from leadline.trial import calls, revival
from leadline.trial.calls import Call
from leadline.trial.holders import namespace_of
from leadline.trial.place import Order
from leadline.wire.errors import LeadlineError
from leadline.wire.probe import TwinProbe
from leadline.wire.struct import replace
from leadline.wire.twin import AGAIN, CANDIDATE, TwinPolicy

type Tell = Callable[[dict[str, object]], None]

_SHARE = 0.8
"""Of the twin's life that its runs may take: then there is time to say how they ended."""


def verify(
    probe: TwinProbe,
    frame: FrameType,
    channel: int,
    tell: Tell,
    policy: TwinPolicy,
    function_of: calls.FunctionOf,
) -> None:
    """Try the candidate of an order on the call that `frame` stands for, and tell of it."""
    over = time.monotonic() + probe.life_s * _SHARE
    tell({"notes": revival.revive()})
    try:
        call = calls.call_of(frame, function_of)
        bench = bench_of(probe.code, _entry(frame, call, function_of), policy)
    except LeadlineError as error:
        tell({"obstacle": error.message, "done": True})
        return
    known: dict[str, Any] = {}
    left = [*RUNS, *AGAIN]
    while left:
        life_s = max(0.1, (over - time.monotonic()) / len(left))
        what = left.pop(0)
        if what == CANDIDATE and (
            why := bench.obstacle
            or _unknown_function(bench.planned.works, call)
            or bench.planned.makes_otherwise(_functions(call))
        ):
            tell({"ran": what, "obstacle": why})
            break
        order = Order(1, {}, within_s=life_s)
        run = partial(bench.run, what, order, partial(_made, call))
        heard = apart(run, life_s, channel)
        if database_file.take(heard.said.get("databases")):
            heard = apart(run, life_s, channel)  # all runs begin with the same now
        tell({"ran": what, **heard.said})
        if heard.why:
            tell({"ended": [what, heard.why]})
        if is_run(heard.said.get("run")):
            known[what] = heard.said["run"]
        if what == CANDIDATE and not may_be_luck(known):
            break
    tell({"done": True})


def _entry(frame: FrameType, call: Call, function_of: calls.FunctionOf) -> Entry:
    """Return the entry; where the function object cannot be had, one that was rebuilt."""
    try:
        return entry_of(frame, function_of)
    except LeadlineError:
        function: Any = call.function
        code = call.code
        return Entry(function, code.co_filename, code.co_firstlineno, calls.parameters(code))


def _made(call: Call, _: Entry) -> tuple[Call, dict[str, Any], dict[str, object]]:
    """Return the live call, with the code that its function has by now."""
    code = getattr(call.function, "__code__", call.code)
    now = served(call if call.rebuilt else replace(call, code=code))
    return now, calls.given_to(now), {}


def _functions(call: Call) -> Iterator[tuple[str, str]]:
    """Yield the functions that a call is given, also within what it is given, by their modules
    and names."""
    for one in (*call.args, *call.kwargs.values()):
        for held in (one, *namespace_of(one).values(), *_items(one)):
            if type(held) is FunctionType:
                yield str(held.__globals__.get("__name__")), held.__code__.co_qualname


def _items(value: object) -> Iterable[object]:
    if type(value) is dict:
        return value.values()
    return value if type(value) in (list, tuple) else ()  # type: ignore[return-value]


def _unknown_function(works: list[Any], call: Call) -> str:
    changed = tuple(one.name for work in works for one in work.exchanges if not one.same)
    if call.rebuilt and ends_with(changed, call.code.co_qualname):
        return (
            "The candidate cannot be tried here: the function object of "
            f"{call.code.co_qualname} cannot be had."
        )
    return ""
