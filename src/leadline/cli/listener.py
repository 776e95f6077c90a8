"""The server's place in `leadline run --probe`: takes the hits of one program and prints them.

The agent knows no second way to report, so this speaks the same two routes as the server, on
loopback, with a key made for this one run.
"""

import hmac
import json
import secrets
import threading
import time
import zlib
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from leadline.cli.show import err, harmless, hit_line
from leadline.wire.messages import (
    CONNECT_PATH,
    KEEPALIVE_S,
    MAX_REPORT_BYTES,
    REPORT_PATH,
    encode_probes,
)
from leadline.wire.probe import Fate, Probe, Status

FINISH_S = 1.0
"""How long reports that are on their way may take after the program has ended."""
_WORTH_A_WORD = (Status.ERROR, Status.MISMATCH, Status.SUSPENDED, Status.EXPIRED)


class Listener:
    """Serves from `with` to the end of it; `finish` prints what there is left to say."""

    def __init__(self, probes: Sequence[Probe], *, as_json: bool) -> None:
        self.key = secrets.token_urlsafe(32)
        self._probes = {probe.id: probe for probe in probes}
        self._as_json = as_json
        self._lock = threading.Lock()
        self._seen: dict[str, int] = {}
        self._states: dict[tuple[str, str], dict[str, Any]] = {}
        self._shown: dict[str, int] = {}
        self._busy = 0
        self._reported = False
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"listener": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def probes(self) -> list[Probe]:
        """The set that every agent gets."""
        return list(self._probes.values())

    def take(self, report: dict[str, Any]) -> None:
        """Print the hits of a report, and say what a person should know."""
        instance = report["instance"]
        with self._lock:
            self._reported = True
            for hit in report["hits"]:
                if hit["seq"] > self._seen.get(hit["instance"], 0):  # else posted twice
                    self._seen[hit["instance"]] = hit["seq"]
                    self._show(hit, instance)
            for state in report["states"]:
                key = (state["probe"], instance["id"])
                before = self._states.get(key, {}).get("status")
                self._states[key] = state
                if state["status"] != before and state["status"] in _WORTH_A_WORD:
                    self._say(state["probe"], f"{state['status']}: {state['reason']}")
            for reason, count in report["dropped"].items():
                self._shown[f"dropped: {reason}"] = count

    def finish(self) -> None:
        """Let reports under way arrive, then say for each silent probe why it is silent."""
        deadline = time.monotonic() + FINISH_S
        while self._busy and time.monotonic() < deadline:
            self._closing.wait(0.01)
        with self._lock:
            if not self._reported:
                self._note(
                    "no process with the agent in it reported: is Leadline installed in the "
                    "environment of the program? LEADLINE_VERBOSE=1 makes it say why not"
                )
                return
            for probe in self._probes:
                self._explain(probe)
            for reason, count in self._shown.items():
                if reason.startswith("dropped: "):
                    self._note(f"{count} hits were {reason}")

    def busy(self, change: int) -> None:
        """Count requests under way."""
        with self._lock:
            self._busy += change

    def wait_closing(self, seconds: float) -> bool:
        """Wait; returns whether the run is over."""
        return self._closing.wait(seconds)

    def _show(self, hit: dict[str, Any], instance: dict[str, Any]) -> None:
        probe = self._probes.get(hit["probe"])
        shown = self._shown.get(hit["probe"], 0)
        if probe is None or shown >= probe.limits.hits:
            return
        self._shown[hit["probe"]] = shown + 1
        hit |= {"service": instance["service"], "pid": instance["pid"]}
        line = json.dumps({"schema_version": 1, "hit": hit}) if self._as_json else hit_line(hit)
        err(line)

    def _explain(self, probe: str) -> None:
        states = [state for (of, _), state in self._states.items() if of == probe]
        over = sum(state["fates"].get(Fate.RATE_LIMITED, 0) for state in states)
        if over:
            rate = self._probes[probe].limits.rate_per_s
            self._say(probe, f"switched off {over} times at its rate of {rate:g} a second; "
                      "passages meanwhile were not counted (--rate)")  # fmt: skip
        if self._shown.get(probe):
            return
        if any(state["status"] in _WORTH_A_WORD for state in states):
            return  # said when it happened
        reasons = {_why_silent(state) for state in states} or {"no process reported on it"}
        self._say(probe, f"no hit: {'; '.join(sorted(reasons))}")

    def _say(self, probe: str, text: str) -> None:
        target = self._probes[probe].target if probe in self._probes else probe
        self._note(f"{target}: {text}")

    def _note(self, text: str) -> None:
        err(f"leadline: {harmless(text)}")


def _why_silent(state: dict[str, Any]) -> str:
    if state["status"] != Status.ARMED:
        return str(state["reason"] or state["status"])
    fates = {name: count for name, count in state["fates"].items() if count}
    if not fates:
        return "armed, but the line was never reached"
    why = ", ".join(f"{name.replace('_', ' ')} {count} times" for name, count in fates.items())
    return f"{why} ({state['unknown']})" if state["unknown"] else why


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing: a process that is killed while it reports is no news of ours."""


class _Handler(BaseHTTPRequestHandler):
    """One connection of an agent."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    listener: Listener

    def do_POST(self) -> None:
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.listener.key}".encode()):
            self.close_connection = True
            self._answer(401)
        elif self.path == CONNECT_PATH:
            self._body()
            self._stream()
        elif self.path == REPORT_PATH:
            self._report()
        else:
            self.close_connection = True
            self._answer(404)

    def _report(self) -> None:
        self.listener.busy(1)
        try:
            self.listener.take(json.loads(self._body()))
            self._answer(204)
        except (ValueError, KeyError, TypeError, zlib.error):
            self._answer(400)
        finally:
            self.listener.busy(-1)

    def _body(self) -> bytes:
        body = self.rfile.read(min(int(self.headers["Content-Length"]), MAX_REPORT_BYTES))
        if self.headers.get("Content-Encoding") == "deflate":
            return zlib.decompressobj().decompress(body, MAX_REPORT_BYTES)
        return body

    def _answer(self, status: int) -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _stream(self) -> None:
        self.close_connection = True
        self.send_response_only(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        data = f'{{"revision":1,"probes":{encode_probes(self.listener.probes)}}}'
        try:
            self.wfile.write(f"event: set\ndata: {data}\n\n".encode())
            while not self.listener.wait_closing(KEEPALIVE_S):
                self.wfile.write(b": still here\n\n")
        except OSError:
            return  # the process has ended

    def log_message(self, *_: object) -> None:
        """Print nothing: stderr belongs to the program and to hits."""
