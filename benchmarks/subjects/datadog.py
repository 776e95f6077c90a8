"""ddtrace's dynamic instrumentation, with a stand-in for its agent on loopback.

Tracing is off; its rate limits are lifted but where the cost of a dropped hit is asked for, and
its uploads wait for an hour, so that its own thread does not run in the windows.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import target
from benchmarks.subjects import Case
from benchmarks.windows import pauses_ns

_LIFTED = 1e9
_SHIPPED = 100.0
"""Snapshots a second of the whole process."""


def stand_in() -> "subprocess.Popen[str]":
    """Start the stand-in for Datadog's agent and point this process to it."""
    agent = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("datadog_agent.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert agent.stdout is not None
    port, datagrams = agent.stdout.readline().split()
    os.environ.update(
        DD_TRACE_AGENT_URL=f"http://127.0.0.1:{port}",
        DD_DOGSTATSD_URL=f"udp://127.0.0.1:{datagrams}",
        DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
        DD_TRACE_ENABLED="false",
        DD_SERVICE="bench",
    )
    return agent


class Subject:
    """See `benchmarks.subjects.Subject`."""

    version = version("ddtrace")
    turns = 3

    def __init__(self) -> None:
        self._agent = stand_in()
        os.environ["DD_DYNAMIC_INSTRUMENTATION_UPLOAD_INTERVAL_SECONDS"] = "3600"
        from ddtrace.debugging import DynamicInstrumentation

        DynamicInstrumentation.enable()
        from ddtrace.debugging._debugger import Debugger
        from ddtrace.debugging._uploader import SignalUploader

        self._debugger: Any = Debugger._instance  # noqa: SLF001 - it has no public way in
        self._uploader: Any = SignalUploader
        self._count = 0
        self._placed: Any = None

    def cases(self) -> dict[str, Callable[[], Case]]:
        def plain() -> int:
            return target.price(3, 4)

        def checkout() -> int:
            return target.checkout(target.ORDER, 5)

        def case(
            call: Callable[[], object], mark: str, *, limited: bool = False, **said: Any
        ) -> Callable[[], Case]:
            return lambda: (call, call, lambda on: self._switch(on, mark, limited, said))

        when = {"dsl": "quantity > 1000", "json": {"gt": [{"ref": "quantity"}, 1000]}}
        counter = {"type": "METRIC_PROBE", "metricName": "bench.count", "kind": "COUNT"}
        return {
            "cold": case(plain, "cold", **_LOG),
            "condition": case(plain, "hot", when=when, **_LOG),
            "over": case(checkout, "snapshot", limited=True, **_SNAPSHOT),
            "counter": case(plain, "hot", **counter),
            "log": case(plain, "hot", **_LOG),
            "snapshot": case(checkout, "snapshot", **_SNAPSHOT),
        }

    def between(self) -> None:
        for track in self._uploader._instance._tracks.values():  # noqa: SLF001
            track.queue.flush()

    def pauses(self) -> dict[str, list[int]]:
        seen = {"control": pauses_ns(lambda: target.price(3, 4), 20_000)}
        hostile = target.Hostile()
        self._switch(True, "hostile", False, _SNAPSHOT)
        target.hold(hostile)
        self.between()
        seen["hostile value, snapshot"] = pauses_ns(
            lambda: target.hold(hostile), 5, self.between
        )
        self._switch(False, "hostile", False, _SNAPSHOT)
        return seen

    def _switch(self, on: bool, mark: str, limited: bool, said: dict[str, Any]) -> None:
        from ddtrace.debugging._probe.remoteconfig import (
            ProbePollerEvent,
            build_probe,
        )

        if not on:
            if self._placed is not None:
                self._tell(ProbePollerEvent.DELETED_PROBES)
                self._placed = None
            return
        self._count += 1
        where = {"sourceFile": target.__file__, "lines": [str(target.line(mark))]}
        sampling = {} if limited else {"sampling": {"snapshotsPerSecond": _LIFTED}}
        self._placed = build_probe(
            {"id": f"p{self._count}", "version": 0, "where": where} | sampling | said
        )
        limiter = self._debugger._global_rate_limiter  # noqa: SLF001
        limiter.limit_rate = _SHIPPED if limited else _LIFTED
        limiter.budget = limiter.max_budget = _SHIPPED if limited else _LIFTED
        self._tell(ProbePollerEvent.NEW_PROBES)

    def _tell(self, event: Any) -> None:
        self._debugger._on_configuration(event, [self._placed])  # noqa: SLF001


_LOG: dict[str, Any] = {
    "type": "LOG_PROBE",
    "template": "q {quantity} u {unit}",
    "segments": [
        {"str": "q "},
        {"dsl": "quantity", "json": {"ref": "quantity"}},
        {"str": " u "},
        {"dsl": "unit", "json": {"ref": "unit"}},
    ],
}
_SNAPSHOT: dict[str, Any] = {
    "type": "LOG_PROBE",
    "captureSnapshot": True,
    "template": "s",
    "segments": [{"str": "s"}],
    "capture": {"maxReferenceDepth": 3},
}
