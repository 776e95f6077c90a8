"""What an agent tells the server: hits, the state of each probe, and what was lost."""

from leadline.wire.call import CallView
from leadline.wire.probe import Anchor, Fate, Moment, Status
from leadline.wire.struct import dataclass, field
from leadline.wire.twin import TwinView
from leadline.wire.value import Value


@dataclass(frozen=True, slots=True)
class InstanceInfo:
    """One process that carries the agent.

    `id` is random and new for every process, forked ones included. `program` is the base name
    of what was started, never its arguments: those may hold secrets. `version`, `environment`
    and `tags` are what the process was started with; `notes` says what the agent cannot do in
    this process, and why, by the name of the ability.
    """

    id: str
    service: str
    pid: int
    host: str
    program: str
    python: str
    agent: str
    core: str
    started_at: float
    version: str = ""
    environment: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FrameView:
    """One function call of a captured stack. `source` is the text of its line; `omitted` says
    why its variables are not here."""

    file: str
    line: int
    function: str
    source: str = ""
    locals: dict[str, Value] = field(default_factory=dict)
    omitted: str = ""


@dataclass(frozen=True, slots=True)
class TaskView:
    """One asyncio task, and the line where it is suspended; line 0 when that is not known."""

    name: str
    function: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Detail:
    """What a snapshot or an exception probe keeps beside the values of its watches.

    `frames` begin with the innermost, `tasks` with the one that runs; `omitted` counts frames
    that are further out. `result` is there at a function's exit, `exception` where one was
    raised. `duration_s` is the time since the call began, in seconds.
    """

    moment: Moment
    frames: list[FrameView] = field(default_factory=list)
    omitted: int = 0
    returned: bool = False
    result: Value = None
    exception: Value = None
    duration_s: float | None = None
    tasks: list[TaskView] = field(default_factory=list)
    context: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """One captured passage through a probe's place.

    `seq` grows by one with every hit of the instance, so (instance, seq) names a hit and a
    gap shows a loss. `time` is seconds since 1970 on the instance's clock. `values` maps each
    expression of the template, or each watch, to its captured value. `task` is the name of the
    asyncio task; `trace` and `span` are OpenTelemetry's ids in hexadecimal; empty if none.
    `twin` is what a twin answered that was made here, `call` the call that was captured.
    """

    probe: str
    instance: str
    seq: int
    time: float
    thread: str
    file: str
    line: int
    function: str
    message: str
    values: dict[str, Value] = field(default_factory=dict)
    task: str = ""
    trace: str = ""
    span: str = ""
    detail: Detail | None = None
    twin: TwinView | None = None
    call: CallView | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """What a probe that adds up saw in one instance in the `seconds` before `time`.

    `seq` is of the same numbering as the hits'. `count` passages were added up; for a metric
    or a timer their sum is `total`, the least `low`, the most `high` (a timer's in seconds),
    and `buckets` counts them by size as `wire.sketch` says. `lost` values found no room.
    """

    probe: str
    instance: str
    seq: int
    time: float
    seconds: float
    count: int
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0
    buckets: dict[str, int] = field(default_factory=dict)
    lost: int = 0


@dataclass(frozen=True, slots=True)
class ProbeState:
    """Where one probe stands in one instance, and why.

    `reason` is one sentence for a person. `file`, `line`, `source` and `function` say where
    it was really armed. `fates` counts passages by `Fate` since arming; `unknown` is the first
    reason why a condition had no answer. `cost_ns` is the time really spent, in nanoseconds
    of the application's threads. `entered` counts, up to a limit, how often the function was
    entered while its line was not reached. `anchor` is what the place looks like here; with a
    mismatch, `expected` is the text that should be there and `source` the one that is.
    """

    probe: str
    status: Status
    reason: str = ""
    file: str = ""
    line: int = 0
    source: str = ""
    function: str = ""
    fates: dict[Fate, int] = field(default_factory=dict)
    unknown: str = ""
    cost_ns: int = 0
    entered: int = 0
    anchor: Anchor | None = None
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One message from an agent.

    `states` holds only what changed since the last report that was answered. `dropped` counts
    hits lost in the agent since the process started, by reason; `faults` counts failures of
    the agent itself by place, class and line, without a word of their texts. `leaving` is the
    last word of a process that ends.
    """

    instance: InstanceInfo
    hits: list[Hit] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    states: list[ProbeState] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    leaving: bool = False
