"""Differences that luck can have made: a value that is another one each time in some calls was
the same in both controls of this one by chance, perhaps."""

import re
from collections.abc import Sequence

from leadline.verify.comparison import Compared, is_masked
from leadline.verify.verdict import Candidate
from leadline.wire.struct import replace

_INDEX = re.compile(r"\[\d+\]")
_BY_LUCK = "{} is another each time in the old code in other calls: this may be luck"


def without_luck(compared: Sequence[Compared]) -> list[Compared]:
    """Leave open the good calls that differ only where the old code differs from itself in
    another call: a random draw with few outcomes, the order of a set of two."""
    noisy = tuple(
        {_INDEX.sub("[]", path) for one in compared if one.case.agreed for path in one.noise}
    )
    return [_of(one, noisy) if noisy else one for one in compared]


def _of(one: Compared, noisy: tuple[str, ...]) -> Compared:
    if one.case.failed or one.case.candidate is not Candidate.DIFFERS or not one.differences:
        return one
    wheres = [difference.where for difference in one.differences]
    if not all(is_masked(_INDEX.sub("[]", where), noisy) for where in wheres):
        return one
    case = replace(one.case, candidate=Candidate.UNKNOWN, reason=_BY_LUCK.format(wheres[0]))
    return replace(one, case=case)
