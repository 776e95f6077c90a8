"""Functions that are given objects of SQLAlchemy: made again, these have no session."""

import pytest
import sqlalchemy.orm  # noqa: F401 - once for all tests: what they import is forgotten after each
from benchmarks.verify.calling import captured, home, imported
from test_verdict_second_eyes import only, texts_of

from leadline.agent.capture.landmarks import Landmarks
from leadline.trial.candidate import make, of_texts
from leadline.verify.verdict import Candidate
from leadline.verify.verifying import Request, verify

pytestmark = pytest.mark.soak

MORE = """
import sqlalchemy as sa
from sqlalchemy import orm

class Base(orm.DeclarativeBase):
    pass

class Customer(Base):
    __tablename__ = "customers"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    tier: orm.Mapped[str | None]
    orders: orm.Mapped[list["Order"]] = orm.relationship(back_populates="customer")
    notes: orm.Mapped[list["Note"]] = orm.relationship()

class Order(Base):
    __tablename__ = "orders"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    customer_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("customers.id"))
    customer: orm.Mapped[Customer] = orm.relationship(back_populates="orders")

class Note(Base):
    __tablename__ = "notes"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    customer_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("customers.id"))

engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
Current = orm.scoped_session(orm.sessionmaker(engine))

def notes(x):
    try: return len(x.notes)
    except Exception: return 0
"""
SAME = {
    "tier": ("return x.tier.upper()", "t = x.tier\nreturn t.upper()"),
    "orders": ("return len(x.orders)", "return sum(1 for _ in x.orders)"),
    "passed": ("return x", "return [x][0]"),
    "set": ("x.tier = 'a'", "setattr(x, 'tier', 'a')"),
    "state": ("return True", "return sa.inspect(x).persistent"),
    "lost": ("return notes(x)", "return notes(x) + 0"),
}
DIFFERS = {
    "other": ("return x.tier", "return x.tier + 'a'"),
    "changed": ("return 1", "x.tier = 'other'\nreturn 1"),
    "made": ("return Customer(tier='a')", "return Customer(tier='b')"),
}
UNKNOWN = {
    "loaded": ("return 0", "return len(x.notes)"),
    "swallowed": ("return 0", "return notes(x)"),
    "asked": ("return None", "return orm.object_session(x)"),
    "written": ("x.tier = 'b'", "x.tier = 'b'\nCurrent.commit()"),
    "found": ("return 1", "return 1 if Current.get(Customer, 1) else 2"),
    "removed": ("return 1", "Current.remove()\nreturn 1"),
    "fewer": ("return 1", "x.orders.pop()\nreturn 1"),
    "put": ("return 1", "orm.Session(engine).add(x)\nreturn 1"),
}


def test_an_object_is_as_it_was_and_its_session_is_not_there(tmp_path):
    """Each of the runs takes far less than the second that they have."""
    bodies = {**SAME, **DIFFERS, **UNKNOWN}
    old, new, given = texts_of(bodies, MORE)
    (tmp_path / "tried.py").write_text(old)
    with imported(tmp_path, "tried") as (app,):
        app.Base.metadata.create_all(app.engine)
        with app.Current() as session:
            session.add(app.Customer(id=1, tier="gold", orders=[app.Order(), app.Order()]))
            session.commit()
        calls, landmarks = [], Landmarks.of_process()
        for name, *_ in given:
            with app.orm.Session(app.engine) as session:
                one = session.get(app.Customer, 1)
                assert len(one.orders) == 2
                if name == "lost_":
                    session.expunge(one)
                calls += captured("tried:call", [(name, one)], landmarks=landmarks)
                session.rollback()
        app.engine.dispose()
        candidate = make("new", [of_texts(str(tmp_path / "tried.py"), old, new)])
        request = Request(
            "s", "tried:call", calls, home(tmp_path), candidate, least=1, within_s=1.0
        )
        found = verify(request).compared
    assert [one.case.reason for one in found if not one.case.agreed] == []
    came = {name: one.case.candidate for name, one in zip(bodies, found, strict=True)}
    assert came == {
        **only(Candidate.SAME, SAME),
        **only(Candidate.DIFFERS, DIFFERS),
        **only(Candidate.UNKNOWN, UNKNOWN),
    }
    whys = [one.case.reason for one in found[-len(UNKNOWN) :]]
    assert all("x was in a session, which is not here" in one for one in whys), whys
    changed = [
        one.where for one in found[len(SAME)].differences + found[len(SAME) + 1].differences
    ]
    assert changed == ["result", "argument x.tier"]


SESSIONS = """
import sqlalchemy as sa
from sqlalchemy import orm

engine = sa.create_engine("sqlite:///app.db")
Session = orm.sessionmaker(engine)

class Base(orm.DeclarativeBase):
    pass

class Customer(Base):
    __tablename__ = "customers"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str | None]
    orders: orm.Mapped[list["Order"]] = orm.relationship(back_populates="customer")

class Order(Base):
    __tablename__ = "orders"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    customer_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("customers.id"))
    customer: orm.Mapped[Customer] = orm.relationship(back_populates="orders")
    state: orm.Mapped[str] = orm.mapped_column(default="new")

def pay(number):
    with Session() as session:
        order = session.get(Order, number)
        label = order.customer.name.upper()
        order.state = "paid"
        session.commit()
        return label
"""


def test_a_session_of_its_own_is_followed_into_the_database(tmp_path, monkeypatch):
    """What SQLAlchemy keeps of what it has reckoned, in its engine and its tables, is no change
    of the service, and leads nowhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "paying.py").write_text(SESSIONS)
    before, file = tmp_path / "before", tmp_path / "app.db"
    with imported(tmp_path, "paying") as (module,):
        module.Base.metadata.create_all(module.engine)
        with module.Session() as session:
            names = [None, "ada", "bob", "cem"]
            session.add_all(module.Customer(id=n, name=name) for n, name in enumerate(names, 1))
            session.add_all(module.Order(id=n, customer_id=n) for n in range(1, 5))
            session.commit()
        before.write_bytes(file.read_bytes())
        calls = captured("paying:pay", [(n,) for n in range(1, 5)], "raises AttributeError")
        module.engine.dispose()
    file.write_bytes(before.read_bytes())
    right = SESSIONS.replace(
        "order.customer.name.upper()", '(order.customer.name or "?").upper()'
    )
    for new, verdict in (
        (right, "fixed"),
        (right.replace("        session.commit()\n", ""), "changes behaviour"),
    ):
        candidate = make("new", [of_texts(str(tmp_path / "paying.py"), SESSIONS, new)])
        asked = ("raises AttributeError", "result == '?'")
        request = Request("s", "paying:pay", calls, home(tmp_path), candidate, *asked, least=1)
        report = verify(request).report
        assert report.verdict == verdict, report.sentence
