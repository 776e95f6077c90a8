"""How a frame is stepped in a twin: one request a line, one reply a line, both JSON.

The first reply, number 0, comes unasked: the twin is there. From then on whoever holds the
other end of the channel asks, and each request has its one reply; until then the twin stands
still. Any front end can drive it. A coroutine that was hit at its very start begins anew, with
the same arguments, on a loop of its own, and goes past its awaits; anything else is the very
frame that was hit.

    next step return until continue    go on, and answer when the frame stands again
    where up down list                 where it stands, and which frame is looked at
    print pp run                       evaluate `text` in the frame that is looked at
    args locals complete               what there is in it
    quit                               end the twin

`text` is an expression or a statement for `print`, `pp` and `run`, the beginning of a name for
`complete`, and a number for `up`, `down` (frames), `until` and `list` (a line); it may be empty
for all of these but the first three.
"""

import json
from enum import StrEnum
from typing import Any

from leadline.wire.errors import WireError
from leadline.wire.struct import dataclass, field
from leadline.wire.twin import MAX_LINE_CHARS, Refusal
from leadline.wire.value import Value

MAX_FRAMES = 100
"""Of a stack that is shown: the innermost."""
MAX_VARIABLES = 200
"""Of a frame that are shown."""
MAX_COMPLETIONS = 200
"""More are read by nobody."""


class Do(StrEnum):
    """What can be asked of a frame that stands."""

    WHERE = "where"
    UP = "up"
    DOWN = "down"
    LIST = "list"
    NEXT = "next"
    STEP = "step"
    RETURN = "return"
    CONTINUE = "continue"
    UNTIL = "until"
    PRINT = "print"
    PP = "pp"
    RUN = "run"
    COMPLETE = "complete"
    ARGS = "args"
    LOCALS = "locals"
    QUIT = "quit"


MOVES = frozenset((Do.NEXT, Do.STEP, Do.RETURN, Do.CONTINUE, Do.UNTIL))
"""After these the frame goes on."""


class Reason(StrEnum):
    """Why the frame stands where it does.

    `finished`: the call that was hit has come to its end, or, where it was under way already,
    to an `await` that would leave it; it can still be looked at. `error`: the request was not
    understood or not possible, or what it evaluated has raised, and the frame stands where it
    stood.
    """

    LINE = "line"
    RETURN = "return"
    EXCEPTION = "exception"
    FINISHED = "finished"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `number` comes back with the reply."""

    do: Do
    text: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Stand:
    """A place in the code that is running: where a frame stands.

    `is_selected` is the frame that is looked at. `is_above` are the callers of the call that
    was hit: they can be looked at and will not go on.
    """

    file: str
    line: int
    function: str
    source: str = ""
    is_selected: bool = False
    is_above: bool = False


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of a listing."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one request.

    `stop` is where the frame that is looked at stands. `value` is there when `has_value` says
    so: of an expression, of a function that returns, of the exception. `text` is for a person:
    an error, an exception with its frames, a pretty-printed value. `printed` and `refused` are
    what happened since the reply before. `alive_s` is how long the twin may still live.
    """

    number: int
    reason: Reason
    stop: Stand | None = None
    text: str = ""
    has_value: bool = False
    value: Value = None
    printed: str = ""
    refused: list[Refusal] = field(default_factory=list)
    frames: list[Stand] = field(default_factory=list)
    lines: list[SourceLine] = field(default_factory=list)
    variables: dict[str, Value] = field(default_factory=dict)
    completions: list[str] = field(default_factory=list)
    alive_s: float = 0.0


def read_request(line: str) -> Request:
    """Read one line of the channel; raises `WireError`."""
    value = _object(line)
    do, text, number = value.get("do"), value.get("text", ""), value.get("number", 0)
    if type(do) is not str or do not in Do.__members__.values():
        raise WireError(f"A frame cannot be asked to {do!r}.")
    if type(text) is not str or len(text) > MAX_LINE_CHARS:
        raise WireError(f"The text of a request has at most {MAX_LINE_CHARS:,} characters.")
    if type(number) is not int:
        raise WireError("The number of a request is not a whole number.")
    return Request(Do(do), text, number)


def read_reply(line: str) -> Reply:
    """Read one line of the channel on the side that asks; raises `WireError`."""
    value = _object(line)
    try:
        stop = value.get("stop")
        return Reply(
            **value
            | {
                "reason": Reason(value["reason"]),
                "stop": Stand(**stop) if stop is not None else None,
                "refused": [Refusal(**one) for one in value["refused"]],
                "frames": [Stand(**one) for one in value["frames"]],
                "lines": [SourceLine(**one) for one in value["lines"]],
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"A reply of a twin does not follow the contract: {error}.") from error


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError(f"A line of the channel is no JSON: {error}.") from None
    if type(value) is not dict:
        raise WireError("A line of the channel is no object.")
    return value
