"""How many calls a verification takes of a running service, and what a report says of them."""

import argparse

import pytest

from leadline.cli import verify_calls
from leadline.cli.verify_view import report_lines
from leadline.verify.calls import CapturedCall
from leadline.verify.verifying import _are_given_main
from reported import REPORT


class Coming:
    """Calls as a capture takes them; `ends` are the times that it was given to go on."""

    def __init__(self, fails: list[bool]) -> None:
        self.fails, self.calls, self.ends = fails, [], []

    def hits(self):
        for one in self.fails:
            self.calls.append(one)
            yield {"call": {"fails": one}}

    def end_in(self, seconds: float) -> None:
        self.ends.append(seconds)


GOOD, BAD = [False], [True]


@pytest.mark.parametrize(
    ("fails", "taken", "ends"),
    [
        (GOOD * 3 + BAD + GOOD * 20, 24, 1),  # it goes on for more, and not for ever
        (GOOD * 8 + BAD * 5, 10, 1),  # until a quarter fails
        (BAD * 3 + GOOD * 9, 8, 0),
    ],
)
def test_a_capture_goes_on_for_calls_that_fail(fails, taken, ends) -> None:
    coming = Coming(fails)
    verify_calls._collect(coming, argparse.Namespace(many=8, fails="raises KeyError"))
    assert len(coming.calls) == taken
    assert coming.ends == [verify_calls._FOR_FAILING_S] * ends


def test_a_capture_that_asks_for_none_ends_with_the_last_of_them() -> None:
    coming = Coming(GOOD * 20)
    verify_calls._collect(coming, argparse.Namespace(many=8, fails=""))
    assert (len(coming.calls), coming.ends) == (8, [])


def test_what_a_fix_does_beside_its_outcome_is_shown() -> None:
    beside = {"where": "work.COUNTS['failed']", "live": "1", "rerun": "<not there>"}
    outcome = {"where": "outcome", "live": "raised KeyError", "rerun": "returned 1"}
    failing = REPORT["cases"][0] | {"differences": [outcome, beside]}
    said = list(report_lines(REPORT | {"cases": [failing]}))
    at = said.index("    work.COUNTS['failed']")
    assert said[at + 1 : at + 3] == ["      control    1", "      candidate  <not there>"]
    assert not any(line.strip() == "outcome" for line in said)


@pytest.mark.parametrize("nodes", [None, 3, [None], [{}], [{"k": "name"}], [["k", "name"]]])
def test_a_file_of_calls_may_hold_anything(nodes) -> None:
    document = {"v": 1, "roots": {}, "nodes": nodes}
    assert not _are_given_main([CapturedCall(1, document, None)])
