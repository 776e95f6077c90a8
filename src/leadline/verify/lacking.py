"""What a fresh place lacks, as the old code shows: it raises there on calls that were good.

A candidate that raises the same on a failing call has met the same: nothing follows from that.
"""

from collections.abc import Sequence

from leadline.trial.outcome import Outcome
from leadline.trial.place import Ran
from leadline.trial.sides import spelled
from leadline.verify.comparison import Compared, left_open
from leadline.verify.state import in_fresh

_LACKS = "the candidate raised {}, as the old code does in this place on calls that were good"


def without_what_lacks(found: Sequence[Compared]) -> list[Compared]:
    """Return calls with those left open whose candidate has met what the place lacks."""
    lacking = {
        said for one in found
        if one.call.live.returned and one.control is not None and (said := _raised(one.control))
    }  # fmt: skip
    return [_open(one, lacking) for one in found] if lacking else list(found)


def _open(one: Compared, lacking: set[str]) -> Compared:
    if one.candidate is None or not one.case.failed:
        return one
    said = _raised(one.candidate)
    if said not in lacking or said == _spelled(one.call.live):
        return one
    return left_open(one, in_fresh(one.candidate, _LACKS.format(said)))


def _raised(ran: Ran) -> str:
    return _spelled(ran.rerun.outcome)


def _spelled(outcome: Outcome | None) -> str:
    """Return an exception in words; nothing where none left the call."""
    if outcome is None or outcome.returned:
        return ""
    return spelled(outcome.value)
