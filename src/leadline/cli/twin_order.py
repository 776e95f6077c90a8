"""Ordering a twin from the command line, and signing what it is to do.

The key that signs is the service's, and known here and there alone: no server ever has it.
"""

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from leadline.cli.anchor import anchor_of
from leadline.cli.client import Client
from leadline.cli.duration import duration, spoken
from leadline.cli.placing import login
from leadline.cli.probe_word import add_capture, capture_of
from leadline.cli.processes import instance_id
from leadline.wire.errors import LeadlineError
from leadline.wire.limits import Limits
from leadline.wire.probe import ProbeKind, TwinProbe, default_moment
from leadline.wire.service import check_service
from leadline.wire.struct import asdict, replace
from leadline.wire.target import parse_place
from leadline.wire.twin import LIFE_S, TwinUse, order_text, sign

KEY = "LEADLINE_TWIN_KEY"
_MARGIN_S = 5.0
"""How much longer an order may wait at the server than its command does, which removes it."""
_SKEW_S = 300.0
"""By how much two machines' clocks may differ before a signature is over too soon."""


def add_order_options(parser: argparse.ArgumentParser, use: TwinUse, wait_s: float) -> None:
    """The options of every order."""
    parser.add_argument(
        "--if",
        dest="condition",
        metavar="EXPRESSION",
        help="only at a hit where this holds (see docs/expressions.md)",
    )
    parser.add_argument(
        "--instance",
        default="",
        metavar="ID",
        help="only in this instance: the beginning of its id, or its process id",
    )
    parser.add_argument(
        "--life",
        type=duration,
        default=LIFE_S[use],
        metavar="TIME",
        help=f"how long a twin may live (default: {spoken(LIFE_S[use])})",
    )
    parser.add_argument(
        "--wait",
        type=duration,
        default=wait_s,
        metavar="TIME",
        help=f"wait so long; then the order is removed (default: {spoken(wait_s)})",
    )
    add_capture(parser)
    parser.add_argument(
        "--any-source",
        action="store_true",
        help="do not compare the line with the file of that name in the working directory",
    )


@contextmanager
def ordered(
    client: Client,
    args: argparse.Namespace,
    use: TwinUse,
    *,
    code: tuple[str, ...] = (),
    hits: int = 1,
    rate: float = 1.0,
    more_s: float = 0.0,
) -> Iterator["Order"]:
    """Place an order, and remove it at the end, unless it is over: also after Ctrl-C.

    `more_s` is how much longer than its command waits the order lasts.
    """
    service = check_service(args.service)
    target = parse_place(args.place)
    probe = TwinProbe(
        id="",
        target=target,
        use=use,
        code=code,
        life_s=args.life,
        nonce=os.urandom(16).hex(),
        condition=args.condition,
        limits=Limits(hits, args.wait + _MARGIN_S + more_s, rate),
        capture=capture_of(args),
        owner=login(),
        anchor=None if args.any_source else anchor_of(target),
        moment=default_moment(ProbeKind.TWIN, target),
    )  # a mistake is shown before a server is asked
    instance = instance_id(client, args.instance) if args.instance else ""
    body = body_of(probe, instance) | signature_of(service, probe, instance)
    placed = client.post(f"/v1/services/{service}/twins", body)["probe"]
    order = Order(client, placed, probe.nonce)
    try:
        yield order
    finally:
        order.remove()


class Order:
    """A twin that was ordered; `probe` is how it stood when it was last looked at."""

    def __init__(self, client: Client, probe: dict[str, Any], nonce: str) -> None:
        self.id = str(probe["id"])
        self.nonce = nonce
        self.probe = probe
        self._client = client

    def look(self) -> dict[str, Any]:
        """Ask how it stands."""
        self.probe = self._client.get(f"/v1/probes/{self.id}")["probe"]
        return self.probe

    def remove(self) -> None:
        """Take it out if it is not over; a server that is away ends it in its time."""
        with suppress(LeadlineError):
            if self.look()["ended_at"] is None:
                self._client.delete(f"/v1/probes/{self.id}")


def signature_of(service: str, probe: TwinProbe, instance: str) -> dict[str, Any]:
    """Return the signature of an order, and until when it is valid; nothing without a key."""
    key = os.environ.get(KEY, "").strip()
    if not key:
        return {}
    until = time.time() + probe.limits.ttl_s + _SKEW_S
    signed = replace(probe, instance=instance, signed_until=until)
    return {"signed_until": until, "signature": sign(key, order_text(service, signed))}


def body_of(probe: TwinProbe, instance: str) -> dict[str, Any]:
    limits = probe.limits
    body: dict[str, Any] = {
        "use": str(probe.use),
        "target": str(probe.target),
        "code": list(probe.code),
        "condition": probe.condition,
        "life_s": probe.life_s,
        "instance": instance,
        "hits": limits.hits,
        "ttl_s": limits.ttl_s,
        "rate_per_s": limits.rate_per_s,
        "nonce": probe.nonce,
        "capture": asdict(probe.capture),
        "owner": probe.owner,
    }
    if probe.anchor is not None:
        body["anchor"] = asdict(probe.anchor)
    return body
