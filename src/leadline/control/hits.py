"""Reading stored hits, and choosing among them."""

import json
import math
from dataclasses import dataclass

from leadline.control.context import Context
from leadline.control.views import HitView
from leadline.store.records import HitFilter
from leadline.wire.errors import UsageError, WireError
from leadline.wire.probe import ProbeKind

DEFAULT_HITS = 100
MAX_HITS = 1_000
MAX_PROBES_ASKED = 100
"""Of one filter: as many as a page could show."""
MAX_ID = 2**63 - 1
"""The largest number that a hit can have."""


@dataclass(frozen=True, slots=True)
class HitsPage:
    """Hits, oldest first, and whether there are more that match."""

    hits: list[HitView]
    more: bool


def list_hits(context: Context, matching: HitFilter, limit: int = DEFAULT_HITS) -> HitsPage:
    """Return hits, oldest first, as a log reads.

    Without `matching.after` they are the newest `limit`; with it, the first `limit` that came
    after that number, so that reading on from the last one seen leaves none out.
    """
    if not 1 <= limit <= MAX_HITS:
        raise UsageError("bad-limit", f"limit must be from 1 to {MAX_HITS}, not {limit}.")
    page = context.store.hits(matching, newest=matching.after is None, limit=limit)
    return HitsPage([HitView(**json.loads(hit.json())) for hit in page.hits], page.more)


def hit_filter(
    *,
    probe: str | None = None,
    after: int | None = None,
    kind: str | None = None,
    since: float | None = None,
    until: float | None = None,
    **said: str | None,
) -> HitFilter:
    """Return the filter that a person's words make: see `HitFilter`.

    `probe` is one or more, with commas between them. Raises slugs `bad-limit`, `bad-message`.
    """
    probes = tuple(probe.split(",")) if probe else ()
    if len(probes) > MAX_PROBES_ASKED:
        raise UsageError("bad-limit", f"At most {MAX_PROBES_ASKED} probes can be asked for.")
    if kind is not None and kind not in set(ProbeKind):
        kinds = ", ".join(ProbeKind)
        raise WireError(f"{kind[:100]!a} is not a kind of probe; there are {kinds}.")
    for moment in (since, until):
        if moment is not None and not math.isfinite(moment):
            raise UsageError("bad-limit", "since and until are seconds since 1970.")
    after = None if after is None else max(-1, min(after, MAX_ID))  # what SQLite can compare
    return HitFilter(probes=probes, after=after, kind=kind, since=since, until=until, **said)
