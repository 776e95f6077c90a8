"""The other place: a twin of the live process at each hit, where calls meet all that they met.

Each twin runs the live call three times, apart from each other: twice as it was, once with the
candidate. What needs the heap around it, an open database, a cache, is run here.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from leadline.cli.client import Client
from leadline.cli.duration import duration
from leadline.cli.open_page import page_address
from leadline.cli.placing import login
from leadline.cli.show import err, harmless
from leadline.cli.twin_order import Order, body_of, signature_of
from leadline.cli.twin_waiting import Waiting, no_answer_status, reasons
from leadline.trial.candidate import Candidate, encode
from leadline.trial.course import Coursed, Raised
from leadline.trial.outcome import Outcome
from leadline.trial.place import Ran
from leadline.trial.running import Rerun
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared, compare_runs, not_replayable
from leadline.verify.verifying import Asked, Verified, reported
from leadline.wire.errors import ExitCode, RefusedError, UnavailableError
from leadline.wire.limits import Limits
from leadline.wire.probe import Moment, TwinProbe
from leadline.wire.service import check_service
from leadline.wire.target import parse_place
from leadline.wire.twin import LIFE_S, Refusal, TwinEnd, TwinUse

MOST = 20
"""Calls that are tried in twins if nothing is said: each is a pause of the live process."""
_ASK_S = 2.0
"""How often it is asked whether somebody has approved."""
_NOT_COMPARED = "in twins lazy results, closures and the state of modules are not compared"
_NO_ROOM = "what it came to found no room in the answer"


def in_twins(args: argparse.Namespace, candidate: Candidate, entry: str) -> Verified:
    """Try a candidate on live calls of `entry`. Raises `RefusedError` where the service makes
    no twins, or nobody approves, and `UnavailableError` where no call came."""
    began = time.monotonic()
    asked = Asked(
        check_service(args.service), entry, candidate, args.fails, args.expect, args.least
    )
    seconds = duration(args.seconds)
    many = min(args.many, MOST)
    client = Client()
    order = _ordered(client, args, asked, many, seconds)
    found: list[Compared] = []
    files = {change.file for change in candidate.changes}
    try:
        for hit in Waiting(client, order, seconds).hits(many):
            found.append(compared(len(found) + 1, hit["twin"], files, stated=bool(args.fails)))
            failing = any(one.case.failed for one in found)
            if len(found) >= args.least and (failing or not args.fails) and len(found) >= many:
                break
    except KeyboardInterrupt:
        err("leadline: stopped; what came is used")
    finally:
        order.remove()
    if not found:
        _explain(order)
    place = "twins of the live process"
    return reported(
        asked, found, place, [_NOT_COMPARED], 3 * len(found), time.monotonic() - began
    )


def compared(
    number: int, twin: Mapping[str, Any], files: set[str], *, stated: bool
) -> Compared:
    """Return what one twin has answered, as one call. `stated` says whether it was asked which
    calls fail; the first control answers that, for nothing is said of a call with which it
    does not agree."""
    tried = twin.get("tried") or {}
    runs = {run["what"]: run for run in tried.get("runs", ())}
    reason = tried.get("obstacle") or (twin["reason"] if twin["end"] != TwinEnd.DONE else "")
    live = _ran(number, runs.get("live", {}), runs, files)
    call = CapturedCall(
        number=number,
        document=None,
        live=live.rerun.outcome or Outcome(True),
        failed=tried.get("fails") if stated else False,
        obstacle=reason or live.rerun.cut,
    )
    if reason or live.rerun.outcome is None or not {"control 1", "control 2"} <= set(runs):
        return not_replayable(call)
    first, second, candidate = (
        _ran(number, runs.get(what, {}), runs, files)
        for what in ("control 1", "control 2", "candidate")
    )
    return compare_runs(call, first, second, candidate)


def _ran(
    number: int, run: Mapping[str, Any], runs: Mapping[str, Mapping[str, Any]], files: set[str]
) -> Ran:
    held = runs.get(run.get("same_as", ""), run) if run.get("same_as") else run
    cut = run.get("cut", "") or (_NO_ROOM if run.get("omitted") else "")
    outcome = None
    if run and held.get("returned") is not None and not cut:
        outcome = Outcome(held["returned"], held.get("value"), dict(held.get("arguments", {})))
    return Ran(
        number,
        Rerun(outcome, cut or _end(outcome), "", run.get("printed", "")),
        Coursed("", 0, _touched(run.get("reached"), files), [
            Raised((one["kind"],), one["at"], one["handled"]) for one in run.get("inside", ())
        ]),
        [Refusal(**one) for one in run.get("refused", ())],
        run.get("fails"),
        run.get("expect"),
        run.get("unknown", ""),
    )  # fmt: skip


def _end(outcome: Outcome | None) -> str:
    return "" if outcome is not None else "it came to no end"


def _touched(reached: list[str] | None, files: set[str]) -> dict[str, list[int]]:
    touched: dict[str, list[int]] = {}
    for place in reached or ():
        file, _, line = place.rpartition(":")
        if file in files and line.isdigit():
            touched.setdefault(file, []).append(int(line))
    return touched


def _ordered(
    client: Client, args: argparse.Namespace, asked: Asked, many: int, seconds: float
) -> Order:
    code = encode(asked.candidate) | {"fails": args.fails, "expect": args.expect}
    probe = TwinProbe(
        id="",
        target=parse_place(asked.entry),
        use=TwinUse.VERIFY,
        code=(json.dumps(code),),
        life_s=LIFE_S[TwinUse.VERIFY],
        nonce=os.urandom(16).hex(),
        limits=Limits(many, seconds + 5.0, 1.0),
        owner=login(),
        moment=Moment.ENTRY,
    )
    body = body_of(probe, "") | signature_of(asked.service, probe, "")
    placed = client.post(f"/v1/services/{asked.service}/twins", body)
    if "probe" not in placed:
        placed = _approved(client, placed["approval"])
    return Order(client, placed["probe"], probe.nonce)


def _approved(client: Client, approval: dict[str, Any]) -> dict[str, Any]:
    """Wait until somebody with the right has approved. Raises `RefusedError`."""
    link = f"{page_address(client.url)}{approval['address']}"
    err(f"leadline: your key may not run code in a service; somebody has to approve: {link}")
    for standing in _standings(client, approval["id"]):
        if standing["decision"] == "approved":
            err(f"leadline: approved by {harmless(str(standing['by']))}")
            probe = standing["probe"]
            name = probe["id"] if isinstance(probe, dict) else probe
            return dict(client.get(f"/v1/probes/{name}"))
        if standing["decision"] != "waiting":
            by = f" by {standing['by']}" if standing.get("by") else ""
            raise RefusedError(
                "not-approved", f"The candidate was not approved: {standing['decision']}{by}."
            )
    raise RefusedError("not-approved", "Nobody has approved the candidate in time.")


def _standings(client: Client, approval: str) -> Iterator[dict[str, Any]]:
    while True:
        standing = client.get(f"/v1/approvals/{approval}")["approval"]
        yield standing
        if standing["decision"] == "waiting":
            time.sleep(_ASK_S)


def _explain(order: Order) -> None:
    """Say why no twin has answered."""
    probe = order.probe
    why = "; ".join(reasons(probe))
    if no_answer_status(probe) is ExitCode.REFUSED:
        raise RefusedError("twins-off", f"No twin was made: {why}.")
    raise UnavailableError(
        "no-calls", f"No call was tried in a twin: {why}.", "Wait longer with --for."
    )
