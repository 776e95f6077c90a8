"""Amounts of storage as people write them: `500MB`, `2GB`."""

from leadline.wire.errors import UsageError

_UNITS = {"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "B": 1.0}


def size(text: str) -> int:
    """Return `text` in bytes. Raises `UsageError` (slug `bad-size`)."""
    unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
    try:
        amount = float(text.removesuffix(unit)) * _UNITS.get(unit, 1.0)
    except ValueError:
        amount = -1.0
    if not 0 < amount < float("inf"):
        raise UsageError(
            "bad-size",
            f"{text!r} is not an amount of storage.",
            "Write a number and kB, MB or GB: 500MB, 2GB.",
        )
    return int(amount)
