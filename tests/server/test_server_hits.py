"""Hits: taken in once, limited over all instances, listed, and watched live."""

import pytest

from leadline.wire.hit import Hit, InstanceInfo, Report


def test_a_report_that_is_posted_twice_counts_once(server, instance, some_hits):
    info, probe = instance("once", "once1"), server.place("once")["id"]
    watching = server.watch("service=once").opened()
    report = Report(info, some_hits(info, probe, range(3)))
    assert server.report(report).status == 204
    assert server.report(report, deflate=False).status == 204
    server.report(Report(info, some_hits(info, probe, range(2, 4))))
    found = server.hits("service=once")
    assert [hit["seq"] for hit in found] == [0, 1, 2, 3]
    assert server.probe(probe)["hits"] == 4
    assert [watching.next()[1]["seq"] for _ in range(4)] == [0, 1, 2, 3]
    assert watching.id == str(found[-1]["id"])


def test_the_hit_limit_holds_over_two_instances(server, instance, some_hits):
    probe = server.place("limit", limits={"hits": 5})["id"]
    one, two = instance("limit", "m1"), instance("limit", "m2")
    stream = server.connect(one)
    assert len(stream.next()[1]["probes"]) == 1
    server.report(Report(one, some_hits(one, probe, range(3))))
    assert server.probe(probe)["status"] == "pending"
    report = Report(two, some_hits(two, probe, range(4)))
    server.report(report)
    server.report(report)  # what was refused is not counted twice either
    seen = server.probe(probe)
    assert (seen["hits"], seen["beyond_limit"]) == (5, 2)
    assert (seen["status"], seen["reason"]) == ("expired", "all of its 5 hits are captured")
    assert len(server.hits("service=limit")) == 5
    assert stream.next() == (
        "remove",
        {"revision": stream_revision(seen, server), "ids": [probe]},
    )


def stream_revision(_seen, server) -> int:
    """The removal was the last change, so a new connection begins at its revision."""
    info = InstanceInfo("m3", "limit", 1, "h", "p", "3", "0", "pure", 1.0)
    return server.connect(info).next()[1]["revision"]


def test_hits_for_unknown_probes_are_counted_not_stored(server, instance, some_hits):
    foreign = server.place("neighbour")["id"]
    info = instance("stray", "y1")
    hits = some_hits(info, foreign, range(2)) + some_hits(info, "p31337", range(2, 3))
    hits += some_hits(info, "nonsense", range(3, 4))
    assert server.report(Report(info, hits)).status == 204
    assert server.report(Report(info, hits)).status == 204
    assert server.hits("service=stray") == server.hits("service=neighbour") == []
    (service,) = [
        s
        for s in server.request("GET", "/v1/services").json["services"]
        if s["service"] == "stray"
    ]
    assert service["instances"][0]["strays"] == 4


def test_hits_are_listed_newest_last_and_read_on_from_a_number(server, instance, some_hits):
    info, probe = instance("listed", "g1"), server.place("listed", limits={"hits": 500})["id"]
    other = server.place("listed")["id"]
    server.report(Report(info, some_hits(info, probe, range(150))))
    server.report(Report(info, some_hits(info, other, range(150, 152))))
    answer = server.request("GET", "/v1/hits?service=listed").json
    assert answer["schema_version"] == 1
    assert [hit["seq"] for hit in answer["hits"]] == list(range(52, 152))
    assert answer["more"] is True
    seen, last = [], 0
    while True:
        page = server.request("GET", f"/v1/hits?service=listed&after={last}&limit=60").json
        seen += [hit["seq"] for hit in page["hits"]]
        if not page["more"]:
            break
        last = page["hits"][-1]["id"]
    assert seen == list(range(152))
    assert [hit["seq"] for hit in server.hits(f"probe={other}")] == [150, 151]
    assert server.hits(f"probe={other}&service=elsewhere") == []
    assert server.hits("probe=nonsense") == []


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limt=5", "limit=" + "9" * 5000, "after=x"]
)
def test_a_bad_question_about_hits(server, query):
    answer = server.request("GET", f"/v1/hits?{query}")
    assert answer.status == 400
    assert answer.slug in ("bad-limit", "bad-message")


def test_what_was_captured_comes_back_as_it_was(server, instance):
    info, probe = instance("exact", "x1"), server.place("exact")["id"]
    values = {
        "text": "lone \ud800 and \udfff, \0, \u2028, \U0001f600",
        "\udc80": {"type": "list", "items": [1, None, True, 1.5, 10**300]},
        "__proto__": "</script>",
    }
    hit = Hit(probe, info.id, 0, 1.25, "t\ud800", "f\udc80.py", 3, "f\udcff", "m\ud83d", values)
    watching = server.watch("service=exact").opened()
    assert server.report(Report(info, [hit])).status == 204
    (found,) = server.hits("service=exact")
    assert watching.next() == ("hit", found)
    assert found["values"] == values
    assert (found["thread"], found["file"], found["function"], found["message"]) == (
        "t\ud800",
        "f\udc80.py",
        "f\udcff",
        "m\ud83d",
    )
    assert (found["time"], found["service"], found["probe"]) == (1.25, "exact", probe)


def test_watchers_see_what_they_asked_for(server, instance, some_hits):
    info = instance("watched", "w1")
    one, two = server.place("watched")["id"], server.place("watched")["id"]
    only = server.watch(f"probe={two}").opened()
    everything = server.watch("service=watched").opened()
    server.report(Report(info, some_hits(info, one, range(1))))
    server.report(Report(info, some_hits(info, two, range(1, 2))))
    assert only.next()[1]["seq"] == 1
    assert [everything.next()[1]["seq"] for _ in range(2)] == [0, 1]


def test_a_watcher_that_comes_back_misses_nothing(server, instance, some_hits):
    info, probe = instance("resumed", "r1"), server.place("resumed")["id"]
    server.report(Report(info, some_hits(info, probe, range(3))))
    first = server.hits("service=resumed")[0]["id"]
    again = server.watch("service=resumed", {"Last-Event-ID": str(first)}).opened()
    server.report(Report(info, some_hits(info, probe, range(3, 5))))
    assert [again.next()[1]["seq"] for _ in range(4)] == [1, 2, 3, 4]


def test_a_slow_watcher_loses_hits_is_told_and_holds_up_nobody(own_server, instance, some_hits):
    server = own_server().start()
    info = instance("slow", "q1")
    probe = server.place("slow", limits={"hits": 10_000, "ttl_s": 900})["id"]
    slow = server.watch("service=slow").opened()
    quick = server.watch("service=slow").opened()
    seen = 0
    for batch in range(40):
        numbers = range(batch * 60, batch * 60 + 60)
        hits = some_hits(info, probe, numbers, values={"x": "y" * 10_000})
        assert server.report(Report(info, hits)).status == 204
        for _ in numbers:
            assert quick.next()[0] == "hit"
            seen += 1
    assert seen == 2400
    got = lost = 0
    while got + lost < 2400:
        event, content = slow.next()
        if event == "lost":
            lost += content["count"]
        else:
            got += 1
    assert got > 0
    assert lost > 0
    assert got + lost == 2400
    assert server.request("GET", "/v1/services").json["losses"]["watchers"] == lost
