"""What a core needs to know of a probe, and what it hands over: no wire, no registry.

A *passage* is one execution through one of the probe's sites. Everything about it is decided
here in the fixed order limiter -> condition -> capture, with each outcome counted as a `Fate`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import NamedTuple

from leadline.agent.capture.frame import Scope
from leadline.wire.probe import Fate
from leadline.wire.value import Value


@dataclass(frozen=True, slots=True)
class Site:
    """One place in one code object: the offsets, in bytes, where its line begins."""

    code: CodeType
    offsets: tuple[int, ...]
    file: str
    line: int
    function: str


@dataclass(slots=True, eq=False)
class Passage:
    """One probe as the hot path sees it.

    `holds` and `take` run on the application's thread; `read` turns what `take` made into a
    text and values, on the sender's. `off` is set when a limit has switched the sites off.

    Counters are plain integers that the application's threads add to without a lock: CPython
    changes threads only at calls and backward jumps, and `n += 1` holds neither.
    """

    probe: str
    holds: Callable[[Scope], bool] | None
    take: Callable[[Scope], bytes]
    read: Callable[[bytes], tuple[str, dict[str, Value]]]
    hits_left: int
    tokens: float
    burst: float
    sites: tuple[Site, ...] = ()
    off: bool = False
    fates: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    unknown: str = ""
    cost_ns: int = 0
    window_ns: int = 0

    @property
    def spent(self) -> bool:
        """Whether the probe has captured all the hits that it may."""
        return self.hits_left <= 0

    def refill(self, tokens: float) -> None:
        """Give the limiter more tokens, up to one second's worth."""
        self.tokens = min(self.burst, self.tokens + tokens)


class Record(NamedTuple):
    """One captured hit: plain data, no reference into the application."""

    passage: Passage
    site: Site
    time: float
    thread: int
    payload: bytes
