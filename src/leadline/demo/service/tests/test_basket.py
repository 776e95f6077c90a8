# ruff: noqa: S101 - tests assert

from datetime import date

import pytest
from shop import money, vouchers
from shop.basket import Item, build_lines
from shop.cache import TtlCache
from shop.catalog import Catalog
from shop.db import Database
from shop.errors import InvalidError, NotFoundError
from shop.volume import unit_price


def test_repeated_products_add_up(catalog: Catalog) -> None:
    lines = build_lines(
        catalog, [Item("INK-BLUE", 1), Item("PEN-ROLL", 1), Item("INK-BLUE", 2)]
    )
    assert [(line.sku, line.quantity) for line in lines] == [("INK-BLUE", 3), ("PEN-ROLL", 1)]


@pytest.mark.parametrize(("quantity", "each"), [(1, 85), (9, 85), (10, 82), (49, 82), (60, 78)])
def test_folders_get_cheaper_by_quantity(catalog: Catalog, quantity: int, each: int) -> None:
    assert unit_price(catalog.product("FOLDER-A4"), quantity) == each


def test_most_products_have_one_price(catalog: Catalog) -> None:
    assert unit_price(catalog.product("NB-POCKET"), 500) == 995


def test_search_looks_at_names_and_categories(catalog: Catalog) -> None:
    assert [product.sku for product in catalog.search("envelope")] == ["ENV-C5", "ENV-DL"]
    assert len(catalog.search(category="books")) == 3
    assert len(catalog.search(limit=4)) == 4


def test_unknown_products_are_not_found(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError, match="NB-A9"):
        catalog.product("NB-A9")


def test_a_voucher_is_found_as_it_was_typed(db: Database) -> None:
    assert vouchers.redeem(db, " harbour10 ", date(2025, 5, 1)).value == 1_000


def test_a_voucher_is_valid_through_its_last_day(db: Database) -> None:
    assert vouchers.redeem(db, "SUMMER23", date(2023, 8, 31)).kind == "percent"
    with pytest.raises(InvalidError, match="valid until 2023-08-31"):
        vouchers.redeem(db, "SUMMER23", date(2023, 9, 1))


def test_halves_of_a_cent_are_rounded_up() -> None:
    assert money.percent_of(1_490, 15) == 224
    assert money.divide(-5, 2) == -3
    assert money.as_text(-1_205) == "-12.05 EUR"


def test_the_cache_loads_once_and_drops_the_oldest() -> None:
    loaded: list[str] = []

    def load(key: str) -> str:
        loaded.append(key)
        return key.upper()

    cache: TtlCache[str, str] = TtlCache(ttl=60, size=2)
    assert [cache.get(key, load) for key in ("a", "a", "b", "c", "a")] == list("AABCA")
    assert loaded == ["a", "b", "c", "a"]
