"""From a request for a basket to its price, and from there to an order."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shop import customers, orders, vouchers
from shop.basket import Item, build_lines
from shop.catalog import Catalog
from shop.db import Database
from shop.pricing import quote


@dataclass(frozen=True)
class Basket:
    """A basket as it was sent, already checked for form."""

    customer_id: int
    items: tuple[Item, ...]
    voucher_code: str | None = None


def price_basket(db: Database, catalog: Catalog, basket: Basket) -> dict[str, Any]:
    customer = customers.find(db, basket.customer_id)
    voucher = None
    if basket.voucher_code is not None:
        voucher = vouchers.redeem(db, basket.voucher_code, datetime.now(UTC).date())
    lines = build_lines(catalog, basket.items)
    return quote(lines, customer, voucher)


def place_order(
    db: Database, catalog: Catalog, basket: Basket, payment_token: str
) -> dict[str, Any]:
    """Price the basket once more and order it: a quote from before binds nobody."""
    customer = customers.find(db, basket.customer_id)
    price = price_basket(db, catalog, basket)
    number = orders.place(db, customer, price, payment_token)
    return {"number": number, "status": "received", **price}
