"""Noise: what differs between two runs of the old code, and what of a candidate it hides."""

from collections.abc import Sequence

from leadline.trial.comparing import Apart
from leadline.wire.twin import Difference


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
        if not is_masked(one.where, masks)
        or (one.where in found.certain and one.where not in noise.certain)
    ]


def _chanced(found: Apart) -> list[str]:
    """Return where chance can have made the difference, whatever was alike in two runs."""
    return [one.where for one in found.differences if one.where not in found.certain]


def is_masked(where: str, masks: Sequence[str]) -> bool:
    """Tell whether a path is one of those that are masked, or beneath one."""
    return any(
        where == mask or (where.startswith(mask) and where[len(mask)] in ".[{")
        for mask in masks
    )


def hidden_by(found: Apart, noise: Apart | None) -> list[Difference]:
    """Return what is masked by noise of which no clock and no random bytes can be the cause."""
    if noise is None:
        return []
    masks = tuple(one.where for one in noise.differences if one.where in noise.certain)
    left = {one.where for one in unmasked(found, noise)}
    return [
        one
        for one in found.differences
        if one.where not in left and is_masked(one.where, masks)
    ]
