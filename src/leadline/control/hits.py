"""Reading stored hits, and choosing among them: a page of them, one, or how many over time."""

import json

from leadline.control.context import Context
from leadline.control.times import is_time
from leadline.control.views import HitView
from leadline.store.over_time import columns_of
from leadline.store.records import EVERY_SERVICE, Columns, HitFilter, Phase
from leadline.store.value_filter import value_filter
from leadline.wire.errors import UsageError, WireError
from leadline.wire.hit import InstanceInfo
from leadline.wire.probe import AGGREGATED, ProbeKind
from leadline.wire.struct import dataclass, replace

__all__ = [
    "Columns",
    "HitsPage",
    "Source",
    "Sources",
    "hit_filter",
    "list_hits",
    "neighbours",
    "newest_hits",
    "newest_number",
    "over_time",
    "searched",
    "show_hit",
    "sources",
]

DEFAULT_HITS = 100
MAX_HITS = 1_000
MAX_PROBES_ASKED = 100
"""Of one filter: as many as a page could show."""
MAX_ID = 2**63 - 1
"""The largest number that a hit can have."""
MAX_EXPORTED = 10_000
"""Of one file: a spreadsheet takes more, and nobody reads them."""
SEARCHED = 5_000
"""How far back a page looks into messages and values, so that it answers at once."""
COLUMNS = 120
"""Of a picture over time: each is a few points wide."""
NEIGHBOURS = 4
"""Hits of the same probe that are compared, on either side."""


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
    return _read(context, matching, newest=matching.after is None, limit=limit)


def newest_hits(context: Context, matching: HitFilter, limit: int) -> HitsPage:
    """Return the newest hits, oldest first, also with `matching.after`."""
    return _read(context, matching, newest=True, limit=limit)


def newest_number(context: Context) -> int:
    """Return the number of the newest hit: a stream that begins behind it misses none."""
    return context.store.newest_hit()


def show_hit(context: Context, hit: int) -> HitView:
    """Return one hit. Raises slug `no-such-hit`."""
    before = min(hit, MAX_ID) - 1
    found = (
        _read(context, HitFilter(after=before), newest=False, limit=1).hits if hit > 0 else []
    )
    if not found or found[0].id != hit:
        raise UsageError(
            "no-such-hit",
            f"There is no hit {str(hit)[:20]}.",
            "It may have been trimmed or purged; `leadline hits` shows those that there are.",
        )
    return found[0]


def neighbours(context: Context, hit: HitView) -> tuple[list[HitView], list[HitView]]:
    """Return hits of the same probe: the last ones before this, the first ones after it."""
    same = HitFilter(probes=(hit.probe,))
    before = replace(same, before=hit.id)
    after = replace(same, after=hit.id)
    return (
        _read(context, before, newest=True, limit=NEIGHBOURS).hits,
        _read(context, after, newest=False, limit=NEIGHBOURS).hits,
    )


def searched(context: Context, matching: HitFilter) -> HitFilter:
    """Return the filter as a page asks it: what has to be looked for in each hit is looked for
    in the newest `SEARCHED` of all; the same filter where nothing is left out by that."""
    if matching.text is None and matching.value is None:
        return matching
    floor = context.store.newest_hit() - SEARCHED
    if floor <= max(matching.after or 0, 0):
        return matching
    return replace(matching, after=floor)


def over_time(context: Context, matching: HitFilter, known: HitsPage | None = None) -> Columns:
    """Count hits over time in `COLUMNS`. `known` are those that match, as far as they were
    asked for: where they are all, and each had to be looked into, none is looked into again."""
    if known and not known.more and (matching.value or matching.text):
        times = sorted(hit.time for hit in known.hits)
        return columns_of(times, matching, COLUMNS, context.clock())
    return context.store.hit_columns(matching, COLUMNS, now=context.clock())


@dataclass(frozen=True, slots=True)
class Source:
    """A probe that hits may be of."""

    id: str
    service: str
    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Sources:
    """What hits can be chosen by. `processes` names instances as people do, by their id."""

    services: list[str]
    probes: list[Source]
    processes: dict[str, str]


def sources(context: Context, hits: list[HitView]) -> Sources:
    """Return what there is to choose from: what is known now, and what the hits are of."""
    names = {feed.instance: _name(feed.info) for feed in context.desired.connected().values()}
    for instance in {hit.instance for hit in hits} - names.keys():
        record = context.store.instance(instance)
        names[instance] = _name(record.info) if record else instance[:8]
    placed = context.store.probes(None, (Phase.ACTIVE, Phase.EXPIRED))
    services = {one.service for one in placed} | {hit.service for hit in hits}
    services |= {feed.service for feed in context.desired.connected().values()}
    services.discard(EVERY_SERVICE)
    probes = [
        Source(one.probe.id, one.service, str(one.probe.kind), str(one.probe.target))
        for one in reversed(placed)
        if one.probe.kind not in AGGREGATED
    ]
    return Sources(sorted(services), probes, names)


def _name(info: InstanceInfo) -> str:
    return f"{info.program}/{info.pid}"


def _read(context: Context, matching: HitFilter, *, newest: bool, limit: int) -> HitsPage:
    page = context.store.hits(matching, newest=newest, limit=limit)
    return HitsPage([HitView(**json.loads(hit.json())) for hit in page.hits], page.more)


def hit_filter(
    *,
    probe: str | None = None,
    after: int | None = None,
    kind: str | None = None,
    since: float | None = None,
    until: float | None = None,
    value: str | None = None,
    before: int | None = None,
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
        if moment is not None and not is_time(moment):
            raise UsageError("bad-limit", "since and until are seconds since 1970.")
    after = None if after is None else max(-1, min(after, MAX_ID))  # what SQLite can compare
    return HitFilter(
        probes=probes,
        after=after,
        kind=kind,
        since=since,
        until=until,
        before=before,
        value=None if value is None else value_filter(value),
        **said,
    )
