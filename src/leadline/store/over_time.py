"""Hits over time: from when to when, in how long columns, and how many in each."""

from collections.abc import Sequence

from leadline.store.records import Columns, HitFilter

LEAST_COLUMN_S = 0.001
"""Of a column over time: hits of one moment are not divided further."""


def columns_of(times: Sequence[float], matching: HitFilter, many: int, now: float) -> Columns:
    """Count the times of all hits that match, the earliest first."""
    ends = (times[0], times[-1]) if times else None
    since, seconds = span_of(matching, ends, many, now)
    counts = [0] * many
    for at in times:
        counts[min(max(int((at - since) / seconds), 0), many - 1)] += 1
    return Columns(since, seconds, counts)


def span_of(
    matching: HitFilter, ends: tuple[float, float] | None, many: int, now: float
) -> tuple[float, float]:
    """Return when the first column begins, and how long each is. `ends` are the first and the
    last hit."""
    first, last = ends or (now, now)
    until = matching.until
    if until is None:
        until = last + LEAST_COLUMN_S if matching.since is None else max(now, last)
    since = min(first, until) if matching.since is None else min(matching.since, until)
    return since, max((until - since) / many, LEAST_COLUMN_S)
