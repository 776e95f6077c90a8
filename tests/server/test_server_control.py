"""The use cases without a server around them: full, behind, stopping."""

import json
import threading
from contextlib import closing

import pytest

from leadline.control import desired, expiry, watch
from leadline.control import feed as feeds
from leadline.control.context import Context
from leadline.control.instances import connect, leave
from leadline.control.order import AskedLimits, Order
from leadline.control.probes import list_probes, remove_all
from leadline.control.probes import place as place_probe
from leadline.control.report import take_report
from leadline.control.status import overall
from leadline.store.records import HitFilter, Phase, PlacedProbe
from leadline.wire.errors import LeadlineError, UnavailableError
from leadline.wire.hit import ProbeState, Report
from leadline.wire.probe import LogProbe, ProbeKind, Status
from leadline.wire.target import Target


@pytest.fixture
def context(tmp_path):
    with closing(Context(tmp_path / "hits.db")) as made:
        yield made


def place(context, service="shop", **more):
    order = Order(ProbeKind.LOG, "app.py:3", template="x", **more)
    return place_probe(context, order, who="user", service=service).id


def names(messages) -> list[str]:
    return [message.event for message in messages]


def test_an_instance_that_is_too_far_behind_begins_again(context, instance, monkeypatch):
    monkeypatch.setattr(feeds, "MAX_CHANGES", 3)
    feed = connect(context, "shop", instance("shop", "i"))
    for _ in range(5):
        place(context)
    assert feed.closed
    assert feed.take() == []
    again = connect(context, "shop", instance("shop", "i"))
    (whole,) = again.take()
    assert (whole.event, len(json.loads(whole.data)["probes"])) == ("set", 5)


def test_the_older_connection_does_not_take_the_newer_with_it(context, instance):
    info = instance("shop", "i")
    first, second = connect(context, "shop", info), connect(context, "shop", info)
    assert (first.closed, second.closed) == (True, False)
    leave(context, first)
    assert context.desired.connected() == {"i": second}
    leave(context, second)
    leave(context, second)
    assert context.desired.connected() == {}


def test_no_more_instances_than_there_may_be(context, instance, monkeypatch):
    monkeypatch.setattr(desired, "MAX_CONNECTED", 1)
    connect(context, "shop", instance("shop", "i"))
    with pytest.raises(UnavailableError) as caught:
        connect(context, "shop", instance("shop", "j"))
    assert caught.value.slug == "too-many-instances"
    connect(context, "shop", instance("shop", "i"))  # who is here may connect again


def test_no_more_watchers_than_there_may_be(context, monkeypatch):
    monkeypatch.setattr(watch, "MAX_WATCHERS", 1)
    first = watch.watch(context)
    with pytest.raises(UnavailableError) as caught:
        watch.watch(context)
    assert caught.value.slug == "too-many-watchers"
    watch.unwatch(context, first)
    watch.watch(context)


def test_a_stopping_server_takes_nobody_in(context, instance):
    feed, watcher = connect(context, "shop", instance("shop", "i")), watch.watch(context)
    context.stop()
    assert feed.closed
    assert watcher.closed
    for ask in (
        lambda: connect(context, "shop", instance("shop", "j")),
        lambda: watch.watch(context),
    ):
        with pytest.raises(UnavailableError) as caught:
            ask()
        assert caught.value.slug == "stopping"


def test_lost_hits_are_told_where_they_are_missing(context, instance, some_hits, monkeypatch):
    monkeypatch.setattr(watch, "WATCH_HITS", 2)
    info, probe = instance("shop", "i"), place(context)
    watcher = watch.watch(context)
    take_report(context, "shop", Report(info, some_hits(info, probe, range(4))))
    messages = watcher.take()
    assert names(messages) == ["hit", "hit", "lost"]
    assert json.loads(messages[2].data) == {"count": 2}
    take_report(context, "shop", Report(info, some_hits(info, probe, range(4, 5))))
    assert names(watcher.take()) == ["hit"]
    assert context.watchers.lost == 2
    late = watch.watch(context, HitFilter(after=1)).take()
    assert names(late) == ["lost", "hit", "hit"]
    assert (json.loads(late[0].data), late[-1].id) == ({"count": 2}, 5)


def test_a_probe_ends_although_the_database_was_locked_then(context, monkeypatch, until):
    monkeypatch.setattr(expiry, "RETRY_S", 0.01)
    real, failed = context.store.expire, threading.Event()

    def fail_once(now):
        if not failed.is_set():
            failed.set()
            raise UnavailableError("database-locked", "Locked.")
        real(now)

    monkeypatch.setattr(context.store, "expire", fail_once)
    place(context, limits=AskedLimits(ttl_s=0.05))
    until(lambda: list_probes(context)[0].status is Status.EXPIRED)
    assert failed.is_set()


def test_removing_expired_probes_tells_no_instance_twice(context, instance, some_hits):
    info, probe = instance("shop", "i"), place(context, limits=AskedLimits(hits=1))
    feed = connect(context, "shop", info)
    take_report(context, "shop", Report(info, some_hits(info, probe, range(1))))
    assert names(feed.take()) == ["set", "remove"]
    assert remove_all(context, "shop", who="user") == [probe]
    assert feed.take() == []


def test_hits_that_cannot_be_stored_are_counted(context, instance, some_hits, monkeypatch):
    def full(*_):
        raise UnavailableError("disk-full", "Full.")

    monkeypatch.setattr(context.store, "take", full)
    info = instance("shop", "i")
    for _ in range(2):
        with pytest.raises(LeadlineError):
            take_report(context, "shop", Report(info, some_hits(info, "p1", range(3))))
    assert context.not_stored == {"disk-full": 6}


PLACED = PlacedProbe(
    LogProbe("p1", Target("app.py", 3), "x"), "ds", Phase.ACTIVE, "", 1.0, 2.0, None, 0, 0
)


@pytest.mark.parametrize(
    ("connected", "said", "expected"),
    [
        (0, [], ("pending", "no instance of 'ds' is connected")),
        (1, [], ("pending", "no instance has answered yet")),
        (1, [("armed", "")], ("armed", "")),
        (1, [("pending", "not imported")], ("pending", "not imported")),
        (2, [("pending", "not imported"), ("armed", "")], ("armed", "in 1 of 2 instances")),
        (2, [("error", "no"), ("pending", "")], ("error", "in 1 of 2 instances: no")),
        (2, [("mismatch", "a"), ("mismatch", "b")], ("mismatch", "a")),
        (1, [("suspended", "over budget")], ("suspended", "over budget")),
        (3, [("suspended", "s"), ("error", "e")], ("suspended", "in 1 of 3 instances: s")),
        (1, [("expired", "")], ("expired", "")),
    ],
)
def test_one_status_from_many(connected, said, expected):
    states = [ProbeState("p1", Status(status), reason) for status, reason in said]
    assert overall(PLACED, connected, states) == expected
