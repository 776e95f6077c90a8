"""`leadline source`: the source that a running process was loaded from."""

import argparse
import json
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.instance import heading, instance_ids
from leadline.cli.show import harmless, out
from leadline.wire.errors import ExitCode, LeadlineError, UsageError

_MAX_ASKED = 32
"""Instances of a service that are asked for a file, one after the other: more than most
machines have workers, and still over in seconds."""
_ELSEWHERE = ("no-such-file", "instance-gone")
"""With these another instance of the service may still have it: a main process often imports
nothing of what its workers run, and workers come and go."""


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
    answer = _asked(client, args.instance, args.file)
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


def _asked(client: Client, meant: str, file: str) -> dict[str, Any]:
    """Return the source from the first instance that has the file, or raise what the last one
    that was asked said."""
    instances = instance_ids(client, meant)[:_MAX_ASKED]
    for instance in instances[:-1]:
        try:
            return client.get(f"/v1/instances/{instance}/source", file=file)
        except LeadlineError as error:
            if error.slug not in _ELSEWHERE:
                raise
    try:
        return client.get(f"/v1/instances/{instances[-1]}/source", file=file)
    except LeadlineError as error:
        if error.slug == "no-such-file" and len(instances) > 1:
            error.hint = (
                f"{error.hint} {len(instances)} processes of {meant} were asked; "
                f"`leadline inventory {meant}/PID --modules` lists the files of one."
            ).strip()
        raise


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
