"""The calls that led to a hit, each with its variables: what a debugger shows when it stops.

The innermost call comes first and gets what room there is; a frame that came too late says so.
"""

import time
from types import CodeType, FrameType

from leadline.agent.capture.frame import frame_code, scope_of
from leadline.agent.capture.traceback import frames_of
from leadline.agent.capture.tree import Room, capture
from leadline.expression import Unknown
from leadline.wire.limits import CaptureLimits
from leadline.wire.redaction import secret_name
from leadline.wire.value import Omission, Value

MAX_CALLS = 1_000
"""Frames that are counted; deeper ones are as many as nobody wants to know."""
MAX_VARIABLES = 100
"""Of one frame; code with more is generated."""
LONGEST_NS = 2_000_000
"""Of processor time; then the rest of the stack is given without its variables. One hit must
not hold up a request for longer, nor use up the second's budget: in a process that has just
started a value of some depth was seen to cost the pure core up to 0.1 ms."""
NEAR = 3
"""Frames that are captured as deep as was asked for; further out stand frameworks, whose
objects hold on to everything."""
FAR_DEPTH, FAR_ITEMS = 1, 20
"""Levels and items of a value of the frames beyond those."""

TOO_LONG = f"{LONGEST_NS / 1e6:.0f} ms of the processor were used up"
_OURS = __file__.removesuffix("agent/capture/stack.py")
_DEMO = f"{_OURS}demo/service/"  # an application like any other
_CO_OPTIMIZED = 0x1
_clock = time.thread_time_ns


def stack(
    frame: FrameType,
    exception: BaseException | None,
    most: int,
    limits: CaptureLimits,
    room: Room,
) -> tuple[list[Value], int]:
    """Return the `most` innermost calls as `wire.FrameView`s, and how many there are beyond.

    With an exception, those that it has left already come first: their variables are those of
    the moment when they were left.
    """
    calls: list[tuple[FrameType, int]] = []
    left = count = 0
    if exception is not None:
        calls, left = frames_of(exception, frame, most)
    outer: FrameType | None = frame
    while outer is not None and count < MAX_CALLS:
        if len(calls) < most:
            calls.append((outer, outer.f_lineno or 0))
        outer = outer.f_back
        count += 1
    until = _clock() + LONGEST_NS
    shown: list[Value] = []
    for one, line in calls:
        if len(shown) == NEAR:
            limits = further(limits)
        shown.append(_call(one, line, until, limits, room))
    return shown, left + count - len(calls)


def further(limits: CaptureLimits) -> CaptureLimits:
    """Return what is captured of the values of frames that are further out."""
    return CaptureLimits(
        min(limits.depth, FAR_DEPTH), min(limits.items, FAR_ITEMS), limits.text
    )


def _call(
    frame: FrameType, line: int, until: int, limits: CaptureLimits, room: Room
) -> dict[str, Value]:
    code = frame_code(frame)
    shown: dict[str, Value] = {
        "file": room.text(code.co_filename[:500]),
        "line": line,
        "function": room.text(code.co_qualname[:200]),
    }
    if code.co_filename.startswith(_OURS) and not code.co_filename.startswith(_DEMO):
        shown["omitted"] = "it is Leadline's own"  # and has keys among its variables
    elif not code.co_flags & _CO_OPTIMIZED:
        shown["omitted"] = "its variables are the module's or the class's own"
    elif _clock() > until:
        shown["omitted"] = TOO_LONG
    elif room.left <= 0:
        shown["omitted"] = "the frames before took all the room of a hit"
    else:
        shown["locals"], complete = _variables(frame, code, until, limits, room)
        if not complete:
            shown["omitted"] = TOO_LONG
    return shown


def _variables(
    frame: FrameType, code: CodeType, until: int, limits: CaptureLimits, room: Room
) -> tuple[dict[str, Value], bool]:
    """Return the variables that have a value, parameters first, as the code names them, and
    whether they are all there: it may have taken too long."""
    scope = scope_of(frame, code)
    names = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
    found: dict[str, Value] = {}
    for name in names[:MAX_VARIABLES]:
        if name in found or not name.isidentifier():
            continue
        if _clock() > until:
            return found, False
        try:
            value = scope(name)
        except Unknown:
            continue  # not bound yet, or not any more
        room.text(name)
        if rule := secret_name(name):
            found[name] = {"type": "?", "omitted": Omission.REDACTED, "rule": rule}
        else:
            found[name] = capture(value, limits, room)
    return found, True
