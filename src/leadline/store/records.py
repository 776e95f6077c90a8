"""What a store gives back: the things of the wire, and what the server knows beside them.

Of what there are thousands of a second, the records are msgspec's: made in a tenth of the time.
"""

import json
import sys
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from leadline.store.value_filter import ValueFilter
from leadline.wire.hit import Hit, InstanceInfo, Point, ProbeState
from leadline.wire.messages import encode
from leadline.wire.probe import Probe
from leadline.wire.struct import asdict, dataclass, field


class Phase(StrEnum):
    """The life of a probe on the server; where it stands in a process is its `Status`."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REMOVED = "removed"


EVERY_SERVICE = "*"
"""In place of a service: whatever carries an agent, now or later."""


def serves(service: str, other: str) -> bool:
    """Return whether a probe placed in `service` concerns instances of the service `other`."""
    return service in (other, EVERY_SERVICE)


@dataclass(frozen=True, slots=True)
class Where:
    """Which instances of its service a probe is for: the one, or those with all these tags.

    Nothing said is all of them, those that are started later included.
    """

    instance: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def admits(self, info: InstanceInfo) -> bool:
        """Return whether an instance is meant."""
        return self.instance in ("", info.id) and self.tags.items() <= info.tags.items()


class Step(StrEnum):
    """How far a canary has come."""

    WAITING = "waiting"
    TRYING = "trying"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Canary:
    """A probe's trial in one instance, before it goes to all the others.

    `instance` is the one, `since` when it was found armed there (0: not yet), in seconds since
    1970; `faults` and `dropped` are what the agent had counted by then.
    """

    seconds: float
    step: Step = Step.WAITING
    instance: str = ""
    since: float = 0.0
    faults: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What a placing says beside the probe itself. `set` and `name` are empty or both given.

    `anchored` is whether the probe's anchor was asked for; else it is one that was found later.
    """

    where: Where = field(default_factory=Where)
    canary_s: float | None = None
    anchored: bool = False
    set: str = ""
    name: str = ""


NO_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class PlacedProbe:
    """A probe, whose it is and how far it has come.

    `probe.limits.ttl_s` is what was asked for, in seconds; `expires_at` is when it is over, in
    seconds since 1970. `hits` counts those stored over all instances, trimmed ones included;
    `beyond_limit` counts those for which there was no room any more: they were not stored. Of a
    probe that adds up both count passages.
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
    terms: Terms = field(default_factory=Terms)
    canary: Canary | None = None

    def is_for(self, info: InstanceInfo) -> bool:
        """Return whether an instance of its service should carry it now."""
        match self.canary:
            case Canary(step=Step.WAITING):
                return False
            case Canary(step=Step.TRYING, instance=instance):
                return info.id == instance
        return self.terms.where.admits(info)


class Deed(StrEnum):
    """What was done for one name when a set was put."""

    PLACED = "placed"
    KEPT = "kept"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class SetItem:
    """A probe of a set as it is asked for; `terms` hold the set and the name."""

    probe: Probe
    terms: Terms


@dataclass(frozen=True, slots=True)
class SetPart:
    """What was done for a name; `before` is the id of the probe that it took the place of."""

    name: str
    deed: Deed
    placed: PlacedProbe
    before: str = ""


class Facets(Struct, frozen=True):
    """What a hit can be asked for by, beside its service, probe and kind; see `facets_of`."""

    instance: str
    time: float
    thread: str
    task: str
    trace: str
    said: bytes


class Told(Protocol):
    """The members of `wire.Hit` that the store looks at, whatever it was read into."""

    @property
    def probe(self) -> str: ...
    @property
    def instance(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def time(self) -> float: ...
    @property
    def thread(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def trace(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def call(self) -> "ToldCall | None": ...


class ToldCall(Protocol):
    """Of a captured call."""

    @property
    def fails(self) -> bool | None: ...


def facets_of(hit: Told) -> Facets:
    """Return what a hit is found by."""
    return Facets(
        hit.instance,
        hit.time,
        _plain(hit.thread),
        _plain(hit.task),
        _plain(hit.trace),
        searchable(hit.message),
    )


def searchable(text: str) -> bytes:
    """Return what is compared when a text is looked for in a message."""
    return text.casefold().encode("utf-8", "surrogatepass")


def _plain(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")  # a column holds no lone surrogate


class NewHit(Struct, frozen=True):
    """A hit on its way into the store; `body` is as in `StoredHit`."""

    probe: str
    seq: int
    body: str
    facets: Facets
    is_good: bool = False
    """Whether it is of a captured call that did not fail, where that was asked."""


def new_hit(hit: Hit) -> NewHit:
    """Write a hit out as it is stored."""
    return as_written(hit, encode(hit))


def as_written(hit: Told, body: bytes) -> NewHit:
    """Return a hit that is stored as it was written: `body` is its JSON in ASCII."""
    is_good = hit.call is not None and hit.call.fails is False
    return NewHit(hit.probe, hit.seq, body.decode("ascii"), facets_of(hit), is_good)


class StoredHit(Struct, frozen=True):
    """A hit with its number in this store; `body` is `wire.Hit` as ASCII JSON text on one line.

    It stays text because captured text may hold lone surrogates, which neither SQLite nor
    UTF-8 can carry, and because nobody between the agent and the reader needs to look inside.
    `facets` and `kind` are there for one that was just stored.
    """

    id: int
    service: str
    probe: str
    received_at: float
    body: str
    facets: Facets | None = None
    kind: str = ""

    def json(self) -> str:
        """Return the hit as people get it: one JSON object on one line."""
        head = f'{{"id":{self.id},"service":"{self.service}","received_at":{self.received_at!r}'
        return f"{head},{self.body[1:]}"


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """A point with its number in this store."""

    id: int
    service: str
    received_at: float
    point: Point

    @property
    def probe(self) -> str:
        """The probe that it is of."""
        return self.point.probe


@dataclass(frozen=True, slots=True)
class HitFilter:
    """Which hits: all that is said has to be true of them.

    `probes` are any of these (nothing said: all); `after` and `before` are numbers of hits;
    `since` (in the range) and `until` (not in it) are seconds since 1970 on the clock of the
    instance; `text` is part of the message, in whatever case.
    """

    service: str | None = None
    probes: tuple[str, ...] = ()
    after: int | None = None
    instance: str | None = None
    kind: str | None = None
    thread: str | None = None
    task: str | None = None
    trace: str | None = None
    text: str | None = None
    since: float | None = None
    until: float | None = None
    value: ValueFilter | None = None
    before: int | None = None

    def matches(self, hit: StoredHit) -> bool:
        """Return whether a hit that was just stored is asked for."""
        facets = hit.facets
        return (
            self.of(hit.service, hit.probe)
            and facets is not None
            and self.instance in (None, facets.instance)
            and self.kind in (None, hit.kind)
            and self.thread in (None, facets.thread)
            and self.task in (None, facets.task)
            and self.trace in (None, facets.trace)
            and (self.since is None or self.since <= facets.time)
            and (self.until is None or facets.time < self.until)
            and (self.text is None or searchable(self.text) in facets.said)
            and (self.value is None or self.value.matches(hit.body))
        )

    def of(self, service: str, probe: str) -> bool:
        """Return whether anything of a service and a probe is asked for."""
        return self.service in (None, service) and (not self.probes or probe in self.probes)


@dataclass(frozen=True, slots=True)
class Columns:
    """Hits over time: `counts[i]` of them from `since + i * seconds` on, for `seconds` each."""

    since: float
    seconds: float
    counts: list[int]

    @property
    def until(self) -> float:
        """When the last column ends."""
        return self.since + self.seconds * len(self.counts)


@dataclass(frozen=True, slots=True)
class PointFilter:
    """Which points of one probe: those that end after `since` and not after `until`."""

    probe: str
    since: float
    until: float
    limit: int


def bounded(number: float) -> float:
    """Return a number that JSON can carry: a sum that is too large is the largest there is."""
    return min(max(number, -sys.float_info.max), sys.float_info.max)


@dataclass(frozen=True, slots=True)
class Total:
    """Many points added up, of one instance or of many; see `wire.Point`."""

    count: int = 0
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0
    buckets: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    since: float = 0.0
    until: float = 0.0

    def plus(self, *points: Point) -> "Total":
        """Return the total with points added."""
        buckets = dict(self.buckets)
        count, lost, total = self.count, self.lost, self.total
        low, high, since, until = self.low, self.high, self.since, self.until
        for point in points:
            began = point.time - point.seconds
            low = min(low, point.low) if count else point.low
            high = max(high, point.high) if count else point.high
            since = min(since, began) if until else began
            until = max(until, point.time)
            count, lost = count + point.count, lost + point.lost
            total = bounded(total + point.total)
            for key, many in point.buckets.items():
                if key in buckets:  # twice as fast as asking with a default
                    buckets[key] += many
                else:
                    buckets[key] = many
        return Total(count, total, low, high, buckets, lost, since, until)

    def json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


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
class AuditFilter:
    """Which entries of the audit log are meant; what is empty admits all."""

    service: str = ""
    probe: str = ""
    who: str = ""
    action: str = ""


EVERY_ENTRY = AuditFilter()


@dataclass(frozen=True, slots=True)
class Switch:
    """A kill switch that is off: of a service, or of everything when `service` is empty."""

    service: str
    reason: str
    who: str
    since: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a report's hits: the four numbers add up to how many there were.

    `points` counts the points that were stored.
    """

    stored: int = 0
    repeated: int = 0
    beyond_limit: int = 0
    strays: int = 0
    points: int = 0
