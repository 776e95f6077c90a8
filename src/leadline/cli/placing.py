"""Placing a probe: asked of the server, waited for, and shown with what to do next."""

import argparse
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from leadline.cli.anchor import anchor_of
from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration
from leadline.cli.probe_view import instance_lines, total_of
from leadline.cli.probe_word import ProbeWord, add_probe_options, read_probe
from leadline.cli.processes import instance_id
from leadline.cli.show import harmless, out
from leadline.cli.standing import here
from leadline.cli.where import add_where, where_of
from leadline.wire.errors import ExitCode
from leadline.wire.probe import AGGREGATED, Probe, ProbeKind, Status
from leadline.wire.service import check_service
from leadline.wire.struct import asdict

_FIRST_LOOK_S = 0.005
_LONGEST_LOOK_S = 0.05
"""An agent has usually answered within some milliseconds; who has not may take seconds."""
EVERY_SERVICE = "*"
"""In place of a service: whatever carries an agent, now or later."""


def probe_command(word: ProbeWord) -> Command:
    """Return the command that places probes of a kind on a server."""

    def configure(parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "service", help="the service that gets the probe, now and later; '*' for every one"
        )
        add_probe_options(parser, word)
        add_placing(parser)
        parser.add_argument(
            "--wait",
            type=duration,
            default=2.0,
            metavar="TIME",
            help="wait so long for the instances to say how it went (default: 2s)",
        )
        add_json(parser)

    def run(args: argparse.Namespace) -> int:
        return _place(word, args)

    return Command(word.name, word.summary, word.example, configure, run)


def add_placing(parser: argparse.ArgumentParser) -> None:
    """The options of a probe that go to a server."""
    add_where(parser)
    parser.add_argument(
        "--owner", metavar="NAME", help="who it belongs to (default: your login name)"
    )
    parser.add_argument(
        "--any-source",
        action="store_true",
        help="do not compare the line with the file of that name in the working directory",
    )


def order_of(word: ProbeWord, args: argparse.Namespace) -> dict[str, Any]:
    """Return the probe that was asked for as the server takes it, checked."""
    probe = read_probe(word, args, owner=login() if args.owner is None else args.owner)
    order = _body(probe) | where_of(args)
    if not args.any_source and (anchor := anchor_of(probe.target)):
        order["anchor"] = asdict(anchor)
    return order


def _place(word: ProbeWord, args: argparse.Namespace) -> int:
    if args.service != EVERY_SERVICE:
        check_service(args.service)
    order = order_of(word, args)  # a mistake is shown before a server is asked
    client = Client()
    if args.instance:
        order["where"]["instance"] = instance_id(client, args.instance)
    answer = client.post(f"/v1/services/{args.service}/probes", order)
    answer = _settled(client, answer, args.wait)
    if args.json:
        out(json.dumps(answer))
    else:
        _show(answer["probe"])
    failed = answer["probe"]["status"] in (Status.ERROR, Status.MISMATCH)
    return ExitCode.NO if failed else ExitCode.OK


def _body(probe: Probe) -> dict[str, Any]:
    body = asdict(probe)
    for name in ("id", "anchor"):
        body.pop(name)
    for name in ("target", "until"):
        if place := getattr(probe, name, None):
            body[name] = str(place)
    return body


def login() -> str:
    """Return the name of whoever uses the command line; empty if there is none."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if name := os.environ.get(variable):
            return name
    try:
        import pwd  # noqa: PLC0415 - most people have their name in the environment

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return ""


def _settled(client: Client, answer: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Ask until every connected instance has reported on the probe, and until one that adds
    up has added something; or until the time is over."""
    deadline = time.monotonic() + seconds
    path = f"/v1/probes/{answer['probe']['id']}"
    pause = _FIRST_LOOK_S
    while _unsettled(answer["probe"]) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_LOOK_S)
        answer = client.get(path)
    return answer


def _unsettled(probe: Mapping[str, Any]) -> bool:
    there = here(probe)
    if not all(one["reported_at"] for one in there):
        return True
    armed = any(one["status"] == Status.ARMED for one in there)
    return armed and probe["kind"] in AGGREGATED and not (probe["total"] or {}).get("count")


def _show(probe: Mapping[str, Any]) -> None:
    out(f"{probe['id']}  {probe['kind']}  {harmless(probe['target'])}  {probe['status']}")
    there = here(probe)
    for one in there:
        for line in instance_lines(one):
            out(f"  {line}")
    if not there:
        out(f"  {harmless(probe['reason'] or 'no instance has reported yet')}")
    if probe["status"] == Status.MISMATCH:
        out("  if what runs is meant: place it again with --any-source")
    if so_far := total_of(probe):
        out(f"  so far: {so_far}")
    out(f"  watch it: leadline tail {probe['id']}      {_more(probe)}"
        f"remove it: leadline rm {probe['id']}")  # fmt: skip


def _more(probe: Mapping[str, Any]) -> str:
    if probe["kind"] in AGGREGATED:
        return f"over time: leadline series {probe['id']}      "
    if probe["kind"] != ProbeKind.LOG:
        return f"all of it: leadline hits --probe {probe['id']} --full      "
    return ""
