"""Lengths of time as people write them: `90s`, `15m`, `2h`, `1d`."""

from leadline.wire.errors import UsageError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def duration(text: str) -> float:
    """Return `text` in seconds. Raises `UsageError` (slug `bad-duration`)."""
    unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
    try:
        seconds = float(text.removesuffix(unit)) * _UNITS.get(unit, 1.0)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise UsageError(
            "bad-duration",
            f"{text!r} is not a length of time.",
            "Write a number and ms, s, m, h or d: 500ms, 90s, 15m, 2h.",
        )
    return seconds


def spoken(seconds: float) -> str:
    """Return a length of time in the largest unit that keeps two digits."""
    for unit, size in reversed(_UNITS.items()):
        if unit != "ms" and seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
