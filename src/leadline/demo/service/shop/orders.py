"""Orders, from the moment they are placed until they are on their way."""

import logging
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shop import outbox, stock
from shop.customers import Customer
from shop.db import Database
from shop.errors import NotFoundError
from shop.money import as_text

log = logging.getLogger(__name__)

# What follows on a status, and how long an order stays in it at least.
NEXT_STATUS = {
    "received": ("packed", timedelta(seconds=5)),
    "packed": ("shipped", timedelta(seconds=20)),
}


def place(
    db: Database, customer: Customer, price: Mapping[str, Any], payment_token: str
) -> int:
    """Take the goods off the shelf, store the order, queue its mail; returns its number."""
    with db.writing() as connection:
        for line in price["lines"]:
            stock.take(connection, line["sku"], line["quantity"])
        number = store(connection, customer, price, payment_token, datetime.now(UTC))
        outbox.queue(connection, customer.email, f"Your order {number}")
    log.info("order %d of customer %d: %s", number, customer.id, as_text(price["total"]))
    return number


def store(
    connection: sqlite3.Connection,
    customer: Customer,
    price: Mapping[str, Any],
    payment_token: str,
    placed_at: datetime,
    *,
    status: str = "received",
) -> int:
    voucher = price["voucher"]
    cursor = connection.execute(
        """
        INSERT INTO orders (customer_id, placed_at, status, voucher, discount, shipping,
                            total, payment_token)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            customer.id,
            placed_at.isoformat(timespec="seconds"),
            status,
            voucher["code"] if voucher and voucher["applied"] else None,
            price["discount"],
            price["shipping"],
            price["total"],
            payment_token,
        ),
    )
    number = cursor.lastrowid
    if number is None:
        raise RuntimeError("the database stored an order without a number")
    connection.executemany(
        "INSERT INTO order_lines VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                number,
                position,
                line["sku"],
                line["name"],
                line["quantity"],
                line["unit_price"],
                line["discount"],
                line["vat"],
            )
            for position, line in enumerate(price["lines"], start=1)
        ],
    )
    return number


def find(db: Database, number: int) -> dict[str, Any]:
    """An order with its lines; the payment token stays in the database."""
    with db.reading() as connection:
        order = connection.execute(
            """
            SELECT number, customer_id, placed_at, status, voucher, discount, shipping, total
            FROM orders WHERE number = ?
            """,
            (number,),
        ).fetchone()
        if order is None:
            raise NotFoundError(f"there is no order {number}")
        lines = connection.execute(
            """
            SELECT sku, name, quantity, unit_price, discount, vat
            FROM order_lines WHERE number = ? ORDER BY position
            """,
            (number,),
        ).fetchall()
    return {**dict(order), "lines": [dict(line) for line in lines]}


def history(db: Database, customer_id: int, limit: int = 20) -> list[dict[str, Any]]:
    with db.reading() as connection:
        rows = connection.execute(
            """
            SELECT number, placed_at, status, total FROM orders
            WHERE customer_id = ? ORDER BY number DESC LIMIT ?
            """,
            (customer_id, limit),
        ).fetchall()
    return [dict(row) for row in rows]


def advance(db: Database, now: datetime) -> int:
    """Move orders that have waited long enough to their next status; returns how many."""
    moved = 0
    for status, (following, wait) in NEXT_STATUS.items():
        before = (now - wait).isoformat(timespec="seconds")
        with db.writing() as connection:
            cursor = connection.execute(
                "UPDATE orders SET status = ? WHERE status = ? AND placed_at <= ?",
                (following, status, before),
            )
            moved += cursor.rowcount
    return moved
