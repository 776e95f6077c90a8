"""What somebody asks a probe to be, and the probe that it makes, its defaults filled in."""

import math
from typing import TypedDict

from leadline.control.context import Context
from leadline.control.reach import resolve
from leadline.expression import check_expressions
from leadline.store.records import EVERY_SERVICE, Terms, Where
from leadline.wire.errors import UsageError, WireError
from leadline.wire.limits import DEFAULT_FRAMES, CaptureLimits, Limits
from leadline.wire.probe import (
    DEFAULTS,
    Anchor,
    CaptureProbe,
    CounterProbe,
    ExceptionProbe,
    LogProbe,
    MetricProbe,
    Moment,
    Probe,
    ProbeKind,
    SnapshotProbe,
    TimerProbe,
    default_moment,
)
from leadline.wire.struct import dataclass, field
from leadline.wire.target import Place, Target, parse_place

MAX_CANARY_S = 3_600.0
"""Longer than that, and most probes are over before their canary is."""

_OWN: dict[str, tuple[ProbeKind, ...]] = {
    "template": (ProbeKind.LOG,),
    "expression": (ProbeKind.METRIC,),
    "watches": (ProbeKind.SNAPSHOT, ProbeKind.EXCEPTION),
    "frames": (ProbeKind.SNAPSHOT, ProbeKind.EXCEPTION),
    "raises": (ProbeKind.EXCEPTION,),
    "until": (ProbeKind.TIMER,),
    "fails": (ProbeKind.CAPTURE,),
}
"""Members that not every kind has."""


@dataclass(frozen=True, slots=True)
class AskedLimits:
    """See `wire.Limits`; what is None is the default of the probe's kind."""

    hits: int | None = None
    ttl_s: float | None = None
    rate_per_s: float | None = None
    cost_percent: float | None = None

    def read(self, kind: ProbeKind) -> Limits:
        """Return them whole. Raises slug `bad-limit`."""
        default = DEFAULTS[kind]
        ttl_s = default.ttl_s if self.ttl_s is None else self.ttl_s
        if not ttl_s > 0 or not math.isfinite(ttl_s):
            raise UsageError("bad-limit", "ttl must be more than 0 seconds.")
        return Limits(
            hits=default.hits if self.hits is None else self.hits,
            ttl_s=ttl_s,
            rate_per_s=default.rate_per_s if self.rate_per_s is None else self.rate_per_s,
            cost_percent=(
                default.cost_percent if self.cost_percent is None else self.cost_percent
            ),
        )


@dataclass(frozen=True, slots=True)
class Order:
    """A probe as it is asked for: what is None was not said.

    `target` is `FILE:LINE`, `MODULE:FUNCTION` or `*`; `until` is `FILE:LINE`, or a line of the
    target's file. `instance` (an id or its beginning) and `tags` say which instances it is for.
    """

    kind: ProbeKind
    target: str
    moment: Moment | None = None
    template: str | None = None
    expression: str | None = None
    watches: tuple[str, ...] | None = None
    frames: int | None = None
    raises: tuple[str, ...] | None = None
    until: str | None = None
    fails: str | None = None
    condition: str | None = None
    limits: AskedLimits = field(default_factory=AskedLimits)
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None
    instance: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    canary_s: float | None = None


def terms_of(context: Context, order: Order, service: str) -> Terms:
    """Return what an order says beside the probe.

    Raises slugs `no-such-instance`, `ambiguous-instance`, `bad-message`, `bad-limit`.
    """
    if order.canary_s is not None and not 0 < order.canary_s <= MAX_CANARY_S:
        raise UsageError(
            "bad-limit", f"A canary lasts more than 0 and at most {MAX_CANARY_S:g} seconds."
        )
    where = Where(order.instance, order.tags)
    if where.instance or where.tags:
        known = context.store.instances(None if service == EVERY_SERVICE else service)
        where = resolve(where, service, known)
    return Terms(where, order.canary_s, anchored=order.anchor is not None)


def probe_of(order: Order) -> Probe:
    """Return the probe, still without an id.

    Raises `UsageError` for what can never work (`bad-target`, `bad-moment`, `bad-limit`,
    `too-long`, and the slugs of expressions) and `WireError` for a member that the kind lacks.
    """
    _check_members(order)
    target = parse_place(order.target)
    probe = _made(order, target)
    check_expressions(probe)
    return probe


def _check_members(order: Order) -> None:
    for name, kinds in _OWN.items():
        if getattr(order, name) is not None and order.kind not in kinds:
            owners = " and ".join(f"{kind} probes" for kind in kinds)
            raise WireError(f"A {order.kind} probe has no `{name}`; only {owners} have it.")
    needed = {ProbeKind.LOG: "template", ProbeKind.METRIC: "expression"}.get(order.kind)
    if needed is not None and getattr(order, needed) is None:
        raise WireError(f"A {order.kind} probe needs `{needed}`.")


class _Common(TypedDict):
    """The members that every kind has."""

    id: str
    target: Place
    condition: str | None
    limits: Limits
    capture: CaptureLimits
    owner: str
    note: str
    anchor: Anchor | None
    moment: Moment


def _made(order: Order, target: Place) -> Probe:
    common = _Common(
        id="",
        target=target,
        condition=order.condition,
        limits=order.limits.read(order.kind),
        capture=order.capture,
        owner=order.owner,
        note=order.note,
        anchor=order.anchor,
        moment=order.moment or default_moment(order.kind, target),
    )
    match order.kind:
        case ProbeKind.LOG:
            return LogProbe(template=order.template or "", **common)
        case ProbeKind.COUNTER:
            return CounterProbe(**common)
        case ProbeKind.METRIC:
            return MetricProbe(expression=order.expression or "", **common)
        case ProbeKind.TIMER:
            return TimerProbe(until=_until(order.until, target), **common)
        case ProbeKind.SNAPSHOT:
            return SnapshotProbe(
                watches=order.watches or (),
                frames=DEFAULT_FRAMES if order.frames is None else order.frames,
                **common,
            )
        case ProbeKind.EXCEPTION:
            return ExceptionProbe(
                raises=order.raises or (),
                watches=order.watches or (),
                frames=DEFAULT_FRAMES if order.frames is None else order.frames,
                **common,
            )
        case ProbeKind.CAPTURE:
            return CaptureProbe(fails=order.fails, **common)
        case ProbeKind.TWIN:
            raise UsageError(
                "bad-twin",
                "A twin is not placed like a probe: it needs a right of its own.",
                "Use: leadline ask, leadline shell or leadline rerun.",
            )


def _until(text: str | None, target: Place) -> Target | None:
    if text is None:
        return None
    if isinstance(target, Target) and text.isascii() and text.isdigit() and len(text) <= 8:
        return Target(target.file, int(text))
    return Target.parse(text)
