"""Numbers as a person reads them at a glance: three digits, and a letter for thousands."""

_STEPS = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))


def short(number: float) -> str:
    """Return a count or a rate in at most five characters, such as `1.2k`."""
    for size, letter in _STEPS:
        if abs(number) >= size * 0.9995:
            return f"{_digits(number / size)}{letter}"
    return _digits(number)


def share(part: float) -> str:
    """Return a share as per cent, such as `0.4 %`."""
    if 0 < part < 0.0001:
        return "under 0.01 %"
    return f"{_digits(part * 100)} %"


def seconds(number: float) -> str:
    """Return how long something takes, such as `12 µs` or `2.5 h`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if number >= size:
            return f"{_digits(number / size)} {unit}"
    for part, unit in ((1e-3, "ms"), (1e-6, "µs")):
        if number >= part:
            return f"{_digits(number / part)} {unit}"
    return f"{_digits(number * 1e9)} ns" if number else "0 ms"


def exact(number: float) -> str:
    """Return all digits, in groups of three."""
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.2f}"


def _digits(number: float) -> str:
    if float(number).is_integer() and abs(number) < 1_000:
        return f"{number:.0f}"
    for places, below in ((2, 0.995), (1, 99.95)):
        if abs(number) < below:
            return f"{number:.{places}f}"
    return f"{number:.0f}"
