"""How much of a call a test can hold: found out by running it so."""

import time

from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared, Runner
from leadline.verify.exporting import wanted
from leadline.verify.verdict import Candidate, Case
from leadline.verify.writable import forms, is_whole
from leadline.wire.struct import replace

TESTS_S = 30.0
"""For what becomes tests: of a function that takes a second. A choice."""
_AT_ONCE = 10
"""Calls between two looks at the time."""
UNTRIED = "of {} calls it was not found out within {:g} s whether a test can hold them"


def see_held(found: list[Compared], compared: Runner) -> int:
    """Run what becomes a test with so much of each call as a test can hold, and keep what comes
    to the same. Returns for how many calls there was no time."""
    left = [(one, list(forms(one.call))) for one in wanted(found) if not is_whole(one.call)]
    until = time.monotonic() + TESTS_S
    written: dict[int, CapturedCall] = {}
    while left and time.monotonic() < until:
        some, left = left[:_AT_ONCE], left[_AT_ONCE:]
        again = compared([form[0] for _, form in some], "running what becomes a test")
        for other, (one, form) in zip(again, some, strict=True):
            if _is_alike(one.case, other.case):
                written[one.call.number] = form[0]
            elif form[1:]:
                left.append((one, form[1:]))
    found[:] = [replace(one, written=written.get(one.call.number)) for one in found]
    return len(left)


def _is_alike(one: Case, other: Case) -> bool:
    """Tell whether a test of the one call does what one of the other would."""
    if not one.failed:
        return one.agreed and other.agreed and other.candidate is Candidate.DIFFERS
    told = [(case.agreed, case.still_fails, case.expected) for case in (one, other)]
    return told[0] == told[1]
