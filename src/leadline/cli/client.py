"""Talks to a server over HTTP; every error of it becomes one of ours."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

from leadline.cli.http import Answer, Connection
from leadline.cli.places import server_keys_file, server_url
from leadline.wire.errors import (
    InternalError,
    LeadlineError,
    RefusedError,
    UnavailableError,
    UsageError,
)
from leadline.wire.keys import load

TIMEOUT_S = 10.0
STREAM_SILENCE_S = 30.0
"""The server says something every 10 s; three times that without a word is a dead server."""
MAX_ANSWER_BYTES = 100_000_000


class Client:
    """One server, one key; one connection, and one more for each stream."""

    def __init__(
        self, url: str | None = None, key: str | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.url = url or server_url()
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError:
            raise _bad_url(self.url) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _bad_url(self.url)
        secure = parts.scheme == "https"
        self._where = parts.hostname, port or (443 if secure else 80), timeout_s
        self._secure = secure
        self._authority = parts.netloc.rpartition("@")[2]
        self._prefix = parts.path.rstrip("/")
        self._connection = self._new_connection()
        self._key = _clean(
            key or os.environ.get("LEADLINE_KEY") or load(server_keys_file()).user
        )

    def close(self) -> None:
        """Let the connection go; the next question makes another. A command's end does too."""
        self._connection.close()

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Ask; returns the answer's object. Raises `LeadlineError`."""
        return self._ask("GET", path, query, None)

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for something to be done."""
        return self._ask("POST", path, {}, body or {})

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for something to be exactly so."""
        return self._ask("PUT", path, {}, body)

    def delete(self, path: str) -> dict[str, Any]:
        """Ask for something to be removed."""
        return self._ask("DELETE", path, {}, None)

    def stream(
        self, path: str, until: float | None = None, **query: object
    ) -> Iterator[tuple[str, str]]:
        """Yield each event of a stream as (name, data); ends when the server ends it, or at
        `until` (`time.monotonic()`).

        The first event is `("open", "")`: from here on nothing is missed. `("", "")` is a
        sign of life while nothing happens.
        """
        connection = self._new_connection()
        try:
            answer = self._open(connection, "GET", path, query, None)
            yield "open", ""
            name, data = "", ""
            while line := _line(connection, answer, until):
                field, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(":")
                if field == "event":
                    name = value.strip()
                elif field == "data":
                    data += value.removeprefix(" ")
                elif not field:
                    yield name, data
                    name, data = "", ""
        except TimeoutError as error:
            if until is not None and time.monotonic() >= until:
                return
            raise self._away("it has gone silent") from error
        except OSError as error:
            raise self._away(str(error) or "it closed the connection") from error
        finally:
            connection.close()

    def _new_connection(self) -> Connection:
        return Connection(*self._where, secure=self._secure)

    def _ask(
        self, method: str, path: str, query: dict[str, object], body: dict[str, Any] | None
    ) -> dict[str, Any]:
        kept = False
        try:
            answer = self._open(self._connection, method, path, query, body)
            content = answer.read(MAX_ANSWER_BYTES)
            value = json.loads(content) if content else {}
            kept = answer.reusable
        except OSError as error:
            raise self._away(str(error)) from error
        except ValueError as error:
            raise UnavailableError(
                "not-a-server", f"What answers at {self.url} is not a Leadline server."
            ) from error
        finally:
            if not kept:
                self._connection.close()
        return value if isinstance(value, dict) else {}

    def _open(
        self,
        connection: Connection,
        method: str,
        path: str,
        query: dict[str, object],
        body: dict[str, Any] | None,
    ) -> Answer:
        asked = {name: value for name, value in query.items() if value is not None}
        target = f"{self._prefix}{path}"
        if asked:
            target += f"?{urlencode(asked, errors='surrogatepass')}"
        head = {
            "Host": self._authority,
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
        }
        content = json.dumps(body).encode("ascii") if body is not None else b""
        try:
            answer = connection.ask(method, target, head, content)
        except ValueError as error:  # a path that no address can be made of
            raise self._away(str(error)) from error
        if answer.status >= 400:
            raise _refusal(answer, self.url)
        return answer

    def _away(self, why: str) -> UnavailableError:
        return UnavailableError(
            "no-server",
            f"There is no Leadline server at {self.url} ({why}).",
            "Start one with `leadline up`, or set LEADLINE_URL to the one you mean.",
        )


def _clean(key: str) -> str:
    """Return a key without the line ending of the file that it came from."""
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        raise RefusedError(
            "bad-key",
            "LEADLINE_KEY holds characters that no key of Leadline has.",
            "Copy the key once more, or unset LEADLINE_KEY to use the key file.",
        )
    return key


def _bad_url(url: str) -> UsageError:
    return UsageError(
        "bad-url",
        f"{url!r} is not the address of a server.",
        "Set LEADLINE_URL to something like http://127.0.0.1:7357, or unset it.",
    )


def _line(connection: Connection, answer: Answer, until: float | None) -> bytes:
    """Read a line of a stream; waits no longer than the server's silence or `until` allow."""
    left = STREAM_SILENCE_S
    if until is not None:
        left = min(left, max(0.01, until - time.monotonic()))
    connection.patience(left)
    return answer.line(MAX_ANSWER_BYTES)


def _refusal(answer: Answer, url: str) -> LeadlineError:
    """Turn an error answer back into the error that it was on the server's side."""
    try:
        error = json.loads(answer.read(1_000_000))["error"]
        slug, message, hint = str(error["slug"]), str(error["message"]), str(error["hint"])
    except (OSError, ValueError, KeyError, TypeError):
        return UnavailableError(
            "not-a-server", f"What answers at {url} ({answer.status}) is no Leadline server."
        )
    if answer.status in (401, 403, 409):
        return RefusedError(slug, message, hint)
    if answer.status == 503:
        return UnavailableError(slug, message, hint)
    if answer.status >= 500:
        return InternalError(message)
    return UsageError(slug, message, hint)
