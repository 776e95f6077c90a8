"""What a twin says of a candidate that it tried, read and compared on a thread of ours.

Anything may have run in the twin: what cannot be read is not known, and never taken for equal.
"""

import json
from typing import Any

from leadline.agent.twin.child import Child
from leadline.agent.twin.hearsay import check_depth, read_refusals
from leadline.trial import comparing
from leadline.trial.marks import Mark
from leadline.trial.outcome import Outcome, read_outcome
from leadline.trial.running import Rerun, read_rerun
from leadline.wire.errors import WireError
from leadline.wire.messages import encode
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.twin import (
    CANDIDATE,
    CONTROLS,
    LIVE,
    MAX_ANSWER_BYTES,
    Agreement,
    Inside,
    Ran,
    Refusal,
    Tried,
    carried,
)

NOT_RUN = "it was not run: the twin had ended"
UNREADABLE = "what the twin says of this run cannot be read"
_MOST_REACHED = 50
_MOST_INSIDE = 50


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was heard of one run."""

    rerun: Rerun
    reached: list[str] | None = None
    refused: list[Refusal] = field(default_factory=list)
    obstacle: str = ""
    inside: list[Inside] = field(default_factory=list)
    fails: bool | None = None
    expect: bool | None = None
    unknown: str = ""

    @property
    def outcome(self) -> Outcome | None:
        return self.rerun.outcome


def tried_of(child: Child, why: str) -> Tried:
    """Return what became of the candidate; `why` says why the twin did not end well, if so."""
    title, digest = carried(child.probe.code)
    live = read_outcome(json.loads(child.live)) if child.live is not None else None
    heard = {what: _heard(child, what, why) for what in (*CONTROLS, CANDIDATE)}
    controls = [heard[what] for what in CONTROLS]
    tried = heard[CANDIDATE]
    obstacle = next(iter(_texts(child.said("obstacle"))), tried.obstacle)
    beside = None
    if not obstacle:
        beside = comparing.compare(
            controls[0].outcome,
            tried.outcome,
            _both(controls[0].rerun.marks, tried.rerun.marks),
            tried.rerun.cut or controls[0].rerun.cut,
            tried.refused,
        )
    agreements = [_agreement(live, one) for one in controls]
    return Tried(
        title=title,
        digest=digest,
        controls=agreements,
        candidate=beside,
        live=agreements[0].live,
        fails=controls[0].fails,
        expect=tried.expect,
        unknown=controls[0].unknown or tried.unknown,
        obstacle=obstacle,
        runs=_fitting([_live(live), *(_ran(what, one) for what, one in heard.items())]),
    )


def _heard(child: Child, what: str, why: str) -> _Heard:
    said = [one for one in child.messages if one.get("ran") == what]
    ended = next((one for one in child.said("ended") if _is_end(one, what)), None)
    refused = read_refusals(said[-1].get("refused")) if said else []
    obstacle = said[-1].get("obstacle") if said else None
    if type(obstacle) is str:
        return _Heard(Rerun(None, cut=obstacle), None, refused, obstacle)
    if not said or "rerun" not in said[-1]:
        ending = f"it came to no end: {ended[2]}" if ended and ended[2] else why or NOT_RUN
        return _Heard(Rerun(None, cut=ending), None, refused)
    try:
        rerun = read_rerun(said[-1]["rerun"])
        check_depth(said[-1])
    except WireError:
        return _Heard(Rerun(None, cut=UNREADABLE), None, refused)
    return _Heard(
        rerun,
        _lines(said[-1].get("reached")),
        refused,
        "",
        _inside(said[-1].get("inside")),
        *_answers(said[-1].get("answers")),
    )


def _is_end(one: Any, what: str) -> bool:
    return (
        isinstance(one, list)
        and [type(part) for part in one] == [str, int, str]
        and one[0] == what
    )


def _texts(found: list[Any]) -> list[str]:
    return [one for one in found if type(one) is str]


def _lines(value: Any) -> list[str] | None:
    """Return lines as they are told, `shop/pricing.py:88`."""
    if not isinstance(value, list):
        return None
    pairs = [one for one in value if isinstance(one, list) and len(one) == 2]
    return [
        f"{file}:{line}"
        for file, line in pairs[:_MOST_REACHED]
        if type(file) is str and type(line) is int
    ]


def _inside(value: Any) -> list[Inside]:
    found = value if isinstance(value, list) else []
    return [
        Inside(*one)
        for one in found[:_MOST_INSIDE]
        if isinstance(one, list) and [type(part) for part in one] == [str, str, str]
    ]


def _answers(value: Any) -> tuple[bool | None, bool | None, str]:
    if not isinstance(value, list) or len(value) != 3 or type(value[2]) is not str:
        return None, None, "the run did not say"
    fails, expect = (one if type(one) is bool else None for one in value[:2])
    return fails, expect, value[2]


def _agreement(live: Outcome | None, one: _Heard) -> Agreement:
    return comparing.compare(live, one.outcome, one.rerun.marks, one.rerun.cut, one.refused)


def _both(one: list[Mark], other: list[Mark]) -> list[Mark]:
    known = {(mark.chance, mark.name) for mark in one}
    return [*one, *(mark for mark in other if (mark.chance, mark.name) not in known)]


def _live(live: Outcome | None) -> Ran:
    if live is None:
        return Ran(LIVE, cut="the live call has not been seen to end")
    return Ran(LIVE, live.returned, live.value, live.arguments)


def _ran(what: str, one: _Heard) -> Ran:
    outcome = one.outcome
    return Ran(
        what=what,
        returned=outcome.returned if outcome is not None else None,
        value=outcome.value if outcome is not None else None,
        arguments=outcome.arguments if outcome is not None else {},
        cut=one.rerun.cut,
        raised=one.rerun.raised,
        printed=one.rerun.printed,
        reached=one.reached,
        refused=one.refused,
        marks=[mark.text() for mark in one.rerun.marks],
        inside=one.inside,
        fails=one.fails,
        expect=one.expect,
        unknown=one.unknown,
    )


def _fitting(runs: list[Ran]) -> list[Ran]:
    """Say each outcome once, and no more of them than there is room for."""
    known: dict[bytes, str] = {}
    left = MAX_ANSWER_BYTES
    found = []
    for one in runs:
        content = encode([one.returned, one.value, one.arguments])
        if one.returned is None:
            found.append(one)
        elif content in known:
            found.append(replace(one, value=None, arguments={}, same_as=known[content]))
        elif len(content) > left:
            found.append(replace(one, value=None, arguments={}, omitted=len(content)))
        else:
            left -= len(content)
            known[content] = one.what
            found.append(one)
    return found
