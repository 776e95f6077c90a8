"""The Starlette application: the route table, and a gate in front of everything."""

from collections.abc import Collection
from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from leadline.control.context import Context, say
from leadline.server.access import Caller, Doors, check_origin, check_right
from leadline.server.answers import answer, refusal, status_of
from leadline.server.events import EventStream
from leadline.server.keyring import KeyRing
from leadline.server.page_frame import html
from leadline.server.pages import PAGES, refused_page
from leadline.server.reading import query, read, read_body, unpack
from leadline.server.route import Call, Flow, Headed, Route, Who
from leadline.server.routes import ROUTES
from leadline.server.sessions import Sessions
from leadline.server.sign_ins import SignIns
from leadline.wire.errors import InternalError, LeadlineError, UsageError

AGENTS_AT_ONCE = 40
"""Threads that agents' requests may take: when a fleet reports more than can be written, those
wait for each other, and not the people who look at it."""


def create_app(
    context: Context, ring: KeyRing, sign_ins: SignIns, names: Collection[str] = ()
) -> ASGIApp:
    """Return the application. `names` are those that it answers to beside loopback's."""
    sessions = Sessions()
    ring.changed = sign_ins.ended = sessions.wake
    doors = Doors(ring, sign_ins)
    threads = {Who.AGENT: CapacityLimiter(AGENTS_AT_ONCE)}
    app = Starlette(
        routes=[
            _mounted(route, context, doors, sessions, threads.get(route.who))
            for route in (*ROUTES, *PAGES)
        ],
        exception_handlers={HTTPException: _not_here},
        # code compresses to a tenth; no other site can have a signed-in browser ask, so nothing
        # can be guessed by the length of an answer
        middleware=[Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)],
    )
    app.router.redirect_slashes = False
    return _Gate(app, frozenset(name.lower() for name in names))


def _mounted(
    route: Route,
    context: Context,
    doors: Doors,
    sessions: Sessions,
    threads: CapacityLimiter | None,
) -> StarletteRoute:
    def handle(request: Request, caller: Caller, content: bytes) -> Flow | Response:
        """Decode, call and encode, on a thread: all three may take a while."""
        body = values = None
        if route.body is not None:
            encoding = request.headers.get("content-encoding", "")
            plain = unpack(content, encoding, route.max_bytes)
            body = route.reader(plain) if route.reader else read(plain, route.body)
            if route.right is not None and route.waits is not None and not route.waits(body):
                check_right(route.right, caller.may)
        if route.query is not None:
            values = query(request.query_params, route.query)
        call = Call(
            context=context,
            ring=doors.ring,
            sign_ins=doors.sign_ins,
            service=caller.service,
            who=caller.who,
            may=caller.may,
            key=caller.key,
            browser=caller.browser,
            path=dict(request.path_params),
            body=body,
            query=values,
            last_event_id=request.headers.get("last-event-id", ""),
        )
        return _encoded(route, route.handler(call))

    async def endpoint(request: Request) -> Any:
        try:
            caller = doors.authorise(route, request)
            content = b""
            if route.body is not None:
                content = await read_body(request, route.max_bytes)
            result = await run_sync(handle, request, caller, content, limiter=threads)
        except LeadlineError as error:
            return _refused(request, error, page=route.page)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Exception as error:  # noqa: BLE001 - a defect is one 500, said in our log
            return _refused(request, _our_fault(error), page=route.page)
        if isinstance(result, Flow):
            return EventStream(result, sessions.open(caller.valid))
        return result

    mounted = StarletteRoute(route.path, endpoint, methods=[route.method])
    mounted.methods = {route.method}  # HEAD of a stream would be a stream
    return mounted


def _encoded(route: Route, result: object) -> Flow | Response:
    match result:
        case Flow() | Response():
            return result
        case Headed():
            return answer(result.content, result.status or route.status, result.headers)
    return html(str(result)) if route.page else answer(result, route.status)


def _refused(request: Request, error: LeadlineError, *, page: bool) -> Response:
    if isinstance(error, InternalError):
        say(f"{request.method} {request.scope['path'][:200]!a} failed: {error.message}")
        error = InternalError("The server failed at this request; its own log says where.")
    # a part is asked for by a module, which shows a sentence in its place
    part = request.scope["path"].startswith("/parts/") and status_of(error) != 401
    return refused_page(error) if page and not part else refusal(error)


def _our_fault(error: Exception) -> InternalError:
    """Name a failure by its type and place; its text may quote captured values."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place else "?"
    return InternalError(f"{type(error).__name__} in {where}")


async def _not_here(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        response = refusal(UsageError("no-such-method", "This address has no such method."))
        response.headers.update(error.headers or {})
        return response
    nothing = UsageError("no-such-address", "There is nothing at this address.")
    if "text/html" in request.headers.get("accept", ""):
        return refused_page(nothing)
    return refusal(nothing)


class _Gate:
    """Refuses requests by `Host` and `Origin` before anything else sees them."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        app = self._app
        try:
            server = scope.get("server") or ("", 0)
            check_origin(Headers(scope=scope), server[0], self._names)
        except LeadlineError as error:
            app = refusal(error)
        except ValueError:  # an address that cannot even be parsed
            app = refusal(UsageError("bad-host", "The headers of this request are malformed."))
        await app(scope, receive, send)
