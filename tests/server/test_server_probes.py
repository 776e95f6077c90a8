"""Probes: placed, told to agents, looked at, ended by their limits and by people."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, replace

import pytest

from leadline.wire.hit import ProbeState, Report
from leadline.wire.messages import MAX_PROBES, decode_probes
from leadline.wire.probe import DEFAULTS, Anchor, Fate, Status


def test_a_probe_travels_to_an_open_agent_and_away_again(server, instance):
    stream = server.connect(instance("travel", "t1"))
    event, content = stream.next()
    assert (event, content["probes"]) == ("set", [])
    placed = server.place("travel", condition="x > 1", note="why", owner="ada")
    event, added = stream.next()
    assert event == "add"
    assert added["revision"] > content["revision"]
    (probe,) = decode_probes(added["probes"])
    assert (probe.id, str(probe.target), probe.condition) == (placed["id"], "app.py:3", "x > 1")
    assert 0 < probe.limits.ttl_s <= 900
    assert server.request("DELETE", f"/v1/probes/{probe.id}").json["removed"] == [probe.id]
    event, removed = stream.next()
    assert (event, removed["ids"]) == ("remove", [probe.id])
    assert removed["revision"] > added["revision"]


def test_who_connects_later_gets_the_set_with_the_seconds_left(server, instance, until):
    placed = server.place("later", limits={"ttl_s": 500})
    server.place("somebody-else")
    until(lambda: server.request("GET", "/health").status == 200)
    event, content = server.connect(instance("later", "l1")).next()
    (probe,) = decode_probes(content["probes"])
    assert (event, probe.id) == ("set", placed["id"])
    assert 400 < probe.limits.ttl_s < 500


def test_a_second_connection_takes_the_place_of_the_first(server, instance):
    first = server.connect(instance("twice", "same"))
    first.next()
    second = server.connect(instance("twice", "same"))
    second.next()
    assert first.next() is None
    probe = server.place("twice")
    assert second.next()[1]["probes"][0]["id"] == probe["id"]
    (service,) = [
        s
        for s in server.request("GET", "/v1/services").json["services"]
        if s["service"] == "twice"
    ]
    assert service["connected"] == 1


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"target": "app.py"}, "bad-target"),
        ({"target": "app.py:0"}, "bad-target"),
        ({"target": ":3"}, "bad-target"),
        ({"limits": {"hits": 0}}, "bad-limit"),
        ({"limits": {"ttl_s": 0}}, "bad-limit"),
        ({"limits": {"ttl_s": -1}}, "bad-limit"),
        ({"limits": {"ttl_s": 1e300}}, "bad-limit"),
        ({"limits": {"hits": 10**400}}, "bad-limit"),
        ({"capture": {"depth": 99}}, "bad-limit"),
        ({"template": "x" * 2001}, "too-long"),
        ({"note": "x" * 501}, "too-long"),
        ({"kind": "breakpoint"}, "bad-message"),
        ({"kind": "snapshot"}, "bad-message"),
        ({"kind": "metric", "template": None}, "bad-message"),
        ({"frames": 3}, "bad-message"),
        ({"kind": "counter", "template": None, "raises": ["KeyError"]}, "bad-message"),
        ({"moment": "exit"}, "bad-moment"),
        ({"target": "shop.pricing:quote", "moment": "line"}, "bad-moment"),
        ({"target": "*"}, "bad-target"),
        ({"kind": "exception", "template": None}, "bad-target"),
        ({"kind": "timer", "template": None}, "bad-target"),
        ({"kind": "timer", "template": None, "until": "other.py:9"}, "bad-target"),
        ({"kind": "snapshot", "template": None, "frames": 0}, "bad-limit"),
        ({"kind": "snapshot", "template": None, "limits": {"rate_per_s": 1001}}, "bad-limit"),
        ({"anchor": {"text": "x" * 501}}, "too-long"),
        ({"anchor": {"txt": "x"}}, "bad-message"),
        ({"condtion": "x"}, "bad-message"),
        ({"limits": {"hit": 1}}, "bad-message"),
        ({"template": None}, "bad-message"),
    ],
)
def test_what_can_never_work_is_refused_where_it_is_placed(server, change, slug):
    body = {"kind": "log", "target": "app.py:3", "template": "x"} | change
    answer = server.request("POST", "/v1/services/bad/probes", body)
    assert (answer.status, answer.slug) == (400, slug)


KINDS = {
    "log": ({"target": "app.py:3", "template": "x={x}"}, {"moment": "line"}, 100),
    "log at an exit": (
        {"kind": "log", "target": "shop.pricing:quote", "template": "{result}"},
        {"moment": "exit", "target": "shop.pricing:quote"},
        100,
    ),
    "snapshot": (
        {"target": "app:main", "moment": "entry", "watches": ["x", "len(y)"], "frames": 3},
        {"moment": "entry", "watches": ["x", "len(y)"], "frames": 3, "template": ""},
        10,
    ),
    "counter": ({"target": "app:main"}, {"moment": "entry"}, 10**12),
    "metric": (
        {"target": "app.py:3", "expression": "total"},
        {"moment": "line", "expression": "total"},
        10**12,
    ),
    "timer": ({"target": "app:Shop.main"}, {"moment": "exit", "until": None}, 10**12),
    "timer of lines": (
        {"kind": "timer", "target": "app.py:3", "until": "9"},
        {"moment": "exit", "until": "app.py:9"},
        10**12,
    ),
    "exception": (
        {"target": "app:main", "raises": ["KeyError"], "condition": "x > 1"},
        {"moment": "leaving", "raises": ["KeyError"], "frames": 10},
        10,
    ),
    "exception anywhere": (
        {"kind": "exception", "target": "*"},
        {"moment": "raised", "target": "*", "raises": []},
        10,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_travels_with_its_own_members(server, instance, name):
    asked, expected, hits = KINDS[name]
    anchor = {"text": "x = 1", "function": "f", "digest": "0123456789abcdef"}
    body = {"kind": name, "anchor": anchor, "note": "why"} | asked
    stream = server.connect(instance("kinds", "k1"))
    stream.next()
    answer = server.request("POST", "/v1/services/kinds/probes", body)
    assert answer.status == 201, answer.body
    placed = answer.json["probe"]
    assert placed["limits"]["hits"] == hits
    assert placed["anchor"] == anchor
    assert {name: placed[name] for name in expected} == expected
    (probe,) = decode_probes(stream.next()[1]["probes"])
    assert (probe.id, probe.kind, probe.moment) == (
        placed["id"],
        placed["kind"],
        placed["moment"],
    )
    assert probe.anchor == Anchor(**anchor)
    assert str(probe.target) == placed["target"]
    assert server.probe(placed["id"])["frames"] == placed["frames"]


def test_a_member_of_another_kind_is_refused_with_a_sentence(server):
    body = {"kind": "counter", "target": "app.py:3", "template": "x"}
    answer = server.request("POST", "/v1/services/bad/probes", body)
    assert answer.json["error"]["message"] == (
        "A counter probe has no `template`; only log probes have it."
    )
    body = {"kind": "log", "target": "app.py:3", "frames": 3}
    answer = server.request("POST", "/v1/services/bad/probes", body)
    assert answer.json["error"]["message"] == (
        "A log probe has no `frames`; only snapshot probes and exception probes have it."
    )


def test_limits_that_are_not_said_are_those_of_the_kind(server):
    body = {"kind": "snapshot", "target": "app.py:3", "limits": {"hits": 3}}
    limits = server.request("POST", "/v1/services/some/probes", body).json["probe"]["limits"]
    assert limits == asdict(replace(DEFAULTS["snapshot"], hits=3))


@pytest.mark.parametrize(
    "change",
    [
        {"template": "{x"},
        {"condition": "x ="},
        {"condition": ""},
        {"kind": "metric", "template": None, "expression": "f(x)"},
        {"kind": "snapshot", "template": None, "watches": ["x", "import os"]},
    ],
)
def test_a_bad_expression_is_refused_with_its_own_reason(server, change):
    body = {"kind": "log", "target": "app.py:3", "template": "x"} | change
    answer = server.request("POST", "/v1/services/bad/probes", body)
    assert answer.status == 400
    assert answer.slug not in ("internal", "bad-message")
    assert server.request("GET", "/v1/probes?service=bad").json["probes"] == []


def test_a_bad_name_of_a_service(server):
    answer = server.request("POST", "/v1/services/a%20b/agent-key")
    assert (answer.status, answer.slug) == (400, "bad-service-name")
    answer = server.request("DELETE", "/v1/services/%C3%A4/probes")
    assert (answer.status, answer.slug) == (400, "bad-service-name")


@pytest.mark.parametrize(
    "probe", ["p999999", "p0", "p01", "x", "p" + "9" * 40, "p-1", "p%31%32x"]
)
def test_a_probe_that_is_not_there(server, probe):
    for method in ("GET", "DELETE"):
        answer = server.request(method, f"/v1/probes/{probe}")
        assert (answer.status, answer.slug) == (404, "no-such-probe")


def test_a_removed_probe_is_remembered_but_not_listed(server):
    probe = server.place("gone")["id"]
    server.request("DELETE", f"/v1/probes/{probe}")
    assert server.probe(probe)["status"] == "removed"
    assert server.request("GET", "/v1/probes?service=gone").json["probes"] == []
    again = server.request("DELETE", f"/v1/probes/{probe}")
    assert (again.status, again.slug) == (404, "no-such-probe")
    assert "already" in again.json["error"]["message"]


def test_removing_all_of_a_service_leaves_the_others(server, instance):
    kept = server.place("kept")["id"]
    ids = [server.place("all")["id"] for _ in range(3)]
    stream = server.connect(instance("all", "a1"))
    stream.next()
    assert server.request("DELETE", "/v1/services/all/probes").json["removed"] == ids
    assert stream.next()[1]["ids"] == ids
    assert server.request("DELETE", "/v1/services/all/probes").json["removed"] == []
    assert server.probe(kept)["status"] == "pending"


def test_the_states_of_instances_make_one_status(server, instance, until):
    probe = server.place("states")["id"]
    assert server.probe(probe)["reason"] == "no instance of 'states' is connected"
    one, two = instance("states", "s1"), instance("states", "s2")
    streams = [server.connect(one), server.connect(two)]
    for stream in streams:
        stream.next()
    silent = server.probe(probe)
    assert (silent["status"], silent["reason"]) == ("pending", "no instance has answered yet")
    assert [s["status"] for s in silent["instances"]] == ["pending", "pending"]
    armed = ProbeState(
        probe, Status.ARMED, "", "/srv/app.py", 3, "x = 1", "f", {Fate.CAPTURED: 2}, "", 1000
    )
    server.report(Report(one, states=[armed]))
    server.report(Report(two, states=[ProbeState(probe, Status.MISMATCH, "other code")]))
    seen = server.probe(probe)
    assert (seen["status"], seen["reason"]) == ("armed", "in 1 of 2 instances")
    assert (seen["fates"], seen["cost_ns"]) == ({"captured": 2}, 1000)
    first = next(s for s in seen["instances"] if s["instance"] == "s1")
    assert (first["file"], first["line"], first["source"], first["pid"]) == (
        "/srv/app.py",
        3,
        "x = 1",
        42,
    )
    streams[0].close()
    seen = until(lambda: (p := server.probe(probe))["status"] == "mismatch" and p)
    assert seen["reason"] == "other code"
    assert {s["instance"]: s["connected"] for s in seen["instances"]} == {
        "s1": False,
        "s2": True,
    }


def test_leaving_is_the_last_word(server, instance):
    info = instance("leaving", "bye1")
    stream = server.connect(info)
    stream.next()
    assert server.report(Report(info, leaving=True)).status == 204
    assert stream.next() is None
    (service,) = [
        s
        for s in server.request("GET", "/v1/services").json["services"]
        if s["service"] == "leaving"
    ]
    (seen,) = service["instances"]
    assert (seen["connected"], seen["gone_at"] is not None) == (False, True)


def test_the_overview_tells_what_each_instance_lost(server, instance):
    info = instance("lossy", "o1")
    server.connect(info).next()
    probe = server.place("lossy")["id"]
    server.report(
        Report(
            info,
            states=[ProbeState(probe, Status.ARMED), ProbeState("p424242", Status.ARMED)],
            dropped={"full": 7},
            faults={"capture": 1},
        )
    )
    overview = server.request("GET", "/v1/services").json
    (service,) = [s for s in overview["services"] if s["service"] == "lossy"]
    assert (service["connected"], service["probes"]) == (1, {"armed": 1})
    (seen,) = service["instances"]
    assert (seen["dropped"], seen["faults"], seen["armed"]) == ({"full": 7}, {"capture": 1}, 1)
    assert (seen["strays"], seen["info"]["id"], seen["connected"]) == (1, "o1", True)
    assert set(overview["losses"]) == {"trimmed", "not_stored", "watchers", "exporter"}


def test_time_ends_a_probe_everywhere(server, instance, until):
    stream = server.connect(instance("short", "e1"))
    stream.next()
    probe = server.place("short", limits={"ttl_s": 0.3})["id"]
    assert stream.next()[0] == "add"
    assert stream.next()[1]["ids"] == [probe]
    seen = server.probe(probe)
    assert (seen["status"], seen["reason"]) == ("expired", "its 0.3 seconds are over")
    assert [p["id"] for p in server.request("GET", "/v1/probes?service=short").json["probes"]]
    assert server.connect(instance("short", "e2")).next()[1]["probes"] == []


def test_a_service_carries_only_so_many_probes(own_server, tmp_path):
    server = own_server().start()
    server.place("full")
    server.stop()
    with closing(sqlite3.connect(tmp_path / "hits.db")) as db, db:
        columns = "service, phase, reason, placed_at, expires_at, max_hits, body"
        db.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            f" INSERT INTO probes ({columns}) SELECT {columns} FROM probes, n",
            (MAX_PROBES,),
        )
    server.start()
    body = {"kind": "log", "target": "app.py:3", "template": "x"}
    answer = server.request("POST", "/v1/services/full/probes", body)
    assert (answer.status, answer.slug) == (409, "too-many-probes")
    assert len(server.request("GET", "/v1/probes?service=full").json["probes"]) == MAX_PROBES
    assert server.place("other")["id"] == f"p{MAX_PROBES + 1}"


def test_captured_surrogates_in_a_probe_survive(server, instance):
    template = "\ud800{x}\udfff"
    stream = server.connect(instance("surrogate", "u1"))
    stream.next()
    probe = server.place("surrogate", template=template, note="\udc80")
    assert json.loads(json.dumps(probe))["template"] == template
    assert stream.next()[1]["probes"][0]["template"] == template
    assert server.probe(probe["id"])["note"] == "\udc80"


def test_a_state_with_surrogates_and_one_without_look_alike(server, instance):
    """Text that only Python's own reader and writer take does not change what is around it."""
    probe, info = server.place("halves")["id"], instance("halves", "h1")
    server.connect(info).next()
    anchor = Anchor("x = 1", "f", "0123456789abcdef")
    for text in ("x = 'é'", "x = '\ud800'"):
        state = ProbeState(
            probe,
            Status.ARMED,
            text,
            "/srv/app.py",
            3,
            text,
            "f",
            {Fate.CAPTURED: 2},
            anchor=anchor,
        )
        assert server.report(Report(info, states=[state])).status == 204
        answer = server.request("GET", f"/v1/probes/{probe}")
        assert answer.body.isascii()
        (seen,) = answer.json["probe"]["instances"]
        assert (seen["source"], seen["reason"], seen["fates"]) == (text, text, {"captured": 2})
        assert (seen["status"], seen["anchor"]) == ("armed", asdict(anchor))
        (service,) = [
            one
            for one in server.request("GET", "/v1/services").json["services"]
            if one["service"] == "halves"
        ]
        assert (service["probes"], service["instances"][0]["armed"]) == ({"armed": 1}, 1)


def test_an_instance_that_let_an_expired_probe_go_shows_it_as_expired(server, instance, until):
    info = instance("letgo", "letgo-1")
    stream = server.connect(info)
    stream.next()
    probe = server.place("letgo", limits={"ttl_s": 0.3})["id"]
    armed = Report(info, states=[ProbeState(probe, Status.ARMED)])
    assert server.report(armed).status == 204
    seen = until(lambda: (p := server.probe(probe))["status"] == "expired" and p)
    gone = Report(info, states=[ProbeState(probe, Status.REMOVED, "removed")])
    assert server.report(gone).status == 204
    (state,) = server.probe(probe)["instances"]
    assert (state["status"], state["reason"]) == ("expired", seen["reason"])
    assert state["reason"] == "its 0.3 seconds are over"
    server.request("DELETE", f"/v1/probes/{probe}")
    (state,) = server.probe(probe)["instances"]
    assert (state["status"], state["reason"]) == ("removed", "removed")
