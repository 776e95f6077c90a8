"""A probe in the hottest loop of a service under load: what it does to the p99 after a second.

Three processes of the same service stand beside each other and are asked in short windows that
take turns: one without the agent, one more without it (what it differs by is noise), and one
with the agent. The loop passes the probed line 20,000 times a request. A slice is some hundred
requests to each; what is reported is the ratio of their 99th percentiles, median over slices,
by the wall's clock and by the thread's own time, which other work on the machine moves less.
"""

import http.client
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import service as measured
from benchmarks.end_to_end import WAIT_S, running_process, running_server
from benchmarks.figures import Tell, spread
from leadline.cli.client import Client

_SOURCE = Path(measured.__file__)
_NAME = "hot-loop"
_WINDOW = 20
_FIRST_S = 1.5
"""After placing: the second in which what costs too much is found out, and some."""

_PROBES: dict[str, dict[str, Any]] = {
    "log, as it comes": {"kind": "log", "template": "{total} {number}"},
    "counter, as it comes": {"kind": "counter"},
    "snapshot, at the highest rate": {
        "kind": "snapshot",
        "limits": {"hits": 10_000, "rate_per_s": 1_000},
    },
}


class _Asked:
    """One process, one connection, the times of its requests in seconds."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
        self.times: list[float] = []
        self.own: list[float] = []

    def window(self, count: int) -> None:
        for _ in range(count):
            began = time.perf_counter()
            self._connection.request("GET", "/busy")
            answer = self._connection.getresponse()
            content = json.loads(answer.read())
            self.times.append(time.perf_counter() - began)
            self.own.append(content["ns"] / 1e9)
            assert content["total"] == _RIGHT, content

    def p99_ms(self) -> tuple[float, float]:
        """Return the 99th percentiles of both since the last time they were asked for."""
        both = sorted(self.times), sorted(self.own)
        self.clear()
        wall, own = (times[int(len(times) * 0.99)] * 1e3 for times in both)
        return wall, own

    def clear(self) -> None:
        """Forget what was seen so far."""
        self.times, self.own = [], []


def _total() -> int:
    total = 0
    for number in range(measured.STEPS):
        total = measured.step(total, number)
    return total


_RIGHT = _total()


def measure(tell: Tell, *, quick: bool) -> dict[str, Any]:
    """Return the p99 and its ratios for each phase, and what the probes say of themselves."""
    slices, size = (3, 100) if quick else (10, 300)
    phases: dict[str, list[list[float]]] = {}
    told = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        client = stack.enter_context(running_server(folder))
        measured.fill(str(folder / "orders.db"))
        key = client.post(f"/v1/services/{_NAME}/agent-key")["key"]
        environ = {
            "LEADLINE_URL": client.url,
            "LEADLINE_KEY": key,
            "LEADLINE_SERVICE": _NAME,
        }
        asked = [_start(stack, folder, these) for these in ({}, {}, environ)]
        for one in asked:
            one.window(60)
            one.clear()

        def phase(name: str, second: int) -> None:
            tell(f"the hottest loop: {name}")
            found = [_slice(asked[0], asked[second], size) for _ in range(slices)]
            phases[name] = [
                figures
                for clock in (0, 1)
                for figures in (
                    spread([other[clock] for _, other in found]),
                    spread([other[clock] / control[clock] for control, other in found]),
                )
            ]

        phase("no agent, a second process", 1)
        phase("agent idle", 2)
        for name, body in _PROBES.items():
            probe = _place(client, body)
            until = time.monotonic() + _FIRST_S
            while time.monotonic() < until:
                asked[2].window(5)
            asked[2].clear()
            began = time.monotonic()
            phase(f"{name}, after its first second", 2)
            told.append(_said(client, probe, name, time.monotonic() - began))
            client.delete(f"/v1/probes/{probe}")
        time.sleep(0.5)
        phase("the probes removed", 2)
    return {"phases": phases, "told": " ".join(told)}


type _Pair = tuple[float, float]


def _slice(control: _Asked, other: _Asked, size: int) -> tuple[_Pair, _Pair]:
    for number in range(size // _WINDOW):
        for one in (control, other) if number % 2 else (other, control):
            one.window(_WINDOW)
    return control.p99_ms(), other.p99_ms()


def _start(stack: ExitStack, folder: Path, environ: dict[str, str]) -> _Asked:
    command = [sys.executable, str(_SOURCE), str(folder / "orders.db")]
    process = stack.enter_context(running_process(command, folder, environ))
    assert process.stdout is not None
    return _Asked(int(process.stdout.readline()))


def _place(client: Client, body: dict[str, Any]) -> str:
    lines = _SOURCE.read_text("utf-8").splitlines()
    line = next(
        number for number, text in enumerate(lines, 1) if "probed in the hottest" in text
    )
    body = {"target": f"benchmarks/{_SOURCE.name}:{line}", "limits": {"hits": 10_000}} | body
    if body["kind"] == "counter":
        body |= {"limits": {}}
    probe = str(client.post(f"/v1/services/{_NAME}/probes", body)["probe"]["id"])
    deadline = time.monotonic() + WAIT_S
    while client.get(f"/v1/probes/{probe}")["probe"]["status"] not in ("armed", "suspended"):
        if time.monotonic() > deadline:
            raise TimeoutError("the probe was not armed")
        time.sleep(0.02)
    return probe


def _said(client: Client, probe: str, name: str, seconds: float) -> str:
    shown = client.get(f"/v1/probes/{probe}")["probe"]
    fates = ", ".join(f"{count:,} {fate}" for fate, count in shown["fates"].items() if count)
    cost = shown["cost_ns"] / 1e9 / (seconds + _FIRST_S) * 100
    return f"{name}: {fates}; {cost:.2f} % of a core by its own receipt."
