# ruff: noqa: S101 - tests assert

from dataclasses import replace

import pytest
from shop.basket import Line
from shop.customers import Customer
from shop.errors import InvalidError
from shop.pricing import quote, spread_voucher
from shop.shipping import parcel_rate, shipping_cost
from shop.vouchers import Voucher

NOTEBOOK = Line("NB-A5-DOT", "Notebook", 2, 1_490, 19, 320, discountable=True)
INK = Line("INK-BLUE", "Ink", 1, 1_095, 19, 160, discountable=True)
BOOK = Line("BOOK-FOLD", "The Art of Folding", 1, 3_200, 7, 780, discountable=False)
GIFT = Line("GIFT-25", "Gift card", 1, 2_500, 0, 12, discountable=False)

TEN_EUROS = Voucher("HARBOUR10", "amount", 1_000, 2_500, "2099-12-31")
FIFTEEN_PERCENT = Voucher("PAPER15", "percent", 15, 2_000, "2099-12-31")


def test_a_basket_without_voucher(ada: Customer) -> None:
    price = quote([NOTEBOOK, INK], ada)
    assert price["subtotal"] == 4_075
    assert price["discount"] == 0
    assert price["shipping"] == 450
    assert price["total"] == 4_525
    assert price["voucher"] is None


def test_gift_cards_and_books_are_sold_at_their_price(ada: Customer) -> None:
    price = quote([GIFT, BOOK], ada)
    assert price["subtotal"] == price["total"] == 5_700


def test_an_amount_is_taken_off(ada: Customer) -> None:
    price = quote([NOTEBOOK, INK], ada, TEN_EUROS)
    assert price["discount"] == 1_000
    assert price["total"] == 4_075 - 1_000 + 450


def test_a_percentage_is_taken_off(ada: Customer) -> None:
    price = quote([NOTEBOOK], ada, FIFTEEN_PERCENT)
    assert price["discount"] == 447
    assert price["lines"][0]["amount"] == 2_980 - 447


def test_a_voucher_below_its_minimum_is_left_out(ada: Customer) -> None:
    price = quote([INK], ada, TEN_EUROS)
    assert price["discount"] == 0
    assert price["voucher"] == {"code": "HARBOUR10", "applied": False, "missing": 1_405}


def test_excluded_lines_get_no_discount(ada: Customer) -> None:
    price = quote([NOTEBOOK, BOOK, GIFT], ada, FIFTEEN_PERCENT)
    assert [line["discount"] for line in price["lines"][1:]] == [0, 0]


def test_shares_add_up_to_the_voucher() -> None:
    thirds = [replace(INK, sku=f"INK-{number}") for number in range(3)]
    assert spread_voucher(TEN_EUROS, thirds) == [334, 333, 333]


def test_a_voucher_is_never_worth_more_than_the_goods() -> None:
    assert spread_voucher(replace(TEN_EUROS, value=9_000), [INK]) == [1_095]


def test_tax_is_taken_at_each_lines_own_rate(ada: Customer) -> None:
    price = quote([NOTEBOOK, BOOK], ada)
    assert price["tax"] == 476 + 209


@pytest.mark.parametrize(
    ("country", "grams", "cost"),
    [("DE", 500, 190), ("DE", 501, 450), ("AT", 2_000, 890), ("CH", 9_000, 2_790)],
)
def test_parcels_cost_by_country_and_weight(country: str, grams: int, cost: int) -> None:
    assert parcel_rate(country, grams) == cost


def test_heavy_orders_go_in_several_parcels() -> None:
    assert parcel_rate("DE", 63_000) == 2 * 1_190
    assert parcel_rate("DE", 64_000) == 2 * 1_190 + 450


def test_delivery_is_free_at_home_from_the_tiers_amount() -> None:
    assert shipping_cost("DE", "basic", 900, 4_899) == 450
    assert shipping_cost("DE", "basic", 900, 4_900) == 0
    assert shipping_cost("DE", "gold", 900, 1_900) == 0
    assert shipping_cost("AT", "gold", 900, 90_000) == 890


def test_far_countries_are_turned_down() -> None:
    with pytest.raises(InvalidError, match="do not deliver to JP"):
        shipping_cost("JP", "basic", 100, 100)
