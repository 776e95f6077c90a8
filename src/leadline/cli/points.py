"""What probes that add up have seen, added up over processes and said in a line."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from leadline.wire.probe import ProbeKind
from leadline.wire.sketch import GAMMA, nearest_rank
from leadline.wire.struct import dataclass, field

_QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(slots=True)
class Sum:
    """Points added up. `low` and `high` mean nothing while `count` is 0."""

    count: int = 0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    buckets: Counter[str] = field(default_factory=Counter)
    lost: int = 0

    def add(self, point: Mapping[str, Any]) -> None:
        """Take in one point as it travels."""
        count = int(point["count"])
        self.lost += int(point.get("lost", 0))
        if not count:
            return
        self.count += count
        self.total += float(point["total"])
        self.low = min(self.low, float(point["low"]))
        self.high = max(self.high, float(point["high"]))
        self.buckets.update({str(key): int(n) for key, n in point["buckets"].items()})

    def summary(self, kind: str) -> dict[str, Any]:
        """Return what there is to say, under the names that the server has for it too."""
        said: dict[str, Any] = {"count": self.count, "lost": self.lost}
        if kind == ProbeKind.COUNTER or not self.count:
            return said
        said |= {"sum": self.total, "min": self.low, "max": self.high}
        said["mean"] = self.total / self.count
        return said | {name: self.quantile(share) for name, share in _QUANTILES.items()}

    def quantile(self, share: float) -> float:
        """Return the value at the nearest rank, within 1 %; nan if there are none.

        What the sketch says is never outside of what was really seen.
        """
        ordered = sorted((_middle(key), count) for key, count in self.buckets.items())
        rank = nearest_rank(share, sum(self.buckets.values()))
        seen = 0
        for value, count in ordered:
            seen += count
            if seen > rank:
                return min(max(value, self.low), self.high)
        return math.nan


def _middle(key: str) -> float:
    """Return the value that stands for a bucket: at most 1 % from any that lies in it."""
    if key == "z":
        return 0.0
    size = 2 / (GAMMA + 1) * math.exp(min(int(key[1:]) * math.log(GAMMA), _LARGEST))
    return size if key[0] == "p" else -size


def said(kind: str, seen: Mapping[str, Any]) -> str:
    """Return a summary as a few words: `count 12` or `n 12  mean 3.1 ms  min ...`."""
    lost = f"  ({seen['lost']:,} lost)" if seen.get("lost") else ""
    if kind == ProbeKind.COUNTER:
        return f"count {seen['count']:,}{lost}"
    figures = [
        f"{name} {figure(kind, seen[name])}"
        for name in ("mean", "min", "p50", "p95", "p99", "max")
        if seen.get(name) is not None
    ]
    if kind != ProbeKind.TIMER and seen.get("sum") is not None:
        figures.append(f"sum {seen['sum']:.6g}")
    return "  ".join([f"n {seen['count']:,}", *figures]) + lost


def figure(kind: str, value: float) -> str:
    """Return a number for people; a timer's with the unit that fits its size."""
    if kind != ProbeKind.TIMER:
        return f"{value:.4g}"
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


_LARGEST = 709.0
"""The logarithm of nearly the largest number that there is."""

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: list[float]) -> str:
    """Return one bar for each value, from nothing to the highest."""
    highest = max(values, default=0.0)
    if highest <= 0:
        return _BARS[0] * len(values)
    steps = len(_BARS) - 1
    return "".join(
        _BARS[min(steps, math.ceil(max(0.0, value) / highest * steps))] for value in values
    )
