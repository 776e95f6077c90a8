"""What an agent tells the server: hits, the state of each probe, and what was lost."""

from dataclasses import dataclass, field

from leadline.wire.probe import Fate, Status
from leadline.wire.value import Value


@dataclass(frozen=True, slots=True)
class InstanceInfo:
    """One process that carries the agent.

    `id` is random and new for every process, forked ones included. `program` is the base name
    of what was started, never its arguments: those may hold secrets.
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


@dataclass(frozen=True, slots=True)
class Hit:
    """One captured passage through a probe's place.

    `seq` grows by one with every hit of the instance, so (instance, seq) names a hit and a
    gap shows a loss. `time` is seconds since 1970 on the instance's clock. `values` maps each
    expression of the template to its captured value.
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


@dataclass(frozen=True, slots=True)
class ProbeState:
    """Where one probe stands in one instance, and why.

    `reason` is one sentence for a person. `file`, `line`, `source` and `function` say where
    it was really armed. `fates` counts passages by `Fate` since arming; `unknown` is the first
    reason why a condition had no answer. `cost_ns` is the time really spent, in nanoseconds
    of the application's threads.
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


@dataclass(frozen=True, slots=True)
class Report:
    """One message from an agent.

    `states` holds only what changed since the last report that was answered. `dropped` counts
    hits lost in the agent since the process started, by reason; `faults` counts failures of
    the agent itself by the place that they happened in. `leaving` is the last word of a
    process that ends.
    """

    instance: InstanceInfo
    hits: list[Hit] = field(default_factory=list)
    states: list[ProbeState] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    leaving: bool = False
