"""Recognise the call of a WSGI or ASGI application, and what of it is the server's.

By what it is given, and without a question to any of it: an exact dictionary with the keys
that the standard asks for, and callables beside it. What is the server's has a form of its own
in the kept arguments (`wire.gateway`): the call can be made again without it. A body is not
read, since that would take it from the application; that there is none is told by the headers.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from leadline.agent.capture.held import MAX_NAMES
from leadline.agent.capture.kept_functions import code_of
from leadline.agent.capture.kept_streams import standard
from leadline.expression.layout import MISSING, identity, layout_of
from leadline.wire.gateway import SERVED, Piece

if TYPE_CHECKING:
    from leadline.agent.capture.holding import Node
    from leadline.agent.capture.keeping import Keeper

type Named = Sequence[tuple[str, object]]
type Pieces = Mapping[int, tuple[Piece, bool]]
NO_PIECES: Pieces = {}

_VERSIONS = ("HTTP/1.0", "HTTP/1.1")
_ASGI_VERSIONS = ("1.0", "1.1")
"""In which a body is always announced."""
_HTTP = "http"
READERS = ("read", "readline", "readlines", "__next__")
"""Of an input. What the others give out may be what `read` has given them."""
_MAX_HEADERS = 1_000
_DIGITS = 20
_BYTES_IN_MEMORY = "_io.BytesIO"
_method = vars(types.MethodType)
_METHOD_FUNCTION, _METHOD_SELF = (_method[name].__get__ for name in ("__func__", "__self__"))


class Ear(NamedTuple):
    """Code that runs when the server is told of the response: of a function of the server's,
    or of a method; then `owner` is the identity of its object, else 0."""

    code: CodeType
    owner: int


class Gateway(NamedTuple):
    """What a call of an application was given. `pieces` are the server's, by the identity of
    the object, each with whether the request is known to have no body; `obstacle` says why
    the call cannot be made again."""

    is_wsgi: bool
    name: str
    """Of the parameter that holds the request."""
    pieces: Pieces
    ear: Ear | None = None
    asks: tuple[Ear, ...] = ()
    """What gives out the request's body: as it ends."""
    bare: bool = False
    """Whether the request is known to have none."""
    length: int = -1
    """Of the body, where that is announced."""
    obstacle: str = ""


def served(keeper: Keeper, piece: Piece, bare: bool) -> Node:
    """Return the node of a piece of the server's; the body of a request that has none is
    known."""
    node: Node = {"k": SERVED, "t": piece.value}
    if bare and piece in (Piece.INPUT, Piece.RECEIVE):
        node["i"] = [keeper.ref(b""), True]
    return node


def gateway_of(named: Named) -> Gateway | None:
    """Return what of a call's arguments is the server's; None for any other call."""
    for at, (name, value) in enumerate(named):
        if type(value) is not dict:
            continue
        beside = [one for _, one in named[at + 1 : at + 3]]
        if not beside or not is_callable(beside[0]):
            continue
        held = _held(value)
        if "wsgi.version" in held and type(held.get("REQUEST_METHOD")) is str:
            return _wsgi(name, held, beside[0])
        sends = len(beside) > 1 and is_callable(beside[1])
        if sends and type(held.get("type")) is str and type(held.get("asgi")) is dict:
            return _asgi(name, held, *beside)
    return None


def request_first(named: Named, gateway: Gateway | None) -> Named:
    """Return arguments so that a request comes before the application, which may take all the
    room that there is."""
    if gateway is None:
        return named
    at = next(at for at, (name, _) in enumerate(named) if name == gateway.name)
    return [*named[at:], *named[:at]]


def _held(request: dict[Any, object]) -> dict[str, object]:
    """Return what lies under exact texts, which can be asked for: a key that is an object of
    the application could answer with code of its own."""
    if len(request) > MAX_NAMES:
        return {}
    return {key: one for key, one in list(request.items()) if type(key) is str}


def _wsgi(name: str, environ: dict[str, object], start: object) -> Gateway:
    bare = not _wsgi_body(environ)
    pieces = {identity(start): (Piece.START_RESPONSE, bare)}
    asks: tuple[Ear, ...] = ()
    given = environ.get("wsgi.input", MISSING)
    if given is not MISSING and _BYTES_IN_MEMORY not in layout_of(type(given)).names:
        pieces[identity(given)] = (Piece.INPUT, bare)
        asks = _readers(given)
    errors = environ.get("wsgi.errors", MISSING)
    if errors is not MISSING and standard(errors) is None:
        pieces[identity(errors)] = (Piece.ERRORS, bare)
    return Gateway(True, name, pieces, _ear(start), asks, bare, _length(environ))


def _asgi(name: str, scope: dict[str, object], receive: object, send: object) -> Gateway:
    if scope["type"] != _HTTP:
        asked = f"what a server asks of it is {scope['type']}, no request"
        return Gateway(False, name, {}, obstacle=asked)
    bare = not _asgi_body(scope)
    pieces = {identity(receive): (Piece.RECEIVE, bare), identity(send): (Piece.SEND, bare)}
    ear = _ear(receive)
    asks = (ear,) if ear is not None and ear.owner else ()
    return Gateway(False, name, pieces, _ear(send), asks, bare)


def _readers(given: object) -> tuple[Ear, ...]:
    """Return what reads an input, where it is written in Python; first what does so in the
    one way that is followed."""
    layout = layout_of(type(given))
    codes = (code_of(layout.find(name)) for name in READERS)
    return tuple(Ear(code, identity(given)) for code in codes if code is not None)


def _wsgi_body(environ: dict[str, object]) -> bool:
    """Tell whether the request may have a body."""
    length = environ.get("CONTENT_LENGTH", MISSING)
    if type(length) is str and length:
        return not length.isdecimal() or int(length[:_DIGITS]) > 0
    if length is not MISSING and type(length) is not str:
        return True
    if "HTTP_TRANSFER_ENCODING" in environ:
        return True
    version = environ.get("SERVER_PROTOCOL")
    return type(version) is not str or version not in _VERSIONS


def _length(environ: dict[str, object]) -> int:
    length = environ.get("CONTENT_LENGTH", MISSING)
    known = type(length) is str and length.isdecimal() and len(length) <= _DIGITS
    return int(length) if known else -1  # type: ignore[call-overload]


def _asgi_body(scope: dict[str, object]) -> bool:
    headers = scope.get("headers")
    if type(headers) not in (list, tuple) or len(headers) > _MAX_HEADERS:  # type: ignore[arg-type]
        return True
    pairs: Any = headers
    for pair in list(pairs):
        if type(pair) not in (tuple, list) or len(pair) != 2:
            return True
        name, value = pair
        if type(name) is not bytes or type(value) is not bytes:
            return True
        name = name.lower()
        if name == b"transfer-encoding":
            return True
        if name == b"content-length":
            return not value.isdigit() or int(value[:_DIGITS]) > 0
    version = scope.get("http_version")
    return type(version) is not str or version not in _ASGI_VERSIONS


def is_callable(value: object) -> bool:
    """Tell whether the class of an object says what it does when it is called."""
    return layout_of(type(value)).find("__call__") is not MISSING


def _ear(told: object) -> Ear | None:
    """Return what runs when a callable is called, where it is written in Python."""
    kind = type(told)
    if kind is types.MethodType:
        code = code_of(_METHOD_FUNCTION(told))
        return Ear(code, identity(_METHOD_SELF(told))) if code is not None else None
    if kind is types.FunctionType:
        code = code_of(told)
        return Ear(code, 0) if code is not None else None
    code = code_of(layout_of(kind).find("__call__"))
    return Ear(code, identity(told)) if code is not None else None
