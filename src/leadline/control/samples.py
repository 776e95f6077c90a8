"""Captured calls for the twin that is to try a candidate on them: those that its order names.

The order was signed, or approved, with the digest of each call's arguments: nothing else is
handed out for it, and to no service but its own.
"""

from typing import Any

from leadline.control.context import Context
from leadline.control.hits import show_hit
from leadline.control.probes import NoSuchProbeError
from leadline.store.records import Phase
from leadline.wire.errors import LeadlineError
from leadline.wire.probe import TwinProbe
from leadline.wire.sample import PIECE_BYTES, Named, SampledCall, Wanted, call_digest, names
from leadline.wire.twin import TwinUse

MAX_PIECE = 100
"""Calls that are handed out at once."""


def calls_wanted(context: Context, service: str, wanted: Wanted) -> list[SampledCall]:
    """Return calls from `wanted.number` on, as many as go at once; none where that was the
    last one. Raises slug `no-such-probe` where nobody of the service has ordered them."""
    placed = context.store.probe(wanted.probe)
    if (
        placed is None
        or placed.service != service
        or placed.phase is Phase.REMOVED
        or not isinstance(placed.probe, TwinProbe)
        or placed.probe.use is not TwinUse.SAMPLE
    ):
        raise NoSuchProbeError(wanted.probe)
    named, _ = names(placed.probe.code)
    found: list[SampledCall] = []
    room = PIECE_BYTES
    first = max(1, wanted.number)
    for number, one in enumerate(named[first - 1 :][:MAX_PIECE], first):
        call, size = _call(context, service, number, one)
        if found and size > room:
            break
        room -= size
        found.append(call)
    return found


def _call(context: Context, service: str, number: int, named: Named) -> tuple[SampledCall, int]:
    """Return a call with what it takes, as JSON about; without its arguments, where the hit
    has gone or is another one."""
    try:
        hit = show_hit(context, named.hit)
    except LeadlineError:
        return SampledCall(number), 0
    call: Any = hit.call if hit.service == service else None  # as it is stored: plain data
    document = call["kept"] if call else None
    turns = (call.get("turns") or []) if call else []
    if document is None or call_digest(document, turns) != named.digest:
        return SampledCall(number), 0
    return SampledCall(number, document, turns), int(call["size"])
