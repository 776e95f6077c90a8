"""Why nothing follows from what a candidate came to: it tried outside what no control did, it
met a limit of the place, or it asked the place for what is the service's."""

import errno
from collections.abc import Collection, Iterator, Sequence

from leadline.trial.marks import Chance
from leadline.trial.place import IDLE, PUT_INTO, Ran
from leadline.verify.state import in_fresh
from leadline.wire.refusals import attempt_words
from leadline.wire.twin import Refusal

_ASKED = (
    "the candidate asks its process ({}), and that of the service answers otherwise, perhaps"
)

_ACTED = (
    "the old code writes here what is there already, as the live call has written it, perhaps, "
    "and the candidate does not: {}"
)
_CHANGED = (
    "the candidate uses {} otherwise, which the service has changed since it was started, or "
    "of which that is not known"
)


_UNDONE = ("(rolled back)", "(not committed)")


def in_the_way(first: Ran, candidate: Ran) -> str:
    """Return what a sealed place stopped the candidate at, and no control."""
    return _tried_more(first, candidate) or _limit_met(first, candidate)


def asked_more(first: Ran, candidate: Ran) -> str:
    """Return what the candidate, and no control, has asked its process where that is none of
    the service's: the environment, whether a loop runs, which thread it is."""
    if candidate.given is None:  # a copy of the process itself
        return ""
    known = {mark.name for mark in first.rerun.marks}
    for mark in candidate.rerun.marks:
        if mark.chance is Chance.ASKED and mark.name not in known:
            return in_fresh(first, _ASKED.format(mark.name))
    return ""


def acted_already(first: Ran, second: Ran, candidate: Ran) -> str:
    """Return what the controls write without effect, and the candidate does not write: the live
    call has written it, perhaps, and the candidate lets that decide which the call had not
    found."""
    ours, others, theirs = (_without_effect(ran) for ran in (first, second, candidate))
    for text in ours:
        is_undone = text.endswith(_UNDONE)  # then no live call has written it either
        if text in others and text not in theirs and not is_undone:
            return in_fresh(first, _ACTED.format(text))
    return ""


def _without_effect(ran: Ran) -> list[str]:
    return [str(text) for name, text in ran.state.items() if name.startswith(IDLE)]


def reads_more(first: Ran, candidate: Ran, changed: Collection[str], *, failed: bool) -> str:
    """Return what the candidate reads otherwise than the control of what the service has
    changed since it was started: these places have it as it was then. `changed` are the names
    of all that. What a call that failed puts into something now comes to no other result for
    what is in there."""
    for name, attribute in _other_reads(first, candidate, put_into=not failed):
        for one in changed:
            if one == name or (attribute and one.endswith(f".{attribute}")):
                return in_fresh(first, _CHANGED.format(one.replace(":", ".", 1)))
    return ""


def _other_reads(first: Ran, candidate: Ran, *, put_into: bool) -> Iterator[tuple[str, str]]:
    """Yield `module:name`, or the name of an attribute, of what one of both reads alone, or
    puts something into."""
    ours, theirs = set(candidate.reads), set(first.reads)
    for one in (*candidate.reads, *first.reads):
        name, _, follows = one.partition(" ")
        if follows.startswith(PUT_INTO) and not put_into:
            continue
        if one not in ours or one not in theirs:
            yield name, name[1:] if name.startswith(":") else ""


def _tried_more(first: Ran, candidate: Ran) -> str:
    """Return what the candidate tried outside, and no control did."""
    new = more(candidate.refused, first.refused)
    if not new:
        return ""
    words = attempt_words(new[0].what, new[0].detail)
    return f"the candidate tried, and no control did: {words}"


def unseen_effects(control: Ran) -> str:
    """Say that a run went on where the live one has reached something outside: of what it would
    have written or sent there, nothing is known."""
    words = attempt_words(control.refused[0].what, control.refused[0].detail)
    return f"what it would do outside is not compared: it was refused {words}"


def _limit_met(first: Ran, candidate: Ran) -> str:
    """Return which limit of a sealed place the candidate has met, and the control has not: the
    service has another one, or none."""
    before = {raised.classes[:1] for raised in first.coursed.raised}
    raised = {raised.classes[:1] for raised in candidate.coursed.raised} - before
    outcome = candidate.rerun.outcome
    value = outcome.value if outcome is not None and not outcome.returned else None
    items = value.get("items", []) if isinstance(value, dict) else []
    met = any(one[0].rpartition(".")[2] == "MemoryError" for one in raised if one)
    if met or items[:1] in ([errno.EMFILE], [errno.ENOMEM]):
        return "the candidate takes more memory, or more open files, than a sealed place has"
    return ""


def more(one: Sequence[Refusal], other: Sequence[Refusal]) -> list[Refusal]:
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
