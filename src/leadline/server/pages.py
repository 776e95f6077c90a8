"""Every page, every part of one, and the files they load: asks use cases, calls `web`."""

from msgspec import Struct
from starlette.responses import Response

from leadline.control.attention import attention
from leadline.control.instances import overview
from leadline.server.answers import status_of
from leadline.server.approval_pages import APPROVAL_PAGES
from leadline.server.hit_pages import HIT_PAGES
from leadline.server.page_frame import COMMON, frame, html
from leadline.server.probe_pages import PROBE_PAGES
from leadline.server.route import Call, Route, Who, page
from leadline.server.sign_in_routes import SIGN_IN_PATH
from leadline.server.source_pages import SOURCE_PAGES
from leadline.server.twin_pages import TWIN_PAGES
from leadline.server.verdict_pages import VERDICT_PAGES
from leadline.web import notices
from leadline.web import services as services_view
from leadline.web.assets import assets, digest
from leadline.web.rendering import render
from leadline.wire.errors import LeadlineError, UsageError

_FOR_EVER = {**COMMON, "cache-control": "public, max-age=31536000, immutable"}
_ANEW = {**COMMON, "cache-control": "no-store"}


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
    *HIT_PAGES,
    *PROBE_PAGES,
    services_part,
    switches_part,
    *SOURCE_PAGES,
    *TWIN_PAGES,
    *APPROVAL_PAGES,
    *VERDICT_PAGES,
    sign_in,
    static,
)
"""Pages first, then parts, then what is public."""
