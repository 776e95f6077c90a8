"""What a twin says of a candidate that it tried: distrusted, compared, cut to size."""

import json
from typing import Any

import pytest

from leadline.agent.capture import outlet
from leadline.agent.twin.child import Birth, Child
from leadline.agent.twin.hushing import safe_view
from leadline.agent.twin.tried import NOT_RUN, tried_of, tried_on
from leadline.trial import candidate, place
from leadline.trial.course import Coursed
from leadline.trial.marks import Chance, Mark
from leadline.trial.outcome import Outcome
from leadline.trial.place import OPENED
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
    names = ("marks", "raised", "printed")
    beside = {name: more.pop(name) for name in names if name in more}
    rerun = Rerun(Outcome(True, value, {"n": 1}), **beside)
    course = Coursed("a path", 1, {"/srv/a.py": [1]})
    run = place.Ran(1, rerun, course, **{"given": {"n": 1}, **more})
    return {"ran": what, "run": plain(run)}


def broken(what: str, value: Any, **odd: Any) -> dict[str, Any]:
    """A run of which some parts are not what they are to be."""
    said = ran(what, value)
    said["run"] |= odd
    return said


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
    assert [one.given for one in found.runs] == [None] * 4, "they are as the arguments are"
    assert found.runs[1].reached == ["/srv/a.py:1"]


def test_what_is_not_there_is_not_known() -> None:
    found = tried(ran(CONTROLS[0], 5), {"ended": [CONTROLS[1], "killed"]}, live=None)
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
        {"ran": CANDIDATE, "run": 7},
        {"ran": CANDIDATE, "run": {"rerun": {"cut": 1}}},
        broken(CANDIDATE, 5, rerun={"cut": "", "raised": "", "printed": "", "marks": [],
                                    "outcome": {"returned": 1}}),
        broken(CANDIDATE, 5, state={"deep": json.loads("[" * 500 + "]" * 500)}),
        broken(CANDIDATE, 5, more=1),
        broken(CANDIDATE, 5, coursed={"path": "", "lines": 1, "touched": {},
                                      "raised": [{"classes": [1], "at": "", "handled": ""}]}),
        broken(CANDIDATE, 5, inside=[1]),
        broken(CANDIDATE, 5, fails=7),
        {"ran": [CANDIDATE]},
        {"ran": CANDIDATE, "obstacle": {}},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_never_taken_for_equal(message: dict[str, Any]) -> None:
    found = tried(ran(CONTROLS[0], 5), ran(CONTROLS[1], 5), message)
    assert found.candidate is not None
    assert found.candidate.agrees is None


def test_what_a_run_has_changed_beside_its_outcome_is_compared_too() -> None:
    for beside in ({"state": {"shop.COUNT": 2}}, {"inside": {"result given out": [1]}},
                   {"given": {"n": 2}}):  # fmt: skip
        found = tried(ran(CONTROLS[0], 5), ran(CONTROLS[1], 5), ran(CANDIDATE, 5, **beside))
        assert found.candidate is not None
        assert found.candidate.agrees is False, beside
        assert [one.agrees for one in found.controls] == [True, True]
        (name,) = next(iter(beside.values()))
        assert found.candidate.differences[0].where in (name, f"argument {name}")
        assert found.runs[3].same_as == ""


def test_what_runs_have_begun_with_is_told_and_each_function_that_has_run_once() -> None:
    began = {"state": {OPENED: "", "shop.COUNT": 2}}
    found = tried(
        ran(CONTROLS[0], 5, called=["/srv/a.py:f"], **began),
        ran(CONTROLS[1], 5, called=["/srv/a.py:f"], **began),
        ran(CANDIDATE, 6, called=["/srv/a.py:f", "/srv/b.py:g"], **began),
    )
    assert [one.state for one in found.runs] == [{}, {OPENED: ""}, {}, {OPENED: ""}]
    assert [one.called for one in found.runs] == [[], ["/srv/a.py:f"], [], ["/srv/b.py:g"]]


def of_a_sample(*messages: dict[str, Any]) -> Tried:
    return tried_on(PROBE.code, 3, list(messages), "its life was over")


def test_what_came_out_as_before_is_said_once_by_the_twin() -> None:
    bare = ran(CONTROLS[1], None, given=None)
    bare["run"]["rerun"]["outcome"] = None
    found = of_a_sample(ran(CONTROLS[0], 5), bare | {"same_as": CONTROLS[0]}, ran(CANDIDATE, 6))
    assert (found.number, found.obstacle) == (3, "")
    assert [one.returned for one in found.runs] == [True, True, True]
    assert [one.same_as for one in found.runs] == ["", CONTROLS[0], ""]
    assert (found.controls, found.candidate) == ([], None), "the live outcome is not known here"
    of_none = of_a_sample(ran(CONTROLS[0], 5), bare | {"same_as": CANDIDATE})
    assert [one.returned for one in of_none.runs] == [True, None, None]
    assert of_none.runs[2].cut == "its life was over"


def test_outcomes_are_told_within_the_bytes_of_an_answer() -> None:
    large = ["x" * 1_000] * (MAX_ANSWER_BYTES // 2_500)
    runs = [ran(what, [*large, what]) for what in (*CONTROLS, CANDIDATE)]
    found = tried(*runs, live=[*large, "live"])
    assert [one.omitted > 0 for one in found.runs] == [False, False, True, True]
    assert len(encode(found)) < 2 * MAX_ANSWER_BYTES


def test_what_is_the_same_beside_all_outcomes_takes_no_room() -> None:
    table = "x" * MAX_ANSWER_BYTES
    beside = {"shop:ROWS": table, "what is not compared of shop:ROWS": "is too large"}
    counts = (1, 1, 2)
    found = of_a_sample(*(
        ran(what, count, state=beside | {"shop:COUNT": count}, inside={"result": table})
        for what, count in zip((*CONTROLS, CANDIDATE), counts, strict=True)
    ))  # fmt: skip
    assert [one.omitted for one in found.runs] == [0, 0, 0]
    assert found.runs[2].state == {"what is not compared of shop:ROWS": "is too large",
                                   "shop:COUNT": 2}  # fmt: skip


def test_secrets_stay_home() -> None:
    value = f"token {JWT}"
    printed = {"raised": "ValueError: password=hunter2", "printed": "token=hunter2"}
    beside = {"state": {"shop.password": "hunter2", "shop.seen": JWT},
              "inside": {"result.token": "hunter2", "result": JWT}}  # fmt: skip
    messages = [
        ran(what, value, **beside, **printed, given={"n": JWT})
        for what in (*CONTROLS, CANDIDATE)
    ]
    messages[-1]["run"]["state"]["shop.password"] = "hunter3"
    view = TwinView(
        TwinUse.VERIFY, TwinPolicy.THREADS, TwinEnd.DONE, tried=tried(*messages, live=value)
    )
    safe = str(safe_view(view))
    for secret in ("hunter2", "hunter3", JWT):
        assert secret in str(view)
        assert secret not in safe
    outlet.be_strict(True)
    try:
        assert "ValueError" not in str(safe_view(view))
    finally:
        outlet.be_strict(False)


def test_what_redaction_takes_out_tells_two_runs_apart_all_the_same() -> None:
    other = JWT[:-1] + "S"
    secret = {"state": {"shop.password": "11-11"}, "printed": "token=11-11"}
    runs = [ran(what, {"type": "list", "items": [f"token {JWT}"]}, **secret)
            for what in CONTROLS]  # fmt: skip
    secret = {"state": {"shop.password": "22-22"}, "printed": "token=22-22"}
    runs.append(ran(CANDIDATE, {"type": "list", "items": [f"token {other}"]}, **secret))
    view = TwinView(TwinUse.VERIFY, TwinPolicy.THREADS, TwinEnd.DONE, tried=tried(*runs))
    safe = safe_view(view).tried
    assert safe is not None
    _, first, second, candidate_ran = safe.runs
    assert second.same_as == "control 1"
    assert first.value == candidate_ran.value
    assert first.state == candidate_ran.state
    names = {
        f"held back in {one}" for one in ("result.items[0]", "state shop.password", "printed")
    }
    assert first.held.keys() == candidate_ran.held.keys() == names
    for name in names:
        assert first.held[name] != candidate_ran.held[name]
    assert safe_view(view).tried == safe, "the same digest each time"
    assert "11-11" not in str(safe)
    assert "22-22" not in str(safe)
