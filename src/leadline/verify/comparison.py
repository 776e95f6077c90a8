"""From the runs of one call to what the rules need to know of it.

The control was run in two places that share nothing but the code and the call. What differs
between those two is noise: it is masked where the candidate is compared, and shown.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from leadline.trial.agreeing import explained
from leadline.trial.comparing import Apart, Moved, apart
from leadline.trial.course import Raised
from leadline.trial.outcome import BESIDE, UNSHOWN, Outcome
from leadline.trial.place import IDLE, UNSEEN, Ran
from leadline.trial.sides import MISSING, spelled
from leadline.verify.aside import NOTHING_ASIDE, Aside
from leadline.verify.calls import CapturedCall
from leadline.verify.gateways import answer, unshown
from leadline.verify.masks import hidden, unmasked
from leadline.verify.obstacles import (
    acted_already,
    asked_more,
    in_the_way,
    more,
    reads_more,
    unseen_effects,
)
from leadline.verify.printing import printed_apart
from leadline.verify.state import (
    aligned,
    cached_in,
    comparable,
    lost_in,
    moved_on,
    named,
    uncompared,
    without_caches,
    without_own,
)
from leadline.verify.verdict import Candidate, Case, Control
from leadline.wire.errors import WireError
from leadline.wire.gateway import ASKED
from leadline.wire.refusals import attempt_words
from leadline.wire.struct import dataclass, field, replace
from leadline.wire.twin import Difference
from leadline.wire.value import LIMITS, Value

_LIMITS = frozenset(LIMITS)
_MAX_WALKED = 1_000_000
_RAISES = " raises"
"""How `agent.place.inside` ends a name that tells what something lazy raises."""
_HOLDS_ALREADY = (
    "what is expected holds for the old code as well, which raises: it says nothing of a result"
)
_ROOT = re.compile(rf"(len\(|order\()?argument (?={UNSHOWN})|argument ")
_UNCLEAR = (
    "{} comes out differently each time in the old code, and differently again in the new"
)
_UNSHOWN = "there is a difference in {}, and no call shows what follows"
_KEPT = "the candidate keeps {} for its next call, and no call meets what another has left"
BETWEEN = "while the generator stood"
_ARGUMENT = ("argument ", "len(argument ")
_ROOTS = frozenset(("outcome", "result", "exception"))
"""Where noise leaves nothing to compare."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One call with all that is known of it.

    `differences` are between control and candidate, the shortest paths first; `noise` are the
    paths that were masked. `swallowed` is what the failing call raised, and the candidate still
    raises, and swallows. `written` is the call as far as a test can hold it, where that is
    known to come to the same.
    """

    call: CapturedCall
    case: Case
    control: Ran | None = None
    candidate: Ran | None = None
    differences: list[Difference] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    """Those of them at which no clock and no random bytes explain what the old code did."""
    swallowed: Raised | None = None
    written: CapturedCall | None = None


type Runner = Callable[[Sequence[CapturedCall], str], list[Compared]]
"""Runs calls in all places and compares; the text says to whoever waits what is being done."""


def compare_runs(
    call: CapturedCall,
    first: Ran,
    second: Ran,
    candidate: Ran,
    left: Aside = NOTHING_ASIDE,
) -> Compared:
    """Compare what became of one call, but for what is `left` aside. `first` and `second` are
    the control's runs."""
    if call.is_asked_late:  # of a call with which it does not agree nothing is said
        call = replace(call, failed=first.fails)
    try:
        states = without_caches(first.state, second.state, candidate.state)
        states, own = without_own(left.is_own, left.says, states)
        own += cached_in(left.is_own, candidate.state)
        lost = [lost_in(left.is_gone, one, states[2]) for one in states[:2]]
        states[:2] = [
            {name: one for name, one in side.items() if name not in without}
            for side, without in zip(states, lost, strict=False)
        ]
        first, second, candidate = (
            replace(ran, state=state)
            for ran, state in zip((first, second, candidate), states, strict=True)
        )
        runs = _Runs(
            first,
            second,
            candidate,
            left.moved,
            left.is_new,
            lost[0],
            left.changed,
            own,
            call.failed is True,
        )
        return _compare(call, runs)
    except WireError as error:
        return Compared(call, Case(call.failed, Control.UNKNOWN, reason=error.message))


def not_run(call: CapturedCall, reason: str) -> Compared:
    """Return what is known of a call that was not made again."""
    return Compared(call, Case(call.failed, Control.UNKNOWN, reason=reason))


def not_replayable(call: CapturedCall) -> Compared:
    """Return what is known of a call that cannot be made again."""
    return not_run(call, call.obstacle)


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


@dataclass(frozen=True, slots=True)
class _Runs:
    """Two of the control and one of the candidate."""

    first: Ran
    second: Ran
    candidate: Ran
    moved: Moved
    is_new: Callable[[str], bool]
    lost: list[str]
    """What a control keeps in its modules, under names that the candidate has no more."""
    changed: frozenset[str] = frozenset()
    own: Sequence[str] = ()
    """What the candidate has put under names that it alone has: its next call finds it."""
    failed: bool = False
    """Whether the live call was one of those that fail."""


@dataclass(slots=True, eq=False)
class _Found:
    """What differs, and what cannot be told: because the old code comes out differently there
    each time, or because no call shows what follows from it."""

    differences: list[Difference] = field(default_factory=list)
    unclear: list[Difference] = field(default_factory=list)
    unshown: list[Difference] = field(default_factory=list)

    def add(self, sides: "_Sides", noise: Apart | None, *, exactly: bool = False) -> None:
        """Add what differs between a control and the candidate. Where the control differs from
        itself by more than a clock or random bytes can explain, a candidate that comes to what
        neither of the two did is not known to be right."""
        pair = apart(sides.one, sides.tried, exactly, sides.moved)
        known = {each.where for each in self.differences}
        for each in unmasked(pair, noise, at_once=True):
            where = _ROOT.sub("", named(each.where)) if sides.named else each.where
            if each.where not in known:
                into = self.unshown if where.startswith(UNSHOWN) else self.differences
                into.append(replace(each, where=where))
        beneath = hidden(pair, noise)
        if beneath and hidden(apart(sides.other, sides.tried, exactly, sides.moved), noise):
            self.unclear += beneath

    def add_named(self, sides: Iterable[dict[str, Value]], moved: Moved) -> None:
        """Add what differs between values that are told by names of their own."""
        one, other, tried = (Outcome(True, None, side) for side in sides)
        again = apart(one, other, exactly=True)
        self.add(_Sides(one, other, tried, moved, named=True), again, exactly=True)


@dataclass(frozen=True, slots=True)
class _Sides:
    """What three runs came to. `named` says that they are values by names of their own."""

    one: Outcome
    other: Outcome
    tried: Outcome
    moved: Moved
    named: bool = False


def _compare(call: CapturedCall, runs: _Runs) -> Compared:
    first, second, candidate = runs.first, runs.second, runs.candidate
    control, noise, reason = _control(call, first, second)
    masked = [one.where for one in noise.differences] if noise is not None else []
    reached = bool(first.coursed.touched or candidate.coursed.touched)
    if control is not Control.AGREES:
        case = Case(call.failed, control, reached, reason=reason)
        return Compared(call, case, first, candidate, noise=masked)
    found = _found(runs, noise)
    outcome, differences, why = _candidate(runs, found)
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
    if candidate.rerun.outcome is None:  # it may have said what it came to, and not shown it
        case = replace(
            case, still_fails=case.still_fails or None, expected=case.expected and None
        )
    elif outcome is Candidate.UNKNOWN and (open_ := _open(runs, found)):
        case = replace(case, still_fails=None, expected=None, reason=open_)
    if call.failed and not call.live.returned and first.expected:
        case = replace(case, expected=None, reason=case.reason or _HOLDS_ALREADY)
    swallowed = _swallowed(call.live, first, candidate) if call.failed else None
    if call.failed and (put_off := _put_off(call.live, first, candidate)):
        case, swallowed = replace(case, still_fails=True, expected=False), put_off
    odd = [where for where in masked if noise is not None and where in noise.certain]
    return Compared(call, case, first, candidate, differences, masked, odd, swallowed)


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
    if why := unshown(call, ones):
        return Control.UNKNOWN, None, why
    for ran, outcome in ((first, ones), (second, others)):
        live, rerun = (_whole(answer(one, outcome), call) for one in (call.live, outcome))
        found = apart(live, rerun, elsewhere=True)
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


def _whole(outcome: Outcome, call: CapturedCall) -> Outcome:
    """Return an outcome without arguments that the call was given in part."""
    if not call.reduced:
        return outcome
    whole = {name: one for name, one in outcome.arguments.items() if name not in call.reduced}
    return replace(outcome, arguments=whole)


def _changed_between(call: CapturedCall, left: Sequence[Difference]) -> bool:
    """Tell whether a generator differs in nothing but its arguments, or in that it raised:
    whoever is given something out can change them before it goes on, and raise in it."""
    stood = call.kind.endswith("generator") and call.live.yields
    raised = not call.live.returned
    return bool(stood) and all(
        one.where.startswith(_ARGUMENT) or (raised and one.where == "outcome") for one in left
    )


def _candidate(runs: _Runs, found: _Found) -> tuple[Candidate, list[Difference], str]:
    first, candidate = runs.first, runs.candidate
    if candidate.rerun.outcome is None:
        return Candidate.UNKNOWN, [], f"the candidate: {_cut(candidate)}"
    if why := _in_the_way(runs):
        return Candidate.UNKNOWN, found.differences, why
    if found.differences:
        return Candidate.DIFFERS, found.differences, ""
    if first.refused:
        return Candidate.UNKNOWN, [], unseen_effects(first)
    if _is_cut_short(first) or _is_cut_short(candidate):
        return Candidate.UNKNOWN, [], "the outcome is too large to be compared whole"
    why = uncompared(first, runs.second, candidate) or _not_followed(first, found)
    if not why and runs.own:
        why = _KEPT.format(named(runs.own[0]))
    return Candidate.UNKNOWN if why else Candidate.SAME, [], why


def _not_followed(first: Ran, found: _Found) -> str:
    """Return what could differ and cannot be told, where nothing that is seen differs."""
    if lazy := [one for one in first.inside if one.startswith(UNSEEN)]:
        what = lazy[0].removeprefix(UNSEEN)
        return f"what {what} would give out needs what was not kept"
    if found.unclear:
        return _UNCLEAR.format(found.unclear[0].where)
    return _UNSHOWN.format(found.unshown[0].where) if found.unshown else ""


def _open(runs: _Runs, found: _Found) -> str:
    """Return why nothing follows from what the candidate came to, even if it was expected."""
    if why := _in_the_way(runs):
        return why
    for one in found.unshown:
        if not one.where.startswith((f"{UNSHOWN}code of ", IDLE)):
            return _UNSHOWN.format(one.where)
    return unseen_effects(runs.first) if runs.first.refused else ""


def _in_the_way(runs: _Runs) -> str:
    """Return why nothing follows from a difference."""
    moved = moved_on(runs.first, runs.second, runs.candidate)
    return (
        in_the_way(runs.first, runs.candidate)
        or moved
        or acted_already(runs.first, runs.second, runs.candidate)
        or asked_more(runs.first, runs.candidate)
        or reads_more(runs.first, runs.candidate, runs.changed, failed=runs.failed)
    )


def _found(runs: _Runs, noise: Apart | None) -> _Found:
    """Compare all there is of a candidate's run with the control's."""
    found = _Found()
    if runs.first.rerun.outcome is None or runs.candidate.rerun.outcome is None:
        return found
    _outcomes(runs, noise, found)
    sides = [runs.first, runs.second, runs.candidate]
    found.add_named([comparable(ran.inside) for ran in sides], runs.moved)
    found.add_named(aligned(*(comparable(ran.state) for ran in sides)), runs.moved)
    _beside(runs, found)
    found.unshown += [Difference(named(one), "", "") for one in runs.lost]
    found.unshown += [one for one in found.differences if _is_memo(one, runs.is_new)]
    found.differences = [one for one in found.differences if one not in found.unshown]
    found.differences.sort(key=lambda one: not one.where.startswith(ASKED))  # as a client meets
    return found


def _is_memo(one: Difference, is_new: Callable[[str], bool]) -> bool:
    """Tell whether the candidate alone has put something on an argument, under a private name
    that the old code never says."""
    _, dot, name = one.where.rpartition(".")
    is_private = dot and name.startswith("_") and name.isidentifier()
    is_alone = one.where.startswith(_ARGUMENT[0]) and one.live == spelled(MISSING)
    return bool(is_private and is_alone and is_new(name))


def _outcomes(runs: _Runs, noise: Apart | None, found: _Found) -> None:
    """Compare the outcomes. The arguments are the objects that were passed, where they are
    known: what a function binds to the names is its own."""
    one, other, tried = (_passed(ran) for ran in (runs.first, runs.second, runs.candidate))
    sides = _Sides(one, other, tried, runs.moved)
    found.add(sides, noise)
    if runs.candidate.given is not None:  # else of copies of one process, at the same places
        # places share no addresses: what looks like one and is the same in both, is none
        found.add(sides, apart(one, other, exactly=True), exactly=True)


def _passed(ran: Ran) -> Outcome:
    outcome = ran.rerun.outcome
    if outcome is None:
        raise WireError("A run has no outcome.")
    return outcome if ran.given is None else replace(outcome, arguments=ran.given)


def _beside(runs: _Runs, found: _Found) -> None:
    """Compare what is beside the outcome: what was printed, and what is no longer tried."""
    first, second, candidate = runs.first, runs.second, runs.candidate
    one, other, tried = (runs.moved(ran.rerun.printed) for ran in (first, second, candidate))
    difference, is_clear = printed_apart(one, other, tried)
    found.differences += [difference] if difference is not None else []
    found.unclear += [] if is_clear else [Difference("what is printed", "", "")]
    if not more(first.refused, second.refused) and not more(second.refused, first.refused):
        for gone in more(first.refused, candidate.refused):
            words = attempt_words(gone.what, gone.detail)
            found.differences.append(Difference("outside", f"tried {words}", "did not try"))


def _cut(ran: Ran) -> str:
    reason = ran.rerun.cut or "the run did not come to its end"
    if ran.refused:
        words = ", ".join(attempt_words(one.what, one.detail) for one in ran.refused[:3])
        reason += f" (refused: {words})"
    return reason


def _put_off(live: Outcome, control: Ran, candidate: Ran) -> Raised | None:
    """Return what the live call has raised, and the candidate's result raises where it is asked
    for what it gives out: the error comes later, and to the same caller."""
    if live.returned or not isinstance(live.value, dict):
        return None
    name = str(live.value.get("type", "?"))
    for path, value in candidate.inside.items():
        is_end = path.startswith("list(") and path.endswith(_RAISES) and type(value) is str
        if is_end and value.startswith(f"{name}(") and path not in control.inside:
            return Raised((name,), path.removesuffix(_RAISES))
    return None


def _swallowed(live: Outcome, control: Ran, candidate: Ran) -> Raised | None:
    """Return the exception of the live call, where the candidate still raises it inside. Of a
    call that returned it is one that has left the service's own code: a framework has made a
    response of it, and the candidate takes it itself."""
    outcome = candidate.rerun.outcome
    if outcome is None or not outcome.returned:
        return None
    if live.returned:
        left = {one.classes[:1] for one in control.coursed.raised if not one.handled}
        swallowed = (one for one in candidate.coursed.raised if one.handled)
        return next((one for one in swallowed if one.classes[:1] in left), None)
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
        for member in ("fields", "about", BESIDE):
            left += (value.get(member) or {}).values()
    return False
