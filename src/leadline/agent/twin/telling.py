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
from leadline.agent.twin.hearsay import UNREADABLE, read_notes, read_said
from leadline.agent.twin.hushing import safe_view
from leadline.agent.twin.tried import tried_of
from leadline.trial import agreeing
from leadline.trial.outcome import read_outcome
from leadline.trial.running import read_rerun
from leadline.wire.errors import WireError
from leadline.wire.twin import (
    Agreement,
    Difference,
    Inside,
    Ran,
    Refusal,
    Said,
    Tried,
    TwinEnd,
    TwinPolicy,
    TwinUse,
    TwinView,
    carried,
)
from leadline.wire.value import render

_SIGNALS = {9: "it was killed", 11: "it crashed (SIGSEGV)", 14: "its life was over"}
_SIGNALS |= {6: "it aborted (SIGABRT)", 7: "it crashed (SIGBUS)", 24: "it used up its time"}
_MESSAGE_CHARS = 500


def record(child: Child, policy: TwinPolicy) -> Record:
    """Return what the sender makes a hit of. On a thread of ours."""
    try:
        view = _view(child, policy)
    except Exception as error:  # noqa: BLE001 - it wrote this, and whoever waits is to know
        faults.count("twin", error)
        view = _unreadable(child, policy)
    return _recorded(child, view)


def call_record(child: Child, policy: TwinPolicy, tried: Tried) -> Record:
    """Return what becomes a hit of its own: one captured call of a sample."""
    view = TwinView(
        child.probe.use,
        policy,
        TwinEnd.DONE,
        pause_ms=round(child.pause_ms, 3),
        life_s=round(child.life_s, 3),
        tried=tried,
    )
    return _recorded(child, view)


def _recorded(child: Child, view: TwinView) -> Record:
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
        view = safe_view(told)
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
        tried=_tried_by(child, reason),
    )


def _tried_by(child: Child, reason: str) -> Tried | None:
    """Return what became of a candidate; of a sample only what is said of all calls."""
    if child.probe.use is TwinUse.VERIFY:
        return tried_of(child, reason)
    if child.probe.use is not TwinUse.SAMPLE:
        return None
    title, digest = carried(child.probe.code)
    return Tried(title, digest, obstacle=child.obstacle())


def _end(child: Child) -> tuple[TwinEnd, str]:
    """Say how a twin ended: by itself and with all said, or how else."""
    status = child.status or 0
    twin = native.twin()
    if child.left:
        return TwinEnd.DONE, ""
    if failed := child.said("failed"):
        return TwinEnd.DIED, f"it failed: {failed[0]}"[:_MESSAGE_CHARS]
    if cut := child.said("cut"):
        return (
            TwinEnd.CUT_OFF,
            f"its life of {child.probe.life_s:g} s was nearly over: {cut[0]}"[:_MESSAGE_CHARS],
        )
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
    return agreeing.compare(live, rerun.outcome, rerun.marks, rerun.cut, child.refused())


def _said(one: dict[str, Any]) -> Said:
    return Said(**{**one, "refused": [Refusal(**refused) for refused in one["refused"]]})


def _plain(view: TwinView) -> dict[str, Any]:
    from leadline.wire.struct import asdict

    plain: dict[str, Any] = asdict(view)
    return plain


def _parsed(plain: dict[str, Any]) -> TwinView:
    plain["agreement"] = _agreed(plain["agreement"])
    if plain["tried"] is not None:
        plain["tried"] = _tried(plain["tried"])
    plain["said"] = [_said(one) for one in plain["said"]]
    plain["refused"] = [Refusal(**one) for one in plain["refused"]]
    plain |= {"use": TwinUse(plain["use"]), "policy": TwinPolicy(plain["policy"])}
    return TwinView(**{**plain, "end": TwinEnd(plain["end"])})


def _agreed(plain: dict[str, Any] | None) -> Agreement | None:
    if plain is None:
        return None
    differences = [Difference(**one) for one in plain["differences"]]
    return Agreement(**{**plain, "differences": differences})


def _tried(plain: dict[str, Any]) -> Tried:
    runs = [
        Ran(
            **{
                **one,
                "refused": [Refusal(**refused) for refused in one["refused"]],
                "inside": [Inside(**inside) for inside in one["inside"]],
            }
        )
        for one in plain["runs"]
    ]
    controls = [_agreed(one) for one in plain["controls"]]
    candidate = _agreed(plain["candidate"])
    return Tried(**{**plain, "runs": runs, "controls": controls, "candidate": candidate})


def farewell(child: Child) -> str:
    """Return why a shell is over, for whoever sits at it."""
    end, reason = _end(child)
    return reason if end is not TwinEnd.DONE else "the call that was hit has come to its end"


def _message(view: TwinView) -> str:
    """Say in one line what came of it."""
    parts = [
        f"{said.code} -> {said.raised or render(said.value, quoted=True)}"
        for said in view.said
        if said.returned or said.raised
    ]
    if view.agreement is not None:
        parts.append(_verdict(view.agreement))
    if view.tried is not None:
        parts += _of_candidate(view.tried)
    if view.end is not TwinEnd.DONE:
        parts.append(f"{view.end.replace('_', ' ')}: {view.reason}")
    return outlet.message("; ".join(parts)[:_MESSAGE_CHARS])


def _of_candidate(tried: Tried) -> list[str]:
    if tried.number:
        return [f"captured call {tried.number}: {tried.obstacle or 'run'}"]
    if not tried.controls:
        return [f"candidate: not put in: {tried.obstacle}"] if tried.obstacle else []
    controls = [_verdict(one) for one in tried.controls]
    both = "control: " + ", ".join(dict.fromkeys(controls))
    if tried.candidate is None:
        return [both, f"candidate: not put in: {tried.obstacle}"]
    return [both, f"candidate: {_verdict(tried.candidate, 'same as the control')}"]


def _verdict(agreement: Agreement, same: str = "agrees") -> str:
    match agreement.agrees:
        case True:
            return same
        case False:
            where = agreement.differences[0].where if agreement.differences else "outcome"
            return f"differs at {where}" + (
                f" ({agreement.reason})" if agreement.reason else ""
            )
        case _:
            return f"unknown: {agreement.reason}"
