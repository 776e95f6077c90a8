"""What lies on the shelf, and when to order more of it."""

import logging
import sqlite3

from shop.db import Database
from shop.errors import OutOfStockError

log = logging.getLogger(__name__)


def on_hand(db: Database, sku: str) -> int:
    with db.reading() as connection:
        row = connection.execute("SELECT on_hand FROM stock WHERE sku = ?", (sku,)).fetchone()
    return 0 if row is None else int(row["on_hand"])


def take(connection: sqlite3.Connection, sku: str, quantity: int) -> None:
    """Take pieces off the shelf, within the caller's transaction."""
    changed = connection.execute(
        "UPDATE stock SET on_hand = on_hand - :quantity"
        " WHERE sku = :sku AND on_hand >= :quantity",
        {"sku": sku, "quantity": quantity},
    )
    if changed.rowcount == 0:
        raise OutOfStockError(f"fewer than {quantity} of {sku} are in stock")


def restock(db: Database) -> int:
    """Fill up what has run low; returns how many products that were."""
    with db.reading() as connection:
        low = connection.execute("SELECT sku FROM stock WHERE on_hand <= reorder").fetchall()
    if not low:
        return 0
    with db.writing() as connection:
        connection.execute("UPDATE stock SET on_hand = target WHERE on_hand <= reorder")
    log.info("restocked %s", ", ".join(row["sku"] for row in low))
    return len(low)
