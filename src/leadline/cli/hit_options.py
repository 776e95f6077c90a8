"""Which hits are meant: the filters that `hits` and `tail` share."""

import argparse
import time
from typing import Any

from leadline.cli.client import Client
from leadline.cli.duration import duration
from leadline.cli.processes import instance_id
from leadline.wire.probe import AGGREGATED, ProbeKind

_KINDS = [kind.value for kind in ProbeKind if kind not in AGGREGATED]


def add_filters(parser: argparse.ArgumentParser) -> None:
    """The options that choose among hits."""
    parser.add_argument(
        "--instance", metavar="ID", help="of this instance: the beginning of its id, or its PID"
    )
    parser.add_argument("--kind", choices=_KINDS, help="of probes of this kind")
    parser.add_argument("--thread", metavar="NAME", help="of the thread of this name")
    parser.add_argument("--task", metavar="NAME", help="of the asyncio task of this name")
    parser.add_argument("--trace", metavar="ID", help="of this OpenTelemetry trace")
    parser.add_argument(
        "--text", metavar="TEXT", help="with this in the message, in upper or lower case"
    )
    parser.add_argument(
        "--since", type=duration, metavar="TIME", help="not older than this, e.g. 10m"
    )


def filters_of(client: Client, args: argparse.Namespace) -> dict[str, Any]:
    """Return the chosen filters as the server takes them."""
    return {
        "instance": instance_id(client, args.instance) if args.instance else None,
        "kind": args.kind,
        "thread": args.thread,
        "task": args.task,
        "trace": args.trace,
        "text": args.text,
        "since": time.time() - args.since if args.since else None,
    }
