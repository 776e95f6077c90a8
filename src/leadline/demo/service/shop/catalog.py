"""The catalogue: what the shop sells."""

import json
import sqlite3
from dataclasses import dataclass, field

from shop.cache import TtlCache
from shop.db import Database
from shop.errors import NotFoundError


@dataclass(frozen=True)
class Product:
    """One thing on the shelf; `price` is for a single piece, in cents with tax."""

    sku: str
    name: str
    category: str
    price: int
    vat: int
    grams: int
    discountable: bool
    breaks: dict[str, int] = field(default_factory=dict)


class Catalog:
    """Reads products; single ones come from memory for up to `ttl` seconds."""

    def __init__(self, db: Database, ttl: float) -> None:
        self._db = db
        self._products: TtlCache[str, Product] = TtlCache(ttl)

    def product(self, sku: str) -> Product:
        return self._products.get(sku, self._load)

    def search(self, text: str = "", category: str = "", limit: int = 20) -> list[Product]:
        """Products whose name contains `text`, by name; empty arguments mean any."""
        with self._db.reading() as connection:
            rows = connection.execute(
                """
                SELECT * FROM products
                WHERE (:text = '' OR instr(lower(name), lower(:text)) > 0)
                  AND (:category = '' OR category = :category)
                ORDER BY name LIMIT :limit
                """,
                {"text": text, "category": category, "limit": limit},
            ).fetchall()
        return [_from_row(row) for row in rows]

    def _load(self, sku: str) -> Product:
        with self._db.reading() as connection:
            row = connection.execute("SELECT * FROM products WHERE sku = ?", (sku,)).fetchone()
        if row is None:
            raise NotFoundError(f"there is no product {sku!r}")
        return _from_row(row)


def _from_row(row: sqlite3.Row) -> Product:
    return Product(
        sku=row["sku"],
        name=row["name"],
        category=row["category"],
        price=row["price"],
        vat=row["vat"],
        grams=row["grams"],
        discountable=bool(row["discountable"]),
        breaks=json.loads(row["breaks"]),
    )
