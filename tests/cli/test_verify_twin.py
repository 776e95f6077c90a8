"""Which calls go to a twin, and what is left of them where failing ones have to be others."""

from argparse import Namespace
from collections.abc import Iterator
from types import ModuleType

import pytest

from leadline.cli import verify_sample, verify_twin
from leadline.cli.verify_calls import Captured
from leadline.cli.verify_sample import Tried, _chosen, _instance, sampled
from leadline.cli.verify_twin import _instead, _live, in_twins
from leadline.trial.candidate import make, of_texts
from leadline.trial.outcome import Outcome
from leadline.verify.calls import CapturedCall, Home
from leadline.verify.comparison import Compared
from leadline.verify.judging import Asked
from leadline.verify.verdict import Candidate, Case, Control, Stated, Verdict, judge
from leadline.wire.sample import MAX_CALLS

HOME = Home(path=["/"], cwd="/", file="/m.py")


def call(number: int, **more) -> CapturedCall:
    given = {"document": {"v": 1}, "hit": number, "instance": "a", "size": 10} | more
    return CapturedCall(number, live=Outcome(True), **given)


def tried(number: int, failed: bool, control: Control = Control.AGREES, **more) -> Compared:
    fixed = {"still_fails": False, "expected": True} if failed else {}
    case = Case(failed, control, True, Candidate.SAME, **(fixed | more))
    return Compared(call(number), case)


GOOD = [tried(number, False) for number in range(1, 31)]


def verdict(*parts: Tried) -> Verdict:
    cases = [one.case for part in parts for one in part.compared]
    return judge(cases, Stated(True, True)).verdict


def test_failing_calls_are_taken_from_their_hits_where_the_sample_cannot_have_them() -> None:
    lost = tried(31, True, Control.DIFFERS)
    sample = Tried([*GOOD, lost], "a twin", 93)
    live = Tried([tried(1, True), tried(2, False), tried(3, True)], "at hits", 9)
    assert verdict(sample) is Verdict.UNKNOWN
    one, other = _instead(sample, live)
    assert verdict(one, other) is Verdict.FIXED
    assert [each.call.number for each in other.compared] == [32, 33]
    (note,) = one.notes
    assert note.startswith("1 captured failing calls could not be run again")
    assert "2 others were tried at their hits" in note


def test_those_that_could_be_run_in_the_sample_stay() -> None:
    bad = tried(31, True, still_fails=True)
    lost = tried(32, True, Control.UNKNOWN)
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


class Stopped:
    """Stands for an order and what waits for its answers: Ctrl-C comes before the first."""

    removed = 0

    def hits(self, _: int) -> Iterator[dict]:
        raise KeyboardInterrupt
        yield {}

    def remove(self) -> None:
        Stopped.removed += 1


@pytest.mark.parametrize("place", [verify_sample, verify_twin])
def test_what_is_stopped_before_anything_came_ends_as_by_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, place: ModuleType
) -> None:
    """And says nothing of captured hits, for which one could wait longer."""
    args = Namespace(
        service="shop", seconds="1m", many=5, within=5.0, least=5, fails="", expect=""
    )
    asked = Asked("shop", "m:f", make("x", [of_texts("/m.py", "a\n", "b\n")]), "", "", 5)
    for name in ("ordered", "Waiting"):
        monkeypatch.setattr(place, name, lambda *_, **__: Stopped())
    monkeypatch.setattr(place, "Client", lambda: None)
    before = Stopped.removed
    captured = Captured("shop", "m:f", "", HOME, [call(1)], [])
    at_hits = place is verify_twin
    with pytest.raises(KeyboardInterrupt):
        _live(args, asked, "/m.py", 5, bool) if at_hits else sampled(args, asked, captured)
    assert Stopped.removed == before + 1


def test_a_sample_is_told_also_where_its_failing_calls_were_stopped_at_their_hits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stopped(*_: object, **__: object) -> Tried:
        raise KeyboardInterrupt

    sample = Tried([*GOOD, tried(13, True, Control.DIFFERS)], "a twin", 39)
    monkeypatch.setattr(verify_twin, "sampled", lambda *_: sample)
    monkeypatch.setattr(verify_twin, "_live", stopped)
    args = Namespace(service="shop", fails="result", expect="result", least=5)
    candidate = make("x", [of_texts("/m.py", "def f(): 1\n", "def f(): 2\n")])
    found = in_twins(args, candidate, Captured("shop", "m:f", "", HOME, [call(1)], []))
    assert found.report.verdict is Verdict.UNKNOWN
    assert "not tried at their hits: it was stopped by Ctrl-C" in found.report.notes
