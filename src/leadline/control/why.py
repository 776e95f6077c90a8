"""Why a probe shows nothing in an instance, or what it does there, in one sentence."""

from leadline.wire.hit import ProbeState
from leadline.wire.probe import AGGREGATED, Fate, Probe, ProbeKind, Status
from leadline.wire.target import Target
from leadline.wire.twin_words import obstacle_words

_ORDER = (
    (Fate.CAPTURED, "captured"),
    (Fate.CONDITION_FALSE, "condition false"),
    (Fate.CONDITION_UNKNOWN, "condition unknown"),
    (Fate.RATE_LIMITED, "over its rate"),
    (Fate.OVER_BUDGET, "over the budget"),
    (Fate.DROPPED, "dropped"),
)

_OF_TWINS = {
    Fate.CAPTURED: "a twin was made",
    Fate.CONDITION_UNKNOWN: "no twin was made",
}
"""The same of an order for twins: what keeps one from being made is told as an unknown."""


_OF_CALLS = {Fate.RATE_LIMITED: "not chosen"}
"""The same of a capture: of calls that are alike only some are kept."""


def why(probe: Probe, state: ProbeState, ended: str = "", *, gone: bool = False) -> str:
    """Return the sentence. `ended` is why the server took the probe out, if it did; `gone` is
    whether the instance is not connected any more."""
    if ended:
        return f"{ended}; until then {_passages(probe, state)}" if state.fates else ended
    if gone:
        return f"this instance is gone; its last word: {why(probe, state)}"
    reason = state.reason
    match state.status:
        case Status.ARMED:
            said = f"armed; {_passages(probe, state)}"
        case Status.SUSPENDED:
            said = f"suspended: {reason}; {_passages(probe, state)}"
        case Status.MISMATCH if state.expected:
            place = f"{state.file}:{state.line}" if state.file else str(probe.target)
            said = (
                f"this instance runs another version: at {place} is {state.source!r}, and "
                f"{state.expected!r} was expected"
            )
        case Status.MISMATCH:
            said = f"this instance runs another version: {reason}"
        case Status.EXPIRED:
            said = f"expired: {reason or 'its time to live is over'}"
        case Status.ERROR:
            said = f"it cannot be armed here: {reason}"
        case Status.REMOVED:
            said = "removed"
        case Status.PENDING:
            said = f"waiting: {reason or 'it has not answered yet'}"
    return said


def _passages(probe: Probe, state: ProbeState) -> str:
    """What became of whatever passed, or that nothing did."""
    parts = []
    for fate, words in _ORDER if state.fates else ():
        if count := state.fates.get(fate, 0):
            parts.append(f"{_said(probe, fate, words)} {_times(count)}")
            if fate is Fate.CONDITION_UNKNOWN and state.unknown:
                parts[-1] += f": {obstacle_words([state.unknown])}"
    if parts:
        return ", ".join(parts)
    entered = _times(state.entered)
    match probe:
        case _ if probe.kind is ProbeKind.EXCEPTION:
            return "no such exception was seen"
        case _ if isinstance(probe.target, Target):
            if state.entered:
                return f"its line was reached 0 times, its function was entered {entered}"
            return "its line was reached 0 times"
    if state.entered:
        return f"its function was entered {entered} and was not seen to end"
    return "its function was not called"


def _said(probe: Probe, fate: Fate, words: str) -> str:
    if probe.kind is ProbeKind.TWIN:
        return _OF_TWINS.get(fate, words)
    if probe.kind is ProbeKind.CAPTURE:
        return _OF_CALLS.get(fate, words)
    return "counted" if fate is Fate.CAPTURED and probe.kind in AGGREGATED else words


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
