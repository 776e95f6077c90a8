"""Prices by quantity: offices that order a lot of one thing pay less for each."""

from collections.abc import Mapping

from shop.catalog import Product
from shop.money import percent_off


def step_reached(breaks: Mapping[str, int], quantity: int) -> str | None:
    """The highest step that `quantity` reaches, or None below the first."""
    reached = [step for step in breaks if quantity >= int(step)]
    return max(reached, default=None)


def unit_price(product: Product, quantity: int) -> int:
    """The price of one piece, in cents, when `quantity` of them are bought together."""
    step = step_reached(product.breaks, quantity)
    percent = product.breaks[step] if step is not None else 0
    return percent_off(product.price, percent)
