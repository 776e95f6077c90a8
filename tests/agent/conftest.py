"""An agent's engine in the test's own process: everything but the link to a server."""

import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from leadline.agent.core import Core, Monitor, choose
from leadline.agent.core.passage import Reading
from leadline.agent.probes.registry import Registry
from leadline.wire.hit import Point, ProbeState
from leadline.wire.limits import CaptureLimits, Limits
from leadline.wire.probe import (
    CaptureProbe,
    CounterProbe,
    ExceptionProbe,
    LogProbe,
    MetricProbe,
    ProbeKind,
    SnapshotProbe,
    TimerProbe,
    default_moment,
)
from leadline.wire.target import Target, parse_place

TOOL_IDS = (4, 3, 5)
KINDS: dict[type[Any], ProbeKind] = {
    LogProbe: ProbeKind.LOG,
    SnapshotProbe: ProbeKind.SNAPSHOT,
    CounterProbe: ProbeKind.COUNTER,
    MetricProbe: ProbeKind.METRIC,
    TimerProbe: ProbeKind.TIMER,
    ExceptionProbe: ProbeKind.EXCEPTION,
    CaptureProbe: ProbeKind.CAPTURE,
}


class Soundings:
    """Places probes and reads hits, as the two threads of the link do."""

    def __init__(self) -> None:
        self.monitor = Monitor()
        self.monitor.open()
        self.core: Core = choose(self.monitor)
        self.registry = Registry(self.core, self.monitor)
        self._next = 0
        self._clock = 0.0

    def log(self, target: str, template: str = "here", **options: Any) -> str:
        """Place a log probe; returns its id."""
        self._next += 1
        limits = Limits(
            hits=options.pop("hits", 1_000_000),
            rate_per_s=options.pop("rate", 1_000.0),
            ttl_s=options.pop("ttl", 900.0),
            cost_percent=options.pop("cost", 100.0),
        )
        probe = LogProbe(
            id=f"p{self._next}",
            target=Target.parse(target),
            template=template,
            condition=options.pop("condition", None),
            limits=limits,
            capture=CaptureLimits(**options),
        )
        self.registry.add([probe])
        return probe.id

    def state(self, probe: str) -> ProbeState:
        """Return how a probe stands now."""
        return self.registry.state(probe)

    def messages(self) -> list[str]:
        """Return the texts of the hits since the last call."""
        return [message for message, _ in self.hits()]

    def hits(self) -> list[tuple[str, dict[str, Any]]]:
        """Return texts and values of the hits since the last call."""
        return [(reading.message, reading.values) for reading in self.readings()]

    def readings(self) -> list[Reading]:
        """Return all that is in the hits since the last call."""
        records = self.core.drain(1_000_000)
        return [
            record.passage.read(record.payload) for record in records if record.passage.read
        ]

    def points(self) -> list[Point]:
        """Return what probes that add up have seen since the last call."""
        return self.registry.points("i", 1, last=True)

    def place(self, kind: type[Any], target: str, **options: Any) -> str:
        """Place a probe of any kind; returns its id."""
        self._next += 1
        place = parse_place(target)
        standard = {
            "id": f"p{self._next}",
            "target": place,
            "moment": default_moment(KINDS[kind], place),
            "limits": Limits(hits=1_000_000, rate_per_s=1_000.0),
        }
        self.registry.add([kind(**standard | options)])
        return f"p{self._next}"

    def tick(self, seconds: float = 1.0) -> None:
        """Let time pass for limits and expiry."""
        self._clock += seconds
        self.registry.tick(time.monotonic() + self._clock)

    def lift_budget(self) -> None:
        """Let probes use all the time there is: each passage is to be seen."""
        self.core.budget_ns = self.registry.budget.whole_ns = 10**18

    def close(self) -> None:
        self.registry.apply([])
        self.core.close()


@pytest.fixture
def soundings() -> Iterator[Soundings]:
    """Engine, closed afterwards; and nothing of it is left (S7)."""
    made = Soundings()
    yield made
    made.close()
    assert [sys.monitoring.get_tool(tool) for tool in TOOL_IDS] == [None] * 3


@pytest.fixture
def make_module(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Write a module's source to a file and import it from there."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def make(name: str, source: str, *, load: bool = True) -> Any:
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
        made.append(name)
        if not load:
            return None
        return __import__(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)
