# ruff: noqa: S101 - tests assert

from datetime import UTC, datetime, timedelta

import pytest
from shop import checkout, customers, invoices, orders, outbox, payload, seed, stock
from shop.basket import Item
from shop.catalog import Catalog
from shop.checkout import Basket
from shop.db import Database
from shop.errors import InvalidError, NotFoundError, OutOfStockError

TOKEN = "tok_4f1c"  # noqa: S105 - of no real payment


def order(db: Database, catalog: Catalog, *items: Item) -> int:
    placed = checkout.place_order(db, catalog, Basket(1001, items), TOKEN)
    return int(placed["number"])


def test_an_order_keeps_what_was_quoted(db: Database, catalog: Catalog) -> None:
    basket = Basket(1001, (Item("NB-A5-DOT", 2), Item("INK-BLUE", 1)), "HARBOUR10")
    price = checkout.price_basket(db, catalog, basket)
    number = checkout.place_order(db, catalog, basket, TOKEN)["number"]
    kept = orders.find(db, number)
    assert (kept["total"], kept["voucher"]) == (price["total"], "HARBOUR10")
    assert "payment_token" not in kept


def test_ordering_takes_goods_off_the_shelf_and_queues_mail(
    db: Database, catalog: Catalog
) -> None:
    order(db, catalog, Item("PEN-FOUNT", 3))
    assert stock.on_hand(db, "PEN-FOUNT") == 297
    assert outbox.waiting(db) == 1
    assert (outbox.send(db), outbox.waiting(db)) == (1, 0)


def test_an_order_beyond_the_stock_changes_nothing(db: Database, catalog: Catalog) -> None:
    with pytest.raises(OutOfStockError):
        order(db, catalog, Item("INK-SEPIA", 1), Item("PEN-FOUNT", 900))
    assert stock.on_hand(db, "INK-SEPIA") == 300
    assert outbox.waiting(db) == 0


def test_low_shelves_are_filled(db: Database, catalog: Catalog) -> None:
    order(db, catalog, Item("PEN-ROLL", 250))
    assert stock.restock(db) == 1
    assert stock.on_hand(db, "PEN-ROLL") == 300
    assert stock.restock(db) == 0


def test_orders_move_on_after_a_while(db: Database, catalog: Catalog) -> None:
    number = order(db, catalog, Item("PEN-ROLL", 1))
    now = datetime.now(UTC)
    assert orders.advance(db, now) == 0
    orders.advance(db, now + timedelta(seconds=10))
    assert orders.find(db, number)["status"] == "packed"
    orders.advance(db, now + timedelta(seconds=60))
    assert orders.find(db, number)["status"] == "shipped"


def test_the_history_starts_with_the_newest(db: Database, catalog: Catalog) -> None:
    number = order(db, catalog, Item("PEN-ROLL", 1))
    history = orders.history(db, 1001)
    assert history[0]["number"] == number
    assert len(history) > 1


def test_an_invoice_shows_the_tax_per_rate(db: Database, catalog: Catalog) -> None:
    number = order(db, catalog, Item("BOOK-FOLD", 1), Item("INK-BLUE", 1))
    invoice = invoices.invoice(db, number)
    assert invoice["rates"] == [
        {"vat": 7, "gross": 3_200, "tax": 209},
        {"vat": 19, "gross": 1_545, "tax": 247},
    ]
    assert invoice["total_text"] == "47.45 EUR"


def test_unknown_numbers_are_not_found(db: Database) -> None:
    with pytest.raises(NotFoundError):
        orders.find(db, 999_999)
    with pytest.raises(NotFoundError):
        customers.find(db, 7)


def test_filling_twice_changes_nothing(db: Database) -> None:
    seed.fill(db)
    assert orders.find(db, seed.PAST_ORDERS)["status"] == "shipped"
    with pytest.raises(NotFoundError):
        orders.find(db, seed.PAST_ORDERS + 1)


@pytest.mark.parametrize(
    "body",
    [
        {"customer": 1001},
        {"customer": 1001, "lines": []},
        {"customer": "1001", "lines": [{"sku": "INK-BLUE", "quantity": 1}]},
        {"customer": 1001, "lines": [{"sku": "INK-BLUE", "quantity": 0}]},
        {"customer": 1001, "lines": [{"quantity": 1}]},
        {"customer": 1001, "lines": [{"sku": "INK-BLUE", "quantity": 1}], "voucher": 5},
    ],
)
def test_baskets_of_the_wrong_form_are_turned_down(body: dict[str, object]) -> None:
    with pytest.raises(InvalidError):
        payload.basket(body)
