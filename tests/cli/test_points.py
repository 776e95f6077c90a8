"""Sums of points: the same however they are cut up, and quantiles within 1 %."""

import math

from hypothesis import given
from hypothesis import strategies as st

from leadline.cli.points import Sum, figure, said, sparkline
from leadline.wire.probe import ProbeKind
from leadline.wire.sketch import ACCURACY, buckets_of, nearest_rank

numbers = st.floats(-1e300, 1e300).filter(lambda one: one == 0 or abs(one) > 1e-290)


def point(values: list[float]) -> dict[str, object]:
    return {
        "count": len(values),
        "total": math.fsum(values),
        "low": min(values, default=0.0),
        "high": max(values, default=0.0),
        "buckets": buckets_of(values),
    }


def sum_of(*parts: list[float]) -> Sum:
    seen = Sum()
    for part in parts:
        seen.add(point(part))
    return seen


@given(st.lists(st.lists(numbers, max_size=20), max_size=5), st.floats(0, 1))
def test_quantiles_are_right_within_one_percent_however_the_points_are_cut(parts, share):
    values = sorted(value for part in parts for value in part)
    seen = sum_of(*parts)
    assert seen.count == len(values)
    if not values:
        assert math.isnan(seen.quantile(share))
        return
    assert (seen.low, seen.high) == (values[0], values[-1])
    nearest = values[nearest_rank(share, len(values))]
    assert abs(seen.quantile(share) - nearest) <= abs(nearest) * ACCURACY * 1.001


@given(st.fractions(0, 1), st.integers(1, 2_000))
def test_the_nearest_rank_is_the_first_that_enough_do_not_exceed(share, count):
    """The definition in exact numbers: r + 1 values are not above that of rank r, from 0."""
    share = share.limit_denominator(1_000)
    expected = next(rank for rank in range(count) if rank + 1 >= share * count)
    assert nearest_rank(float(share), count) == expected


def test_of_four_values_the_highest_quantiles_are_the_largest():
    seen = sum_of([9.4, 12.1, 17.4, 43.7]).summary(ProbeKind.METRIC)
    assert seen["p99"] == seen["p95"]
    assert abs(seen["p99"] - 43.7) <= 0.437
    assert abs(seen["p50"] - 12.1) <= 0.121


@given(st.floats(1e305, 1.7e308))
def test_the_largest_numbers_there_are(value):
    assert sum_of([value]).quantile(0.5) == value


def test_what_is_said():
    assert said(ProbeKind.COUNTER, sum_of([0.0] * 1200).summary("counter")) == "count 1,200"
    assert said(ProbeKind.METRIC, Sum().summary("metric")) == "n 0"
    text = said(ProbeKind.METRIC, sum_of([1.0, 3.0]).summary("metric"))
    assert text.startswith("n 2  mean 2  min 1  p50 1")
    assert text.endswith("max 3  sum 4")
    lost = Sum()
    lost.add(point([2.0]) | {"lost": 7})
    assert said(ProbeKind.METRIC, lost.summary("metric")).endswith("(7 lost)")


def test_durations_have_a_unit_that_fits():
    figures = {2.5: "2.5 s", 0.0025: "2.5 ms", 2.5e-6: "2.5 us", 2.5e-8: "25 ns", 0.0: "0 ns"}
    assert {value: figure(ProbeKind.TIMER, value) for value in figures} == figures


def test_a_sparkline_rises_with_its_values():
    assert sparkline([0, 1, 8]) == "▁▂█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
