"""`leadline off`: take all probes out of running processes, and let none in."""

import argparse

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration
from leadline.cli.show import err
from leadline.cli.switches import show_switches, still_armed, turn
from leadline.wire.errors import ExitCode, LeadlineError


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
    _warn_unknown(client, args.service)
    left = still_armed(client, args.service, args.wait)
    show_switches(answer, as_json=args.json)
    if left:
        err(f"leadline: {left} processes have not said yet that their probes are out")
        return ExitCode.NO
    return ExitCode.OK


def _warn_unknown(client: Client, service: str | None) -> None:
    """Who mistypes a name in an incident must not believe that the service is off."""
    if service is None:
        return
    try:
        known = client.get("/v1/services")["services"]
    except LeadlineError:  # the switch is turned, and that is what was asked for
        return
    found = [one for one in known if one["service"] == service]
    if not any(one["instances"] or one["probes"] for one in found):
        err(f"leadline: no process and no probe of {service!r} is known; it is off anyway")


COMMAND = Command(
    "off",
    "take all probes out of the running processes and let none in",
    "leadline off shop --reason 'incident 7'",
    _configure,
    _run,
)
