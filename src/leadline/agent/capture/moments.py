"""How dates, times, durations and time zones read: as ISO 8601, from their own fields.

Formatting one the usual way would ask its time zone, which can be a class of the application.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from leadline.agent.capture.reading import PLAIN, Read
from leadline.agent.capture.recognition import getter
from leadline.expression.layout import Layout
from leadline.wire.value import Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

_date, _datetime, _time = map(vars, (datetime.date, datetime.datetime, datetime.time))
_delta = vars(datetime.timedelta)
_YEAR, _MONTH, _DAY = (_date[name].__get__ for name in ("year", "month", "day"))
_CLOCK = ("hour", "minute", "second", "microsecond")
_DATETIME_CLOCK = tuple(_datetime[name].__get__ for name in _CLOCK)
_TIME_CLOCK = tuple(_time[name].__get__ for name in _CLOCK)
_DATETIME_ZONE, _TIME_ZONE = _datetime["tzinfo"].__get__, _time["tzinfo"].__get__
_DATETIME_FOLD, _TIME_FOLD = _datetime["fold"].__get__, _time["fold"].__get__
_DAYS, _SECONDS, _MICROSECONDS = (
    _delta[name].__get__ for name in ("days", "seconds", "microseconds")
)
_offset_of = vars(datetime.timezone)["__getinitargs__"]
_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - numpy's moments have no zone
_MAX_MICROSECONDS = 250_000_000_000_000_000
"""From 1970 to beyond the year 9800: what `datetime` can hold."""


def date(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
    return walk.words(_day(value), layout.name)


def datetime_(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    text = f"{_day(value)}T{_clock([read(value) for read in _DATETIME_CLOCK])}"
    return _zoned(walk, text, _DATETIME_ZONE(value), _DATETIME_FOLD(value), layout, level)


def time(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
    text = _clock([read(value) for read in _TIME_CLOCK])
    return _zoned(walk, text, _TIME_ZONE(value), _TIME_FOLD(value), layout, level)


def timedelta(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
    return walk.words(_duration(value), layout.name)


def timezone(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
    return walk.words(_offset(value), layout.name)


def zone(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    """Return the form of `zoneinfo.ZoneInfo`: its key."""
    key = getter(layout, cls, "key")
    if key is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, level: int) -> Value:
        name = key(value)
        if type(name) is str:
            return walk.words(name, layout.name)
        captured: dict[str, Value] = {"type": layout.name}
        walk.fact(captured, "key", name, level)
        return captured

    return read, PLAIN


def no_time(_: Layout, __: type) -> tuple[Read, bool]:
    """Return the form of pandas' NaT, a datetime by its class and none by its value."""
    return (lambda _, __, layout, ___: {"type": layout.name, "text": "NaT"}), PLAIN


def of_microseconds(count: int) -> str:
    """Return the moment that is so many microseconds after 1970, as numpy counts."""
    if abs(count) > _MAX_MICROSECONDS or count < -62_000_000_000_000_000:
        return f"{count} us since 1970"
    value = _EPOCH + datetime.timedelta(microseconds=count)
    return f"{_day(value)}T{_clock([read(value) for read in _DATETIME_CLOCK])}"


def _zoned(
    walk: Walk, text: str, tz: object, fold: int, layout: Layout, level: int
) -> dict[str, Value]:
    exact = type(tz) is datetime.timezone
    captured = walk.words(text + _offset(tz) if exact else text, layout.name)
    if tz is not None and not exact:
        walk.fact(captured, "tzinfo", tz, level)
    if fold:
        walk.fact(captured, "fold", fold, level)
    return captured


def _day(value: Any) -> str:
    return f"{_YEAR(value):04}-{_MONTH(value):02}-{_DAY(value):02}"


def _clock(parts: list[int]) -> str:
    hour, minute, second, microsecond = parts
    fraction = f".{microsecond:06}" if microsecond else ""
    return f"{hour:02}:{minute:02}:{second:02}{fraction}"


def _duration(value: Any) -> str:
    days, seconds, microseconds = _DAYS(value), _SECONDS(value), _MICROSECONDS(value)
    clock = _clock([seconds // 3600, seconds // 60 % 60, seconds % 60, microseconds])
    if not days:
        return clock
    return f"{days} {'day' if abs(days) == 1 else 'days'}, {clock}"


def _offset(tz: Any) -> str:
    delta = _offset_of(tz)[0]
    total = _DAYS(delta) * 86_400 + _SECONDS(delta)
    sign, total = ("-", -total) if total < 0 else ("+", total)
    seconds = f":{total % 60:02}" if total % 60 else ""
    return f"{sign}{total // 3600:02}:{total // 60 % 60:02}{seconds}"
