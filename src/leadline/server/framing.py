"""What stands around every view, made of the request."""

from leadline import __version__
from leadline.server.route import Call
from leadline.web.frame import Frame


def frame(call: Call, here: str = "") -> Frame:
    """Return what stands around a view."""
    return Frame(
        here=here,
        who=call.who,
        write_token=call.browser.write_token,
        off=call.context.desired.switches(),
        version=__version__,
    )
