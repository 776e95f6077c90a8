"""How much a probe may do, and how much of it may be said: each limit with its reason.

What may be asked for is checked here once, for the agent, the server and the command line.
"""

from leadline.wire.errors import UsageError
from leadline.wire.struct import dataclass

MAX_HITS = 1_000_000
"""A captured probe that is meant to hit for ever is a metric, not a log."""
MAX_PASSAGES = 10**12
"""Of a probe that only adds up; in effect no limit."""
MAX_TTL_S = 7 * 24 * 3600.0
"""A forgotten probe goes away within a week whatever was asked for."""
MAX_RATE_PER_S = 1_000.0
"""Above this a pure-Python agent would exceed its budget of 1 % of a core anyway."""
MAX_PASSAGES_PER_S = 1_000_000.0
"""A probe that adds up has to see every passage to be right; the budget is its real limit."""
MIN_COST_PERCENT = 0.001
"""10 us of a second: one snapshot, and nothing for a long while."""
MAX_COST_PERCENT = 100.0
"""Of one core; in effect no limit but the process' budget, which is far below it."""
MAX_TEMPLATE_CHARS = 2_000
MAX_CONDITION_CHARS = 2_000
MAX_NOTE_CHARS = 500
MAX_WATCHES = 20
MAX_FRAMES = 20
DEFAULT_FRAMES = 10
MAX_RAISES = 20
MAX_ANCHOR_CHARS = 500

MAX_DEPTH = 8
MAX_ITEMS = 1_000
MAX_TEXT = 4_096


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one probe may do.

    `hits`: captured hits over all instances. `ttl_s`: seconds of life left at the moment the
    message was written. `rate_per_s`: captured hits a second in each instance. How many may be
    asked for depends on the kind, so the probe itself checks that. `cost_percent`: time that
    was measured on the application's threads, of one core in each instance; never more than
    the budget of the process.
    """

    hits: int = 100
    ttl_s: float = 900.0
    rate_per_s: float = 50.0
    cost_percent: float = MAX_COST_PERCENT

    def __post_init__(self) -> None:
        within("ttl", self.ttl_s, 0, MAX_TTL_S, " seconds")
        within("cost", self.cost_percent, MIN_COST_PERCENT, MAX_COST_PERCENT, " percent")


@dataclass(frozen=True, slots=True)
class CaptureLimits:
    """How much of one value is captured: levels, items over all levels, characters a text."""

    depth: int = 3
    items: int = 100
    text: int = 256

    def __post_init__(self) -> None:
        within("depth", self.depth, 0, MAX_DEPTH)
        within("items", self.items, 1, MAX_ITEMS)
        within("text", self.text, 1, MAX_TEXT)


def within(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    """Refuse a number that is not in its range (slug `bad-limit`)."""
    if not low <= value <= high:  # also refuses nan
        given = f", not {_said(value)}" if -1e15 < value < 1e15 else ""
        raise UsageError(
            "bad-limit", f"{name} must be from {_said(low)} to {_said(high)}{unit}{given}."
        )


def short(name: str, text: str, limit: int) -> None:
    """Refuse a text that is too long (slug `too-long`)."""
    if len(text) > limit:
        raise UsageError(
            "too-long", f"The {name} has {len(text)} characters; {limit} are allowed."
        )


def _said(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.15g}"
