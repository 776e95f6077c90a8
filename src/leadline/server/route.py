"""What a route is. One table of them drives decoding, authorisation and documentation."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from leadline.control.context import Context
from leadline.control.stream import Stream
from leadline.server.keyring import KeyRing
from leadline.server.sign_ins import SignIns
from leadline.wire.keys import Right
from leadline.wire.struct import dataclass, field

USER = "user"
"""Who did it, in the audit log, with the user key of the key file."""
MAX_BODY_BYTES = 64_000
"""Of what a person or a script sends: a probe is a few hundred."""


class Who(StrEnum):
    """Whose key a route needs."""

    NOBODY = "nobody"
    AGENT = "agent"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Browser:
    """What a request says of a browser: the name of our cookie, whether TLS lies between, and
    of one that is signed in its token, until when, and what its pages send with a write."""

    cookie: str = ""
    secure: bool = False
    token: str = field(default="", repr=False)
    until: float | None = None
    write_token: str = field(default="", repr=False)


NO_BROWSER = Browser()


@dataclass(frozen=True, slots=True)
class Call:
    """One request, decoded and allowed.

    `service` is the one that an agent's key is for; empty for others. `body` and `query` are
    of the types that the route names. `last_event_id` is what a reader of a stream saw last,
    `who` what the audit log is told, `may` their rights, `key` the one that was shown, if any.
    """

    context: Context
    ring: KeyRing
    sign_ins: SignIns
    service: str
    path: dict[str, str]
    body: Any
    query: Any
    last_event_id: str
    who: str = USER
    may: tuple[str, ...] = ()
    key: str = field(default="", repr=False)
    browser: Browser = NO_BROWSER


@dataclass(frozen=True, slots=True)
class Headed:
    """An answer with headers of its own, or another status than the route's."""

    content: object
    headers: Mapping[str, str]
    status: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """An answer that goes on: a stream, and what to do when its reader has gone."""

    stream: Stream
    ended: Callable[[], None]


type Handler = Callable[[Call], object]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path. A `handler` may wait for the store: it runs on a thread.

    `events` says of each event of a stream what it holds; other routes have none. A `reader`
    makes of a body what the handler gets, in place of `reading.read`. The handler of a `page`
    returns HTML, and its refusals are pages too. A `right` is needed beside the key, but where
    `waits` says of a body that it may be asked for without: the handler has it wait then.
    """

    method: str
    path: str
    who: Who
    summary: str
    handler: Handler
    body: type | None = None
    query: type | None = None
    returns: type | None = None
    status: int = 200
    max_bytes: int = MAX_BODY_BYTES
    events: Mapping[str, str] = field(default_factory=dict)
    page: bool = False
    reader: Callable[[bytes], Any] | None = None
    right: Right | None = None
    waits: Callable[[Any], bool] | None = None


def route(
    method: str,
    path: str,
    *,
    who: Who,
    body: type | None = None,
    query: type | None = None,
    returns: type | None = None,
    status: int = 200,
    max_bytes: int = MAX_BODY_BYTES,
    events: Mapping[str, str] | None = None,
    reader: Callable[[bytes], Any] | None = None,
    right: Right | None = None,
    waits: Callable[[Any], bool] | None = None,
) -> Callable[[Handler], Route]:
    """Make a route of a function; its docstring's first line is the summary."""

    def wrap(handler: Handler) -> Route:
        summary = (handler.__doc__ or "").strip().partition("\n")[0]
        return Route(
            method,
            path,
            who,
            summary,
            handler,
            body,
            query,
            returns,
            status,
            max_bytes,
            events or {},
            reader=reader,
            right=right,
            waits=waits,
        )

    return wrap


def page(
    path: str, *, who: Who = Who.USER, query: type | None = None
) -> Callable[[Handler], Route]:
    """Make a page of a function that returns its HTML."""

    def wrap(handler: Handler) -> Route:
        summary = (handler.__doc__ or "").strip().partition("\n")[0]
        return Route("GET", path, who, summary, handler, query=query, page=True)

    return wrap
