"""The SQLite store by itself: its laws, its caps, and its one writer."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.store.events import Ended, Placed, Stored
from leadline.store.protocol import Store
from leadline.store.records import HitFilter, Phase
from leadline.store.sqlite import SqliteStore, database, instances, probes, retention
from leadline.store.sqlite import hits as stored_hits
from leadline.store.sqlite.probes import number_of
from leadline.wire.call import CallKind, CallView
from leadline.wire.errors import InternalError, LeadlineError
from leadline.wire.hit import Hit, InstanceInfo, ProbeState, Report
from leadline.wire.limits import Limits
from leadline.wire.probe import CaptureProbe, LogProbe, Status
from leadline.wire.target import FunctionTarget, Target

INFO = InstanceInfo("i1", "shop", 1, "host", "app.py", "3.13.0", "0.1.0", "pure", 1.0)
EVERYTHING = HitFilter()


def log(**limits) -> LogProbe:
    return LogProbe("", Target("app.py", 3), "x", limits=Limits(**limits))


def hits(probe: str, numbers, instance: str = "i1", text: str = "") -> list[Hit]:
    return [Hit(probe, instance, n, 1.0, "t", "f", 1, "g", text) for n in numbers]


@pytest.fixture
def events():
    return []


@pytest.fixture
def store(tmp_path, events):
    with closing(SqliteStore(tmp_path / "hits.db", events.append)) as made:
        checked: Store = made
        yield checked


def seqs(store: Store) -> list[int]:
    page = store.hits(EVERYTHING, newest=False, limit=1000)
    return [json.loads(hit.body)["seq"] for hit in page.hits]


def test_what_is_committed_is_told_in_its_order(store, events):
    placed = store.place("shop", log(hits=2), who="user", now=1.0)
    store.take(Report(INFO, hits("p1", range(3))), 2.0)
    kinds = [type(event) for event in events]
    assert kinds == [Placed, Stored, Ended]
    assert events[0].probe == placed
    assert [hit.id for hit in events[1].hits] == [1, 2]
    assert events[2].revision > events[0].revision
    assert events[2].probes[0].phase is Phase.EXPIRED
    assert store.revision() == events[2].revision


def test_every_change_is_in_the_audit_log(store):
    store.place("shop", log(), who="ada", now=1.0)
    store.place("shop", log(ttl_s=5), who="bob", now=1.0)
    store.remove("p1", who="eve", now=2.0)
    store.expire(10.0)
    store.remove_all("shop", who="eve", now=11.0)
    log_book = [(e.who, e.action, e.probe) for e in store.audit(10)]
    assert log_book == [
        ("ada", "place", "p1"),
        ("bob", "place", "p2"),
        ("eve", "removed", "p1"),
        ("server", "expired", "p2"),
        ("eve", "removed", "p2"),
    ]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    limit=st.integers(1, 20),
    reports=st.lists(
        st.tuples(st.sampled_from("abc"), st.sets(st.integers(0, 12))), max_size=12
    ),
)
def test_the_limit_holds_and_every_hit_is_accounted_for(store, limit, reports):
    """Whatever order reports come in, and however often: stored once, never beyond."""
    probe = store.place("shop", log(hits=limit), who="user", now=1.0).probe.id
    distinct = set()
    for name, numbers in reports:
        info = replace(INFO, id=f"{probe}-{name}")
        taken = store.take(Report(info, hits(probe, sorted(numbers), info.id)), 2.0)
        assert taken.stored + taken.repeated + taken.beyond_limit == len(numbers)
        assert taken.strays == 0
        distinct |= {(name, n) for n in numbers}
    found = store.hits(HitFilter(probes=(probe,)), newest=False, limit=1000).hits
    assert len(found) == len({hit.body for hit in found}) == min(limit, len(distinct))
    seen = store.probe(probe)
    assert seen.hits == len(found)
    assert (seen.phase is Phase.EXPIRED) == (len(distinct) >= limit)


def captured(probe: str, fails: list[bool | None]) -> list[Hit]:
    called = CallView("app:f", CallKind.FUNCTION, True)
    return [
        replace(hit, call=replace(called, fails=one))
        for hit, one in zip(hits(probe, range(len(fails))), fails, strict=True)
    ]


def test_of_a_capture_room_is_kept_for_calls_that_fail(store):
    """Over all instances, and from one report to the next."""
    probe = CaptureProbe(
        "", FunctionTarget("app", "f"), fails="raises KeyError", limits=Limits(8)
    )
    name = store.place("shop", probe, who="user", now=1.0).probe.id

    def taken(instance: str, *fails: bool | None) -> tuple[int, int]:
        found = [replace(hit, instance=instance) for hit in captured(name, list(fails))]
        said = store.take(Report(replace(INFO, id=instance), found), 2.0)
        return said.stored, said.beyond_limit

    assert taken("i1", *[False] * 5) == (5, 0)
    assert taken("i2", *[False] * 5) == (1, 4)
    assert store.probe(name).phase is Phase.ACTIVE
    assert taken("i3", True, False, None, True) == (2, 2)  # what is not known may be a failure
    seen = store.probe(name)
    assert (seen.phase, seen.hits, seen.beyond_limit) == (Phase.EXPIRED, 8, 6)


def test_of_a_capture_that_does_not_ask_no_room_is_kept(store):
    probe = CaptureProbe("", FunctionTarget("app", "f"), limits=Limits(8))
    name = store.place("shop", probe, who="user", now=1.0).probe.id
    said = store.take(Report(INFO, captured(name, [None] * 10)), 2.0)
    assert (said.stored, said.beyond_limit) == (8, 2)


def test_the_oldest_hits_go_first_and_are_counted(store):
    store._writer._retention.max_hits = 10
    store.place("shop", log(hits=1000), who="user", now=1.0)
    for start in range(0, 30, 6):
        store.take(Report(INFO, hits("p1", range(start, start + 6))), 2.0)
        assert store.count_hits(EVERYTHING) <= 10
    assert seqs(store) == list(range(20, 30))
    assert store.trimmed() == {"hits": 20}
    assert store.probe("p1").hits == 30
    assert store.hits(EVERYTHING, newest=True, limit=1).hits[0].id == 30


def test_what_was_trimmed_does_not_come_back(store):
    """A report that is posted again when its hits have gone already still counts once."""
    store._writer._retention.max_hits = 5
    store.place("shop", log(hits=1000), who="user", now=1.0)
    late = Report(INFO, hits("p1", range(4)))
    store.take(late, 2.0)
    store.take(Report(INFO, hits("p1", range(4, 10))), 2.0)
    taken = store.take(late, 3.0)
    assert (taken.stored, taken.repeated) == (0, 4)
    assert seqs(store) == list(range(5, 10))
    assert store.probe("p1").hits == store.instance("i1").hits == 10


def test_an_instance_that_was_forgotten_repeats_nothing(store, monkeypatch):
    monkeypatch.setattr(instances, "INSTANCES_KEPT", 1)
    store.place("shop", log(hits=1000), who="user", now=1.0)
    store.take(Report(INFO, hits("p1", range(4))), 2.0)
    store.take(Report(replace(INFO, id="i2"), hits("p1", range(4), "i2")), 3.0)
    assert store.instance("i1") is None
    taken = store.take(Report(INFO, hits("p1", range(2, 6))), 4.0)
    assert (taken.stored, taken.repeated) == (2, 2)


def test_the_sum_of_sizes_is_capped_too(store):
    store._writer._retention.max_chars = 50_000
    store.place("shop", log(hits=1000), who="user", now=1.0)
    for n in range(20):
        store.take(Report(INFO, hits("p1", [n], text="y" * 10_000)), 2.0)
    assert seqs(store) == [16, 17, 18, 19]
    assert store.trimmed() == {"hits": 16}
    store.take(Report(INFO, hits("p1", [20], text="y" * 60_000)), 2.0)
    assert seqs(store) == []


def test_the_caps_hold_after_opening_again(tmp_path, monkeypatch):
    path = tmp_path / "hits.db"
    with closing(SqliteStore(path, lambda _: None)) as store:
        store.place("shop", log(hits=1000), who="user", now=1.0)
        store.take(Report(INFO, hits("p1", range(10))), 2.0)
    monkeypatch.setattr(retention.Retention.__init__, "__defaults__", (5, 10**9))
    with closing(SqliteStore(path, lambda _: None)) as store:
        assert store._writer._retention.totals.hits == 10
        store.take(Report(INFO, hits("p1", [10])), 2.0)
        assert seqs(store) == [6, 7, 8, 9, 10]


def test_a_page_of_hits_is_bounded_in_size(store, monkeypatch):
    monkeypatch.setattr(stored_hits, "MAX_PAGE_CHARS", 25_000)
    store.place("shop", log(), who="user", now=1.0)
    store.take(Report(INFO, hits("p1", range(5), text="y" * 10_000)), 2.0)
    page = store.hits(EVERYTHING, newest=True, limit=5)
    assert (len(page.hits), page.more, page.hits[-1].id) == (2, True, 5)
    page = store.hits(EVERYTHING, newest=False, limit=5)
    assert (len(page.hits), page.more, page.hits[0].id) == (2, True, 1)


def test_old_instances_and_probes_are_forgotten_and_counted(store, monkeypatch):
    monkeypatch.setattr(instances, "INSTANCES_KEPT", 3)
    monkeypatch.setattr(probes, "ENDED_KEPT", 2)
    store.place("shop", log(), who="user", now=0.0)
    for n in range(5):
        info = replace(INFO, id=f"i{n}")
        store.save_instance(info, float(n))
        store.take(Report(info, states=[ProbeState("p1", Status.ARMED)]), float(n))
        if n < 2:
            store.instance_gone(info.id, float(n))
    assert [record.info.id for record in store.instances()] == ["i2", "i3", "i4"]
    assert {state.instance for state in store.states()["p1"]} == {"i2", "i3", "i4"}
    for _ in range(4):
        store.remove(store.place("shop", log(), who="user", now=1.0).probe.id, who="x", now=2.0)
    kept = store.probes(None, tuple(Phase))
    assert [placed.probe.id for placed in kept] == ["p1", "p4", "p5"]
    assert store.trimmed() == {"instances": 2, "probes": 2}


def test_many_threads_write_at_once(store):
    store.place("shop", log(hits=100_000), who="user", now=1.0)
    taken = []

    def post(name: str) -> None:
        info = replace(INFO, id=name)
        for start in range(0, 100, 10):
            report = Report(info, hits("p1", range(start, start + 10), name))
            taken.append(store.take(report, 2.0).stored)

    threads = [threading.Thread(target=post, args=(f"t{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(taken) == store.count_hits(EVERYTHING) == store.probe("p1").hits == 800


def test_a_refusal_takes_back_its_own_changes_only(store):
    store.save_instance(INFO, 1.0)
    ready, go = threading.Event(), threading.Event()
    blocked = threading.Thread(
        target=store._writer.run, args=(lambda _: (ready.set(), go.wait(10)),)
    )
    blocked.start()
    assert ready.wait(10)
    outcome = {}

    def refused() -> None:
        try:
            store.save_instance(replace(INFO, service="thief"), 2.0)
        except LeadlineError as error:
            outcome["slug"] = error.slug

    others = [
        threading.Thread(target=refused),
        threading.Thread(
            target=store.place, args=("shop", log()), kwargs={"who": "u", "now": 1}
        ),
    ]
    for thread in others:
        thread.start()
    while store._writer._waiting.qsize() < 2:
        assert others[0].is_alive() or others[1].is_alive()
    go.set()
    for thread in [blocked, *others]:
        thread.join(10)
    assert outcome == {"slug": "wrong-service"}
    assert len(store.probes()) == 1


def test_a_fault_in_one_piece_of_work_hurts_nobody_else(store):
    def faulty(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store._writer.run(faulty)
    assert store.place("shop", log(), who="user", now=1.0).probe.id == "p1"


def test_a_listener_that_fails_does_not_stop_the_store(tmp_path, capsys):
    def fail(_):
        raise ValueError("captured text")

    with closing(SqliteStore(tmp_path / "hits.db", fail)) as store:
        store.place("shop", log(), who="user", now=1.0)
        assert len(store.probes()) == 1
    assert capsys.readouterr().err == "leadline: a listener failed: ValueError\n"


def test_no_room_left(store, events):
    store.place("shop", log(hits=1000), who="user", now=1.0)
    pages = store._writer.run(lambda tx: tx.db.execute("PRAGMA page_count").fetchone()[0])
    limit = "PRAGMA max_page_count = {}"
    store._writer.run(lambda tx: tx.db.execute(limit.format(pages + 2)).fetchone())
    report = Report(INFO, hits("p1", range(20), text="y" * 5_000))
    with pytest.raises(LeadlineError) as caught:
        store.take(report, 2.0)
    assert caught.value.slug == "disk-full"
    assert seqs(store) == []
    assert [type(event) for event in events] == [Placed]
    store._writer.run(lambda tx: tx.db.execute(limit.format(pages + 1000)).fetchone())
    assert store.take(report, 3.0).stored == 20


def test_after_closing_it_refuses(tmp_path):
    store = SqliteStore(tmp_path / "hits.db", lambda _: None)
    store.close()
    with pytest.raises(LeadlineError) as caught:
        store.place("shop", log(), who="user", now=1.0)
    assert caught.value.slug == "stopping"
    assert not isinstance(caught.value, InternalError)


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "hits.db"
    with closing(database.connect(path)) as db:
        with pytest.raises(sqlite3.OperationalError):
            database._migrate(db, 1, "CREATE TABLE a (x); CREATE TABLE a (x);")
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert db.execute("PRAGMA user_version").fetchone() == (0,)


@pytest.mark.parametrize(
    "text", ["", "p", "q1", "p-1", "p01", "p0", "1", "p1 ", "p²", "p" + "1" * 30]
)
def test_what_is_no_probes_id(text):
    assert number_of(text) is None
    assert number_of("p12") == 12


READ = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); print(*db.execute(sys.argv[2]))"


def test_whoever_else_reads_the_file_takes_nothing_from_it(tmp_path, events):
    """Such as a copy by `sqlite3 leadline.db ".backup copy.db"` while the server runs."""
    path = tmp_path / "hits.db"

    def read(question: str) -> str:
        command = [sys.executable, "-c", READ, str(path), question]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with closing(SqliteStore(path, events.append)) as store:
        for number in range(3):
            store.place("shop", log(), who="user", now=float(number))
            assert store.probe(f"p{number + 1}")  # over a connection of its own
            assert read("SELECT count(*) FROM probes") == f"({number + 1},)\n"
            assert path.with_name("hits.db-wal").stat().st_size
        linked = Path("/proc/self/fd").iterdir()
        assert not [one for one in map(os.path.realpath, linked) if "(deleted)" in one
                    and str(tmp_path) in one]  # fmt: skip
