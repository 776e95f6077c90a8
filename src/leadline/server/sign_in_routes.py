"""The addresses for signing in: a link that works once, and the session that it becomes."""

from http.cookies import SimpleCookie

from msgspec import Struct

from leadline.server.bodies import SCHEMA_VERSION
from leadline.server.route import USER, Browser, Call, Headed, Route, Who, route
from leadline.server.sign_ins import SIGN_IN_S, write_token
from leadline.wire.errors import RefusedError

_SESSION = "/v1/session"
SIGN_IN_PATH = "/sign-in"


class LinkAnswer(Struct, frozen=True, kw_only=True):
    """Where a browser is let in, once, until `expires_at`.

    The code stands behind `#`, which browsers send to nobody: it is in no log of a proxy.
    """

    schema_version: int = SCHEMA_VERSION
    path: str
    expires_at: float


class SessionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The code of a link."""

    code: str


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """Who is signed in; `until` is null for a key, which has no end of its own. A page sends
    `write_token` with whatever changes something."""

    schema_version: int = SCHEMA_VERSION
    who: str
    until: float | None
    write_token: str


@route("POST", "/v1/links", who=Who.USER, returns=LinkAnswer, status=201)
def make_link(call: Call) -> LinkAnswer:
    """Return a link that signs one browser in, with the rights of the key."""
    if not call.key:
        raise RefusedError(
            "wrong-key",
            "A link is made with a key, not by a browser that is signed in.",
            "Ask for one on the command line: leadline open",
        )
    code, until = call.sign_ins.make_link(call.key)
    return LinkAnswer(path=f"{SIGN_IN_PATH}#{code}", expires_at=until)


@route("POST", _SESSION, who=Who.NOBODY, body=SessionBody, returns=SessionAnswer, status=201)
def sign_in(call: Call) -> Headed:
    """Use a link up, and sign the browser in with a cookie."""
    token, made, holder = call.sign_ins.sign_in(call.body.code)
    who = holder.name or USER
    call.context.note(who, "signed-in")
    answer = SessionAnswer(who=who, until=made.until, write_token=write_token(token))
    return Headed(answer, {"set-cookie": _cookie(call.browser, token, SIGN_IN_S)})


@route("GET", _SESSION, who=Who.USER, returns=SessionAnswer)
def session(call: Call) -> SessionAnswer:
    """Say who is signed in, and until when."""
    return SessionAnswer(
        who=call.who, until=call.browser.until, write_token=call.browser.write_token
    )


@route("DELETE", _SESSION, who=Who.USER, status=204)
def sign_out(call: Call) -> Headed:
    """Sign the browser out; what it watches ends."""
    if call.browser.token:
        call.sign_ins.sign_out(call.browser.token)
        call.context.note(call.who, "signed-out")
    return Headed(None, {"set-cookie": _cookie(call.browser, "", 0)})


def _cookie(browser: Browser, token: str, seconds: float) -> str:
    made: SimpleCookie = SimpleCookie({browser.cookie: token})
    one = made[browser.cookie]
    one["path"] = "/"
    one["max-age"] = int(seconds)
    one["httponly"] = True
    one["samesite"] = "Strict"
    if browser.secure:
        one["secure"] = True
    return one.OutputString()


SIGN_IN_ROUTES: tuple[Route, ...] = (make_link, sign_in, session, sign_out)
