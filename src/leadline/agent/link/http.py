"""HTTP/1.1 as far as an agent needs it: one POST at a time, and one endless answer.

Written on `_socket` for the reasons in native.py. Every wait has a deadline, every size a cap,
and a descriptor that the application has closed under us is noticed before it is written to.
"""

import _socket
import math
import os
import select
import time
from typing import Any

from leadline.agent.link.native import original

CONNECT_S = 3.0
REPLY_S = 5.0
"""A server that needs longer than this to take a batch is treated as away: for the whole of its
answer, since one that drips would hold up the thread that ends probes at their limits."""
TAKEN = 204
"""What a server of ours answers when it has stored what was sent; pages of others are 200."""
MAX_HEAD_BYTES = 64_000
MAX_LINE_BYTES = 8_000_000
"""The whole set of 1,000 probes with templates of 2,000 characters fits in one line."""
_CHUNK = 65_536


_poll = original("select", "poll", getattr(select, "poll", None))


class HttpError(OSError):
    """The other side is no server of ours, or it refused: `status` is its answer or 0."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Address:
    """A server's URL, taken apart. Raises `ValueError` when it is not http or https."""

    def __init__(self, url: str) -> None:
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in ("http", "https"):
            raise ValueError("a server's address begins with http:// or https://")
        place, _, prefix = rest.partition("/")
        if "@" in place:
            raise ValueError("a key belongs into LEADLINE_KEY, not into the address")
        self.secure = scheme == "https"
        host, port = place, ""
        if not place.endswith("]"):
            head, colon, tail = place.rpartition(":")
            host, port = (head, tail) if colon else (place, "")
        self.host = host.strip("[]")
        if not self.host.isascii():
            raise ValueError(
                "a server's address is written in ASCII (punycode for other names)"
            )
        self.port = int(port) if port else (443 if self.secure else 80)
        self.authority = place
        self.prefix = "/" + prefix.strip("/") if prefix.strip("/") else ""
        if not self.host or not 0 < self.port < 65_536:
            raise ValueError("a server's address needs a host and a port")


class Connection:
    """One connection to one server; made anew after any failure."""

    def __init__(self, address: Address, key: str) -> None:
        self._address = address
        self._key = key
        self._socket: Any = None
        self._inode = 0
        self._patience = REPLY_S
        self._until = 0.0
        self._buffer = b""
        self._left: int | None = None
        self._chunked = False

    def post(self, path: str, body: bytes, *, deflated: bool = False) -> None:
        """Send `body` and read the whole answer. Raises `OSError` unless it was taken."""
        self.open(path, body, deflated=deflated)
        for _ in self.pieces():
            pass
        if self.status != TAKEN:
            raise HttpError("somebody else answers there, and has not taken it", self.status)

    def open(self, path: str, body: bytes, *, deflated: bool = False) -> None:
        """Send `body` and read the answer's head; raises `HttpError` unless it is 2xx.

        The whole answer has `REPLY_S`, unless `silence` then says otherwise.
        """
        if self._socket is None:
            self._connect()
        head = (
            f"POST {self._address.prefix}{path} HTTP/1.1\r\n"
            f"Host: {self._address.authority}\r\n"
            f"Authorization: Bearer {self._key}\r\n"
            "Content-Type: application/json\r\n"
            + ("Content-Encoding: deflate\r\n" if deflated else "")
            + f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._check()
        self.silence(REPLY_S)
        self._until = time.monotonic() + REPLY_S
        self._socket.sendall(head.encode("ascii", "replace") + body)
        self._read_head()
        if not 200 <= self.status < 300:
            raise HttpError(f"the server answered {self.status}", self.status)

    def silence(self, seconds: float) -> None:
        """Take the connection for dead after so many seconds without a byte, and let the
        answer be as long as it likes."""
        self._patience, self._until = seconds, math.inf
        self._socket.settimeout(seconds)

    def pieces(self) -> Any:
        """Yield the body as it comes, however the server frames it."""
        while True:
            if self._chunked:
                size = int(self._line().split(b";")[0] or b"0", 16)
                if not 0 <= size <= MAX_LINE_BYTES:
                    raise HttpError("a chunk of the answer has an impossible size")
                if size == 0:
                    self._line()
                    return
                yield self._exactly(size)
                self._line()
            elif self._left is not None:
                if self._left == 0:
                    return
                size = min(self._left, _CHUNK)
                self._left -= size
                yield self._exactly(size)
            else:
                if self._buffer:
                    piece, self._buffer = self._buffer, b""
                    yield piece
                if not self._fill():
                    return

    def close(self) -> None:
        """Close without waiting; harmless when there is nothing to close."""
        connected, self._socket = self._socket, None
        self._buffer = b""
        if connected is not None and self._owned(connected):
            connected.close()
        elif connected is not None:
            connected.detach()

    def _connect(self) -> None:
        last: OSError = HttpError("the server's name has no address")
        # as bytes: a text would import `encodings.idna` on this thread of ours, see guest.py
        host = self._address.host.encode("ascii")
        found = _socket.getaddrinfo(host, self._address.port, 0, _socket.SOCK_STREAM)
        for family, kind, protocol, _, where in found:
            candidate = _socket.socket(family, kind, protocol)
            try:
                candidate.settimeout(CONNECT_S)
                candidate.connect(where)
                candidate.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            except OSError as error:
                candidate.close()
                last = error
                continue
            secure = self._address.secure
            self._socket = _secured(candidate, self._address) if secure else candidate
            self._inode = os.fstat(self._socket.fileno()).st_ino
            self._buffer = b""
            return
        raise last

    def _owned(self, connected: Any) -> bool:
        """Whether the descriptor is still our socket: daemons close all they find."""
        try:
            return os.fstat(connected.fileno()).st_ino == self._inode
        except OSError:
            return False

    def _check(self) -> None:
        if not self._owned(self._socket):
            self.close()
            raise HttpError("the connection was closed by the application")

    def _read_head(self) -> None:
        words = self._line(MAX_HEAD_BYTES).split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            raise HttpError("the answer is not HTTP/1.1")
        self.status = int(words[1])
        self._left, self._chunked = None, False
        room = MAX_HEAD_BYTES
        while line := self._line(room):
            room -= len(line)
            name, _, value = line.partition(b":")
            match name.strip().lower(), value.strip().lower():
                case b"content-length", length if length.isdigit() and len(length) < 12:
                    self._left = int(length)
                case b"transfer-encoding", b"chunked":
                    self._chunked = True
        if self.status in (204, 304):
            self._left, self._chunked = 0, False

    def _line(self, most: int = MAX_HEAD_BYTES) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > most:
                raise HttpError("a line of the answer is too long")
            if not self._fill():
                raise HttpError("the server closed the connection")
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.rstrip(b"\r")

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._fill():
                raise HttpError("the server closed the connection")
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return piece

    def _fill(self) -> bool:
        """Read what comes next. Waiting and reading are two steps with a look in between: the
        application may close our descriptor while we wait and open its own under the number."""
        patience = min(self._patience, self._until - time.monotonic())
        if patience <= 0:
            raise HttpError("the server takes too long to answer")
        if not self._address.secure or not self._socket.pending():
            waiting = _poll()
            waiting.register(self._socket.fileno(), select.POLLIN)
            if not waiting.poll(patience * 1_000):
                raise HttpError("the server has gone silent")
        self._check()
        received = self._socket.recv(_CHUNK)
        self._buffer += received
        return bool(received)


def _secured(connected: Any, address: Address) -> Any:
    """Wrap a connected raw socket in TLS, verified against the system's authorities."""
    import socket
    import ssl

    timeout = connected.gettimeout()
    plain = socket.socket(fileno=connected.detach())
    plain.settimeout(timeout)
    return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
