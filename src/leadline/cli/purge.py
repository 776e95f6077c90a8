"""`leadline purge`: delete what the server has stored."""

import argparse
import json
import time
from collections import Counter
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration
from leadline.cli.show import out
from leadline.wire.errors import ExitCode
from leadline.wire.service import check_service

_WHAT = ("hits", "points", "verdicts", "instances", "probes", "audit", "all")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", help="only of this service (default: of all)")
    parser.add_argument(
        "--what",
        choices=_WHAT,
        default="hits",
        help="what to delete: %(choices)s (default: %(default)s)",
    )
    parser.add_argument(
        "--before",
        type=duration,
        metavar="TIME",
        help="only what is older than this, e.g. 7d (default: all of it)",
    )
    parser.add_argument(
        "--yes", action="store_true", help="do it; without this, only say what would go"
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    body: dict[str, Any] = {"what": args.what, "confirm": args.yes}
    if args.service:
        body["service"] = check_service(args.service)
    if args.before:
        body["before"] = time.time() - args.before
    client = Client()
    answer = client.post("/v1/purge", body)
    counts, size = Counter(answer["counts"]), answer["bytes"]
    while args.yes and answer["more"]:
        answer = client.post("/v1/purge", body)
        counts.update(answer["counts"])
        size += answer["bytes"]
    if args.json:
        out(json.dumps({**answer, "counts": counts, "bytes": size}))
    else:
        _show(counts, size, done=answer["purged"])
    return ExitCode.OK if answer["purged"] else ExitCode.NO


def _show(counts: Counter[str], size: int, *, done: bool) -> None:
    what = ", ".join(f"{count:,} {kind}" for kind, count in counts.items()) or "nothing"
    if done:
        out(f"deleted: {what}; {size / 1e6:.1f} MB given back")
    else:
        out(f"would delete: {what}; say --yes to do it")


COMMAND = Command(
    "purge",
    "delete what the server has stored",
    "leadline purge shop --before 7d --yes",
    _configure,
    _run,
)
