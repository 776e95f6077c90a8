"""What the server of a web application is told while a call of that is captured: the response.

The live call shows it nowhere else: a WSGI application hands it to a function of the server's,
an ASGI application sends it, and returns nothing. So the code of that function is listened to,
as it begins, on the application's thread; what it is given is read and let go. Which call it
belongs to is told by the object that it is a method of, or by who stands on the stack.
"""

import binascii
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any

from leadline.agent.capture.bodies import body_of
from leadline.agent.capture.gateway import READERS, Ear, Gateway
from leadline.agent.capture.held import among
from leadline.agent.capture.kept_quickly import open_nodes
from leadline.agent.core.passage import Passage, Site
from leadline.expression.layout import MISSING, identity
from leadline.trial.response import MAX_TEXT_BYTES, Response, Taking
from leadline.wire.gateway import SERVED, Piece
from leadline.wire.kept import Kept
from leadline.wire.probe import Moment
from leadline.wire.value import Omission, Value

MAX_EARS = 20
"""Functions that are listened to: a service has one server, and some middleware."""
MAX_BODY_BYTES = 50_000
"""Of a request's body that is kept."""
_REQUEST = "http.request"
_MAX_MEMBERS = 100
_MAX_STACK = 300
"""Frames between the application and its server's function."""
_CO_VARARGS = 0x4
_UNHEARD = "what its server was told was not heard"


class Listened:
    """A call of a web application under way: its response so far, and what it has read of the
    request's body."""

    __slots__ = ("asks", "body", "ear", "is_unclear", "is_wsgi", "name", "taking")
    asks: tuple[Ear, ...]

    def __init__(self, gateway: Gateway) -> None:
        self.name, self.asks = gateway.name, () if gateway.bare else gateway.asks
        self.body = Overheard(gateway.length, is_wsgi=gateway.is_wsgi)
        self.is_wsgi, self.ear = gateway.is_wsgi, gateway.ear
        self.taking = Taking(MAX_TEXT_BYTES, coerces=False)
        self.is_unclear = False
        """It may have been told of another call's response."""

    def asked(self, returned: bool) -> Response:
        """Return what there is to be asked about."""
        if self.ear is None or self.is_unclear:
            return Response()
        return self.taking.asked(returned, is_wsgi=self.is_wsgi)

    @property
    def room(self) -> int:
        """Bytes of a body that it may hold."""
        room = 0 if self.ear is None else MAX_TEXT_BYTES
        return room + (MAX_BODY_BYTES if self.asks else 0)

    def over(self, returned: bool, value: object) -> None:
        """The call has ended. What a WSGI application returned may hold the body."""
        if not self.is_wsgi:
            self.taking.leave(is_wsgi=False)
        elif returned and self.taking.begun and (body := body_of(value)) is not None:
            for chunk in body:
                self.taking.chunk(chunk)
            self.taking.end()

    def hear(self, given: list[object]) -> None:
        """Take what the server's function was called with."""
        if self.is_wsgi:
            if len(given) > 1:
                self.taking.start(given[0], given[1])
        elif given:
            self.taking.message(given[0])


class Listening:
    """What is listened to for one probe."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[int, Moment], CodeType] = {}
        self._open: dict[int, Listened] = {}

    def meet(self, passage: Passage) -> None:
        """Take the passage of what is listened to."""
        self._passage = passage

    @property
    def listens(self) -> bool:
        """Whether any call is under way that is listened for."""
        return bool(self._open)

    def begin(self, frame: int, gateway: Gateway | None) -> Listened | None:
        """Begin to listen for a call; there is nothing to hear for one that is no web
        server's."""
        self.end(frame)  # of another one that lay there
        if gateway is None:
            return None
        listened = Listened(gateway)
        if gateway.ear is not None or listened.asks:
            self._open[frame] = listened
        return listened

    def hears(self, gateway: Gateway) -> bool:
        """Tell whether what there is to hear will be heard; asks for it to be so, if not."""
        wanted = [(one.code, Moment.EXIT) for one in gateway.asks]
        if gateway.ear is not None:
            wanted.append((gateway.ear.code, Moment.ENTRY))
        heard = True
        for code, moment in wanted:
            key = identity(code), moment
            if key not in self._wanted and len(self._wanted) >= MAX_EARS:
                continue
            self._wanted[key] = code
            heard = heard and any(
                site.code is code and site.moment is moment for site in self._passage.sites
            )
        return heard

    def sites(self) -> list[Site]:
        """Return what is to be listened to, and is not. On a thread of ours."""
        if not self._wanted:
            return []
        known = {
            (identity(site.code), site.moment)
            for site in self._passage.sites
            if site.code is not None
        }
        return [
            Site(
                code, (), code.co_filename, code.co_firstlineno, code.co_qualname, moment=key[1]
            )
            for key, code in list(self._wanted.items())
            if key not in known
        ]

    def end(self, frame: int) -> None:
        """Listen no more for a call."""
        self._open.pop(frame, None)

    def clear(self) -> None:
        """Forget all calls."""
        self._open.clear()

    def hear(self, frame: FrameType, code: CodeType, named: list[tuple[str, object]]) -> None:
        """Take what the server's function is called with, for the calls that it concerns."""
        given = _given(code, named)
        owner = identity(given[0]) if given else 0
        mine = {
            key: one
            for key, one in list(self._open.items())
            if one.ear is not None and one.ear.code is code and one.ear.owner in (0, owner)
        }
        if not mine:
            return
        owned = [one for one in mine.values() if one.ear is not None and one.ear.owner]
        if len(owned) == len(mine) == 1:
            owned[0].hear(given[1:])
            return
        on_stack = _on_stack(frame, mine)
        by_place = len(on_stack) > 1 and not all(one in owned for one in on_stack)
        for one in on_stack or owned:
            one.is_unclear = one.is_unclear or not on_stack or by_place
            one.hear(given[1:] if one.ear is not None and one.ear.owner else given)

    def overhear(self, code: CodeType, named: list[tuple[str, object]], given: object) -> None:
        """Take what the server has given out of the request, for the calls that it concerns."""
        owners = _given(code, named)
        for one in list(self._open.values()):
            for ear in one.asks:
                if ear.code is code and owners and ear.owner == identity(owners[0]):
                    one.body.take(code.co_name, owners[1:], given)


class Overheard:
    """What was read of a request's body while a call was under way."""

    __slots__ = ("_announced", "_chunks", "_is_wsgi", "is_lost", "is_whole", "length")

    def __init__(self, announced: int, *, is_wsgi: bool) -> None:
        """`announced` is how long the body is, below 0 where that is not known."""
        self._is_wsgi, self._announced = is_wsgi, announced
        self._chunks: list[bytes] = []
        self.length = 0
        self.is_whole = self.is_lost = False

    def take(self, how: str, asked: list[object], given: object) -> None:
        """Take what was read, or received; `how` is the function's name, and `asked` what it
        was given."""
        if self._is_wsgi:
            self._read(how, asked, given)
            return
        if type(given) is not dict or len(given) > _MAX_MEMBERS:
            self.is_lost = True
        elif type(kind := among(given, "type")) is str and kind == _REQUEST:
            body, more = among(given, "body"), among(given, "more_body")
            self._add(b"" if body is MISSING else body)
            if more is MISSING or more is False:
                self.is_whole = True
            elif more is not True:
                self.is_lost = True

    def _read(self, how: str, asked: list[object], given: object) -> None:
        if how != READERS[0]:
            self.is_lost = True
            return
        self._add(given)
        if self._announced >= 0:
            self.is_whole = self.length == self._announced
        elif type(given) is bytes and not given:  # no end, if nothing was asked for
            self.is_whole = not any(type(one) is int and one == 0 for one in asked)

    def _add(self, chunk: object) -> None:
        if type(chunk) is not bytes or self.length + len(chunk) > MAX_BODY_BYTES:
            self.is_lost = True
            return
        self._chunks.append(chunk)
        self.length += len(chunk)

    def fill(self, kept: Kept) -> None:
        """Write it into the arguments, where their document has the server's place for it. On
        a thread of ours, before anything is withheld."""
        if self.is_lost or not (self._chunks or self.is_whole) or kept.document is None:
            return
        open_nodes(kept.document)
        nodes: list[dict[str, Any]] = kept.document["nodes"]
        pieces = (Piece.INPUT, Piece.RECEIVE)
        places = [node for node in nodes if node["k"] == SERVED and node["t"] in pieces]
        for node in places:
            if "i" not in node and (self.is_whole or not self._is_wsgi):
                octets = binascii.b2a_base64(b"".join(self._chunks), newline=False)
                node["i"] = [[len(nodes)], self.is_whole]
                nodes.append({"k": "bytes", "b": octets.decode("ascii")})
                return


def response_of(listened: Listened, shown: Callable[[object], Value]) -> Value:
    """Return what was heard of a response, as far as it may be another one."""
    taking = listened.taking
    tree = shown(taking.response)
    if type(tree) is not dict:
        return tree
    if listened.ear is None or listened.is_unclear:
        return tree | {"fields": {}, "omitted": Omission.UNKNOWN, "rule": _UNHEARD}
    if taking.partial or not taking.ended:
        return tree | {"omitted": Omission.UNKNOWN}
    return tree


def _given(code: CodeType, named: list[tuple[str, object]]) -> list[object]:
    """Return what was given by place."""
    held = dict(named)
    given = [held[name] for name in code.co_varnames[: code.co_argcount] if name in held]
    if code.co_flags & _CO_VARARGS:
        more: Any = held.get(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
        given += more if type(more) is tuple else ()
    return given


def _on_stack(frame: FrameType, mine: Mapping[int, Listened]) -> list[Listened]:
    """Return the calls that stand on the stack."""
    found: list[Listened] = []
    above: FrameType | None = frame.f_back
    for _ in range(_MAX_STACK):
        if above is None:
            break
        one = mine.get(identity(above))
        if one is not None:
            found.append(one)
        above = above.f_back
    return found
