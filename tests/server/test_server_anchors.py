"""Anchors: the first instance says what the place looks like, and the others look for that."""

from leadline.wire.hit import ProbeState, Report
from leadline.wire.messages import decode_probes
from leadline.wire.probe import Anchor, Status

LINE = Anchor("total = price * count", "quote", "0123456789abcdef")


def armed(server, info, probe, anchor=LINE):
    state = ProbeState(probe, Status.ARMED, anchor=anchor, line=88)
    assert server.report(Report(info, states=[state])).status == 204


def told(stream):
    event, content = stream.next()
    assert event in ("add", "set")
    (probe,) = decode_probes(content["probes"])
    return probe


def test_the_first_anchor_goes_to_the_others_and_to_who_comes_later(server, instance):
    one, two = instance("anchored", "an1"), instance("anchored", "an2")
    first, second = server.connect(one), server.connect(two)
    first.next(), second.next()
    probe = server.place("anchored")["id"]
    assert told(first).anchor is told(second).anchor is None
    armed(server, one, probe)
    again = told(second)
    assert (again.id, again.anchor) == (probe, LINE)
    seen = server.probe(probe)
    assert seen["anchor"] == {"text": LINE.text, "function": "quote", "digest": LINE.digest}
    assert seen["instances"][0]["anchor"] == seen["anchor"]
    armed(server, two, probe, Anchor("something else"))
    assert server.probe(probe)["anchor"] == seen["anchor"]
    assert told(server.connect(instance("anchored", "an3"))).anchor == LINE
    mark = server.place("anchored")["id"]
    assert told(first).id == mark  # whose anchor it is was told nothing in between
    entries = server.request("GET", "/v1/audit?limit=1000").json["entries"]
    (kept,) = [e for e in entries if (e["action"], e["probe"]) == ("anchor", probe)]
    assert (kept["who"], kept["detail"]["instance"]) == ("server", "an1")


def test_an_anchor_that_was_asked_for_stays(server, instance):
    info = instance("asked", "as1")
    stream = server.connect(info)
    stream.next()
    probe = server.place("asked", anchor={"text": "x = 1"})["id"]
    assert told(stream).anchor == Anchor("x = 1")
    armed(server, info, probe)
    assert server.probe(probe)["anchor"] == {"text": "x = 1", "function": "", "digest": ""}


def test_only_an_armed_place_is_an_anchor(server, instance):
    info = instance("unarmed", "un1")
    probe = server.place("unarmed")["id"]
    for status in (Status.PENDING, Status.MISMATCH, Status.SUSPENDED):
        state = ProbeState(probe, status, anchor=LINE)
        server.report(Report(info, states=[state]))
    assert server.probe(probe)["anchor"] is None
    server.request("DELETE", f"/v1/probes/{probe}")
    armed(server, info, probe)
    assert server.probe(probe)["anchor"] is None


def test_a_mismatch_shows_both_texts(server, instance):
    info = instance("other", "ot1")
    server.connect(info).next()
    probe = server.place("other", anchor={"text": "x = 1"})["id"]
    state = ProbeState(
        probe, Status.MISMATCH, "the line reads otherwise", "/srv/app.py", 3, "y = 2",
        expected="x = 1",
    )  # fmt: skip
    server.report(Report(info, states=[state]))
    (seen,) = server.probe(probe)["instances"]
    assert (seen["status"], seen["expected"], seen["source"]) == ("mismatch", "x = 1", "y = 2")
    assert seen["why"] == (
        "this instance runs another version: at /srv/app.py:3 is 'y = 2', and 'x = 1' was "
        "expected"
    )


def test_a_probe_of_every_service_keeps_no_anchor(own_server, instance):
    server = own_server().start()
    probe = server.place("*")["id"]
    armed(server, instance("shop", "s1"), probe)
    seen = server.probe(probe)
    assert (seen["anchor"], seen["instances"][0]["anchor"]["text"]) == (None, LINE.text)


def test_an_anchor_survives_the_server(own_server, instance):
    server = own_server().start()
    probe = server.place("shop")["id"]
    armed(server, instance("shop", "s1"), probe)
    server.stop()
    server.start()
    assert told(server.connect(instance("shop", "s2"))).anchor == LINE
