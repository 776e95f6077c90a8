"""What a twin says of a candidate that it tried, read and compared on a thread of ours.

Anything may have run in the twin: what cannot be read is not known, and never taken for equal.
"""

import json
from collections.abc import Sequence
from typing import Any

from leadline.agent.twin.child import Child
from leadline.agent.twin.hearsay import check_depth, read_refusals
from leadline.trial import agreeing, place
from leadline.trial.course import Coursed
from leadline.trial.marks import Mark
from leadline.trial.outcome import Outcome, read_outcome
from leadline.trial.place import BEGAN, HANDED, UNCOMPARED, UNSEEN
from leadline.wire.errors import WireError
from leadline.wire.messages import encode
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.twin import (
    AGAIN,
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
from leadline.wire.value import Value

NOT_RUN = "it was not run: the twin had ended"
UNREADABLE = "what the twin says of this run cannot be read"
_MOST_REACHED = 50
_MOST_INSIDE = 50
_LEVELS = 400
"""Of what a run says: an outcome has 60, each of which is a few here."""
_BESIDE = "beside "


@dataclass(frozen=True, slots=True)
class _Heard:
    """What was heard of one run; `same_as` names another one that came to the same."""

    run: place.Ran
    same_as: str = ""
    obstacle: str = ""
    refused: list[Refusal] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome | None:
        return self.run.rerun.outcome


def tried_of(child: Child, why: str) -> Tried:
    """Return what became of the candidate; `why` says why the twin did not end well, if so."""
    live = read_outcome(json.loads(child.live)) if child.live is not None else None
    heard = _all(child.messages, why)
    controls = [heard[what] for what in CONTROLS]
    tried = heard[CANDIDATE]
    obstacle = next(iter(_texts(child.said("obstacle"))), tried.obstacle)
    beside = None
    if not obstacle:
        beside = _compared(
            _whole(controls[0]),
            _whole(tried),
            _both(controls[0].run.rerun.marks, tried.run.rerun.marks),
            tried.run.rerun.cut or controls[0].run.rerun.cut,
            tried.refused,
        )
    agreements = [_agreement(live, one) for one in controls]
    found = _tried(child.probe.code, heard, obstacle, [_live(live)])
    return replace(found, controls=agreements, candidate=beside, live=agreements[0].live)


def tried_on(code: tuple[str, ...], number: int, said: list[dict[str, Any]], why: str) -> Tried:
    """Return what became of one captured call, of which this was `said`."""
    heard = _all(said, why)
    first = heard[CONTROLS[0]]
    for what, one in heard.items():
        if one.same_as and one.same_as in heard:
            heard[what] = _filled(one, heard[one.same_as])
    obstacles = [*_texts([one["obstacle"] for one in said if "obstacle" in one])]
    obstacle = next(iter(obstacles), heard[CANDIDATE].obstacle or first.obstacle)
    return replace(_tried(code, heard, obstacle, []), number=number)


def _tried(
    code: tuple[str, ...], heard: dict[str, _Heard], obstacle: str, first: list[Ran]
) -> Tried:
    title, digest = carried(code)
    heard = _without_common(heard)
    control, tried = heard[CONTROLS[0]].run, heard[CANDIDATE].run
    return Tried(
        title=title,
        digest=digest,
        fails=control.fails,
        expect=tried.expected,
        unknown=control.unknown or tried.unknown,
        obstacle=obstacle,
        runs=_fitting([*first, *(_ran(what, one) for what, one in heard.items())]),
    )


def _all(said: Sequence[dict[str, Any]], why: str) -> dict[str, _Heard]:
    again = [what for what in AGAIN if any(one.get("ran") == what for one in said)]
    return {what: _heard(said, what, why) for what in (*CONTROLS, CANDIDATE, *again)}


def _heard(messages: Sequence[dict[str, Any]], what: str, why: str) -> _Heard:
    said = [one for one in messages if one.get("ran") == what]
    ended = [one["ended"] for one in messages if _is_end(one.get("ended"), what)]
    last = said[-1] if said else {}
    refused = read_refusals(last.get("refused"))
    obstacle = last.get("obstacle")
    if type(obstacle) is str:
        return _Heard(place.cut(0, obstacle), "", obstacle, refused)
    if "run" not in last:
        ending = f"it came to no end: {ended[-1][1]}" if ended else why or NOT_RUN
        return _Heard(place.cut(0, ending), "", "", refused)
    try:
        check_depth(last["run"], _LEVELS)
        run = place.ran_of(last["run"])
        _check(run)
    except WireError:
        return _Heard(place.cut(0, UNREADABLE), "", "", refused)
    same_as = last.get("same_as", "")
    return _Heard(run, same_as if type(same_as) is str else "", "", refused or run.refused)


def _check(run: place.Ran) -> None:
    """Raise `WireError` for lines and exceptions that are none."""
    touched = run.coursed.touched.values()
    if not all(type(line) is int for lines in touched for line in lines):
        raise WireError(UNREADABLE)
    for one in run.coursed.raised:
        texts = (*one.classes, one.at, one.handled)
        if not one.classes or any(type(text) is not str for text in texts):
            raise WireError(UNREADABLE)


def _filled(one: _Heard, other: _Heard) -> _Heard:
    """Return a run with what it has in common with another one; that is said once."""
    if other.outcome is None:
        return replace(one, run=place.cut(0, UNREADABLE), same_as="")
    run = replace(
        one.run,
        rerun=replace(one.run.rerun, outcome=other.outcome),
        state=other.run.state,
        given=other.run.given,
        inside=other.run.inside,
    )
    return replace(one, run=run)


def _without_common(heard: dict[str, _Heard]) -> dict[str, _Heard]:
    """Leave out what is the same beside the outcomes of all runs: no difference is made of it,
    and what a framework has is more than there is room for."""
    runs = [one.run for one in heard.values() if one.outcome is not None]
    if len(runs) < len(heard):
        return heard
    state = _common([run.state for run in runs])
    inside = _common([run.inside for run in runs])

    def without(run: place.Ran) -> place.Ran:
        return replace(
            run,
            state={name: one for name, one in run.state.items() if name not in state},
            inside={name: one for name, one in run.inside.items() if name not in inside},
        )

    return {what: replace(one, run=without(one.run)) for what, one in heard.items()}


def _common(sides: list[dict[str, Value]]) -> set[str]:
    """Return the names under which all have the same, but for those that are reasons, and what
    runs found at their start."""
    first, *others = sides
    return {
        name
        for name, value in first.items()
        if not name.startswith((BEGAN, HANDED, UNCOMPARED, UNSEEN))
        and all(name in one and _alike(one[name], value) for one in others)
    }


def _is_end(one: Any, what: str) -> bool:
    return (
        isinstance(one, list) and [type(part) for part in one] == [str, str] and one[0] == what
    )


def _texts(found: list[Any]) -> list[str]:
    return [one for one in found if type(one) is str]


def _whole(one: _Heard) -> Outcome | None:
    """Return all that is compared of a run as one outcome."""
    outcome = one.outcome
    if outcome is None:
        return None
    more = {f"{_BESIDE}{name}": value for name, value in one.run.state.items()}
    more |= {f"{_BESIDE}{name}": value for name, value in one.run.inside.items()}
    return replace(outcome, arguments={**(one.run.given or outcome.arguments), **more})


def _compared(
    one: Outcome | None,
    other: Outcome | None,
    marks: list[Mark],
    cut: str,
    refused: list[Refusal],
) -> Agreement:
    found = agreeing.compare(one, other, marks, cut, refused)
    prefix = f"argument {_BESIDE}"
    differences = [
        replace(each, where=each.where.replace(prefix, "", 1)) for each in found.differences
    ]
    return replace(found, differences=differences)


def _agreement(live: Outcome | None, one: _Heard) -> Agreement:
    rerun = one.run.rerun
    return agreeing.compare(live, rerun.outcome, rerun.marks, rerun.cut, one.refused)


def _both(one: list[Mark], other: list[Mark]) -> list[Mark]:
    known = {(mark.chance, mark.name) for mark in one}
    return [*one, *(mark for mark in other if (mark.chance, mark.name) not in known)]


def _live(live: Outcome | None) -> Ran:
    if live is None:
        return Ran(LIVE, cut="the live call has not been seen to end")
    return Ran(LIVE, live.returned, live.value, live.arguments)


def _ran(what: str, one: _Heard) -> Ran:
    outcome, run = one.outcome, one.run
    given = run.given
    return Ran(
        what=what,
        returned=outcome.returned if outcome is not None else None,
        value=outcome.value if outcome is not None else None,
        arguments=outcome.arguments if outcome is not None else {},
        cut=run.rerun.cut,
        raised=run.rerun.raised,
        printed=run.rerun.printed,
        reached=_lines(run.coursed),
        refused=one.refused,
        marks=[mark.text() for mark in run.rerun.marks],
        inside=[
            Inside(raised.classes[0], raised.at, raised.handled)
            for raised in run.coursed.raised[:_MOST_INSIDE]
        ],
        fails=run.fails,
        expect=run.expected,
        unknown=run.unknown,
        yields=outcome.yields if outcome is not None else [],
        state=run.state,
        given=None if outcome is not None and _alike(given, outcome.arguments) else given,
        held=run.inside,
        path=run.coursed.path,
        left=run.left,
        met=run.met,
        called=run.called,
    )


def _lines(course: Coursed) -> list[str] | None:
    """Return lines as they are told, `/srv/pricing.py:88`; None of a run that nobody saw."""
    if not course.lines:
        return None
    found = [f"{file}:{line}" for file, lines in course.touched.items() for line in lines]
    return found[:_MOST_REACHED]


def _fitting(runs: list[Ran]) -> list[Ran]:
    """Say each outcome and each function once, and no more outcomes than there is room for."""
    known: dict[bytes, str] = {}
    called: set[str] = set()
    left = MAX_ANSWER_BYTES
    found = []
    for run in runs:
        one = replace(run, called=[name for name in run.called if name not in called])
        called.update(run.called)
        content = encode(
            [one.returned, one.value, one.arguments, one.yields, one.state, one.given, one.held]
        )
        if one.returned is None:
            found.append(one)
        elif content in known:
            found.append(replace(_bare(one), same_as=known[content]))
        elif len(content) > left:
            found.append(replace(_bare(one), omitted=len(content)))
        else:
            left -= len(content)
            known[content] = one.what
            found.append(one)
    return found


def _alike(one: object, other: object) -> bool:
    return encode(one) == encode(other)


def _bare(one: Ran) -> Ran:
    return replace(one, value=None, arguments={}, yields=[], state={}, given=None, held={})
