"""`leadline series`: what a counter, a metric or a timer saw over time."""

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration, spoken
from leadline.cli.points import figure, sparkline
from leadline.cli.probe_view import asked
from leadline.cli.rm import clean
from leadline.cli.show import harmless, out, table
from leadline.wire.errors import ExitCode
from leadline.wire.probe import ProbeKind

_LOOK_S = 0.2
_FIGURES = ("mean", "min", "p50", "p95", "p99", "max")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("probe", metavar="PROBE", help="a counter, a metric or a timer: p2")
    parser.add_argument(
        "--since", type=duration, metavar="TIME", help="the last so much, e.g. 10m"
    )
    parser.add_argument(
        "--step", type=duration, metavar="TIME", help="time of one line (default: it fits)"
    )
    parser.add_argument(
        "--by", choices=("instance",), help="a table for each instance, not one over all"
    )
    parser.add_argument(
        "--wait",
        type=duration,
        metavar="TIME",
        help="wait so long for a first value; then that there is none is status 1",
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    answer = _asked(client, args)
    series = answer["series"]
    if args.json:
        out(json.dumps(answer))
    else:
        out(asked(client.get(f"/v1/probes/{clean(args.probe)}")["probe"]))
        for line in series["lines"]:
            _show(series, line)
        if not series["lines"]:
            out("  nothing has been counted; `leadline probes` says why")
        if series["left_out"]:
            out(f"  {series['left_out']} more instances are left out")
    return ExitCode.NO if args.wait and not series["lines"] else ExitCode.OK


def _asked(client: Client, args: argparse.Namespace) -> dict[str, Any]:
    deadline = time.monotonic() + (args.wait or 0.0)
    while True:
        answer = client.get(
            f"/v1/probes/{clean(args.probe)}/series",
            since=time.time() - args.since if args.since else None,
            step=args.step,
            by=args.by,
        )
        if answer["series"]["lines"] or time.monotonic() >= deadline:
            return answer
        time.sleep(_LOOK_S)


def _show(series: Mapping[str, Any], line: Mapping[str, Any]) -> None:
    if line["instance"]:
        out(f"\n  instance {harmless(line['instance'])}")
    steps, kind = line["steps"], series["kind"]
    out(f"  {sparkline(_counts(series, steps))}  each {spoken(series['step'])}")
    counter = kind == ProbeKind.COUNTER
    headers = ["TIME", "COUNT", "A SECOND", *([] if counter else map(str.upper, _FIGURES))]
    rows = [
        [
            time.strftime("%H:%M:%S", time.localtime(step["at"])),
            f"{step['count']:,}" + (f" ({step['lost']:,} lost)" if step["lost"] else ""),
            f"{step['rate']:.4g}",
            *([] if counter else [_figure(kind, step.get(name)) for name in _FIGURES]),
        ]
        for step in steps
    ]
    out("\n".join(f"  {row}" for row in table(headers, rows).split("\n")))


def _counts(series: Mapping[str, Any], steps: list[Mapping[str, Any]]) -> list[float]:
    """Return the count of each step, 0 for those in which there was nothing."""
    found = {round((one["at"] - series["since"]) / series["step"]): one for one in steps}
    last = max(found, default=-1)
    return [
        float(found[number]["count"]) if number in found else 0.0 for number in range(last + 1)
    ]


def _figure(kind: str, value: float | None) -> str:
    return "-" if value is None else figure(kind, value)


COMMAND = Command(
    "series",
    "show what a counter, a metric or a timer saw over time",
    "leadline series p2 --since 10m",
    _configure,
    _run,
)
