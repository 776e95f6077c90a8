"""What stands for the server, where a call of a WSGI or ASGI application is made again.

The application is given a function that begins a response, an input, a way to receive and to
send; each is ours, and writes down what it hears. Nothing reaches a socket. What a request had
in its body is known only where the live process could see it: whoever asks for more has left
the path of the real call, and the call ends there.
"""

import io
import sys
from collections.abc import Callable, Mapping
from typing import Any

from leadline.trial.response import Response, Taking
from leadline.trial.withheld import Withheld, withheld
from leadline.wire.gateway import ASKED, BODY, RESPONSE, Piece
from leadline.wire.struct import dataclass

MAX_CHUNKS = 10_000
"""Of a body: what gives out more is a stream."""
_TEXTS = {
    Piece.START_RESPONSE: "the server's start_response",
    Piece.INPUT: "the server's input",
    Piece.ERRORS: "the server's errors",
    Piece.RECEIVE: "the server's receive",
    Piece.SEND: "the server's send",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a request's body, and whether that is all of it."""

    body: bytes = b""
    whole: bool = True


class Exchange:
    """One request and its response, as far as they are made here."""

    def __init__(self) -> None:
        self.taking = Taking()
        self.is_wsgi = False
        self._finished = False

    @property
    def response(self) -> Response:
        return self.taking.response

    def left(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a call leaves: its response, and what is plain data in the request, to
        which middleware adds. The application itself is a part of its module."""
        requests = {name: _plainly(one) for name, one in given.items() if type(one) is dict}
        return {RESPONSE: self.response} | requests

    def finish(self, result: Any) -> None:
        """Ask for the body as a WSGI server does: once the application has returned."""
        if not self.is_wsgi or self._finished:
            return
        self._finished = True
        try:
            for number, chunk in enumerate(result, 1):
                self.taking.chunk(chunk)
                if number >= MAX_CHUNKS:
                    self.response.raised = f"it gave out {MAX_CHUNKS:,} pieces, and more"
                    break
        except Exception as error:  # noqa: BLE001 - what it comes to is a part of the response
            self.response.raised = repr(error)
        finally:
            self.taking.end()
            try:
                if hasattr(result, "close"):
                    result.close()
            except Exception as error:  # noqa: BLE001 - as above
                self.response.raised = repr(error)


class StartResponse:
    """Stands for the server's `start_response`."""

    __slots__ = ("_exchange",)
    piece = Piece.START_RESPONSE

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        exchange.is_wsgi = True

    def __call__(
        self, status: Any, headers: Any, exc_info: Any = None
    ) -> Callable[[Any], None]:
        taking = self._exchange.taking
        if exc_info and taking.length:  # what is on its way cannot be taken back
            raise exc_info[1].with_traceback(exc_info[2])
        if taking.begun and not exc_info:
            raise AssertionError("start_response was called twice, without exc_info")
        taking.start(status, headers)
        return taking.chunk


class Input(io.BytesIO):
    """Stands for the server's `wsgi.input`, of which all is known."""

    piece = Piece.INPUT


class Errors:
    """Stands for the server's `wsgi.errors`: what is written is as if it was printed."""

    __slots__ = ()
    piece = Piece.ERRORS

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def writelines(self, lines: Any) -> None:
        sys.stderr.writelines(lines)

    def flush(self) -> None:
        sys.stderr.flush()


class Receive:
    """Stands for the server's `receive`: the body at once, then that the client is gone, once
    the response is whole."""

    __slots__ = ("_asked", "_exchange", "_given", "_more")
    piece = Piece.RECEIVE

    def __init__(self, exchange: Exchange, asked: Asked) -> None:
        self._exchange, self._asked = exchange, asked
        self._more: Any = None
        if not asked.whole:
            self._more = withheld("receive()", BODY, "request")
        self._given = False

    async def __call__(self) -> dict[str, Any]:
        if not self._given:
            self._given = True
            whole, body = self._asked.whole, self._asked.body
            if whole or body:
                return {"type": "http.request", "body": body, "more_body": not whole}
        if self._more is not None:
            self._more()  # says so, and raises
        import asyncio  # noqa: PLC0415 - who receives has it

        while not self._exchange.taking.ended:
            await asyncio.sleep(_LOOK_S)
        return {"type": "http.disconnect"}


class Send:
    """Stands for the server's `send`."""

    __slots__ = ("_exchange",)
    piece = Piece.SEND

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def __call__(self, message: Any) -> None:
        taking = self._exchange.taking
        kind = message["type"]
        if kind == "http.response.start" and taking.begun:
            raise RuntimeError("a response was begun twice")
        if kind == "http.response.body" and (taking.ended or not taking.begun):
            raise RuntimeError("a body was sent without a response, or after its end")
        taking.message(message)


_LOOK_S = 0.001
STAND_INS = frozenset((StartResponse, Input, Errors, Receive, Send))


def _plainly(value: Any, level: int = 0) -> Any:
    """Return plain data as it is; of all else, the name of its class."""
    kind = type(value)
    if kind in _PLAIN or kind in STAND_INS or kind is Withheld:
        return value
    if level < _MAX_LEVEL and kind is dict:
        return {key: _plainly(one, level + 1) for key, one in value.items()}
    if level < _MAX_LEVEL and kind in (list, tuple):
        return [_plainly(one, level + 1) for one in value]
    return f"a {kind.__qualname__}"


_PLAIN = frozenset((str, bytes, int, float, bool, type(None)))
_MAX_LEVEL = 5


def words_of(stand_in: Any) -> tuple[str, str]:
    """Return the name of what a stand-in stands for, and in words whose it is."""
    return stand_in.piece.value, _TEXTS[stand_in.piece]


def stand_in(exchange: Exchange, piece: str, asked: Asked | None) -> Any:
    """Make what stands for a piece of the server's. Without `asked`, nothing is known of the
    body, and there is one. Raises `ValueError` for a piece that is none."""
    match Piece(piece):
        case Piece.START_RESPONSE:
            return StartResponse(exchange)
        case Piece.ERRORS:
            return Errors()
        case Piece.SEND:
            return Send(exchange)
        case Piece.RECEIVE:
            return Receive(exchange, asked or Asked(whole=False))
        case Piece.INPUT:
            if asked is not None and asked.whole:
                return Input(asked.body)
            return withheld("the server's input", BODY, "request")


def exchange_of(given: Mapping[str, Any]) -> Exchange | None:
    """Return the exchange that a call with these arguments is a part of."""
    for one in given.values():
        if type(one) in (StartResponse, Send):
            found: Exchange = one._exchange  # noqa: SLF001 - ours
            return found
    return None


def asked_for(exchange: Exchange | None, returned: bool) -> dict[str, Response]:
    """Return the response under the name that predicates have for it."""
    if exchange is None:
        return {}
    return {ASKED: exchange.taking.asked(returned, is_wsgi=exchange.is_wsgi)}
