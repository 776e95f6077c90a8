"""The addresses of approvals: how an order stands that waits for a person, and the decision."""

from msgspec import Struct

from leadline.control.approvals import ApprovalView, approve, refuse
from leadline.server.bodies import SCHEMA_VERSION
from leadline.server.route import Call, Route, Who, route
from leadline.wire.keys import Right

_APPROVAL = "/v1/approvals/{approval}"


class DecisionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The digest of the candidate that was looked at."""

    digest: str


class ApprovalAnswer(Struct, frozen=True, kw_only=True):
    """An order that waits for a person, or waited: see `control.ApprovalView`."""

    schema_version: int = SCHEMA_VERSION
    approval: ApprovalView


@route("GET", _APPROVAL, who=Who.USER, returns=ApprovalAnswer)
def approval(call: Call) -> ApprovalAnswer:
    """Say how an order stands that waits for an approval."""
    found = call.context.approvals.show(call.path["approval"], call.context.clock())
    return ApprovalAnswer(approval=found)


@route(
    "POST",
    f"{_APPROVAL}/approve",
    who=Who.USER,
    right=Right.TWIN,
    body=DecisionBody,
    returns=ApprovalAnswer,
)
def approve_order(call: Call) -> ApprovalAnswer:
    """Approve an order, which is placed with that."""
    done = approve(call.context, call.path["approval"], call.body.digest, who=call.who)
    return ApprovalAnswer(approval=done)


@route(
    "POST",
    f"{_APPROVAL}/refuse",
    who=Who.USER,
    right=Right.TWIN,
    body=DecisionBody,
    returns=ApprovalAnswer,
)
def refuse_order(call: Call) -> ApprovalAnswer:
    """Refuse an order, which is never placed."""
    done = refuse(call.context, call.path["approval"], call.body.digest, who=call.who)
    return ApprovalAnswer(approval=done)


APPROVAL_ROUTES: tuple[Route, ...] = (approval, approve_order, refuse_order)
