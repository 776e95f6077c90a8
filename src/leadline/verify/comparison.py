"""From the runs of one call to what the rules need to know of it.

The control was run in two places that share nothing but the code and the call. What differs
between those two is noise: it is masked where the candidate is compared, and shown.
"""

import re
from collections.abc import Callable, Sequence

from leadline.trial.accident import chances, without_chance
from leadline.trial.comparing import Apart, apart, explained
from leadline.trial.course import Raised
from leadline.trial.outcome import Outcome
from leadline.trial.place import UNSEEN, UNSHOWN, Ran
from leadline.verify.calls import CapturedCall
from leadline.verify.state import aligned, begins_at, comparable, named, uncompared
from leadline.verify.verdict import Candidate, Case, Control
from leadline.wire.errors import WireError
from leadline.wire.refusals import attempt_words
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.twin import Difference, Refusal
from leadline.wire.value import LIMITS, Value

_LIMITS = frozenset(LIMITS)
_MAX_WALKED = 1_000_000
_HOLDS_ALREADY = (
    "what is expected holds for the old code as well, which raises: it says nothing of a result"
)
_ROOT = re.compile(rf"(len\(|order\()?argument (?={UNSHOWN})|argument ")
BETWEEN = "while the generator stood"
_ARGUMENT = ("argument ", "len(argument ")
_ROOTS = frozenset(("outcome", "result", "exception"))
"""Where noise leaves nothing to compare."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One call with all that is known of it.

    `differences` are between control and candidate, the shortest paths first; `noise` are the
    paths that were masked. `swallowed` is what the failing call raised, and the candidate still
    raises, and swallows.
    """

    call: CapturedCall
    case: Case
    control: Ran | None = None
    candidate: Ran | None = None
    differences: list[Difference] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    swallowed: Raised | None = None


def compare_runs(
    call: CapturedCall,
    first: Ran,
    second: Ran,
    candidate: Ran,
    is_own: Callable[[str], bool] = lambda _: False,
) -> Compared:
    """Compare what became of one call. `first` and `second` are the control's runs. State that
    is the candidate's own, no old code can look at."""
    try:
        state = {
            name: one for name, one in candidate.state.items() if not begins_at(is_own, name)
        }
        candidate = replace(candidate, state=state)
        return _compare(call, first, second, candidate)
    except WireError as error:
        return Compared(call, Case(call.failed, Control.UNKNOWN, reason=error.message))


def not_replayable(call: CapturedCall) -> Compared:
    """Return what is known of a call that cannot be made again."""
    return Compared(call, Case(call.failed, Control.UNKNOWN, reason=call.obstacle))


def left_open(one: Compared, reason: str) -> Compared:
    """Return a call of which nothing follows: the candidate changes more than is run, and what
    the caller would have met is another call, perhaps."""
    case = one.case
    if not case.agreed:
        return one
    unknown = replace(
        case,
        candidate=Candidate.UNKNOWN,
        reached=True,
        still_fails=None,
        expected=None,
        reason=reason,
    )
    return replace(one, case=unknown)


def _compare(call: CapturedCall, first: Ran, second: Ran, candidate: Ran) -> Compared:
    control, noise, reason = _control(call, first, second)
    masked = [one.where for one in noise.differences] if noise is not None else []
    reached = bool(first.coursed.touched or candidate.coursed.touched)
    if control is not Control.AGREES:
        case = Case(call.failed, control, reached, reason=reason)
        return Compared(call, case, first, candidate, noise=masked)
    outcome, differences, why = _candidate(first, second, candidate, noise)
    if call.failed and first.fails is False:
        control, why = Control.DIFFERS, "the old code, run again, does not fail as it did"
    case = Case(
        failed=call.failed,
        control=control,
        reached=reached,
        candidate=outcome,
        still_fails=candidate.fails,
        expected=candidate.expected,
        reason=why or candidate.unknown,
    )
    if outcome is Candidate.UNKNOWN and (open_ := _open(first, second, candidate)):
        case = replace(case, still_fails=None, expected=None, reason=open_)
    if call.failed and not call.live.returned and first.expected:
        case = replace(case, expected=None, reason=case.reason or _HOLDS_ALREADY)
    swallowed = _swallowed(call.live, candidate) if call.failed else None
    return Compared(call, case, first, candidate, differences, masked, swallowed)


def _control(call: CapturedCall, first: Ran, second: Ran) -> tuple[Control, Apart | None, str]:
    """Say whether both control runs came to what really happened."""
    ones, others = first.rerun.outcome, second.rerun.outcome
    for ran in (first, second):
        if ran.rerun.outcome is None:
            return Control.UNKNOWN, None, _cut(ran)
    if ones is None or others is None:
        raise WireError("A run has no outcome.")
    noise = apart(ones, others)
    if rooted := [one for one in noise.differences if one.where in _ROOTS]:
        why = explained(first.rerun.marks, first.refused) or "nothing that was seen explains it"
        said = f"the {rooted[0].where} of the old code comes out differently each time ({why})"
        return Control.DIFFERS, None, said
    for ran, outcome in ((first, ones), (second, others)):
        found = apart(call.live, outcome)
        left = unmasked(found, noise)
        if left and _changed_between(call, left):
            said = f"{left[0].where} is another by what happened {BETWEEN}, and was not kept"
            return Control.UNKNOWN, noise, said
        if left:
            why = explained(ran.rerun.marks, ran.refused)
            where = left[0]
            said = f"{where.where} was {where.live}, and is {where.rerun} in the control"
            return Control.DIFFERS, noise, f"{said} ({why})" if why else said
        if not found.compared:
            return Control.UNKNOWN, noise, "nothing of the outcome could be compared"
    return Control.AGREES, noise, ""


def _changed_between(call: CapturedCall, left: Sequence[Difference]) -> bool:
    """Tell whether a generator differs in nothing but its arguments, or in that it raised:
    whoever is given something out can change them before it goes on, and raise in it."""
    stood = call.kind.endswith("generator") and call.live.yields
    raised = not call.live.returned
    return bool(stood) and all(
        one.where.startswith(_ARGUMENT) or (raised and one.where == "outcome") for one in left
    )


def _candidate(
    first: Ran, second: Ran, candidate: Ran, noise: Apart | None
) -> tuple[Candidate, list[Difference], str]:
    control, tried = first.rerun.outcome, candidate.rerun.outcome
    if control is None or tried is None:
        return Candidate.UNKNOWN, [], f"the candidate: {_cut(candidate)}"
    found = _outcomes(first, second, candidate, noise)
    hidden = [*_state(first, second, candidate), *_inside(first, second, candidate)]
    found += [one for one in hidden if not one.where.startswith(UNSHOWN)]
    found += _beside(first, second, candidate)
    new = _more(candidate.refused, first.refused)
    if new:
        words = attempt_words(new[0].what, new[0].detail)
        return Candidate.UNKNOWN, found, f"the candidate tried, and no control did: {words}"
    if found:
        return Candidate.DIFFERS, found, ""
    if _is_cut_short(first) or _is_cut_short(candidate):
        return Candidate.UNKNOWN, [], "the outcome is too large to be compared whole"
    if dark := uncompared(first, second, candidate):
        return Candidate.UNKNOWN, [], dark
    if lazy := [one for one in first.inside if one.startswith(UNSEEN)]:
        what = lazy[0].removeprefix(UNSEEN)
        why = f"what {what} would give out needs what was not kept"
        return Candidate.UNKNOWN, [], why
    if hidden:
        return (
            Candidate.UNKNOWN,
            [],
            f"{hidden[0].where} is another, and no call shows what follows",
        )
    return Candidate.SAME, [], ""


def _open(first: Ran, second: Ran, candidate: Ran) -> str:
    """Return why nothing follows from what the candidate came to, even if it was expected."""
    if candidate.rerun.outcome is None:
        return ""  # what ended it is said already
    if new := _more(candidate.refused, first.refused):
        words = attempt_words(new[0].what, new[0].detail)
        return f"the candidate tried, and no control did: {words}"
    for one in _inside(first, second, candidate):
        if one.where.startswith(UNSHOWN) and not one.where.startswith(f"{UNSHOWN}code of "):
            return f"{one.where} is another, and no call shows what follows"
    return ""


def _outcomes(first: Ran, second: Ran, candidate: Ran, noise: Apart | None) -> list[Difference]:
    """Return what differs in the outcomes. The arguments are the objects that were passed,
    where they are known: what a function binds to the names is its own."""
    one, other, tried = (_passed(ran) for ran in (first, second, candidate))
    found = unmasked(apart(one, tried), noise)
    if candidate.given is None:
        return found  # of copies of one process, in which objects lie at the same places
    # Places share no addresses: what looks like one and is the same in both controls, is none.
    known = {difference.where for difference in found}
    exact = unmasked(apart(one, tried, exactly=True), apart(one, other, exactly=True))
    return found + [difference for difference in exact if difference.where not in known]


def _passed(ran: Ran) -> Outcome:
    outcome = ran.rerun.outcome
    if outcome is None:
        raise WireError("A run has no outcome.")
    return outcome if ran.given is None else replace(outcome, arguments=ran.given)


def _inside(first: Ran, second: Ran, candidate: Ran) -> list[Difference]:
    one, other, tried = (
        Outcome(True, None, comparable(ran.inside)) for ran in (first, second, candidate)
    )
    found = unmasked(apart(one, tried, exactly=True), apart(one, other, exactly=True))
    return [replace(each, where=_ROOT.sub("", each.where)) for each in found]


def unmasked(found: Apart, noise: Apart | None) -> list[Difference]:
    """Return the differences that are no noise: those that lie beneath no masked path, and
    those that are of another sort than the noise there, such as nothing for a time."""
    if noise is None:
        return found.differences
    masks = tuple(one.where for one in noise.differences)
    masks += tuple(
        {one.partition("~")[0] for one in masks if "~" in one} & set(_chanced(found))
    )
    return [
        one
        for one in found.differences
        if not _is_masked(one.where, masks)
        or (one.where in found.certain and one.where not in noise.certain)
    ]


def _chanced(found: Apart) -> list[str]:
    """Return where chance can have made the difference, whatever was alike in two runs."""
    return [one.where for one in found.differences if one.where not in found.certain]


def _is_masked(where: str, masks: Sequence[str]) -> bool:
    return any(
        where == mask or (where.startswith(mask) and where[len(mask)] in ".[{")
        for mask in masks
    )


def _beside(first: Ran, second: Ran, candidate: Ran) -> list[Difference]:
    """Return what differs beside the outcome: what was printed, and what is no longer tried."""
    found: list[Difference] = []
    one, other, tried = (ran.rerun.printed for ran in (first, second, candidate))
    if one != other:  # by a clock, perhaps, and only there
        one, other, tried = _without_noise(one, other, tried)
    if one == other and one != tried:
        found.append(Difference("printed", *_from_where_they_differ(one, tried)))
    if not _more(first.refused, second.refused) and not _more(second.refused, first.refused):
        for gone in _more(first.refused, candidate.refused):
            words = attempt_words(gone.what, gone.detail)
            found.append(Difference("outside", f"tried {words}", "did not try"))
    return found


def _without_noise(one: str, other: str, tried: str) -> tuple[str, str, str]:
    """Return three texts without what a clock or random bytes have made different in the first
    two. Where they are built alike, that is known part by part."""
    plain, others, its = map(without_chance, (one, other, tried))
    if plain != others or plain != its:
        return plain, others, its
    parts = list(zip(chances(one), chances(other), chances(tried), strict=True))
    same = [(mine, its) for mine, again, its in parts if mine == again]
    if all(mine == its for mine, its in same):
        return plain, others, its
    mine, its = (" ".join(part) for part in zip(*same, strict=True))
    return mine, mine, its


def _from_where_they_differ(one: str, other: str) -> tuple[str, str]:
    pairs = enumerate(zip(one, other, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    start = max(0, at - 40)
    return repr(one[start : start + 200]), repr(other[start : start + 200])


def _state(first: Ran, second: Ran, candidate: Ran) -> list[Difference]:
    """Return what differs in what the call has changed in the modules of the service."""
    sides = aligned(*(comparable(ran.state) for ran in (first, second, candidate)))
    one, other, tried = (Outcome(True, None, side) for side in sides)
    return [
        replace(difference, where=_ROOT.sub("", named(difference.where)))
        for difference in unmasked(
            apart(one, tried, exactly=True), apart(one, other, exactly=True)
        )
    ]


def _more(one: Sequence[Refusal], other: Sequence[Refusal]) -> list[Refusal]:
    """Return what was refused on the one side and not, or less often, on the other."""
    known: dict[tuple[str, str], int] = {}
    for refusal in other:
        key = refusal.what, refusal.detail
        known[key] = known.get(key, 0) + refusal.count
    return [
        refusal
        for refusal in one
        if refusal.count > known.get((refusal.what, refusal.detail), 0)
    ]


def _cut(ran: Ran) -> str:
    reason = ran.rerun.cut or "the run did not come to its end"
    if ran.refused:
        words = ", ".join(attempt_words(one.what, one.detail) for one in ran.refused[:3])
        reason += f" (refused: {words})"
    return reason


def _swallowed(live: Outcome, candidate: Ran) -> Raised | None:
    """Return the exception of the live call, where the candidate still raises it inside."""
    outcome = candidate.rerun.outcome
    if live.returned or outcome is None or not outcome.returned:
        return None
    name = live.value.get("type") if isinstance(live.value, dict) else None
    for raised in candidate.coursed.raised:
        if name in {one.rpartition(".")[2] for one in raised.classes[:1]}:
            return raised
    return None


def _is_cut_short(ran: Ran) -> bool:
    """Tell whether a limit has left out a part of what is to be compared."""
    outcome = _passed(ran)
    left: list[Value] = [outcome.value, *outcome.arguments.values(), *outcome.yields]
    left += ran.inside.values()
    walked = 0
    while left:
        value = left.pop()
        walked += 1
        if walked > _MAX_WALKED:
            return True
        if type(value) is not dict:
            continue
        if value.get("omitted") in _LIMITS:
            return True
        left += value.get("items", ())
        for key, one in value.get("entries", ()):
            left += (key, one)
        for member in ("fields", "about"):
            left += (value.get(member) or {}).values()
    return False
