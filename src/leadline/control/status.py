"""One status for a probe, from what many instances say about it."""

from leadline.store.records import Phase, PlacedProbe, Step, Switch
from leadline.wire.hit import ProbeState
from leadline.wire.probe import Status

_TELLING = (
    Status.ARMED,
    Status.SUSPENDED,
    Status.ERROR,
    Status.MISMATCH,
    Status.PENDING,
    Status.EXPIRED,
    Status.REMOVED,
)
"""The first of these that any connected instance reports is the probe's."""


def overall(
    placed: PlacedProbe,
    connected: int,
    states: list[ProbeState],
    off: Switch | None = None,
    absent: str = "",
) -> tuple[Status, str]:
    """Return a probe's status and the reason for it, as one sentence or nothing.

    `connected` is how many instances that it is for are connected, `states` what those of
    them said that have said anything. `off` is the switch that keeps its service off, `absent`
    why nobody is connected.
    """
    match placed.phase:
        case Phase.EXPIRED:
            return Status.EXPIRED, placed.reason
        case Phase.REMOVED:
            return Status.REMOVED, placed.reason
    if off is not None:
        return (
            Status.SUSPENDED,
            f"switched off by {off.who}{': ' if off.reason else ''}{off.reason}",
        )
    if not connected:
        return Status.PENDING, absent or f"no instance of {placed.service!r} is connected"
    if placed.canary and placed.canary.step is Step.WAITING:
        return Status.PENDING, "its canary waits for an instance"
    if not states:
        return Status.PENDING, "no instance has answered yet"
    status = next(status for status in _TELLING if any(s.status is status for s in states))
    those = [state for state in states if state.status is status]
    reason = next((state.reason for state in those if state.reason), "")
    if placed.canary and placed.canary.step is Step.TRYING:
        share = f"canary in {placed.canary.instance}, one of {connected} instances"
        reason = f"{share}: {reason}" if reason else share
    elif len(those) < connected:
        share = f"in {len(those)} of {connected} instances"
        reason = f"{share}: {reason}" if reason else share
    return status, reason
