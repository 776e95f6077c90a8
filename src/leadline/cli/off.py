"""`leadline off`: take all probes out of running processes, and let none in."""

import argparse

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration
from leadline.cli.show import err
from leadline.cli.switches import show_switches, still_armed, turn
from leadline.wire.errors import ExitCode


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="only this service (default: everything)")
    parser.add_argument("--reason", metavar="TEXT", help="why; shown to all who ask")
    parser.add_argument(
        "--wait",
        type=duration,
        default=2.0,
        metavar="TIME",
        help="wait so long until no process has a probe in it (default: 2s)",
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    body = {"reason": args.reason} if args.reason else {}
    answer = turn(client, "off", args.service, body)
    left = still_armed(client, args.service, args.wait)
    show_switches(answer, as_json=args.json)
    if left:
        err(f"leadline: {left} processes have not said yet that their probes are out")
        return ExitCode.NO
    return ExitCode.OK


COMMAND = Command(
    "off",
    "take all probes out of the running processes and let none in",
    "leadline off shop --reason 'incident 7'",
    _configure,
    _run,
)
