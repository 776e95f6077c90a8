"""Services: every process that carries the agent, how it does, and what to look at first."""

from collections.abc import Callable
from enum import StrEnum

from leadline.control.attention import Attention
from leadline.control.pulse import Beat
from leadline.control.views import InstanceView, Losses, Overview, ServiceView
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.wire.struct import dataclass

MAX_GONE = 20
"""Processes that are gone and still shown, the last ones; the others are counted."""


class Health(StrEnum):
    """How a process does, in one word."""

    WELL = "well"
    DROPPING = "dropping"
    FAULTS = "faults"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Row:
    """One process of a service. `limits` says what its agent cannot do, by ability."""

    instance: InstanceView
    beat: Beat
    health: Health
    why: str
    tags: str
    limits: dict[str, str]


@dataclass(frozen=True, slots=True)
class Block:
    """One service: its processes, those that are gone apart from the others."""

    service: ServiceView
    rows: list[Row]
    gone: list[Row]
    gone_more: int
    recent: list[int]
    hits_per_s: float
    probes: str


@dataclass(frozen=True, slots=True)
class Services:
    """What the view shows. `only` is the service that was asked for, or empty."""

    blocks: list[Block]
    attention: Attention
    losses: Losses
    only: str


def services(
    overview: Overview, attention: Attention, beat: Callable[[str], Beat], only: str = ""
) -> Services:
    """Make the view model: of all services, or of `only` one."""
    matters = [one for one in attention.matters if not only or one.service in ("", only)]
    blocks = [
        _block(service, beat)
        for service in overview.services
        if not only or service.service == only
    ]
    more = 0 if only else attention.more
    return Services(blocks, Attention(matters, more), overview.losses, only)


def page(frame: Frame, view: Services) -> str:
    """Return the whole page."""
    return render("services.html", frame=frame, view=view)


def part(view: Services) -> str:
    """Return what of it changes while one looks."""
    return render("services_part.html", view=view)


def _block(service: ServiceView, beat: Callable[[str], Beat]) -> Block:
    rows = [_row(one, beat(one.info.id)) for one in service.instances if one.connected]
    gone = [_row(one, Beat()) for one in service.instances if not one.connected]
    gone.sort(key=lambda row: row.instance.gone_at or 0.0, reverse=True)
    return Block(
        service=service,
        rows=rows,
        gone=gone[:MAX_GONE],
        gone_more=len(gone[MAX_GONE:]),
        recent=[sum(second) for second in zip(*(row.beat.recent for row in rows), strict=True)],
        hits_per_s=sum(row.beat.hits_per_s for row in rows),
        probes=", ".join(f"{count} {status}" for status, count in service.probes.items()),
    )


def _row(one: InstanceView, beat: Beat) -> Row:
    health, why = _health(one)
    tags = ", ".join(f"{name}={value}" for name, value in sorted(one.info.tags.items()))
    # which core it is stands in a column of its own
    limits = {what: told for what, told in one.info.notes.items() if what != "native core"}
    return Row(one, beat, health, why, tags, limits)


def _health(one: InstanceView) -> tuple[Health, str]:
    if not one.connected:
        return Health.GONE, ""
    if one.faults:
        return Health.FAULTS, f"{sum(one.faults.values())} failures of the agent itself"
    if one.dropped:
        return Health.DROPPING, f"{sum(one.dropped.values())} hits lost in the process"
    return Health.WELL, ""
