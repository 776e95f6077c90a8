"""What a store tells its listener once it is committed: nothing is heard that is not kept."""

from leadline.store.records import PlacedProbe, StoredHit, StoredPoint, Switch
from leadline.wire.struct import dataclass, field


@dataclass(frozen=True, slots=True)
class Placed:
    """Committed: a probe was placed. `revision` grows with every change of any set."""

    probe: PlacedProbe
    revision: int


@dataclass(frozen=True, slots=True)
class Changed:
    """Committed: a probe is for other instances now, or has an anchor, from instance `by`."""

    probe: PlacedProbe
    revision: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """Committed: probes of one service left its set."""

    service: str
    probes: list[PlacedProbe]
    revision: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Committed: new hits and points, none of them seen before."""

    hits: list[StoredHit]
    points: list[StoredPoint] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Switched:
    """Committed: a service, or everything, was switched off, or on again (`switch` is None)."""

    service: str
    switch: Switch | None
    revision: int


type Event = Placed | Changed | Ended | Stored | Switched
