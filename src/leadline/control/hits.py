"""Reading stored hits."""

import json
from dataclasses import dataclass

from leadline.control.context import Context
from leadline.control.views import HitView
from leadline.control.watch import MAX_ID
from leadline.store.records import HitFilter
from leadline.wire.errors import UsageError

DEFAULT_HITS = 100
MAX_HITS = 1_000


@dataclass(frozen=True, slots=True)
class HitsPage:
    """Hits, oldest first, and whether there are more that match."""

    hits: list[HitView]
    more: bool


def list_hits(
    context: Context,
    *,
    service: str | None = None,
    probe: str | None = None,
    after: int | None = None,
    limit: int = DEFAULT_HITS,
) -> HitsPage:
    """Return hits, oldest first, as a log reads.

    Without `after` they are the newest `limit`; with it, the first `limit` that came
    after that number, so that reading on from the last one seen leaves none out.
    """
    if not 1 <= limit <= MAX_HITS:
        raise UsageError("bad-limit", f"limit must be from 1 to {MAX_HITS}, not {limit}.")
    matching = HitFilter(service, probe, _number(after))
    page = context.store.hits(matching, newest=after is None, limit=limit)
    return HitsPage([HitView(**json.loads(hit.json())) for hit in page.hits], page.more)


def _number(after: int | None) -> int | None:
    return None if after is None else max(-1, min(after, MAX_ID))  # what SQLite can compare
