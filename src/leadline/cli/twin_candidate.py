"""Ordering that a candidate is tried in twins of a service, and waiting for an approval of it
where the key may not order that by itself."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.open_page import page_address
from leadline.cli.placing import login
from leadline.cli.show import err, harmless
from leadline.cli.standing import reasons
from leadline.cli.twin_order import Order, body_of, signature_of
from leadline.cli.twin_waiting import no_answer_status
from leadline.trial.candidate import encode
from leadline.verify.judging import Asked
from leadline.wire.errors import ExitCode, RefusedError, UnavailableError
from leadline.wire.limits import Limits
from leadline.wire.probe import Moment, TwinProbe
from leadline.wire.target import parse_place
from leadline.wire.twin import LIFE_S, TwinUse

_ASK_S = 2.0
"""How often it is asked whether somebody has approved."""
_MARGIN_S = 5.0


def ordered(
    client: Client,
    asked: Asked,
    use: TwinUse,
    *,
    many: int,
    seconds: float,
    instance: str = "",
    more: Mapping[str, Any] | None = None,
) -> Order:
    """Order `many` twins that may be made within `seconds`; `more` is what the order says
    beside the candidate. Raises `RefusedError` where nobody approves."""
    code = encode(asked.candidate) | {"fails": asked.fails, "expect": asked.expect}
    probe = TwinProbe(
        id="",
        target=parse_place(asked.entry),
        use=use,
        code=(json.dumps(code | dict(more or {})),),
        life_s=LIFE_S[use],
        nonce=os.urandom(16).hex(),
        limits=Limits(many, seconds + _MARGIN_S, 1.0),
        owner=login(),
        moment=Moment.ENTRY,
    )
    body = body_of(probe, instance) | signature_of(asked.service, probe, instance)
    placed = client.post(f"/v1/services/{asked.service}/twins", body)
    if "probe" not in placed:
        placed = _approved(client, placed["approval"])
    return Order(client, placed["probe"], probe.nonce)


def unanswered(order: Order) -> Exception:
    """Return why no twin has answered, to be raised."""
    why = "; ".join(reasons(order.probe))
    if no_answer_status(order.probe) is ExitCode.REFUSED:
        return RefusedError("twins-off", f"No twin was made: {why}.")
    return UnavailableError(
        "no-calls", f"No call was tried in a twin: {why}.", "Wait longer with --for."
    )


def _approved(client: Client, approval: dict[str, Any]) -> dict[str, Any]:
    """Wait until somebody with the right has approved. Raises `RefusedError`."""
    link = f"{page_address(client.url)}{approval['address']}"
    err(f"leadline: your key may not run code in a service; somebody has to approve: {link}")
    for standing in _standings(client, approval["id"]):
        if standing["decision"] == "approved":
            err(f"leadline: approved by {harmless(str(standing['by']))}")
            probe = standing["probe"]
            name = probe["id"] if isinstance(probe, dict) else probe
            return dict(client.get(f"/v1/probes/{name}"))
        if standing["decision"] != "waiting":
            by = f" by {standing['by']}" if standing.get("by") else ""
            raise RefusedError(
                "not-approved", f"The candidate was not approved: {standing['decision']}{by}."
            )
    raise RefusedError("not-approved", "Nobody has approved the candidate in time.")


def _standings(client: Client, approval: str) -> Iterator[dict[str, Any]]:
    while True:
        standing = client.get(f"/v1/approvals/{approval}")["approval"]
        yield standing
        if standing["decision"] == "waiting":
            time.sleep(_ASK_S)
