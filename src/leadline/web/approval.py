"""An order that waits for a person: what it changes, where it would run, who asks for it."""

from leadline.control.approvals import ApprovalView, Decision
from leadline.web.frame import Frame
from leadline.web.rendering import render
from leadline.wire.struct import dataclass

_SIGNS = {"+": "added", "-": "removed", "@": "hunk"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the diff, and what it is: `added`, `removed`, `hunk`, or nothing of it."""

    text: str
    what: str


@dataclass(frozen=True, slots=True)
class Approval:
    """`may` says whether who looks may decide, and `waits` whether there is a decision."""

    found: ApprovalView
    lines: list[Line]
    waits: bool
    may: bool


def approval(found: ApprovalView, *, may: bool) -> Approval:
    """Make the view model of an order."""
    lines = [Line(text, _what(text)) for text in found.diff.splitlines()]
    return Approval(found, lines, found.decision is Decision.WAITING, may)


def page(frame: Frame, view: Approval) -> str:
    """Return the page."""
    return render("approval.html", frame=frame, view=view)


def part(view: Approval) -> str:
    """Return what changes of it."""
    return render("approval_part.html", view=view)


def _what(text: str) -> str:
    if text.startswith(("+++ ", "--- ")):
        return "file"
    return _SIGNS.get(text[:1], "")
