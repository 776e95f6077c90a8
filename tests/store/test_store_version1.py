"""What a server of schema version 1 really wrote is all there, and found by what is new."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from leadline.store.records import HitFilter, Phase, Where
from leadline.store.sqlite import SqliteStore, database
from leadline.wire.errors import InternalError, LeadlineError
from leadline.wire.hit import Hit, Report
from leadline.wire.probe import Fate, Moment, Status

OLD = Path(__file__).with_name("version1.sql")


@pytest.fixture
def path(tmp_path):
    """The file as a server of version 1 left it."""
    made = tmp_path / "hits.db"
    with closing(sqlite3.connect(made)) as db:
        db.executescript(OLD.read_text("utf-8"))
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    return made


@pytest.fixture
def store(path):
    with closing(SqliteStore(path, lambda _: None)) as made:
        yield made


def test_the_schema_ends_where_a_new_one_begins(path, tmp_path):
    with closing(SqliteStore(path, lambda _: None)):
        pass
    with closing(SqliteStore(tmp_path / "new.db", lambda _: None)):
        pass

    def shape(file):
        with closing(sqlite3.connect(file)) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master")]
            return db.execute("PRAGMA user_version").fetchone(), {
                name: db.execute(f"PRAGMA table_info({name})").fetchall() for name in tables
            }

    assert shape(path) == shape(tmp_path / "new.db")


def test_its_probes_are_there_with_all_they_said(store):
    first, second, third = store.probes(None, tuple(Phase))
    assert (first.phase, second.phase, third.phase) == ("active", "expired", "removed")
    assert first.probe.moment is Moment.LINE
    assert (first.probe.template, first.probe.condition) == (
        "\ud800 total={total}",
        "total > 100",
    )
    assert (first.hits, second.beyond_limit) == (3, 1)
    assert (first.terms.where, first.canary) == (Where(), None)
    assert store.total("p1") is None
    state = store.states(probe="p1")["p1"][0].state
    assert (state.status, state.fates, state.anchor) == (
        Status.ARMED,
        {Fate.CAPTURED: 3},
        None,
    )
    actions = [entry.action for entry in store.audit(10)]
    assert actions == ["place", "place", "place", "expired", "removed"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"kind": "log"}, [1, 2, 3, 4, 5]),
        ({"text": "TOTAL=1 ä"}, [2]),
        ({"text": "\ud800 t"}, [1, 2, 3]),
        ({"thread": "T"}, [4, 5]),
        ({"since": 1763900001.5, "until": 1763900010.5}, [2, 3]),
        ({"instance": "i1", "probes": ("p2",)}, [4, 5]),
        ({"trace": "0" * 32}, []),
    ],
)
def test_its_hits_are_found_by_what_they_are(store, asked, found):
    page = store.hits(HitFilter(**asked), newest=True, limit=10)
    assert [hit.id for hit in page.hits] == found
    assert store.count_hits(HitFilter(**asked)) == len(found)


def test_it_goes_on_where_it_was(store):
    info = store.instance("i1").info
    assert (info.tags, info.version) == ({}, "")
    again = [Hit("p1", "i1", n, 1.0, "t", "f", 1, "g", "new") for n in (2, 9)]
    taken = store.take(Report(info, again), 1763900020.0)
    assert (taken.stored, taken.repeated) == (1, 1)
    page = store.hits(HitFilter(text="new"), newest=True, limit=10)
    assert [json.loads(hit.body)["seq"] for hit in page.hits] == [9]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_migration_that_cannot_be_finished_leaves_the_old_file(path, monkeypatch):
    def broken(_hit):
        raise ValueError  # datasette, where it was imported, has sqlite3 tell of these

    monkeypatch.setattr(database, "facets_of", broken)
    with pytest.raises(LeadlineError) as caught:
        SqliteStore(path, lambda _: None)
    assert not isinstance(caught.value, InternalError)
    monkeypatch.undo()
    with closing(SqliteStore(path, lambda _: None)) as store:
        assert len(store.hits(HitFilter(), newest=True, limit=10).hits) == 5
