"""A twin's answer on the page, and how an order stands that has none yet."""

from collections.abc import Mapping
from typing import Any

from leadline.control.views import HitView, ProbeView, StateView
from leadline.web.rendering import render
from leadline.web.values import Node, node
from leadline.wire.probe import Fate, Status
from leadline.wire.refusals import refusal_words, refused_beside
from leadline.wire.struct import dataclass
from leadline.wire.twin_words import (
    MAKES_NONE,
    agreement_words,
    cost_words,
    end_words,
    missed_words,
    obstacle_words,
    outcome_words,
    tried_words,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What one of the code came to; `value` is None where it has none."""

    code: str
    value: Node | None
    printed: str
    raised: str
    refused: list[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a twin answered. `ended` says how it ended before it was done, `agreement` whether
    a rerun agrees, and `outcome` what both came to; `cost` are the pause, the life and the
    policy. `tried` is what became of a candidate, and `sides` are what differs."""

    use: str
    said: list[Said]
    agreement: str
    outcome: str
    differences: list[Mapping[str, Any]]
    marks: list[str]
    refused: list[str]
    notes: list[str]
    cost: list[str]
    ended: str
    tried: list[str]
    sides: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How an order stands without an answer. `over` says that none will come, `told` in a few
    words how it stands; `reasons` are those of each process."""

    over: bool
    told: str
    reasons: list[str]


def answer(twin: Mapping[str, Any]) -> Answer:
    """Make the view model of an answer, which is plain data."""
    agreement = twin.get("agreement") or {}
    tried = twin.get("tried") or {}
    compared = tried.get("candidate") or agreement
    return Answer(
        use=twin["use"],
        said=[_said(one) for one in twin["said"]],
        agreement=agreement_words(twin) if agreement else "",
        outcome=outcome_words(twin),
        differences=compared.get("differences", []),
        marks=compared.get("marks", []),
        refused=refusal_words(refused_beside(twin)),
        notes=twin["notes"],
        cost=cost_words(twin),
        ended=end_words(twin),
        tried=tried_words(twin),
        sides=("control", "candidate") if tried else ("live", "rerun"),
    )


def waiting(probe: ProbeView) -> Waiting:
    """Make the view model of an order that has no answer."""
    here = [one for one in probe.instances if one.connected]
    blocked = bool(here) and all(one.reported_at and one.status in MAKES_NONE for one in here)
    over = (blocked and not _made(here)) or probe.ended_at is not None
    reasons = [f"{one.program}/{one.pid}: {one.why}" for one in here] or [probe.reason]
    return Waiting(over, _stands(probe, here), [one for one in reasons if over and one])


def part(probe: ProbeView, hit: HitView | None, process: str) -> str:
    """Return what there is of an order's answer."""
    twin: Any = hit.twin if hit else None
    return render(
        "twin_part.html",
        probe=probe,
        hit=hit,
        process=process,
        answer=answer(twin) if twin else None,
        waiting=waiting(probe),
    )


def _said(one: Mapping[str, Any]) -> Said:
    return Said(
        code=one["code"],
        value=node(one["code"].strip(), one["value"]) if one["returned"] else None,
        printed=one["printed"],
        raised=one["raised"],
        refused=refusal_words(one["refused"]),
    )


def _made(here: list[StateView]) -> int:
    """Return how many twins were made: each answers some time after its order is used up."""
    return sum(one.fates.get(Fate.CAPTURED, 0) for one in here)


def _stands(probe: ProbeView, here: list[StateView]) -> str:
    if probe.ended_at is not None:
        return f"Nothing was hit; the order is over: {probe.reason}."
    if not here:
        return f"{probe.reason or 'no process is connected'}."
    if _made(here):
        return "A twin was made; it has not answered yet."
    armed = sum(one.status is Status.ARMED for one in here)
    of = f"{len(here)} process{'' if len(here) == 1 else 'es'}"
    told = f"Waiting for a hit, in {armed} of {of}."
    missed = missed_words(
        (one.fates for one in here), obstacle_words(one.unknown for one in here)
    )
    return f"{told} {missed}." if missed else told
