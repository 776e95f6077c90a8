"""Lengths of time as people write them: `90s`, `15m`, `2h`, `1d`."""

from leadline.wire.errors import UsageError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def duration(text: str) -> float:
    """Return `text` in seconds. Raises `UsageError` (slug `bad-duration`)."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise UsageError(
            "bad-duration",
            f"{text!r} is not a length of time.",
            "Write a number and s, m, h or d: 90s, 15m, 2h.",
        )
    return seconds


def spoken(seconds: float) -> str:
    """Return a length of time in the largest unit that keeps two digits."""
    for unit, size in reversed(_UNITS.items()):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
