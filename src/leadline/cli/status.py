"""`leadline status`: the server, the services, their instances."""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import spoken
from leadline.cli.known import check_known
from leadline.cli.show import harmless, out, table
from leadline.cli.switches import switch_line

_HEADERS = "PID ID HOST PROGRAM PYTHON CORE SINCE ARMED HITS DROPPED FAULTS".split()
_STARTED_WITH = ("version", "environment", "tags")
"""Shown where any instance was started with one."""
_ID_CHARS = 8
"""Of an instance's id: enough for `--instance`."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="only this service")
    parser.add_argument("--all", action="store_true", help="show processes that are gone too")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    answer = client.get("/v1/services")
    if args.service:
        check_known(client, args.service)
        answer["services"] = [
            one for one in answer["services"] if one["service"] == args.service
        ]
    if args.json:
        out(json.dumps({"server": client.url, **answer}))
        return 0
    out(f"server {client.url}")
    if not answer["services"]:
        out("no service is known yet; start one: leadline run --service NAME -- PROGRAM ...")
    for service in answer["services"]:
        _show(service, gone=args.all)
    lost = {name: count for name, count in answer["losses"].items() if count}
    if lost:
        out(f"lost by the server: {harmless(json.dumps(lost))}")
    return 0


def _show(service: Mapping[str, Any], *, gone: bool) -> None:
    probes = ", ".join(f"{count} {status}" for status, count in service["probes"].items())
    out(
        f"\n{harmless(service['service'])}: {service['connected']} connected; "
        f"probes: {probes or 'none'}; hits: {service['hits']}"
    )
    if service["off"]:
        out(f"  {switch_line(service['off'])}")
    instances = [one for one in service["instances"] if gone or one["connected"]]
    if instances:
        more = [name for name in _STARTED_WITH if any(one["info"][name] for one in instances)]
        headers = [*_HEADERS, *map(str.upper, more)]
        out(table(headers, [_row(one, more) for one in instances]))
    missing = sorted({what for one in instances for what in one["info"]["notes"]})
    if missing:
        why = f"leadline doctor {service['service']}"
        out(harmless(f"  not available: {', '.join(missing)}; why: {why}"))


def _row(one: Mapping[str, Any], more: Sequence[str]) -> list[object]:
    info = one["info"]
    since = spoken(time.time() - one["first_seen"]) if one["connected"] else "gone"
    return [
        info["pid"],
        info["id"][:_ID_CHARS],
        info["host"],
        info["program"],
        info["python"],
        info["core"],
        since,
        one["armed"],
        one["hits"],
        sum(one["dropped"].values()),
        sum(one["faults"].values()),
        *(_started_with(info[name]) for name in more),
    ]


def _started_with(what: str | Mapping[str, str]) -> str:
    if isinstance(what, str):
        return what or "-"
    return ",".join(f"{name}={value}" for name, value in what.items()) or "-"


COMMAND = Command(
    "status", "show services and their instances", "leadline status", _configure, _run
)
