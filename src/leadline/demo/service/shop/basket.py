"""The basket: what a customer wants, checked and priced piece by piece."""

from collections.abc import Iterable
from dataclasses import dataclass

from shop.catalog import Catalog
from shop.volume import unit_price


@dataclass(frozen=True)
class Item:
    """A wish: so many of that product."""

    sku: str
    quantity: int


@dataclass(frozen=True)
class Line:
    """A wish with everything that its price depends on; amounts are gross cents."""

    sku: str
    name: str
    quantity: int
    unit_price: int
    vat: int
    grams: int
    discountable: bool

    @property
    def amount(self) -> int:
        return self.quantity * self.unit_price

    @property
    def weight(self) -> int:
        return self.quantity * self.grams


def build_lines(catalog: Catalog, items: Iterable[Item]) -> list[Line]:
    """One line per product, in the order of first mention; repeated products add up."""
    quantities: dict[str, int] = {}
    for item in items:
        quantities[item.sku] = quantities.get(item.sku, 0) + item.quantity
    lines = []
    for sku, quantity in quantities.items():
        product = catalog.product(sku)
        lines.append(
            Line(
                sku=sku,
                name=product.name,
                quantity=quantity,
                unit_price=unit_price(product, quantity),
                vat=product.vat,
                grams=product.grams,
                discountable=product.discountable,
            )
        )
    return lines
