"""What a probe is: one request to look at one place in a service.

A probe is declarative. The server holds the set that a service should carry; every instance
arms what it can and reports a status for each.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from leadline.wire.errors import UsageError

DEFAULT_HITS = 100
DEFAULT_TTL_S = 900.0
DEFAULT_RATE_PER_S = 50.0
"""A hit costs the pure core 7 to 8 us in a warm loop (`make bench`) and was seen to cost 70 to
130 us in a process that is mostly asleep: at this rate at most 0.65 % of a core."""

MAX_HITS = 1_000_000
"""A probe that is meant to hit for ever is a metric, not a log."""
MAX_TTL_S = 7 * 24 * 3600.0
"""A forgotten probe goes away within a week whatever was asked for."""
MAX_RATE_PER_S = 1_000.0
"""Above this a pure-Python agent would exceed its budget of 1 % of a core anyway."""
MAX_TEMPLATE_CHARS = 2_000
MAX_CONDITION_CHARS = 2_000
MAX_PATH_CHARS = 500
MAX_NOTE_CHARS = 500

MAX_DEPTH = 8
MAX_ITEMS = 1_000
MAX_TEXT = 4_096


class ProbeKind(StrEnum):
    """The kinds of probes; each has a struct of its own below."""

    LOG = "log"


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


@dataclass(frozen=True, slots=True)
class Target:
    """A line of a file, named by the end of its path: `shop/pricing.py:88`."""

    file: str
    line: int

    def __post_init__(self) -> None:
        name = self.file.rpartition("/")[2]
        if len(self.file) > MAX_PATH_CHARS or name in ("", ".", "..") or not _plain(self.file):
            raise UsageError(
                "bad-target", "A target needs the end of a file's path, such as app.py:3."
            )
        if name.startswith("<"):
            raise UsageError(
                "bad-target",
                f"{name} is code that is in no file, so no line of it can be named.",
                "Put the code into a file.",
            )
        if not 1 <= self.line <= 10_000_000:
            raise UsageError("bad-target", f"{self.line} is not a line number.")

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `FILE:LINE`; raises `UsageError` (slug `bad-target`)."""
        file, colon, line = text.rpartition(":")
        if not colon or not line.isascii() or not line.isdigit() or len(line) > 8:
            raise UsageError(
                "bad-target",
                f"{text!r} is not a place in the code.",
                "Write FILE:LINE, for example shop/pricing.py:88.",
            )
        return cls(file, int(line))


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one probe may do.

    `hits`: captured hits over all instances. `ttl_s`: seconds of life left at the moment the
    message was written. `rate_per_s`: captured hits a second in each instance.
    """

    hits: int = DEFAULT_HITS
    ttl_s: float = DEFAULT_TTL_S
    rate_per_s: float = DEFAULT_RATE_PER_S

    def __post_init__(self) -> None:
        _within("hits", self.hits, 1, MAX_HITS)
        _within("ttl", self.ttl_s, 0, MAX_TTL_S, " seconds")
        _within("rate", self.rate_per_s, 0.01, MAX_RATE_PER_S, " a second")


@dataclass(frozen=True, slots=True)
class CaptureLimits:
    """How much of one value is captured: levels, items over all levels, characters a text."""

    depth: int = 3
    items: int = 100
    text: int = 256

    def __post_init__(self) -> None:
        _within("depth", self.depth, 0, MAX_DEPTH)
        _within("items", self.items, 1, MAX_ITEMS)
        _within("text", self.text, 1, MAX_TEXT)


@dataclass(frozen=True, slots=True)
class LogProbe:
    """Write a line of text, with values in it, each time the target line is reached."""

    id: str
    target: Target
    template: str
    condition: str | None = None
    limits: Limits = field(default_factory=Limits)
    capture: CaptureLimits = field(default_factory=CaptureLimits)
    owner: str = ""
    note: str = ""
    kind: ProbeKind = ProbeKind.LOG

    def __post_init__(self) -> None:
        _short("id", self.id, 100)
        _short("template", self.template, MAX_TEMPLATE_CHARS)
        _short("condition", self.condition or "", MAX_CONDITION_CHARS)
        _short("owner", self.owner, MAX_NOTE_CHARS)
        _short("note", self.note, MAX_NOTE_CHARS)


type Probe = LogProbe
"""Any probe; grows into a union as kinds are added, and `match` tells them apart."""


def _within(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    if not low <= value <= high:  # also refuses nan
        given = f", not {value:g}" if -1e15 < value < 1e15 else ""
        raise UsageError("bad-limit", f"{name} must be from {low:g} to {high:g}{unit}{given}.")


def _plain(path: str) -> bool:
    """Whether a path can be the name of a file: no null byte, no half of a character."""
    return "\0" not in path and not any("\ud800" <= one <= "\udfff" for one in path)


def _short(name: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise UsageError(
            "too-long", f"The {name} has {len(text)} characters; {limit} are allowed."
        )
