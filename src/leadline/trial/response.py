"""The response of one call of a web application, written down as it is made.

The same steps take it in the live process, from what its server is told, and in a sealed place,
from what stands for the server. In the live process nothing is asked of an object but builtin
ones: what is of another class was not seen there.
"""

import json
from typing import Any

from leadline.expression.layout import MISSING
from leadline.expression.unknown import Unknown
from leadline.expression.walking import find

MAX_TEXT_BYTES = 20_000
"""Of a body that is shown as a text, and of one that is kept in the live process."""
MAX_BODY_BYTES = 2_000_000
SERVER_ERROR = 500
_STATUS_DIGITS = 3
_PAIR = 2
_MAX_MEMBERS = 100
_START, _BODY = "http.response.start", "http.response.body"


class Response:
    """`status` is a number, `reason` the text after it, `headers` a dictionary by name, in
    lower case and in the order of the names: a text each, or a list of those where one comes
    more than once. `body` is a text where it is one and not long, else bytes, and `json` what
    it says, where a predicate is asked about a body of JSON. What has not
    been seen is not set. `beginning` is that of a body that was not kept
    whole, and its length. `raised` is what the server met when it asked for the body, and
    `messages` are those to it that neither begin a response nor are a part of its body."""

    __slots__ = (
        *("beginning", "body", "headers", "json", "messages", "raised", "reason", "status"),
    )
    beginning: tuple[bytes, int]
    body: str | bytes
    headers: dict[str, str | list[str]]
    json: Any
    messages: list[Any]
    raised: str
    reason: str
    status: int | str


class Taking:
    """A response under way. With `coerces`, what is of a class of the application's is asked
    for its text; without, it is left out and the response is `partial`. `most` are the bytes
    of a body that are kept."""

    def __init__(self, most: int = MAX_BODY_BYTES, *, coerces: bool = True) -> None:
        self.response = Response()
        self.partial = False
        self.begun = 0
        self.ended = False
        self._coerces, self._most = coerces, most
        self._chunks: list[bytes] = []
        self._kept = 0
        self.length = 0
        """Of the body so far, in bytes."""

    def start(self, status: Any, headers: Any) -> None:
        """Take what `start_response` is called with."""
        self.begun += 1
        self._reset()
        text = self._text(status)
        if text is not None:
            number = text[:_STATUS_DIGITS]
            if number.isdecimal() and number.isascii():
                self.response.status, self.response.reason = int(number), text[4:]
            else:
                self.response.status = text
        self._headers(headers)

    def message(self, message: Any) -> None:
        """Take what `send` is called with."""
        kind = self._member(message, "type", "")
        if type(kind) is str and kind == _START:
            self.begun += 1
            self._reset()
            status = self._member(message, "status", None)
            if type(status) is int or self._coerces:
                self.response.status = int(status)
            else:
                self.partial = True
            self._headers(self._member(message, "headers", ()))
        elif type(kind) is str and kind == _BODY:
            self.chunk(self._member(message, "body", b""))
            more = self._member(message, "more_body", False)
            if type(more) is not bool:
                if not self._coerces:
                    self.partial = True
                    return
                more = bool(more)
            if not more and not self.ended:
                self.end()
        elif self._coerces:
            told: list[Any] = getattr(self.response, "messages", [])
            self.response.messages = [*told, message]
        else:
            self.partial = True

    def chunk(self, chunk: Any) -> None:
        """Take a piece of the body."""
        if type(chunk) is not bytes:
            if not self._coerces:
                self.partial = True
                return
            chunk = bytes(memoryview(chunk))
        self.length += len(chunk)
        if self._kept < self._most:
            taken = chunk[: self._most - self._kept]
            self._chunks.append(taken)
            self._kept += len(taken)

    def end(self) -> None:
        """The body is whole."""
        self.ended = True
        body = b"".join(self._chunks)
        if len(body) < self.length:
            self.response.beginning = body, self.length
        else:
            self.response.body = as_shown(body)

    def leave(self, *, is_wsgi: bool) -> None:
        """The call is over: what an application has begun and not ended is told as it is."""
        if not self.ended and self.begun:
            if not is_wsgi:
                self.response.raised = "its body has no end"
            self.end()

    def asked(self, returned: bool, *, is_wsgi: bool) -> Response:
        """Return the response as a predicate is asked about it: what the client had of it.

        Where an application raises before anything is on its way, its server answers 500;
        where a part of it is, nobody can say what the client makes of that."""
        raised = not returned or hasattr(self.response, "raised")
        if not raised or (self.ended and not is_wsgi):
            self._read_json()
            return self.response
        found = Response()
        if not self.length and (is_wsgi or not self.begun):
            found.status = SERVER_ERROR
        return found

    def _read_json(self) -> None:
        body = getattr(self.response, "body", None)
        told = getattr(self.response, "headers", {}).get("content-type", "")
        if type(body) is str and type(told) is str and "json" in told:
            try:
                self.response.json = json.loads(body)
            except (ValueError, RecursionError):
                return  # it says so, and is none

    def _member(self, message: Any, name: str, otherwise: Any) -> Any:
        """Return a member of a message; in the live process one of an ordinary dictionary."""
        if self._coerces:
            return message.get(name, otherwise)
        if type(message) is dict and len(message) <= _MAX_MEMBERS:
            try:
                found = find(message, name)
            except Unknown:
                found = MISSING
            return otherwise if found is MISSING else found
        self.partial = True
        return otherwise

    def _reset(self) -> None:
        for name in ("status", "reason", "headers"):
            if hasattr(self.response, name):
                delattr(self.response, name)

    def _headers(self, given: Any) -> None:
        if type(given) not in (list, tuple) and not self._coerces:
            self.partial = True
            return
        found: dict[str, list[str]] = {}
        for pair in list(given):
            if not self._coerces and (type(pair) not in (list, tuple) or len(pair) != _PAIR):
                self.partial = True
                return
            name, value = (self._text(part) for part in pair)
            if name is None or value is None:
                return
            found.setdefault(name.strip().lower(), []).append(value.strip())
        self.response.headers = {
            name: values[0] if len(values) == 1 else values
            for name, values in sorted(found.items())
        }

    def _text(self, value: Any) -> str | None:
        kind = type(value)
        if kind is str:
            return str(value)
        if kind is bytes:
            return bytes(value).decode("latin-1")
        if self._coerces:
            if isinstance(value, bytes | bytearray | memoryview):
                return bytes(value).decode("latin-1")
            return str(value)
        self.partial = True
        return None


def as_shown(body: bytes) -> str | bytes:
    """Return a body as it is shown and compared."""
    if len(body) <= MAX_TEXT_BYTES:
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return body
