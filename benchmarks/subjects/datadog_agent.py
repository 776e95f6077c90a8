"""A stand-in for Datadog's agent: says what it can do, takes every post and every datagram.

Prints its two ports and ends with its standard input.
"""

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ENDPOINTS = """
    /v0.4/traces /v0.5/traces /v0.7/config /debugger/v1/input /debugger/v2/input
    /debugger/v1/diagnostics /telemetry/proxy/
""".split()


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        known = {"version": "7.70.0", "endpoints": ENDPOINTS, "client_drop_p0s": True}
        self._answer(known if self.path.startswith("/info") else {})

    def do_POST(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer({})

    def do_PUT(self) -> None:
        self.do_POST()

    def _answer(self, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""


def swallow(datagrams: socket.socket) -> None:
    while True:
        datagrams.recv(65_536)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    threading.Thread(target=swallow, args=(datagrams,), daemon=True).start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, datagrams.getsockname()[1], flush=True)
    sys.stdin.read()
