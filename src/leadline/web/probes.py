"""Probes: all that are placed, those that need attention first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from leadline.control.views import ProbeView
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.wire.probe import ProbeKind, Status

MAX_ROWS = 200
"""Probes in the list; the others are counted, and found by choosing."""
GRAVE = (Status.ERROR, Status.MISMATCH, Status.SUSPENDED)
"""What needs attention, the gravest first."""
_ORDER = (*GRAVE, Status.PENDING, Status.ARMED, Status.EXPIRED, Status.REMOVED)


@dataclass(frozen=True, slots=True)
class ProbeFilters:
    """Which probes: those with exactly this of what is not empty, and `text` in what is said
    of them."""

    service: str = ""
    status: str = ""
    kind: str = ""
    owner: str = ""
    text: str = ""

    def takes(self, probe: ProbeView) -> bool:
        """Return whether a probe is among them."""
        said = (
            f"{probe.id} {probe.target} {probe.template} {probe.note} {probe.set} {probe.name}"
        )
        return (
            self.service in ("", probe.service)
            and self.status in ("", probe.status)
            and self.kind in ("", probe.kind)
            and self.owner in ("", probe.owner)
            and self.text.lower() in said.lower()
        )


@dataclass(frozen=True, slots=True)
class Probes:
    """What the view shows. `counts` is over all that match, also over those not shown; `known`
    is how many probes there are at all."""

    filters: ProbeFilters
    rows: Sequence[ProbeView]
    more: int
    counts: dict[Status, int]
    known: int
    services: list[str]
    owners: list[str]
    statuses: Sequence[Status] = _ORDER[:-1]
    kinds: Sequence[ProbeKind] = tuple(ProbeKind)


def probes(known: Sequence[ProbeView], filters: ProbeFilters) -> Probes:
    """Make the view model of all active and expired probes."""
    found = [probe for probe in known if filters.takes(probe)]
    found.sort(key=lambda probe: (_ORDER.index(probe.status), -probe.placed_at))
    counts = Counter(probe.status for probe in found)
    return Probes(
        filters=filters,
        rows=found[:MAX_ROWS],
        more=len(found[MAX_ROWS:]),
        counts={status: counts[status] for status in _ORDER if counts[status]},
        known=len(known),
        services=sorted({probe.service for probe in known}),
        owners=sorted({probe.owner for probe in known if probe.owner}),
    )


def page(frame: Frame, view: Probes) -> str:
    """Return the whole page."""
    return render("probes.html", frame=frame, view=view)


def part(view: Probes) -> str:
    """Return what of it changes while one looks."""
    return render("probes_part.html", view=view)
