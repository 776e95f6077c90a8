"""Which instances a probe is for: one, those with tags, a service's, everybody's."""

import pytest

from leadline.wire.hit import InstanceInfo, ProbeState, Report
from leadline.wire.messages import MAX_PROBES
from leadline.wire.probe import Status


def tagged(service, name, **tags) -> InstanceInfo:
    return InstanceInfo(
        name, service, 42, "host", "app.py", "3.13.0", "0.1.0", "pure", 1.0,
        "1.4.2", "prod", tags, {"twin": "not Linux"},
    )  # fmt: skip


def carried(stream) -> list[str]:
    event, content = stream.next()
    assert event == "set"
    return [probe["id"] for probe in content["probes"]]


def place(server, service, **where):
    return server.place(service, where=where)


def test_a_probe_for_tags_goes_to_those_that_have_them_all(server):
    eu = server.connect(tagged("zones", "z-eu", zone="eu", canary="no"))
    us = server.connect(tagged("zones", "z-us", zone="us"))
    assert carried(eu) == carried(us) == []
    probe = place(server, "zones", tags={"zone": "eu"})
    other = server.place("zones")
    assert [eu.next()[1]["probes"][0]["id"] for _ in range(2)] == [probe["id"], other["id"]]
    assert us.next()[1]["probes"][0]["id"] == other["id"]
    assert [one["instance"] for one in server.probe(probe["id"])["instances"]] == ["z-eu"]
    later = server.connect(tagged("zones", "z-eu2", zone="eu"))
    assert carried(later) == [probe["id"], other["id"]]
    server.report(
        Report(
            tagged("zones", "z-eu", zone="eu"), states=[ProbeState(probe["id"], Status.ARMED)]
        )
    )
    seen = server.probe(probe["id"])
    assert (seen["status"], seen["reason"]) == ("armed", "in 1 of 2 instances")
    assert seen["where"] == {"instance": "", "tags": {"zone": "eu"}}
    server.request("DELETE", "/v1/services/zones/probes")
    assert eu.next()[1]["ids"] == [probe["id"], other["id"]]
    assert us.next()[1]["ids"] == [other["id"]]


def test_a_probe_that_no_instance_is_meant_by_says_who_there_is(server):
    probe = place(server, "lonely", tags={"zone": "eu"})["id"]
    reason = server.probe(probe)["reason"]
    assert reason == "no instance of 'lonely' is connected"
    streams = [
        server.connect(tagged("lonely", f"lo{n}", zone=z)) for n, z in enumerate(["us", "ap"])
    ]
    for stream in streams:
        stream.next()
    seen = server.probe(probe)
    assert (seen["status"], seen["reason"], seen["instances"]) == (
        "pending",
        "no connected instance has the tag zone=eu; there are: zone=ap, zone=us",
        [],
    )
    other = place(server, "lonely", tags={"rack": "7"})["id"]
    assert server.probe(other)["reason"] == (
        "no connected instance has the tag rack=7; no instance has such a tag at all"
    )


def test_a_probe_for_one_instance(server, until):
    one, two = tagged("single", "abc-1"), tagged("single", "abd-2")
    first, second = server.connect(one), server.connect(two)
    assert carried(first) == carried(second) == []
    probe = place(server, "single", instance="abc")
    assert probe["where"]["instance"] == "abc-1"
    assert first.next()[1]["probes"][0]["id"] == probe["id"]
    mark = server.place("single")["id"]
    assert second.next()[1]["probes"][0]["id"] == mark
    first.close()
    gone = until(lambda: (p := server.probe(probe["id"]))["status"] == "pending" and p)
    assert gone["reason"] == (
        "the instance abc-1 (app.py/42 on host) is gone, and it is for that one alone"
    )
    again = server.connect(one)
    assert carried(again) == [probe["id"], mark]


@pytest.mark.parametrize(
    ("where", "status", "slug"),
    [
        ({"instance": "x"}, 404, "no-such-instance"),
        ({"instance": "pre-"}, 400, "ambiguous-instance"),
        ({"tags": {"": "x"}}, 400, "bad-message"),
        ({"tags": {"zone": "x" * 201}}, 400, "bad-message"),
        ({"tags": {str(n): "x" for n in range(21)}}, 400, "bad-message"),
        ({"tags": {"zone": 1}}, 400, "bad-message"),
        ({"tag": {}}, 400, "bad-message"),
    ],
)
def test_where_nothing_can_be_placed(server, where, status, slug):
    for name in ("pre-1", "pre-2"):
        server.connect(tagged("prefixes", name)).next()
    body = {"kind": "log", "target": "app.py:3", "template": "x", "where": where}
    answer = server.request("POST", "/v1/services/prefixes/probes", body)
    assert (answer.status, answer.slug) == (status, slug)


def test_a_whole_id_is_never_the_beginning_of_another(server, until):
    exact, longer = (
        server.connect(tagged("whole", "w-")),
        server.connect(tagged("whole", "w-1")),
    )
    for stream in (exact, longer):
        stream.next()
    assert place(server, "whole", instance="w-")["where"]["instance"] == "w-"
    exact.close()
    until(lambda: not server.probe(place(server, "whole", instance="w-")["id"])["instances"])
    assert place(server, "whole", instance="w")["where"]["instance"] == "w-1"


def test_what_an_instance_was_started_with_is_shown(server):
    server.connect(tagged("described", "described1", zone="eu")).next()
    services = server.request("GET", "/v1/services").json["services"]
    (service,) = [one for one in services if one["service"] == "described"]
    info = service["instances"][0]["info"]
    assert (info["version"], info["environment"], info["tags"], info["notes"]) == (
        "1.4.2", "prod", {"zone": "eu"}, {"twin": "not Linux"},
    )  # fmt: skip


@pytest.fixture
def everybody(own_server):
    """A server of its own: a probe of every service would be in the others' tests too."""
    return own_server().start()


def test_a_probe_of_every_service_reaches_all_now_and_later(everybody, instance, some_hits):
    server = everybody
    shop, mail = instance("shop", "s1"), instance("mail", "m1")
    first = server.connect(shop)
    assert carried(first) == []
    probe = server.place("*", target="json/__init__.py:1")["id"]
    assert first.next()[1]["probes"][0]["id"] == probe
    second = server.connect(mail)
    assert carried(second) == [probe]
    for info in (shop, mail):
        report = Report(
            info, some_hits(info, probe, range(1)), states=[ProbeState(probe, Status.ARMED)]
        )
        assert server.report(report).status == 204
    seen = server.probe(probe)
    assert (seen["service"], seen["status"], seen["reason"], seen["hits"]) == (
        "*",
        "armed",
        "",
        2,
    )
    assert [hit["service"] for hit in server.hits(f"probe={probe}")] == ["shop", "mail"]
    assert [hit["instance"] for hit in server.hits("service=mail")] == ["m1"]
    for listed in ("shop", "mail", "*"):
        found = server.request("GET", f"/v1/probes?service={listed}").json["probes"]
        assert [one["id"] for one in found] == [probe]
    services = server.request("GET", "/v1/services").json["services"]
    assert [(one["service"], one["connected"], one["probes"]) for one in services] == [
        ("*", 2, {"armed": 1}),
        ("mail", 1, {}),
        ("shop", 1, {}),
    ]
    assert services[1]["instances"][0]["strays"] == 0
    assert server.request("DELETE", "/v1/services/shop/probes").json["removed"] == []
    assert server.request("DELETE", "/v1/services/*/probes").json["removed"] == [probe]
    assert first.next()[1]["ids"] == second.next()[1]["ids"] == [probe]


def test_no_agent_is_told_of_more_probes_than_it_takes(everybody, tmp_path):
    """One set may not be full because of another: the sum is what an agent is sent."""
    server = everybody
    probes = [
        {"name": f"n{n}", "kind": "counter", "target": f"app.py:{n + 1}"}
        for n in range(MAX_PROBES - 1)
    ]
    answer = server.request("PUT", "/v1/services/full/sets/many", {"probes": probes})
    assert answer.status == 200, answer.body
    assert server.request("POST", "/v1/services/*/probes", probe_body()).status == 201
    for service in ("*", "full"):
        answer = server.request("POST", f"/v1/services/{service}/probes", probe_body())
        assert (answer.status, answer.slug) == (409, "too-many-probes")
    assert server.request("POST", "/v1/services/empty/probes", probe_body()).status == 201


def probe_body():
    return {"kind": "log", "target": "app.py:3", "template": "x"}


def test_a_service_that_is_off_gets_nobodys_probes(everybody, instance):
    server = everybody
    stream = server.connect(instance("shop", "s1"))
    assert carried(stream) == []
    server.request("POST", "/v1/services/shop/off", {"reason": "incident"})
    assert stream.next()[0] == "off"
    probe = server.place("*")["id"]
    gone = server.place("*")["id"]
    server.request("DELETE", f"/v1/probes/{gone}")
    server.request("POST", "/v1/services/shop/on")
    assert stream.next()[0] == "on"
    assert carried(stream) == [probe]
