"""Invoices: an order with its tax shown per rate, as the law wants it."""

from typing import Any

from shop import customers, orders
from shop.db import Database
from shop.money import as_text, tax_in
from shop.pricing import SHIPPING_VAT


def invoice(db: Database, number: int) -> dict[str, Any]:
    order = orders.find(db, number)
    customer = customers.find(db, order["customer_id"])
    gross_by_rate: dict[int, int] = {}
    for line in order["lines"]:
        paid = line["quantity"] * line["unit_price"] - line["discount"]
        gross_by_rate[line["vat"]] = gross_by_rate.get(line["vat"], 0) + paid
    if order["shipping"]:
        gross_by_rate[SHIPPING_VAT] = gross_by_rate.get(SHIPPING_VAT, 0) + order["shipping"]
    rates = [
        {"vat": vat, "gross": gross, "tax": tax_in(gross, vat)}
        for vat, gross in sorted(gross_by_rate.items())
    ]
    return {
        "invoice": f"PW-{order['placed_at'][:4]}-{number:06}",
        "order": number,
        "bill_to": {"name": customer.name, "country": customer.country},
        "lines": order["lines"],
        "rates": rates,
        "shipping": order["shipping"],
        "total": order["total"],
        "total_text": as_text(order["total"]),
    }
