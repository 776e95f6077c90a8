"""`leadline hits`: the hits that are stored."""

import argparse
import json
import time
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration
from leadline.cli.hit_options import add_filters, filters_of
from leadline.cli.hit_view import hit_line, hit_text
from leadline.cli.known import check_known
from leadline.cli.processes import Processes
from leadline.cli.show import out
from leadline.wire.errors import ExitCode
from leadline.wire.service import check_service

_LOOK_S = 0.1


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="only hits of this service")
    parser.add_argument("--probe", metavar="ID", help="of this probe, or of several: p1,p7")
    add_filters(parser)
    parser.add_argument(
        "--limit", type=int, default=100, metavar="N", help="the newest N (default: 100)"
    )
    parser.add_argument(
        "--after", type=int, metavar="ID", help="the first N behind the hit with this id"
    )
    parser.add_argument(
        "--full", action="store_true", help="all of each hit: stack, variables, values"
    )
    parser.add_argument(
        "--wait",
        type=duration,
        metavar="TIME",
        help="wait so long for a first one; then that there is none is status 1",
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    if args.service:
        check_service(args.service)
    query = filters_of(client, args)
    query |= {"service": args.service, "probe": args.probe}
    query |= {"limit": args.limit, "after": args.after}
    answer = _asked(client, query, args.wait or 0.0)
    if not answer["hits"] and args.service:
        check_known(client, args.service)
    if args.json:
        out(json.dumps({"schema_version": answer["schema_version"], "hits": answer["hits"]}))
    else:
        _show(client, answer["hits"], full=args.full)
    return ExitCode.NO if args.wait and not answer["hits"] else ExitCode.OK


def _asked(client: Client, query: dict[str, Any], seconds: float) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        answer = client.get("/v1/hits", **query)
        if answer["hits"] or time.monotonic() >= deadline:
            return answer
        time.sleep(_LOOK_S)


def _show(client: Client, hits: list[dict[str, Any]], *, full: bool) -> None:
    processes = Processes(client)
    for number, hit in enumerate(hits):
        if full and number:
            out()
        named = processes.name(hit)
        out(hit_text(named) if full else hit_line(named))
    if not hits:
        out("no hits yet; `leadline probes` says how each probe stands")


COMMAND = Command("hits", "show the newest hits", "leadline hits ds --json", _configure, _run)
