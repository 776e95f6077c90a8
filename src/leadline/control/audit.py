"""The audit log as people read it: who did what, and when."""

import json

from leadline.control.context import Context
from leadline.control.views import AuditView
from leadline.store.records import EVERY_ENTRY, AuditFilter
from leadline.wire.errors import UsageError
from leadline.wire.struct import dataclass

__all__ = ["AuditFilter", "AuditPage", "list_audit", "receipts"]

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
    matching: AuditFilter = EVERY_ENTRY,
) -> AuditPage:
    """Return the newest `limit` entries that match, or the newest of those before the number
    `before`."""
    if not 1 <= limit <= MAX_ENTRIES:
        raise UsageError("bad-limit", f"limit must be from 1 to {MAX_ENTRIES}, not {limit}.")
    before = None if before is None else max(0, min(before, MAX_ID))
    found = context.store.audit(limit + 1, before, matching)
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


def receipts(context: Context, page: AuditPage) -> dict[str, int]:
    """Return what the probes of a page cost, in nanoseconds of the application's threads, over
    all instances; a probe of which no instance said anything is not there."""
    probes = {entry.probe for entry in page.entries if entry.probe}
    return {
        probe: sum(record.state.cost_ns for record in records)
        for probe in probes
        if (records := context.store.states(probe=probe).get(probe))
    }
