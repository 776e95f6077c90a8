"""Objects that cannot be kept by value, found again where they live."""

import os
import sqlite3
import sys
import threading
import weakref
from collections.abc import Iterable
from typing import Any, ClassVar

import pytest

from leadline.agent.capture import living
from leadline.agent.capture.keeping import keep
from leadline.agent.capture.withholding import withhold
from leadline.trial.rebuilding import check, rebuild
from leadline.trial.withheld import Withheld
from leadline.wire.kept import Kept


class Plain:
    pass


class Wild:
    """Whatever is asked of it, it notes."""

    asked: ClassVar[list[str]] = []

    def __getattribute__(self, name: str) -> Any:
        Wild.asked.append(name)
        return object.__getattribute__(self, name)

    def __hash__(self) -> int:
        Wild.asked.append("__hash__")
        return 1

    def __eq__(self, other: object) -> bool:
        Wild.asked.append("__eq__")
        return True


def left_out(named: Iterable[tuple[str, object]]) -> Kept:
    return keep(named, leaves_out=True)


def kept(**arguments: object) -> Any:
    document = withhold(left_out(arguments.items())).document
    assert document is not None
    return document


def here(mark: Any) -> tuple[object] | None:
    value = living.found(*mark)
    return None if value is living.NOTHING else (value,)


def test_one_object_has_one_number_and_is_not_kept_alive() -> None:
    one = Plain()
    number = living.referred(one)
    assert number is not None
    assert living.referred(one) == number
    mark = living.mark(number, [])
    assert living.found(*mark) is one
    gone = weakref.ref(one)
    del one
    assert gone() is None
    assert living.found(*mark) is living.NOTHING
    assert living.found("another process", number) is living.NOTHING
    assert living.found(mark[0], "1") is living.NOTHING
    assert living.referred(object()) is None


def test_no_code_of_the_object_runs() -> None:
    wild = Wild()
    Wild.asked.clear()
    number = living.referred(wild)
    assert number is not None
    assert living.referred(wild) == number
    assert Wild.asked == []


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(living, "MOST", 10)
    monkeypatch.setattr(living, "_table", living._Table())
    many = [Plain() for _ in range(30)]
    numbers = [living.referred(one) for one in many]
    token = living.mark(1, [])[0]
    there = [
        living.found(token, number) is one for number, one in zip(numbers, many, strict=True)
    ]
    assert there == [False] * 20 + [True] * 10
    assert len(living._table.numbers) == 10


def test_threads_get_numbers_of_their_own() -> None:
    found: list[tuple[object, int | None]] = []

    def refer() -> None:
        many = [Plain() for _ in range(2_000)]
        found.extend((one, living.referred(one)) for one in many)

    before, token = sys.getswitchinterval(), living.mark(1, [])[0]
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=refer) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert len({number for _, number in found}) == 8_000
    assert all(living.found(token, number) is one for one, number in found)


def test_a_forked_child_has_numbers_of_its_own() -> None:
    one = Plain()
    mark = living.mark(living.referred(one) or 0, [])
    receiving, sending = os.pipe()
    if (child := os.fork()) == 0:
        same = living.found(*mark) is one
        living.referred(one)
        now = living.found(*mark) is living.NOTHING
        os.write(sending, bytes((same, now)))
        os._exit(0)
    os.close(sending)
    try:
        assert os.read(receiving, 2) == b"\1\1", "a twin, which keeps nothing, has the table"
    finally:
        os.close(receiving)
        os.waitpid(child, 0)


def test_what_lives_is_put_in_where_it_lives_and_nowhere_else() -> None:
    with open(os.devnull) as file:
        document = kept(holder={"file": [file], "n": 1}, again=file)
        found: Any = rebuild(document, living=here)
        assert found["holder"]["file"][0] is found["again"] is file
        assert found["holder"]["n"] == 1
        elsewhere: Any = rebuild(document)
        assert type(elsewhere["again"]) is Withheld
        gone: Any = rebuild(document, living=lambda _: None)
        assert type(gone["again"]) is Withheld
        assert check(document, left_out) == ""


def test_instances_of_a_class_that_was_made_in_a_function() -> None:
    class Inner:
        def __init__(self) -> None:
            self.total = 5

    found: Any = rebuild(kept(one=Inner(), cls=Inner), living=here)
    assert found["cls"] is Inner
    assert type(found["one"]) is Inner
    assert found["one"].total == 5


def test_what_has_no_weak_reference_is_found_by_way_of_its_holder() -> None:
    store: Any = Plain()
    connection = sqlite3.connect(":memory:")
    store.pools = [{"main": connection}]
    try:
        found: Any = rebuild(kept(store=store), living=here)
        assert found["store"].pools[0]["main"] is connection
        assert found["store"] is not store, "what can be kept is as it was at the call"
        document = kept(store=store)
        store.pools = []
        found = rebuild(document, living=here)
        assert type(found["store"].pools[0]["main"]) is Withheld
        document = kept(connection=connection)
        assert type(rebuild(document, living=here)["connection"]) is Withheld
    finally:
        connection.close()


def test_a_lock_is_rebuilt_and_a_local_of_threads_lives() -> None:
    local = threading.local()
    local.value = 5
    found: Any = rebuild(kept(local=local), living=here)
    assert found["local"] is local
