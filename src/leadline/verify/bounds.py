"""How much may still differ among calls like those that were seen: exact binomial bounds."""

import math

CONFIDENCE = 0.95
_STEPS = 60
"""Halvings of the interval: beyond what a double can tell apart."""


def most_share(differing: int, seen: int) -> float:
    """Return the largest share of differing calls that still fits what was seen, one-sided at
    95 % (Clopper-Pearson; without a differing call about 3/n, the rule of three)."""
    if seen <= 0 or differing >= seen:
        return 1.0
    if not differing:
        return float(1.0 - (1.0 - CONFIDENCE) ** (1.0 / seen))
    low, high = differing / seen, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_most(differing, seen, middle) > 1.0 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def least_share(differing: int, seen: int) -> float:
    """Return the smallest share of differing calls that still fits, one-sided at 95 %."""
    return 1.0 - most_share(seen - differing, seen) if seen > 0 and differing > 0 else 0.0


def _at_most(differing: int, seen: int, share: float) -> float:
    """The chance of at most so many differing calls, where each differs with `share`."""
    if share >= 1.0:
        return 0.0
    total = 0.0
    for count in range(differing + 1):
        ways = math.lgamma(seen + 1) - math.lgamma(count + 1) - math.lgamma(seen - count + 1)
        total += math.exp(ways + count * math.log(share) + (seen - count) * math.log1p(-share))
    return total
