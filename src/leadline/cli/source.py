"""`leadline source`: the source that a running process was loaded from."""

import argparse
import json
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.instance import heading, instance_id
from leadline.cli.show import harmless, out
from leadline.wire.errors import ExitCode, UsageError


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "instance",
        metavar="INSTANCE|SERVICE",
        help="an instance's id or the beginning of it, SERVICE/PID, or a service",
    )
    parser.add_argument("file", help="a loaded file, or the end of its path")
    parser.add_argument(
        "--lines", metavar="FIRST-LAST", help="only these lines, e.g. 80-95 or 88"
    )
    parser.add_argument(
        "--functions", action="store_true", help="list the functions with their lines instead"
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    first, last = _lines(args.lines) if args.lines else (1, None)
    client = Client()
    path = f"/v1/instances/{instance_id(client, args.instance)}/source"
    answer = client.get(path, file=args.file)
    if args.json:
        out(json.dumps(answer))
        return ExitCode.OK
    source = answer["source"]
    module = f"  module {source['module']}" if source["module"] else ""
    out(harmless(heading(answer["instance"])))
    out(harmless(f"{source['file']}{module}"))
    if source["changed"]:
        out(harmless(f"this may not be what is running: {source['changed']}"))
    if args.functions:
        for one in source["functions"]:
            out(harmless(f"{one['first']:>6}-{one['last']:<6} {one['name']}"))
    else:
        _show(source, first, last)
    return ExitCode.OK


def _lines(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not (first.isascii() and first.isdigit()) or (
        dash and not (last.isascii() and last.isdigit())
    ):
        raise UsageError(
            "bad-lines", f"{text[:100]!a} are no lines.", "Write them as 80-95, or 88 for one."
        )
    return int(first), int(last if dash else first)


def _show(source: dict[str, Any], first: int, last: int | None) -> None:
    """Print the lines with a gutter: `+` where a probe can be placed."""
    executable = set(source["executable"])
    for number, line in enumerate(source["lines"], 1):
        if first <= number and (last is None or number <= last):
            mark = "+" if number in executable else " "
            out(f"{number:>6} {mark} {harmless(line.expandtabs())}".rstrip())
    if source["omitted"]:
        out(f"and {source['omitted']} lines more")


COMMAND = Command(
    "source",
    "show the source of a file that a process has loaded",
    "leadline source shop shop/pricing.py --lines 80-95",
    _configure,
    _run,
)
