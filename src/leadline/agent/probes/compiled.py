"""A probe that is ready to be armed, whatever its kind."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from leadline.agent.core.passage import (
    NO_ALLOWANCE_NS,
    Passage,
    Plan,
    Reading,
    Record,
    Site,
    Visit,
)
from leadline.expression import compile_condition
from leadline.wire.limits import MAX_COST_PERCENT
from leadline.wire.probe import Fate, Probe
from leadline.wire.struct import dataclass


class Following(Protocol):
    """What follows the calls that a probe has seen begin, where those are the probe's hits."""

    @property
    def awaits(self) -> bool:
        """Return whether the end of any is still waited for."""

    @property
    def over(self) -> str:
        """Return why it takes no more, beside the number of hits; empty if it does."""

    def fates(self, fates: dict[Fate, int]) -> dict[Fate, int]:
        """Return what became of the calls, of what became of their beginnings."""

    def allow(self, ns: int) -> None:
        """Take what of each second the probe may use."""

    def unheard(self) -> list[Site]:
        """Return where else there is to be listened, from now on."""

    def left(self) -> list[Record]:
        """Return those whose end nobody heard of and that are over, as records."""

    def owed_ns(self) -> int:
        """Return what their ends have cost since the last call."""

    def forget(self) -> None:
        """Give up all that have not ended: nobody has seen whether they did."""

    def renew(self) -> None:
        """Begin anew, in a forked child."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """`passage` is what the core takes; `names` are the variables that expressions read."""

    probe: Probe
    passage: Passage
    names: frozenset[str]
    witness: Passage | None = None
    """What sees the calls end that the probe has seen begin."""
    following: Following | None = None
    ear: Passage | None = None
    """What hears what a web server is told meanwhile."""

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Return all that is armed for the probe."""
        every = (self.passage, self.witness, self.ear)
        return tuple(one for one in every if one is not None)


def allowance_ns(probe: Probe) -> int:
    """Return the measured time that a probe may take of each second."""
    percent = probe.limits.cost_percent
    return int(percent * 1e7) if percent < MAX_COST_PERCENT else NO_ALLOWANCE_NS


def ready(
    probe: Probe,
    names: frozenset[str],
    take: Callable[[Visit], bytes | None] | None,
    *,
    plan: Plan | None = None,
    read: Callable[[bytes], Reading] | None = None,
    concerns: Callable[[BaseException], bool] | None = None,
    began: bool = False,
    timed: bool = False,
    samples: deque[float] | None = None,
    apart: bool = False,
) -> Compiled:
    """Put together what kinds have in common. Raises `ExpressionError` for a condition that
    is not allowed."""
    condition = compile_condition(probe.condition) if probe.condition is not None else None
    passage = Passage(
        probe=probe.id,
        holds=condition.holds if condition else None,
        take=take,
        condition=condition,
        plan=plan,
        read=read,
        concerns=concerns,
        began={} if began else None,
        timed=timed,
        samples=samples,
        hits_left=probe.limits.hits,
        tokens=max(1.0, probe.limits.rate_per_s),
        burst=max(1.0, probe.limits.rate_per_s),
        allowance_ns=allowance_ns(probe),
        apart=apart,
    )
    return Compiled(probe, passage, names | (condition.names if condition else frozenset()))
