"""Objects of well-known libraries by value: arrays and tables, models, rows of a database."""

import array
import functools
import json
import sys
import types
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import fromstring, tostring

import django
import numpy as np
import pandas as pd
import pydantic
import pytest
import sqlalchemy as sa
from django.apps import apps
from django.conf import settings
from sqlalchemy import orm

from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.trial.rebuilding import check, rebuild


class Base(orm.DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    lines: orm.Mapped[list["Line"]] = orm.relationship(back_populates="order")


class Line(Base):
    __tablename__ = "lines"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    order_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("orders.id"))
    order: orm.Mapped[Order] = orm.relationship(back_populates="lines")


class Customer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    name: str
    tags: list[str] = []
    _seen: int = pydantic.PrivateAttr(default=3)


landmarks = functools.cache(Landmarks.of_process)
"""Names alone; those of all modules that the tests load take half a second to find."""


def kept(value: object, known: Landmarks | None = None) -> object:
    known = known or Landmarks.of_process()

    def again(named: object) -> object:
        return keep(named, landmarks=known)

    found = withhold(again([("value", value)]))
    assert (found.obstacle, found.withheld) == ("", [])
    document = json.loads(json.dumps(found.document))
    assert check(document, again) == ""
    return rebuild(document)["value"]


@pytest.mark.parametrize("value", [
    np.arange(6).reshape(2, 3), np.array([1, "a", None], dtype=object), np.array(["a", "bc"]),
    np.array([b"a"]), np.asfortranarray(np.ones((2, 3))), np.array(True), np.array([]),
    np.array(["2026-01-01", "NaT"], dtype="M8[ns]"), np.arange(10)[::3], np.array([1 + 2j]),
], ids=str)  # fmt: skip
def test_arrays_come_back(value: np.ndarray) -> None:
    made = kept(value, landmarks())
    assert (made.dtype, made.shape) == (value.dtype, value.shape)
    np.testing.assert_array_equal(made, value)
    if value.dtype != object:
        made[...] = made  # it can be written to


@pytest.mark.parametrize("value", [
    np.float64(1.5), np.int32(7), np.datetime64("2026-01-01"), np.str_("x"), np.bool_(True),
    np.dtype("f4"), array.array("i", [1, 2]), array.array("d"), np.complex128(1j), np.int64(-1),
], ids=repr)  # fmt: skip
def test_single_numbers_and_plain_arrays_come_back(value: object) -> None:
    made = kept(value, landmarks())
    assert (type(made), made) == (type(value), value)


@pytest.mark.soak
def test_tables_come_back() -> None:
    moments = pd.to_datetime(["2026-01-01", "2026-01-02"])
    table = pd.DataFrame({
        "a": [1, 2], "b": ["x", "y"], "c": [1.5, None], "d": moments,
        "e": pd.Categorical(["p", "q"]), "f": pd.array([1, None], dtype="Int64"),
        "g": moments.tz_localize("UTC"), "h": moments,
    }, index=pd.Index([3, 4], name="number"))  # fmt: skip
    made = kept(table)
    pd.testing.assert_frame_equal(made, table)
    pd.testing.assert_frame_equal(made.groupby("b").first(), table.groupby("b").first())
    for name in table.columns:
        pd.testing.assert_series_equal(kept(table[name]), table[name])
    pd.testing.assert_frame_equal(kept(pd.DataFrame()), pd.DataFrame())


def test_a_table_with_a_secret_column_is_withheld() -> None:
    table = pd.DataFrame({"user": ["ann"], "password": ["hunter2"]})
    found = keep([("table", table), ("column", table["password"])])
    assert found.withheld == ["table (name 'password')", "column (name 'password')"]
    assert "hunter2" not in json.dumps(found.document)


def test_secrets_in_arrays_are_found() -> None:
    bearer = "Bearer abcdef0123456789abcdef"
    texts = [
        np.array([bearer]), np.array([bearer.encode()]),
        np.array([4_111_111_111_111_111]), array.array("q", [4_111_111_111_111_111]),
    ]  # fmt: skip
    found = withhold(keep([("texts", texts)]))
    assert [line.partition(" ")[0] for line in found.withheld] == [
        f"texts[{at}]" for at in range(4)
    ]


def test_what_numpy_cannot_tell_by_its_memory_is_said() -> None:
    for value in (
        np.zeros(2, dtype=[("a", "i4")]),
        np.ma.array([1]),
        pd.Timestamp("2026-01-01"),
    ):
        assert keep([("value", value)]).document is None


def test_models_of_pydantic_come_back() -> None:
    customer = Customer(name="Ann", tags=["a"], more=1)
    customer._seen = 5
    made = kept(customer)
    assert made == customer
    assert (made._seen, made.more, made.model_fields_set) == (5, 1, {"name", "tags", "more"})


def test_objects_of_a_database_come_back_as_far_as_they_are_loaded() -> None:
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add(Order(name="first", lines=[Line(), Line()]))
        session.commit()
        order = session.scalars(sa.select(Order)).one()
        assert [line.order for line in order.lines] == [order, order]
        row = session.execute(sa.select(Order.id, Order.name)).one()
        made = kept(order)
        assert (made.id, made.name) == (1, "first")
        assert made.lines[1].order is made
        assert kept(row).name == "first"
        made.name = "second"
    engine.dispose()
    new = kept(Order(name="new"))
    new.lines.append(Line())
    assert new.lines[0].order is new


@pytest.fixture(scope="module")
def users() -> Iterator[types.ModuleType]:
    if not settings.configured:  # another test of this process may have
        settings.configure(
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
        )
    django.setup()
    apps.set_installed_apps(["django.contrib.contenttypes", "django.contrib.auth"])
    yield __import__("django.contrib.auth.models", fromlist=["User"])
    apps.unset_installed_apps()


def test_models_of_django_come_back(users: types.ModuleType) -> None:
    user = users.User(id=3, username="ann", first_name="Ann")
    del user.__dict__["password"]
    made = kept(user)
    assert made == user
    assert made.get_full_name() == "Ann"
    assert made.get_deferred_fields() == {"password"}
    assert type(made._state) is type(user._state)
    assert sys.modules[type(made).__module__] is users


def test_a_tree_of_xml_comes_back() -> None:
    root = fromstring("<a k='v'>t<b>x</b>y<b/></a>")
    kept = keep([("root", root), ("child", root[0])])
    assert check(kept.document, keep) == ""
    found = rebuild(kept.document or {})
    again: Any = found["root"]
    assert tostring(again) == tostring(root)
    assert again[0] is found["child"]
