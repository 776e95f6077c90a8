"""Hits found by what they are, listed and live: both ways find the same ones, each once."""

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.control.hits import MAX_PROBES_ASKED, hit_filter
from leadline.control.watch import Watcher
from leadline.store.events import Stored
from leadline.store.records import HitFilter, StoredHit, facets_of
from leadline.store.sqlite import SqliteStore
from leadline.wire.errors import LeadlineError
from leadline.wire.hit import Hit, InstanceInfo, Report
from leadline.wire.limits import Limits
from leadline.wire.probe import LogProbe
from leadline.wire.target import Target

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def hits(server, instance):
    """Six hits of three probes in two instances of one service, and what they are called."""
    one, two = instance("filtered", "fi1"), instance("filtered", "fi2")
    known = server.request("GET", "/v1/probes?service=filtered").json["probes"]
    if known:
        return tuple(probe["id"] for probe in known)
    log, other = server.place("filtered")["id"], server.place("filtered")["id"]
    body = {"kind": "snapshot", "target": "app.py:3"}
    snap = server.request("POST", "/v1/services/filtered/probes", body).json["probe"]["id"]

    def hit(probe, info, seq, message, thread="MainThread", **more):
        return Hit(probe, info.id, seq, 100.0 + seq, thread, "app.py", 3, "f", message, **more)

    server.report(
        Report(
            one,
            [
                hit(log, one, 0, "Order 12 paid", trace=TRACE, span="1" * 16),
                hit(log, one, 1, "order 13 FAILED", "worker", task="Task-7"),
                hit(snap, one, 2, "", task="Task-7", trace=TRACE),
                hit(other, one, 3, "Straße \ud800", "wörker \udc80"),
            ],
        )
    )
    server.report(Report(two, [hit(log, two, 4, "order 14 paid"), hit(other, two, 5, "x")]))
    listed = server.request("GET", "/v1/probes?service=filtered").json["probes"]
    assert [probe["id"] for probe in listed] == [log, other, snap]
    return log, other, snap


CASES = [
    ("", [0, 1, 2, 3, 4, 5]),
    ("instance=fi2", [4, 5]),
    ("kind=snapshot", [2]),
    ("kind=log&instance=fi1", [0, 1, 3]),
    ("thread=worker", [1]),
    ("thread=w%C3%B6rker%20%3F", [3]),
    ("task=Task-7", [1, 2]),
    (f"trace={TRACE}", [0, 2]),
    (f"trace={TRACE}&kind=log", [0]),
    ("trace=", [1, 3, 4, 5]),
    ("text=ORDER%201", [0, 1, 4]),
    ("text=failed", [1]),
    ("text=STRASSE", [3]),
    ("text=%25", []),
    ("since=102&until=104", [2, 3]),
    ("since=102&text=paid", [4]),
    ("probe=LOG,SNAP", [0, 1, 2, 4]),
    ("probe=LOG", [0, 1, 4]),
    ("probe=p999999", []),
]


@pytest.mark.parametrize(("query", "expected"), CASES)
def test_listed_hits(server, hits, query, expected):
    log, _, snap = hits
    query = query.replace("LOG", log).replace("SNAP", snap)
    assert [hit["seq"] for hit in server.hits(f"service=filtered&{query}")] == expected


@pytest.mark.parametrize(("query", "expected"), CASES)
def test_streamed_hits_are_the_same_ones(server, hits, query, expected):
    log, _, snap = hits
    query = query.replace("LOG", log).replace("SNAP", snap)
    stream = server.watch(f"service=filtered&after=0&{query}").opened()
    assert [stream.next()[1]["seq"] for _ in expected] == expected


def test_what_a_hit_carries_comes_back(server, hits):
    (hit,) = server.hits(f"service=filtered&text=order%2012&trace={TRACE}")
    assert (hit["trace"], hit["span"], hit["task"]) == (TRACE, "1" * 16, "")


@given(
    message=st.text(max_size=20),
    text=st.text(max_size=3),
    thread=st.text(max_size=5),
    time=st.floats(0, 10),
    since=st.none() | st.floats(0, 10),
)
def test_live_and_stored_agree_about_any_text(memory, message, text, thread, time, since):
    """The law behind going on exactly once: a hit matches live if the database says so."""
    hit = Hit("p1", "i1", 1, time, thread, "f", 1, "g", message)
    live = StoredHit(1, "shop", "p1", 1.0, "{}", facets_of(hit), "log")
    for asked in (
        HitFilter(text=text),
        HitFilter(thread=live.facets.thread),
        HitFilter(since=since),
        HitFilter(until=since, text=text, kind="log"),
    ):
        assert memory(hit, asked) == asked.matches(live), asked


def test_a_hit_that_was_read_before_it_was_passed_on_comes_once():
    """Stored hits are passed on a moment after they can be read."""

    def hit(number):
        facets = facets_of(Hit("p1", "i1", number, 1.0, "MainThread", "f", 1, "g", ""))
        return StoredHit(number, "shop", "p1", 1.0, "{}", facets, "log")

    watcher = Watcher(HitFilter(after=0))
    watcher.put(Stored([hit(1)]))
    watcher.begin([hit(1), hit(2)], 0)
    watcher.put(Stored([hit(2), hit(3)]))
    assert [message.id for message in watcher.take()] == [1, 2, 3]


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    """Ask a real store whether a hit matches."""
    store = SqliteStore(tmp_path_factory.mktemp("memory") / "hits.db", lambda _: None)
    probe = LogProbe("", Target("a.py", 1), "x", limits=Limits(hits=1_000_000))
    store.place("shop", probe, who="u", now=1.0)
    info = InstanceInfo("i1", "shop", 1, "h", "p", "3", "0", "pure", 1.0)

    def ask(hit, asked):
        for table in ("hits", "instances"):  # nothing was ever here
            store._writer.run(lambda tx, table=table: tx.db.execute(f"DELETE FROM {table}"))
        store.take(Report(info, [hit]), 1.0)
        return store.count_hits(asked) == 1

    yield ask
    store.close()


def test_a_filtered_stream_goes_on_exactly_once(server, instance):
    """Hits keep arriving while a reader comes and goes: it sees each that it asked for once."""
    info, chance = instance("goneon", "fl1"), random.Random(3)
    probe = server.place("goneon", limits={"hits": 10_000, "rate_per_s": 1_000})["id"]
    stop = threading.Event()

    def post():
        for seq in range(400):
            text = "even" if seq % 2 == 0 else "odd"
            hit = Hit(probe, info.id, seq, 1.0, "t", "f", 1, "g", text)
            assert server.report(Report(info, [hit])).status == 204
        stop.set()

    posting = threading.Thread(target=post)
    posting.start()
    seen: list[int] = []
    last = "0"
    while len(seen) < 200:
        stream = server.watch("service=goneon&text=EVEN", {"Last-Event-ID": last}).opened()
        for _ in range(chance.randrange(1, 40)):
            event, hit = stream.next()
            assert event == "hit"
            seen.append(hit["seq"])
            last = stream.id
            if len(seen) == 200:
                break
        stream.close()
    posting.join(60)
    assert stop.is_set()
    assert seen == list(range(0, 400, 2))


@pytest.mark.parametrize(
    "query",
    [
        "kind=breakpoint",
        "since=soon",
        "limit=0",
        "since=nan",
        "since=1e300",
        "until=-1e300",
        "points=perhaps",
        "text=a&texts=b",
    ],
)
def test_what_cannot_be_asked_for(server, query):
    path = "/v1/hits/stream" if "points" in query else "/v1/hits"
    answer = server.request("GET", f"{path}?{query}")
    assert answer.status == 400
    assert answer.slug in ("bad-message", "bad-limit")


def test_so_many_probes_can_be_asked_for_at_once():
    most = ",".join(f"p{n}" for n in range(1, MAX_PROBES_ASKED + 1))
    assert len(hit_filter(probe=most).probes) == MAX_PROBES_ASKED
    with pytest.raises(LeadlineError) as caught:
        hit_filter(probe=f"{most},p1")
    assert caught.value.slug == "bad-limit"
