"""Every page, every part of one, and the files they load: asks use cases, calls `web`."""

from msgspec import Struct
from starlette.responses import Response

from leadline import __version__
from leadline.control.attention import attention
from leadline.control.instances import overview
from leadline.server.answers import status_of
from leadline.server.route import Call, Route, Who, page
from leadline.server.sign_in_routes import SIGN_IN_PATH
from leadline.web import notices
from leadline.web import services as services_view
from leadline.web.assets import assets, digest
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.wire.errors import LeadlineError, UsageError

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Our own scripts and styles, from files; nothing inline, nothing from anybody else."""
_COMMON = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
_HEADERS = {
    **_COMMON,
    "content-security-policy": CONTENT_POLICY,
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",  # hits are production data: no proxy and no disk keeps them
}
_FOR_EVER = {**_COMMON, "cache-control": "public, max-age=31536000, immutable"}
_ANEW = {**_COMMON, "cache-control": "no-store"}


class ServicesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Of which service; all if not said."""

    service: str = ""


@page("/")
def services(call: Call) -> str:
    """Show every service and instance, and what needs attention first."""
    return services_view.page(frame(call, "/"), _services(call, ""))


@page("/services/{service}")
def one_service(call: Call) -> str:
    """Show one service."""
    return services_view.page(frame(call, "/"), _services(call, call.path["service"]))


@page("/parts/services", query=ServicesQuery)
def services_part(call: Call) -> str:
    """Return what changes of the two above."""
    return services_view.part(_services(call, call.query.service))


@page("/parts/switches")
def switches_part(call: Call) -> str:
    """Return the kill switch of the header."""
    return render("parts/switches.html", frame=frame(call))


@page(SIGN_IN_PATH, who=Who.NOBODY)
def sign_in(_call: Call) -> str:
    """Turn a link of `leadline open` into a session."""
    return notices.signing_in()


@page("/static/{digest}/{file:path}", who=Who.NOBODY)
def static(call: Call) -> Response:
    """Send a style sheet or a module."""
    asset = assets().get(call.path["file"])
    if asset is None:
        raise UsageError("no-such-address", "There is nothing at this address.")
    known = call.path["digest"] == digest()
    return Response(asset.content, 200, _FOR_EVER if known else _ANEW, asset.kind)


def frame(call: Call, here: str = "") -> Frame:
    """Return what stands around a view."""
    return Frame(
        here=here,
        who=call.who,
        write_token=call.browser.write_token,
        off=call.context.desired.switches(),
        version=__version__,
    )


def html(text: str, status: int = 200) -> Response:
    """Return a page, or a part of one, as a response."""
    content = text.encode("utf-8", "backslashreplace")
    return Response(content, status, _HEADERS, "text/html; charset=utf-8")


def refused_page(error: LeadlineError) -> Response:
    """Return a refusal as a page."""
    return html(notices.refused(error.slug, error.message, error.hint), status_of(error))


def _services(call: Call, only: str) -> services_view.Services:
    seen = overview(call.context)
    matters = attention(call.context, seen)
    return services_view.services(seen, matters, call.context.pulse.beat, only)


PAGES: tuple[Route, ...] = (
    services,
    one_service,
    services_part,
    switches_part,
    sign_in,
    static,
)
"""Pages first, then parts, then what is public."""
