"""Calls that several tests verify candidates on."""

import pytest
from benchmarks.verify.calling import imported

from verify.shop import SHOP, make_quotes

MODULES = ("shop.pricing", "shop.basket", "shop.customers", "shop.vouchers")


@pytest.fixture(scope="session")
def quotes():
    """Quotes of the shop, two of which fail."""
    with imported(SHOP, *MODULES) as modules:
        return make_quotes(*modules)
