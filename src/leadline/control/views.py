"""What the use cases answer with: everything that a page, a command or a script shows.

Times are seconds since 1970.
"""

from dataclasses import dataclass, field

from msgspec import Struct

from leadline.store.records import Canary, Deed, Switch, Where
from leadline.wire.call import CallView
from leadline.wire.hit import Detail, InstanceInfo
from leadline.wire.limits import CaptureLimits, Limits
from leadline.wire.probe import Anchor, Fate, Moment, ProbeKind, Status
from leadline.wire.twin import TwinUse, TwinView
from leadline.wire.value import Value


class StateView(Struct, frozen=True):
    """Where a probe stands in one instance; gone instances are here with their last word.

    `reported_at` is 0 for an instance that has said nothing of the probe yet. `expected` is
    the text that a mismatch missed, `source` the one that is there; `entered` counts calls of
    the function in which the line was not reached. `why` says it all in one sentence.
    """

    instance: str
    connected: bool
    pid: int
    host: str
    program: str
    reported_at: float
    status: Status
    reason: str
    file: str
    line: int
    source: str
    function: str
    fates: dict[Fate, int]
    unknown: str
    cost_ns: int
    anchor: Anchor | None = None
    expected: str = ""
    entered: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What points say together, of a second or of all time, of one instance or of many.

    `count` passages at `rate` a second; `lost` values that were not kept. Of a metric or a
    timer their sum, least, most and mean, and quantiles within 1 %; a timer's are seconds.
    """

    count: int
    rate: float
    lost: int = 0
    sum: float | None = None
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class ProbeView:
    """A probe, how it does over all, and in each instance.

    `hits` counts those stored over all instances and all time; `beyond_limit` those that came
    after the last one allowed. `fates` and `cost_ns` are sums over `instances`. Members that
    only other kinds have, such as `template`, are empty. `anchored` is whether the anchor was
    asked for; else it is one that was found. `total` is what a probe that adds up
    has sent in all. Of a twin there are `use`, `code`, `life_s` and whether it is `signed`.
    """

    id: str
    service: str
    kind: ProbeKind
    target: str
    moment: Moment
    condition: str | None
    limits: Limits
    capture: CaptureLimits
    owner: str
    note: str
    anchor: Anchor | None
    anchored: bool
    placed_at: float
    expires_at: float
    ended_at: float | None
    status: Status
    reason: str
    hits: int
    beyond_limit: int
    template: str = ""
    expression: str = ""
    watches: list[str] = field(default_factory=list)
    frames: int = 0
    raises: list[str] = field(default_factory=list)
    until: str | None = None
    fails: str | None = None
    use: TwinUse | None = None
    code: list[str] = field(default_factory=list)
    life_s: float = 0.0
    signed: bool = False
    where: Where = field(default_factory=Where)
    canary: Canary | None = None
    set: str = ""
    name: str = ""
    total: Summary | None = None
    fates: dict[Fate, int] = field(default_factory=dict)
    cost_ns: int = 0
    instances: list[StateView] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesStep(Summary):
    """What one step says; it begins at `at`."""

    at: float


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """The steps in which there was anything, of one instance, or of all when it is empty."""

    instance: str
    steps: list[SeriesStep]


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A probe over time; `step` is in seconds. Null while nothing has been stored.

    `left_out` counts instances that have no line here.
    """

    probe: str
    kind: ProbeKind
    since: float | None
    until: float | None
    step: float | None
    lines: list[SeriesLine]
    left_out: int


@dataclass(frozen=True, slots=True)
class SetPartView:
    """What was done for one name of a set: the probe that has it now, or had it.

    `before` is the id of the probe whose place it took, or empty.
    """

    name: str
    deed: Deed
    probe: str
    before: str


@dataclass(frozen=True, slots=True)
class AuditView:
    """One entry of the audit log; what `detail` holds depends on the action."""

    id: int
    at: float
    who: str
    action: str
    service: str
    probe: str
    detail: dict[str, Value]


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit; `id` is its number on this server, and grows."""

    id: int
    service: str
    received_at: float
    probe: str
    instance: str
    seq: int
    time: float
    thread: str
    file: str
    line: int
    function: str
    message: str
    values: dict[str, Value]
    task: str = ""
    trace: str = ""
    span: str = ""
    detail: Detail | None = None
    twin: TwinView | None = None
    call: CallView | None = None


@dataclass(frozen=True, slots=True)
class InstanceView:
    """One process: who it is, whether it is here, and how it does."""

    info: InstanceInfo
    connected: bool
    connected_at: float | None
    first_seen: float
    last_seen: float
    gone_at: float | None
    armed: int
    hits: int
    strays: int
    dropped: dict[str, int]
    faults: dict[str, int]


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service: its probes by status, and its processes. `off` is what switched it off."""

    service: str
    connected: int
    off: Switch | None
    probes: dict[Status, int]
    hits: int
    instances: list[InstanceView]


@dataclass(frozen=True, slots=True)
class Losses:
    """What the server itself did not keep or pass on, since it started; `trimmed` since ever.

    `not_stored` counts hits of reports that could not be written, by the reason's slug (their
    agent may have sent them again); `watchers` counts hits that slow watchers did not get,
    `exporter` hits and points that the collector did not get, by reason.
    """

    trimmed: dict[str, int]
    not_stored: dict[str, int]
    watchers: int
    exporter: dict[str, int]


@dataclass(frozen=True, slots=True)
class ExporterView:
    """How sending to an OpenTelemetry collector goes, since the server started.

    `sent` counts by kind, `dropped` by reason, hits and points alike. `failing_since` is None
    while it is well, `last_error` then the last one there was.
    """

    url: str
    waiting: int
    sent: dict[str, int]
    dropped: dict[str, int]
    last_sent_at: float | None
    failing_since: float | None
    last_error: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All services, and what was lost."""

    services: list[ServiceView]
    losses: Losses
