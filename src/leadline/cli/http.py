"""HTTP/1.1 as far as a command needs it: a question, an answer, or a stream of lines.

`http.client` reads the answer's head with the library for e-mail, and loads TLS for a server on
this machine: 30 ms of a command that has 100.
"""

import _socket
import select
from typing import Any

MAX_HEAD_BYTES = 64_000
_CHUNK = 65_536


class NotHttpError(OSError):
    """What answers there speaks something else."""


class Connection:
    """One connection to one server, kept open from question to question."""

    def __init__(self, host: str, port: int, timeout_s: float, *, secure: bool) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self._secure = secure
        self._socket: Any = None
        self._buffer = b""

    def ask(self, method: str, target: str, head: dict[str, str], body: bytes) -> "Answer":
        """Send a question and read the answer's head. Raises `OSError`.

        A connection that was used before may have been closed by the server meanwhile. What
        is seen before anything is sent leads to a new one; later, a question is sent once more
        only if it may be asked twice, which a `POST` may not: there would be two probes.
        """
        text = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        sent = f"{method} {target} HTTP/1.1\r\n{text}Content-Length: {len(body)}\r\n\r\n"
        content = sent.encode("latin-1") + body
        if self._socket is not None and self._is_stale():
            self.close()
        if self._socket is not None:
            try:
                return self._asked(content)
            except ConnectionError:
                self.close()
                if method == "POST":
                    raise
        self._connect()
        return self._asked(content)

    def close(self) -> None:
        """Close; harmless when there is nothing to close."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def patience(self, seconds: float) -> None:
        """Wait so long for each piece of the answer from here on."""
        self._socket.settimeout(seconds)

    def line(self, most: int) -> bytes:
        """Read up to the end of a line, at most so much; empty at the end of the stream."""
        while (end := self._buffer.find(b"\n")) < 0 and len(self._buffer) < most:
            if not self._fill():
                break
        cut = min(end + 1 or len(self._buffer), most)
        line, self._buffer = self._buffer[:cut], self._buffer[cut:]
        return line

    def some(self, most: int) -> bytes:
        """Read what there is, at most so much; empty at the end of the stream."""
        if not self._buffer:
            self._fill()
        piece, self._buffer = self._buffer[:most], self._buffer[most:]
        return piece

    def _asked(self, content: bytes) -> "Answer":
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(content)
        return Answer(self)

    def _is_stale(self) -> bool:
        """Whether the server has closed, or says what nobody has asked."""
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def _connect(self) -> None:
        last = OSError("the server's name has no address")
        # as bytes, where it can be: a text would load the tables of international names
        host = self._host.encode("ascii") if self._host.isascii() else self._host
        found = _socket.getaddrinfo(host, self._port, 0, _socket.SOCK_STREAM)
        for family, kind, protocol, _, where in found:
            candidate = _socket.socket(family, kind, protocol)
            try:
                candidate.settimeout(self._timeout_s)
                candidate.connect(where)
                candidate.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
                self._socket = self._secured(candidate) if self._secure else candidate
            except OSError as error:
                candidate.close()
                last = error
                continue
            return
        raise last

    def _secured(self, plain: Any) -> Any:
        """Put TLS over a connected socket, verified against the system's authorities."""
        import socket  # noqa: PLC0415 - only for a server elsewhere
        import ssl  # noqa: PLC0415

        whole = socket.socket(fileno=plain.detach())
        whole.settimeout(self._timeout_s)
        try:
            context = ssl.create_default_context()
            return context.wrap_socket(whole, server_hostname=self._host)
        except OSError:
            whole.close()
            raise

    def _fill(self) -> bool:
        received = self._socket.recv(_CHUNK)
        self._buffer += received
        return bool(received)


class Answer:
    """The answer to one question, its head read."""

    def __init__(self, connection: Connection) -> None:
        self._wire = connection
        self._left: int | None = None
        self._chunked = False
        self._lines = b""
        first = connection.line(MAX_HEAD_BYTES)
        if not first:
            raise ConnectionResetError("the server closed the connection without an answer")
        words = first.split(None, 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
            raise NotHttpError("what answers there does not speak HTTP")
        self.status = int(words[1])
        room, closing = MAX_HEAD_BYTES, words[0] == b"HTTP/1.0"
        while (line := connection.line(room)).strip():
            room -= len(line)
            name, _, value = line.partition(b":")
            match name.strip().lower(), value.strip().lower():
                case b"content-length", length if length.isdigit() and len(length) < 16:
                    self._left = int(length)
                case b"transfer-encoding", b"chunked":
                    self._chunked = True
                case b"connection", b"close":
                    closing = True
        if self.status in (204, 304):
            self._left = 0
        self.reusable = not closing and (self._left is not None or self._chunked)

    def read(self, most: int) -> bytes:
        """Read the whole body; raises `OSError` when it is cut off or more than that."""
        pieces, size = [], 0
        while piece := self._piece():
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise NotHttpError("the answer is too long")
        return b"".join(pieces)

    def line(self, most: int) -> bytes:
        """Read one line of the body; empty at its end."""
        while (end := self._lines.find(b"\n")) < 0 and len(self._lines) < most:
            piece = self._piece()
            if not piece:
                break
            self._lines += piece
        cut = min(end + 1 or len(self._lines), most)
        line, self._lines = self._lines[:cut], self._lines[cut:]
        return line

    def _piece(self) -> bytes:
        """Read some of the body, however the server frames it; empty at its end."""
        if self._chunked:
            if not self._left:
                self._left = self._next_chunk()
            if not self._left:
                return b""
        if self._left == 0:
            return b""
        piece = self._wire.some(_CHUNK if self._left is None else min(self._left, _CHUNK))
        if self._left is not None:
            if not piece:
                raise ConnectionResetError("the server closed the connection in its answer")
            self._left -= len(piece)
            if self._chunked and not self._left:
                self._wire.line(MAX_HEAD_BYTES)
        return piece

    def _next_chunk(self) -> int:
        if self._left is None or self._chunked:
            try:
                size = int(self._wire.line(MAX_HEAD_BYTES).split(b";")[0], 16)
            except ValueError:
                raise NotHttpError("a chunk of the answer has no size") from None
            if size:
                return size
            while self._wire.line(MAX_HEAD_BYTES).strip():
                pass
            self._chunked = False
        return 0
