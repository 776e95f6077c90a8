"""What is kept: by age, by size and by number; the rest goes by itself and is given back."""

import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from leadline.store.keep import Keep, Kind
from leadline.store.records import HitFilter
from leadline.store.sqlite import SqliteStore, shelves, space, verdicts
from leadline.store.sqlite.shelves import SHELVES
from leadline.store.verdicts import NewVerdict, VerdictFilter
from leadline.wire.hit import Hit, InstanceInfo, Point, ProbeState, Report
from leadline.wire.limits import Limits
from leadline.wire.probe import CounterProbe, LogProbe, Status
from leadline.wire.target import Target

INFO = InstanceInfo("i1", "shop", 1, "host", "app.py", "3.13.0", "0.1.0", "pure", 1.0)
EVERYTHING = HitFilter()
DAY = 86_400.0


def log(**limits) -> LogProbe:
    return LogProbe("", Target("app.py", 3), "x", limits=Limits(**limits))


def hits(numbers, text: str = "", info: InstanceInfo = INFO) -> Report:
    found = [Hit("p1", info.id, n, 1.0, "t", "f", 1, "g", text) for n in numbers]
    return Report(info, found)


def points(numbers, info: InstanceInfo = INFO) -> Report:
    return Report(info, points=[Point("p2", info.id, n, float(n), 1.0, 1) for n in numbers])


@pytest.fixture
def opened(tmp_path):
    made = []

    def make(keep=None, name="hits.db"):
        made.append(SqliteStore(tmp_path / name, lambda _: None, keep or Keep()))
        return made[-1]

    yield make
    for store in made:
        if not store._writer._closed:
            store.close()


def begun(store: SqliteStore) -> SqliteStore:
    store.place("shop", log(hits=1_000_000, ttl_s=600_000.0), who="user", now=0.0)
    probe = CounterProbe("", Target("app.py", 3), limits=Limits(10**9, 600_000.0, 1e6))
    store.place("shop", probe, who="user", now=0.0)
    return store


def swept(store: SqliteStore, now: float) -> int:
    steps = 1
    while store.sweep(now):
        steps += 1
        assert steps < 1_000
    return steps


def seqs(store: SqliteStore) -> list[int]:
    page = store.hits(EVERYTHING, newest=False, limit=10_000)
    return [json.loads(hit.body)["seq"] for hit in page.hits]


def counts(store: SqliteStore) -> dict[str, int]:
    return {kind.value: shelved.count for kind, shelved in store.sizes().stored.items()}


def test_everything_too_old_goes_and_the_rest_stays(opened):
    store = begun(opened(Keep(age_s=10 * DAY, audit_s=50 * DAY)))
    for day in range(20):
        info = replace(INFO, id=f"i{day}")
        ended = store.place("shop", log(), who="user", now=day * DAY).probe.id
        store.remove(ended, who="user", now=day * DAY)
        store.take(hits([1], info=info), day * DAY)
        store.take(points([2], info=info), day * DAY)
        store.take(Report(info, states=[ProbeState("p1", Status.ARMED)]), day * DAY)
        store.instance_gone(info.id, day * DAY)
    assert counts(store) == {
        "hits": 20, "points": 20, "verdicts": 0, "probes": 22, "instances": 20, "audit": 42,
    }  # fmt: skip
    swept(store, 19.5 * DAY)
    assert counts(store) == {
        "hits": 10, "points": 10, "verdicts": 0, "probes": 12, "instances": 10, "audit": 42,
    }  # fmt: skip
    assert {hit.received_at for hit in store.hits(EVERYTHING, newest=True, limit=99).hits} == {
        day * DAY for day in range(10, 20)
    }
    assert len(store.states()["p1"]) == 10
    assert store.trimmed() == {"hits": 10, "points": 10, "probes": 10, "instances": 10}
    revision = store.revision()
    swept(store, 1_000 * DAY)
    left = counts(store)
    assert (left["hits"], left["points"], left["probes"], left["instances"]) == (0, 0, 2, 0)
    assert left["audit"] == 1  # the newest entry is the revision of the sets
    assert store.revision() == revision
    assert store.probe("p1").hits == 20


def test_what_is_in_use_never_goes(opened):
    store = begun(opened(Keep(age_s=1.0, audit_s=1.0, bytes=1)))
    store.save_instance(INFO, 0.0)
    swept(store, 1e9)
    store.take(hits([1]), 1e9)
    assert len(store.probes()) == 2
    assert [record.info.id for record in store.instances()] == ["i1"]


def test_one_step_is_bounded_and_others_get_their_turn(opened):
    store = begun(opened(Keep(age_s=10.0)))
    for start in range(0, 5_000, 1_000):
        store.take(hits(range(start, start + 1_000)), 0.0)
    assert store.sweep(100.0)
    assert counts(store)["hits"] == 5_000 - shelves.LOOK
    waited = []

    def write() -> None:
        for n in range(20):
            store.take(hits([10_000 + n]), 95.0)
            waited.append(n)

    writer = threading.Thread(target=write)
    writer.start()
    steps = swept(store, 100.0)
    writer.join(30)
    assert len(waited) == 20
    assert steps >= 9
    assert seqs(store) == list(range(10_000, 10_020))
    assert store._writer._retention.totals.hits == 20


@pytest.mark.parametrize(("text", "batch"), [(100, 100), (5_000, 20), (40_000, 10)])
def test_a_small_cap_holds_while_it_goes_on_working(opened, tmp_path, text, batch):
    cap = 3_000_000
    store = begun(opened(Keep(bytes=cap)))
    stored = 0
    for start in range(0, 3 * cap // (text + 500), batch):
        taken = store.take(hits(range(start, start + batch), "y" * text), float(start))
        stored += taken.stored
    with closing(sqlite3.connect(tmp_path / "hits.db")) as db:
        assert space.used(db) <= cap
    newest = seqs(store)
    assert newest == list(range(stored - len(newest), stored))  # the oldest went, no other
    assert len(newest) * (text + 500) > cap * 0.3
    assert store.trimmed()["hits"] == stored - len(newest)
    assert store.probe("p1").hits == stored
    swept(store, 0.0)
    store.compact()
    assert space.on_disk(tmp_path / "hits.db") <= cap


def test_the_older_of_hits_and_points_goes_first(opened):
    store = begun(opened(Keep(bytes=1_500_000)))
    store.take(points(range(2_000)), 1.0)
    for start in range(2_000, 2_600, 20):
        store.take(hits(range(start, start + 20), "y" * 4_000), 2.0 + start)
    assert counts(store)["points"] == 0
    assert store.trimmed()["points"] == 2_000
    assert counts(store)["hits"] > 50


def test_a_smaller_cap_than_before_is_reached_step_by_step(opened, tmp_path):
    first = begun(opened())
    for start in range(0, 3_000, 100):
        first.take(hits(range(start, start + 100), "y" * 4_000), float(start))
    first.close()
    size = space.on_disk(tmp_path / "hits.db")
    assert size > 12_000_000
    store = opened(Keep(bytes=2_000_000))
    store.take(hits([9_999]), 1e4)
    assert counts(store)["hits"] > 2_000  # nobody waits for all of it
    assert swept(store, 0.0) > 3
    store.compact()
    assert space.on_disk(tmp_path / "hits.db") < 2_000_000
    assert seqs(store)[-1] == 9_999


def test_a_sweep_gives_back_what_many_deletions_left(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(space, "SLACK_PAGES", 100)
    store = begun(opened(Keep(age_s=10.0)))
    for start in range(0, 4_000, 200):
        store.take(hits(range(start, start + 200), "y" * 4_000), 0.0)
    swept(store, 100.0)
    store.compact()
    assert space.on_disk(tmp_path / "hits.db") < 1_000_000


def test_a_purge_deletes_what_is_asked_for_and_nothing_else(opened):
    store = begun(opened())
    other = replace(INFO, id="o1", service="other")
    store.place("other", log(), who="user", now=0.0)
    for day in range(4):
        report = hits(range(day * 700, day * 700 + 700))
        store.take(report, day * DAY)
        theirs = [Hit("p3", "o1", day, 1.0, "t", "f", 1, "g", "")]
        store.take(Report(other, theirs), day * DAY)

    def purge(kind, **asked):
        asked = {"before": None, "service": None} | asked
        expected = store.purgeable(kind, **asked)
        gone, after = 0, 0
        while after is not None:
            step, after = store.purge(kind, after, **asked)
            assert step <= shelves.LOOK
            gone += step
        assert gone == expected
        return gone

    assert purge(Kind.HITS, before=1.5 * DAY, service="shop") == 1_400
    assert purge(Kind.HITS, before=1.5 * DAY) == 2
    assert store._writer._retention.totals.hits == counts(store)["hits"] == 1_402
    assert purge(Kind.HITS, service="shop") == 1_400
    assert [hit.service for hit in store.hits(EVERYTHING, newest=True, limit=9).hits] == [
        "other"
    ] * 2
    store.remove("p3", who="user", now=5 * DAY)
    assert purge(Kind.PROBES) == 1
    assert purge(Kind.INSTANCES) == 0
    store.instance_gone("o1", 5 * DAY)
    assert purge(Kind.INSTANCES, service="shop") == 0
    assert purge(Kind.INSTANCES, service="other") == 1
    assert purge(Kind.AUDIT, before=1e9) == 3
    assert store.trimmed() == {}  # it was asked for


def test_a_step_that_fails_leaves_the_count_as_it_was(opened):
    store = begun(opened())
    store.take(hits(range(10)), 0.0)

    def work(tx):
        gone = shelves.clear(tx.db, SHELVES[Kind.HITS], 0)
        tx.retention.take_out(gone, SHELVES[Kind.HITS], trimmed=False)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store._writer.run(work)
    assert store._writer._retention.now.hits == counts(store)["hits"] == 10


def test_space_is_given_back_by_a_file_of_an_older_version_too(opened, tmp_path, monkeypatch):
    path = tmp_path / "old.db"
    monkeypatch.setattr(space, "begin", lambda _db: None)
    store = begun(opened(name="old.db"))
    for start in range(0, 2_000, 100):
        store.take(hits(range(start, start + 100), "y" * 4_000), 0.0)
    store.close()
    monkeypatch.undo()
    with closing(sqlite3.connect(path)) as db:
        assert space.mode(db) == 0
    monkeypatch.setattr(space, "CONVERT_BYTES", 1_000)  # too large to be done at the start
    store = opened(name="old.db")
    assert store.purge(Kind.HITS, 0, before=None, service=None)[0] == shelves.LOOK
    before = path.stat().st_size
    given, more = store.compact()
    assert (given > 0, more) == (True, False)
    assert path.stat().st_size < before * 0.8
    store._writer.run_alone(lambda db: space.mode(db) == space.INCREMENTAL or 1 / 0)


def test_a_rewrite_that_takes_too_long_leaves_the_file_as_it_was(opened, tmp_path, monkeypatch):
    path = tmp_path / "old.db"
    monkeypatch.setattr(space, "begin", lambda _db: None)
    store = begun(opened(name="old.db"))
    for start in range(0, 4_000, 100):
        store.take(hits(range(start, start + 100), "y" * 4_000), 0.0)
    store._writer.run_alone(lambda db: space.compact(db, seconds=0.0))
    assert counts(store)["hits"] == 4_000
    store.take(hits([5_000]), 1.0)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert space.mode(db) == 0


def test_giving_back_a_lot_takes_more_than_one_turn(opened, tmp_path, monkeypatch):
    store = begun(opened())
    for start in range(0, 2_000, 200):
        store.take(hits(range(start, start + 200), "y" * 4_000), 0.0)
    after = 0
    while after is not None:
        _, after = store.purge(Kind.HITS, after, before=None, service=None)
    full = space.on_disk(tmp_path / "hits.db")
    monkeypatch.setattr(space, "COMPACT_S", 0.0)
    turns = 1
    while store.compact()[1]:
        turns += 1
        assert turns < 100
    assert turns > 2
    assert space.on_disk(tmp_path / "hits.db") < full / 10


def test_a_small_file_of_an_older_version_is_converted_when_it_is_opened(opened, tmp_path):
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE a (x)")
        assert space.mode(db) == 0
        space.begin(db)
        assert space.mode(db) == space.INCREMENTAL
    store = opened(name="new.db")
    store._writer.run_alone(lambda db: space.mode(db) == space.INCREMENTAL or 1 / 0)


def test_work_that_runs_alone_and_fails_hurts_nobody_else(opened):
    store = begun(opened())
    with pytest.raises(ZeroDivisionError):
        store._writer.run_alone(lambda _db: 1 / 0)
    assert store.take(hits([1]), 0.0).stored == 1


def verdict(store: SqliteStore, number: int, at: float, text: str = "") -> int:
    new = NewVerdict("shop", "fixed", json.dumps({"number": number}), json.dumps(text))
    return store.add_verdict(new, {"candidate": "fix.diff"}, who="user", now=at)


def test_verdicts_go_by_age_and_by_number(opened, monkeypatch):
    store = begun(opened(Keep(age_s=10 * DAY)))
    for day in range(4):
        verdict(store, day, day * 5 * DAY)
    swept(store, 16 * DAY)
    left = store.verdicts(VerdictFilter(), before=None, limit=9)
    assert [json.loads(one.head)["number"] for one in left] == [3, 2]
    assert (left[0].who, left[0].received_at, left[0].body) == ("user", 15 * DAY, "")
    monkeypatch.setattr(verdicts, "VERDICTS_KEPT", 3)
    added = [verdict(store, number, 16 * DAY) for number in range(10, 13)]
    kept = store.verdicts(VerdictFilter("shop", "fixed"), before=None, limit=9)
    assert [one.id for one in kept] == added[::-1]
    assert store.trimmed()["verdicts"] == 4


def test_the_older_of_verdicts_and_hits_goes_first(opened):
    store = begun(opened(Keep(bytes=1_500_000)))
    first = verdict(store, 1, 1.0, "y" * 400_000)
    for start in range(0, 300, 20):
        store.take(hits(range(start, start + 20), "y" * 4_000), 2.0 + start)
    assert store.verdict(first) is None
    assert store.trimmed()["verdicts"] == 1
    newest = verdict(store, 2, 1e6, "y" * 400_000)
    assert json.loads(store.verdict(newest).body) == "y" * 400_000
    assert counts(store)["hits"] > 20
