"""What is said to a fresh place, and what it answers: lines of JSON over one socket.

    Begin ->            how the place is to be: import path, entry, what of it is replaced
          <- Ready      whether the entry is there, and what stood in the way
    Order ->            one call, by value
          <- Ran        what it came to
    ... until the socket is closed

A place runs one order at a time. What it says comes from a process in which anything may have
run, so it is read strictly.
"""

import json
from typing import Any

from leadline.trial.course import Coursed, read_coursed
from leadline.trial.outcome import UNSHOWN
from leadline.trial.running import Rerun, read_rerun
from leadline.wire.errors import WireError
from leadline.wire.messages import encode
from leadline.wire.struct import asdict, dataclass, field
from leadline.wire.twin import Refusal
from leadline.wire.value import Value

MAX_LINE_BYTES = 64_000_000
"""Of one line: a candidate's sources, or the whole of an outcome."""
RUN_S = 5.0
"""How long one run may take, in seconds, if nothing is said."""
LIFE_S = 900.0
"""How long a place lives at most, in seconds."""
UNSEEN = "all of "
"""How a name of `Ran.inside` begins that tells of something lazy that cannot be followed to
its end, because it then needs what was not kept."""
UNCOMPARED = "what is not compared of "
"""How a name of `Ran.inside` or `Ran.state` begins of which nothing can be said: the value is
the reason, after `what it holds`."""
HANDED = "handed out: "
"""How a name of `Ran.inside` begins that tells a class of a changed file of which an object was
handed out: the real path of the file, a colon and the qualified name."""
LATE = "is not known from before: the call has imported it"
"""The reason of a module of the service that a run has imported."""

BEGAN = "at the start: "
"""How a name of `Ran.state` begins that tells what a run found, by a digest: runs that began
with something else cannot be compared."""
UNMOVED = ", which the call has found so"
"""How such a name ends, beside the other one, of what nobody has written since the call began:
only a twin at its hit knows that."""
WRITTEN = ", which the run has written to"
"""How a third such name ends, where it has."""
MORE = ":"
"""Stands in `Ran.called` for functions beyond what is told of one run."""
OPENED = f"{BEGAN}a database that is open"
"""Said of a run in a process that has one: it may read the file by that, at any time."""
LATER = f"{BEGAN}what the process holds"
"""Said of a run in a twin that was made when its call had been made: what the call has set is
there already."""
GIVEN = "!."
"""Stands in a path before the attribute of what a name of a module leads to, if the old code
must have had it there as well, whatever its text says: `module:name!.attribute`, which is
`module:name.attribute`."""
OF_LIBRARY = "!!."
"""As `GIVEN`, where the object is a library's, which may keep there what it will."""
ONCE = "cached("
"""How a name of `Ran.state` begins that tells of a value which was reckoned for the first time,
and is kept by a `cached_property`: `cached(module:name.attribute)` and the steps from there."""
FURTHER_OUT = "an --entry in which"
"""In a reason that is of what the call is given: a call further out, in which that is made or
asked for, would tell."""
MADE_BY = (
    "a function that the call is given was made by {} of the old code, and the candidate's "
    f"does otherwise (line {{}}); {FURTHER_OUT} it is made would tell"
)
IN_TWIN = "a twin of the service may know"
"""Ends a reason that is of the place, and none of the candidate."""
PUT_INTO = "put into: "
"""Before what follows the name in one of `Ran.reads`, if nothing of what it holds comes out."""
IDLE = f"{UNSHOWN}write without effect "
"""How a name of `Ran.state` begins that tells of a statement that has changed no row which
differs, or of which that is not known: on another database it may change one."""


@dataclass(frozen=True, slots=True)
class Begin:
    """How a place is to be.

    `path` is the import path, `entry` is `module:qualname`. `overlay` holds the source of
    files by absolute path, None for one that is not to be there. `wanted` are the lines that
    count as changed, by absolute file. `first` are modules that are imported before the
    entry's: what sets the service up, such as its WSGI module. `later` are modules that its
    calls import, so that they are there before the first of them. `scope` are folders whose
    code is the service's own, beside all that is not installed.
    `main` is the name under which what was the program itself, `__main__`, is imported: where
    the entry is in it, or the calls are given what it holds (`has_main`).
    `functions` are those that the candidate has otherwise, by absolute file.
    `state` are digests of what the service's modules held (`wire.call.Origin`).
    `loaded` are digests of the functions that the service has loaded, by absolute file, of the
    files in `overlay` of which it is to be known whether it has loaded that text.
    `before` holds the texts of changed files before the change, where `overlay` has it.
    `salt` makes values that are held back comparable between places, and nowhere else.
    `recursion_limit` and `max_str_digits` are those of `sys` in the service, None where they
    are not known: what a program sets when it starts is set by no import. `warnings` are the
    options of the interpreter that say which of them are errors.
    """

    path: list[str]
    cwd: str
    entry: str
    argv: list[str] = field(default_factory=list)
    overlay: dict[str, str | None] = field(default_factory=dict)
    wanted: dict[str, list[int]] = field(default_factory=dict)
    functions: dict[str, list[str]] = field(default_factory=dict)
    before: dict[str, str | None] = field(default_factory=dict)
    scope: list[str] = field(default_factory=list)
    readable: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    fails: str = ""
    expect: str = ""
    salt: str = ""
    main: str = ""
    has_main: bool = False
    state: dict[str, dict[str, str]] = field(default_factory=dict)
    loaded: dict[str, list[str]] = field(default_factory=dict)
    recursion_limit: int | None = None
    max_str_digits: int | None = None
    warnings: list[str] = field(default_factory=list)
    seed: int = 1
    life_s: float = LIFE_S


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether calls can be run. `reason` says why not; `function` is the qualified name that
    the entry's code has, and `parameters` are its own. `moved` are the names, `module:name`,
    under which the modules hold something else than they did in the service. `as_loaded` are
    files of `Begin.loaded` of whose text in `overlay` all those functions are."""

    ok: bool
    reason: str = ""
    file: str = ""
    line: int = 0
    function: str = ""
    parameters: list[str] = field(default_factory=list)
    took_s: float = 0.0
    moved: list[str] = field(default_factory=list)
    as_loaded: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Order:
    """One call to run: the document of its arguments (`wire.kept`). `entry` is the qualified
    name of another function of the entry's module, if it is not the entry that is called.
    `turns` are those of a generator at which more is done than to ask for the next value, as
    `wire.call.Turn` says. `depth` is how deep on the stack it is made, 0 where that is not
    known. `world` is the number of another world to run it in, 0 for the one that is there: in
    others databases hold something else (`agent.place.altered`). `words` are values that the
    code names, `given` those that the call is given, `asked` rows that it has asked for
    (`Ran.asked`), `names` those of tables and columns among others."""

    number: int
    document: dict[str, Any]
    most_yields: int = 0
    within_s: float = RUN_S
    entry: str = ""
    turns: list[dict[str, Any]] = field(default_factory=list)
    depth: int = 0
    world: int = 0
    words: list[str | int | float] = field(default_factory=list)
    given: list[str | int | float] = field(default_factory=list)
    asked: list[dict[str, str | int | float]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run came to. `fails` and `expected` are the two predicates over it, None where
    there is no answer: `unknown` says why. `state` is what the run has changed in the modules
    of the service, by `module.name`. `given` are the objects that were passed, as they are at
    the end, whatever the function has bound to the names of its parameters. `inside` is what
    an outcome holds and does not show. `reads` is what its code reads of what the service may
    have changed: `module:name`, or `:attribute`, a space, and what follows that. `left` and
    `met` are what a run in a twin says of what may be left there (`trial.left.told`)."""

    number: int
    rerun: Rerun
    coursed: Coursed = field(default_factory=Coursed)
    refused: list[Refusal] = field(default_factory=list)
    fails: bool | None = None
    expected: bool | None = None
    unknown: str = ""
    ms: float = 0.0
    state: dict[str, Value] = field(default_factory=dict)
    given: dict[str, Value] | None = None
    inside: dict[str, Value] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)
    met: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    """The functions of the service that have run, `FILE:QUALNAME`, where that is told; the last
    is `MORE` where more have than are told."""
    asked: list[dict[str, str | int | float]] = field(default_factory=list)
    """Rows that were asked for of private copies: columns, and what they were to hold."""


def write(message: Begin | Ready | Order | Ran) -> bytes:
    """Return a message as one line."""
    return encode(message) + b"\n"


def read_begin(line: bytes) -> Begin:
    """Raises `WireError`."""
    return Begin(**_object(line, Begin))


def read_order(line: bytes) -> Order:
    """Raises `WireError`."""
    return Order(**_object(line, Order))


def read_ready(line: bytes) -> Ready:
    """Raises `WireError`."""
    value = _object(line, Ready)
    value["refused"] = _refusals(value.get("refused"))
    if not all(_are_texts(value.get(name, [])) for name in ("moved", "as_loaded")):
        raise WireError("What a place has said does not follow the contract.")
    return Ready(**value)


def read_ran(line: bytes) -> Ran:
    """Raises `WireError`."""
    return ran_of(_object(line, Ran))


def ran_of(said: Any) -> Ran:
    """Read a run that was parsed from JSON; raises `WireError`."""
    if not isinstance(said, dict) or not set(said) <= set(Ran.__slots__):
        raise WireError("A run does not follow the contract.")
    value = dict(said)
    if type(value.get("number")) is not int or type(value.get("unknown", "")) is not str:
        raise WireError("A run does not follow the contract.")
    for name in ("fails", "expected"):
        if value.get(name) not in (True, False, None):
            raise WireError("A run does not follow the contract.")
    if not all(
        isinstance(value.get(name) or {}, dict) for name in ("state", "given", "inside", "left")
    ):
        raise WireError("A run does not follow the contract.")
    asked = value.get("asked", [])
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise WireError("A run does not follow the contract.")
    texts = [*(value.get("left") or {}).values(), *(value.get("met") or ())]
    told = all(_are_texts(value.get(name, [])) for name in ("reads", "called"))
    if not told or not all(type(one) is str for one in texts):
        raise WireError("A run does not follow the contract.")
    value["rerun"] = read_rerun(value.get("rerun"))
    value["coursed"] = read_coursed(value.get("coursed"))
    value["refused"] = _refusals(value.get("refused"))
    return Ran(**value)


NOT_ENDED = "it had not ended"
"""How the reason of a run begins that took longer than it may."""


def cut(number: int, reason: str) -> Ran:
    """Return a run that came to nothing."""
    return Ran(number, Rerun(None, cut=reason))


def plain(ran: Ran) -> dict[str, Any]:
    """Return a run as plain data."""
    return dict(asdict(ran))


def _object(line: bytes, struct: type[Any]) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise WireError("A place has said what is no JSON.") from None
    if not isinstance(value, dict) or not set(value) <= set(struct.__slots__):
        raise WireError("A place has said what is not in the contract.")
    return value


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is str for one in value)


def _refusals(value: Any) -> list[Refusal]:
    try:
        return [Refusal(str(one["what"]), str(one["detail"]), int(one["count"]))
                for one in value or ()]  # fmt: skip
    except (KeyError, TypeError, ValueError):
        raise WireError("What a place was refused cannot be read.") from None
