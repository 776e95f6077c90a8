"""What was printed, compared: a clock and random bytes may have written into it."""

from leadline.trial.accident import chances, without_chance
from leadline.wire.twin import Difference


def printed_apart(one: str, other: str, tried: str) -> tuple[Difference | None, bool]:
    """Return how the candidate's print differs from that of the two controls, and whether that
    can be told: not where those differ by more than a clock can explain, and from it."""
    is_clear = True
    if one != other and tried not in (one, other):  # by a clock, perhaps, and only there
        is_clear = without_chance(one) == without_chance(other)
        one, other, tried = _without_noise(one, other, tried)
    if one != other or one == tried:
        return None, is_clear
    return Difference("printed", *_from_where_they_differ(one, tried)), is_clear


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
