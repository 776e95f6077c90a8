"""Each test is one hit: what an earlier one walked does not count."""

from collections.abc import Iterator

import pytest

from leadline.expression.fuel import refuel


@pytest.fixture(autouse=True)
def _full_tank() -> Iterator[None]:
    refuel()
    yield
    refuel()
