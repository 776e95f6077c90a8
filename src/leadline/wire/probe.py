"""What a probe is: one request to look at one place in a service.

A probe is declarative. The server holds the set that a service should carry; every instance
arms what it can and reports a status for each.
"""

from enum import StrEnum

from leadline.wire.call import DEFAULT_CALLS, MAX_CALLS
from leadline.wire.errors import UsageError
from leadline.wire.limits import (
    DEFAULT_FRAMES,
    MAX_ANCHOR_CHARS,
    MAX_CONDITION_CHARS,
    MAX_FRAMES,
    MAX_HITS,
    MAX_NOTE_CHARS,
    MAX_PASSAGES,
    MAX_PASSAGES_PER_S,
    MAX_RAISES,
    MAX_RATE_PER_S,
    MAX_TEMPLATE_CHARS,
    MAX_WATCHES,
    CaptureLimits,
    Limits,
    short,
    within,
)
from leadline.wire.struct import dataclass, field
from leadline.wire.target import FunctionTarget, Place, Target
from leadline.wire.twin import (
    LIFE_S,
    MAX_CANDIDATE_CHARS,
    MAX_CODE_CHARS,
    MAX_CODES,
    MAX_LIFE_S,
    REPEATS,
    RUNS_CODE,
    TRIES,
    TwinUse,
)


class ProbeKind(StrEnum):
    """The kinds of probes; each has a struct of its own below."""

    LOG = "log"
    SNAPSHOT = "snapshot"
    COUNTER = "counter"
    METRIC = "metric"
    TIMER = "timer"
    EXCEPTION = "exception"
    TWIN = "twin"
    CAPTURE = "capture"


AGGREGATED = frozenset((ProbeKind.COUNTER, ProbeKind.METRIC, ProbeKind.TIMER))
"""Kinds that add up in the process and send a `Point` a second instead of a hit each."""


class Moment(StrEnum):
    """When, at its place, a probe looks."""

    LINE = "line"
    ENTRY = "entry"
    EXIT = "exit"
    RAISED = "raised"
    LEAVING = "leaving"


class Status(StrEnum):
    """Where a probe stands in one instance."""

    PENDING = "pending"
    ARMED = "armed"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    MISMATCH = "mismatch"
    ERROR = "error"
    REMOVED = "removed"


class Fate(StrEnum):
    """What became of one passage of the execution through an armed place."""

    CAPTURED = "captured"
    CONDITION_FALSE = "condition_false"
    CONDITION_UNKNOWN = "condition_unknown"
    RATE_LIMITED = "rate_limited"
    OVER_BUDGET = "over_budget"
    DROPPED = "dropped"


_CAPTURED = Limits(hits=10, ttl_s=900.0, rate_per_s=1.0)
_ADDED_UP = Limits(hits=MAX_PASSAGES, ttl_s=3600.0, rate_per_s=MAX_PASSAGES_PER_S)
_CALLS = Limits(hits=DEFAULT_CALLS, ttl_s=600.0, rate_per_s=20.0)
_TWIN = Limits(hits=1, ttl_s=900.0, rate_per_s=1.0)

DEFAULTS: dict[ProbeKind, Limits] = {
    ProbeKind.LOG: Limits(),
    ProbeKind.SNAPSHOT: _CAPTURED,
    ProbeKind.EXCEPTION: _CAPTURED,
    ProbeKind.COUNTER: _ADDED_UP,
    ProbeKind.METRIC: _ADDED_UP,
    ProbeKind.TIMER: _ADDED_UP,
    ProbeKind.TWIN: _TWIN,
    ProbeKind.CAPTURE: _CALLS,
}
"""What a probe is limited to when nothing is said.

A log hit costs the pure core 7 to 8 us in a warm loop (`make bench`) and was seen to cost 70
to 130 us in a process that is mostly asleep: at 50 a second at most 0.65 % of a core. A
snapshot costs the pure core 0.3 to 2 ms, so ten of them are had at one a second.
"""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What ties a probe to its line, whatever number the line has in another version.

    `text` is the line with each run of white space as one space; `function` the qualified name
    of the function around it; `digest` 16 hexadecimal digits of that function's source. An
    empty member is not compared.
    """

    text: str
    function: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        for name, text in (("text", self.text), ("function", self.function)):
            short(f"anchor's {name}", text, MAX_ANCHOR_CHARS)
        short("anchor's digest", self.digest, 64)


@dataclass(frozen=True, slots=True)
class LogProbe:
    """Write a line of text, with values in it, each time the target is reached."""

    id: str
    target: Place
    template: str
    condition: str | None = None
    limits: Limits = field(default_factory=Limits)
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None
    moment: Moment = Moment.LINE
    kind: ProbeKind = ProbeKind.LOG

    def __post_init__(self) -> None:
        _check(self, MAX_HITS, MAX_RATE_PER_S)
        short("template", self.template, MAX_TEMPLATE_CHARS)
        _moment(self)


@dataclass(frozen=True, slots=True)
class SnapshotProbe:
    """Keep the stack with its variables, `frames` deep, and what `watches` say."""

    id: str
    target: Place
    watches: tuple[str, ...] = ()
    frames: int = DEFAULT_FRAMES
    condition: str | None = None
    limits: Limits = _CAPTURED
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None
    moment: Moment = Moment.LINE
    kind: ProbeKind = ProbeKind.SNAPSHOT

    def __post_init__(self) -> None:
        _check(self, MAX_HITS, MAX_RATE_PER_S)
        _stack(self.watches, self.frames)
        _moment(self)


@dataclass(frozen=True, slots=True)
class CounterProbe:
    """Count the passages for which the condition holds."""

    id: str
    target: Place
    condition: str | None = None
    limits: Limits = _ADDED_UP
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None
    moment: Moment = Moment.LINE
    kind: ProbeKind = ProbeKind.COUNTER

    def __post_init__(self) -> None:
        _check(self, MAX_PASSAGES, MAX_PASSAGES_PER_S)
        _moment(self)


@dataclass(frozen=True, slots=True)
class MetricProbe:
    """Add up the values of an expression: count, sum, least, most and their distribution."""

    id: str
    target: Place
    expression: str
    condition: str | None = None
    limits: Limits = _ADDED_UP
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None
    moment: Moment = Moment.LINE
    kind: ProbeKind = ProbeKind.METRIC

    def __post_init__(self) -> None:
        _check(self, MAX_PASSAGES, MAX_PASSAGES_PER_S)
        short("expression", self.expression, MAX_CONDITION_CHARS)
        _moment(self)


@dataclass(frozen=True, slots=True)
class TimerProbe:
    """Measure how long a function takes, or the way from one line to another in one call."""

    id: str
    target: Place
    until: Target | None = None
    condition: str | None = None
    limits: Limits = _ADDED_UP
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None
    moment: Moment = Moment.EXIT
    kind: ProbeKind = ProbeKind.TIMER

    def __post_init__(self) -> None:
        _check(self, MAX_PASSAGES, MAX_PASSAGES_PER_S)
        _moment(self)
        if isinstance(self.target, Target):
            if self.until is None or self.until.file != self.target.file:
                raise UsageError(
                    "bad-target",
                    "A timer that begins at a line ends at another line of the same file.",
                    "Give the second line with --until, or name a function: MODULE:FUNCTION.",
                )
        elif self.until is not None:
            raise UsageError(
                "bad-target", "A timer of a function ends with it; leave the second line out."
            )


@dataclass(frozen=True, slots=True)
class ExceptionProbe:
    """Keep a snapshot when an exception is raised in a function, or leaves it.

    `raises` are class names; subclasses count. Without any, every `Exception` does.
    """

    id: str
    target: Place
    raises: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    frames: int = DEFAULT_FRAMES
    condition: str | None = None
    limits: Limits = _CAPTURED
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None
    moment: Moment = Moment.LEAVING
    kind: ProbeKind = ProbeKind.EXCEPTION

    def __post_init__(self) -> None:
        _check(self, MAX_HITS, MAX_RATE_PER_S)
        _stack(self.watches, self.frames)
        _moment(self)
        within("the number of exception names", len(self.raises), 0, MAX_RAISES)
        for name in self.raises:
            if len(name) > MAX_NOTE_CHARS or not all(
                word.isidentifier() for word in name.split(".")
            ):
                raise UsageError(
                    "bad-target",
                    f"{name[:100]!r} is not the name of an exception.",
                    "Write a class's name, such as ZeroDivisionError.",
                )


@dataclass(frozen=True, slots=True)
class TwinProbe:
    """Make a sealed copy of the process at the target, and have `code` run there.

    `use` says what for; the `code` of an `ask` is what it evaluates, that of a `verify` or a
    `sample` one candidate as JSON, and nothing else has any. `instance` is empty for any.
    Where the service has a key for that, `signature` is of `wire.twin.order_text` and valid
    until `signed_until`, in seconds since 1970; `nonce` is never used twice.
    """

    id: str
    target: Place
    use: TwinUse
    code: tuple[str, ...] = ()
    life_s: float = 0.0
    instance: str = ""
    nonce: str = ""
    signature: str = ""
    signed_until: float = 0.0
    condition: str | None = None
    limits: Limits = _TWIN
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None
    moment: Moment = Moment.LINE
    kind: ProbeKind = ProbeKind.TWIN

    def __post_init__(self) -> None:
        _check(self, MAX_HITS, MAX_RATE_PER_S)
        if not self.life_s:
            object.__setattr__(self, "life_s", LIFE_S[self.use])
        within("life", self.life_s, 0.1, MAX_LIFE_S[self.use], " seconds")
        verifies = self.use in TRIES
        within("the number of expressions", len(self.code), 0, 1 if verifies else MAX_CODES)
        most = MAX_CANDIDATE_CHARS if verifies else MAX_CODE_CHARS
        short("candidate" if verifies else "code", "\n".join(self.code), most)
        for name, text in (("instance", self.instance), ("nonce", self.nonce)):
            short(name, text, 100)
        short("signature", self.signature, 100)
        if (self.use in RUNS_CODE) != bool(self.code):
            raise UsageError(
                "bad-twin",
                "An ask needs code to run, a verify a candidate, and nothing else does.",
            )
        if self.use in REPEATS | TRIES and isinstance(self.target, Target):
            raise UsageError(
                "bad-target",
                "What is run again is a function, not a line.",
                "Write MODULE:FUNCTION, for example shop.pricing:quote.",
            )
        _moment(self)


@dataclass(frozen=True, slots=True)
class CaptureProbe:
    """Keep whole calls of a function: the arguments by value, and what the call came to.

    `fails` says which calls are the ones that matter: `raises ZeroDivisionError`, or an
    expression over the call (`expression.predicate`). A quarter of the hits is kept for those.
    """

    id: str
    target: Place
    fails: str | None = None
    condition: str | None = None
    limits: Limits = _CALLS
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    anchor: Anchor | None = None
    moment: Moment = Moment.ENTRY
    kind: ProbeKind = ProbeKind.CAPTURE

    def __post_init__(self) -> None:
        _check(self, MAX_CALLS, MAX_RATE_PER_S)
        short("predicate", self.fails or "", MAX_CONDITION_CHARS)
        if isinstance(self.target, Target):
            raise UsageError(
                "bad-target",
                "What is captured are the calls of a function, not a line.",
                "Write MODULE:FUNCTION, for example shop.pricing:quote.",
            )
        _moment(self)


type Probe = (
    LogProbe
    | SnapshotProbe
    | CounterProbe
    | MetricProbe
    | TimerProbe
    | ExceptionProbe
    | TwinProbe
    | CaptureProbe
)
"""Any probe; `match` tells them apart."""


def default_moment(kind: ProbeKind, target: Place) -> Moment:
    """Return when a probe of this kind looks if nothing is said."""
    match kind:
        case ProbeKind.EXCEPTION:
            return Moment.LEAVING if not _everywhere(target) else Moment.RAISED
        case ProbeKind.TIMER:
            return Moment.EXIT
        case _ if isinstance(target, Target):
            return Moment.LINE
        case ProbeKind.COUNTER | ProbeKind.TWIN | ProbeKind.CAPTURE:
            return Moment.ENTRY
        case _:
            return Moment.EXIT


def _check(probe: Probe, hits: int, rate: float) -> None:
    """What holds for every kind."""
    short("id", probe.id, 100)
    short("condition", probe.condition or "", MAX_CONDITION_CHARS)
    short("owner", probe.owner, MAX_NOTE_CHARS)
    short("note", probe.note, MAX_NOTE_CHARS)
    within("hits", probe.limits.hits, 1, hits)
    within("rate", probe.limits.rate_per_s, 0.01, rate, " a second")


def _moment(probe: Probe) -> None:
    """Whether a probe of this kind can look at such a moment of such a place."""
    is_line, everywhere = isinstance(probe.target, Target), _everywhere(probe.target)
    match probe.kind:
        case ProbeKind.TIMER:
            allowed: tuple[Moment, ...] = (Moment.EXIT,)
        case ProbeKind.EXCEPTION:
            allowed = (Moment.RAISED,) if everywhere else (Moment.LEAVING, Moment.RAISED)
        case ProbeKind.TWIN:  # at the end of a call there is no frame left to look at
            allowed = (Moment.LINE,) if is_line else (Moment.ENTRY,)
        case ProbeKind.CAPTURE:  # and at the end too, of each that it has seen begin
            allowed = (Moment.ENTRY,)
        case _:
            allowed = (Moment.LINE,) if is_line else (Moment.ENTRY, Moment.EXIT)
    if everywhere and probe.kind is not ProbeKind.EXCEPTION:
        raise UsageError("bad-target", "Only exceptions can be caught everywhere (*).")
    if is_line and probe.kind is ProbeKind.EXCEPTION:
        raise UsageError(
            "bad-target",
            "An exception probe is on a function, not on a line.",
            "Write MODULE:FUNCTION, for example shop.pricing:quote, or * for any function.",
        )
    if probe.moment not in allowed:
        raise UsageError(
            "bad-moment",
            f"A {probe.kind} probe at {probe.target} looks at {' or '.join(allowed)}, "
            f"not at {probe.moment}.",
        )


def _stack(watches: tuple[str, ...], frames: int) -> None:
    within("the number of watches", len(watches), 0, MAX_WATCHES)
    for watch in watches:
        short("watch", watch, MAX_CONDITION_CHARS)
    within("frames", frames, 1, MAX_FRAMES)


def _everywhere(target: Place) -> bool:
    return isinstance(target, FunctionTarget) and target.everywhere
