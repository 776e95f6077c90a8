"""`leadline verdicts`: what was said of candidates, all of them or one again."""

import argparse
import json
import time
from collections.abc import Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.show import harmless, out, table
from leadline.cli.verify_view import report_lines
from leadline.wire.service import check_service

_MOST_CHARS = 60
"""Of a candidate's title in the list; all of it is in the JSON."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "verdict", nargs="?", type=int, metavar="ID", help="show this one again, whole"
    )
    parser.add_argument("--service", default="", metavar="NAME", help="only of this service")
    parser.add_argument(
        "--limit", "-n", type=int, default=50, metavar="N", help="the newest N (default: 50)"
    )
    parser.add_argument(
        "--before", type=int, metavar="ID", help="the newest of those before this one"
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    client = Client()
    if args.verdict is not None:
        return _one(client, args)
    query = {"limit": args.limit, "before": args.before}
    if args.service:
        query["service"] = check_service(args.service)
    answer = client.get("/v1/verdicts", **query)
    if args.json:
        out(json.dumps(answer))
        return 0
    rows = [_row(one) for one in answer["verdicts"]]
    if rows:
        out(table(["ID", "TIME", "WHO", "SERVICE", "ENTRY", "CANDIDATE", "VERDICT"], rows))
    else:
        out("no verdicts; `leadline verify SERVICE --patch FILE` makes one")
    if answer["more"]:
        out(f"older ones: leadline verdicts --before {answer['verdicts'][-1]['id']}")
    return 0


def _one(client: Client, args: argparse.Namespace) -> int:
    answer = client.get(f"/v1/verdicts/{args.verdict}")
    if args.json:
        out(json.dumps(answer))
        return 0
    found = answer["verdict"]
    for line in report_lines(found["report"]):
        out(line)
    out()
    out(harmless(f"verdict {found['id']}, sent by {found['who']} at {_moment(found['at'])}"))
    return 0


def _row(one: Mapping[str, Any]) -> list[object]:
    title = one["candidate"]
    short = f"{title[:_MOST_CHARS]}…" if len(title) > _MOST_CHARS else title
    return [
        one["id"],
        _moment(one["at"]),
        one["who"],
        one["service"],
        one["entry"],
        f"{short} ({one['digest'][:12]})",
        one["verdict"],
    ]


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


COMMAND = Command(
    "verdicts",
    "show what was said of candidates, or one verdict again",
    "leadline verdicts 3",
    _configure,
    _run,
)
