"""One fresh place, asked for calls of several sorts: it is set up, and has their context."""

import sys
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType

import pytest
from benchmarks.verify.calling import home, imported

from leadline.agent.capture.keeping import Landmarks, keep
from leadline.trial.outcome import Outcome
from leadline.trial.place import Begin, Order
from leadline.verify.calls import CapturedCall
from leadline.verify.places import Place, order_of
from leadline.wire.struct import replace

SETTINGS = """\
import os
os.environ["SHOP_IS_SET_UP"] = "yes"
"""
SHOP = """\
import contextvars
import os
import tempfile

FOLDER = tempfile.gettempdir()

assert os.environ.get("SHOP_IS_SET_UP") == "yes", "import settings first"
user = contextvars.ContextVar("user")

def greet(word):
    return f"{word}, {user.get()}"

def count(upto):
    try:
        for number in range(upto):
            yield number
    finally:
        upto = "closed"

def use(connection):
    return connection is None or connection.name
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    (tmp_path / "settings_of_it.py").write_text(SETTINGS, "utf-8")
    (tmp_path / "shop_of_it.py").write_text(SHOP, "utf-8")
    monkeypatch.setenv("SHOP_IS_SET_UP", "yes")
    with imported(tmp_path, "shop_of_it") as (module,):
        monkeypatch.delenv("SHOP_IS_SET_UP")
        yield module


def test_calls_of_several_sorts_in_one_place(shop: ModuleType, tmp_path: Path) -> None:
    place_of = home(tmp_path)
    begin = Begin(path=place_of.path, cwd=place_of.cwd, entry="shop_of_it:greet", salt="x")
    unset = Place(begin, sys.executable, "1")
    place = Place(replace(begin, first=["settings_of_it"]), sys.executable, "1")
    try:
        assert "import settings first" in unset.ready().reason
        ready = place.ready()
        assert ready.ok, ready.reason

        variable: ContextVar[str] = shop.user
        variable.set("Ada")
        landmarks = Landmarks.of(["shop_of_it"])
        greeted = keep([("word", "Hello")], landmarks=landmarks, leaves_out=True)
        ran = place.run(Order(1, greeted.document or {}))
        assert ran.rerun.outcome is not None, ran.rerun.cut
        assert ran.rerun.outcome.value == "Hello, Ada"

        counted = keep([("upto", 9)])
        closed = Outcome(False, {"type": "GeneratorExit"}, {}, [0, 1])
        order = order_of(CapturedCall(2, counted.document, closed))
        ran = place.run(replace(order, entry="count"))
        outcome = ran.rerun.outcome
        assert outcome is not None, ran.rerun.cut
        assert (outcome.returned, outcome.yields) == (False, [0, 1])
        assert outcome.arguments == {"upto": "closed"}

        lock = keep([("connection", (n for n in ()))], leaves_out=True)
        ran = place.run(replace(Order(3, lock.document or {}), entry="use"))
        said = "connection is a generator that lives in its process, and the code looked at it"
        assert ran.rerun.cut == said
        ran = place.run(replace(Order(4, lock.document or {}), entry="nothing"))
        assert "has no function nothing" in ran.rerun.cut
    finally:
        unset.close()
        place.close()
