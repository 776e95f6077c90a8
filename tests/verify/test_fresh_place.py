"""Candidates run in fresh sealed places, on calls of the demo's shop."""

import pytest
from benchmarks.verify.calling import home

from leadline.trial.candidate import from_diff
from leadline.verify.sources import finder
from leadline.wire.struct import replace
from verify.shop import FIXES, SHOP, report, verified


def test_a_right_fix_is_fixed(quotes):
    found = report(quotes, "good")
    assert found.sentence == (
        "fixed: 2 of 2 failing calls meet the expectation, 11 of 11 other calls the same; "
        "control agreed on 18 of 18; changed lines reached by 13; "
        "at most 24 % of such calls could still differ (95 %)"
    )
    assert (found.verdict, found.exit_status, found.runs) == ("fixed", 0, 54)
    (case, _) = [one for one in found.cases if one.sort == "failing"]
    assert "ZeroDivisionError" in case.live
    assert case.candidate.startswith("returned {'currency': 'EUR'")
    assert found.paths > 1


@pytest.mark.soak
def test_of_calls_captured_before_anybody_said_which_fail_the_control_tells(quotes):
    late = [replace(call, failed=None, is_asked_late=True) for call in quotes]
    assert report(late, "good").sentence == report(quotes, "good").sentence


def test_a_fix_that_only_looks_right_changes_behaviour(quotes):
    found = report(quotes, "plausible")
    assert found.sentence.startswith(
        "changes behaviour: 2 of 2 failing calls meet the expectation, "
        "5 of 11 good calls differ; "
    )
    differing = [one for one in found.cases if one.sort == "differing"]
    assert len(differing) == 5
    sizes = [len(one.differences) for one in differing]
    assert sizes == sorted(sizes)
    assert {one.where: (one.live, one.rerun) for one in differing[0].differences} == {
        "result['lines'][1]['amount']": ("2480", "2305"),
        "result['lines'][2]['amount']": ("2480", "2655"),
        "result['lines'][1]['discount']": ("500", "675"),
        "result['lines'][2]['discount']": ("500", "325"),
    }
    assert found.exit_status == 1


@pytest.mark.soak
def test_an_expectation_that_no_call_meets_is_told(quotes):
    for expect in ('result["total"] > 0', 'result["totl"] > 0'):
        found = report(quotes, "good", expect)
        told = [note for note in found.notes if "no call meets the expectation" in note]
        assert (found.verdict, bool(told)) == (
            ("fixed", False) if "total" in expect else ("not fixed", True)
        )


@pytest.mark.soak
def test_a_fix_that_swallows_the_error_is_none(quotes):
    found = report(quotes, "swallow")
    assert found.verdict == "not fixed"
    where = "ZeroDivisionError is still raised at shop/pricing.py:27"
    assert f"{where} and swallowed at shop/pricing.py:" in found.sentence
    assert report(quotes, "swallow", "").sentence.startswith(
        f"no longer fails: 2 of 2 failing calls do not fail any more, "
        f"11 of 11 other calls the same, {where} and swallowed at "
    )


def test_a_fix_that_returns_nothing_does_not_meet_what_is_asked_of_a_result(quotes):
    place = home(SHOP)
    text = (FIXES / "swallow.diff").read_text()
    nothing = text.replace('return {"currency": "EUR", "lines": [], "total": 0}', "return None")
    tried = from_diff(nothing, finder(place.path, place.cwd))
    few = [call for call in quotes if call.failed] + quotes[:2]
    found = verified(few, tried, place, 'result["total"] > 0').report
    assert found.sentence.startswith("not fixed: 0 of 2 failing calls meet the expectation, ")


@pytest.mark.soak
def test_what_no_call_reaches_is_not_exercised(quotes):
    found = report(quotes, "unrelated")
    assert found.sentence == (
        "not exercised: no call has reached a changed line; "
        "control agreed on 18 of 18; changed lines reached by 0"
    )
    assert found.exit_status == 2
