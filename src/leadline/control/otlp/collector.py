"""Where hits and points are sent: an address, headers that nobody sees, and one connection."""

import gzip
import http.client
import json
import ssl
import time
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

from leadline import __version__
from leadline.control.otlp.attributes import Json
from leadline.wire.errors import UsageError
from leadline.wire.struct import dataclass, field

TIMEOUT_S = 10.0
"""For each step of a request: OpenTelemetry's own default."""
MAX_ANSWER_BYTES = 64_000
"""Of what a collector answers; the rest is not read."""
MAX_ERROR_CHARS = 200
_AGAIN = (429, 502, 503, 504)
"""The specification's statuses after which the same request may be sent again."""


@dataclass(frozen=True, slots=True)
class Collector:
    """An address such as `http://127.0.0.1:4318`, and headers that may hold a key."""

    url: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def in_clear(self) -> bool:
        """Whether what is sent can be read on its way to another machine."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        return parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1")


def collector(url: str, headers: str = "") -> Collector:
    """Read an address, and headers as `NAME=VALUE,NAME=VALUE` with percent-encoded values.

    Raises slugs `bad-otlp-url`, `bad-otlp-headers`; neither message quotes what it was given.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "bad-otlp-url",
            "The collector's address is not one, or has a password or a query in it.",
            "Write http://HOST:4318 or https://HOST, and keys into LEADLINE_OTLP_HEADERS.",
        )
    return Collector(url.rstrip("/"), _headers(headers))


def _headers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = item.partition("=")
        name, value = name.strip(), unquote(value.strip())
        token = name.replace("-", "").replace("_", "").replace(".", "")
        if not (equals and token.isalnum() and name.isascii() and value.isprintable()):
            raise UsageError(
                "bad-otlp-headers",
                "LEADLINE_OTLP_HEADERS cannot be read.",
                "Write NAME=VALUE, with commas between; a comma in a value as %2C.",
            )
        found[name] = value
    return found


class RefusedByCollectorError(Exception):
    """It will not take this, now or later."""


class CollectorAwayError(Exception):
    """It may take this later; `after_s` is when it said so, in seconds."""

    def __init__(self, text: str, after_s: float = 0.0) -> None:
        super().__init__(text)
        self.after_s = after_s


@dataclass(frozen=True, slots=True)
class Taken:
    """What a collector took: `rejected` records it did not, and why."""

    rejected: int = 0
    why: str = ""


class Line:
    """One kept connection; used by one thread."""

    def __init__(self, where: Collector) -> None:
        self._where = where
        self._parts = urlsplit(where.url)
        self._connection: http.client.HTTPConnection | None = None
        self._tls = ssl.create_default_context() if self._parts.scheme == "https" else None

    def post(self, path: str, content: Json, timeout_s: float = TIMEOUT_S) -> Taken:
        """Send one request. Raises `CollectorAwayError`, `RefusedByCollectorError`."""
        body = gzip.compress(json.dumps(content, separators=(",", ":")).encode("ascii"), 5)
        try:
            return self._exchange(path, body, timeout_s)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise CollectorAwayError(_said(error)) from error

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, path: str, body: bytes, timeout_s: float) -> Taken:
        connection = self._open(timeout_s)
        headers = {
            "User-Agent": f"leadline/{__version__}",
            **self._where.headers,
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        connection.request("POST", self._parts.path + path, body, headers)
        answer = connection.getresponse()
        content = answer.read(MAX_ANSWER_BYTES + 1)
        if len(content) > MAX_ANSWER_BYTES or answer.will_close:
            self.close()
        if 200 <= answer.status < 300:
            return _taken(path, content)
        text = f"HTTP {answer.status}"
        if answer.status in _AGAIN:
            raise CollectorAwayError(text, _after(answer.getheader("Retry-After")))
        raise RefusedByCollectorError(text)

    def _open(self, timeout_s: float) -> http.client.HTTPConnection:
        if self._connection is None:
            host, port = self._parts.hostname or "", self._parts.port
            if self._tls is not None:
                self._connection = http.client.HTTPSConnection(host, port, context=self._tls)
            else:
                self._connection = http.client.HTTPConnection(host, port)
        self._connection.timeout = timeout_s
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout_s)
        return self._connection


def _taken(path: str, content: bytes) -> Taken:
    """Read what the answer says of a part that was not taken; anything else says nothing."""
    name = "rejectedLogRecords" if path.endswith("logs") else "rejectedDataPoints"
    try:
        partial = json.loads(content)["partialSuccess"]
        return Taken(int(partial.get(name, 0)), str(partial.get("errorMessage", "")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Taken()


def _after(header: str | None) -> float:
    if not header:
        return 0.0
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return 0.0


def _said(error: Exception) -> str:
    """Name a failure without what was sent: http.client quotes a header that it refuses."""
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"[:MAX_ERROR_CHARS]
    return type(error).__name__
