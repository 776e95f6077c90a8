"""Ordering a twin: a probe of a kind of its own, so that it travels, waits and ends as one.

The order's place in the audit log holds the whole code. What is signed goes through as it came:
the server has no key to sign with, and changes nothing of what is.
"""

import json
import math

from leadline.control.approvals import ApprovalView, ask_for
from leadline.control.context import Context
from leadline.control.reach import resolve
from leadline.control.viewing import Viewing
from leadline.control.views import ProbeView
from leadline.expression import check_expressions
from leadline.expression.predicate import compile_predicate
from leadline.store.records import Terms, Where
from leadline.trial import candidate
from leadline.trial.candidate import Candidate
from leadline.trial.code import check
from leadline.wire import sample
from leadline.wire.errors import UsageError, WireError
from leadline.wire.limits import CaptureLimits, Limits
from leadline.wire.probe import DEFAULTS, Anchor, ProbeKind, TwinProbe, default_moment
from leadline.wire.service import check_service
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.target import parse_place
from leadline.wire.twin import (
    DEFAULT_RERUNS,
    LIFE_S,
    MAX_RERUNS,
    REPEATS,
    TRIES,
    TwinUse,
    stated,
)

MAX_SHELL_S = 3_600.0
"""How long a shell may wait and last: there are few, and somebody sits at each."""


@dataclass(frozen=True, slots=True)
class TwinOrder:
    """A twin as it is asked for: what is None was not said.

    `hits` is how many twins, more than one only for what is run again; of a sample, which has
    one, how many answers. `ttl_s` is how long the order waits.
    `signature` is of `wire.twin.order_text`; with it, `instance` has to be a whole id.
    """

    use: TwinUse
    target: str
    code: tuple[str, ...] = ()
    condition: str | None = None
    life_s: float | None = None
    instance: str = ""
    hits: int | None = None
    ttl_s: float | None = None
    rate_per_s: float | None = None
    nonce: str = ""
    signature: str = ""
    signed_until: float = 0.0
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None


def order_twin(context: Context, order: TwinOrder, *, who: str, service: str) -> ProbeView:
    """Put an order into a service's set; its instances hear of it at once.

    A shell is opened for whoever ordered it: see `control.shells`. Raises `UsageError` for what
    can never work (`bad-target`, `bad-limit`, `bad-twin`, `bad-code`, `too-long` and the
    slugs of expressions), what `Store.place` does, and slug `too-many-shells`.
    """
    where, probe = _checked(context, order, service)
    if order.use is TwinUse.SHELL:
        context.shells.check_room()
    placed = context.store.place(
        service,
        probe,
        Terms(where, anchored=order.anchor is not None),
        who=who,
        now=context.clock(),
    )
    if order.use is TwinUse.SHELL:
        context.shells.own(placed.probe.id, who)
    return Viewing(context).view(placed, [])


def ask_approval(context: Context, order: TwinOrder, *, who: str, service: str) -> ApprovalView:
    """Have an order of a candidate wait for a person who may place it. Raises what ordering it
    would, and slug `too-many-approvals`."""
    _, probe = _checked(context, order, service)
    known = replace(order, hits=probe.limits.hits, life_s=probe.life_s)
    return ask_for(context, known, candidate_of(order), who=who, service=service)


def _checked(context: Context, order: TwinOrder, service: str) -> tuple[Where, TwinProbe]:
    """Return what an order comes to. Raises what can never work."""
    check_service(service)
    probe = _probe_of(order)
    check_expressions(probe)
    if order.use in TRIES:
        candidate_of(order)
        if order.use is TwinUse.SAMPLE:
            sample.names(order.code)
    else:
        for code in order.code:
            check(code)
    where = Where(order.instance)
    if order.instance:
        where = resolve(where, service, context.store.instances(service))
        probe = replace(probe, instance=where.instance)
    return where, probe


def candidate_of(order: TwinOrder) -> Candidate:
    """Return the candidate of an order. Raises slug `bad-twin` where its code is none, or none
    that can run at all, and those of expressions for what it states."""
    try:
        found = candidate.decode(json.loads(order.code[0]))
    except (ValueError, RecursionError, IndexError, WireError):
        raise UsageError(
            "bad-twin",
            "What is tried is one candidate: as JSON, and with the digest of its texts.",
        ) from None
    for question in filter(None, stated(order.code)):
        compile_predicate(question)
    if said := candidate.obstacles(found):
        raise UsageError("bad-twin", f"The candidate cannot run: {said[0]}.", *said[1:2])
    return found


def _probe_of(order: TwinOrder) -> TwinProbe:
    target = parse_place(order.target)
    return TwinProbe(
        id="",
        target=target,
        use=order.use,
        code=order.code,
        life_s=LIFE_S[order.use] if order.life_s is None else _positive("life", order.life_s),
        instance=order.instance,
        nonce=order.nonce,
        signature=order.signature,
        signed_until=order.signed_until,
        condition=order.condition,
        limits=_limits(order),
        capture=order.capture,
        owner=order.owner,
        note=order.note,
        anchor=order.anchor,
        moment=default_moment(ProbeKind.TWIN, target),
    )


def _limits(order: TwinOrder) -> Limits:
    default = DEFAULTS[ProbeKind.TWIN]
    most = MAX_RERUNS if order.use in REPEATS else 1
    usual = DEFAULT_RERUNS if order.use in REPEATS else 1
    if order.use is TwinUse.SAMPLE:  # an answer for each call, and one for all of them
        most = sample.MAX_CALLS + 1
        usual = len(sample.names(order.code)[0]) + 1
    hits = usual if order.hits is None else order.hits
    if not 1 <= hits <= most:
        raise UsageError(
            "bad-limit", f"Of a {order.use}, hits must be from 1 to {most:,}, not {hits}."
        )
    if order.use is TwinUse.SHELL and (order.ttl_s or 0) > MAX_SHELL_S:
        raise UsageError(
            "bad-limit", f"Of a shell, ttl must be at most {MAX_SHELL_S:,.0f} seconds."
        )
    return Limits(
        hits=hits,
        ttl_s=default.ttl_s if order.ttl_s is None else _positive("ttl", order.ttl_s),
        rate_per_s=default.rate_per_s if order.rate_per_s is None else order.rate_per_s,
    )


def _positive(name: str, seconds: float) -> float:
    if not seconds > 0 or not math.isfinite(seconds):
        raise UsageError("bad-limit", f"{name} must be more than 0 seconds.")
    return seconds
