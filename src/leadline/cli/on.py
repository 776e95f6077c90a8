"""`leadline on`: let services carry their probes again."""

import argparse

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.switches import show_switches, turn


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="only this service (default: everything)")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    show_switches(turn(Client(), "on", args.service, {}), as_json=args.json)
    return 0


COMMAND = Command(
    "on", "let services carry their probes again", "leadline on shop", _configure, _run
)
