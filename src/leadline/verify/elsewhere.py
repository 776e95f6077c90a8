"""Calls in other worlds: what they come to where the databases hold something else.

A fresh place has the database that the calls have left behind, in which each has been made
already. Two versions that do nothing there agree, whatever they would do. So some calls are run
again on copies in which rows say something else or are gone: where the two do otherwise there,
nothing good is said.
"""

import re
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Sequence

from leadline.trial.candidate import Change
from leadline.trial.place import IN_TWIN, RUN_S, Ran
from leadline.verify.aside import Aside
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared, compare_runs, not_run
from leadline.verify.gateways import request_text
from leadline.verify.mentioned import given_to, mentioned
from leadline.verify.places import Places, Worlds
from leadline.verify.state import moved_database, moved_on
from leadline.verify.verdict import Candidate
from leadline.wire.gateway import RESPONSE
from leadline.wire.struct import replace
from leadline.wire.value import Value

MOST_CALLS, MOST_RUNS = 8, 96
"""How many calls are run, of different paths first, and how often all of them: of some 300
wrong candidates that were met, all but one were so within 42 runs, and it within 68."""
LEAST_RUNS = 16
"""How many have to tell something before the text of a service is trusted with its writes: most
wrong candidates were met by then. A choice."""
MOST_S = 30.0
"""For all of them: who waits for a verdict waits as long more; of a function some 5 s."""
_PATIENCE = 4
"""How often more all are run where nothing follows of one, or none agrees: another world tells
more, perhaps."""
_WORD = re.compile(r"\w+")
_WHY = (
    f"on a database that holds something else, the candidate does otherwise ({{}}): {IN_TWIN}"
)
_SAME = (
    "{} calls were run {} times more on copies of the database that hold something else, with "
    "other values or rows that are gone: the candidate did the same in all"
)
_MOST_TOLD = 160
_OF_DATA = frozenset(
    """
    TypeError AttributeError KeyError IndexError ZeroDivisionError OverflowError
    UnicodeDecodeError IntegrityError OperationalError DataError DatabaseError InterfaceError
    ProgrammingError InvalidOperation JSONDecodeError ValidationError
    """.split()
)
"""What is raised by accident for rows that no application would have written, and hardly ever
to refuse something."""


def in_other_worlds(
    found: Sequence[Compared],
    changes: Sequence[Change],
    places: Places,
    left: Aside,
    within_s: float = RUN_S,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> list[Compared]:
    """Run some calls again where the databases hold something else, if they have asked one and
    nothing that is seen tells against the candidate; return those that tell something."""
    if any(one.case.agreed and not one.case.failed
           and one.case.candidate is Candidate.DIFFERS for one in found):  # fmt: skip
        return []
    some = _chosen([one for one in found if _asks(one)])
    if not some:
        return []
    calls = [one.call for one in some]
    asked = {one.call.number: one.control.asked for one in some if one.control is not None}
    said = mentioned(found, changes)

    def run(some: Sequence[CapturedCall], first: int) -> list[Compared]:
        worlds = Worlds(
            range(first, first + len(some)),
            [*map(given_to, some)],
            [asked[one.number] for one in some],
            *said,
        )
        runs = places.run(some, within_s, worlds=worlds)
        pairs = zip(some, runs, strict=False)
        return [_compared_there(call, three, left) for call, three in pairs]

    return _until_one_differs(calls, run, progress)


def _until_one_differs(
    calls: Sequence[CapturedCall],
    run: Callable[[Sequence[CapturedCall], int], list[Compared]],
    progress: Callable[[str, int, int], None],
) -> list[Compared]:
    """Run all calls in one world after the other; `run` is given some and the number of the
    first one's world. One that differs is run once more: it may be luck."""
    times = max(1, MOST_RUNS // len(calls))
    until = time.monotonic() + MOST_S
    elsewhere: list[Compared] = []
    for at in range(times):
        first = at * len(calls) + 1
        progress("running on other databases", first - 1, times * len(calls))
        found = run(calls, first)
        for world, one in enumerate(found, first):
            is_luck = _differs(one) and not any(map(_differs, run([one.call], world)))
            elsewhere += [one] if one.case.agreed and not is_luck else []
        kinds = {one.case.candidate for one in elsewhere}
        tells_no_more = not kinds or Candidate.UNKNOWN in kinds
        if Candidate.DIFFERS in kinds or (tells_no_more and at >= _PATIENCE):
            break
        if time.monotonic() > until:
            break
    return elsewhere


def _compared_there(call: CapturedCall, three: tuple[Ran, Ran, Ran], left: Aside) -> Compared:
    """Compare what became of a call in another world, where the old code says what is right."""
    outcome = three[0].rerun.outcome
    if outcome is None or not all(map(_is_ordinary, three)) or moved_on(*three):
        return not_run(call, "this world tells nothing")
    return compare_runs(replace(call, live=outcome, failed=False), *three, left)


def _differs(one: Compared) -> bool:
    return one.case.agreed and one.case.candidate is Candidate.DIFFERS


def differs_elsewhere(elsewhere: Sequence[Compared]) -> str:
    """Say where the candidate does otherwise in another world, or nothing follows there;
    nothing where it does the same in all."""
    for one in elsewhere:
        if _differs(one):
            which = one.differences[0]
            live, tried = (
                textwrap.shorten(side, _MOST_TOLD) for side in (which.live, which.rerun)
            )
            return _WHY.format(f"{which.where} is {tried} where the old code has {live}")
    open_ = [one.case.reason for one in elsewhere if one.case.candidate is Candidate.UNKNOWN]
    return _WHY.format(open_[0].removesuffix(f": {IN_TWIN}")) if open_ else ""


def same_elsewhere(elsewhere: Sequence[Compared]) -> list[str]:
    """Say how often calls were run in other worlds, where that tells nothing against it."""
    if not elsewhere or differs_elsewhere(elsewhere):
        return []
    return [_SAME.format(len({one.call.number for one in elsewhere}), len(elsewhere))]


def _asks(one: Compared) -> bool:
    case = one.case
    is_good = case.agreed and case.failed is False and case.reached
    runs = [run for run in (one.control, one.candidate) if run is not None]
    return is_good and bool(moved_database(runs))


def _chosen(able: Sequence[Compared]) -> list[Compared]:
    """Return at most `MOST_CALLS`: of different paths first, then such as are given what the
    others are given least, if more than one call is: `price` is one of few columns to order
    by, and an id is no such thing."""
    paths = [_path(one) for one in able]
    given = [_given(one) for one in able]
    counts = Counter(one for some in given for one in some)
    left, found, seen = list(range(len(able))), list[int](), Counter[str]()
    while left and len(found) < MOST_CALLS:
        walked = {paths[at] for at in found}
        worth = {at: sum(1 / (1 + seen[one]) for one in given[at] if counts[one] > 1)
                 for at in left}  # fmt: skip
        best = max(left, key=lambda at: (paths[at] not in walked, worth[at]))
        left.remove(best)
        found.append(best)
        seen.update(given[best])
    return [able[at] for at in sorted(found)]


def _given(one: Compared) -> frozenset[str]:
    """Return what a call is given that can be one of few: plain values, by their names, and
    the words of a request's address."""
    arguments = one.call.live.arguments
    plain = (f"{name}={value!r}" for name, value in arguments.items()
             if value is None or isinstance(value, str | int | float))  # fmt: skip
    return frozenset([*plain, *_WORD.findall(request_text(arguments))])


def _path(one: Compared) -> str:
    runs = (one.control, one.candidate)
    return repr([sorted(run.coursed.touched.items()) for run in runs if run is not None])


def _is_ordinary(ran: Ran) -> bool:
    """Tell whether what a run came to is not for rows that nobody would have written."""
    outcome = ran.rerun.outcome
    if outcome is None or ran.fails:
        return False
    name = _type_of(outcome.value)
    if not outcome.returned and name in _OF_DATA:
        return False
    response = outcome.arguments.get(RESPONSE)
    status = response.get("fields", {}).get("status") if isinstance(response, dict) else None
    return not (isinstance(status, int) and status >= 500)


def _type_of(value: Value) -> str:
    return str(value.get("type", "?")) if isinstance(value, dict) else "?"
