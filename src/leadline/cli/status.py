"""`leadline status`: the server, the services, their instances."""

import argparse
import json
import time
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import spoken
from leadline.cli.show import harmless, out, table


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="only this service")
    parser.add_argument("--all", action="store_true", help="show processes that are gone too")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    answer = client.get("/v1/services")
    if args.service:
        answer["services"] = [
            one for one in answer["services"] if one["service"] == args.service
        ]
    if args.json:
        out(json.dumps({"server": client.url, **answer}))
        return 0
    out(f"server {client.url}")
    if not answer["services"] and args.service:
        out(f"no service {harmless(args.service)} is known; `leadline status` shows all")
    elif not answer["services"]:
        out("no service is known yet; start one: leadline run --service NAME -- PROGRAM ...")
    for service in answer["services"]:
        _show(service, gone=args.all)
    lost = {name: count for name, count in answer["losses"].items() if count}
    if lost:
        out(f"lost by the server: {harmless(json.dumps(lost))}")
    return 0


def _show(service: dict[str, Any], *, gone: bool) -> None:
    probes = ", ".join(f"{count} {status}" for status, count in service["probes"].items())
    out(
        f"\n{harmless(service['service'])}: {service['connected']} connected; "
        f"probes: {probes or 'none'}; hits: {service['hits']}"
    )
    instances = [one for one in service["instances"] if gone or one["connected"]]
    if instances:
        headers = "PID HOST PROGRAM PYTHON CORE SINCE ARMED HITS DROPPED FAULTS".split()
        out(table(headers, [_row(one) for one in instances]))


def _row(one: dict[str, Any]) -> list[object]:
    info = one["info"]
    since = spoken(time.time() - one["first_seen"]) if one["connected"] else "gone"
    return [
        info["pid"],
        info["host"],
        info["program"],
        info["python"],
        info["core"],
        since,
        one["armed"],
        one["hits"],
        sum(one["dropped"].values()),
        sum(one["faults"].values()),
    ]


COMMAND = Command(
    "status", "show services and their instances", "leadline status", _configure, _run
)
