"""Points as OTLP's metrics: each second that an instance reported is one delta.

Counters are monotonic sums. Metrics and timers are exponential histograms: their buckets grow
by a power of two, ours by 4.08 %, so each of ours goes whole into the one that its middle lies
in. What a histogram then says of a quantile is off by at most our 1 % and half of its bucket:
2.1 % in all at scale 5, which is used unless values spread over more than `MAX_BUCKETS`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from leadline.control.otlp.attributes import Json, attributes, nanoseconds, probe_attributes
from leadline.store.records import PlacedProbe
from leadline.wire.hit import Point
from leadline.wire.probe import ProbeKind
from leadline.wire.sketch import GAMMA, LEAST

SCALE = 5
"""Buckets of 2.2 %: the first scale at which they are narrower than ours."""
MAX_BUCKETS = 160
"""Of each sign: what OpenTelemetry's own SDKs send at most. More lower the scale."""
MAX_KEY = 20_000
"""Buckets beyond hold no floating-point number."""
_DELTA = 1
_LOG2_GAMMA = math.log2(GAMMA)
_LOG2_MIDDLE = math.log2(2 / (GAMMA + 1))

_NAMES = {
    ProbeKind.COUNTER: ("leadline.probe.passages", "{passage}", "Passages through a place."),
    ProbeKind.METRIC: ("leadline.probe.value", "1", "Values of an expression."),
    ProbeKind.TIMER: ("leadline.probe.duration", "s", "Time that a call or a way took."),
}
_LOST = ("leadline.probe.lost", "{value}", "Values that found no room.")


def metrics(points: Iterable[tuple[Point, PlacedProbe]]) -> list[Json]:
    """Return the metrics of one instance. Raises `ValueError` for points that are not ours."""
    found: dict[str, Json] = {}
    for point, placed in points:
        base = {
            "attributes": attributes(probe_attributes(point.probe, placed)),
            "startTimeUnixNano": nanoseconds(point.time - point.seconds),
            "timeUnixNano": nanoseconds(point.time),
        }
        if placed.probe.kind is ProbeKind.COUNTER:
            _sum(found, _NAMES[ProbeKind.COUNTER], base, point.count)
        else:
            name, unit, text = _NAMES[placed.probe.kind]
            metric = found.setdefault(
                name,
                {
                    "name": name,
                    "unit": unit,
                    "description": text,
                    "exponentialHistogram": {
                        "dataPoints": [],
                        "aggregationTemporality": _DELTA,
                    },
                },
            )
            metric["exponentialHistogram"]["dataPoints"].append({**base, **histogram(point)})
        if point.lost:
            _sum(found, _LOST, base, point.lost)
    return list(found.values())


def _sum(found: dict[str, Json], named: tuple[str, str, str], base: Json, count: int) -> None:
    name, unit, text = named
    metric = found.setdefault(
        name,
        {
            "name": name,
            "unit": unit,
            "description": text,
            "sum": {"dataPoints": [], "aggregationTemporality": _DELTA, "isMonotonic": True},
        },
    )
    metric["sum"]["dataPoints"].append({**base, "asInt": str(count)})


def histogram(point: Point) -> Json:
    """Return the values of a point as an exponential histogram's data point."""
    signs: dict[str, Counter[int]] = {"p": Counter(), "n": Counter()}
    for key, count in point.buckets.items():
        if key != "z":
            signs[key[0]][_index(key)] += count
    scale = SCALE
    while any(_spread(counts) > MAX_BUCKETS for counts in signs.values()):
        signs = {sign: _halved(counts) for sign, counts in signs.items()}
        scale -= 1
    zeros = point.buckets.get("z", 0)
    made: Json = {
        "count": str(zeros + sum(counts.total() for counts in signs.values())),
        "scale": scale,
        "zeroCount": str(zeros),
        "zeroThreshold": LEAST,
        "positive": _dense(signs["p"]),
        "negative": _dense(signs["n"]),
    }
    if point.count:
        made |= {"min": point.low, "max": point.high}
        if point.low >= 0:  # with negative values among them, OTLP wants no sum
            made["sum"] = point.total
    return made


def _index(key: str) -> int:
    """Return the bucket at `SCALE` in which the middle of ours lies; see `wire.sketch`."""
    number = int(key[1:])
    if key[0] not in "pn" or abs(number) > MAX_KEY:
        raise ValueError(key)
    return math.ceil((number * _LOG2_GAMMA + _LOG2_MIDDLE) * (1 << SCALE)) - 1


def _spread(counts: Counter[int]) -> int:
    return max(counts) - min(counts) + 1 if counts else 0


def _halved(counts: Counter[int]) -> Counter[int]:
    """Return the counts at a scale that is lower by one: two neighbours become one."""
    merged: Counter[int] = Counter()
    for index, count in counts.items():
        merged[index >> 1] += count
    return merged


def _dense(counts: Counter[int]) -> Json:
    if not counts:
        return {"offset": 0, "bucketCounts": []}
    first = min(counts)
    return {"offset": first, "bucketCounts": list(_texts(counts, first, max(counts)))}


def _texts(counts: Counter[int], first: int, last: int) -> Iterator[str]:
    for index in range(first, last + 1):
        yield str(counts[index])
