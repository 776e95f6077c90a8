from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import seed
from shop.catalog import Catalog
from shop.customers import Customer
from shop.db import Database


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "shop.sqlite3")
    database.create()
    seed.fill(database)
    yield database
    database.close()


@pytest.fixture
def catalog(db: Database) -> Catalog:
    return Catalog(db, ttl=60)


@pytest.fixture
def ada() -> Customer:
    return Customer(1001, "Ada Andersen", "ada.andersen@mail.example", "DE", "basic")
