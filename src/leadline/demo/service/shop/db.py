"""The database: one SQLite file, a pool of connections and the schema."""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS products (
    sku          TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    category     TEXT NOT NULL,
    price        INTEGER NOT NULL CHECK (price >= 0),  -- cents, tax included
    vat          INTEGER NOT NULL,                     -- percent
    grams        INTEGER NOT NULL,
    discountable INTEGER NOT NULL,
    breaks       TEXT NOT NULL DEFAULT '{}'            -- JSON: quantity -> percent off
) STRICT;

CREATE TABLE IF NOT EXISTS stock (
    sku      TEXT PRIMARY KEY REFERENCES products,
    on_hand  INTEGER NOT NULL CHECK (on_hand >= 0),
    reorder  INTEGER NOT NULL,  -- order again at or below this
    target   INTEGER NOT NULL   -- ... up to this
) STRICT;

CREATE TABLE IF NOT EXISTS customers (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    email    TEXT NOT NULL UNIQUE,
    country  TEXT NOT NULL,
    tier     TEXT NOT NULL CHECK (tier IN ('basic', 'silver', 'gold'))
) STRICT;

CREATE TABLE IF NOT EXISTS vouchers (
    code         TEXT PRIMARY KEY,
    kind         TEXT NOT NULL CHECK (kind IN ('amount', 'percent')),
    value        INTEGER NOT NULL,  -- cents or percent
    minimum      INTEGER NOT NULL,  -- cents of goods
    valid_until  TEXT NOT NULL      -- the last day, ISO 8601
) STRICT;

CREATE TABLE IF NOT EXISTS orders (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id    INTEGER NOT NULL REFERENCES customers,
    placed_at      TEXT NOT NULL,
    status         TEXT NOT NULL DEFAULT 'received',
    voucher        TEXT,
    discount       INTEGER NOT NULL,
    shipping       INTEGER NOT NULL,
    total          INTEGER NOT NULL,
    payment_token  TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer_id, number);
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status, number);

CREATE TABLE IF NOT EXISTS order_lines (
    number      INTEGER NOT NULL REFERENCES orders,
    position    INTEGER NOT NULL,
    sku         TEXT NOT NULL,
    name        TEXT NOT NULL,
    quantity    INTEGER NOT NULL,
    unit_price  INTEGER NOT NULL,
    discount    INTEGER NOT NULL,
    vat         INTEGER NOT NULL,
    PRIMARY KEY (number, position)
) STRICT;

CREATE TABLE IF NOT EXISTS outbox (
    id         INTEGER PRIMARY KEY,
    recipient  TEXT NOT NULL,
    subject    TEXT NOT NULL,
    sent_at    TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (id) WHERE sent_at IS NULL;
"""


class Database:
    """Lends connections; as many exist as were ever lent at the same time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()

    def create(self) -> None:
        """Make the tables that are missing."""
        with self.reading() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        finally:
            self._idle.append(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: kept as a whole at the end, or dropped by an exception."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            pass
        connection = sqlite3.connect(
            self._path, timeout=5, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection
