"""The server's place in `leadline run --probe`: takes the reports of one program's processes.

The agent knows no second way to report, so this speaks the same two routes as the server, on
loopback, with a key made for this one run.
"""

import hmac
import json
import secrets
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from leadline.cli.account import Account
from leadline.wire.messages import (
    CONNECT_PATH,
    KEEPALIVE_S,
    MAX_REPORT_BYTES,
    REPORT_PATH,
    encode_probes,
)

FINISH_S = 1.0
"""How long reports that are on their way may take after the program has ended."""
TELL_S = 1.0
"""How often sums that have changed are shown."""


class Listener:
    """Serves from `with` to the end of it; `finish` has everything said that there is."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.key = secrets.token_urlsafe(32)
        self._lock = threading.Lock()
        self._busy = 0
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"listener": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        threading.Thread(target=self._tell, daemon=True).start()
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

    def finish(self) -> None:
        """Let reports under way arrive, then have the account closed."""
        deadline = time.monotonic() + FINISH_S
        while self._busy and time.monotonic() < deadline:
            self._closing.wait(0.01)
        self.account.close()

    def busy(self, change: int) -> None:
        """Count requests under way."""
        with self._lock:
            self._busy += change

    def wait_closing(self, seconds: float) -> bool:
        """Wait; returns whether the run is over."""
        return self._closing.wait(seconds)

    def _tell(self) -> None:
        while not self._closing.wait(TELL_S):
            self.account.tell()


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
            self.listener.account.take(json.loads(self._body()))
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
        data = f'{{"revision":1,"probes":{encode_probes(self.listener.account.probes)}}}'
        try:
            self.wfile.write(f"event: set\ndata: {data}\n\n".encode())
            while not self.listener.wait_closing(KEEPALIVE_S):
                self.wfile.write(b": still here\n\n")
        except OSError:
            return  # the process has ended

    def log_message(self, *_: object) -> None:
        """Print nothing: stderr belongs to the program and to hits."""
