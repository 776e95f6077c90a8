"""How Decimal, Fraction and UUID read: as their digits, which C code or a slot tells."""

from __future__ import annotations

import sys
from contextvars import Context
from typing import TYPE_CHECKING, Any

from leadline.agent.capture.reading import PLAIN, Read
from leadline.agent.capture.recognition import getter, method, slot
from leadline.expression.layout import Layout
from leadline.wire.value import Omission, Value

if TYPE_CHECKING:
    from leadline.agent.capture.tree import Walk

MAX_DECIMAL_BYTES = 4_096
"""What a Decimal takes in memory: about 9,000 digits. Making a text of more takes too long."""
MAX_DIGITS_BITS = 4_096
"""Larger whole numbers show their size only: their digits take quadratic time to make."""
_ALWAYS_BITS = 2_048
"""617 digits: no interpreter can be told to convert fewer than 640."""
_UNLIKELY = "its number is none, or too large"


def writable(bits: int) -> bool:
    """Tell whether a whole number of so many bits can be written in digits, here and quickly;
    an application can forbid long ones (`sys.set_int_max_str_digits`)."""
    if bits <= _ALWAYS_BITS:
        return True
    most = sys.get_int_max_str_digits()
    return bits <= MAX_DIGITS_BITS and (not most or bits * 30_103 // 100_000 < most)


def decimal(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    text, size = method(layout, cls, "__str__"), method(layout, cls, "__sizeof__")
    if text is None or size is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
        if size(value) > MAX_DECIMAL_BYTES:
            return {"type": layout.name, "omitted": Omission.TEXT}
        # In a context of its own: asking for the text makes a decimal context where there is
        # none yet, and one of ours would be the thread's from then on.
        return walk.words(Context().run(text, value), layout.name)

    return read, PLAIN


def fraction(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    numerator, denominator = (
        getter(layout, cls, name) for name in ("_numerator", "_denominator")
    )
    if numerator is None or denominator is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
        parts = (slot(numerator, value), slot(denominator, value))
        if all(type(one) is int and writable(int.bit_length(one)) for one in parts):
            return walk.words(f"{parts[0]}/{parts[1]}", layout.name)
        return {"type": layout.name, "omitted": Omission.OPAQUE, "rule": _UNLIKELY}

    return read, PLAIN


def uuid(layout: Layout, cls: type) -> tuple[Read, bool] | None:
    number = getter(layout, cls, "int")
    if number is None:
        return None

    def read(walk: Walk, value: Any, layout: Layout, _: int) -> Value:
        whole = slot(number, value)
        if type(whole) is not int or not 0 <= whole < 1 << 128:
            return {"type": layout.name, "omitted": Omission.OPAQUE, "rule": _UNLIKELY}
        digits = f"{whole:032x}"
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return walk.words("-".join(parts), layout.name)

    return read, PLAIN
