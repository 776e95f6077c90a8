"""`leadline hits`: the hits that are stored."""

import argparse
import json

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.processes import Processes
from leadline.cli.show import hit_line, out


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="only hits of this service")
    parser.add_argument("--probe", metavar="ID", help="only hits of this probe")
    parser.add_argument(
        "--limit", type=int, default=100, metavar="N", help="the newest N (default: 100)"
    )
    parser.add_argument(
        "--after", type=int, metavar="ID", help="the first N behind the hit with this id"
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    answer = client.get(
        "/v1/hits",
        service=args.service,
        probe=args.probe,
        limit=args.limit,
        after=args.after,
    )
    if args.json:
        out(json.dumps({"schema_version": answer["schema_version"], "hits": answer["hits"]}))
        return 0
    processes = Processes(client)
    for hit in answer["hits"]:
        out(hit_line(processes.name(hit)))
    if not answer["hits"]:
        out("no hits yet; `leadline probes` says how each probe stands")
    return 0


COMMAND = Command("hits", "show the newest hits", "leadline hits ds --json", _configure, _run)
