"""Keeping within bounds and deleting, at a real server that goes on taking hits."""

import json
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from leadline.control import upkeep
from leadline.control.context import Context
from leadline.control.purge import What, purge
from leadline.control.upkeep import SteadyClock
from leadline.store.keep import Keep
from leadline.store.sqlite import SqliteStore
from leadline.wire.errors import LeadlineError, UnavailableError
from leadline.wire.hit import Report


def fill(server, info, probe, numbers, text="x"):
    for start in range(numbers.start, numbers.stop, 20):
        part = range(start, min(start + 20, numbers.stop))
        hits = server.some_hits(info, probe, part, message=text)
        assert server.report(Report(info, hits)).status == 204


@pytest.fixture
def kept(own_server, some_hits):
    def start(*options):
        server = own_server(*options).start()
        server.some_hits = some_hits
        return server

    return start


def test_what_is_too_old_goes_by_itself(kept, instance, until):
    server = kept("--keep", "1.5")
    info, probe = instance("shop", "i"), server.place("shop", limits={"hits": 1000})["id"]
    fill(server, info, probe, range(40))
    assert len(server.hits("limit=100")) == 40
    until(lambda: server.hits("limit=100") == [])
    losses = server.request("GET", "/v1/services").json["losses"]
    assert losses["trimmed"]["hits"] == 40
    fill(server, info, probe, range(40, 41))
    assert server.probe(probe)["hits"] == 41


def test_a_database_at_its_cap_goes_on_working(kept, instance):
    server = kept("--keep-size", "2000000")
    info = instance("shop", "i")
    probe = server.place("shop", limits={"hits": 100_000})["id"]
    fill(server, info, probe, range(1_500), "y" * 5_000)
    newest = [hit["seq"] for hit in server.hits("limit=1000")]
    assert newest[-1] == 1_499
    assert newest == list(range(newest[0], 1_500))
    assert 50 < len(newest) < 400
    files = [server.folder / name for name in ("hits.db", "hits.db-wal")]
    assert files[0].stat().st_size < 3_000_000
    assert sum(file.stat().st_size for file in files) < 22_000_000
    server.place("shop")
    server.stop()
    assert "disk-full" not in server.stderr()


def test_a_purge_says_what_would_go_then_deletes_it_and_gives_the_space_back(kept, instance):
    server = kept()
    info, other = instance("shop", "i"), instance("other", "o")
    probe = server.place("shop", limits={"hits": 100_000})["id"]
    theirs = server.place("other", limits={"hits": 100_000})["id"]
    fill(server, info, probe, range(1_200), "y" * 5_000)
    fill(server, other, theirs, range(10))
    asked = {"what": "hits", "service": "shop"}
    answer = server.request("POST", "/v1/purge", asked).json
    assert answer == {
        "schema_version": 1, "purged": False, "counts": {"hits": 1_200}, "bytes": 0,
        "more": False,
    }  # fmt: skip
    assert len(server.hits("service=shop&limit=10")) == 10
    watching = server.watch("service=other").opened()
    answer = server.request("POST", "/v1/purge", asked | {"confirm": True}).json
    assert (answer["purged"], answer["counts"], answer["more"]) == (
        True,
        {"hits": 1_200},
        False,
    )
    assert answer["bytes"] > 4_000_000
    assert (server.folder / "hits.db").stat().st_size < 1_000_000
    assert (server.folder / "hits.db-wal").stat().st_size < 1_000_000
    assert server.hits("service=shop") == []
    assert len(server.hits("service=other")) == 10
    assert server.probe(probe)["hits"] == 1_200
    fill(server, other, theirs, range(10, 11))
    assert watching.next()[1]["seq"] == 10
    server.stop()
    with closing(SqliteStore(server.folder / "hits.db", lambda _: None)) as store:
        entries = {e.action: (e.who, e.service, json.loads(e.detail)) for e in store.audit(10)}
    assert entries["purge"] == ("user", "shop", {"what": "hits", "before": None})
    assert entries["purged"][2]["counts"] == {"hits": 1_200}


def test_agents_go_on_reporting_while_much_is_deleted(kept, instance):
    server = kept()
    info = instance("shop", "i")
    probe = server.place("shop", limits={"hits": 100_000})["id"]
    fill(server, info, probe, range(3_000), "y" * 2_000)
    answers = []

    def delete() -> None:
        body = {"what": "all", "before": time.time(), "confirm": True}
        answers.append(server.request("POST", "/v1/purge", body).json)

    deleting = threading.Thread(target=delete)
    deleting.start()
    fill(server, info, probe, range(3_000, 3_400))
    deleting.join(30)
    assert answers[0]["counts"]["hits"] >= 3_000
    left = {hit["seq"] for hit in server.hits("limit=1000")}
    assert left <= set(range(3_000, 3_400))
    assert answers[0]["counts"]["hits"] + len(left) == 3_400


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({}, "bad-message"),
        ({"what": "everything"}, "bad-message"),
        ({"what": "hits", "service": ".."}, "bad-service-name"),
        ({"what": "audit", "confirm": True}, "bad-purge"),
        ({"what": "audit", "before": 1.0, "service": "shop"}, "bad-purge"),
        ({"what": "hits", "confirm": "yes"}, "bad-message"),
    ],
)
def test_what_cannot_be_purged(server, body, slug):
    assert server.request("POST", "/v1/purge", body).slug == slug


def test_the_audit_log_goes_only_up_to_a_time_and_says_so(tmp_path):
    now = [1_000.0]
    with closing(Context(tmp_path / "hits.db", lambda: now[0])) as context:
        for moment in range(10):
            now[0] = 1_000.0 + moment
            context.note("ada", f"did-{moment}")
        purge(context, What.ALL, who="eve", confirm=True)
        assert len(context.store.audit(100)) == 12
        done = purge(context, What.AUDIT, who="eve", before=1_005.0, confirm=True)
        assert done.counts == {"audit": 5}
        left = [(e.who, e.action) for e in context.store.audit(100)]
    assert left == [
        *(("ada", f"did-{moment}") for moment in range(5, 10)),
        ("eve", "purge"), ("eve", "purged"), ("eve", "purge"), ("eve", "purged"),
    ]  # fmt: skip


def test_a_purge_that_has_no_more_time_says_so_and_goes_on_when_asked_again(
    tmp_path, monkeypatch, instance, some_hits
):
    monkeypatch.setattr("leadline.control.purge.PURGE_S", -1.0)
    with closing(Context(tmp_path / "hits.db")) as context:
        done = purge(context, What.HITS, who="eve", confirm=True)
        assert (done.counts, done.more) == ({"hits": 0}, True)
        monkeypatch.undo()
        assert not purge(context, What.HITS, who="eve", confirm=True).more


def test_space_that_cannot_be_given_back_now_is_no_failure(tmp_path, monkeypatch):
    def busy(_store):
        raise UnavailableError("store-busy", "Too slow.")

    with closing(Context(tmp_path / "hits.db")) as context:
        monkeypatch.setattr(SqliteStore, "compact", busy)
        done = purge(context, What.HITS, who="eve", confirm=True)
        assert (done.purged, done.bytes) == (True, 0)


def test_a_clock_that_jumps_makes_nothing_old(monkeypatch):
    monkeypatch.setattr(upkeep.time, "monotonic", lambda: 0.0)
    clock = SteadyClock(1_000.0)
    assert clock.believed(1_060.0, 60.0) == 1_060.0
    assert clock.believed(9e9, 120.0) == 0.0  # decades ahead, in a minute
    assert clock.believed(9e9 + 60, 180.0) == 0.0
    assert clock.believed(9e9 + 3_600, 120.0 + upkeep.DISTRUST_S) == 9e9 + 3_600
    assert clock.believed(1_000.0, 4_000.0) == 0.0  # and back


def test_a_database_that_is_locked_is_swept_later(tmp_path, until, instance, monkeypatch):
    path = tmp_path / "hits.db"
    refused = []

    def sweep(store, now):
        try:
            return really(store, now)
        except UnavailableError as error:
            refused.append(error.slug)
            raise

    really = SqliteStore.sweep
    monkeypatch.setattr(SqliteStore, "sweep", sweep)
    with closing(Context(path, keep=Keep(age_s=1.0))) as context:
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            until(lambda: refused)
            other.execute("ROLLBACK")
        assert refused[0] == "database-locked"
        context.note("ada", "old")
        context.store.save_instance(instance("shop", "i"), 1.0)
        context.store.instance_gone("i", 1.0)
        until(lambda: context.store.instances() == [])
        with pytest.raises(LeadlineError):
            purge(context, What.AUDIT, who="eve")
