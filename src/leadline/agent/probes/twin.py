"""The twin probe: at the hit a sealed copy of the process is made, and asked."""

from leadline.agent.core.passage import Passage, Visit
from leadline.agent.probes.compiled import Compiled, ready
from leadline.agent.twin import telling
from leadline.agent.twin.nursery import Nursery
from leadline.agent.twin.order import check_order
from leadline.agent.twin.outcome import live_outcome, names_of
from leadline.wire import sample
from leadline.wire.errors import UnavailableError
from leadline.wire.limits import MAX_HITS, MAX_RATE_PER_S
from leadline.wire.probe import TwinProbe
from leadline.wire.struct import replace
from leadline.wire.twin import REPEATS, TRIES, TwinPolicy, TwinUse, carried

_ALWAYS = 2**62
"""Of a limit that does not apply."""


def compile_twin(probe: TwinProbe, nursery: Nursery, service: str, instance: str) -> Compiled:
    """Raises `LeadlineError` where this order is not for this process, or not signed. The code
    is compiled in the twin only: to do it here would tell the audit hooks."""
    check_order(nursery.terms, probe, service, instance)
    if probe.use in TRIES:
        carried(probe.code)
        if probe.use is TwinUse.SAMPLE:
            sample.names(probe.code)
            one = replace(probe.limits, hits=1)  # twin, of which there are many answers
            probe = replace(probe, limits=one)
        _check_policy(nursery)

    def take(visit: Visit) -> None:
        nursery.make(probe, compiled.passage, visit)

    compiled = ready(probe, frozenset(), take, read=telling.reading, apart=True)
    if probe.use in REPEATS:
        return replace(compiled, witness=_witness(probe, nursery))
    return compiled


def _check_policy(nursery: Nursery) -> None:
    if nursery.policy is TwinPolicy.STRICT:
        raise UnavailableError(
            "twins-unavailable",
            "No candidate can be tried here: twins of this process may open no file, and what "
            "puts a candidate in is read then.",
            "Start the service with LEADLINE_TWIN=readonly or threads.",
        )


def _witness(probe: TwinProbe, nursery: Nursery) -> Passage:
    """Return what sees the live calls end: each is compared with its rerun."""

    def take(visit: Visit) -> None:
        if nursery.awaits_outcomes:
            nursery.outcome(
                object.__hash__(visit.frame), lambda: live_outcome(visit, names_of(visit))
            )

    return Passage(
        probe=probe.id,
        holds=None,
        take=take,
        hits_left=_ALWAYS,
        tokens=float(MAX_HITS),
        burst=MAX_RATE_PER_S,
        apart=True,
    )
