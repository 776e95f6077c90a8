"""`leadline inventory`: what runs in a process: interpreter, packages, modules."""

import argparse
import json
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.instance import heading, instance_ids
from leadline.cli.show import err, harmless, out, table


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "instance",
        metavar="INSTANCE|SERVICE",
        help="an instance's id or the beginning of it, SERVICE/PID, or a service",
    )
    parser.add_argument(
        "--modules", action="store_true", help="show the loaded modules instead of packages"
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    what = "modules" if args.modules else "inventory"
    instances = instance_ids(client, args.instance)
    answer = client.get(f"/v1/instances/{instances[0]}/{what}")
    if others := len(instances) - 1:
        err(f"leadline: {others} more of {args.instance}: name one as {args.instance}/PID")
    if args.json:
        out(json.dumps(answer))
        return 0
    out(harmless(heading(answer["instance"])))
    if args.modules:
        _show_modules(answer["modules"])
        return 0
    found = answer["inventory"]
    for name, value in found["environment"].items():
        out(harmless(f"  {name:<20} {value}"))
    out(f"  {'modules':<20} {found['modules']} loaded")
    rows = [
        [one["name"], one["version"], one["location"], one["origin"]]
        for one in found["packages"]
    ]
    if rows:
        out("\n" + table(["PACKAGE", "VERSION", "LOCATION", "ORIGIN"], rows))
    if found["omitted"]:
        out(f"and {found['omitted']} packages more")
    return 0


def _show_modules(found: dict[str, Any]) -> None:
    rows = [
        [one["name"], one["file"] or "built in", "" if one["source"] else "no source"]
        for one in found["modules"]
    ]
    out(table(["MODULE", "FILE", ""], rows))
    if found["omitted"]:
        out(f"and {found['omitted']} modules more")


COMMAND = Command(
    "inventory",
    "show what runs in a process: interpreter, packages, modules",
    "leadline inventory shop",
    _configure,
    _run,
)
