"""`leadline probes`: every probe, and how it stands in each instance."""

import argparse
import json
import time
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import spoken
from leadline.cli.show import harmless, out, short_path, table


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="only this service's probes")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    answer = Client().get("/v1/probes", service=args.service)
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


def _show(probe: dict[str, Any]) -> None:
    left = max(0.0, probe["expires_at"] - time.time())
    out(harmless(
        f"{probe['id']}  {probe['service']}  {probe['kind']}  {probe['target']}  "
        f"{probe['template']!r}" + (f"  if {probe['condition']}" if probe["condition"] else "")
    ))  # fmt: skip
    ending = "" if probe["ended_at"] else f"; {spoken(left)} left"
    out(harmless(
        f"  {probe['status']}" + (f" ({probe['reason']})" if probe["reason"] else "")
        + f"; {probe['hits']} of {probe['limits']['hits']} hits{ending}"
        + (f"; {probe['note']}" if probe["note"] else "")
    ))  # fmt: skip
    here = [one for one in probe["instances"] if one["connected"]]
    if here:
        rows = table(["PID", "STATUS", "AT", "PASSAGES", "COST", "REASON"], map(_row, here))
        out("\n".join(f"  {line}" for line in rows.split("\n")))


def _row(one: dict[str, Any]) -> list[object]:
    fates = ", ".join(f"{count} {fate}" for fate, count in one["fates"].items() if count)
    where = f"{short_path(one['file'])}:{one['line']}" if one["line"] else "-"
    cost = f"{one['cost_ns'] / 1e6:.1f} ms" if one["cost_ns"] else "-"
    reasons = [one["reason"]] + ([f"first unknown: {one['unknown']}"] if one["unknown"] else [])
    return [
        one["pid"],
        one["status"],
        where,
        fates or "-",
        cost,
        "; ".join(filter(None, reasons)).replace("\n", " "),
    ]


COMMAND = Command(
    "probes", "show probes and how they stand", "leadline probes ds", _configure, _run
)
