"""What is said beside a reason: which option would have helped."""

import socket
from pathlib import Path

import pytest
from benchmarks.verify.calling import home, imported

from leadline.agent.capture.keeping import Landmarks, keep
from leadline.agent.twin import database_file
from leadline.trial.candidate import make, of_texts
from leadline.trial.outcome import Outcome
from leadline.verify import advice
from leadline.verify.calls import CapturedCall
from leadline.verify.comparison import Compared
from leadline.verify.report import Report
from leadline.verify.verdict import Case, Control
from leadline.verify.verifying import Request, verify
from leadline.wire.errors import UnavailableError

SLOW = "import time\ndef f(n):\n    time.sleep(n)\n    return n\n"
VIEW = """\
import flask

app = flask.Flask(__name__)

def f():
    return flask.request.get_json()["n"]
"""


def reported(folder: Path, call: CapturedCall, old: str, **more: float) -> Report:
    (file := folder / "advised.py").write_text(old, "utf-8")
    tried = make("other", [of_texts(str(file), old, old.replace("return ", "return 0 or "))])
    return verify(Request("x", "advised:f", [call], home(folder), tried, **more)).report


def test_of_calls_that_did_not_end_it_is_said_what_gives_them_more_time(tmp_path: Path) -> None:
    call = CapturedCall(1, keep([("n", 9)]).document, Outcome(True, 9))
    found = reported(tmp_path, call, SLOW, within_s=0.5)
    assert found.verdict == "unknown"
    assert [
        note for note in found.notes if "1 call had not ended after 0.5 s: --within" in note
    ]


def test_of_a_view_whose_request_is_gone_it_is_said_what_captures_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "advised.py").write_text(VIEW, "utf-8")
    with imported(tmp_path, "advised") as (module,), socket.socket() as body:
        landmarks = Landmarks.of(["flask.globals", "advised"])
        given = {"wsgi.input": body, "CONTENT_LENGTH": "8", "CONTENT_TYPE": "application/json"}
        with module.app.test_request_context("/", method="POST", environ_overrides=given):
            document = keep([], landmarks=landmarks, leaves_out=True).document
        call = CapturedCall(1, document, Outcome(True, 9))
        found = reported(tmp_path, call, VIEW)
    assert found.verdict == "unknown"
    assert [note for note in found.notes if "--entry flask.app:Flask.wsgi_app" in note], found


@pytest.mark.parametrize(
    ("old", "option"),
    [
        (
            "from django.conf import settings\nX = settings.DEBUG\ndef f(): return X\n",
            "--import",
        ),
        ("", "--path"),
    ],
)
def test_of_an_import_that_fails_it_is_said_what_sets_the_place_up(
    tmp_path: Path, old: str, option: str
) -> None:
    call = CapturedCall(1, keep([]).document, Outcome(True, 9))
    (tmp_path / "advised.py").write_text(old or VIEW, "utf-8")
    place = home(tmp_path)
    if not old:
        place.path.remove(str(tmp_path))
    tried = make("other", [of_texts(str(tmp_path / "advised.py"), old, old + "Y = 1\n")])
    with pytest.raises(UnavailableError, match="cannot be imported") as caught:
        verify(Request("x", "advised:f", [call], place, tried))
    assert option in caught.value.hint


def test_where_files_are_looked_for_is_told_if_they_are_not_there(tmp_path: Path) -> None:
    old = 'import sqlite3\ndef f(n):\n    return sqlite3.connect("/none/x.db") and n\n'
    call = CapturedCall(1, keep([("n", 9)]).document, Outcome(True, 9))
    found = reported(tmp_path, call, old)
    assert found.verdict == "unknown"
    assert [note for note in found.notes if "have the environment of this shell" in note]


def test_the_size_that_is_told_is_the_one_that_holds() -> None:
    assert advice.MOST_BYTES == database_file.MOST_BYTES == 16_000_000
    assert "16 MB" in advice._TOO_LARGE


def test_what_lets_a_place_read_a_file_is_told(tmp_path: Path) -> None:
    large, small = tmp_path / "large.db", tmp_path / "small.db"
    small.touch()
    with large.open("wb") as file:
        file.truncate(advice.MOST_BYTES + 1)
    cases = [
        Case(False, Control.DIFFERS, reason=f"it was refused to open {path}, and more")
        for path in (small, large, small)
    ]
    call = CapturedCall(1, None, Outcome(True))
    assert advice.of_refusals([Compared(call, case) for case in cases]) == [
        f"{small} lies beside what a fresh process may read: --read FOLDER lets it, read only",
        advice._TOO_LARGE.format(large),
    ]
