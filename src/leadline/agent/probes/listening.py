"""What the server of a web application is told while a call of that is captured: the response.

The live call shows it nowhere else: a WSGI application hands it to a function of the server's,
an ASGI application sends it, and returns nothing. So the code of that function is listened to,
as it begins, on the application's thread; what it is given is read and let go. Which call it
belongs to is told by the object that it is a method of, or by who stands on the stack.
"""

from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any

from leadline.agent.capture.gateway import Ear, Gateway
from leadline.agent.core.passage import Passage, Site
from leadline.expression.layout import identity
from leadline.trial.response import MAX_TEXT_BYTES, Response, Taking
from leadline.wire.probe import Moment
from leadline.wire.value import Omission, Value

MAX_EARS = 20
"""Functions that are listened to: a service has one server, and some middleware."""
_MAX_STACK = 300
"""Frames between the application and its server's function."""
_CO_VARARGS = 0x4
_UNHEARD = "what its server was told was not heard"


class Listened:
    """A call of a web application under way, and its response so far."""

    __slots__ = ("ear", "is_unclear", "is_wsgi", "name", "taking")

    def __init__(self, gateway: Gateway) -> None:
        self.name = gateway.name
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
        return 0 if self.ear is None else MAX_TEXT_BYTES

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
        self._wanted: dict[int, CodeType] = {}
        self._open: dict[int, Listened] = {}

    def meet(self, passage: Passage) -> None:
        """Take the passage of what is listened to."""
        self._passage = passage

    def begin(self, frame: int, gateway: Gateway | None) -> Listened | None:
        """Begin to listen for a call; there is nothing to hear for one that is no web
        server's."""
        self.end(frame)  # of another one that lay there
        if gateway is None:
            return None
        listened = Listened(gateway)
        if gateway.ear is not None:
            self._open[frame] = listened
        return listened

    def hears(self, ear: Ear | None) -> bool:
        """Tell whether what there is to hear will be heard; asks for it to be so, if not."""
        if ear is None or len(self._wanted) >= MAX_EARS:
            return True
        code = ear.code
        self._wanted[identity(code)] = code
        return any(site.code is code for site in self._passage.sites)

    def sites(self) -> list[Site]:
        """Return what is to be listened to, and is not. On a thread of ours."""
        if not self._wanted:
            return []
        known = {identity(site.code) for site in self._passage.sites if site.code is not None}
        return [
            Site(
                code,
                (),
                code.co_filename,
                code.co_firstlineno,
                code.co_qualname,
                moment=Moment.ENTRY,
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
        if not self._open:
            return
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


def response_of(listened: Listened, shown: Callable[[object], Value]) -> Value:
    """Return what was heard of a response, as far as it may be another one."""
    taking = listened.taking
    tree = shown(taking.response)
    if type(tree) is not dict:
        return tree
    if listened.ear is None or listened.is_unclear:
        return tree | {"fields": {}, "omitted": Omission.UNKNOWN, "rule": _UNHEARD}
    return tree | {"omitted": Omission.UNKNOWN} if taking.partial else tree


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
