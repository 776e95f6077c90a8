"""Leadline itself: the agent's own registry and core; for pauses, the whole agent.

Limits are lifted, because the cost of a hit is asked for and not what happens when hits cost
too much. Which core runs is chosen by `LEADLINE_CORE`, see `benchmarks.worker`.
"""

import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import target
from benchmarks.subjects import Case
from benchmarks.windows import pauses_ns
from leadline import __version__
from leadline.agent import boot
from leadline.agent.core import Core, Monitor, choose
from leadline.agent.probes.registry import Registry
from leadline.agent.works import Works
from leadline.wire.limits import CaptureLimits, Limits
from leadline.wire.probe import CounterProbe, LogProbe, Probe, SnapshotProbe
from leadline.wire.target import Target

_ENDLESS = 10**15


class Subject:
    """See `benchmarks.subjects.Subject`."""

    turns = 20

    def __init__(self) -> None:
        monitor = Monitor()
        monitor.open()
        self._core: Core = choose(monitor)
        self._registry = Registry(self._core, monitor)
        self._core.budget_ns = _ENDLESS
        self.version = f"{__version__}, {self._core.name} core"

    def cases(self) -> dict[str, Callable[[], Case]]:
        def plain() -> int:
            return target.price(3, 4)

        def at(mark: str) -> Target:
            return Target(target.__file__, target.line(mark))

        hot = at("hot")

        def case(probe: Probe, call: Callable[[], object] = plain) -> Callable[[], Case]:
            return lambda: (call, call, lambda on: self._switch(probe, on))

        deep = CaptureLimits(depth=3)
        return {
            "cold": case(LogProbe("p", at("cold"), "x")),
            "condition": case(LogProbe("p", hot, "x", "quantity > 1000")),
            "over": case(LogProbe("p", hot, "x", limits=Limits(rate_per_s=0.01))),
            "counter": case(CounterProbe("p", hot)),
            "log": case(LogProbe("p", hot, "q {quantity} u {unit}")),
            "snapshot": case(
                SnapshotProbe("p", at("snapshot"), frames=8, capture=deep),
                lambda: target.checkout(target.ORDER, 5),
            ),
        }

    def between(self) -> None:
        self._core.drain(10**6)
        self._core.spent_ns()

    def pauses(self) -> dict[str, list[int]]:
        """With the sender at work, on a server that takes connections and never answers."""
        self._core.close()
        os.environ["LEADLINE_BUDGET"] = "100"
        boot.start("bench", f"http://127.0.0.1:{_dead_server()}", "lla_none")
        guest: Any = boot._guest  # noqa: SLF001 - who is measured has no other way in
        works: Works = guest.rouse()
        self._core, self._registry = works.core, works.registry
        seen = {"control": pauses_ns(lambda: target.price(3, 4), 20_000)}
        hostile = target.Hostile()
        probes: dict[str, tuple[Probe, Callable[[], object], int]] = {
            "hostile value, log": (
                LogProbe("h", self._hostile(), "{wide} {text} {deep}"),
                lambda: target.hold(hostile),
                300,
            ),
            "hostile value, snapshot": (
                SnapshotProbe("h", self._hostile(), frames=8),
                lambda: target.hold(hostile),
                300,
            ),
            "full buffer, dead server": (
                LogProbe("f", Target(target.__file__, target.line("hot")), "{quantity} {unit}"),
                lambda: target.price(3, 4),
                40_000,
            ),
        }
        for name, (probe, call, calls) in probes.items():
            self._switch(probe, True)
            for _ in range(3):
                call()
            seen[name] = pauses_ns(call, calls, partial(self._refill, probe.id))
            self._switch(probe, False)
        dropped = self._core.dropped()
        assert dropped.get("buffer full"), f"the buffer was never full: {dropped}"
        return seen

    def _hostile(self) -> Target:
        return Target(target.__file__, target.line("hostile"))

    def _switch(self, probe: Probe, on: bool) -> None:
        self._registry.apply([probe] if on else [])
        if on and probe.limits.rate_per_s >= 1:
            self._refill(probe.id)

    def _refill(self, probe: str) -> None:
        compiled = self._registry.standing(probe).compiled
        assert compiled is not None
        compiled.passage.tokens = compiled.passage.hits_left = 10**9


def _dead_server() -> int:
    """Return the port of a server that takes connections and never says a word."""
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    kept: list[object] = []

    def take() -> None:
        while True:
            kept.append(server.accept())

    threading.Thread(target=take, daemon=True).start()
    return int(server.getsockname()[1])
