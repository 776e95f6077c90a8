"""`leadline ask`: any Python, run in a sealed copy of the process at the next hit."""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.hit_view import answer_text
from leadline.cli.processes import Processes
from leadline.cli.show import err, harmless, out
from leadline.cli.standing import reasons
from leadline.cli.twin_order import Order, add_order_options, ordered
from leadline.cli.twin_waiting import Waiting, blocked, no_answer_status
from leadline.trial.code import check
from leadline.wire.errors import ExitCode
from leadline.wire.twin import TwinEnd, TwinUse

_WAIT_S = 60.0


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", help="the service that is asked")
    parser.add_argument(
        "place", metavar="PLACE", help="FILE:LINE or MODULE:FUNCTION, e.g. shop/pricing.py:88"
    )
    parser.add_argument(
        "code", nargs="+", metavar="CODE", help="expressions or statements, one after the other"
    )
    add_order_options(parser, TwinUse.ASK, _WAIT_S)
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    for code in args.code:
        check(code)
    client = Client()
    with ordered(client, args, TwinUse.ASK, code=tuple(args.code)) as order:
        waiting = Waiting(client, order, args.wait)
        hit = next(waiting.hits(1), None)
        if hit is None:
            order.look()
    if hit is None:
        return no_answer(order, args.wait, as_json=args.json)
    hit = Processes(client).name(hit)
    if args.json:
        out(json.dumps({"schema_version": 1, "probe": order.probe, "hit": hit}))
    else:
        out(answer_text(hit))
    return status_of(hit["twin"])


def status_of(twin: Mapping[str, Any]) -> int:
    """Return whether all was answered: nothing raised, and the twin came to its end."""
    well = twin["end"] == TwinEnd.DONE and not any(said["raised"] for said in twin["said"])
    return ExitCode.OK if well else ExitCode.NO


def no_answer(order: Order, seconds: float, *, as_json: bool) -> int:
    """Say why there is no answer; returns the exit status that says so too."""
    found = reasons(order.probe)
    if as_json:
        answer = {"schema_version": 1, "probe": order.probe, "hit": None, "reasons": found}
        out(json.dumps(answer))
    else:
        late = f"no twin within {seconds:g} s"
        why = "no instance makes a twin" if blocked(order.probe) else late
        err(f"leadline: {why}; the order is removed")
        for reason in found:
            err(f"  {harmless(reason)}")
    return no_answer_status(order.probe)


COMMAND = Command(
    "ask",
    "run Python in a sealed copy of a live process, at the next hit",
    "leadline ask shop shop/pricing.py:88 'order.total()' 'self.cache.keys()' --if 'vip'",
    _configure,
    _run,
)
