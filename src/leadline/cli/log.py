"""`leadline log`: place a log probe and say what became of it in each instance."""

import argparse
import getpass
import json
import time
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json, add_limits, capture_of, limits_of
from leadline.cli.duration import duration
from leadline.cli.show import harmless, out, short_path
from leadline.expression import compile_condition, compile_template
from leadline.wire.errors import ExitCode
from leadline.wire.probe import ProbeKind, Status
from leadline.wire.service import check_service
from leadline.wire.target import Target

_LOOK_S = 0.02


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", help="the service that gets the probe, now and later")
    parser.add_argument("target", metavar="FILE:LINE", help="e.g. shop/pricing.py:88")
    parser.add_argument("template", help="e.g. 'sql={sql} rows={len(rows)}'")
    add_limits(parser)
    parser.add_argument(
        "--wait",
        type=duration,
        default=2.0,
        metavar="TIME",
        help="wait so long for the instances to say how it went (default: 2s)",
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    check_service(args.service)
    compile_template(args.template)  # a mistake is shown before anything is asked of a server
    if args.condition:
        compile_condition(args.condition)
    limits, capture = limits_of(args), capture_of(args)
    client = Client()
    answer = client.post(
        f"/v1/services/{args.service}/probes",
        {
            "kind": ProbeKind.LOG,
            "target": str(Target.parse(args.target)),
            "template": args.template,
            "condition": args.condition,
            "limits": {
                "hits": limits.hits,
                "ttl_s": limits.ttl_s,
                "rate_per_s": limits.rate_per_s,
            },
            "capture": {"depth": capture.depth, "items": capture.items, "text": capture.text},
            "note": args.note,
            "owner": _owner(),
        },
    )
    answer = _settled(client, answer, args.wait)
    probe = answer["probe"]
    if args.json:
        out(json.dumps(answer))
    else:
        _show(probe)
    failed = probe["status"] in (Status.ERROR, Status.MISMATCH)
    return ExitCode.NO if failed else ExitCode.OK


def _settled(client: Client, answer: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Ask until every connected instance has reported on the probe, or the time is over."""
    deadline = time.monotonic() + seconds
    path = f"/v1/probes/{answer['probe']['id']}"
    service = answer["probe"]["service"]
    known = client.get("/v1/services")["services"]
    expected = sum(one["connected"] for one in known if one["service"] == service)
    while expected and time.monotonic() < deadline:
        answer = client.get(path)
        here = [one for one in answer["probe"]["instances"] if one["connected"]]
        if sum(one["reported_at"] > 0 for one in here) >= expected:
            break
        time.sleep(_LOOK_S)
    return answer


def _show(probe: dict[str, Any]) -> None:
    out(f"{probe['id']}  {probe['kind']}  {harmless(probe['target'])}  {probe['status']}")
    here = [one for one in probe["instances"] if one["connected"]]
    for one in here:
        where = f"{short_path(one['file'])}:{one['line']}" if one["line"] else ""
        function = f" in {one['function']}" if one["function"] else ""
        code = f"   {one['source']}" if one["source"] else ""
        who = f"{one['program']}/{one['pid']}"
        out(harmless(f"  {who}  {one['status']}  {where}{function}{code}"))
        if one["reason"]:
            out(f"    {harmless(one['reason'])}")
    if not here:
        out(f"  {harmless(probe['reason'] or 'no instance has reported yet')}")
    out(f"  watch it: leadline tail {probe['id']}      remove it: leadline rm {probe['id']}")


def _owner() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


COMMAND = Command(
    "log",
    "write a line of values each time a line of code is reached",
    "leadline log ds datasette/database.py:310 'sql={sql}' --if 'len(sql) > 20' --ttl 15m",
    _configure,
    _run,
)
