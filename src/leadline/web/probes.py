"""Probes: all there are, by service, what needs attention first."""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlencode

from leadline.control.views import ProbeView
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.wire.probe import AGGREGATED, ProbeKind, Status
from leadline.wire.struct import dataclass

MAX_ROWS = 200
"""Probes in the lists together; the others are counted, and found by choosing."""
_GRAVE = (Status.ERROR, Status.MISMATCH, Status.SUSPENDED)
_LAST = (Status.EXPIRED, Status.REMOVED)
_LISTED = [*_GRAVE, Status.PENDING, Status.ARMED, Status.EXPIRED]
"""All that a probe of the list can be: one that is not so now may be in a second."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which probes are shown, as the address says it: those with exactly this, and with `text`
    in what is said of them; what is empty admits all."""

    service: str = ""
    status: str = ""
    kind: str = ""
    owner: str = ""
    text: str = ""

    @property
    def any(self) -> bool:
        """Whether anything is chosen."""
        return any(getattr(self, name) for name in self.__slots__)

    @property
    def query(self) -> str:
        """What is chosen as the end of an address."""
        named = {name: getattr(self, name) for name in self.__slots__}
        said = urlencode({name: value for name, value in named.items() if value})
        return f"?{said}" if said else ""

    def admit(self, probe: ProbeView) -> bool:
        """Whether a probe is shown."""
        pairs = (
            (self.service, probe.service),
            (self.status, probe.status),
            (self.kind, probe.kind),
            (self.owner, probe.owner),
        )
        return all(not wanted or wanted == there for wanted, there in pairs) and (
            self.text.lower() in _said(probe).lower()
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One probe. `counts` says in how many connected processes it stands how; `seen` what it
    captured or added up."""

    probe: ProbeView
    counts: list[tuple[Status, int]]
    seen: int
    grave: bool


@dataclass(frozen=True, slots=True)
class Block:
    """The probes of one service. `counts` are of those that are chosen, of which `more` are
    not in the list; `whole` is how many there are."""

    service: str
    rows: list[Row]
    more: int
    whole: int
    counts: list[tuple[Status, int]]


@dataclass(frozen=True, slots=True)
class Probes:
    """What the view shows, and what can be chosen."""

    blocks: list[Block]
    filters: Filters
    services: list[str]
    statuses: list[str]
    kinds: list[str]
    owners: list[str]
    any: bool


def probes(found: list[ProbeView], filters: Filters) -> Probes:
    """Make the view model."""
    services = _by_service(found)
    chosen = [one for one in found if filters.admit(one)]
    chosen.sort(key=lambda one: (_gravity(one.status), -one.placed_at))
    shown = {one.id for one in chosen[:MAX_ROWS]}
    return Probes(
        blocks=[
            _block(service, those, shown, len(services[service]))
            for service, those in sorted(_by_service(chosen).items())
        ],
        filters=filters,
        services=_choices(services, filters.service),
        statuses=[*_LISTED, *{filters.status} - {"", *_LISTED}],
        kinds=_choices(ProbeKind, filters.kind),
        owners=_choices((one.owner for one in found), filters.owner),
        any=bool(found),
    )


def page(frame: Frame, view: Probes) -> str:
    """Return the whole page."""
    return render("probes.html", frame=frame, view=view)


def part(view: Probes) -> str:
    """Return what of it changes while one looks."""
    return render("probes_part.html", view=view)


def _choices(there: Iterable[str], chosen: str) -> list[str]:
    return sorted({str(one) for one in (*there, chosen) if one})


def _by_service(found: Iterable[ProbeView]) -> dict[str, list[ProbeView]]:
    services: dict[str, list[ProbeView]] = {}
    for one in found:
        services.setdefault(one.service, []).append(one)
    return services


def _said(probe: ProbeView) -> str:
    return f"{probe.id} {probe.target} {probe.template} {probe.note} {probe.set} {probe.name}"


def _block(service: str, chosen: list[ProbeView], shown: set[str], whole: int) -> Block:
    rows = [_row(one) for one in chosen if one.id in shown]
    counts = Counter(one.status for one in chosen)
    return Block(service, rows, len(chosen) - len(rows), whole, _ordered(counts))


def _row(one: ProbeView) -> Row:
    counts = Counter(state.status for state in one.instances if state.connected)
    seen = one.total.count if one.kind in AGGREGATED and one.total else one.hits
    return Row(one, _ordered(counts), seen, one.status in _GRAVE)


def _ordered(counts: Counter[Status]) -> list[tuple[Status, int]]:
    return sorted(counts.items(), key=lambda pair: _gravity(pair[0]))


def _gravity(status: Status) -> int:
    if status in _GRAVE:
        return _GRAVE.index(status)
    return len(_GRAVE) + (status in _LAST)
