"""A report as it was posted: read in one pass, and its hits stored as the agent wrote them.

The way that every body goes (`reading`) reads with Python's reader, which alone takes a lone
surrogate, and the store would write each hit out again: five times as long. What is not as an
agent of ours writes it, or wrong, goes that way still.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from leadline.control.report import MAX_COUNT, NewHit, as_it_came
from leadline.server.reading import MAX_JSON_DEPTH, parse, read
from leadline.wire.call import CallKind, TurnKind
from leadline.wire.carriage import MARK, delivered
from leadline.wire.errors import WireError
from leadline.wire.hit import InstanceInfo, Point, ProbeState, Report
from leadline.wire.messages import encode
from leadline.wire.packing import Allowance
from leadline.wire.probe import Moment
from leadline.wire.struct import dataclass
from leadline.wire.twin import TwinEnd, TwinPolicy, TwinUse
from leadline.wire.value import Value

type _Number = Annotated[int, Meta(ge=0, le=MAX_COUNT)]


@dataclass(frozen=True, slots=True)
class Posted:
    """A report; `hits` are its hits written out, or None: then they are in it as usual."""

    report: Report
    hits: list[NewHit] | None = None


def posted(content: bytes) -> Posted:
    """Return what a body says. Raises slug `bad-message`."""
    content = _delivered(content)
    return _as_written(content) or Posted(read(content, Report))


def _delivered(content: bytes) -> bytes:
    """Return a body with the calls in it as they were before they travelled."""
    if MARK not in content:
        return content
    whole: Any = parse(content)
    hits = whole.get("hits") if isinstance(whole, dict) else None
    allowance = Allowance()
    for hit in hits if isinstance(hits, list) else ():
        if isinstance(hit, dict) and isinstance(hit.get("call"), dict):
            hit["call"] = delivered(hit["call"], allowance)
    return encode(whole)


def _as_written(content: bytes) -> Posted | None:
    """Return a report of which each hit can be kept as it stands: on one line, in ASCII, with
    all members that a hit has and no other."""
    if not content.isascii() or b"\n" in content or b"\r" in content:
        return None
    try:
        whole = _REPORT.decode(content)
        bodies = [bytes(hit) for hit in whole.hits]
        hits = [as_it_came(_HIT.decode(body), body) for body in bodies]
        for body in bodies:
            _check_depth(body)
    except (msgspec.DecodeError, RecursionError, WireError):
        return None  # Python's reader takes it, or says what is wrong
    report = Report(
        whole.instance,
        points=whole.points,
        states=whole.states,
        dropped=whole.dropped,
        faults=whole.faults,
        leaving=whole.leaving,
    )
    return Posted(report, hits)


def _check_depth(body: bytes) -> None:
    if body.count(b"{") + body.count(b"[") > MAX_JSON_DEPTH - 2:  # a report and its list around
        parse(body, MAX_JSON_DEPTH - 2)


class _Frame(Struct, forbid_unknown_fields=True):
    """See `wire.FrameView`."""

    file: str
    line: int
    function: str
    source: str
    locals: dict[str, Value]
    omitted: str


class _Task(Struct, forbid_unknown_fields=True):
    """See `wire.TaskView`."""

    name: str
    function: str
    file: str
    line: int


class _Detail(Struct, forbid_unknown_fields=True):
    """See `wire.Detail`."""

    moment: Moment
    frames: list[_Frame]
    omitted: int
    returned: bool
    result: Value
    exception: Value
    duration_s: float | None
    tasks: list[_Task]
    context: dict[str, Value]


class _Refusal(Struct, forbid_unknown_fields=True):
    """See `wire.Refusal`."""

    what: str
    detail: str
    count: _Number


class _Said(Struct, forbid_unknown_fields=True):
    """See `wire.Said`."""

    code: str
    returned: bool
    value: Value
    printed: str
    raised: str
    refused: list[_Refusal]


class _Difference(Struct, forbid_unknown_fields=True):
    """See `wire.Difference`."""

    where: str
    live: str
    rerun: str


class _Agreement(Struct, forbid_unknown_fields=True):
    """See `wire.Agreement`."""

    agrees: bool | None
    reason: str
    live: str
    rerun: str
    differences: list[_Difference]
    compared: _Number
    unseen: _Number
    marks: list[str]


class _Inside(Struct, forbid_unknown_fields=True):
    """See `wire.Inside`."""

    kind: str
    at: str
    handled: str


class _Ran(Struct, forbid_unknown_fields=True):
    """See `wire.Ran`."""

    what: str
    returned: bool | None
    value: Value
    arguments: dict[str, Value]
    same_as: str
    cut: str
    raised: str
    printed: str
    reached: list[str] | None
    refused: list[_Refusal]
    marks: list[str]
    omitted: _Number
    inside: list[_Inside]
    fails: bool | None
    expect: bool | None
    unknown: str
    yields: list[Value] = []
    state: dict[str, Value] = {}
    given: dict[str, Value] | None = None
    held: dict[str, Value] = {}
    path: str = ""
    left: dict[str, str] = {}
    met: list[str] = []


class _Tried(Struct, forbid_unknown_fields=True):
    """See `wire.Tried`."""

    title: str
    digest: str
    controls: list[_Agreement]
    candidate: _Agreement | None
    live: str
    fails: bool | None
    expect: bool | None
    unknown: str
    obstacle: str
    runs: list[_Ran]
    number: _Number = 0


class _Twin(Struct, forbid_unknown_fields=True):
    """See `wire.TwinView`."""

    use: TwinUse
    policy: TwinPolicy
    end: TwinEnd
    reason: str
    pause_ms: float
    life_s: float
    said: list[_Said]
    refused: list[_Refusal]
    agreement: _Agreement | None
    notes: list[str]
    lost: _Number
    tried: _Tried | None = None


class _Origin(Struct, forbid_unknown_fields=True):
    """See `wire.Origin`."""

    python: str
    executable: str
    path: list[str]
    folder: str
    file: str
    digest: str
    hash_randomization: bool
    hash_seed: str
    main: str = ""
    state: dict[str, dict[str, str]] = {}
    code: dict[str, list[str]] = {}
    recursion_limit: _Number | None = None
    max_str_digits: _Number | None = None
    flags: dict[str, _Number] = {}
    warnings: list[str] = []


class _Turn(Struct, forbid_unknown_fields=True):
    """See `wire.call.Turn`."""

    after: _Number
    kind: TurnKind
    kept: dict[str, Value] | None


class _Call(Struct, forbid_unknown_fields=True):
    """See `wire.CallView`."""

    entry: str
    kind: CallKind
    returned: bool
    value: Value
    arguments: dict[str, Value]
    yields: list[Value]
    fails: bool | None
    unknown: str
    kept: dict[str, Value] | None
    size: _Number
    withheld: list[str]
    obstacle: str
    callers: list[str]
    duration_s: float | None
    home: _Origin | None
    more_yields: _Number = 0
    turns: list[_Turn] = []
    depth: _Number = 0


class _Hit(Struct, forbid_unknown_fields=True):
    """See `wire.Hit`. What agents wrote before there were twins, or calls, is as good."""

    probe: str
    instance: str
    seq: _Number
    time: float
    thread: str
    file: str
    line: _Number
    function: str
    message: str
    values: dict[str, Value]
    task: str
    trace: str
    span: str
    detail: _Detail | None
    twin: _Twin | None = None
    call: _Call | None = None


class _Report(Struct):
    """See `wire.Report`."""

    instance: InstanceInfo
    hits: list[Raw] = []
    points: list[Point] = []
    states: list[ProbeState] = []
    dropped: dict[str, int] = {}
    faults: dict[str, int] = {}
    leaving: bool = False


_REPORT = msgspec.json.Decoder(_Report)
_HIT = msgspec.json.Decoder(_Hit)
