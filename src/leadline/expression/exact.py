"""Decimals, dates and times, which the standard library's C code compares: no code of the
application runs, and the decimal context that its code reckons with is neither read nor set."""

import datetime
import sys
from types import MethodDescriptorType, ModuleType
from typing import Any

from leadline.expression.layout import MISSING, identity
from leadline.expression.unknown import Unknown

UNORDERED = 2
"""They are not equal, and none is the larger one."""
MAX_DECIMAL_BYTES = 4_096
"""What a Decimal takes in memory: about 9,000 digits."""
_DIGITS = 2_000
"""More than the 767 digits that the longest float has."""
_NUMBERS = (int, float, bool)
_MOMENTS = frozenset(
    map(identity, (datetime.datetime, datetime.date, datetime.time, datetime.timedelta))
)
_ZONED = (datetime.datetime, datetime.time)
_contexts: list[Any] = []


def order(left: object, right: object, mine: object, other: object) -> int | None:
    """Return -1, 0 or 1, or `UNORDERED`; None where one of the two is nothing such. `mine` and
    `other` are what the two are as plain values, or `MISSING`. Raises `Unknown` where only
    code of the application could tell, or Python would raise."""
    kind = decimal_class()
    if kind is not None and (_is(left, kind) or _is(right, kind)):
        return _decimals(left, right, mine, other, kind)
    if _is_moment(left) or _is_moment(right):
        if MISSING not in (mine, other):
            return None
        return _moments(left, right, mine, other)
    return None


def decimal_class() -> Any:
    """Return `decimal.Decimal`, where the process has it, and in C."""
    module = sys.modules.get("_decimal")
    found: Any = module.__dict__.get("Decimal") if type(module) is ModuleType else None
    is_of_c = (
        type(found) is type and type(found.__dict__.get("compare")) is MethodDescriptorType
    )
    return found if is_of_c else None


def knows(value: object) -> bool:
    """Tell whether a value is one of these."""
    kind = decimal_class()
    return _is_moment(value) or (kind is not None and _is(value, kind))


def truth(value: object) -> bool | None:
    """Return whether one of these is true; None for anything else."""
    kind = decimal_class()
    if kind is not None and _is(value, kind):
        return not kind.is_zero(value)
    if type(value) is datetime.timedelta:
        return bool(value)
    return True if _is_moment(value) else None


def _decimals(
    left: object, right: object, mine: object, other: object, kind: Any
) -> int | None:
    sides: list[Any] = []
    for value, plain in ((left, mine), (right, other)):
        if _is(value, kind):
            sides.append(value)
        elif plain is MISSING:
            return None
        elif type(plain) not in _NUMBERS:
            return UNORDERED
        else:
            sides.append(plain)
    for one in sides:
        if _is(one, kind) and kind.__sizeof__(one) > MAX_DECIMAL_BYTES:
            raise Unknown("a Decimal has more digits than are compared")
        if _is(one, kind) and kind.is_snan(one):
            raise Unknown("a Decimal is a signalling NaN")
        if kind.is_nan(one) if _is(one, kind) else one != one:  # noqa: PLR0124 - a NaN
            return UNORDERED
    context = _context(sys.modules["_decimal"])
    first, second = (
        context.create_decimal_from_float(one) if type(one) is float else one for one in sides
    )
    if not _is(first, kind):
        return -_sign(kind.compare(second, first, context), kind)
    return _sign(kind.compare(first, second, context), kind)


def _is_moment(value: object) -> bool:
    return identity(type(value)) in _MOMENTS


def _is(value: object, kind: Any) -> bool:
    return type(value) is kind


def _sign(compared: Any, kind: Any) -> int:
    if kind.is_zero(compared):
        return 0
    return -1 if kind.is_signed(compared) else 1


def _context(module: Any) -> Any:
    """Return a context of ours: what the C code signals is noted there."""
    if not _contexts:
        _contexts.append(module.Context(prec=_DIGITS, traps=[]))
    return _contexts[0]


def _moments(left: Any, right: Any, mine: object, other: object) -> int | None:
    kind = type(left)
    if kind is not type(right):
        known = all(
            _is_moment(one) or plain is not MISSING
            for one, plain in ((left, mine), (right, other))
        )
        return UNORDERED if known else None
    if kind in _ZONED:
        zones = [kind.tzinfo.__get__(one) for one in (left, right)]
        if zones.count(None) == 1:
            return UNORDERED
        if zones[0] is not zones[1] and any(
            type(one) is not datetime.timezone for one in zones
        ):
            raise Unknown("which of two times is the earlier is decided by their zones")
    return int(left > right) - int(left < right)
