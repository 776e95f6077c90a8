"""From what a twin has told of the runs of a call to what may be said of it."""

import pytest

from leadline.cli.verify_runs import compare
from leadline.trial.outcome import Outcome
from leadline.verify.calls import CapturedCall
from leadline.verify.verdict import Candidate

CALL = CapturedCall(1, {"v": 1}, Outcome(True, 1), False)


def told(**values):
    reached = ["/m.py:2"]
    return {
        "runs": [
            {"what": what.replace("_", " "), "returned": True, "value": value,
             "reached": reached}
            for what, value in values.items()
        ]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("control_again", "candidate_again", "became"),
    [
        (1, 2, Candidate.DIFFERS),
        (1, 1, Candidate.UNKNOWN),
        (2, 2, Candidate.UNKNOWN),
        (3, 2, Candidate.UNKNOWN),
    ],
)
def test_what_differs_once_is_luck(control_again, candidate_again, became):
    runs = told(
        control_1=1, control_2=1, candidate=2,
        control_again=control_again, candidate_again=candidate_again,
    )  # fmt: skip
    case = compare(CALL, runs, {"/m.py"}).case
    assert case.agreed
    assert case.candidate is became
    assert ("luck" in case.reason) is (became is Candidate.UNKNOWN)


def test_what_was_not_made_again_is_taken_as_it_is():
    found = compare(CALL, told(control_1=1, control_2=1, candidate=2), {"/m.py"})
    assert found.case.candidate is Candidate.DIFFERS
