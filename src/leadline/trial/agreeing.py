"""Whether a rerun came to what really happened: how a twin answers of its two outcomes."""

from collections.abc import Sequence

from leadline.trial.comparing import Walk, depth
from leadline.trial.marks import Chance, Mark
from leadline.trial.outcome import Outcome
from leadline.trial.sides import MAX_SHOWN_CHARS, cut_to
from leadline.wire.refusals import attempt_words
from leadline.wire.twin import Agreement, Refusal
from leadline.wire.value import render

MAX_DIFFERENCES = 20
"""Shown; the shortest paths first, since they hold the others."""
MAX_OUTCOME_CHARS = 2_000
"""Of a whole result or exception."""
_UNREADABLE = "what the twin says of its outcome cannot be read"
_NOTHING_SEEN = "nothing of the outcome could be compared"


def compare(
    live: Outcome | None,
    rerun: Outcome | None,
    marks: list[Mark],
    cut: str = "",
    refused: Sequence[Refusal] = (),
) -> Agreement:
    """Return whether `rerun` came to the same as `live`.

    `cut` says why there is no rerun, where there is none. What the twin was `refused`, as the
    clocks that it read, explains a difference.
    """
    named = [mark.text() for mark in marks]
    if live is None or rerun is None:
        reason = cut or (
            "the live call has not been seen to end"
            if live is None
            else "the rerun did not come to its end"
        )
        return Agreement(
            agrees=None,
            reason=reason,
            live=_whole(live) if live is not None else "",
            rerun=_whole(rerun) if rerun is not None else "",
            marks=named,
        )
    walk = Walk()
    try:
        walk.outcomes(live, rerun)
        shown = _whole(rerun)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        # it comes from a process in which anything may have run
        return Agreement(agrees=None, reason=_UNREADABLE, live=_whole(live), marks=named)
    found = sorted(walk.found, key=depth)
    agrees: bool | None = not found
    reason = ""
    if found:
        reason = explained([] if walk.certain else marks, refused)
    elif not walk.compared:
        agrees, reason = None, _NOTHING_SEEN
    return Agreement(
        agrees=agrees,
        reason=reason,
        live=_whole(live),
        rerun=shown,
        differences=found[:MAX_DIFFERENCES],
        compared=walk.compared,
        unseen=walk.unseen,
        marks=named,
    )


def explained(marks: list[Mark], refused: Sequence[Refusal] = ()) -> str:
    """Return what may explain a disagreement: `it reads the clock: time.time`."""
    parts = []
    if refused:
        tried = [attempt_words(one.what, one.detail) for one in refused]
        parts.append(f"it was refused {cut_to(', '.join(tried[:5]), MAX_SHOWN_CHARS)}")
    for chance in Chance:
        names = [mark.name for mark in marks if mark.chance == chance]
        if names:
            parts.append(f"{chance}: {', '.join(names[:5])}")
    return "; ".join(parts)


def _whole(outcome: Outcome) -> str:
    text = cut_to(render(outcome.value, quoted=True), MAX_OUTCOME_CHARS)
    return text if outcome.returned else f"raised {text}"
