"""Candidates of a function that writes to SQLite, tried in twins of a program that goes on
writing."""

import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from leadline import native
from leadline.trial import candidate
from leadline.verify.verdict import Candidate, Control
from live import LEADLINE, Leadline, Program
from services.watched import Api
from sites import TWINS
from test_sample import Watched
from waiting import wait_for

pytestmark = pytest.mark.skipif(native.twin() is None, reason=native.twin_reason())

SHARE, CENTS = "(name, share))", "cents * 1)"


class Ledger(Watched):
    def __init__(self, shore: Leadline, folder: Path) -> None:
        self.api, self.name, self.file = Api(shore), "ledger", folder / "ledger.py"
        shutil.copy(Path(__file__).with_name("ledger.py"), self.file)
        self.text = self.file.read_text("utf-8")
        command = [LEADLINE, "run", "--service", "ledger", "--", sys.executable, "-c"]
        self.program = Program([*command, "import ledger; ledger.main(0.05)"], folder, TWINS)

    def at_hits(self, tried: candidate.Candidate, count: int) -> list[dict[str, Any]]:
        body = {
            "use": "verify", "target": "ledger:number", "ttl_s": 60.0, "hits": count,
            "code": [json.dumps(candidate.encode(tried))], "rate_per_s": 50.0,
        }  # fmt: skip
        status, answer = self.api.ask("POST", "/v1/services/ledger/twins", body)
        assert status == 201, answer
        probe = answer["probe"]["id"]

        def enough() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = self.api.hits(probe)
            return found if len(found) >= count else []

        return [hit["twin"]["tried"] for hit in wait_for(enough, 30)]


@pytest.fixture(scope="module")
def ledger(shore: Leadline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("ledger")
    with Ledger(shore, folder).running() as made:
        yield made
        (instance,) = wait_for(lambda: made.api.instances("ledger"), 20)
        assert (instance["faults"], instance["dropped"]) == ({}, {})
    with closing(sqlite3.connect(folder / "ledger.db")) as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        rows = db.execute("select cents from entry where name = 'numbered' order by id")
        numbers = [cents for (cents,) in rows]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.soak
def test_what_is_written_in_copies_of_a_twin_is_compared(ledger: Ledger) -> None:
    hits = ledger.capture("ledger:enter", fails="raises ZeroDivisionError")
    for new, became in (
        ("(name, share + 0))", Candidate.SAME),
        ("(name, share + 1))", Candidate.DIFFERS),
    ):
        found, _ = ledger.tried("ledger:enter", ledger.changed(SHARE, new), hits)
        good = [one for one in found if not one.case.failed]
        assert {one.case.control for one in found} == {Control.AGREES}, found
        assert {one.case.candidate for one in good} == {became}, good
    wheres = {each.where for one in good for each in one.differences}
    assert any(one.startswith("database ledger.db: table entry[") for one in wheres)


@pytest.mark.soak
def test_what_is_written_at_a_hit_is_compared(ledger: Ledger) -> None:
    """The live call goes on, and its row may be there before the twin looks: then the control
    differs, which is no evidence."""
    for new, differs in (("cents * 1 + 0)", False), ("cents * 1 + 1)", True)):
        found = ledger.at_hits(ledger.changed(CENTS, new), 8)
        assert {one["candidate"]["agrees"] for one in found[1:]} == {not differs}, found
        for one in found[1:]:
            wheres = [each["where"] for each in one["candidate"]["differences"]]
            assert all(where.startswith("database ledger.db: table entry[") for where in wheres)
            assert bool(wheres) is differs
