"""Sets: put again and again, they are exactly what was said, and nothing else happens."""

import pytest

from leadline.wire.hit import ProbeState, Report
from leadline.wire.probe import Anchor, Status

SLOW = {"name": "slow", "kind": "timer", "target": "app:main"}
BIG = {"name": "big", "kind": "log", "target": "app.py:3", "template": "{x}"}


def put(server, service, *probes, name="checkout"):
    return server.request(
        "PUT", f"/v1/services/{service}/sets/{name}", {"probes": list(probes)}
    )


def deeds(answer) -> dict[str, str]:
    assert answer.status == 200, answer.body
    return {part["name"]: part["deed"] for part in answer.json["parts"]}


def ids(answer) -> dict[str, str]:
    return {part["name"]: part["probe"] for part in answer.json["parts"]}


def test_what_is_the_same_stays_and_what_differs_is_replaced(server, instance, some_hits):
    info = instance("applied", "ap1")
    stream = server.connect(info)
    stream.next()
    first = put(server, "applied", SLOW, BIG)
    assert deeds(first) == {"slow": "placed", "big": "placed"}
    assert (first.json["service"], first.json["set"]) == ("applied", "checkout")
    assert [stream.next()[0], stream.next()[0]] == ["add", "add"]
    big = ids(first)["big"]
    server.report(Report(info, some_hits(info, big, range(2))))
    again = put(server, "applied", BIG, SLOW)
    assert deeds(again) == {"slow": "kept", "big": "kept"}
    assert ids(again) == ids(first)
    assert server.probe(big)["hits"] == 2
    changed = put(server, "applied", BIG | {"condition": "x > 1"}, SLOW)
    assert deeds(changed) == {"big": "replaced", "slow": "kept"}
    assert next(p for p in changed.json["parts"] if p["name"] == "big")["before"] == big
    assert stream.next() == ("remove", {"revision": stream_revision(server, big), "ids": [big]})
    assert stream.next()[1]["probes"][0]["id"] == ids(changed)["big"]
    assert (server.probe(big)["status"], server.probe(big)["reason"]) == (
        "removed",
        "replaced in the set checkout",
    )
    fewer = put(server, "applied", SLOW)
    assert deeds(fewer) == {"slow": "kept", "big": "removed"}
    assert stream.next()[1]["ids"] == [ids(changed)["big"]]
    shown = server.request("GET", "/v1/services/applied/sets/checkout").json["probes"]
    assert [(one["id"], one["set"], one["name"]) for one in shown] == [
        (ids(first)["slow"], "checkout", "slow")
    ]


def stream_revision(server, probe) -> int:
    """The audit entry of a removal is the revision that agents are told."""
    entries = server.request("GET", "/v1/audit?limit=1000").json["entries"]
    return next(e["id"] for e in entries if (e["action"], e["probe"]) == ("removed", probe))


@pytest.mark.parametrize(
    "change",
    [
        {"template": "{y}"},
        {"limits": {"hits": 7}},
        {"capture": {"depth": 1}},
        {"note": "why"},
        {"where": {"tags": {"zone": "eu"}}},
        {"canary": {"seconds": 5}},
        {"anchor": {"text": "x = 1"}},
        {"target": "app.py:4"},
        {"kind": "counter", "template": None},
    ],
)
def test_anything_that_is_said_differently_is_another_probe(server, change):
    put(server, "differs", BIG)
    assert deeds(put(server, "differs", BIG | change)) == {"big": "replaced"}
    assert deeds(put(server, "differs", BIG | change)) == {"big": "kept"}
    assert deeds(put(server, "differs")) == {"big": "removed"}


def test_an_anchor_that_was_found_later_makes_no_difference(server, instance):
    info = instance("found", "found1")
    server.connect(info).next()
    probe = ids(put(server, "found", BIG))["big"]
    anchor = Anchor("x = 1", "f", "0" * 16)
    server.report(Report(info, states=[ProbeState(probe, Status.ARMED, anchor=anchor)]))
    assert server.probe(probe)["anchor"]["text"] == "x = 1"
    assert deeds(put(server, "found", BIG)) == {"big": "kept"}


def test_what_is_over_is_placed_again(server, until):
    short = BIG | {"limits": {"ttl_s": 0.2}}
    first = put(server, "over", short, SLOW)
    until(lambda: server.probe(ids(first)["big"])["status"] == "expired")
    again = put(server, "over", short, SLOW)
    assert deeds(again) == {"big": "placed", "slow": "kept"}
    assert ids(again)["big"] != ids(first)["big"]
    listed = server.request("GET", "/v1/probes?service=over").json["probes"]
    assert {one["id"] for one in listed} == set(ids(again).values())


@pytest.mark.parametrize(
    ("wrong", "slug", "says"),
    [
        (
            {"name": "bad", "kind": "log", "target": "app.py:3"},
            "bad-message",
            "bad: A log probe",
        ),
        (BIG | {"name": "bad", "template": "{x"}, "template-syntax", "bad: "),
        (BIG | {"name": "bad", "condition": "f(x)"}, "expression-forbidden", "bad: "),
        (BIG | {"name": "bad", "target": "nowhere"}, "bad-target", "bad: "),
        (BIG | {"name": "bad", "limits": {"hits": 0}}, "bad-limit", "bad: "),
        (BIG | {"name": "slow"}, "bad-name", "'slow'"),
        (BIG | {"name": "a b"}, "bad-name", "'a b'"),
        (BIG | {"name": ""}, "bad-name", "''"),
        ({"name": "bad"}, "bad-message", "kind"),
    ],
)
def test_one_that_is_wrong_and_nothing_happens(server, wrong, slug, says):
    before = put(server, "whole", SLOW)
    answer = put(server, "whole", BIG, SLOW | {"note": "other"}, wrong)
    assert (answer.status, answer.slug) == (400, slug)
    assert says in answer.json["error"]["message"]
    shown = server.request("GET", "/v1/services/whole/sets/checkout").json["probes"]
    assert [one["id"] for one in shown] == list(ids(before).values())


def test_a_set_that_does_not_fit_changes_nothing(own_server):
    server = own_server().start()
    many = [BIG | {"name": f"n{n}"} for n in range(900)]
    put(server, "tight", SLOW)
    assert put(server, "tight", *many, name="other").status == 200
    answer = put(server, "tight", *many[:500])
    assert (answer.status, answer.slug) == (409, "too-many-probes")
    assert deeds(put(server, "tight", SLOW)) == {"slow": "kept"}
    assert deeds(put(server, "tight", *many[:100])) == {
        "slow": "removed"
    } | {f"n{n}": "placed" for n in range(100)}  # fmt: skip


def test_sets_are_apart(server):
    put(server, "apart", SLOW)
    put(server, "apart", SLOW, name="other")
    alone = server.place("apart")["id"]
    assert deeds(put(server, "apart")) == {"slow": "removed"}
    listed = server.request("GET", "/v1/probes?service=apart").json["probes"]
    assert [one["set"] for one in listed] == ["other", ""]
    answer = server.request("GET", "/v1/services/apart/sets/checkout")
    assert (answer.status, answer.slug) == (404, "no-such-set")
    removed = server.request("DELETE", "/v1/services/apart/sets/other").json["removed"]
    assert removed == [listed[0]["id"]]
    answer = server.request("DELETE", "/v1/services/apart/sets/other")
    assert (answer.status, answer.slug) == (404, "no-such-set")
    assert server.probe(alone)["status"] == "pending"
    for path in ("a%20b/sets/x", "apart/sets/a%20b"):
        assert server.request("GET", f"/v1/services/{path}").status == 400


def test_a_set_survives_the_server(own_server):
    server = own_server().start()
    first = put(server, "kept", SLOW, BIG)
    server.stop()
    server.start()
    assert ids(put(server, "kept", SLOW, BIG)) == ids(first)


def test_a_set_that_changes_nothing_is_not_in_the_audit_log(server):
    put(server, "quiet", SLOW, BIG)
    newest = server.request("GET", "/v1/audit?limit=1").json["entries"][0]
    assert (newest["action"], newest["service"], newest["who"]) == ("set", "quiet", "user")
    assert newest["detail"] == {
        "set": "checkout",
        "deeds": {"slow": "placed", "big": "placed"},
    }
    put(server, "quiet", SLOW, BIG)
    assert server.request("GET", "/v1/audit?limit=1").json["entries"][0] == newest
