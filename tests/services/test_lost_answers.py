"""A way to the server on which answers get lost, or late: what arrived twice is stored once.

A report whose answer did not come back is posted again, and the agent cannot know whether it
was taken in. The server that stays full for a while answers, and keeps nothing.
"""

import contextlib
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from leadline.wire.keys import agent_key, load
from leadline.wire.messages import REPORT_PATH
from live import Leadline, Program, tool
from waiting import wait_for

SERVICE = "lossy"
COUNTER = """\
import time
def work(n):
    done = n
    return done
print("started", flush=True)
n = 0
end = time.monotonic() + 60
while time.monotonic() < end:
    n += 1
    work(n)
    time.sleep(PAUSE)
"""
HITS = 300
LIMITS = ("--hits", str(HITS), "--rate", "500")
ROOM = 20_000
"""Bytes that the disk still has: a report or two."""


class Way:
    """Stands before the server at a port, and loses some answers to reports, the server's own
    which had taken the report in: `lost` counts them. Others come `late`, in seconds."""

    def __init__(self, server: int, *, losing: int = 0, late: float = 0.0) -> None:
        """Of so many answers one is lost."""
        self._server, self._losing, self._late = server, losing, late
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._answered = self.lost = 0
        self._begin(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for end in self._ends:
            _hang_up(end)
        for thread in self._threads:
            thread.join()
        for end in (self._listener, *self._ends):
            end.close()

    def _begin(self, run: Callable[..., None], *args: object) -> None:
        self._threads.append(threading.Thread(target=run, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._server))
                self._ends += [here, there]
                reporting = threading.Event()
                self._begin(self._forward, here, there, reporting)
                self._begin(self._give_back, there, here, reporting)

    def _forward(
        self, here: socket.socket, there: socket.socket, reporting: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := here.recv(65_536):
                if REPORT_PATH.encode() in piece[:100]:
                    reporting.set()
                there.sendall(piece)
        _hang_up(there)

    def _give_back(
        self, there: socket.socket, here: socket.socket, reporting: threading.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := there.recv(65_536):
                if reporting.is_set():
                    self._answered += 1
                    if self._losing and self._answered % self._losing == 0:
                        self.lost += 1
                        break
                    self._over.wait(self._late)
                here.sendall(piece)
        _hang_up(here)


def _hang_up(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side did already
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def counting(leadline: Leadline, port: int, pause: float = 0.005) -> Iterator[Program]:
    """The service, whose agent reaches the server through `port`."""
    source = COUNTER.replace("PAUSE", str(pause))
    (leadline.cwd / "counter.py").write_text(source, "utf-8")
    env = {
        "LEADLINE_SERVICE": SERVICE,
        "LEADLINE_URL": f"http://127.0.0.1:{port}",
        "LEADLINE_KEY": agent_key(load(_keys()), SERVICE),
    }
    with Program([tool("python"), "counter.py"], leadline.cwd, env) as program:
        program.wait_for("started")
        wait_for(lambda: leadline.connected(SERVICE))
        yield program


def _keys() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "leadline" / "keys.json"


def check(leadline: Leadline, probe: str) -> None:
    """All that the probe has is there, once each, without a gap."""
    hits = leadline.wait_hits(probe, HITS)
    numbers = [hit["values"]["n"] for hit in hits]
    assert numbers == list(range(numbers[0], numbers[0] + HITS))
    assert len({hit["seq"] for hit in hits}) == HITS
    (instance,) = leadline.connected(SERVICE)
    assert instance["hits"] == HITS
    assert instance["dropped"] == instance["faults"] == {}


def test_an_answer_that_is_lost_doubles_nothing(leadline) -> None:
    with Way(leadline.port, losing=3) as way, counting(leadline, way.port):
        probe = leadline.log(SERVICE, "counter.py:3", "{n}", *LIMITS)
        check(leadline, probe["id"])
        assert way.lost > 2


def test_what_a_full_disk_refused_arrives_when_there_is_room(leadline) -> None:
    """The agent keeps what was not taken; the server counts how often it could not."""
    database = Path(os.environ["XDG_DATA_HOME"]) / "leadline"
    with counting(leadline, leadline.port):
        (log,) = database.glob("*-wal")
        pid = leadline.server.process.pid
        hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        probe = leadline.log(SERVICE, "counter.py:3", "{n}", *LIMITS)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size + ROOM, hard))
        wait_for(lambda: leadline.ask("/v1/services")["losses"]["not_stored"])
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        check(leadline, probe["id"])


def test_with_more_to_send_than_the_server_takes_time_goes_on(leadline) -> None:
    """A sender that never comes to the end of its hits still lets the rate's second pass."""
    with Way(leadline.port, late=0.8) as way, counting(leadline, way.port, 0.002):
        limits = ("--hits", "100000", "--rate", "1000")
        probe = leadline.log(SERVICE, "counter.py:3", "{n}", *limits)["id"]

        def fates() -> dict[str, int]:
            return dict(leadline.probe(probe)["fates"])

        wait_for(lambda: fates().get("captured", 0) > 1_500, 60)
        assert list(fates()) == ["captured"]
