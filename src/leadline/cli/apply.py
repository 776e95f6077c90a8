"""`leadline apply`: a file of probes is what a service carries, however often it is applied."""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leadline.cli.client import Client
from leadline.cli.command import Command, add_json
from leadline.cli.duration import duration
from leadline.cli.probe_file import Set, read_sets
from leadline.cli.probe_writing import order_from, written
from leadline.cli.show import harmless, out
from leadline.wire.errors import ExitCode, LeadlineError, UsageError
from leadline.wire.probe import ProbeKind, Status
from leadline.wire.service import check_service

_LOOK_S = 0.05
_AWAITED = (Status.ERROR, Status.MISMATCH)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="e.g. probes.toml")
    parser.add_argument(
        "--dry-run", action="store_true", help="only say what would be done, and do nothing"
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help="remove probes of the set that are not in the file any more",
    )
    parser.add_argument(
        "--export", metavar="SERVICE", help="print the service's active probes as such a file"
    )
    parser.add_argument(
        "--wait",
        type=duration,
        default=2.0,
        metavar="TIME",
        help="wait so long for the instances to say how it went (default: 2s)",
    )
    add_json(parser)


def _run(args: argparse.Namespace) -> int:
    if (args.file is None) == (args.export is None):
        raise UsageError(
            "what-to-apply",
            "Name a file of probes, or a service to export.",
            "For example: leadline apply probes.toml, or leadline apply --export shop",
        )
    if args.export is not None:
        return _export(args)
    sets = read_sets(args.file)  # a mistake is shown before a server is asked
    client = Client()
    answers = [
        _dry(client, one, prune=args.prune)
        if args.dry_run
        else _put(client, one, prune=args.prune)
        for one in sets
    ]
    probes = {} if args.dry_run else _settled(client, answers, args.wait)
    if args.json:
        done = {"schema_version": 1, "dry_run": args.dry_run, "sets": answers}
        out(json.dumps(done | {"probes": list(probes.values())}))
    else:
        for answer in answers:
            _show(answer, probes, dry=args.dry_run)
    failed = any(probe["status"] in _AWAITED for probe in probes.values())
    return ExitCode.NO if failed else ExitCode.OK


def _put(client: Client, wanted: Set, *, prune: bool) -> dict[str, Any]:
    """Make the server's set what the file says, and what else is in it if that is to stay."""
    orders = dict(wanted.orders)
    if not prune:
        for name, probe in _present(client, wanted).items():
            if name not in orders and probe["ended_at"] is None:
                orders[name] = order_from(probe)
    body = {"probes": [{"name": name, **order} for name, order in orders.items()]}
    return client.put(_address(wanted), body)


def _dry(client: Client, wanted: Set, *, prune: bool) -> dict[str, Any]:
    """Return what `_put` would be answered."""
    present = _present(client, wanted)
    parts = []
    for name, order in wanted.orders.items():
        before = present.get(name)
        if before is None or before["ended_at"] is not None:
            deed = "placed"
        else:
            deed = "kept" if _same(before, order) else "replaced"
        parts.append(_part(name, deed, before))
    for name, probe in present.items():
        if name not in wanted.orders:
            deed = "removed" if prune else "kept"
            if prune or probe["ended_at"] is None:
                parts.append(_part(name, deed, probe))
    return {"service": wanted.service, "set": wanted.name, "parts": parts}


def _part(name: str, deed: str, probe: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"name": name, "deed": deed, "probe": probe["id"] if probe else "", "before": ""}


def _same(probe: Mapping[str, Any], order: Mapping[str, Any]) -> bool:
    """Whether a probe that is placed is what an order asks for."""
    before = order_from(probe)
    asked = json.loads(json.dumps({"where": {"instance": "", "tags": {}}, **order}))
    begins = asked["where"]["instance"]
    if begins and before["where"]["instance"].startswith(begins):
        asked["where"]["instance"] = before["where"]["instance"]
    return bool(before == asked)


def _present(client: Client, wanted: Set) -> dict[str, Mapping[str, Any]]:
    try:
        found = client.get(_address(wanted))["probes"]
    except LeadlineError as error:
        if error.slug != "no-such-set":
            raise
        return {}
    return {probe["name"]: probe for probe in found}


def _address(wanted: Set) -> str:
    name = check_service(wanted.name)  # what is safe in an address for the one is for the other
    return f"/v1/services/{wanted.service}/sets/{name}"


def _settled(
    client: Client, answers: list[dict[str, Any]], seconds: float
) -> dict[str, dict[str, Any]]:
    """Wait until the connected instances have reported on each probe of the sets."""
    deadline = time.monotonic() + seconds
    while True:
        probes = {
            probe["id"]: probe
            for answer in answers
            if answer["parts"]
            for probe in client.get("/v1/probes", service=answer["service"])["probes"]
            if probe["set"] == answer["set"]
        }
        silent = any(
            one["connected"] and not one["reported_at"]
            for probe in probes.values()
            for one in probe["instances"]
        )
        if not silent or time.monotonic() >= deadline:
            return probes
        time.sleep(_LOOK_S)


def _show(answer: Mapping[str, Any], probes: Mapping[str, Any], *, dry: bool) -> None:
    would = "would be " if dry else ""
    out(f"{answer['service']}/{answer['set']}" + ("  (nothing is done)" if dry else ""))
    for part in answer["parts"]:
        probe = probes.get(part["probe"])
        how = f"  {probe['status']}" if probe and part["deed"] != "removed" else ""
        why = f": {probe['reason']}" if how and probe and probe["reason"] else ""
        name = f"{part['probe']}  {part['name']}".strip()
        out(harmless(f"  {would}{part['deed']}  {name}{how}{why}"))
    if not answer["parts"]:
        out("  nothing to do")


def _export(args: argparse.Namespace) -> int:
    service = check_service(args.export)
    probes = [
        probe
        for probe in Client().get("/v1/probes", service=service)["probes"]
        if probe["ended_at"] is None
        and probe["service"] == service
        # these are asked for once: a twin by somebody with the right to it
        and probe["kind"] not in (ProbeKind.TWIN, ProbeKind.CAPTURE)
    ]
    if args.json:
        out(json.dumps({"schema_version": 1, "probes": probes}))
    else:
        out(written(service, probes).rstrip("\n"))
    return 0


COMMAND = Command(
    "apply",
    "make the probes of a file those that a service carries",
    "leadline apply probes.toml --dry-run",
    _configure,
    _run,
)
