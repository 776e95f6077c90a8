"""Which calls go to a twin, and what is left of them where failing ones have to be others."""

import pytest

from leadline.cli import verify_sample
from leadline.cli.verify_sample import Tried, _chosen, _instance
from leadline.cli.verify_twin import _instead
from leadline.trial.outcome import Outcome
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared
from leadline.verify.verdict import Candidate, Case, Control, Stated, Verdict, judge
from leadline.wire.sample import MAX_CALLS


def call(number: int, **more) -> CapturedCall:
    given = {"document": {"v": 1}, "hit": number, "instance": "a", "size": 10} | more
    return CapturedCall(number, live=Outcome(True), **given)


def tried(number: int, failed: bool, control: Control = Control.AGREES, **more) -> Compared:
    fixed = {"still_fails": False, "expected": True} if failed else {}
    case = Case(failed, control, True, Candidate.SAME, **(fixed | more))
    return Compared(call(number), case)


GOOD = [tried(number, False) for number in range(1, 13)]


def verdict(*parts: Tried) -> Verdict:
    cases = [one.case for part in parts for one in part.compared]
    return judge(cases, Stated(True, True)).verdict


def test_failing_calls_are_taken_from_their_hits_where_the_sample_cannot_have_them() -> None:
    lost = tried(13, True, Control.DIFFERS)
    sample = Tried([*GOOD, lost], "a twin", 39)
    live = Tried([tried(1, True), tried(2, False), tried(3, True)], "at hits", 9)
    assert verdict(sample) is Verdict.UNKNOWN
    one, other = _instead(sample, live)
    assert verdict(one, other) is Verdict.FIXED
    assert [each.call.number for each in other.compared] == [14, 15]
    (note,) = one.notes
    assert note.startswith("1 captured failing calls could not be run again")
    assert "2 others were tried at their hits" in note


def test_those_that_could_be_run_in_the_sample_stay() -> None:
    bad = tried(13, True, still_fails=True)
    lost = tried(14, True, Control.UNKNOWN)
    live = Tried([tried(1, True)], "at hits", 3)
    parts = _instead(Tried([*GOOD, bad, lost], "a twin", 42), live)
    assert verdict(*parts) is Verdict.NOT_FIXED


def test_where_no_hit_agrees_either_nothing_is_left_out() -> None:
    lost = tried(13, True, Control.DIFFERS)
    live = Tried([tried(1, True, Control.DIFFERS), tried(2, False)], "at hits", 6)
    (sample,) = _instead(Tried([*GOOD, lost], "a twin", 39), live)
    assert verdict(sample) is Verdict.UNKNOWN
    assert sample.notes == ["no failing call could be run again at its hit either"]


def test_a_failing_call_that_is_lost_at_its_hit_counts() -> None:
    lost = tried(13, True, Control.DIFFERS)
    live = Tried([tried(1, True), tried(2, True, Control.UNKNOWN)], "at hits", 6)
    assert verdict(*_instead(Tried([*GOOD, lost], "a twin", 39), live)) is Verdict.UNKNOWN


def test_as_many_calls_as_may_be_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [call(1), call(2, document=None), call(3, hit=0), call(4, size=95), call(5)]
    monkeypatch.setattr(verify_sample, "MAX_BYTES", 30)
    chosen, notes = _chosen(calls)
    assert [one.number for one in chosen] == [1, 5]
    assert notes == ["1 calls are left out: their arguments are more than 30 bytes"]
    many, _ = _chosen([call(number, size=0) for number in range(1, MAX_CALLS + 5)])
    assert len(many) == MAX_CALLS


def test_the_process_is_that_of_most_calls() -> None:
    assert _instance([call(1), call(2, instance="b"), call(3, instance="b")]) == "b"
    assert _instance([]) == ""
