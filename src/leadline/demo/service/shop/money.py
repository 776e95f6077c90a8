"""Amounts are whole cents; this is where they are divided, and rounded half up."""


def divide(amount: int, divisor: int) -> int:
    """`amount / divisor` to the nearest whole cent, halves away from zero."""
    whole, rest = divmod(abs(amount), divisor)
    if 2 * rest >= divisor:
        whole += 1
    return whole if amount >= 0 else -whole


def percent_of(amount: int, percent: int) -> int:
    return divide(amount * percent, 100)


def percent_off(amount: int, percent: int) -> int:
    return amount - percent_of(amount, percent)


def tax_in(gross: int, vat: int) -> int:
    """The value added tax that a gross amount contains, at `vat` percent."""
    return divide(gross * vat, 100 + vat)


def as_text(amount: int) -> str:
    """`1234` as `12.34 EUR`."""
    sign = "-" if amount < 0 else ""
    euros, cents = divmod(abs(amount), 100)
    return f"{sign}{euros}.{cents:02} EUR"
