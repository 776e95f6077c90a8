"""Placing probes, looking at them, and taking them out again."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypedDict

from leadline.control.context import Context, say
from leadline.control.order import Order, probe_of
from leadline.control.status import overall
from leadline.control.views import ProbeView, StateView
from leadline.store.records import InstanceRecord, Phase, PlacedProbe, StateRecord
from leadline.wire.errors import LeadlineError, UnavailableError
from leadline.wire.hit import ProbeState
from leadline.wire.probe import (
    ExceptionProbe,
    Fate,
    LogProbe,
    MetricProbe,
    Probe,
    SnapshotProbe,
    Status,
    TimerProbe,
)
from leadline.wire.service import check_service


class NoSuchProbeError(LeadlineError):
    """The probe that was named is not there, or not any more."""

    def __init__(self, probe: str, *, removed: bool = False) -> None:
        what = "was removed already" if removed else "does not exist"
        super().__init__("no-such-probe", f"The probe {probe[:100]!a} {what}.")


def place(context: Context, order: Order, *, who: str, service: str) -> ProbeView:
    """Put a probe into a service's set; its instances hear of it at once.

    Raises what `probe_of` does, and `RefusedError` when the set is full (`too-many-probes`).
    """
    check_service(service)
    placed = context.store.place(service, probe_of(order), who=who, now=context.clock())
    return _Looking(context, service).view(placed, [])


def list_probes(context: Context, service: str | None = None) -> list[ProbeView]:
    """Return the active and the expired probes, oldest first."""
    found = context.store.probes(service, (Phase.ACTIVE, Phase.EXPIRED))
    states = context.store.states(service)
    looking = _Looking(context, service)
    return [looking.view(placed, states.get(placed.probe.id, [])) for placed in found]


def show_probe(context: Context, probe: str) -> ProbeView:
    """Return one probe, a removed one too. Raises `NoSuchProbeError`."""
    placed = context.store.probe(probe)
    if placed is None:
        raise NoSuchProbeError(probe)
    states = context.store.states(probe=probe).get(probe, [])
    return _Looking(context, placed.service).view(placed, states)


def remove_probe(context: Context, probe: str, *, who: str) -> list[str]:
    """Take a probe out for good and return its id. Raises `NoSuchProbeError`."""
    with _withdrawing(context, lambda placed: placed.probe.id == probe):
        removed = context.store.remove(probe, who=who, now=context.clock())
    if removed is None:
        raise NoSuchProbeError(probe, removed=context.store.probe(probe) is not None)
    return [removed.probe.id]


def remove_all(context: Context, service: str, *, who: str) -> list[str]:
    """Take all of a service's probes out, expired ones too, and return their ids."""
    check_service(service)
    with _withdrawing(context, lambda placed: placed.service == service):
        removed = context.store.remove_all(service, who=who, now=context.clock())
    return [placed.probe.id for placed in removed]


@contextmanager
def _withdrawing(context: Context, chosen: Callable[[PlacedProbe], bool]) -> Iterator[None]:
    """Take probes out of the instances also when the database cannot be written: whoever
    removes one means the running service. Until it is stored, a restart brings it back."""
    try:
        yield
    except UnavailableError as error:
        context.desired.withdraw(chosen)
        say(f"[{error.slug}] a removal reached the instances and could not be stored")
        raise


class _Own(TypedDict, total=False):
    """The members that not every kind has."""

    template: str
    expression: str
    watches: list[str]
    frames: int
    raises: list[str]
    until: str | None


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
    return {}


class _Looking:
    """What is needed to look at probes: who there is, and who of them is connected."""

    def __init__(self, context: Context, service: str | None) -> None:
        self._connected = context.desired.connected()
        self._off = context.desired.off
        self._per_service = Counter(feed.service for feed in self._connected.values())
        self._instances: dict[str, InstanceRecord] = {
            record.info.id: record for record in context.store.instances(service)
        }

    def view(self, placed: PlacedProbe, records: list[StateRecord]) -> ProbeView:
        probe = placed.probe
        status, reason = overall(
            placed,
            self._per_service[placed.service],
            [record.state for record in records if record.instance in self._connected],
            self._off(placed.service),
        )
        if placed.phase is Phase.ACTIVE:
            records = [*records, *self._silent(placed, records)]
        fates: Counter[Fate] = Counter()
        for record in records:
            fates.update(record.state.fates)
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
            placed_at=placed.placed_at,
            expires_at=placed.expires_at,
            ended_at=placed.ended_at,
            status=status,
            reason=reason,
            hits=placed.hits,
            beyond_limit=placed.beyond_limit,
            fates=dict(fates),
            cost_ns=sum(record.state.cost_ns for record in records),
            instances=[self._state(record) for record in records],
        )

    def _silent(self, placed: PlacedProbe, records: list[StateRecord]) -> Iterator[StateRecord]:
        """Stand in for the connected instances that have not said anything yet."""
        heard = {record.instance for record in records}
        state = ProbeState(placed.probe.id, Status.PENDING, "it has not answered yet")
        for feed in self._connected.values():
            if feed.service == placed.service and feed.instance not in heard:
                yield StateRecord(feed.instance, 0.0, state)

    def _state(self, record: StateRecord) -> StateView:
        known, state = self._instances.get(record.instance), record.state
        return StateView(
            instance=record.instance,
            connected=record.instance in self._connected,
            pid=known.info.pid if known else 0,
            host=known.info.host if known else "",
            program=known.info.program if known else "",
            reported_at=record.reported_at,
            status=state.status,
            reason=state.reason,
            file=state.file,
            line=state.line,
            source=state.source,
            function=state.function,
            fates=state.fates,
            unknown=state.unknown,
            cost_ns=state.cost_ns,
        )
