"""Showing probes: how each does over all, and in each instance that it is for."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TypedDict

from leadline.control.context import Context
from leadline.control.feed import Feed
from leadline.control.reach import absent, meant
from leadline.control.status import overall
from leadline.control.summary import summarise
from leadline.control.views import ProbeView, StateView, Summary
from leadline.control.why import why
from leadline.store.records import InstanceRecord, Phase, PlacedProbe, StateRecord, Total
from leadline.wire.hit import ProbeState
from leadline.wire.probe import (
    AGGREGATED,
    CaptureProbe,
    ExceptionProbe,
    Fate,
    LogProbe,
    MetricProbe,
    Probe,
    SnapshotProbe,
    Status,
    TimerProbe,
    TwinProbe,
)
from leadline.wire.twin import TRIES, TwinUse, carried


class _Own(TypedDict, total=False):
    """The members that not every kind has."""

    template: str
    expression: str
    watches: list[str]
    frames: int
    raises: list[str]
    until: str | None
    fails: str | None
    use: TwinUse | None
    code: list[str]
    life_s: float
    signed: bool


def _own(probe: Probe) -> _Own:
    match probe:
        case LogProbe():
            return {"template": probe.template}
        case MetricProbe():
            return {"expression": probe.expression}
        case TimerProbe():
            return {"until": str(probe.until) if probe.until else None}
        case SnapshotProbe():
            return {"watches": list(probe.watches), "frames": probe.frames}
        case ExceptionProbe():
            return {
                "watches": list(probe.watches),
                "frames": probe.frames,
                "raises": list(probe.raises),
            }
        case CaptureProbe():
            return {"fails": probe.fails}
        case TwinProbe():
            return {
                "use": probe.use,
                "code": _code(probe),
                "life_s": probe.life_s,
                "signed": bool(probe.signature),
            }
    return {}


def _code(probe: TwinProbe) -> list[str]:
    """Return the code as it is listed: of a candidate the name, since it may be large. All of
    it is in the audit log."""
    if probe.use not in TRIES:
        return list(probe.code)
    return ["candidate {}, digest {}".format(*_carried(probe.code))]


_carried = lru_cache(maxsize=32)(carried)
"""The largest takes ten milliseconds to read, and is listed each time that a page is."""


class Viewing:
    """What is needed to look at probes: who there is, and who of them is connected."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._connected = context.desired.connected()
        self._instances: dict[str, InstanceRecord | None] = {}

    def view(self, placed: PlacedProbe, records: list[StateRecord]) -> ProbeView:
        """Return a probe, with the states that instances reported."""
        probe = placed.probe
        feeds = meant(placed, self._connected.values())
        here = {feed.instance for feed in feeds}
        status, reason = overall(
            placed,
            len(here),
            [record.state for record in records if record.instance in here],
            self._context.desired.off(placed.service),
            "" if here else absent(placed, self._connected.values(), self._instance),
        )
        if placed.phase is Phase.ACTIVE:
            records = [*records, *_silent(placed, records, feeds)]
        fates: dict[Fate, int] = {}
        for record in records:
            for fate, count in record.state.fates.items():
                fates[fate] = fates.get(fate, 0) + count
        return ProbeView(
            id=probe.id,
            service=placed.service,
            kind=probe.kind,
            target=str(probe.target),
            **_own(probe),
            moment=probe.moment,
            condition=probe.condition,
            limits=probe.limits,
            capture=probe.capture,
            owner=probe.owner,
            note=probe.note,
            anchor=probe.anchor,
            anchored=placed.terms.anchored,
            placed_at=placed.placed_at,
            expires_at=placed.expires_at,
            ended_at=placed.ended_at,
            status=status,
            reason=reason,
            hits=placed.hits,
            beyond_limit=placed.beyond_limit,
            where=placed.terms.where,
            canary=placed.canary,
            set=placed.terms.set,
            name=placed.terms.name,
            total=self._total(placed),
            fates=fates,
            cost_ns=sum(record.state.cost_ns for record in records),
            instances=[self._state(placed, record) for record in records],
        )

    def _instance(self, name: str) -> InstanceRecord | None:
        if name not in self._instances:
            self._instances[name] = self._context.store.instance(name)
        return self._instances[name]

    def _total(self, placed: PlacedProbe) -> Summary | None:
        if placed.probe.kind not in AGGREGATED:
            return None
        total = self._context.store.total(placed.probe.id) or Total()
        return summarise(placed.probe.kind, [total], total.until - total.since)

    def _state(self, placed: PlacedProbe, record: StateRecord) -> StateView:
        known, state = self._instance(record.instance), record.state
        # an instance says of every probe that it was told to take out that it is removed
        over = placed.phase is Phase.EXPIRED and state.status is Status.REMOVED
        ended = "" if placed.phase is Phase.ACTIVE else f"{placed.phase}: {placed.reason}"
        return StateView(
            instance=record.instance,
            connected=record.instance in self._connected,
            pid=known.info.pid if known else 0,
            host=known.info.host if known else "",
            program=known.info.program if known else "",
            reported_at=record.reported_at,
            status=Status.EXPIRED if over else state.status,
            reason=placed.reason if over else state.reason,
            file=state.file,
            line=state.line,
            source=state.source,
            function=state.function,
            fates=state.fates,
            unknown=state.unknown,
            cost_ns=state.cost_ns,
            anchor=state.anchor,
            expected=state.expected,
            entered=state.entered,
            why=why(placed.probe, state, ended, gone=record.instance not in self._connected),
        )


def _silent(
    placed: PlacedProbe, records: list[StateRecord], feeds: list[Feed]
) -> Iterator[StateRecord]:
    """Stand in for the connected instances that have not said anything yet."""
    heard = {record.instance for record in records}
    state = ProbeState(placed.probe.id, Status.PENDING, "it has not answered yet")
    for feed in feeds:
        if feed.instance not in heard and placed.is_for(feed.info):
            yield StateRecord(feed.instance, 0.0, state)
