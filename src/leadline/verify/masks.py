"""What is noise: where two runs of the old code differ, what a candidate differs in is masked.

Not one of another sort than the noise there, nor a time that no clock explains.
"""

import re
from collections.abc import Sequence

from leadline.trial.comparing import Apart
from leadline.verify.clocks import is_far
from leadline.wire.twin import Difference

_FORMS = (
    re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    re.compile(r"[0-9a-f]{16,128}"),
)


def hidden(found: Apart, noise: Apart | None) -> list[Difference]:
    """Return what is masked by noise of which no clock and no random bytes can be the cause."""
    if noise is None:
        return []
    masks = tuple(one.where for one in noise.differences if one.where in noise.certain)
    left = {one.where for one in unmasked(found, noise, at_once=True)}
    return [
        one
        for one in found.differences
        if one.where not in left and is_masked(one.where, masks)
    ]


def unmasked(found: Apart, noise: Apart | None, *, at_once: bool = False) -> list[Difference]:
    """Return the differences that are no noise: those that lie beneath no masked path, those
    that are of another sort than the noise there, such as nothing for a time, and, of runs that
    were made `at_once`, times that are hours from those of the noise."""
    if noise is None:
        return found.differences
    masks = tuple(one.where for one in noise.differences)
    masks += tuple(
        {one.partition("~")[0] for one in masks if "~" in one} & set(_chanced(found))
    )
    at = {one.where: one for one in noise.differences}
    return [
        one
        for one in found.differences
        if not is_masked(one.where, masks)
        or (one.where in found.certain and one.where not in noise.certain)
        or (at_once and one.where in at and is_far(at[one.where], one))
        or (one.where in at and is_of_another_form(at[one.where], one))
    ]


def is_of_another_form(noise: Difference, found: Difference) -> bool:
    """Tell whether two runs of the old code came to hex digits, or to UUIDs, of one form, and
    the candidate to what is none: to more of them, to capital ones, to a word."""
    one, other, tried = (each.strip("'\"") for each in (noise.live, noise.rerun, found.rerun))
    forms = [form for form in _FORMS if form.fullmatch(one) and form.fullmatch(other)]
    if not forms or len(one) != len(other):
        return False
    return len(tried) != len(one) or not any(form.fullmatch(tried) for form in forms)


def _chanced(found: Apart) -> list[str]:
    """Return where chance can have made the difference, whatever was alike in two runs."""
    return [one.where for one in found.differences if one.where not in found.certain]


def is_masked(where: str, masks: Sequence[str]) -> bool:
    """Tell whether a path is one of those that are masked, or beneath one."""
    return any(
        where == mask or (where.startswith(mask) and where[len(mask)] in ".[{")
        for mask in masks
    )
