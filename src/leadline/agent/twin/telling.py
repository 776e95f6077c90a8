"""From what a twin has said to the hit that tells of it: redacted, compared, cut to size."""

import json
from typing import Any

from leadline import native
from leadline.agent.capture import outlet
from leadline.agent.capture.writing import write
from leadline.agent.core import Record
from leadline.agent.core.passage import Reading
from leadline.agent.guard import faults
from leadline.agent.twin.child import Child
from leadline.agent.twin.hearsay import UNREADABLE, check_depth, read_notes, read_said
from leadline.trial import comparing
from leadline.trial.outcome import read_outcome
from leadline.trial.running import read_rerun
from leadline.wire.errors import WireError
from leadline.wire.struct import replace
from leadline.wire.twin import (
    Agreement,
    Difference,
    Refusal,
    Said,
    TwinEnd,
    TwinPolicy,
    TwinUse,
    TwinView,
)
from leadline.wire.value import render

_SIGNALS = {9: "it was killed", 11: "it crashed (SIGSEGV)", 14: "its life was over"}
_SIGNALS |= {6: "it aborted (SIGABRT)", 7: "it crashed (SIGBUS)", 24: "it used up its time"}
_MESSAGE_CHARS = 500
_OURS = ("do", "reason", "what", "file", "function")
"""Members of a shell's reply whose texts are no values of the application."""


def record(child: Child, policy: TwinPolicy) -> Record:
    """Return what the sender makes a hit of. On a thread of ours."""
    try:
        view = _view(child, policy)
    except Exception as error:  # noqa: BLE001 - it wrote this, and whoever waits is to know
        faults.count("twin", error)
        view = _unreadable(child, policy)
    birth = child.birth
    return Record(
        child.passage,
        child.site,
        birth.time,
        birth.thread,
        write(_plain(view)).encode("ascii"),
        birth.task,
        birth.trace,
        birth.span,
    )


def reading(payload: bytes) -> Reading:
    """Return the content of a twin's hit, as it may leave the process."""
    told = _parsed(json.loads(payload))
    try:
        view = _safe(told)
        message = _message(view)
    except Exception as error:  # noqa: BLE001 - a value that is none of ours, see `record`
        faults.count("twin", error)
        view = TwinView(
            told.use, told.policy, TwinEnd.DIED, UNREADABLE, told.pause_ms, told.life_s
        )
        message = _message(view)
    values = {said.code: said.value for said in view.said if said.returned}
    return Reading(message, values, None, view)


def _unreadable(child: Child, policy: TwinPolicy) -> TwinView:
    return TwinView(
        child.probe.use,
        policy,
        TwinEnd.DIED,
        UNREADABLE,
        round(child.pause_ms, 3),
        round(child.life_s, 3),
    )


def _view(child: Child, policy: TwinPolicy) -> TwinView:
    end, reason = _end(child)
    agreement = _agreement(child, end, reason) if child.probe.use is TwinUse.RERUN else None
    return TwinView(
        use=child.probe.use,
        policy=policy,
        end=end,
        reason=reason,
        pause_ms=round(child.pause_ms, 3),
        life_s=round(child.life_s, 3),
        said=[read_said(one) for one in child.said("said")],
        refused=child.refused(),
        agreement=agreement,
        notes=[note for notes in child.said("notes") for note in read_notes(notes)],
        lost=child.lost,
    )


def _end(child: Child) -> tuple[TwinEnd, str]:
    """Say how a twin ended: by itself and with all said, or how else."""
    status = child.status or 0
    twin = native.twin()
    if child.left:
        return TwinEnd.DONE, ""
    if failed := child.said("failed"):
        return TwinEnd.DIED, f"it failed: {failed[0]}"[:_MESSAGE_CHARS]
    signal = status & 0x7F
    if signal:
        why = _SIGNALS.get(signal, f"it ended by signal {signal}")
        over = child.killed or signal in (14, 24)
        if over:
            return TwinEnd.CUT_OFF, f"its life of {child.probe.life_s:g} s was over"
        return TwinEnd.DIED, why
    if status:
        return TwinEnd.DIED, str(twin.why(status)) if twin is not None else ""
    if not child.said("done") and child.probe.use is not TwinUse.SHELL:
        return TwinEnd.DIED, "it ended before all was said"
    return TwinEnd.DONE, ""


def _agreement(child: Child, end: TwinEnd, reason: str) -> Agreement:
    reruns = child.said("rerun")
    if end is not TwinEnd.DONE or not reruns:
        return Agreement(None, reason or "the rerun came to no end")
    live = read_outcome(json.loads(child.live)) if child.live is not None else None
    try:
        rerun = read_rerun(reruns[0])
    except WireError:  # it comes from a process in which anything may have run
        return Agreement(None, "what the twin says of its rerun cannot be read")
    return comparing.compare(live, rerun.outcome, rerun.marks, rerun.cut, child.refused())


def _said(one: dict[str, Any]) -> Said:
    return Said(**{**one, "refused": [Refusal(**refused) for refused in one["refused"]]})


def _plain(view: TwinView) -> dict[str, Any]:
    from leadline.wire.struct import asdict

    plain: dict[str, Any] = asdict(view)
    return plain


def _parsed(plain: dict[str, Any]) -> TwinView:
    agreement = plain["agreement"]
    if agreement is not None:
        differences = [Difference(**one) for one in agreement["differences"]]
        plain["agreement"] = Agreement(**{**agreement, "differences": differences})
    plain["said"] = [_said(one) for one in plain["said"]]
    plain["refused"] = [Refusal(**one) for one in plain["refused"]]
    plain |= {"use": TwinUse(plain["use"]), "policy": TwinPolicy(plain["policy"])}
    return TwinView(**{**plain, "end": TwinEnd(plain["end"])})


def _safe(view: TwinView) -> TwinView:
    """Redact: values like any hit's, and every text that the application had a part in."""
    values = outlet.values({str(index): one.value for index, one in enumerate(view.said)})
    agreement = view.agreement
    if agreement is not None:
        agreement = replace(
            agreement,
            reason=outlet.message(agreement.reason),
            live=outlet.told(agreement.live),
            rerun=outlet.told(agreement.rerun),
            differences=[
                Difference(
                    outlet.message(one.where), outlet.told(one.live), outlet.told(one.rerun)
                )
                for one in agreement.differences
            ],
        )
    return replace(
        view,
        reason=outlet.message(view.reason),
        said=[
            replace(
                one,
                value=values[str(index)],
                printed=outlet.told(one.printed),
                raised=outlet.told(one.raised),
                refused=_hushed(one.refused),
            )
            for index, one in enumerate(view.said)
        ],
        refused=_hushed(view.refused),
        agreement=agreement,
        notes=[outlet.message(note) for note in view.notes],
    )


def farewell(child: Child) -> str:
    """Return why a shell is over, for whoever sits at it."""
    end, reason = _end(child)
    return reason if end is not TwinEnd.DONE else "the call that was hit has come to its end"


def safe_reply(reply: dict[str, Any]) -> dict[str, Any]:
    """Redact what a shell answers, whatever it is."""
    try:
        check_depth(reply)
        return _safe_reply(reply)
    except Exception as error:  # noqa: BLE001 - it wrote this, and whoever waits is to know
        faults.count("twin", error)
        return {"number": reply.get("number"), "reason": "error", "text": UNREADABLE}


def _safe_reply(reply: dict[str, Any]) -> dict[str, Any]:
    return {name: _told(name, one) for name, one in reply.items()}


def _told(name: str, part: Any) -> Any:
    if name in ("value", "result"):
        return outlet.values({name: part})[name]
    if name == "variables" and type(part) is dict:
        return outlet.values(part)
    if type(part) is str:
        return outlet.message(part) if name in _OURS else outlet.told(part)
    if type(part) is list:
        return [_told(name, one) for one in part]
    return _safe_reply(part) if type(part) is dict else part


def _hushed(refused: list[Refusal]) -> list[Refusal]:
    return [replace(one, detail=outlet.told(one.detail)) for one in refused]


def _message(view: TwinView) -> str:
    """Say in one line what came of it."""
    parts = [
        f"{said.code} -> {said.raised or render(said.value, quoted=True)}"
        for said in view.said
        if said.returned or said.raised
    ]
    if view.agreement is not None:
        parts.append(_verdict(view.agreement))
    if view.end is not TwinEnd.DONE:
        parts.append(f"{view.end.replace('_', ' ')}: {view.reason}")
    return outlet.message("; ".join(parts)[:_MESSAGE_CHARS])


def _verdict(agreement: Agreement) -> str:
    match agreement.agrees:
        case True:
            return "agrees"
        case False:
            where = agreement.differences[0].where if agreement.differences else "outcome"
            return f"differs at {where}" + (
                f" ({agreement.reason})" if agreement.reason else ""
            )
        case _:
            return f"unknown: {agreement.reason}"
