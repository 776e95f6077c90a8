"""What a core needs to know of a probe, and what it hands over: no wire, no registry.

A *passage* is one execution through one of the probe's sites. Everything about it is decided
here in the fixed order limiter -> condition -> capture, with each outcome counted as a `Fate`.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum, IntEnum, StrEnum
from types import CodeType, FrameType
from typing import TYPE_CHECKING, NamedTuple

from leadline import native
from leadline.agent.capture.frame import Scope, local_names
from leadline.expression import Condition, Placeholder, Unknown, Watch
from leadline.wire.call import CallView
from leadline.wire.hit import Detail
from leadline.wire.limits import CaptureLimits
from leadline.wire.probe import Fate, Moment
from leadline.wire.struct import dataclass, field
from leadline.wire.twin import TwinView
from leadline.wire.value import Value

if TYPE_CHECKING:
    from leadline.native._core import Meter
elif (_core := native.core()) is not None:
    Meter = _core.Meter
    _core.name_fates(tuple(Fate))
else:

    class Meter:
        """What the native core keeps as C numbers; in Python they are ordinary attributes."""

        __slots__ = ()


BUDGET_NS = 10_000_000
"""1 % of one core: what all probes of a process together may use of each second."""
NO_ALLOWANCE_NS = 2**62
"""What a probe that has no limit of its own may use: more than can be used."""
MAX_OPEN_CALLS = 4_096
"""Calls that one probe has seen begin and not end; of more, the older half is forgotten."""
MAX_SAMPLES = 20_000
"""Numbers that wait for our thread, which comes ten times a second; of the budget of 1 % of a
core at a microsecond each, 1,000 are had in that time."""
MAX_ENTRIES = 1_000
"""How often a function may be entered without reaching the line before that is known well
enough."""

NOTHING = object()
"""Stands for the result of a call that has none, because an exception left it."""


class Role(Enum):
    """What a site is for. Most are where the probe hits; the others serve those."""

    HIT = "hit"
    BEGIN = "begin"
    """Here a call, or the way to the second line, begins: remember when."""
    FORGET = "forget"
    """Here the call ends: what began in it is over."""
    ENTRY = "entry"
    """Here the function is entered: count it, while its line was never reached."""
    TURN = "turn"
    """Here a generator gives something out, or goes on: tell of it whom the call concerns."""
    WITNESS = "witness"
    """Here a call ends that the probe has seen begin: armed for `Compiled.witness`."""
    RENEW = "renew"
    """Here a call begins that may lie where one lay whose end nobody heard of: armed for the
    witness, to forget that one."""


class Heard(IntEnum):
    """What a call met between its beginning and its end."""

    GIVEN = 0
    """It gave something out, or handed over to what it awaits."""
    SENT = 1
    """It was sent something that is not None; only the native core can see that."""
    THROWN = 2


@dataclass(frozen=True, slots=True)
class Site:
    """One place in one code object.

    `offsets`, in bytes, are where a line begins; other moments have none. Without a `code`,
    every code object is meant.
    """

    code: CodeType | None
    offsets: tuple[int, ...]
    file: str
    line: int
    function: str
    moment: Moment = Moment.LINE
    role: Role = Role.HIT
    variables: frozenset[str] = field(default=frozenset(), compare=False)
    """The names of the code's own variables; filled in here."""

    def __post_init__(self) -> None:
        if self.code is not None:
            object.__setattr__(self, "variables", local_names(self.code))


class Visit(NamedTuple):
    """One passage while its callback runs; never kept. `duration_s` is None where nobody saw
    the call begin; `unheard` is what the call gave out after enough was heard of it."""

    scope: Scope
    frame: FrameType
    site: Site
    result: object
    exception: BaseException | None
    duration_s: float | None
    unheard: int = 0


class Reading(NamedTuple):
    """What became of a record's bytes: the line of text, the values, and the rest."""

    message: str
    values: dict[str, Value]
    detail: Detail | None = None
    twin: TwinView | None = None
    call: CallView | None = None
    carried: CallView | None = None
    """The same as it travels."""
    weight: int = 0
    """Bytes of JSON that it takes beyond those of the record, about."""


class Taken(StrEnum):
    """What a probe takes at a hit, where a core can do it by itself."""

    LOG = "log"
    METRIC = "metric"
    TIMER = "timer"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Plan:
    """What `take` does, said in data: a core that understands it need not call `take`."""

    taken: Taken
    watches: tuple[Watch | Placeholder, ...] = ()
    limits: CaptureLimits = field(default_factory=CaptureLimits)
    frames: int = 0


@dataclass(slots=True, eq=False)
class Passage(Meter):
    """One probe as the hot path sees it.

    `concerns`, `holds` and `take` run on the application's thread; `read` turns the bytes that
    `take` made into a hit's content, on the sender's. A `take` that returns None has added to
    `samples`; without one there is nothing but to count. `condition` and `plan` say the same
    as `holds` and `take`, for a core that has its own way to do it. `off` is set when a limit
    has switched the sites off; `window_ns` above `allowance_ns` is one. `began` is there when
    durations are wanted: frame -> nanoseconds of `perf_counter_ns`; `opens` is that of another
    passage, which sees the calls end that this one has taken and `follows` it: it is off too
    once that is and all of them have ended. `hear` is told of what these calls meet meanwhile:
    frame, `Heard`, value. Once it has answered False, what a call gives out is counted only
    (beside the nanoseconds), and the rest told with that count.

    Counters are plain integers that the application's threads add to without a lock: CPython
    changes threads only at calls and backward jumps, and `n += 1` holds neither.
    """

    probe: str
    holds: Callable[[Scope], bool] | None
    take: Callable[[Visit], bytes | None] | None
    hits_left: int
    tokens: float
    burst: float
    read: Callable[[bytes], Reading] | None = None
    condition: Condition | None = None
    plan: Plan | None = None
    concerns: Callable[[BaseException], bool] | None = None
    began: dict[int, int | list[int]] | None = None
    timed: bool = False
    """Whether a passage without a duration is of no use."""
    opens: dict[int, int | list[int]] | None = None
    follows: "Passage | None" = None
    hear: Callable[[FrameType, int, object, int | None], bool] | None = None
    samples: deque[float] | None = None
    lost: int = 0
    sites: tuple[Site, ...] = ()
    off: bool = False
    fates: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    unknown: str = ""
    entered: int = 0
    cost_ns: int = 0
    window_ns: int = 0
    allowance_ns: int = NO_ALLOWANCE_NS
    apart: bool = False
    """Whether what it costs is paid from another budget than the probes' (`agent.twin`)."""

    @property
    def spent(self) -> bool:
        """Whether the probe has captured all the hits that it may."""
        return self.hits_left <= 0

    @property
    def passed(self) -> bool:
        """Whether the execution ever came by."""
        return any(self.fates.values())

    def refill(self, tokens: float) -> None:
        """Give the limiter more tokens, up to one second's worth."""
        self.tokens = min(self.burst, self.tokens + tokens)

    def forget(self) -> None:
        """Begin anew: in a forked child all of this was the parent's."""
        self.fates = dict.fromkeys(Fate, 0)
        self.unknown, self.entered, self.lost = "", 0, 0
        self.cost_ns = self.window_ns = 0
        if self.began is not None:
            self.began.clear()
        if self.samples is not None:
            self.samples.clear()


class Record(NamedTuple):
    """One captured hit: plain data, no reference into the application."""

    passage: Passage
    site: Site
    time: float
    thread: int
    payload: bytes
    task: str = ""
    trace: str = ""
    span: str = ""


def note_unknown(passage: Passage, unknown: Unknown) -> None:
    """Keep the first reason why an expression had no answer."""
    passage.unknown = passage.unknown or unknown.reason


def call_scope(
    scope: Scope,
    moment: Moment,
    result: object,
    exception: BaseException | None,
    duration_s: float | None,
) -> Scope:
    """Return the scope of a whole call: `result`, `exception` and `duration` come first."""

    def read(name: str) -> object:
        match name:
            case "duration":
                if duration_s is None:
                    raise Unknown("this call began before the probe was armed")
                return duration_s
            case "result" if moment is Moment.EXIT:
                if result is NOTHING:
                    raise Unknown("an exception left the call, so there is no result")
                return result
            case "exception":
                return exception
        return scope(name)

    return read
