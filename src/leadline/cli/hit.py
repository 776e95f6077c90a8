"""`leadline hit`: all of one hit."""

import argparse
import json

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.hit_view import hit_text
from leadline.cli.processes import Processes
from leadline.cli.show import out
from leadline.wire.errors import UsageError


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("hit", type=int, metavar="ID", help="its number, as `hits` shows it")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    found = client.get("/v1/hits", after=max(0, args.hit - 1), limit=1)["hits"]
    if not found or found[0]["id"] != args.hit:
        raise UsageError(
            "no-such-hit",
            f"There is no hit {args.hit}.",
            "It may have been trimmed or purged; `leadline hits` shows those that there are.",
        )
    if args.json:
        out(json.dumps({"schema_version": 1, "hit": found[0]}))
    else:
        out(hit_text(Processes(client).name(found[0])))
    return 0


COMMAND = Command(
    "hit", "show all of one hit: stack, variables, values", "leadline hit 11", _configure, _run
)
