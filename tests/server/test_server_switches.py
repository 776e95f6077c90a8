"""The kill switch: off reaches everybody and stays, on brings the probes back."""

import json
import signal
from contextlib import closing

import pytest

from leadline.control.context import Context
from leadline.control.instances import connect
from leadline.control.switches import switch_off, switch_on
from leadline.store.sqlite import SqliteStore
from leadline.wire.errors import UnavailableError
from leadline.wire.hit import InstanceInfo, ProbeState, Report
from leadline.wire.probe import Status


def off(server, service="", reason=""):
    path = f"/v1/services/{service}/off" if service else "/v1/off"
    answer = server.request("POST", path, {"reason": reason} if reason else {})
    assert answer.status == 200, answer.body
    return answer.json["off"]


def on(server, service=""):
    answer = server.request("POST", f"/v1/services/{service}/on" if service else "/v1/on")
    assert answer.status == 200, answer.body
    return answer.json["off"]


def test_off_reaches_connected_instances_and_on_brings_the_probes_back(own_server, instance):
    server = own_server().start()
    probe = server.place("shop")["id"]
    mine, other = server.connect(instance("shop", "a")), server.connect(instance("other", "b"))
    assert mine.next()[0] == other.next()[0] == "set"
    (switch,) = off(server, "shop", "incident 7")
    assert (switch["service"], switch["reason"], switch["who"]) == (
        "shop",
        "incident 7",
        "user",
    )
    event, said = mine.next()
    assert (event, said["reason"]) == ("off", "incident 7")
    assert on(server, "shop") == []
    assert mine.next()[0] == "on"
    event, said = mine.next()
    assert (event, [one["id"] for one in said["probes"]]) == ("set", [probe])
    new = server.place("other")["id"]
    event, said = other.next()  # it heard nothing of all this
    assert (event, said["probes"][0]["id"]) == ("add", new)


def test_who_connects_later_is_off_too_and_after_a_crash(own_server, instance):
    server = own_server().start()
    server.place("shop")
    off(server, "shop")
    server.stop(signal.SIGKILL)
    server.start()
    stream = server.connect(instance("shop", "late"))
    assert [stream.next()[0], stream.next()] == ["off", ("set", {"revision": 2, "probes": []})]
    on(server, "shop")
    assert stream.next()[0] == "on"
    assert len(stream.next()[1]["probes"]) == 1


def test_placing_is_refused_and_probes_are_suspended_while_off(own_server, instance):
    server = own_server().start()
    probe = server.place("shop")["id"]
    info = instance("shop", "a")
    server.connect(info).next()
    server.report(Report(info, states=[ProbeState(probe, Status.ARMED)]))
    assert server.probe(probe)["status"] == "armed"
    off(server, "shop", "incident 7")
    seen = server.probe(probe)
    assert (seen["status"], seen["reason"]) == (
        "suspended",
        "switched off by user: incident 7",
    )
    body = {"kind": "log", "target": "app.py:3", "template": "x"}
    answer = server.request("POST", "/v1/services/shop/probes", body)
    assert (answer.status, answer.slug) == (403, "switched-off")
    assert "incident 7" in answer.json["error"]["message"]
    server.place("other")
    overview = server.request("GET", "/v1/services").json["services"]
    assert {one["service"]: bool(one["off"]) for one in overview} == {
        "shop": True,
        "other": False,
    }
    assert server.request("DELETE", f"/v1/probes/{probe}").status == 200  # still possible


def test_everything_and_a_service_are_two_switches(own_server, instance):
    server = own_server().start()
    stream = server.connect(instance("shop", "a"))
    stream.next()
    off(server, "shop", "mine")
    assert stream.next()[0] == "off"
    assert [one["service"] for one in off(server)] == ["", "shop"]
    body = {"kind": "log", "target": "app.py:3", "template": "x"}
    assert server.request("POST", "/v1/services/fresh/probes", body).slug == "switched-off"
    assert [one["service"] for one in on(server)] == ["shop"]
    server.place("fresh")
    assert [one["reason"] for one in on(server, "never")] == ["mine"]
    assert [one["reason"] for one in off(server, "shop", "still")] == ["still"]
    assert on(server, "shop") == []
    assert [stream.next()[0], stream.next()[0]] == ["on", "set"]  # not one `off` too many


def test_switches_are_in_the_audit_log(tmp_path):
    with closing(Context(tmp_path / "hits.db")) as context:
        switch_off(context, "shop", reason="why", who="ada")
        switch_off(context, "", reason="", who="bob")
        switch_on(context, "shop", who="eve")
        switch_on(context, "shop", who="eve")
        entries = context.store.audit(10)
    assert [(e.who, e.action, e.service, json.loads(e.detail)) for e in entries] == [
        ("ada", "off", "shop", {"reason": "why"}),
        ("bob", "off", "", {"reason": ""}),
        ("eve", "on", "shop", {}),
    ]


def test_off_reaches_the_instances_though_it_cannot_be_stored(tmp_path, monkeypatch, capsys):
    with closing(Context(tmp_path / "hits.db")) as context:
        feed = connect(
            context, "s", InstanceInfo("i1", "s", 1, "h", "p", "3", "0", "pure", 0.0)
        )
        assert [message.event for message in feed.take()] == ["set"]

        def full(*_args, **_options):
            raise UnavailableError("disk-full", "There is no room left.")

        monkeypatch.setattr(SqliteStore, "switch_off", full)
        with pytest.raises(UnavailableError):
            switch_off(context, "s", reason="", who="me")
        assert [message.event for message in feed.take()] == ["off"]
        assert switch_on(context, "s", who="me") == []
        assert [message.event for message in feed.take()] == ["on", "set"]
    assert "could not be stored" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("service", "body", "slug"),
    [
        ("shop", {"reason": "x" * 301}, "too-long"),
        ("shop", {"reason": 5}, "bad-message"),
        ("shop", {"because": "x"}, "bad-message"),
        ("..", {}, "bad-service-name"),
        ("a%20b", {}, "bad-service-name"),
    ],
)
def test_what_cannot_be_switched_off(server, service, body, slug):
    answer = server.request("POST", f"/v1/services/{service}/off", body)
    assert (answer.status, answer.slug) == (400, slug)
