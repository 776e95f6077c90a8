"""What cannot be written down by value stands in its place: a call that does not look at it can
be made again, and one that does says at what."""

import importlib
import json
import sqlite3
import sys
from contextlib import closing
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import Any

import pytest

from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.trial.comparing import apart
from leadline.trial.outcome import ABSENT, Outcome
from leadline.trial.rebuilding import Withheld, WithheldTouched, check, rebuild
from leadline.wire.kept import CONTEXT, MAX_CALL_BYTES, Kept
from leadline.wire.value import RESOURCE

request: ContextVar[object] = ContextVar("request")


class Catalog:
    def __init__(self, db: object, names: list[str]) -> None:
        self.db = db
        self.names = names


def leave_out(pairs: Any, most: int = MAX_CALL_BYTES) -> Any:
    return keep(pairs, most, leaves_out=True)


def made(**named: object) -> dict[str, Any]:
    found = leave_out(named.items())
    assert found.obstacle == ""
    return rebuild(json.loads(json.dumps(withhold(found).document)))


def test_a_connection_is_in_the_way_of_those_only_who_use_it() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        named = {"catalog": Catalog([db], ["pen"]), "db": db}
        assert check(leave_out(named.items()).document, leave_out) == ""
        found = made(**named)
    catalog = found["catalog"]
    assert catalog.names == ["pen"]
    (stand_in,) = catalog.db
    assert type(stand_in) is Withheld
    with pytest.raises(WithheldTouched, match=r"db is a Connection that lives in its process"):
        found["db"].execute("select 1")


def test_an_object_of_a_class_that_is_nowhere_is_not_there_either() -> None:
    class Meta(type):
        pass

    class Local(metaclass=Meta):
        pass

    found = made(one={"local": Local(), "kind": Local, "n": 3}, bound=Local().__repr__)
    assert found["one"]["n"] == 3
    for value in (found["one"]["local"], found["one"]["kind"]):
        with pytest.raises(WithheldTouched, match=r"Local that lives in"):
            str(value)


def test_what_is_asked_while_it_is_made_takes_its_container_with_it() -> None:
    rows = (n for n in range(3))
    found = made(rows=rows, several=enumerate(rows), keys={rows}, table={rows: 1}, plain=[rows])
    for name in ("rows", "several", "keys", "table"):
        assert type(found[name]) is Withheld, name
    assert type(found["plain"]) is list


def test_what_is_near_is_kept_where_there_is_no_room_for_all() -> None:
    tree: list[Any] = []
    for number in range(3_000):
        tree = [{"n": number, "next": tree, "text": "x" * 200}]
    found = leave_out([("tree", tree), ("n", 5), ("text", "y" * (MAX_CALL_BYTES + 1))])
    assert found.obstacle == ""
    assert len(json.dumps(found.document, separators=(",", ":"))) <= MAX_CALL_BYTES
    made = rebuild(found.document)
    assert made["n"] == 5
    assert made["tree"][0]["n"] == 2_999
    with pytest.raises(WithheldTouched, match="text was too much to be kept"):
        made["text"].upper()
    assert keep([("tree", tree)]).obstacle.endswith("larger than can be kept")


def test_what_takes_too_long_to_reach_is_left_out() -> None:
    rows = [{"n": number} for number in range(5_000)]
    named = [("first", [1, 2]), ("rows", rows)]
    found = keep(named, leaves_out=True, within_ns=1)
    made = rebuild(found.document)
    assert made["first"] == [1, 2]
    assert len(made["rows"]) == len(rows)
    with pytest.raises(WithheldTouched, match="too much to be kept"):
        made["rows"][-1]["n"]
    many = keep(
        [("n", 3), ("rows", [{"n": number} for number in range(15_000)])], leaves_out=True
    )
    assert many.size <= MAX_CALL_BYTES
    made = rebuild(many.document)
    assert (made["n"], type(made["rows"])) == (3, Withheld)


def test_the_command_that_a_server_was_started_with_is_of_no_call() -> None:
    import click.globals  # noqa: F401, PLC0415 - is to be loaded

    assert not Landmarks.of(["click.globals"]).thread_locals


def test_context_variables_that_a_module_holds_go_with_the_arguments() -> None:
    landmarks = Landmarks.of([__name__])

    def kept() -> Kept:
        request.set({"path": "/order/3", "user": ["ada"], "password": "hunter2"})
        ContextVar[int]("of nobody").set(5)
        return keep([("n", 1)], landmarks=landmarks, leaves_out=True)

    found = withhold(copy_context().run(kept))
    assert found.document is not None
    assert list(found.document["roots"]) == ["n", CONTEXT]
    assert "hunter2" not in json.dumps(found.document)
    around: Any = rebuild(found.document)[CONTEXT]
    (pair,) = (pair for pair in around.items() if type(pair[0]) is not str)
    assert pair[0] is request
    assert (pair[1]["path"], pair[1]["user"]) == ("/order/3", ["ada"])


def test_what_was_absent_is_neither_equal_nor_different_but_from_another_place() -> None:
    def of(value: Any) -> Outcome:
        return Outcome(True, {"type": "list", "items": [1, value]})

    here = {"type": "Connection", "omitted": "opaque", "rule": ABSENT, "text": "a.db"}
    assert apart(of("a live one"), of(here)).differences == []
    assert apart(of(here), of(here)).unseen == 1
    (found,) = apart(of(here), of(here | {"text": "b.db"})).differences
    assert found.where == "result[1]"
    # of two runs, neither of which has it, the one that comes to something else is another
    (found,) = apart(of(here), of(5), exactly=True).differences
    assert found.where == "result[1]"
    held = {"type": "str", "omitted": "redacted", "rule": "name"}
    assert apart(of(held), of(held), exactly=True).differences == []
    (found,) = apart(of(held), of(held | {"text": "#ab"}), exactly=True).differences
    assert found.where == "result[1]"


def test_what_a_run_tells_of_a_resource_is_nothing_against_what_happened() -> None:
    lock = {"type": "lock", "omitted": "opaque", "rule": RESOURCE}
    told = lock | {"text": "locked=True"}

    def of(key: Any, value: Any) -> Outcome:
        return Outcome(
            True, {"type": "dict", "entries": [[{"type": "tuple", "items": [key]}, value]]}
        )

    assert apart(of(lock, 1), of(told, 1)).differences == []
    assert apart(of("a", lock), of("a", told)).differences == []
    assert len(apart(of(lock, 1), of(told, 1), exactly=True).differences) == 2
    assert (
        len(
            apart(
                of("a", told), of("a", lock | {"text": "locked=False"}), exactly=True
            ).differences
        )
        == 1
    )


def test_a_landmark_whose_state_is_in_the_way_is_only_its_name() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        SHOP.db, SHOP.names = Catalog(db, []), ["pen"]
        landmarks = Landmarks.of([__name__])
        found = keep([("shop", SHOP), ("n", 1)], landmarks=landmarks, leaves_out=True)
    assert found.obstacle == ""
    assert found.document is not None
    assert rebuild(found.document)["shop"] is SHOP
    assert found.document["nodes"][0]["k"] == "name"


def test_what_redaction_holds_back_is_told_where_there_is_no_room_for_the_rest() -> None:
    rows = [{"n": number, "password": "hunter2"} for number in range(15_000)]
    found = withhold(leave_out([("rows", [rows[:3], [rows]])]))
    assert "rows[0][0]['password'] (name 'password')" in found.withheld
    assert rebuild(found.document)["rows"][0][1]["n"] == 1


SHOP = Catalog(None, [])


def test_what_it_is_made_in_is_there_even_where_the_arguments_are_too_much() -> None:
    landmarks = Landmarks.of([__name__])

    def kept(**how: Any) -> Kept:
        request.set("of Ada")
        return keep([("rows", list(map(str, range(9_000))))], leaves_out=True, **how)

    for how in ({"most_bytes": 20_000}, {"within_ns": 1}):
        found = copy_context().run(kept, landmarks=landmarks, **how)
        document: Any = found.document
        assert rebuild(document)[CONTEXT][request] == "of Ada"  # type: ignore[index]


def test_a_standard_stream_is_known_by_its_name() -> None:
    def of(name: str) -> Outcome:
        return Outcome(True, {"type": name, "omitted": "opaque", "rule": RESOURCE})

    assert apart(of("sys.stdout"), of("sys.stdout")).compared == 1
    assert apart(of("BytesIO"), of("BytesIO")).compared == 0
    assert len(apart(of("sys.stdout"), of("sys.stderr")).differences) == 1


def test_what_is_in_a_module_that_cannot_be_imported_is_in_the_way_of_those_who_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "writes_when_imported.py"
    module.write_text("class Box:\n    pass\n\nmade = [lambda: Box]\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    imported = importlib.import_module(module.stem)
    box, made_there = imported.Box, imported.made[0]
    kept = keep([("box", box()), ("kinds", [box, int]), ("n", 3), ("made", made_there)])
    monkeypatch.delitem(sys.modules, module.stem)
    module.write_text("raise PermissionError('/tmp/x')\n", "utf-8")
    importlib.invalidate_caches()
    found: Any = rebuild(kept.document or {})
    assert (found["n"], found["kinds"][1]) == (3, int)
    for one in (found["box"], found["kinds"][0], found["made"]):
        with pytest.raises(WithheldTouched, match="lives in its process"):
            str(one)


class Lexer:
    only: "Lexer | None" = None

    def __init__(self) -> None:
        self.words = ["select"]


def test_what_is_made_when_it_is_first_asked_for_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Lexer, "only", Lexer())
    landmarks = Landmarks.of([__name__])
    kept = keep([("lexer", Lexer.only)], landmarks=landmarks)
    monkeypatch.setattr(Lexer, "only", None)
    found: Any = rebuild(kept.document or {})
    assert found["lexer"].words == ["select"]
    assert Lexer.only is found["lexer"]


def test_what_a_program_makes_when_it_begins_its_work_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "begins_of_it.py"
    module.write_text("class Tool:\n    pass\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    imported = importlib.import_module(module.stem)
    imported.tool = imported.Tool()
    imported.tool.n = 3
    kept = keep([("self", imported.tool)], landmarks=Landmarks.of([module.stem]))
    del imported.tool
    found: Any = rebuild(kept.document or {})
    assert found["self"].n == 3
    assert imported.tool is found["self"]
    elsewhere: Any = rebuild(kept.document or {}, {module.stem: ""})
    with pytest.raises(WithheldTouched):
        str(elsewhere["self"])


def test_a_dictionary_is_not_there_where_a_part_of_a_key_is_not() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        held = {("pen", (db, 1)): 1}
        found = made(cache=held, kinds={(db,)}, rows=[(db, 2)], n=3)
    assert (found["n"], found["rows"][0][1]) == (3, 2)
    for name in ("cache", "kinds"):
        with pytest.raises(
            WithheldTouched, match=rf"{name} is a \w+ that lives in its process"
        ):
            len(found[name])


def test_a_dictionary_is_withheld_where_a_part_of_a_key_is() -> None:
    found = made(cache={("pen", "Bearer abcdef0123456789abcdef"): 1}, n=3)
    assert found["n"] == 3
    with pytest.raises(WithheldTouched, match="cache was withheld by redaction"):
        len(found["cache"])
