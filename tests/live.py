"""Real programs for tests: started, waited for, asked, ended; nothing is left running."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from leadline.cli.client import Client
from waiting import wait_for

BIN = Path(sys.executable).parent
LEADLINE = str(BIN / "leadline")
READY_S = 30.0
STOP_S = 20.0
GUNICORN = ("--no-control-socket", "--graceful-timeout", "5")
"""Its workers may take 30 s to end by default; one was seen that needed more than ten, in a run
without the agent."""


def free_port() -> int:
    """Return a port that is free now; good enough for a server that starts at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tool(name: str) -> str:
    """Return a console script of this environment."""
    return str(BIN / name)


def get(port: int, path: str = "/", method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Ask a service; returns status, headers and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        get(port)
    except OSError:
        return False
    return True


class Program:
    """One process, with its output in files so that it never waits for a reader."""

    def __init__(
        self, command: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None
    ) -> None:
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._err = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def out(self) -> str:
        """All that it printed so far."""
        return _text(self._out)

    @property
    def err(self) -> str:
        """All of stderr so far."""
        return _text(self._err)

    def wait_for(self, text: str) -> str:
        """Wait until `text` was printed; returns the line that holds it."""

        def seen() -> str:
            lines = (self.out + "\n" + self.err).splitlines()
            found = next((line for line in lines if text in line), "")
            assert found or self.process.poll() is None, f"ended early:\n{self.err}"
            return found

        return wait_for(seen, READY_S, f"{text!r} in the output:\n{self.out}{self.err}")

    def serving(self, port: int) -> Self:
        """Wait until it answers on `port`."""

        def ready() -> bool:
            assert self.process.poll() is None, f"ended early:\n{self.out}{self.err}"
            return answers(port)

        wait_for(ready, READY_S, "the service answers")
        return self

    def end(self, seconds: float = 30.0) -> int:
        """Wait for its own end; returns the exit status."""
        return self.process.wait(seconds)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and whatever it started; returns the exit status.

        Where it does not end, and has to be killed, `last` says what it was doing.
        """
        stuck = ""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:  # killed in the next line
                stuck = _group(self.process.pid)
        with contextlib.suppress(ProcessLookupError):  # nobody left
            os.killpg(self.process.pid, signal.SIGKILL)
        status = self.process.wait(10)
        if not self._out.closed:
            self.last = self.out, self.err + stuck
            self._out.close()
            self._err.close()
        return status


class Leadline:
    """A server of our own and the command line that speaks to it."""

    def __init__(self, home: Path, cwd: Path) -> None:
        self.home, self.cwd = home, cwd
        self.port = free_port()
        self.server: Program | None = None

    def up(self, *options: str) -> Self:
        """Start the server, or start it again on the same port."""
        self.server = Program([LEADLINE, "up", "--port", str(self.port), *options], self.cwd)
        self.server.wait_for("listening on")
        return self

    def kill(self) -> None:
        """End the server as a crash would."""
        assert self.server is not None
        self.server.stop(signal.SIGKILL)

    def close(self) -> None:
        if self.server is not None:
            self.server.stop()

    def cli(self, *words: str, status: int | None = 0) -> str:
        """Run one command; returns its stdout. `status` is what it must exit with."""
        done = subprocess.run(
            [LEADLINE, *words], cwd=self.cwd, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert status is None or done.returncode == status, f"{words}: {done.stderr}"
        return done.stdout if done.returncode == status else done.stdout + done.stderr

    def json(self, *words: str, status: int | None = 0) -> Any:
        """Run one command with `--json`."""
        return json.loads(self.cli(*words, "--json", status=status))

    def ask(self, path: str, **query: object) -> dict[str, Any]:
        """Ask the server as a command would, without starting one: who waits asks often, and
        a command each time keeps a core busy."""
        with contextlib.closing(Client()) as client:
            return client.get(path, **query)

    def log(self, service: str, target: str, template: str, *options: str) -> dict[str, Any]:
        """Place a log probe; returns it with the states of its instances."""
        return dict(self.json("log", service, target, template, *options, status=None)["probe"])

    def probe(self, probe: str) -> dict[str, Any]:
        """Return how a probe stands."""
        return next(one for one in self.ask("/v1/probes")["probes"] if one["id"] == probe)

    def hits(self, probe: str) -> list[dict[str, Any]]:
        """Return the hits of a probe that are stored."""
        return list(self.ask("/v1/hits", probe=probe, limit=1_000)["hits"])

    def wait_hits(self, probe: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for so many hits."""

        def enough() -> list[dict[str, Any]]:
            hits = self.hits(probe)
            return hits if len(hits) >= count else []

        return wait_for(enough, 20, f"{count} hits of {probe}: {self.probe(probe)}")

    def connected(self, service: str) -> list[dict[str, Any]]:
        """Return the connected instances of a service."""
        services = self.ask("/v1/services")["services"]
        found = [one for one in services if one["service"] == service]
        return [one for kind in found for one in kind["instances"] if one["connected"]]


def _group(leader: int) -> str:
    """Return what the processes of a group are doing, a line each."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            name, _, rest = (folder / "stat").read_text("utf-8").rpartition(") ")
            state, parent, group = rest.split()[:3]
            if int(group) == leader:
                wait = (folder / "wchan").read_text("utf-8")
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                lines.append(f"{name}) {state} parent {parent} in {wait}: {command}")
    return "\nstill there:\n" + "\n".join(lines)


def _text(file: Any) -> str:
    if file.closed:
        return ""
    return os.pread(file.fileno(), 10_000_000, 0).decode("utf-8", "replace")
