"""A real server as a process of its own, and the two kinds of people who talk to it."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from leadline.wire.hit import Hit, InstanceInfo, Report
from leadline.wire.keys import agent_key, load
from leadline.wire.messages import CONNECT_PATH, REPORT_PATH, encode

DEADLINE_S = 20.0
"""Nothing here takes a second; a machine under load may."""
SRC = Path(__file__).parents[2] / "src"


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def slug(self) -> str:
        return self.json["error"]["slug"]


class Events:
    """An open stream of server-sent events, read as slowly as the test likes."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self.response = connection.getresponse()
        self.status = self.response.status

    def next(self) -> tuple[str, Any] | None:
        """Return the next event and its data; None at the end of the stream."""
        found: dict[str, str] = {}
        while True:
            line = self.response.readline()
            if not line:
                return None
            text = line.decode("ascii").rstrip("\n")
            if not text and found:
                self.id = found.get("id")
                return found["event"], json.loads(found["data"])
            if text and not text.startswith(":"):
                name, _, value = text.partition(": ")
                found[name] = value

    def opened(self) -> "Events":
        """Wait for the comment that says that nothing is missed from here on."""
        assert self.response.readline() == b": open\n"
        return self

    def close(self) -> None:
        self.response.close()
        self._connection.close()


@dataclass
class Server:
    folder: Path
    options: tuple[str, ...] = ()
    streams: list[Events] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    port: int = 0

    def start(self, *, expect: int | None = None, **popen: Any) -> "Server":
        """Start it and wait until it listens, or until it ends with the code `expect`."""
        command = [sys.executable, "-W", "error", "-m", "leadline.server", "--port"]
        command += [str(self.port), "--database", str(self.folder / "hits.db")]
        command += ["--keys", str(self.folder / "keys.json")]
        command += ["--state", str(self.folder / "state.json"), *self.options]
        environment = os.environ | {"PYTHONPATH": str(SRC)}
        with open(self.folder / "stderr", "a") as stderr:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=environment,
                **popen,
            )
        line = self._first_line()
        if expect is not None:
            assert self.process.wait(DEADLINE_S) == expect, self.stderr()
            self.process.stdout.close()
            return self
        assert line.startswith("listening on http"), self.stderr()
        self.url = line.split()[-1]
        self.port = urlsplit(self.url).port
        self.keys = load(self.folder / "keys.json")
        return self

    def _first_line(self) -> str:
        timer = threading.Timer(DEADLINE_S, self.process.kill)
        timer.start()
        try:
            return self.process.stdout.readline()
        finally:
            timer.cancel()

    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it and return the exit code; it must take less than three seconds itself."""
        for stream in self.streams:
            stream.close()
        self.streams.clear()
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        self.process = None
        return code

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: str | None = "user",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Ask as the user; `key` may be another key, or None for none."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body)
        with contextlib.closing(self.connection()) as connection:
            connection.request(method, path, content, self._headers(key) | (headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, response.read(), found)

    def _headers(self, key: str | None) -> dict[str, str]:
        if key is None:
            return {}
        return {"Authorization": f"Bearer {self.keys.user if key == 'user' else key}"}

    def place(self, service: str, **more: Any) -> dict[str, Any]:
        body = {"kind": "log", "target": "app.py:3", "template": "x={x}"} | more
        answer = self.request("POST", f"/v1/services/{service}/probes", body)
        assert answer.status == 201, answer.body
        return answer.json["probe"]

    def probe(self, probe: str) -> dict[str, Any]:
        return self.request("GET", f"/v1/probes/{probe}").json["probe"]

    def hits(self, query: str) -> list[dict[str, Any]]:
        return self.request("GET", f"/v1/hits?{query}").json["hits"]

    def watch(self, query: str = "", headers: dict[str, str] | None = None) -> Events:
        return self._stream("GET", f"/v1/hits/stream?{query}", None, "user", headers)

    def connect(self, info: InstanceInfo, key: str | None = None) -> Events:
        key = key or agent_key(self.keys, info.service)
        return self._stream("POST", CONNECT_PATH, encode(info), key)

    def _stream(
        self,
        method: str,
        path: str,
        body: bytes | None,
        key: str,
        headers: dict[str, str] | None = None,
    ) -> Events:
        connection = self.connection()
        connection.request(method, path, body, self._headers(key) | (headers or {}))
        events = Events(connection)
        self.streams.append(events)
        return events

    def report(self, report: Report, key: str | None = None, *, deflate: bool = True) -> Answer:
        key = key or agent_key(self.keys, report.instance.service)
        content = encode(report)
        if not deflate:
            return self.request("POST", REPORT_PATH, content, key)
        headers = {"Content-Encoding": "deflate"}
        return self.request("POST", REPORT_PATH, zlib.compress(content), key, headers)


def make_instance(service: str, name: str) -> InstanceInfo:
    return InstanceInfo(name, service, 42, "host", "app.py", "3.13.0", "0.1.0", "pure", 1.0)


def make_hits(info: InstanceInfo, probe: str, numbers: range, **more: Any) -> list[Hit]:
    content = {"message": "x=1", "values": {"x": 1}} | more
    return [
        Hit(probe, info.id, seq, 1.5, "MainThread", "app.py", 3, "f", **content)
        for seq in numbers
    ]


@pytest.fixture
def instance() -> Callable[[str, str], InstanceInfo]:
    return make_instance


@pytest.fixture
def some_hits() -> Callable[..., list[Hit]]:
    return make_hits


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not stop it; each uses a service of its own."""
    server = Server(tmp_path_factory.mktemp("server")).start()
    try:
        yield server
    finally:
        assert server.stop() == 0
        assert server.stderr() == "leadline: stopping\n"


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    yield running
    for stream in running.streams:
        stream.close()
    running.streams.clear()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Make servers that a test may stop, kill and damage; `start` is left to the test."""
    made: list[Server] = []

    def make(*options: str, folder: Path = tmp_path) -> Server:
        made.append(Server(folder, options))
        return made[-1]

    yield make
    for server in made:
        server.stop(signal.SIGKILL)


@pytest.fixture
def until() -> Callable[[Callable[[], Any]], Any]:
    """Ask again until the answer is true; fails at the deadline."""

    def wait(question: Callable[[], Any]) -> Any:
        end = time.monotonic() + DEADLINE_S
        while not (answer := question()):
            assert time.monotonic() < end, "it never became true"
            time.sleep(0.02)
        return answer

    return wait
