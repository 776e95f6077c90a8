"""What a basket costs: goods, voucher, delivery and the tax within.

Everything here is arithmetic on what it is given; nothing reads the database or the clock.
"""

from collections.abc import Sequence
from typing import Any

from shop.basket import Line
from shop.customers import Customer
from shop.money import tax_in
from shop.shipping import shipping_cost
from shop.vouchers import Voucher

SHIPPING_VAT = 19


def spread_voucher(voucher: Voucher, lines: Sequence[Line]) -> list[int]:
    """How much of the voucher falls on each line, in cents.

    Each line owes tax at its own rate, so the voucher is spread in proportion to the
    amounts. Lines that are excluded from discounts get nothing. What rounding leaves
    over goes to the line with the largest share, so that the shares add up exactly.
    """
    base = sum(line.amount for line in lines if line.discountable)
    worth = voucher.worth(base)
    rate = worth / base
    shares = [round(line.amount * rate) if line.discountable else 0 for line in lines]
    largest = shares.index(max(shares))
    shares[largest] += worth - sum(shares)
    return shares


def quote(
    lines: Sequence[Line], customer: Customer, voucher: Voucher | None = None
) -> dict[str, Any]:
    """The price of a basket for a customer, itemised; all amounts are gross cents.

    A voucher below its minimum is no error: it is left out and the quote says so.
    """
    subtotal = sum(line.amount for line in lines)
    discounts = [0] * len(lines)
    if voucher is not None and subtotal >= voucher.minimum:
        discounts = spread_voucher(voucher, lines)

    goods = subtotal - sum(discounts)
    grams = sum(line.weight for line in lines)
    shipping = shipping_cost(customer.country, customer.tier, grams, goods)
    total = goods + shipping

    itemised = []
    tax = tax_in(shipping, SHIPPING_VAT)
    for line, discount in zip(lines, discounts, strict=True):
        paid = line.amount - discount
        tax += tax_in(paid, line.vat)
        itemised.append(
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "discount": discount,
                "amount": paid,
                "vat": line.vat,
            }
        )
    return {
        "currency": "EUR",
        "lines": itemised,
        "subtotal": subtotal,
        "discount": sum(discounts),
        "voucher": _voucher_note(voucher, subtotal),
        "shipping": shipping,
        "tax": tax,
        "total": total,
    }


def _voucher_note(voucher: Voucher | None, subtotal: int) -> dict[str, Any] | None:
    if voucher is None:
        return None
    missing = max(0, voucher.minimum - subtotal)
    return {"code": voucher.code, "applied": missing == 0, "missing": missing}
