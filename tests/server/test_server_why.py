"""Why a probe shows nothing: one sentence for each instance."""

import pytest

from leadline.control.why import why
from leadline.wire.hit import ProbeState, Report
from leadline.wire.probe import (
    CounterProbe,
    ExceptionProbe,
    Fate,
    LogProbe,
    Moment,
    Status,
    TimerProbe,
)
from leadline.wire.target import FunctionTarget, Target

LINE = LogProbe("p1", Target("app.py", 3), "x")
COUNT = CounterProbe("p1", Target("app.py", 3))
CALL = TimerProbe("p1", FunctionTarget("app", "main"))
CATCH = ExceptionProbe("p1", FunctionTarget("app", "main"))
ENTRY = CounterProbe("p1", FunctionTarget("app", "main"), moment=Moment.ENTRY)
FALSE, UNKNOWN = Fate.CONDITION_FALSE, Fate.CONDITION_UNKNOWN


def state(status=Status.ARMED, reason="", **more) -> ProbeState:
    return ProbeState("p1", status, reason, **more)


@pytest.mark.parametrize(
    ("probe", "said", "sentence"),
    [
        (LINE, state(), "armed; its line was reached 0 times"),
        (
            LINE,
            state(entered=12),
            "armed; its line was reached 0 times, its function was entered 12 times",
        ),
        (LINE, state(fates={FALSE: 40}), "armed; condition false 40 times"),
        (
            LINE,
            state(fates={UNKNOWN: 3}, unknown="no attribute x"),
            "armed; condition unknown 3 times: no attribute x",
        ),
        (
            LINE,
            state(fates={Fate.CAPTURED: 1, FALSE: 1_200, UNKNOWN: 0}),
            "armed; captured once, condition false 1,200 times",
        ),
        (LINE, state(fates={Fate.RATE_LIMITED: 5}), "armed; over its rate 5 times"),
        (COUNT, state(fates={Fate.CAPTURED: 7}), "armed; counted 7 times"),
        (CALL, state(), "armed; its function was not called"),
        (
            CALL,
            state(entered=1),
            "armed; its function was entered once and was not seen to end",
        ),
        (CATCH, state(), "armed; no such exception was seen"),
        (ENTRY, state(), "armed; its function was not called"),
        (
            LINE,
            state(Status.SUSPENDED, "over the budget", fates={Fate.OVER_BUDGET: 2}),
            "suspended: over the budget; over the budget 2 times",
        ),
        (LINE, state(Status.EXPIRED), "expired: its time to live is over"),
        (LINE, state(Status.ERROR, "a comment"), "it cannot be armed here: a comment"),
        (LINE, state(Status.MISMATCH, "no"), "this instance runs another version: no"),
        (LINE, state(Status.PENDING, "app is not imported"), "waiting: app is not imported"),
        (LINE, state(Status.PENDING), "waiting: it has not answered yet"),
    ],
)
def test_one_sentence(probe, said, sentence):
    assert why(probe, said) == sentence


def test_what_is_over_says_so_first():
    assert why(LINE, state(), "expired: its 5 seconds are over") == (
        "expired: its 5 seconds are over"
    )
    assert why(LINE, state(fates={FALSE: 2}), "removed: removed") == (
        "removed: removed; until then condition false 2 times"
    )


def test_a_gone_instance_has_its_last_word():
    assert why(LINE, state(entered=2), gone=True) == (
        "this instance is gone; its last word: armed; its line was reached 0 times, its "
        "function was entered 2 times"
    )


def test_every_status_has_a_sentence():
    assert all(why(LINE, state(status, "because")) for status in Status)


def test_each_instance_has_its_own(server, instance):
    one, two = instance("reasons", "reasons1"), instance("reasons", "reasons2")
    for info in (one, two):
        server.connect(info).next()
    probe = server.place("reasons")["id"]
    said = state(entered=12, fates={}, file="/srv/app.py", line=3)
    server.report(Report(one, states=[ProbeState(probe, said.status, entered=12)]))
    seen = {s["instance"]: s for s in server.probe(probe)["instances"]}
    assert seen["reasons1"]["entered"] == 12
    assert seen["reasons1"]["why"] == (
        "armed; its line was reached 0 times, its function was entered 12 times"
    )
    assert seen["reasons2"]["why"] == "waiting: it has not answered yet"
    server.request("DELETE", f"/v1/probes/{probe}")
    seen = {s["instance"]: s for s in server.probe(probe)["instances"]}
    assert seen["reasons1"]["why"] == "removed: removed"
