"""Canaries: one instance first, the others when it stayed well, nobody when it did not."""

import signal
from contextlib import closing

import pytest

from leadline.control import trials
from leadline.control.context import Context
from leadline.control.instances import connect, leave
from leadline.control.order import Order
from leadline.control.probes import place, show_probe
from leadline.wire.hit import ProbeState, Report
from leadline.wire.probe import ProbeKind, Status


def canary(server, service, seconds=0.3, **more):
    return server.place(service, canary={"seconds": seconds}, **more)["id"]


def armed(server, info, probe, status=Status.ARMED, **more):
    state = ProbeState(probe, status, more.pop("reason", ""))
    assert server.report(Report(info, states=[state], **more)).status == 204


def steps(server, probe) -> list[str]:
    entries = server.request("GET", "/v1/audit?limit=1000").json["entries"]
    return [
        e["detail"]["step"] for e in entries if (e["action"], e["probe"]) == ("canary", probe)
    ]


def test_it_goes_to_the_longest_connected_and_then_to_all(server, instance):
    one, two = instance("good", "good1"), instance("good", "good2")
    first, second = server.connect(one), server.connect(two)
    first.next(), second.next()
    probe = canary(server, "good")
    assert first.next()[1]["probes"][0]["id"] == probe
    seen = server.probe(probe)
    assert (seen["canary"]["step"], seen["canary"]["instance"]) == ("trying", "good1")
    assert [state["instance"] for state in seen["instances"]] == ["good1"]
    armed(server, one, probe)
    assert second.next()[1]["probes"][0]["id"] == probe  # only after its seconds
    seen = server.probe(probe)
    assert seen["canary"]["step"] == "passed"
    assert (seen["status"], seen["reason"]) == ("armed", "in 1 of 2 instances")
    assert steps(server, probe) == ["trying", "trying", "passed"]
    later = server.connect(instance("good", "good3"))
    assert [p["id"] for p in later.next()[1]["probes"]] == [probe]


def test_nobody_else_hears_of_it_while_it_is_tried(server, instance, until):
    one, two = instance("held", "held1"), instance("held", "held2")
    first, second = server.connect(one), server.connect(two)
    first.next(), second.next()
    probe = canary(server, "held", seconds=3_000)
    first.next()
    armed(server, one, probe)
    seen = until(lambda: (p := server.probe(probe))["canary"]["since"] and p)
    assert (seen["status"], seen["reason"]) == ("armed", "canary in held1, one of 2 instances")
    assert server.connect(instance("held", "held3")).next()[1]["probes"] == []
    mark = server.place("held")["id"]
    assert second.next()[1]["probes"][0]["id"] == mark
    server.request("DELETE", f"/v1/probes/{probe}")
    assert first.next()[1]["probes"][0]["id"] == mark
    assert first.next()[1]["ids"] == [probe]


def test_it_waits_for_the_first_that_comes(server, instance, until):
    probe = canary(server, "awaited", seconds=0.1)
    seen = server.probe(probe)
    assert (seen["status"], seen["canary"]["step"]) == ("pending", "waiting")
    assert seen["reason"] == "no instance of 'awaited' is connected"
    info = instance("awaited", "awaited1")
    stream = server.connect(info)
    assert stream.next()[1]["probes"] == []
    assert stream.next()[1]["probes"][0]["id"] == probe
    armed(server, info, probe)
    until(lambda: server.probe(probe)["canary"]["step"] == "passed")


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ({"status": Status.SUSPENDED, "reason": "over budget"}, "suspended: over budget"),
        ({"status": Status.ERROR, "reason": "no such line"}, "error: no such line"),
        ({"status": Status.MISMATCH, "reason": "other code"}, "mismatch: other code"),
        ({"faults": {"capture": 2}}, "its agent had 2 new faults"),
        ({"dropped": {"full": 8}}, "its agent dropped 5 more hits"),
    ],
)
def test_it_ends_when_that_instance_is_not_well(server, instance, until, trouble, reason):
    service = f"ill-{reason.split()[-1]}"
    one, two = instance(service, f"{service}-1"), instance(service, f"{service}-2")
    first, second = server.connect(one), server.connect(two)
    first.next(), second.next()
    server.report(Report(one, dropped={"full": 3}))
    probe = canary(server, service, seconds=3_000)
    first.next()
    armed(server, one, probe, dropped={"full": 3})
    until(lambda: server.probe(probe)["canary"]["since"])
    armed(server, one, probe, **({"dropped": {"full": 3}} | trouble))
    assert first.next()[1]["ids"] == [probe]
    seen = server.probe(probe)
    assert (seen["status"], seen["reason"]) == (
        "expired",
        f"its canary in {one.id} failed: {reason}",
    )
    mark = server.place(service)["id"]
    assert second.next()[1]["probes"][0]["id"] == mark
    entries = server.request("GET", "/v1/audit?limit=1000").json["entries"]
    (over,) = [e for e in entries if (e["action"], e["probe"]) == ("expired", probe)]
    assert (over["who"], over["detail"]["reason"]) == ("server", seen["reason"])


def test_it_ends_when_that_instance_is_gone(tmp_path, monkeypatch, instance, until):
    monkeypatch.setattr(trials, "GONE_S", 0.1)
    with closing(Context(tmp_path / "hits.db")) as context:
        feed = connect(context, "shop", instance("shop", "i1"))
        order = Order(ProbeKind.LOG, "app.py:3", template="x", canary_s=60.0)
        probe = place(context, order, who="user", service="shop").id
        until(lambda: show_probe(context, probe).canary.instance == "i1")
        leave(context, feed)
        until(lambda: show_probe(context, probe).status is Status.EXPIRED)
        assert show_probe(context, probe).reason == "its canary in i1 failed: it is gone"


def test_a_canary_survives_the_server(own_server, instance, until):
    server = own_server().start()
    one, two = instance("shop", "s1"), instance("shop", "s2")
    first, second = server.connect(one), server.connect(two)
    first.next(), second.next()
    probe = canary(server, "shop", seconds=1.0)
    first.next()
    armed(server, one, probe)
    until(lambda: server.probe(probe)["canary"]["since"])
    server.stop(signal.SIGKILL)
    server.start()
    second = server.connect(two)
    assert second.next()[1]["probes"] == []
    first = server.connect(one)
    assert [p["id"] for p in first.next()[1]["probes"]] == [probe]
    assert server.probe(probe)["canary"]["step"] == "trying"
    assert second.next()[1]["probes"][0]["id"] == probe
    assert server.probe(probe)["canary"]["step"] == "passed"


@pytest.mark.parametrize("seconds", [0, -1, 3_601, 1e308])
def test_how_long_a_canary_may_be(server, seconds):
    body = {
        "kind": "log",
        "target": "app.py:3",
        "template": "x",
        "canary": {"seconds": seconds},
    }
    answer = server.request("POST", "/v1/services/bad/probes", body)
    assert (answer.status, answer.slug) == (400, "bad-limit")


def test_its_seconds_begin_again_after_a_switch(server, instance, until):
    one, two = instance("switched", "sw1"), instance("switched", "sw2")
    first, second = server.connect(one), server.connect(two)
    first.next(), second.next()
    probe = canary(server, "switched", seconds=1.0)
    first.next()
    armed(server, one, probe)
    until(lambda: server.probe(probe)["canary"]["since"])
    server.request("POST", "/v1/services/switched/off", {})
    assert [first.next()[0], second.next()[0]] == ["off", "off"]
    since = server.probe(probe)["canary"]["since"]
    server.request("POST", "/v1/services/switched/on")
    assert [second.next()[0], second.next()[1]["probes"]] == ["on", []]
    until(lambda: server.probe(probe)["canary"]["since"] > since)
    assert server.probe(probe)["canary"]["step"] == "trying"
    assert second.next()[1]["probes"][0]["id"] == probe
