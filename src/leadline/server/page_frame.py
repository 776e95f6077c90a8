"""What every page is sent with: its headers, and what stands around its view."""

from starlette.responses import Response

from leadline import __version__
from leadline.server.route import Call
from leadline.web.frame import Frame

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Our own scripts and styles, from files; nothing inline, nothing from anybody else."""
COMMON = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
HEADERS = {
    **COMMON,
    "content-security-policy": CONTENT_POLICY,
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",  # hits are production data: no proxy and no disk keeps them
}


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
    return Response(content, status, HEADERS, "text/html; charset=utf-8")
