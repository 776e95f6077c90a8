"""The processes that carry the agent: coming, going, and what there is of them."""

from collections import Counter

from leadline.control.context import Context
from leadline.control.feed import Feed
from leadline.control.reach import meant
from leadline.control.report import check_instance
from leadline.control.shells import lose_twins
from leadline.control.status import overall
from leadline.control.views import InstanceView, Losses, Overview, ServiceView
from leadline.store.records import EVERY_SERVICE, InstanceRecord, Phase
from leadline.wire.errors import UsageError
from leadline.wire.hit import InstanceInfo, ProbeState
from leadline.wire.probe import Status


def connect(context: Context, service: str, info: InstanceInfo) -> Feed:
    """Note a process of `service` and return what it is told: the set, then every change.

    A second connection of the same process takes the place of the first, which ends. Give the
    feed back to `leave`. Raises `RefusedError` (slug `wrong-service`).
    """
    check_instance(service, info)
    now = context.clock()
    context.store.save_instance(info, now)
    return context.desired.connect(info, now, context.clock)


def leave(context: Context, feed: Feed) -> None:
    """Note that a connection ended; does not wait."""
    if context.desired.leave(feed):
        context.store.instance_gone(feed.instance, context.clock())
        context.pulse.left(feed.instance)
        lose_twins(context, feed.instance)


def overview(context: Context) -> Overview:
    """Return every service that has a process or a probe, with what the server lost."""
    connected = context.desired.connected()
    statuses = context.store.statuses()
    services: dict[str, list[InstanceRecord]] = {}
    for record in context.store.instances():
        services.setdefault(record.info.service, []).append(record)
    for switch in context.desired.switches():
        if switch.service:
            services.setdefault(switch.service, [])
    probes = context.store.probes(None, (Phase.ACTIVE, Phase.EXPIRED))
    here = Counter(feed.service for feed in connected.values())
    counts: dict[str, Counter[Status]] = {}
    for placed in probes:
        services.setdefault(placed.service, [])
        ids = {feed.instance for feed in meant(placed, connected.values())}
        heard = statuses.get(placed.probe.id, {})
        kinds = {status for instance, status in heard.items() if instance in ids}
        said = [ProbeState(placed.probe.id, status) for status in kinds]  # no reason is shown
        status, _ = overall(placed, len(ids), said, context.desired.off(placed.service))
        counts.setdefault(placed.service, Counter())[status] += 1
    active = [p.probe.id for p in probes if p.phase is Phase.ACTIVE]
    armed = Counter(
        instance
        for probe in active
        for instance, status in statuses.get(probe, {}).items()
        if status is Status.ARMED
    )
    return Overview(
        services=[
            ServiceView(
                service=service,
                connected=len(connected) if service == EVERY_SERVICE else here[service],
                off=context.desired.off(service),
                probes=dict(counts.get(service, {})),
                hits=sum(record.hits for record in records),
                instances=[
                    _view(record, connected.get(record.info.id), armed[record.info.id])
                    for record in records
                ],
            )
            for service, records in sorted(services.items())
        ],
        losses=Losses(
            trimmed=context.store.trimmed(),
            not_stored=dict(context.not_stored),
            watchers=context.watchers.lost,
            exporter=context.exporter.view().dropped if context.exporter else {},
        ),
    )


def show_instance(context: Context, instance: str) -> InstanceView:
    """Return one process by its id, also one that is gone. Raises slug `no-such-instance`."""
    record = context.store.instance(instance)
    if record is None:
        raise UsageError(
            "no-such-instance",
            f"There is no instance {instance[:100]!a}.",
            "`leadline status --json` shows the ids of the instances.",
        )
    feed = context.desired.connected().get(instance)
    statuses = context.store.statuses(instance).values()
    armed = sum(said[instance] is Status.ARMED for said in statuses)
    return _view(record, feed, armed)


def _view(record: InstanceRecord, feed: Feed | None, armed: int) -> InstanceView:
    return InstanceView(
        info=record.info,
        connected=feed is not None,
        connected_at=feed.since if feed else None,
        first_seen=record.first_seen,
        last_seen=record.last_seen,
        gone_at=None if feed else record.gone_at,
        armed=armed if feed else 0,
        hits=record.hits,
        strays=record.strays,
        dropped=record.dropped,
        faults=record.faults,
    )
