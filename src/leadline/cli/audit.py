"""`leadline audit`: who asked for what, and when."""

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.show import out, table

_DETAIL_CHARS = 60
"""Of one member of an entry's detail; all of it is in the JSON."""
_LESS = frozenset("id limits capture terms owner frames moment anchor".split())


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit", "-n", type=int, default=50, metavar="N", help="the newest N (default: 50)"
    )
    parser.add_argument(
        "--before", type=int, metavar="ID", help="the newest of those before this entry"
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    answer = Client().get("/v1/audit", limit=args.limit, before=args.before)
    if args.json:
        out(json.dumps(answer))
        return 0
    rows = [_row(entry) for entry in answer["entries"]]
    out(table(["ID", "TIME", "WHO", "WHAT", "SERVICE", "PROBE", "DETAIL"], rows))
    if answer["more"] and rows:
        out(f"older ones: leadline audit --before {answer['entries'][0]['id']}")
    return 0


def _row(entry: Mapping[str, Any]) -> list[object]:
    return [
        entry["id"],
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry["at"])),
        entry["who"],
        entry["action"],
        entry["service"] or "-",
        entry["probe"] or "-",
        _detail(entry["detail"]),
    ]


def _detail(detail: Mapping[str, Any]) -> str:
    """Return the first things to know of an entry, in a line."""
    words = []
    for name, value in detail.items():
        if not value or name in _LESS:
            continue
        if isinstance(value, dict):
            value = ":".join(str(part) for part in value.values() if part)  # noqa: PLW2901
        text = value if isinstance(value, str) else json.dumps(value)
        words.append(f"{name}={text[:_DETAIL_CHARS]}{'…' * (len(text) > _DETAIL_CHARS)}")
    return "  ".join(words)


COMMAND = Command("audit", "show who asked for what", "leadline audit -n 20", _configure, _run)
