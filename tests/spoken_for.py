"""An instance that is spoken for over HTTP: what an agent would post, said by the test.

For what an agent answers that this machine may not be able to do, such as making a twin.
"""

import contextlib
import http.client
import itertools
import json
import queue
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from leadline.wire.hit import Hit, InstanceInfo, ProbeState, Report
from leadline.wire.keys import agent_key, load
from leadline.wire.messages import (
    CONNECT_PATH,
    REPORT_PATH,
    SHELL_PATH,
    decode_probes,
    encode,
)
from leadline.wire.probe import Status, TwinProbe
from leadline.wire.shell import Replies, Reply, Tell, decode_tell
from leadline.wire.twin import TwinView

DEADLINE_S = 20.0
_number = itertools.count(1)
"""Each is a process of its own, whose hits are numbered from 1."""


class SpokenFor:
    """One connected instance. `orders` of twins, `told` and `removed` came down its stream.

    `on_probe` is called with each twin that is ordered, on the thread that reads.
    """

    def __init__(
        self,
        home: Path,
        port: int,
        service: str,
        on_probe: Callable[["SpokenFor", TwinProbe], None] | None = None,
        pid: int = 4711,
    ) -> None:
        keys = load(home / "config" / "leadline" / "keys.json")
        self._head = {"Authorization": f"Bearer {agent_key(keys, service)}"}
        self._port = port
        self._on_probe = on_probe
        self._seq = 0
        name = f"i-{service}-{next(_number)}"
        self.info = InstanceInfo(
            name, service, pid, "host", "app.py", "3.13.0", "0", "pure", 1.0
        )
        self.told: queue.Queue[Tell] = queue.Queue()
        self.removed: queue.Queue[str] = queue.Queue()
        self.orders: list[TwinProbe] = []
        self.failures: list[BaseException] = []
        self._stream = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
        self._stream.connect()
        self._socket = self._stream.sock  # the answer takes it over
        self._stream.request("POST", CONNECT_PATH, encode(self.info), self._head)
        self._answer = self._stream.getresponse()
        assert self._answer.status == 200
        assert self._answer.readline() == b": open\n"
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE_S)
        self._answer.close()
        self._stream.close()
        assert not self.failures, self.failures

    def arm(
        self, probe: str, status: Status = Status.ARMED, reason: str = "", **more: Any
    ) -> None:
        """Report where a probe stands."""
        state = ProbeState(probe, status, reason, **more)
        self.post(REPORT_PATH, Report(self.info, states=[state]))

    def hit(self, probe: str, twin: TwinView, **more: Any) -> None:
        """Report what a twin answered."""
        self._seq += 1
        said = {"file": "shop/pricing.py", "line": 88, "function": "quote", "message": ""}
        hit = Hit(probe, self.info.id, self._seq, 1e6, "MainThread", twin=twin, **(said | more))
        self.post(REPORT_PATH, Report(self.info, [hit]))

    def say(self, probe: str, *replies: tuple[int, str], ended: str = "") -> int:
        """Say something to a shell; returns the status of the answer."""
        said = [Reply(number, text) for number, text in replies]
        return self.post(SHELL_PATH, Replies(self.info.id, probe, said, ended))

    def post(self, path: str, message: object) -> int:
        """Post one message; returns the status."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE_S)
        ) as connection:
            connection.request("POST", path, encode(message), self._head)
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def _read(self) -> None:
        event = ""
        try:
            while line := self._answer.readline():
                name, _, value = line.decode("ascii").rstrip("\n").partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    self._take(event, json.loads(value))
        except (OSError, ValueError, AttributeError):  # it is closed from the other thread
            return

    def _take(self, event: str, content: Any) -> None:
        match event:
            case "tell":
                self.told.put(decode_tell(content))
            case "remove":
                for name in content["ids"]:
                    self.removed.put(name)
            case "set" | "add":
                for probe in decode_probes(content["probes"]):
                    if isinstance(probe, TwinProbe):
                        self.orders.append(probe)
                        self._order(probe)

    def _order(self, probe: TwinProbe) -> None:
        try:
            if self._on_probe is not None:
                self._on_probe(self, probe)
        except BaseException as error:  # noqa: BLE001 - said at the end
            self.failures.append(error)
