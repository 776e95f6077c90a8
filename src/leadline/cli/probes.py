"""`leadline probes`: every probe, and how it stands in each instance."""

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import spoken
from leadline.cli.known import check_known
from leadline.cli.probe_view import asked, total_of
from leadline.cli.show import harmless, out, short_path, table
from leadline.cli.standing import here
from leadline.wire.limits import MAX_COST_PERCENT
from leadline.wire.probe import AGGREGATED


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="only this service's probes")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    answer = client.get("/v1/probes", service=args.service)
    if args.service and not answer["probes"]:
        check_known(client, args.service)
    if args.json:
        out(json.dumps(answer))
        return 0
    if not answer["probes"]:
        out("no probes; place one: leadline log SERVICE FILE:LINE 'x={x}'")
        return 0
    for number, probe in enumerate(answer["probes"]):
        if number:
            out()
        _show(probe)
    return 0


def _show(probe: Mapping[str, Any]) -> None:
    left = max(0.0, probe["expires_at"] - time.time())
    out(asked(probe))
    cost = probe["limits"]["cost_percent"]
    seen = total_of(probe) or f"{probe['hits']} of {probe['limits']['hits']} hits"
    out(harmless(
        f"  {probe['status']}" + (f" ({probe['reason']})" if probe["reason"] else "")
        + f"; {seen}" + ("" if probe["ended_at"] else f"; {spoken(left)} left")
        + (f"; at most {cost:g} % of a core" if cost < MAX_COST_PERCENT else "")
        + (f"; of {probe['owner']}" if probe["owner"] else "")
        + (f"; {probe['note']}" if probe["note"] else "")
    ))  # fmt: skip
    there = here(probe)
    if there:
        passed = probe["kind"] in AGGREGATED
        headers = ["PID", "STATUS", "AT", "PASSAGES", "COST", "WHY"]
        rows = table(headers, [_row(one, adds_up=passed) for one in there])
        out("\n".join(f"  {line}" for line in rows.split("\n")))


def _row(one: Mapping[str, Any], *, adds_up: bool) -> list[object]:
    fates = ", ".join(
        f"{count} {'counted' if adds_up and fate == 'captured' else fate}"
        for fate, count in one["fates"].items()
        if count
    )
    where = f"{short_path(one['file'])}:{one['line']}" if one["line"] else "-"
    cost = f"{one['cost_ns'] / 1e6:.1f} ms" if one["cost_ns"] else "-"
    return [one["pid"], one["status"], where, fates or "-", cost, _why(one)]


def _why(one: Mapping[str, Any]) -> str:
    """Return the reason, or why nothing has come although there is none."""
    why = one["why"] if not one["fates"].get("captured") or one["reason"] else ""
    return str(why).replace("\n", " ")


COMMAND = Command(
    "probes", "show probes and how they stand", "leadline probes ds", _configure, _run
)
