"""Where a report goes when a verification is over: to the server, for whoever has to decide."""

import argparse
from collections.abc import Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.open_page import page_address
from leadline.cli.show import err, harmless
from leadline.wire.errors import LeadlineError


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add the options that say whether a report is sent."""
    parser.add_argument(
        "--report",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="keep the report on the server and print the link to its page (default: unless "
        "--captured)",
    )


def keep_report(args: argparse.Namespace, report: Mapping[str, Any]) -> None:
    """Send a report and print the link to its page. Whatever comes of it, a verdict stands."""
    wanted = not args.captured if args.report is None else args.report
    if not wanted:
        return
    try:
        client = Client()
        answer = client.post(f"/v1/services/{report['service']}/verdicts", dict(report))
        link = f"{page_address(client.url)}{answer['path']}"
    except LeadlineError as error:
        err(harmless(f"leadline: the report is not on the server: {error.message}"))
        return
    err(harmless(f"leadline: kept as verdict {answer['kept']['id']}: {link}"))
