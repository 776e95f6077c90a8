"""Times that no clock explains: two runs of the old code read the same clock within minutes,
and what a candidate comes to there is hours from it, or in another unit."""

import re
from datetime import UTC, datetime

from leadline.wire.twin import Difference

MOST_APART_S = 600.0
"""Between the runs of one call, which run one after the other, each within its own time."""
_FIRST, _LAST = 1.4e9, 2.4e9
"""Seconds since 1970, from 2014 to 2046: numbers in there may be times."""
_UNITS = (1.0, 1e3, 1e6, 1e9)
_DAY_S = 86_400.0
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[+-]\d\d:?\d\d(?!\d)|Z)?"
)
_HOUR = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d+)?))?")


def is_far(noise: Difference, found: Difference) -> bool:
    """Tell whether a difference is too large for the clock that two runs of the old code, whose
    difference is `noise`, have read at the same place."""
    one, other = noise.live, noise.rerun
    unit = _unit_of(one)
    if unit and unit == _unit_of(other) and not _is_apart(float(one), float(other), unit):
        return _is_number(found.rerun) and _is_apart(float(one), float(found.rerun), unit)
    hours = [_hour(text) for text in (one, other, found.rerun)]
    first, second, tried = (
        hours if None not in hours else [_moment(text) for text in (one, other, found.rerun)]
    )
    if first is None or second is None or tried is None:
        return False
    if None not in hours:  # around midnight the one is early and the other late
        second, tried = (_near(first, moment) for moment in (second, tried))
    return not _is_apart(first, second, 1.0) and _is_apart(first, tried, 1.0)


def _near(one: float, other: float) -> float:
    return min((other - _DAY_S, other, other + _DAY_S), key=lambda moment: abs(moment - one))


def _hour(text: str) -> float | None:
    """Return the time of day that a text is, in seconds."""
    found = _HOUR.fullmatch(text.strip("'\""))
    if found is None:
        return None
    return int(found[1]) * 3_600 + int(found[2]) * 60 + float(found[3] or 0)


def _is_apart(one: float, other: float, unit: float) -> bool:
    return abs(one - other) > MOST_APART_S * unit


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _unit_of(text: str) -> float:
    """Return in what a number may count the time, per second; 0 for one that is none."""
    if not _is_number(text):
        return 0.0
    number = float(text)
    return next((unit for unit in _UNITS if _FIRST < number / unit < _LAST), 0.0)


def _moment(text: str) -> float | None:
    """Return the first time that a text tells, in seconds; one without a zone as if of UTC."""
    found = _MOMENT.search(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[0])
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
