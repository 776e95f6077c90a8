"""Series: what counters, metrics and timers saw over time, over any number of instances."""

import math
import random
import sys
import time

import pytest
from ddsketch.mapping import LogarithmicMapping
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.control.report import MAX_KEY, MAX_POINT_S
from leadline.control.series import MAX_STEPS
from leadline.control.summary import BINS, summarise
from leadline.store.records import Total
from leadline.wire.hit import Point, Report
from leadline.wire.probe import ProbeKind
from leadline.wire.sketch import ACCURACY, GAMMA, LEAST, bucket_of, buckets_of, nearest_rank

SIZES = st.floats(1e-9, 1e9) | st.floats(-1e9, -1e-9) | st.just(0.0) | st.integers(-50, 50)


def point_of(values, probe="p1", instance="i", seq=0, time=1.0) -> Point:
    if not values:
        return Point(probe, instance, seq, time, 1.0, 0)
    return Point(
        probe, instance, seq, time, 1.0, len(values), math.fsum(values), min(values),
        max(values), buckets_of(values),
    )  # fmt: skip


def rank(values, share):
    """The value at the nearest rank."""
    return sorted(values)[nearest_rank(share, len(values))]


def near(found, true) -> bool:
    return abs(found - true) <= abs(true) * ACCURACY * (1 + 1e-9) + LEAST


@settings(deadline=None, max_examples=150)
@given(shares=st.lists(st.lists(SIZES, max_size=60), min_size=1, max_size=5).filter(any))
def test_quantiles_are_within_one_percent_however_values_are_split(shares):
    """The law: values over any number of instances, each in points of its own."""
    values = [value for share in shares for value in share]
    totals = [
        Total().plus(point_of(share[: len(share) // 2]), point_of(share[len(share) // 2 :]))
        for share in shares
    ]
    seen = summarise(ProbeKind.METRIC, totals, 2.0)
    assert (seen.count, seen.rate) == (len(values), len(values) / 2)
    assert (seen.min, seen.max) == (min(values), max(values))
    assert math.isclose(seen.sum, math.fsum(values), rel_tol=1e-9, abs_tol=1e-3)
    for share, found in ((0.5, seen.p50), (0.9, seen.p90), (0.95, seen.p95), (0.99, seen.p99)):
        assert near(found, rank(values, share)), (share, found, rank(values, share))


def test_of_four_values_the_highest_quantiles_are_the_largest():
    seen = summarise(ProbeKind.TIMER, [Total().plus(point_of([9.4, 12.1, 17.4, 43.7]))], 1.0)
    assert all(map(near, (seen.p50, seen.p95, seen.p99), (12.1, 43.7, 43.7)))
    seen = summarise(ProbeKind.METRIC, [Total().plus(point_of([-4.0, -3.0, 0.0, 2.0]))], 1.0)
    assert all(map(near, (seen.p50, seen.p90, seen.p99), (-3.0, 2.0, 2.0)))


def test_random_durations_of_several_instances():
    chance = random.Random(7)
    shares = [[chance.lognormvariate(-6, 2) for _ in range(5_000)] for _ in range(4)]
    seen = summarise(ProbeKind.TIMER, [Total().plus(point_of(s)) for s in shares], 1.0)
    values = [value for share in shares for value in share]
    for share, found in ((0.5, seen.p50), (0.9, seen.p90), (0.95, seen.p95), (0.99, seen.p99)):
        assert near(found, rank(values, share))


@given(st.floats(1e-290, 1e290))
def test_the_buckets_are_those_of_the_library(value):
    mapping = LogarithmicMapping(ACCURACY)
    assert math.isclose(mapping.gamma, GAMMA, rel_tol=1e-12)
    key = int(bucket_of(value)[1:])
    assert abs(key - mapping.key(value)) <= 1  # the same but where a bucket ends
    assert near(mapping.value(key), value)


def test_a_sketch_stays_small_whatever_is_sent():
    keys = {f"p{key}": 1 for key in range(-MAX_KEY, MAX_KEY, 500)}
    wild = Point("p1", "i", 0, 1.0, 1.0, len(keys), 1.0, 0.0, 1e300, keys)
    seen = summarise(ProbeKind.METRIC, [Total().plus(wild)] * 3, 1.0)
    assert seen.count == 3 * len(keys) > 3 * BINS / 500
    assert seen.p99 <= 1e300


def test_the_largest_numbers_there_are():
    most = sys.float_info.max
    seen = summarise(
        ProbeKind.METRIC,
        [Total().plus(point_of([most])), Total().plus(point_of([-most]), point_of([-most]))],
        1.0,
    )
    assert (seen.min, seen.max, seen.count) == (-most, most, 3)
    assert -most <= seen.p50 <= -0.97 * most  # the last bucket ends beyond what a float holds
    assert all(map(math.isfinite, (seen.sum, seen.mean, seen.p99)))


def test_a_counter_has_counts_only():
    seen = summarise(ProbeKind.COUNTER, [Total().plus(point_of([])), Total(count=4)], 2.0)
    assert (seen.count, seen.rate, seen.sum, seen.p99) == (4, 2.0, None, None)
    assert summarise(ProbeKind.METRIC, [], 0.0).count == 0


# the server


def metric(server, service, **more):
    body = {"kind": "metric", "target": "app.py:3", "expression": "total"} | more
    return server.request("POST", f"/v1/services/{service}/probes", body).json["probe"]["id"]


def series(server, probe, query=""):
    return server.request("GET", f"/v1/probes/{probe}/series?{query}")


def test_a_series_is_merged_over_instances_or_by_each(server, instance):
    probe = metric(server, "merged")
    for name, offset in (("merged1", 0), ("merged2", 10)):
        info = instance("merged", name)
        points = [
            point_of([offset + n, offset + n + 1], probe, name, n, 1000.5 + n) for n in range(4)
        ]
        assert server.report(Report(info, points=points)).status == 204
    seen = series(server, probe).json["series"]
    assert (seen["kind"], seen["since"], seen["until"], seen["step"]) == (
        "metric", 999, 1004, 1.0,
    )  # fmt: skip
    (line,) = seen["lines"]
    assert [step["at"] for step in line["steps"]] == [1000, 1001, 1002, 1003]
    second = line["steps"][1]
    assert (second["count"], second["rate"], second["sum"]) == (4, 4.0, 1 + 2 + 11 + 12)
    assert (second["min"], second["max"], second["mean"]) == (1, 12, 6.5)
    assert near(second["p50"], 2)
    by = series(server, probe, "by=instance&since=1000&until=1004&step=2").json["series"]
    assert [(line["instance"], len(line["steps"])) for line in by["lines"]] == [
        ("merged1", 2),
        ("merged2", 2),
    ]
    assert by["lines"][1]["steps"][0]["count"] == 4
    assert by["lines"][1]["steps"][0]["rate"] == 2.0
    late = series(server, probe, "since=1002&until=1003").json["series"]
    assert sum(step["count"] for step in late["lines"][0]["steps"]) == 4
    total = server.probe(probe)["total"]
    assert (total["count"], total["min"], total["max"], total["lost"]) == (16, 0, 14, 0)
    assert total["rate"] == 16 / 4
    assert server.probe(probe)["hits"] == 16


def test_a_long_time_is_shown_in_about_as_many_steps(server, instance):
    probe = metric(server, "long")
    info = instance("long", "long1")
    points = [point_of([1.0], probe, "long1", n, 5_000.0 + 60 * n) for n in range(500)]
    server.report(Report(info, points=points))
    seen = series(server, probe).json["series"]
    steps = seen["lines"][0]["steps"]
    assert (seen["step"], 90 <= len(steps) <= 121) == (300.0, True)
    assert sum(step["count"] for step in steps) == 500


def test_a_series_of_nothing_yet(server):
    probe = metric(server, "nothing")
    seen = series(server, probe).json["series"]
    assert (seen["since"], seen["until"], seen["step"], seen["lines"]) == (None, None, None, [])
    assert server.probe(probe)["total"]["count"] == 0
    asked = series(server, probe, "since=10&until=20").json["series"]
    assert (asked["since"], asked["until"], asked["lines"]) == (
        10,
        20,
        [{"instance": "", "steps": []}],
    )


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("step=0.5", "bad-limit"),
        ("step=nan", "bad-limit"),
        ("since=1e300", "bad-limit"),
        (f"since=0&until={MAX_STEPS + 2}&step=1", "bad-limit"),
        ("by=service", "bad-message"),
        ("sinc=1", "bad-message"),
    ],
)
def test_what_cannot_be_asked_of_a_series(server, query, slug):
    answer = series(server, metric(server, "asked"), query)
    assert (answer.status, answer.slug) == (400, slug)


def test_a_log_probe_has_no_series(server):
    answer = series(server, server.place("logs")["id"])
    assert (answer.status, answer.slug) == (400, "bad-message")
    assert "has hits, not a series" in answer.json["error"]["message"]
    answer = series(server, "p999999")
    assert (answer.status, answer.slug) == (404, "no-such-probe")
    assert server.probe(server.place("logs")["id"])["total"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"instance": "other"},
        {"seq": -1},
        {"count": -1},
        {"count": 10**30},
        {"seconds": -1.0},
        {"seconds": MAX_POINT_S + 1},
        {"lost": -1},
        {"buckets": {"p1": -1}},
        {"buckets": {"p1e9": 1}},
        {"buckets": {"p1000000": 1}},
        {"buckets": {"n-36000": 1}},
        {"buckets": {"x": 1}},
        {"buckets": {f"p{n}": 1 for n in range(3_000)}},
    ],
)
def test_a_point_that_breaks_the_contract_is_refused_whole(server, instance, wrong):
    probe, info = metric(server, "wrong"), instance("wrong", "wrong1")
    content = {
        "probe": probe, "instance": "wrong1", "seq": 1, "time": 1.0, "seconds": 1.0, "count": 1
    } | wrong  # fmt: skip
    answer = server.report(Report(info, points=[Point(**content)]))
    assert (answer.status, answer.slug) == (400, "bad-message")
    assert server.probe(probe)["hits"] == 0


def test_points_arrive_in_the_stream_of_hits_if_asked_for(server, instance, some_hits):
    info = instance("live", "live1")
    count, log = metric(server, "live"), server.place("live")["id"]
    watching = server.watch("service=live&points=true").opened()
    plain = server.watch("service=live").opened()
    only = server.watch(f"probe={count}&points=true").opened()
    sent = point_of([0.5, 2.0], count, "live1", 1, time.time())
    server.report(Report(info, some_hits(info, log, range(1)), [sent]))
    events = [watching.next(), watching.next()]
    assert [event for event, _ in events] == ["hit", "point"]
    content = events[1][1]
    assert content.pop("service") == "live"
    assert Point(**content) == sent
    assert watching.id is None
    assert only.next()[0] == "point"
    server.report(
        Report(info, some_hits(info, log, range(2, 3)), [point_of([1.0], count, "live1", 3)])
    )
    assert [plain.next()[0], plain.next()[0]] == ["hit", "hit"]
