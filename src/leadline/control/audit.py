"""The audit log as people read it: who did what, and when."""

import json
from dataclasses import dataclass

from leadline.control.context import Context
from leadline.control.views import AuditView
from leadline.store.records import AuditFilter
from leadline.wire.errors import UsageError

DEFAULT_ENTRIES = 100
MAX_ENTRIES = 1_000
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, oldest first, and whether there are older ones."""

    entries: list[AuditView]
    more: bool


def list_audit(
    context: Context,
    *,
    limit: int = DEFAULT_ENTRIES,
    before: int | None = None,
    **said: str,
) -> AuditPage:
    """Return the newest `limit` entries, or the newest of those before the number `before`.

    `said` is what they must have: see `AuditFilter`.
    """
    if not 1 <= limit <= MAX_ENTRIES:
        raise UsageError("bad-limit", f"limit must be from 1 to {MAX_ENTRIES}, not {limit}.")
    before = None if before is None else max(0, min(before, MAX_ID))
    found = context.store.audit(limit + 1, before, AuditFilter(**said))
    return AuditPage(
        [
            AuditView(
                id=entry.id,
                at=entry.at,
                who=entry.who,
                action=entry.action,
                service=entry.service,
                probe=entry.probe,
                detail=json.loads(entry.detail),
            )
            for entry in found[-limit:]
        ],
        len(found) > limit,
    )


def costs(context: Context, entries: list[AuditView]) -> dict[str, int]:
    """Return what the probes of some entries have cost so far over all instances, in
    nanoseconds, by probe."""
    named = {entry.probe for entry in entries if entry.probe}
    return {
        probe: sum(
            one.state.cost_ns for one in context.store.states(probe=probe).get(probe, [])
        )
        for probe in named
    }
