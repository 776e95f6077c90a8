"""What a twin says of a candidate that it tried: distrusted, compared, cut to size."""

import json
from typing import Any

import pytest

from leadline.agent.capture import outlet
from leadline.agent.twin.child import Birth, Child
from leadline.agent.twin.hushing import safe_view
from leadline.agent.twin.tried import NOT_RUN, tried_of
from leadline.trial import candidate
from leadline.trial.marks import Chance, Mark
from leadline.trial.outcome import Outcome
from leadline.trial.running import Rerun
from leadline.wire.messages import encode
from leadline.wire.probe import Moment, TwinProbe
from leadline.wire.target import parse_place
from leadline.wire.twin import (
    CANDIDATE,
    CONTROLS,
    MAX_ANSWER_BYTES,
    Tried,
    TwinEnd,
    TwinPolicy,
    TwinUse,
    TwinView,
)

JWT = (
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)
FIX = candidate.make("a fix", [candidate.of_texts("/srv/a.py", "x = 1\n", "x = 2\n")])
PROBE = TwinProbe(
    "p1", parse_place("a:f"), TwinUse.VERIFY, (json.dumps(candidate.encode(FIX)),),
    moment=Moment.ENTRY,
)  # fmt: skip


def plain(one: object) -> Any:
    return json.loads(encode(one))


def ran(what: str, value: Any, **more: Any) -> dict[str, Any]:
    rerun = Rerun(Outcome(True, value, {"n": 1}), marks=more.pop("marks", []))
    return {"ran": what, "rerun": plain(rerun), "reached": [["/srv/a.py", 1]], **more}


def tried(*messages: dict[str, Any], live: Any = 5, why: str = "") -> Tried:
    birth = Birth(0.0, 1, "", "", "")
    child = Child(1, PROBE, None, None, birth, -1, 1.0, 0.0)  # type: ignore[arg-type]
    child.closed = True
    child.messages = list(messages)
    child.live = encode(Outcome(True, live, {"n": 1})) if live is not None else None
    return tried_of(child, why)


def test_controls_are_beside_the_live_call_and_the_candidate_beside_a_control() -> None:
    found = tried(ran(CONTROLS[0], 5), ran(CONTROLS[1], 6), ran(CANDIDATE, 5))
    assert (found.title, found.digest) == ("a fix", FIX.digest)
    assert [one.agrees for one in found.controls] == [True, False]
    assert found.candidate is not None
    assert found.candidate.agrees is True
    assert [one.same_as for one in found.runs] == ["", "live", "", "live"]
    assert found.runs[1].reached == ["/srv/a.py:1"]


def test_what_is_not_there_is_not_known() -> None:
    found = tried(ran(CONTROLS[0], 5), {"ended": [CONTROLS[1], 9, "killed"]}, live=None)
    assert [one.agrees for one in found.controls] == [None, None]
    assert found.candidate is not None
    assert (found.candidate.agrees, found.candidate.reason) == (None, NOT_RUN)
    assert found.runs[2].cut == "it came to no end: killed"
    assert found.runs[0].cut == "the live call has not been seen to end"
    ended = tried(why="its life of 10 s was over")
    assert {one.cut for one in ended.runs[1:]} == {"its life of 10 s was over"}


def test_a_clock_that_only_one_of_them_reads_explains_a_difference() -> None:
    clock = [Mark(Chance.CLOCK, "time.time")]
    found = tried(ran(CONTROLS[0], 5, marks=clock), ran(CONTROLS[1], 5), ran(CANDIDATE, 6))
    assert found.candidate is not None
    assert found.candidate.agrees is False
    assert found.candidate.reason == "it reads the clock: time.time"


@pytest.mark.parametrize(
    "message",
    [
        {"ran": CANDIDATE},
        {"ran": CANDIDATE, "rerun": 7},
        {"ran": CANDIDATE, "rerun": {"cut": 1}},
        {"ran": CANDIDATE, "rerun": {"cut": "", "raised": "", "printed": "", "marks": [],
                                     "outcome": {"returned": 1}}},
        {**ran(CANDIDATE, 5), "deep": json.loads("[" * 300 + "]" * 300)},
        {"ran": [CANDIDATE]},
        {"ran": CANDIDATE, "obstacle": {}},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_never_taken_for_equal(message: dict[str, Any]) -> None:
    found = tried(ran(CONTROLS[0], 5), ran(CONTROLS[1], 5), message)
    assert found.candidate is not None
    assert found.candidate.agrees is None
    odd: dict[str, Any] = {"reached": [7, ["a"], [1, 2]], "inside": [1, [2], ["a", "b", 3]]}
    odd |= {"answers": [1, 2, 3], "refused": [[1]]}
    found = tried(ran(CONTROLS[0], 5, **odd), ran(CONTROLS[1], 5), ran(CANDIDATE, 5, **odd))
    assert found.runs[1].reached == found.runs[1].inside == found.runs[1].refused == []
    assert (found.fails, found.expect) == (None, None)


def test_outcomes_are_told_within_the_bytes_of_an_answer() -> None:
    large = ["x" * 1_000] * (MAX_ANSWER_BYTES // 2_500)
    runs = [ran(what, [*large, what]) for what in (*CONTROLS, CANDIDATE)]
    found = tried(*runs, live=[*large, "live"])
    assert [one.omitted > 0 for one in found.runs] == [False, False, True, True]
    assert len(encode(found)) < 2 * MAX_ANSWER_BYTES


def test_secrets_stay_home() -> None:
    value = f"token {JWT}"
    messages = [ran(what, value) for what in (*CONTROLS, CANDIDATE)]
    for one in messages:
        one["rerun"] |= {"raised": "ValueError: password=hunter2", "printed": "token=hunter2"}
    view = TwinView(
        TwinUse.VERIFY, TwinPolicy.THREADS, TwinEnd.DONE, tried=tried(*messages, live=value)
    )
    safe = str(safe_view(view))
    for secret in ("hunter2", JWT):
        assert secret in str(view)
        assert secret not in safe
    outlet.be_strict(True)
    try:
        assert "ValueError" not in str(safe_view(view))
    finally:
        outlet.be_strict(False)
