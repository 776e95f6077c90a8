"""How values of the libraries read that services are made of, with the libraries themselves."""

import gc
import json
from typing import Any

import django
import numpy as np
import pandas as pd
import pydantic
import pytest
import sqlalchemy as sa
from django.conf import settings
from django.db import connection, models
from django.utils.functional import SimpleLazyObject
from sqlalchemy import orm

import hostile
from hostile import calls
from leadline.agent.capture.tree import capture
from leadline.wire.limits import CaptureLimits
from leadline.wire.value import render

LIMITS = CaptureLimits()


def shown(value: object, **limits: int) -> str:
    """A value as it is shown. While it was captured nothing ran; what ran between is the
    libraries' own, which ask every class that there is, those of other tests too."""
    calls.clear()
    tree = capture(value, CaptureLimits(**limits))
    assert calls == []
    return render(json.loads(json.dumps(tree, allow_nan=False)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.arange(6.0).reshape(2, 3),
         "ndarray([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], shape=(2, 3), dtype='float64')"),
        (np.array(5), "ndarray([5], shape=(), dtype='int64')"),
        (np.array([1, 2], "u1"), "ndarray([1, 2], shape=(2,), dtype='uint8')"),
        (np.array([True]), "ndarray([True], shape=(1,), dtype='bool')"),
        (np.array([1 + 2j]), "ndarray([(1+2j)], shape=(1,), dtype='complex128')"),
        (np.array(["a", "b"]), "ndarray(['a', 'b'], shape=(2,), dtype='str')"),
        (np.array([{"a": 1}, None]), "ndarray([{'a': 1}, None], shape=(2,), dtype='object')"),
        (np.array(["2026-01-01", "NaT"], "M8[ns]"),
         "ndarray(['2026-01-01T00:00:00', None], shape=(2,), dtype='datetime64[ns]')"),
        (np.arange(6)[::-2], "ndarray([5, 3, 1], shape=(3,), dtype='int64')"),
        (np.array([1, 2], ">i4"), "ndarray([1, 2], shape=(2,), dtype='int32')"),
        (np.zeros(2, [("a", "i4")]), "ndarray(shape=(2,), dtype='void', … <opaque>)"),
        (np.ma.array([1, 2], mask=[0, 1]),
         "MaskedArray(shape=(2,), dtype='int64', … <opaque>)"),
        (np.array([np.nan]), "ndarray([nan], shape=(1,), dtype='float64')"),
        (np.float64(1.5), "float64(1.5)"),
        (np.float32(1.5), "float32(1.5)"),
        (np.longdouble(1.5), "longdouble(1.5)"),
        (np.int64(3), "int64(3)"),
        (np.bool_(True), "bool(True)"),
        (np.str_("x"), "str_('x')"),
        (np.datetime64("2026-01-01"), "datetime64('2026-01-01')"),
        (np.datetime64("2026-01-01T00:00:00", "ns"), "datetime64('2026-01-01T00:00:00')"),
        (np.timedelta64(5, "s"), "timedelta64('00:00:05')"),
        (np.dtype("f8"), "dtype('float64')"),
    ],
    ids=lambda value: str(type(value)),
)  # fmt: skip
def test_how_numpy_reads(value, text) -> None:
    assert shown(value) == text


def test_of_a_large_array_the_beginning_is_read() -> None:
    tree = capture(np.zeros((1_000, 1_000)), LIMITS)
    assert len(tree["items"]) < 100
    assert (tree["length"], tree["omitted"]) == (1_000_000, "items")
    assert tree["about"]["shape"]["items"] == [1_000, 1_000]


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n": [1, 2, 3],
            "name": ["a", "b", None],
            "price": [1.5, 2.5, float("nan")],
            "at": pd.to_datetime(["2026-01-01", "2026-01-02", None]),
            "kind": pd.Categorical(["u", "v", None]),
            "count": pd.array([1, None, 3], dtype="Int64"),
            "password": ["x", "y", "z"],
            "m": [4, 5, 6],
        }
    )


def test_how_a_table_reads() -> None:
    tree = capture(table(), LIMITS)
    assert tree["length"] == 3
    assert tree["about"]["shape"]["items"] == [3, 8]
    columns = dict(tree["entries"])
    assert {key: value["type"] for key, value in columns.items()} == {
        "n": "int64",
        "name": columns["name"]["type"],
        "price": "float64",
        "at": "datetime64[us]",
        "kind": "category",
        "count": "Int64",
        "password": columns["password"]["type"],
        "m": "int64",
    }
    assert columns["n"]["items"] == [1, 2, 3]
    assert columns["m"]["items"] == [4, 5, 6]
    assert columns["name"]["items"][:2] == ["a", "b"]
    assert columns["price"]["items"][:2] == [1.5, 2.5]
    assert columns["at"]["items"][0]["text"] == "2026-01-01T00:00:00"
    assert columns["kind"]["items"] == ["u", "v", None]
    assert columns["count"]["items"] == [1, None, 3]
    assert columns["password"]["rule"] == "name:password"
    assert "x" not in json.dumps(columns["password"]["rule"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (table()["n"], "Series([1, 2, 3], dtype='int64', name='n')"),
        (table()["kind"], "Series(['u', 'v', None], dtype='category', name='kind')"),
        (table()["password"], "<redacted name:password: Series of 3>"),
        (pd.Series([1], index=["a"]), "Series([1], dtype='int64')"),
        (pd.Series(pd.to_datetime(["2026-01-01T01:00+01:00"])),
         "Series([datetime('2026-01-01T00:00:00')], dtype='datetime64[us], UTC')"),
        (pd.Series(pd.period_range("2026-01", periods=1, freq="M")),
         "Series(dtype='PeriodDtype', … <opaque>)"),
        (table().index, "RangeIndex([0, 1, 2], dtype='int64')"),
        (pd.Index([3, 4]), "Index([3, 4], dtype='int64')"),
        (pd.DataFrame(), "DataFrame({}, shape=(0, 0))"),
        (table()[["n", "price"]].iloc[:2].T,
         "DataFrame({0: float64([1.0, 1.5]), 1: float64([2.0, 2.5])}, shape=(2, 2))"),
        (pd.DataFrame({"a": range(1_000)}),
         "DataFrame({'a': int64([0, 1, 2, 3, 4, … 995 more <items>])}, shape=(1000, 1))"),
        (pd.Timestamp("2026-01-01T01:02:03"), "Timestamp('2026-01-01T01:02:03')"),
        (pd.NaT, "NaTType('NaT')"),
    ],
    ids=lambda value: str(type(value)),
)  # fmt: skip
def test_how_pandas_reads(value, text) -> None:
    assert shown(value) == text


class Line(pydantic.BaseModel):
    model_config = {"extra": "allow"}
    sku: str
    key: pydantic.SecretStr = pydantic.SecretStr("hunter2")
    _note: str = pydantic.PrivateAttr("private")

    @property
    def total(self) -> int:
        calls.append("Line.total")
        return 1

    @pydantic.computed_field
    def doubled(self) -> int:
        calls.append("Line.doubled")
        return 2

    def __repr__(self) -> str:
        calls.append("Line.__repr__")
        return "r"


def test_how_a_pydantic_model_reads() -> None:
    line = Line(sku="A1", more=3)
    calls.clear()
    assert shown(line) == (
        "Line(sku='A1', key=SecretStr(_secret_value=<redacted name:secret>), more=3, "
        "_note='private')"
    )
    assert calls == []


class Model(orm.DeclarativeBase):
    pass


class User(Model):
    __tablename__ = "user"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    note: orm.Mapped[str] = orm.mapped_column(default="", deferred=True)
    orders: orm.Mapped[list["Order"]] = orm.relationship()

    @property
    def shouting(self) -> str:
        calls.append("User.shouting")
        return self.name.upper()

    def __repr__(self) -> str:
        calls.append("User.__repr__")
        return f"{self.name} {self.orders}"


class Order(Model):
    __tablename__ = "order"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    user: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("user.id"))


@pytest.fixture
def database() -> Any:
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    Model.metadata.create_all(engine)
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    yield engine, asked
    engine.dispose()


def test_how_objects_of_sqlalchemy_read_in_each_state(database) -> None:
    engine, asked = database
    user = User(id=9, name="ada")
    calls.clear()
    assert (
        shown(user) == "User(id=9, name='ada'; state='transient', unloaded=['orders', 'note'])"
    )
    with orm.Session(engine) as session:
        session.add(user)
        assert "state='pending'" in shown(user)
        session.commit()
        before = list(asked)
        expired = shown(user)
        assert "state='persistent'" in expired
        assert "expired=['orders', 'id', 'name', 'note']" in expired
        assert asked == before
        loaded = session.get(User, 9)
        before = list(asked)
        assert "name='ada'" in shown(loaded)
        assert asked == before
        session.expunge(loaded)
        assert "state='detached'" in shown(loaded)
        gone = session.get(User, 9)
        session.delete(gone)
        session.flush()
        assert "state='deleted'" in shown(gone)
        row = session.execute(sa.select(User.id, User.name.label("called"))).first()
        session.rollback()
        row = session.execute(sa.select(User.id, User.name.label("called"))).first()
        assert shown(row) == "Row(id=9, called='ada')"
        assert shown(row._mapping) == "RowMapping(id=9, called='ada')"
    lost = orm.Session(engine)
    left = lost.get(User, 9)
    del lost
    gc.collect()
    assert "state='detached'" in shown(left)
    assert calls == []


if not settings.configured:
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[],
    )
    django.setup()


class Shop(models.Model):
    name = models.CharField(max_length=9)
    note = models.TextField(default="x")

    class Meta:
        app_label = "shop"

    @property
    def shouting(self) -> str:
        calls.append("Shop.shouting")
        return self.name.upper()

    def __str__(self) -> str:
        calls.append("Shop.__str__")
        return self.note


class Shelf(models.Model):
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE)

    class Meta:
        app_label = "shop"


@pytest.fixture
def shops() -> Any:
    with connection.schema_editor() as editor:
        editor.create_model(Shop)
        editor.create_model(Shelf)
    yield Shop.objects.create(name="n")
    with connection.schema_editor() as editor:
        editor.delete_model(Shelf)
        editor.delete_model(Shop)
    connection.close()


class Asked:
    """What the database is asked, as Django tells it."""

    def __init__(self) -> None:
        self.queries: list[str] = []

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        self.queries.append(sql)
        return execute(sql, *rest)


def test_how_objects_of_django_read(shops) -> None:
    shelf = Shelf.objects.create(shop=shops)
    deferred = Shop.objects.defer("note").get()
    apart = Shelf.objects.get()
    fetched = Shop.objects.all()
    assert len(fetched) == 1
    user = SimpleLazyObject(lambda: calls.append("lazy") or 5)
    asked = Asked()
    calls.clear()
    with connection.execute_wrapper(asked):
        assert shown(shops) == "Shop(id=1, name='n', note='x'; state='saved')"
        assert shown(deferred) == "Shop(id=1, name='n'; state='saved', deferred=['note'])"
        assert shown(Shop(name="q")) == "Shop(id=None, name='q', note='x'; state='not saved')"
        assert shown(apart) == "Shelf(id=1, shop_id=1; state='saved')"
        assert "shop_id=1" in shown(shelf)
        assert shown(Shop.objects.filter(name="n")) == (
            "QuerySet(model=type('Shop'), … <unevaluated>)"
        )
        assert shown(fetched) == (
            "QuerySet([Shop(id=1, name='n', note='x'; state='saved')], model=type('Shop'))"
        )
        assert shown(user) == "<SimpleLazyObject: unevaluated>"
    assert asked.queries == []
    assert calls == []
    assert user == 5
    assert shown(user) == "SimpleLazyObject(value=5)"
    with connection.execute_wrapper(asked):
        str(deferred)
    assert asked.queries, "what asks the object does make a query"
    calls.clear()


def test_no_query_is_made(database, shops) -> None:
    """What would be fetched by anybody who asks is not fetched: in Django and in SQLAlchemy."""
    engine, asked = database
    with orm.Session(engine) as session:
        session.add(User(id=1, name="ada", orders=[Order(id=1)]))
        session.commit()
        user = session.get(User, 1)
        session.expire(user)
        lazy = session.get(User, 1)
        session.expire(lazy, ["name"])
        every_django = [
            Shop.objects.defer("note").get(),
            Shop.objects.all(),
            Shelf.objects.all(),
        ]
        asked.clear()
        watched = Asked()
        with connection.execute_wrapper(watched):
            capture([user, lazy, *every_django], CaptureLimits(depth=8, items=1_000))
        assert asked == []
        assert watched.queries == []
        repr(user)
        assert asked, "what asks the object does make a query"
    calls.clear()


def test_values_inside_of_library_objects_run_nothing() -> None:
    evil = np.empty(2, dtype=object)
    evil[0], evil[1] = hostile.EvilKind(), hostile.EvilKind
    frame = pd.DataFrame({"a": evil})
    series = pd.Series(evil, name="a")
    subclass = type("EvilArray", (np.ndarray,), {
        name: lambda *_, **__: calls.append("EvilArray")
        for name in ("__repr__", "__len__", "__getitem__", "__array_finalize__", "__iter__",
                     "item", "shape", "dtype", "__buffer__", "__release_buffer__")
    })  # fmt: skip
    viewed = np.arange(3).view(subclass)
    line = Line.model_construct(sku=hostile.EvilKind())
    calls.clear()
    for value in (evil, frame, series, viewed, line, frame.index, frame.columns):
        capture([value], CaptureLimits(depth=8, items=1_000))
    assert calls == []
