"""Verdicts: what a verification said of a candidate, kept for whoever has to decide on it."""

import json
from collections.abc import Mapping
from typing import Any

from leadline.control.context import Context
from leadline.store.verdicts import NewVerdict, StoredVerdict, VerdictFilter
from leadline.verify.verdict import EXIT, Verdict
from leadline.wire.errors import UsageError, WireError
from leadline.wire.service import check_service
from leadline.wire.struct import dataclass

__all__ = [
    "VerdictFilter",
    "VerdictHead",
    "VerdictView",
    "VerdictsPage",
    "keep_verdict",
    "list_verdicts",
    "show_verdict",
    "verdict_filter",
]

DEFAULT_VERDICTS = 100
MAX_VERDICTS = 1_000
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class VerdictHead:
    """What a list shows of a verdict. `id` is its number, `at` when it came, `who` sent it;
    `candidate` and `digest` say of what it is."""

    id: int
    at: float
    who: str
    service: str
    entry: str
    verdict: str
    exit_status: int
    sentence: str
    candidate: str
    digest: str


@dataclass(frozen=True, slots=True)
class VerdictView:
    """All of a verdict; `report` is as it was sent."""

    id: int
    at: float
    who: str
    service: str
    report: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VerdictsPage:
    """Verdicts, the newest first, and whether there are older ones."""

    verdicts: list[VerdictHead]
    more: bool


def keep_verdict(
    context: Context, report: Mapping[str, Any], *, service: str, who: str
) -> VerdictHead:
    """Keep a report, whose form was checked, and return its head.

    Raises slugs `bad-service-name`, and `bad-message` for a report that is of another service,
    or whose exit status is that of another verdict.
    """
    check_service(service)
    if report["service"] != service:
        raise WireError(f"The report is of the service {report['service'][:100]!a}.")
    if report["exit_status"] != EXIT[Verdict(report["verdict"])]:
        raise WireError(f"{report['verdict']} has another `exit_status`.")
    candidate = report["candidate"]
    known = {name: report[name] for name in ("entry", "verdict", "exit_status", "sentence")}
    head = known | {"candidate": candidate["title"], "digest": candidate["digest"]}
    now = context.clock()
    number = context.store.add_verdict(
        NewVerdict(service, report["verdict"], _written(head), _written(report)),
        {"entry": report["entry"], "candidate": head["candidate"], "digest": head["digest"]},
        who=who,
        now=now,
    )
    return VerdictHead(id=number, at=now, who=who, service=service, **head)


def list_verdicts(
    context: Context,
    matching: VerdictFilter,
    *,
    before: int | None = None,
    limit: int = DEFAULT_VERDICTS,
) -> VerdictsPage:
    """Return the newest verdicts that match, or the newest of those before a number."""
    if not 1 <= limit <= MAX_VERDICTS:
        raise UsageError("bad-limit", f"limit must be from 1 to {MAX_VERDICTS}, not {limit}.")
    before = None if before is None else max(0, min(before, MAX_ID))
    found = context.store.verdicts(matching, before=before, limit=limit + 1)
    return VerdictsPage([_head(one) for one in found[:limit]], len(found) > limit)


def show_verdict(context: Context, number: int) -> VerdictView:
    """Return one verdict. Raises slug `no-such-verdict`."""
    found = context.store.verdict(number) if 0 < number <= MAX_ID else None
    if found is None:
        raise UsageError(
            "no-such-verdict",
            f"There is no verdict {str(number)[:20]}.",
            "It may have been trimmed or purged; `leadline verdicts` shows which there are.",
        )
    return VerdictView(
        found.id, found.received_at, found.who, found.service, json.loads(found.body)
    )


def verdict_filter(service: str = "", verdict: str = "") -> VerdictFilter:
    """Return the filter that a person's words make. Raises slug `bad-message`."""
    if verdict and verdict not in set(Verdict):
        there = ", ".join(Verdict)
        raise WireError(f"{verdict[:100]!a} is no verdict; there are {there}.")
    return VerdictFilter(service, verdict)


def _head(stored: StoredVerdict) -> VerdictHead:
    return VerdictHead(
        id=stored.id,
        at=stored.received_at,
        who=stored.who,
        service=stored.service,
        **json.loads(stored.head),
    )


def _written(value: Mapping[str, Any]) -> str:
    """Return ASCII JSON: lone surrogates of captured text stay what they are in it."""
    return json.dumps(value, separators=(",", ":"))
