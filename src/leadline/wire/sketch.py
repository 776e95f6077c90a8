"""How values are sorted by size, so that quantiles over many instances can be told.

The buckets are those of a DDSketch with a relative accuracy of 1 %: a value lies in bucket k
when GAMMA**(k-1) < abs(value) <= GAMMA**k. Keys are text: `p` or `n` for the sign and k, or
`z` for what is nearly nothing.
"""

import math
from collections.abc import Iterable

ACCURACY = 0.01
GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
LEAST = 1e-300
"""What is nearer to zero than this is counted as zero."""
MAX_BUCKETS = 2_000
"""Enough for 17 powers of ten of each sign; further values share the outermost bucket."""

_ROUNDING = 1e-9
"""What a product of a share and a whole number may be too large by."""
_LOG_GAMMA = math.log(GAMMA)


def bucket_of(value: float) -> str:
    """Return the key of the bucket of a finite number."""
    size = abs(value)
    if size < LEAST:
        return "z"
    return f"{'p' if value > 0 else 'n'}{math.ceil(math.log(size) / _LOG_GAMMA)}"


def nearest_rank(share: float, count: int) -> int:
    """Return which of `count` values in order, from 0, is a quantile: the first that at least
    `share` of all do not exceed. Of few values the highest quantiles are the largest."""
    return max(0, math.ceil(share * count - _ROUNDING) - 1)


def buckets_of(values: Iterable[float]) -> dict[str, int]:
    """Count finite numbers by bucket, in at most `MAX_BUCKETS` of them."""
    counts: dict[str, int] = {}
    for value in values:
        key = bucket_of(value)
        if key not in counts and len(counts) >= MAX_BUCKETS:
            key = next(reversed(counts))
        counts[key] = counts.get(key, 0) + 1
    return counts
