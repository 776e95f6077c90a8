"""The rules of a verdict: a table of what may be said, and what holds of every combination."""

from itertools import product

import pytest

from leadline.verify.bounds import least_share, most_share
from leadline.verify.verdict import (
    EXIT,
    Candidate,
    Case,
    Control,
    Stated,
    Verdict,
    judge,
    meets,
)

BOTH = Stated(fails=True, expect=True)
FAILS = Stated(fails=True)
NONE = Stated()
LEFT = Stated(fails=True, expect=True, left="m.py:5: it may have left S before")
UNMET = Stated(fails=True, expect=True, least=5, unmet="no call has reached m.py:5")
THERE = Stated(fails=True, expect=True, elsewhere="it does otherwise")
UNTRIED = Stated(fails=True, expect=True, untried=("rates.json", "x.sql"))

GOOD = Case(False, Control.AGREES, True, Candidate.SAME, False)
OTHER = Case(False, Control.AGREES, True, Candidate.DIFFERS, False)
ELSEWHERE = Case(False, Control.AGREES, False, Candidate.SAME, False)
UNSURE = Case(False, Control.AGREES, True, Candidate.UNKNOWN, None, None, "it was cut off")
HANGS = Case(False, Control.AGREES, False, Candidate.UNKNOWN, None, None, "it had not ended")
LOST = Case(False, Control.DIFFERS, True, reason="it reads the clock")
ODD = Case(None, Control.AGREES, True, Candidate.SAME, reason="result is not there")

MET = Case(True, Control.AGREES, True, Candidate.DIFFERS, False, True)
MISSED = Case(True, Control.AGREES, True, Candidate.DIFFERS, False, False)
STILL = Case(True, Control.AGREES, True, Candidate.SAME, True, False)
UNMOVED = Case(True, Control.AGREES, False, Candidate.SAME, True, False)
UNTOLD = Case(True, Control.AGREES, True, Candidate.DIFFERS, False, None, "no answer")
CUT = Case(True, Control.AGREES, True, Candidate.UNKNOWN, None, None, "its life was over")
FAILED_LOST = Case(True, Control.UNKNOWN, True, reason="needs db:5432")

TABLE = [
    # what was seen, what was stated, the verdict, a part of the reason
    ([], BOTH, Verdict.UNKNOWN, "no call was captured"),
    ([LOST] * 20, BOTH, Verdict.UNKNOWN, "it reads the clock"),
    ([FAILED_LOST] * 20, BOTH, Verdict.UNKNOWN, "db:5432"),
    ([ELSEWHERE] * 20, BOTH, Verdict.NOT_EXERCISED, "no call has reached"),
    ([ELSEWHERE] * 20 + [UNMOVED], BOTH, Verdict.NOT_EXERCISED, ""),
    ([ELSEWHERE] * 20 + [LOST], NONE, Verdict.NOT_EXERCISED, ""),
    ([ELSEWHERE] * 2 + [LOST] * 2, NONE, Verdict.NOT_EXERCISED, ""),
    ([ELSEWHERE] * 2 + [LOST] * 3, NONE, Verdict.UNKNOWN, "not agree: it reads the clock"),
    ([GOOD] * 20, NONE, Verdict.NO_DIFFERENCE_SEEN, ""),
    ([GOOD] * 40 + [MET] * 9, THERE, Verdict.UNKNOWN, "it does otherwise"),
    ([GOOD] * 3 + [MET], THERE, Verdict.UNKNOWN, "it does otherwise"),
    ([GOOD] * 40 + [MISSED], THERE, Verdict.NOT_FIXED, ""),
    ([GOOD] * 40 + [OTHER, MET], THERE, Verdict.CHANGES_BEHAVIOUR, ""),
    ([ELSEWHERE] * 20, THERE, Verdict.NOT_EXERCISED, ""),
    ([GOOD] * 20, FAILS, Verdict.NO_DIFFERENCE_SEEN, "no failing call"),
    ([GOOD], NONE, Verdict.NO_DIFFERENCE_SEEN, ""),
    ([GOOD] * 20 + [UNSURE], NONE, Verdict.UNKNOWN, "cut off"),
    ([GOOD] * 20 + [LOST], NONE, Verdict.NO_DIFFERENCE_SEEN, ""),
    ([GOOD] * 20 + [OTHER], NONE, Verdict.CHANGES_BEHAVIOUR, ""),
    ([GOOD] * 20 + [OTHER, UNSURE], NONE, Verdict.CHANGES_BEHAVIOUR, ""),
    ([MET] * 7 + [GOOD] * 193, BOTH, Verdict.FIXED, ""),
    ([MET] * 7 + [GOOD] * 193, FAILS, Verdict.NO_LONGER_FAILS, ""),
    ([MET] * 12, BOTH, Verdict.UNKNOWN, "no call that did not fail was run"),
    ([MET] * 12, FAILS, Verdict.UNKNOWN, "no call that did not fail was run"),
    ([MET] * 12 + [GOOD] * 29, BOTH, Verdict.FIXED, ""),
    ([MET] * 5, BOTH, Verdict.UNKNOWN, "too few"),
    ([MET] * 7 + [GOOD] * 9, UNTRIED, Verdict.UNKNOWN, "rates.json, x.sql are part"),
    ([GOOD] * 20, UNTRIED, Verdict.UNKNOWN, "and not tried"),
    ([MET] * 7 + [GOOD] * 9, LEFT, Verdict.UNKNOWN, "may have left S before"),
    ([GOOD] * 20, LEFT, Verdict.UNKNOWN, "may have left S before"),
    ([MET] * 7 + [OTHER] * 9, LEFT, Verdict.CHANGES_BEHAVIOUR, ""),
    ([MET] * 7 + [GOOD] * 9, UNMET, Verdict.UNKNOWN, "no call has reached m.py:5"),
    ([GOOD] * 20, UNMET, Verdict.UNKNOWN, "no call has reached m.py:5"),
    ([MET] * 7 + [GOOD] * 4, UNMET, Verdict.UNKNOWN, "too few"),
    ([MET] * 7 + [OTHER] * 9, UNMET, Verdict.CHANGES_BEHAVIOUR, ""),
    ([MISSED] * 7 + [GOOD] * 9, UNMET, Verdict.NOT_FIXED, ""),
    ([ELSEWHERE] * 20, UNMET, Verdict.NOT_EXERCISED, ""),
    ([MISSED] * 7 + [GOOD] * 9, LEFT, Verdict.NOT_FIXED, ""),
    ([MET] * 7 + [OTHER] * 9, UNTRIED, Verdict.CHANGES_BEHAVIOUR, ""),
    ([MISSED] * 7 + [GOOD] * 9, UNTRIED, Verdict.NOT_FIXED, ""),
    ([ELSEWHERE] * 20, UNTRIED, Verdict.NOT_EXERCISED, ""),
    ([MET] * 26 + [GOOD] * 28, BOTH, Verdict.UNKNOWN, "28 good calls have come by a changed"),
    ([MET] * 26 + [GOOD] + [ELSEWHERE] * 40, FAILS, Verdict.UNKNOWN, "1 good call has come"),
    ([MET] * 26 + [GOOD] * 29, BOTH, Verdict.FIXED, ""),
    ([MET] * 26 + [GOOD] * 3 + [OTHER], BOTH, Verdict.CHANGES_BEHAVIOUR, ""),
    ([MET] * 12 + [LOST] * 5, BOTH, Verdict.UNKNOWN, "none of the calls that did not fail"),
    ([MET] * 12 + [ELSEWHERE] * 5, BOTH, Verdict.FIXED, ""),
    ([MET] * 12 + [ELSEWHERE] * 5 + [LOST], FAILS, Verdict.NO_LONGER_FAILS, ""),
    ([MET] * 7 + [GOOD] * 30 + [HANGS], BOTH, Verdict.UNKNOWN, "it had not ended"),
    ([GOOD] * 4 + [LOST] * 10, NONE, Verdict.UNKNOWN, "of most calls nothing is known"),
    ([MET] * 7 + [GOOD] * 29 + [LOST] * 37, BOTH, Verdict.UNKNOWN, "of most calls nothing"),
    ([MET] * 7 + [GOOD] * 29 + [LOST] * 36, BOTH, Verdict.FIXED, ""),
    ([GOOD] * 4 + [OTHER] + [LOST] * 100, NONE, Verdict.CHANGES_BEHAVIOUR, ""),
    ([MET] * 2 + [ELSEWHERE] * 50, BOTH, Verdict.UNKNOWN, "too few"),
    ([MET] * 7 + [GOOD] * 30 + [LOST], BOTH, Verdict.FIXED, ""),
    ([MET] * 7 + [GOOD] * 30 + [UNSURE], BOTH, Verdict.UNKNOWN, "cut off"),
    ([MET] * 7 + [GOOD] * 30 + [ODD], BOTH, Verdict.UNKNOWN, "result is not there"),
    ([MET] * 7 + [GOOD] * 30 + [UNTOLD], BOTH, Verdict.UNKNOWN, "no answer"),
    ([MET] * 7 + [GOOD] * 30 + [UNTOLD], FAILS, Verdict.NO_LONGER_FAILS, ""),
    ([MET] * 7 + [GOOD] * 30 + [CUT], BOTH, Verdict.UNKNOWN, "its life was over"),
    ([MET] * 7 + [GOOD] * 30 + [CUT], FAILS, Verdict.UNKNOWN, "its life was over"),
    ([MET] * 7 + [GOOD] * 30 + [FAILED_LOST], BOTH, Verdict.UNKNOWN, "db:5432"),
    ([MET] * 7 + [GOOD] * 30 + [OTHER], BOTH, Verdict.CHANGES_BEHAVIOUR, ""),
    ([MET] * 7 + [GOOD] * 30 + [MISSED], BOTH, Verdict.NOT_FIXED, ""),
    ([MET] * 7 + [GOOD] * 30 + [MISSED], FAILS, Verdict.NO_LONGER_FAILS, ""),
    ([MET] * 7 + [GOOD] * 30 + [STILL], BOTH, Verdict.NOT_FIXED, ""),
    ([MET] * 7 + [GOOD] * 30 + [STILL], FAILS, Verdict.NOT_FIXED, ""),
    ([MET] * 7 + [GOOD] * 30 + [UNMOVED], BOTH, Verdict.NOT_FIXED, ""),
    ([MET] * 7 + [GOOD] * 30 + [STILL, UNSURE, OTHER], BOTH, Verdict.NOT_FIXED, ""),
    ([GOOD] * 20 + [UNMOVED], FAILS, Verdict.NOT_FIXED, ""),
    ([MISSED] * 7 + [GOOD] * 193, BOTH, Verdict.NOT_FIXED, ""),
]


@pytest.mark.parametrize(("cases", "stated", "verdict", "reason"), TABLE)
def test_what_may_be_said(cases, stated, verdict, reason):
    for order in (cases, cases[::-1]):
        said = judge(order, stated)
        assert (said.verdict, said.exit_status) == (verdict, EXIT[verdict])
        assert reason in said.reason
        assert bool(said.reason) == bool(reason) or verdict is Verdict.NOT_EXERCISED


def every_case():
    answers = (True, False, None)
    kinds = product(answers, Control, (True, False), Candidate, answers, answers)
    return [Case(*kind) for kind in kinds]


@pytest.mark.parametrize("stated", [BOTH, FAILS, NONE])
def test_of_every_pair_of_calls_nothing_good_is_said_that_is_not_so(stated):
    every = every_case()
    seen = set()
    for first in every:
        for second in (*every[:: len(every) // 9], first, MET, GOOD, STILL, OTHER, CUT, LOST):
            cases = [first, second, *[MET] * 6, *[GOOD] * 29]
            said = judge(cases, stated)
            seen.add(said.verdict)
            evidence = [case for case in cases if case.is_evidence]
            failing = [case for case in cases if case.failed]
            if said.verdict in (Verdict.FIXED, Verdict.NO_LONGER_FAILS):
                assert all(case.agreed and case.is_evidence for case in failing)
                assert all(meets(case, stated) for case in failing)
                assert all(case.failed or case.candidate is Candidate.SAME for case in evidence)
                assert all(case.failed is not None for case in evidence)
                assert said.shares.unknown == said.shares.differing == 0
            if said.verdict is Verdict.FIXED:
                assert stated.expect
                assert all(case.expected and case.still_fails is False for case in failing)
            if said.verdict is Verdict.CHANGES_BEHAVIOUR:
                assert any(
                    case.failed is False and case.candidate is Candidate.DIFFERS
                    for case in evidence
                )
            if any(
                case.agreed and case.failed and meets(case, stated) is False for case in cases
            ):
                assert said.verdict is Verdict.NOT_FIXED
    assert {Verdict.CHANGES_BEHAVIOUR, Verdict.NOT_FIXED, Verdict.UNKNOWN} <= seen


def test_shares_are_counted_as_they_are():
    shares = judge([MET, MET, MISSED, UNTOLD, GOOD, GOOD, OTHER, UNSURE, LOST, ELSEWHERE,
                    FAILED_LOST], BOTH).shares  # fmt: skip
    assert (shares.calls, shares.agreed, shares.reached) == (11, 9, 8)
    assert (shares.failing, shares.met, shares.failing_lost) == (4, 2, 1)
    assert (shares.others, shares.same, shares.differing, shares.unknown) == (4, 2, 1, 2)


def test_bounds_are_those_of_the_binomial_distribution():
    assert most_share(0, 200) == pytest.approx(0.014867, abs=1e-5)
    assert most_share(0, 0) == 1.0
    assert most_share(4, 200) == pytest.approx(0.045184, abs=1e-4)
    assert most_share(5, 5) == 1.0
    assert least_share(4, 200) == pytest.approx(0.006859, abs=1e-4)
    assert least_share(0, 10) == 0.0
    assert 0.25 < most_share(0, 10) < 0.26
    # a thousand times a thousand calls: no overflow, and in order
    shares = [most_share(count, 100_000) for count in (0, 1, 10, 100, 1000)]
    assert shares == sorted(shares)
