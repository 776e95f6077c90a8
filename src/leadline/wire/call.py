"""One captured call of a function, as it travels: what went in by value, what came out.

What went in can be rebuilt elsewhere and the call made again (`wire.kept`); what came out is
there to be compared, as trees (`wire.value`).
"""

from enum import StrEnum
from typing import Any

from leadline.wire.struct import dataclass, field
from leadline.wire.value import Value

MAX_CALLS = 10_000
"""Of one capture: what a comparison can run through in minutes."""
DEFAULT_CALLS = 200
"""Without a difference in so many, at most 1.5 % of such calls differ (95 %)."""
RESERVED = 4
"""One of so many calls is kept for those that fail, where it was said what that is."""
MAX_CAPTURED_BYTES = 8_000_000
"""Of all calls of one capture in one instance."""
MAX_YIELDS = 100
"""Of one generator that are taken; what it gives out beyond is counted."""
KEPT_FLAGS = ("optimize", "bytes_warning", "dev_mode", "utf8_mode")
"""Of `sys.flags`, with which the same code does other things."""
NOT_LOOKED_AT = "?"
"""The digest that stands for code of which nothing is known."""
MAX_CALLERS = 8
"""Callers of the application's own that are named."""


class CallKind(StrEnum):
    """What a call of the function gives to its caller."""

    FUNCTION = "function"
    COROUTINE = "coroutine"
    GENERATOR = "generator"
    ASYNC_GENERATOR = "async generator"


class TurnKind(StrEnum):
    """What a caller does to a generator, if it is not to ask for the next value."""

    SEND = "send"
    THROW = "throw"
    CLOSE = "close"
    """Left before its end, too: that is what the interpreter makes of it."""


def most_good(hits: int, *, reserves: bool) -> int:
    """Return how many of the calls of a capture may be such that do not fail."""
    return hits - (hits // RESERVED if reserves else 0)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a generator met `after` it had given out so many values. `kept` is what was sent or
    thrown, as a document (`wire.kept`) with one root, `sent`."""

    after: int
    kind: TurnKind
    kept: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an instance has the function from: what a fresh process needs to import it as this
    one did.

    `file` is the source of the function and `digest` the SHA-256 of it, as it was on the disk
    when the first call was captured; `hash_seed` is the environment's `PYTHONHASHSEED`,
    and `main` the name under which the program itself, `__main__`, can be imported. `state`
    are digests of what the modules of the application hold beside functions and classes, by
    module and name (`agent.state`): elsewhere they may hold something else. `code` are digests
    of the functions that are loaded, by source file (`agent.loaded_code`): the file may have
    been edited since. The two limits
    are what the program may have set with functions of `sys`; None where that is not told.
    `flags` are those of `KEPT_FLAGS` that are not 0, and `warnings` the options of `-W`.
    """

    python: str
    executable: str
    path: list[str]
    folder: str
    file: str
    digest: str = ""
    hash_randomization: bool = True
    hash_seed: str = ""
    main: str = ""
    state: dict[str, dict[str, str]] = field(default_factory=dict)
    code: dict[str, list[str]] = field(default_factory=dict)
    recursion_limit: int | None = None
    max_str_digits: int | None = None
    flags: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CallView:
    """One call that was captured.

    `value` is the result where it `returned`, else the exception, and `arguments` are the
    parameters as they were at its end. `fails` says whether what was looked for held, None
    where that was not asked or is not known: `unknown` says why. `kept` are the arguments as
    they were at its beginning (`wire.kept`); `withheld` names what of them was held back, and
    `obstacle` why the call cannot be made again. `callers` are those of the application's own
    code, `module:qualname`, the innermost first. `home` comes with the first call that an
    instance captures for a probe. Of a generator, `yields` are the values that it gave out,
    the first `MAX_YIELDS`, and `more_yields` counts the others; `turns` are those at which its
    caller did more than to ask for the next one, in their order. `depth` is how many calls
    deep on the stack of its thread it began, itself among them, 0 where that is not known.
    """

    entry: str
    kind: CallKind
    returned: bool
    value: Value = None
    arguments: dict[str, Value] = field(default_factory=dict)
    yields: list[Value] = field(default_factory=list)
    fails: bool | None = None
    unknown: str = ""
    kept: dict[str, Any] | None = None
    size: int = 0
    withheld: list[str] = field(default_factory=list)
    obstacle: str = ""
    callers: list[str] = field(default_factory=list)
    duration_s: float | None = None
    home: Origin | None = None
    more_yields: int = 0
    turns: list[Turn] = field(default_factory=list)
    depth: int = 0

    @property
    def closed(self) -> bool:
        """Whether it is a generator that was closed, or left, before its end."""
        return bool(self.turns) and self.turns[-1].kind is TurnKind.CLOSE


def size_words(count: int) -> str:
    """Return an amount of JSON as a person reads it."""
    for unit, size in (("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
