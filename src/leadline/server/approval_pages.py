"""The page on which a person decides about a candidate that somebody else wants to run."""

from leadline.server.page_frame import frame
from leadline.server.route import Call, Route, page
from leadline.web import approval as view
from leadline.wire.keys import Right


@page("/approvals/{approval}")
def approval(call: Call) -> str:
    """Show an order that waits for an approval: what it changes, where, and who asks."""
    return view.page(frame(call), _approval(call))


@page("/parts/approvals/{approval}")
def approval_part(call: Call) -> str:
    """Return what changes of it."""
    return view.part(_approval(call))


def _approval(call: Call) -> view.Approval:
    found = call.context.approvals.show(call.path["approval"], call.context.clock())
    return view.approval(found, may=Right.TWIN in call.may)


APPROVAL_PAGES: tuple[Route, ...] = (approval, approval_part)
