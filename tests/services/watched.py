"""A service that nobody here wrote, started twice: alone for its answers, then watched.

A `Spot` is a place that known requests pass a known number of times. `Watched` is the running
service with the agent in it, and the server that the tests ask about it.
"""

import http.client
import json
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadline.wire.keys import load
from live import LEADLINE, Leadline, Program
from waiting import wait_for

ARRIVES_S = 20.0
"""Everything here takes well under a second; a machine that is busy elsewhere may not."""


@dataclass(frozen=True)
class Spot:
    """A place in code, and what each kind of probe has to find there.

    `message` is a pattern of what `template` says there, `value` an expression for a number.
    One round of requests comes by `passes` times (0: once or more) and calls the function
    `calls` times (by default as often). `values` are those of `value` in one round, where they
    are known. `raiser` is a function that an exception of the class `raises` leaves once or
    more in a round. Of a function that `loops` no call ends: it has been running, or suspended,
    since before the probes came, and handles its exceptions itself; `until` is a later line.
    """

    name: str
    file: Path
    line: int
    module: str
    function: str
    template: str
    message: str
    value: str
    passes: int = 0
    calls: int = 0
    raiser: str = ""
    raises: str = ""
    values: tuple[float, ...] = ()
    loops: bool = False
    until: int = 0

    def __str__(self) -> str:
        return self.name

    @property
    def target(self) -> str:
        """The line, as a person writes it: enough of the path to be the only one."""
        return f"{'/'.join(self.file.parts[-3:])}:{self.line}"

    @property
    def callee(self) -> str:
        """The function that holds the line."""
        return f"{self.module}:{self.function}"

    @property
    def called(self) -> int:
        """How often the function is called in one round; 0 if nobody counts."""
        return self.calls or self.passes


def library(path: str) -> Path:
    """Return a file of an installed package, without importing it."""
    return Path(sysconfig.get_path("purelib"), path)


def line_of(path: Path, text: str, after: str = "") -> int:
    """Return the number of the first line that holds `text`, behind one that holds `after`."""
    return line_in(path.read_text("utf-8"), text, after)


def line_in(source: str, text: str, after: str = "") -> int:
    """As `line_of`, of a file that is still to be written."""
    begun = not after
    for number, line in enumerate(source.splitlines(), 1):
        if begun and text in line:
            return number
        begun = begun or after in line
    raise AssertionError(f"no line holds {text!r}")


class Api:
    """The server's addresses as a program uses them; a command each would take minutes."""

    def __init__(self, leadline: Leadline) -> None:
        self._port = leadline.port
        self._key = load(leadline.home / "config" / "leadline" / "keys.json").user

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the answer's JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ARRIVES_S)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Authorization": f"Bearer {self._key}"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null")
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """Return what is there. Fails when the server says no."""
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def probe(self, probe: str) -> dict[str, Any]:
        """Return how a probe stands."""
        return dict(self.get(f"/v1/probes/{probe}")["probe"])

    def hits(self, probe: str) -> list[dict[str, Any]]:
        """Return the hits of a probe, oldest first."""
        return list(self.get(f"/v1/hits?probe={probe}&limit=1000")["hits"])

    def instances(self, service: str) -> list[dict[str, Any]]:
        """Return the connected instances of a service."""
        return [
            one
            for seen in self.get("/v1/services")["services"]
            if seen["service"] == service
            for one in seen["instances"]
            if one["connected"]
        ]


class Watched:
    """A service with the agent in it, as long as the `with` lasts."""

    def __init__(
        self, leadline: Leadline, service: str, program: Program, port: int = 0
    ) -> None:
        self.leadline, self.service, self.program = leadline, service, program
        self.port = port
        self.api = Api(leadline)

    def place(self, body: dict[str, Any]) -> str:
        """Place a probe; returns its id."""
        path = f"/v1/services/{self.service}/probes"
        status, answer = self.api.ask("POST", path, body)
        assert status == 201, answer
        return str(answer["probe"]["id"])

    def remove(self, probe: str) -> None:
        """Take a probe out."""
        status, answer = self.api.ask("DELETE", f"/v1/probes/{probe}")
        assert status == 200, answer

    def armed(self, probe: str) -> set[int]:
        """Return the processes in which a probe is armed."""
        states = self.api.probe(probe)["instances"]
        return {one["pid"] for one in states if one["status"] == "armed" and one["connected"]}

    def wait_armed(self, probes: Iterable[str], processes: int) -> None:
        """Wait until each probe is armed in so many processes."""
        for probe in probes:

            def enough(probe: str = probe) -> bool:
                return len(self.armed(probe)) >= processes

            why = f"armed in {processes} processes: {probe}"
            try:
                wait_for(enough, ARRIVES_S, why)
            except AssertionError as error:
                raise AssertionError(f"{error}: {self.api.probe(probe)}") from None

    def connected(self, processes: int) -> list[dict[str, Any]]:
        """Wait until so many processes are connected, no more and no fewer."""
        return wait_for(
            lambda: (
                found if len(found := self.api.instances(self.service)) == processes else []
            ),
            ARRIVES_S,
            f"{processes} instances of {self.service}",
        )

    def wait_captured(self, probe: str, count: int) -> dict[str, Any]:
        """Wait until so many passages were captured, or until the budget has said no."""

        def enough() -> dict[str, Any]:
            found = self.api.probe(probe)
            fates = found["fates"]
            done = fates.get("captured", 0) >= count or fates.get("over_budget")
            return found if done else {}

        try:
            return wait_for(enough, ARRIVES_S, f"{count} passages")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.api.probe(probe)}") from None

    def wait_hits(self, probe: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many hits."""

        def enough() -> list[dict[str, Any]]:
            hits = self.api.hits(probe)
            return hits if len(hits) >= count else []

        try:
            return wait_for(enough, ARRIVES_S, f"{count} hits")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.api.probe(probe)}") from None

    def unharmed(self) -> None:
        """No failure of ours was swallowed in any process, nothing was lost."""
        for one in self.api.instances(self.service):
            assert (one["faults"], one["dropped"]) == ({}, {}), one


def with_agent(service: str, command: Sequence[str | Path]) -> list[str | Path]:
    """Return the command that starts `command` with the agent in it."""
    return [LEADLINE, "run", "--service", service, "--", *command]


type Start = Callable[[Sequence[str | Path]], Program]
