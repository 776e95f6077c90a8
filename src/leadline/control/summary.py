"""What many points say together: counts and sums exactly, quantiles within 1 %.

The quantiles are those of a DDSketch. Agents count values by its buckets (`wire.sketch`), and
buckets of any number of instances and seconds add up; the library knows what they mean.
"""

import math
import sys
from collections.abc import Iterable

from ddsketch.ddsketch import BaseDDSketch
from ddsketch.mapping import LogarithmicMapping
from ddsketch.store import CollapsingLowestDenseStore

from leadline.control.views import Summary
from leadline.store.records import Total, bounded
from leadline.wire.probe import ProbeKind
from leadline.wire.sketch import ACCURACY, GAMMA, nearest_rank

BINS = 4_096
"""Buckets of each sign that one sketch holds: 35 powers of ten; beyond them the values nearest
to zero share one. What an agent sends can never make it larger."""


_LARGEST = int(math.log(sys.float_info.max) / math.log(GAMMA))
"""The last bucket that ends below the largest number there is; what is in the next one is told
as if it were in this: 3 % off."""


def sketch_of(buckets: dict[str, int]) -> BaseDDSketch:
    """Return the sketch that an agent's buckets are."""
    positive, negative = CollapsingLowestDenseStore(BINS), CollapsingLowestDenseStore(BINS)
    zeros = 0
    for key, count in buckets.items():
        match key[:1]:
            case "p":
                positive.add(min(int(key[1:]), _LARGEST), count)
            case "n":
                negative.add(min(int(key[1:]), _LARGEST), count)
            case _:
                zeros += count
    return BaseDDSketch(LogarithmicMapping(ACCURACY), positive, negative, zeros)


def merged(sketches: Iterable[BaseDDSketch]) -> BaseDDSketch:
    """Return one sketch of all values."""
    whole = sketch_of({})
    for sketch in sketches:
        whole.merge(sketch)
    return whole


def _position(share: float, count: int) -> float:
    """Return the nearest rank as the library counts, which takes the rank below; half a rank
    more keeps the rounding of floats out of it."""
    return min(1.0, (nearest_rank(share, count) + 0.5) / max(1, count - 1))


def summarise(kind: ProbeKind, totals: list[Total], seconds: float) -> Summary:
    """Return what totals of several instances say together about `seconds` of time.

    A counter has counts only; what has no value is None.
    """
    totals = [total for total in totals if total.count or total.lost]
    count, lost = sum(total.count for total in totals), sum(total.lost for total in totals)
    rate = count / seconds if seconds > 0 else 0.0
    valued = [total for total in totals if total.count]
    if kind is ProbeKind.COUNTER or not valued:
        return Summary(count=count, rate=rate, lost=lost)
    low, high = min(total.low for total in valued), max(total.high for total in valued)
    whole = bounded(sum(total.total for total in valued))
    sketch = merged(sketch_of(total.buckets) for total in valued)

    def quantile(share: float) -> float | None:
        value = sketch.get_quantile_value(_position(share, int(sketch.count)))
        return None if value is None else min(max(value, low), high)

    return Summary(
        count=count,
        rate=rate,
        lost=lost,
        sum=whole,
        min=low,
        max=high,
        mean=whole / count,
        p50=quantile(0.5),
        p90=quantile(0.9),
        p95=quantile(0.95),
        p99=quantile(0.99),
    )
