"""What a second look at the server found."""

import time

import pytest

from leadline.control import trials
from leadline.wire.hit import ProbeState, Report
from leadline.wire.probe import Status


def say(server, info, probe, status, reason=""):
    report = Report(info, states=[ProbeState(probe, status, reason)])
    assert server.report(report).status == 204


def test_a_canary_goes_on_from_a_process_that_never_imports_the_module(server, instance, until):
    main, worker = instance("forking", "forking0"), instance("forking", "forking1")
    first, second = server.connect(main), server.connect(worker)
    first.next(), second.next()
    probe = server.place("forking", canary={"seconds": 0.2})["id"]
    assert first.next()[1]["probes"][0]["id"] == probe
    say(server, main, probe, Status.PENDING, "app is not imported yet in this process")
    assert first.next()[1]["ids"] == [probe]
    assert second.next()[1]["probes"][0]["id"] == probe
    assert server.probe(probe)["canary"]["instance"] == "forking1"
    say(server, worker, probe, Status.ARMED)
    until(lambda: server.probe(probe)["canary"]["step"] == "passed")
    assert first.next()[1]["probes"][0]["id"] == probe


@pytest.mark.soak
def test_a_canary_that_everybody_waits_with_stays_with_the_last(server, instance, until):
    infos = [instance("lazy", f"lazy{number}") for number in range(2)]
    streams = [server.connect(info) for info in infos]
    for stream in streams:
        stream.next()
    probe = server.place("lazy", canary={"seconds": 0.2})["id"]
    for info, stream in zip(infos, streams, strict=True):
        assert stream.next()[1]["probes"][0]["id"] == probe
        say(server, info, probe, Status.PENDING, "not imported yet")
    time.sleep(trials.PENDING_S + 5 * trials.LOOK_S)  # it would have moved by then
    seen = server.probe(probe)
    assert (seen["canary"]["step"], seen["canary"]["instance"]) == ("trying", "lazy1")
    say(server, infos[1], probe, Status.ARMED)
    until(lambda: server.probe(probe)["canary"]["step"] == "passed")


@pytest.mark.parametrize("path", ["/v1/off", "/v1/services/odd/off"])
def test_a_kill_switch_takes_a_reason_that_is_no_text(server, path):
    answer = server.request("POST", path, {"reason": "bytes \udcff\ud800"})
    try:
        assert answer.status == 200, answer
        assert [switch["reason"] for switch in answer.json["off"]] == ["bytes \\udcff\\ud800"]
    finally:
        server.request("POST", path.replace("/off", "/on"), {})
