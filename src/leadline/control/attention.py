"""What somebody should look at first, over all services: the gravest first, with the reason."""

from collections.abc import Iterator
from enum import StrEnum

from leadline.control.approvals import Decision
from leadline.control.context import Context
from leadline.control.viewing import Viewing
from leadline.control.views import Overview
from leadline.store.records import EVERY_SERVICE, Phase
from leadline.wire.probe import Status
from leadline.wire.struct import dataclass

MAX_SHOWN = 20
"""Probes that are looked at closely; the others of a bad day are counted."""


class Concern(StrEnum):
    """What is the matter, the gravest first."""

    OFF = "off"
    APPROVAL = "approval"
    FAULTS = "faults"
    ERROR = "error"
    MISMATCH = "mismatch"
    SUSPENDED = "suspended"
    DROPPED = "dropped"


_OF_STATUS = {
    Status.ERROR: Concern.ERROR,
    Status.MISMATCH: Concern.MISMATCH,
    Status.SUSPENDED: Concern.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to look at: of a service, and of a probe, an instance or an approval if that is
    named.

    `service` is empty for what concerns everything. `subject` is how a person knows the probe
    or the instance.
    """

    concern: Concern
    service: str
    subject: str
    reason: str
    probe: str = ""
    instance: str = ""
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """All there is to look at; `more` probes are not among them."""

    matters: list[Matter]
    more: int


def attention(context: Context, seen: Overview) -> Attention:
    """Return what needs attention in what `overview` has just answered."""
    matters = [*_off(context), *_approvals(context), *_instances(seen)]
    probes, more = _probes(context)
    order = list(Concern)
    matters = sorted([*matters, *probes], key=lambda one: order.index(one.concern))
    return Attention(matters, more)


def _off(context: Context) -> Iterator[Matter]:
    for switch in context.desired.switches():
        reason = f"switched off by {switch.who}"
        if switch.reason:
            reason += f": {switch.reason}"
        yield Matter(Concern.OFF, switch.service, "kill switch", reason)


def _approvals(context: Context) -> Iterator[Matter]:
    for one in context.approvals.all(context.clock()):
        if one.decision is Decision.WAITING:
            reason = f"{one.who} asks to try it on calls of {one.target}"
            yield Matter(
                Concern.APPROVAL, one.service, one.title or one.id, reason, approval=one.id
            )


def _instances(seen: Overview) -> Iterator[Matter]:
    for service in seen.services:
        for one in service.instances:
            if not one.connected:
                continue
            subject = f"{one.info.program}/{one.info.pid}"
            if one.faults:
                count, places = sum(one.faults.values()), ", ".join(sorted(one.faults))
                reason = f"{count} failures of the agent itself: {places}"
                yield Matter(
                    Concern.FAULTS, service.service, subject, reason, instance=one.info.id
                )
            if one.dropped:
                told = ", ".join(f"{count} {why}" for why, count in sorted(one.dropped.items()))
                reason = f"hits lost in the process since it started: {told}"
                yield Matter(
                    Concern.DROPPED, service.service, subject, reason, instance=one.info.id
                )


def _probes(context: Context) -> tuple[list[Matter], int]:
    """Look closely only at probes that an instance says something grave of."""
    connected = context.desired.connected()
    grave = {
        probe
        for probe, said in context.store.statuses().items()
        if any(
            status in _OF_STATUS for instance, status in said.items() if instance in connected
        )
    }
    active = context.store.probes(None, (Phase.ACTIVE,)) if grave else []
    chosen = [
        placed
        for placed in active
        if placed.probe.id in grave and not context.desired.off(placed.service)
    ]
    viewing = Viewing(context)
    matters = []
    for placed in chosen[-MAX_SHOWN:]:
        name = placed.probe.id
        view = viewing.view(placed, context.store.states(probe=name).get(name, []))
        states = [one for one in view.instances if one.connected and one.status in _OF_STATUS]
        if not states:
            continue
        status = next(kind for kind in _OF_STATUS if any(one.status is kind for one in states))
        those = [one for one in states if one.status is status]
        share = f" (in {len(those)} instances)" if len(those) > 1 else ""
        subject = f"{view.id} {view.kind} {view.target}"
        service = "" if view.service == EVERY_SERVICE else view.service
        reason = (those[0].reason or those[0].why) + share
        matters.append(Matter(_OF_STATUS[status], service, subject, reason, view.id))
    return matters, max(0, len(chosen) - MAX_SHOWN)
