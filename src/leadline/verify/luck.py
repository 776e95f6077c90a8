"""Differences that luck can have made: a value that is another one each time in some calls was
the same in both controls of this one by chance, perhaps."""

import re
from collections.abc import Sequence

from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared, Runner
from leadline.verify.masks import is_masked
from leadline.verify.verdict import Candidate
from leadline.wire.struct import replace

_INDEX = re.compile(r"\[\d+\]")
_BY_LUCK = "{} is another each time in the old code in other calls: this may be luck"
_ONCE = "{} differs in one run and not in the next: it is luck"
FEW = 20
"""Differing good calls that are run again. Of more, luck would have shown in a control: of the
three runs of a call each is as often the one that meets it, so that twenty times it is the
candidate's, and never a control's, once in 3 ** 20."""
MOST_MS = 10_000
"""Of all of them: who waits for a verdict waits as long again, at each of `TIMES`."""
TIMES = 2
"""How often they are: a draw of one in thirty, that a candidate has met, it meets both times
again once in nine hundred verdicts, where one time more would leave one in thirty."""


def see_luck(found: list[Compared], calls: Sequence[CapturedCall], compared: Runner) -> None:
    """Run calls again that differ, if they are few: what differs no more is left open."""
    for _ in range(TIMES):
        if few := _to_run_again(found):
            again = compared([calls[number] for number in few], "running again")
            for number, one in zip(few, again, strict=True):
                found[number] = once_more(found[number], one)


def _to_run_again(compared: Sequence[Compared]) -> list[int]:
    """Return which calls are worth running again, by index: good ones that differ, if few."""
    found = [number for number, one in enumerate(compared) if may_be_luck(one)]
    takes = sum(ran.ms for number in found if (ran := compared[number].candidate) is not None)
    return found if len(found) <= FEW and takes < MOST_MS else []


def once_more(one: Compared, again: Compared) -> Compared:
    """Leave a differing call open where it does not differ when all is run again."""
    if again.case.candidate is Candidate.DIFFERS:
        return one
    where = one.differences[0].where if one.differences else "it"
    case = replace(one.case, candidate=Candidate.UNKNOWN, reason=_ONCE.format(where))
    return replace(one, case=case)


def may_be_luck(one: Compared) -> bool:
    """Tell whether a good call differs: failing ones are to differ."""
    case = one.case
    return case.agreed and not case.failed and case.candidate is Candidate.DIFFERS


def without_luck(compared: Sequence[Compared]) -> list[Compared]:
    """Leave open the good calls that differ only where the old code differs from itself in
    another call: a random draw with few outcomes, the order of a set of two."""
    noisy, odd = _paths(compared, "noise"), _paths(compared, "odd")
    return [_of(one, noisy, odd) if noisy else one for one in compared]


def _paths(compared: Sequence[Compared], kind: str) -> tuple[str, ...]:
    agreed = [getattr(one, kind) for one in compared if one.case.agreed]
    return tuple({_INDEX.sub("[]", path) for paths in agreed for path in paths})


def _of(one: Compared, noisy: tuple[str, ...], odd: tuple[str, ...]) -> Compared:
    """What differs where this call's own controls do, and is no noise there, was not alike in
    them by luck; but a value that is now and then of another sort may be."""
    if not may_be_luck(one) or not one.differences:
        return one
    wheres = [_INDEX.sub("[]", difference.where) for difference in one.differences]
    own = {_INDEX.sub("[]", path) for path in one.noise}
    if any(not is_masked(where, noisy) for where in wheres):
        return one
    if any(where in own and not is_masked(where, odd) for where in wheres):
        return one
    where = one.differences[0].where
    case = replace(one.case, candidate=Candidate.UNKNOWN, reason=_BY_LUCK.format(where))
    return replace(one, case=case)
