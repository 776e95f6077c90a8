"""Who buys here."""

from dataclasses import dataclass

from shop.db import Database
from shop.errors import NotFoundError


@dataclass(frozen=True)
class Customer:
    """`country` is ISO 3166, two letters; `tier` is basic, silver or gold."""

    id: int
    name: str
    email: str
    country: str
    tier: str


def find(db: Database, customer_id: int) -> Customer:
    with db.reading() as connection:
        row = connection.execute(
            "SELECT id, name, email, country, tier FROM customers WHERE id = ?", (customer_id,)
        ).fetchone()
    if row is None:
        raise NotFoundError(f"there is no customer {customer_id}")
    return Customer(**dict(row))
