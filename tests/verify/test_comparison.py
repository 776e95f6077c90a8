"""From runs to cases: what agrees, what is noise, what stays unknown."""

import pytest

from leadline.trial.course import Coursed, Raised
from leadline.trial.outcome import Outcome
from leadline.trial.place import Ran
from leadline.trial.running import Rerun
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import compare_runs
from leadline.verify.verdict import Candidate, Control
from leadline.wire.twin import Refusal

REACHED = Coursed("path", 3, {"/m.py": [2]})


def plain(**entries):
    return {
        "type": "dict",
        "length": len(entries),
        "entries": [list(one) for one in entries.items()],
    }


def ran(value=1, *, returned=True, cut="", refused=(), printed="", state=None, fails=None,
        expected=None, course=REACHED, **arguments):  # fmt: skip
    outcome = None if cut else Outcome(returned, value, arguments)
    return Ran(1, Rerun(outcome, cut, "", printed), course, list(refused), fails, expected,
               state=state or {})  # fmt: skip


def call(value=1, *, returned=True, failed=False, **arguments):
    return CapturedCall(1, {"v": 1}, Outcome(returned, value, arguments), failed)


def case(live, first, second, candidate):
    return compare_runs(live, first, second, candidate).case


def test_all_the_same():
    found = case(call(), ran(), ran(), ran())
    assert (found.control, found.candidate, found.reached) == (
        Control.AGREES, Candidate.SAME, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (ran(2), ran(2), "result was 1, and is 2 in the control"),
        (ran(1), ran(2), "comes out differently each time"),
        (ran(1, returned=False), ran(1, returned=False), "outcome was returned 1"),
        (ran(x=1), ran(x=1), "argument x was <not there>"),
    ],
)
def test_a_control_that_does_not_agree_proves_nothing(first, second, reason):
    found = case(call(), first, second, ran())
    assert found.control is Control.DIFFERS
    assert reason in found.reason
    assert not found.is_evidence


def test_a_control_without_an_outcome_is_unknown_and_says_what_was_refused():
    lost = ran(cut="it waits", refused=[Refusal("socket", "")])
    found = case(call(), ran(), lost, ran())
    assert found.control is Control.UNKNOWN
    assert found.reason.startswith("it waits (refused: ")


def test_what_differs_between_the_controls_is_masked_and_told():
    live, one, other = (plain(at=stamp, total=5) for stamp in (17.5, 18.5, 19.5))
    same = compare_runs(call(live), ran(one), ran(other), ran(plain(at=20.5, total=5)))
    assert (same.case.candidate, same.noise) == (Candidate.SAME, ["result['at']"])
    differs = compare_runs(call(live), ran(one), ran(other), ran(plain(at=20.5, total=6)))
    assert [one.where for one in differs.differences] == ["result['total']"]


def test_what_no_chance_can_have_made_is_seen_beneath_a_mask():
    live, one, other = (plain(at=stamp, total=5) for stamp in (17.5, 18.5, 19.5))
    found = compare_runs(call(live), ran(one), ran(other), ran(plain(at=None, total=5)))
    assert found.case.candidate is Candidate.DIFFERS


@pytest.mark.parametrize(
    "tried",
    [
        ran(2),
        ran(1, returned=False),
        ran(1, printed="more"),
        ran(1, state={"shop.COUNT": 3}),
        ran(1, cart={"type": "list", "length": 1, "items": [1]}),
    ],
)
def test_whatever_differs_from_the_control_is_seen(tried):
    assert case(call(), ran(), ran(), tried).candidate is Candidate.DIFFERS


def test_a_candidate_that_tries_no_more_what_the_controls_tried_differs():
    refused = [Refusal("open", "/var/log/x")]
    found = compare_runs(call(), ran(refused=refused), ran(refused=refused), ran())
    assert [one.where for one in found.differences] == ["outside"]


@pytest.mark.parametrize(
    ("tried", "reason"),
    [
        (ran(cut="it had not ended after 5 s"), "the candidate: it had not ended"),
        (ran(refused=[Refusal("socket", "")]), "and no control did"),
        (ran(2, refused=[Refusal("socket", "")]), "and no control did"),
    ],
)
def test_what_the_world_would_have_answered_is_unknown(tried, reason):
    found = case(call(), ran(), ran(), tried)
    assert found.candidate is Candidate.UNKNOWN
    assert reason in found.reason


@pytest.mark.parametrize("omitted", ["items", "depth", "text", "room"])
def test_an_outcome_that_was_cut_short_is_not_the_same(omitted):
    large = {"type": "list", "length": 5, "items": [1], "omitted": omitted}
    found = case(call(large), ran(large), ran(large), ran(large))
    assert found.candidate is Candidate.UNKNOWN


def test_a_failing_call_has_to_fail_in_the_control_too():
    live = call(failed=True)
    found = case(live, ran(fails=False), ran(fails=False), ran(fails=False, expected=True))
    assert found.control is Control.DIFFERS


def test_of_what_a_framework_answers_the_error_that_it_met_is_named():
    """The live call returned, and fails all the same: its response says so."""
    met = Raised(("builtins.KeyError",), "site.py:3", "")
    own = Raised(("builtins.ValueError",), "site.py:7", "site.py:8")
    failed = ran(course=Coursed(raised=[own, met]), fails=True)
    takes = Coursed(raised=[own, Raised(met.classes, met.at, "site.py:4")])
    live = call(failed=True)
    found = compare_runs(live, failed, failed, ran(2, course=takes))
    assert found.swallowed == takes.raised[1]
    assert compare_runs(live, failed, failed, failed).swallowed is None


def test_what_is_still_raised_and_swallowed_is_named():
    error = {"type": "KeyError", "form": "call", "items": ["x"], "length": 1}
    live = call(error, returned=False, failed=True)
    failed = ran(error, returned=False, fails=True)
    course = Coursed("path", 3, {"/m.py": [2]}, [
        Raised(("ValueError", "Exception"), "m.py:1", "m.py:2"),
        Raised(("KeyError", "LookupError"), "m.py:3", "m.py:4"),
    ])  # fmt: skip
    found = compare_runs(live, failed, failed, ran(0, fails=False, course=course))
    assert found.swallowed == course.raised[1]
    assert compare_runs(live, failed, failed, failed).swallowed is None


def test_of_a_failing_call_whose_outcome_is_not_shown_nothing_good_follows():
    """A twin asks what is expected of the outcome itself, and may find no room to show it."""
    live = call("ValueError", returned=False, failed=True)
    control = ran("ValueError", returned=False, fails=True)
    for expected, still_fails in ((True, False), (False, False), (False, True)):
        hidden = ran(cut="no room", fails=still_fails, expected=expected)
        found = case(live, control, control, hidden)
        assert (found.expected, found.still_fails) == (
            None if expected else False, still_fails or None,
        )  # fmt: skip
        assert "no room" in found.reason
