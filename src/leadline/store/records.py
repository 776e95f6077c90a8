"""What a store gives back: the things of the wire, and what the server knows beside them."""

from dataclasses import dataclass
from enum import StrEnum

from leadline.wire.hit import InstanceInfo, ProbeState
from leadline.wire.probe import Probe


class Phase(StrEnum):
    """The life of a probe on the server; where it stands in a process is its `Status`."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class PlacedProbe:
    """A probe, whose it is and how far it has come.

    `probe.limits.ttl_s` is what was asked for, in seconds; `expires_at` is when it is over, in
    seconds since 1970. `hits` counts those stored over all instances, trimmed ones included;
    `beyond_limit` counts those that came after the last one allowed and were not stored.
    """

    probe: Probe
    service: str
    phase: Phase
    reason: str
    placed_at: float
    expires_at: float
    ended_at: float | None
    hits: int
    beyond_limit: int


@dataclass(frozen=True, slots=True)
class StoredHit:
    """A hit with its number in this store; `body` is `wire.Hit` as ASCII JSON text.

    It stays text because captured text may hold lone surrogates, which neither SQLite nor
    UTF-8 can carry, and because nobody between the agent and the reader needs to look inside.
    """

    id: int
    service: str
    probe: str
    received_at: float
    body: str

    def json(self) -> str:
        """Return the hit as people get it: one JSON object on one line."""
        head = f'{{"id":{self.id},"service":"{self.service}","received_at":{self.received_at!r}'
        return f"{head},{self.body[1:]}"


@dataclass(frozen=True, slots=True)
class HitFilter:
    """Which hits: of a service, of a probe, after the one with the number `after`."""

    service: str | None = None
    probe: str | None = None
    after: int | None = None

    def matches(self, hit: StoredHit) -> bool:
        """Return whether a hit that was just stored is asked for."""
        return self.service in (None, hit.service) and self.probe in (None, hit.probe)


@dataclass(frozen=True, slots=True)
class HitPage:
    """Some hits, oldest first, and whether more matched than are here."""

    hits: list[StoredHit]
    more: bool


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """What is known of one process. `strays` counts its hits and states for unknown probes."""

    info: InstanceInfo
    first_seen: float
    last_seen: float
    gone_at: float | None
    hits: int
    strays: int
    dropped: dict[str, int]
    faults: dict[str, int]


@dataclass(frozen=True, slots=True)
class StateRecord:
    """The last word of one instance about one probe."""

    instance: str
    reported_at: float
    state: ProbeState


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, and when. `detail` is JSON text."""

    id: int
    at: float
    who: str
    action: str
    service: str
    probe: str
    detail: str


@dataclass(frozen=True, slots=True)
class Switch:
    """A kill switch that is off: of a service, or of everything when `service` is empty."""

    service: str
    reason: str
    who: str
    since: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a report's hits: the four numbers add up to how many there were."""

    stored: int = 0
    repeated: int = 0
    beyond_limit: int = 0
    strays: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """Committed: a probe was placed. `revision` grows with every change of any set."""

    probe: PlacedProbe
    revision: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Committed: probes of one service left its set."""

    service: str
    probes: list[PlacedProbe]
    revision: int


@dataclass(frozen=True, slots=True)
class Stored:
    """Committed: new hits, none of them seen before."""

    hits: list[StoredHit]


@dataclass(frozen=True, slots=True)
class Switched:
    """Committed: a service, or everything, was switched off, or on again (`switch` is None)."""

    service: str
    switch: Switch | None
    revision: int


type Event = Placed | Ended | Stored | Switched
