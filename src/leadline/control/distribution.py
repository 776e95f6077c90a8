"""What a probe's values look like together: a histogram of numbers, else the most frequent."""

import math
from collections import Counter

from leadline.control.context import Context
from leadline.control.hits import MAX_HITS, hit_filter, list_hits
from leadline.control.on_lines import values_of
from leadline.control.probes import show_probe
from leadline.control.series import series
from leadline.control.views import ProbeView
from leadline.store.records import Total
from leadline.wire.probe import AGGREGATED, ProbeKind
from leadline.wire.sketch import GAMMA
from leadline.wire.struct import dataclass, field
from leadline.wire.value import Value, render

BINS = 24
MOST_FREQUENT = 6
MAX_VALUES = 8
"""Names of which the values are looked at."""
SECONDS = 60
"""Of a counter the passages of as long."""
_SHOWN_CHARS = 80
_NUMBERS = 0.9
"""Share of values that have to be numbers: a None among them is told as others."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The values of one expression: `bins` count them between `low` and `high`, or `frequent`
    are the most frequent ones as text; `others` are all further ones."""

    name: str
    count: int
    bins: list[int] = field(default_factory=list)
    low: float = 0.0
    high: float = 0.0
    middle: float = 0.0
    frequent: list[tuple[str, int]] = field(default_factory=list)
    others: int = 0


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of a probe: `spreads` by expression, of the newest `hits` or of all that was added up."""

    probe: ProbeView
    hits: int
    spreads: list[Spread]
    by_second: list[int] = field(default_factory=list)


def distribution(context: Context, probe: str) -> Distribution:
    """Look at a probe's values. Raises `NoSuchProbeError`."""
    view = show_probe(context, probe)
    if view.kind is ProbeKind.COUNTER:
        return Distribution(view, 0, [], _by_second(context, probe))
    if view.kind in AGGREGATED:
        total = context.store.total(probe) or Total()
        name = "seconds" if view.kind is ProbeKind.TIMER else view.expression
        return Distribution(view, 0, [_of_total(name, total)] if total.count else [])
    hits = list_hits(context, hit_filter(probe=probe), MAX_HITS // 2).hits
    values: dict[str, list[Value]] = {}
    for hit in hits:
        for name, value in (values_of(hit) or {"message": hit.message}).items():
            values.setdefault(name, []).append(value)
    spreads = [spread(name, found) for name, found in list(values.items())[:MAX_VALUES]]
    return Distribution(view, len(hits), spreads)


def spread(name: str, values: list[Value]) -> Spread:
    """Return the distribution of captured values."""
    numbers = sorted(value for value in values if _is_number(value))
    if numbers and len(numbers) >= _NUMBERS * len(values) and numbers[0] < numbers[-1]:
        low, high = float(numbers[0]), float(numbers[-1])
        bins = [0] * BINS
        for number in numbers:
            bins[_bin(number, low, high)] += 1
        middle = float(numbers[len(numbers) // 2])
        others = len(values) - len(numbers)
        return Spread(name, len(values), bins, low, high, middle, others=others)
    counted = Counter(render(value, quoted=True)[:_SHOWN_CHARS] for value in values)
    frequent = counted.most_common(MOST_FREQUENT)
    others = len(values) - sum(count for _, count in frequent)
    return Spread(name, len(values), frequent=frequent, others=others)


def _of_total(name: str, total: Total) -> Spread:
    """Return the distribution that an agent's buckets are; each is 2 % wide."""
    low, high = total.low, total.high
    bins = [0] * BINS
    for key, count in total.buckets.items():
        size = 0.0
        if key != "z":
            exponent = min(int(key[1:]), 35_000) * math.log(GAMMA)
            size = math.exp(min(exponent, 709.0)) * 2 / (1 + GAMMA)
        bins[_bin(-size if key[0] == "n" else size, low, high)] += count
    seen, middle = 0, low
    for number, count in enumerate(bins):
        seen += count
        if seen * 2 >= total.count:
            middle = low + (number + 0.5) * (high - low) / BINS
            break
    return Spread(name, total.count, bins, low, high, middle)


def _bin(number: float, low: float, high: float) -> int:
    wide = high / BINS - low / BINS  # the difference itself can be too large
    if not wide > 0:
        return 0
    return min(BINS - 1, max(0, int((number / BINS - low / BINS) / wide * BINS)))


def _is_number(value: Value) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300  # refuses nan too


def _by_second(context: Context, probe: str) -> list[int]:
    now = float(int(context.clock()))
    found = series(context, probe, since=now - SECONDS, until=now, step=1.0)
    counts = [0] * SECONDS
    for line in found.lines:
        for step in line.steps:
            counts[min(SECONDS - 1, max(0, int(step.at - now + SECONDS)))] += step.count
    return counts
