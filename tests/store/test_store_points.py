"""Points: stored once whatever is posted how often, added up for ever, counted as passages."""

from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.store.events import Ended, Stored
from leadline.store.records import Phase, PointFilter
from leadline.store.sqlite import SqliteStore
from leadline.store.sqlite import points as stored_points
from leadline.wire.hit import Hit, InstanceInfo, Point, Report
from leadline.wire.limits import Limits
from leadline.wire.probe import CounterProbe, LogProbe, MetricProbe
from leadline.wire.sketch import buckets_of
from leadline.wire.target import Target

INFO = InstanceInfo("i1", "shop", 1, "host", "app.py", "3.13.0", "0.1.0", "pure", 1.0)
PLACE = Target("app.py", 3)


def point(seq, count=1, instance="i1", probe="p1", **more) -> Point:
    return Point(probe, instance, seq, 100.0 + seq, 1.0, count, **more)


def everything(probe="p1") -> PointFilter:
    return PointFilter(probe, 0.0, 1e9, 10_000)


@pytest.fixture
def events():
    return []


@pytest.fixture
def store(tmp_path, events):
    with closing(SqliteStore(tmp_path / "hits.db", events.append)) as made:
        yield made


def test_a_point_comes_back_as_it_was(store, events):
    store.place("shop", MetricProbe("", PLACE, "x"), who="u", now=1.0)
    sent = point(4, 3, total=-1.5, low=-3.0, high=1.0, buckets=buckets_of([-3, 0.5, 1]), lost=2)
    assert store.take(Report(INFO, points=[sent]), 2.0).points == 1
    assert store.points(everything()) == [sent]
    assert [stored.point for stored in events[-1].points] == [sent]
    assert store.span("p1") == (104.0, 104.0)
    total = store.total("p1")
    assert (total.count, total.total, total.low, total.high) == (3, -1.5, -3.0, 1.0)
    assert (total.buckets, total.lost) == (sent.buckets, 2)
    assert (total.since, total.until) == (103.0, 104.0)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    limit=st.integers(1, 30),
    reports=st.lists(
        st.tuples(st.sampled_from("ab"), st.dictionaries(st.integers(0, 9), st.integers(0, 6))),
        max_size=10,
    ),
)
def test_what_is_posted_again_changes_no_count(store, limit, reports):
    """Whatever order reports come in, and however often: each point is in the total once."""
    probe = CounterProbe("", PLACE, limits=Limits(hits=limit))
    name = store.place("shop", probe, who="u", now=1.0).probe.id
    counts: dict[tuple[str, int], int] = {}
    for instance, numbers in reports:
        info = replace(INFO, id=f"{name}-{instance}")
        sent = [
            point(n, counts.setdefault((instance, n), count), info.id, name)
            for n, count in numbers.items()
        ]
        store.take(Report(info, points=sent), 2.0)
        store.take(Report(info, points=sent), 2.0)
    found = store.points(everything(name))
    assert len({(one.instance, one.seq) for one in found}) == len(found)
    seen, total = store.probe(name), store.total(name)
    assert seen.hits == sum(one.count for one in found) == (total.count if total else 0)
    whole = sum(counts.values())
    assert (seen.phase is Phase.EXPIRED) == (whole >= limit)
    if whole < limit:
        assert (seen.hits, seen.beyond_limit) == (whole, 0)


def test_the_limit_counts_passages_and_the_point_that_passes_it_is_whole(store, events):
    store.place("shop", CounterProbe("", PLACE, limits=Limits(hits=10)), who="u", now=1.0)
    store.take(Report(INFO, points=[point(0, 8), point(1, 7), point(2, 5)]), 2.0)
    seen = store.probe("p1")
    assert (seen.phase, seen.hits, seen.beyond_limit) == (Phase.EXPIRED, 15, 5)
    assert seen.reason == "all of its 10 passages are counted"
    assert [type(event) for event in events[1:]] == [Stored, Ended]
    store.take(Report(INFO, points=[point(2, 5), point(3, 1)]), 3.0)
    assert store.probe("p1").beyond_limit == 6


def test_hits_and_points_share_one_numbering(store):
    store.place("shop", LogProbe("", PLACE, "x"), who="u", now=1.0)
    store.place("shop", CounterProbe("", PLACE), who="u", now=1.0)
    report = Report(
        INFO,
        [
            Hit("p1", "i1", 0, 1.0, "t", "f", 1, "g", ""),
            Hit("p9", "i1", 2, 1.0, "t", "f", 1, "g", ""),
        ],
        [point(1, probe="p2"), point(3, probe="p9")],
    )
    first, again = store.take(report, 2.0), store.take(report, 3.0)
    assert (first.stored, first.points, first.strays) == (1, 1, 1)
    assert (again.stored, again.points, again.strays, again.repeated) == (0, 0, 0, 2)
    assert store.instance("i1").strays == 2


def test_the_oldest_points_go_first_and_stay_in_the_total(store, monkeypatch):
    monkeypatch.setattr(stored_points, "POINTS_KEPT", 5)
    store.place("shop", CounterProbe("", PLACE), who="u", now=1.0)
    for start in range(0, 12, 3):
        store.take(Report(INFO, points=[point(n) for n in range(start, start + 3)]), 2.0)
    assert [one.seq for one in store.points(everything())] == [7, 8, 9, 10, 11]
    assert store.total("p1").count == store.probe("p1").hits == 12
    assert store.trimmed() == {"points": 7}


def test_points_are_read_in_a_range_of_time(store):
    store.place("shop", CounterProbe("", PLACE), who="u", now=1.0)
    store.take(Report(INFO, points=[point(n) for n in (3, 1, 2, 0)]), 2.0)
    read = [one.seq for one in store.points(PointFilter("p1", 100.0, 102.0, 10))]
    assert read == [1, 2]
    assert [one.seq for one in store.points(PointFilter("p1", 0.0, 999.0, 3))] == [0, 1, 2]
    assert store.points(everything("p2")) == []
    assert store.span("p2") is None
