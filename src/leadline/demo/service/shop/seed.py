"""The stock in trade of a fresh database, and enough past orders to look at."""

import json
from datetime import UTC, datetime, timedelta

from shop import customers, orders
from shop.basket import Item, build_lines
from shop.catalog import Catalog
from shop.db import Database
from shop.pricing import quote

# sku, name, category, cents, VAT percent, grams, discountable
PRODUCTS = [
    ("NB-A5-DOT", "Notebook A5, dotted", "notebooks", 1_490, 19, 320, True),
    ("NB-A5-LIN", "Notebook A5, lined", "notebooks", 1_490, 19, 320, True),
    ("NB-A4-SQU", "Notebook A4, squared", "notebooks", 1_990, 19, 610, True),
    ("NB-POCKET", "Pocket notebook, set of three", "notebooks", 995, 19, 150, True),
    ("PEN-FOUNT", "Fountain pen Harbour, fine nib", "pens", 4_900, 19, 60, True),
    ("PEN-ROLL", "Rollerball Quay, black", "pens", 1_250, 19, 35, True),
    ("PEN-BRUSH", "Brush pens, twelve colours", "pens", 2_395, 19, 210, True),
    ("PENCIL-HB", "Pencils HB, box of twelve", "pens", 890, 19, 90, True),
    ("INK-BLUE", "Ink, harbour blue, 50 ml", "ink", 1_095, 19, 160, True),
    ("INK-SEPIA", "Ink, sepia, 50 ml", "ink", 1_095, 19, 160, True),
    ("CARD-BDAY", "Birthday card, letterpress", "cards", 395, 19, 25, True),
    ("CARD-XMAS", "Winter cards, set of eight", "cards", 1_650, 19, 170, True),
    ("WRAP-KRAFT", "Wrapping paper, kraft, 10 m", "cards", 795, 19, 450, True),
    ("SAMPLE-PAPER", "Paper sampler, twelve sheets", "samples", 0, 19, 40, True),
    ("BOOK-CALLI", "Calligraphy for Beginners", "books", 2_400, 7, 540, False),
    ("BOOK-FOLD", "The Art of Folding", "books", 3_200, 7, 780, False),
    ("BOOK-TYPE", "A Field Guide to Typefaces", "books", 2_800, 7, 690, False),
    ("GIFT-25", "Gift card, 25 euros", "gift cards", 2_500, 0, 12, False),
    ("GIFT-50", "Gift card, 50 euros", "gift cards", 5_000, 0, 12, False),
    ("GIFT-100", "Gift card, 100 euros", "gift cards", 10_000, 0, 12, False),
    ("ENV-C5", "Envelope C5, recycled", "office", 24, 19, 7, True),
    ("ENV-DL", "Envelope DL with window", "office", 19, 19, 5, True),
    ("FOLDER-A4", "Folder A4, board", "office", 85, 19, 38, True),
    ("LABEL-A4", "Label sheet A4, 24 labels", "office", 45, 19, 9, True),
    ("PAPER-500", "Copy paper A4, 500 sheets", "office", 620, 19, 2_500, True),
]

# Quantity to percent off, for what offices order by the hundred.
BREAKS = {
    "ENV-C5": {10: 5, 50: 10, 100: 20},
    "ENV-DL": {10: 5, 50: 10, 100: 20},
    "FOLDER-A4": {10: 4, 50: 8, 100: 15},
    "LABEL-A4": {20: 5, 50: 10, 100: 18},
    "PAPER-500": {5: 3},
}

# code, kind, cents or percent, minimum in cents, last day
VOUCHERS = [
    ("WELCOME5", "amount", 500, 2_000, "2099-12-31"),
    ("HARBOUR10", "amount", 1_000, 2_500, "2099-12-31"),
    ("PAPER15", "percent", 15, 2_000, "2099-12-31"),
    ("THANKYOU", "amount", 2_000, 9_000, "2099-12-31"),
    ("SUMMER23", "percent", 20, 0, "2023-08-31"),
]

FIRST_NAMES = ("Ada", "Bram", "Clara", "Dario", "Elif", "Freya", "Goran", "Hanne")
LAST_NAMES = ("Andersen", "Becker", "Costa", "Dubois", "Eriksen")
COUNTRIES = ("DE", "DE", "AT", "DE", "DE", "NL", "DE", "CH", "DE", "FR")
TIERS = ("basic", "basic", "silver", "basic", "gold", "basic", "silver")
FIRST_CUSTOMER = 1_001
PAST_ORDERS = 60


def fill(db: Database) -> None:
    """Fill an empty database; leaves one that has products as it is."""
    with db.writing() as connection:
        if connection.execute("SELECT 1 FROM products").fetchone() is not None:
            return
        connection.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(*product, json.dumps(BREAKS.get(product[0], {}))) for product in PRODUCTS],
        )
        connection.executemany(
            "INSERT INTO stock VALUES (?, ?, ?, ?)",
            [_shelf(sku, category) for sku, _, category, *_ in PRODUCTS],
        )
        connection.executemany("INSERT INTO vouchers VALUES (?, ?, ?, ?, ?)", VOUCHERS)
        connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?)", _customers())
    _past_orders(db)


def _shelf(sku: str, category: str) -> tuple[str, int, int, int]:
    full, reorder = (6_000, 2_500) if category == "office" else (300, 60)
    return (sku, full, reorder, full)


def _customers() -> list[tuple[int, str, str, str, str]]:
    names = [(first, last) for last in LAST_NAMES for first in FIRST_NAMES]
    return [
        (
            FIRST_CUSTOMER + index,
            f"{first} {last}",
            f"{first}.{last}@mail.example".lower(),
            COUNTRIES[index % len(COUNTRIES)],
            TIERS[index % len(TIERS)],
        )
        for index, (first, last) in enumerate(names)
    ]


def _past_orders(db: Database) -> None:
    catalog = Catalog(db, ttl=60)
    now = datetime.now(UTC)
    people = len(FIRST_NAMES) * len(LAST_NAMES)
    priced = []
    for index in range(PAST_ORDERS):
        customer = customers.find(db, FIRST_CUSTOMER + index * 7 % people)
        skus = {PRODUCTS[index % 17][0], PRODUCTS[index * 5 % 13][0]}
        lines = build_lines(catalog, [Item(sku, 1 + index % 3) for sku in sorted(skus)])
        priced.append((customer, quote(lines, customer), now - timedelta(days=180 - index * 3)))
    with db.writing() as connection:
        for customer, price, placed_at in priced:
            token = f"tok_{customer.id}_{placed_at:%j}"
            orders.store(connection, customer, price, token, placed_at, status="shipped")
