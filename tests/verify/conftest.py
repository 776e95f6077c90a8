"""Calls that several tests verify candidates on."""

import pytest
from benchmarks.verify.calling import imported

from leadline.verify import elsewhere
from verify.shop import SHOP, make_quotes

MODULES = ("shop.pricing", "shop.basket", "shop.customers", "shop.vouchers")


@pytest.fixture(autouse=True)
def few_worlds(monkeypatch):
    """Have calls run in fewer other worlds: a sixth of the time; `test_elsewhere` has all."""
    monkeypatch.setattr(elsewhere, "MOST_RUNS", 24)


@pytest.fixture(scope="session")
def quotes():
    """Quotes of the shop, two of which fail."""
    with imported(SHOP, *MODULES) as modules:
        return make_quotes(*modules)
