"""Functions that are given objects of SQLAlchemy: made again, these have no session."""

from benchmarks.verify.calling import captured, home, imported
from test_verdict_second_eyes import only, texts_of

from leadline.agent.capture.landmarks import Landmarks
from leadline.trial.candidate import make, of_texts
from leadline.verify.verdict import Candidate
from leadline.verify.verifying import Request, verify

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
