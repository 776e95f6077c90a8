"""`leadline rm`: remove probes."""

import argparse
import json

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.known import check_known
from leadline.cli.show import out
from leadline.wire.errors import LeadlineError, UsageError
from leadline.wire.service import check_service


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("probe", nargs="*", metavar="ID", help="probes to remove, e.g. p1 p2")
    parser.add_argument("--service", metavar="NAME", help="remove all probes of this service")
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    if bool(args.probe) == bool(args.service):
        raise UsageError(
            "what-to-remove",
            "Name the probes to remove, or a service to remove all of its probes.",
            "For example: leadline rm p1 p2, or leadline rm --service shop",
        )
    removed: list[str] = []
    try:
        _remove(args, removed)
    except LeadlineError:
        if removed:  # one of several was not there: the others are gone by then
            _show(args, removed)
        raise
    _show(args, removed)
    return 0


def _show(args: argparse.Namespace, removed: list[str]) -> None:
    if args.json:
        out(json.dumps({"schema_version": 1, "removed": removed}))
    else:
        out(f"removed: {' '.join(removed) or 'nothing'}")


def _remove(args: argparse.Namespace, removed: list[str]) -> None:
    client = Client()
    if args.service:
        answer = client.delete(f"/v1/services/{check_service(args.service)}/probes")
        removed += answer["removed"]
        if not removed:
            check_known(client, args.service)
    for probe in args.probe:
        removed += client.delete(f"/v1/probes/{clean(probe)}")["removed"]


def clean(probe: str) -> str:
    """Return the id of a probe as it can stand in an address."""
    if not probe.isascii() or not probe.isalnum():
        raise UsageError("no-such-probe", f"{probe!a} is not the id of a probe.")
    return probe


COMMAND = Command("rm", "remove probes", "leadline rm p1", _configure, _run)
