"""Functions, tokens and iterators among the arguments: found again, or made again."""

import functools
import importlib
import json
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from operator import attrgetter, itemgetter, methodcaller
from pathlib import Path
from typing import Any

import pytest

from leadline.agent.capture.keeping import Landmarks, keep, withhold
from leadline.trial.rebuilding import WithheldTouched, check, rebuild
from leadline.wire.errors import RefusedError

BEARER = "Bearer abcdef0123456789abcdef"


class Token(tuple):  # type: ignore[type-arg]  # noqa: SLOT001 - it has attributes
    """One of a tree of tokens, each of which knows its parent."""

    parent: "Token | None" = None

    def child(self, name: str) -> "Token":
        made = Token((*self, name))
        setattr(self, name, made)
        made.parent = self
        return made


ROOT = Token()
NAME = ROOT.child("Name")
NAME.child("Builtin").child("Pseudo")


def counter(start: int, step: int = 1) -> tuple[Callable[..., int], Callable[[], int]]:
    total = [start]

    def add(times: int = 1, *, twice: int = 1) -> int:
        total[0] += times * step * twice
        return total[0]

    def read() -> int:
        return total[0]

    return add, read


def both(first: int, second: int) -> tuple[Callable[[], int], Callable[[], int]]:
    return (lambda: first), (lambda: second)


def factorial() -> Callable[[int], int]:
    def of(number: int) -> int:
        return 1 if number < 2 else number * of(number - 1)

    return of


def logged(function: Callable[[int], int]) -> Callable[[int], int]:
    @functools.wraps(function)
    def inner(number: int) -> int:
        return function(number)

    return inner


@logged
def doubled(number: int) -> int:
    return 2 * number


def with_password(password: str) -> Callable[[], str]:
    return lambda: password


def kept(**named: object) -> dict[str, Any]:
    """Keep and rebuild, through JSON as it travels."""

    def again(pairs: object) -> object:
        return keep(pairs, landmarks=Landmarks.of([__name__]))

    found = again(named.items())
    assert found.obstacle == ""
    document = json.loads(json.dumps(withhold(found).document))
    assert check(document, again) == ""
    return rebuild(document)


def test_tokens_are_those_of_the_module() -> None:
    pseudo = ROOT.Name.Builtin.Pseudo  # type: ignore[attr-defined]
    made = kept(one=NAME, other=pseudo, both=[pseudo, ROOT])
    assert made["one"] is NAME
    assert made["other"] is pseudo
    assert made["both"][1] is ROOT


def test_a_tuple_is_made_before_what_hangs_on_it() -> None:
    root = Token()
    leaf = root.child("leaf")
    made = kept(leaf=leaf)["leaf"]
    assert made == ("leaf",)
    assert made is not leaf
    assert made.parent.leaf is made


def test_a_function_made_by_a_function_is_made_again() -> None:
    add, read = counter(5, 2)
    add.mark = "own"  # type: ignore[attr-defined]
    made = kept(add=add, read=read)
    assert made["add"](10, twice=2) == 45
    assert made["read"]() == 45
    assert (read(), made["add"].mark, made["add"].__qualname__) == (5, "own", add.__qualname__)


def test_functions_of_one_name_are_told_apart() -> None:
    first, second = both(1, 2)
    made = kept(first=first, second=second)
    assert (made["first"](), made["second"]()) == (1, 2)


def test_a_function_may_close_over_itself() -> None:
    assert kept(of=factorial())["of"](5) == 120


def test_what_a_decorator_wraps_is_found() -> None:
    inner = doubled.__wrapped__  # type: ignore[attr-defined]
    made = kept(inner=inner, outer=doubled)
    assert made["inner"] is inner
    assert made["outer"] is doubled


def test_what_a_function_closes_over_is_withheld_by_its_name() -> None:
    found = kept(shows=with_password("hunter2"))["shows"]()
    with pytest.raises(WithheldTouched):
        str(found)


def test_a_method_of_a_text_does_not_carry_it_out() -> None:
    document = withhold(keep([("split", BEARER.split)])).document
    assert BEARER not in json.dumps(document)
    assert kept(join=", ".join)["join"](["a", "b"]) == "a, b"


def test_a_candidate_that_closes_over_something_else_is_refused() -> None:
    document = keep([("add", counter(1)[0])]).document
    assert document is not None
    document["nodes"][0]["q"][2:] = ["step", "sum"]
    with pytest.raises(RefusedError, match="closes over other variables"):
        rebuild(document)
    document["nodes"][0]["t"] = "counter.<locals>.gone"
    with pytest.raises(RefusedError, match=r"no code named counter\.<locals>\.gone here"):
        rebuild(document)


def test_a_row_of_sqlite_is_a_row_again() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        row = database.execute('select 1 as a, \'two\' as "b "" c", null as a').fetchone()
        named = database.execute("select 'hunter2' as password, 5 as n").fetchone()
    made = kept(row=row, named=named)
    assert type(made["row"]) is sqlite3.Row
    assert made["row"].keys() == row.keys() == ["a", 'b " c', "a"]
    assert tuple(made["row"]) == tuple(row)
    assert made["row"] == row
    assert made["named"]["n"] == 5
    with pytest.raises(WithheldTouched):
        str(made["named"]["password"])


def test_a_pool_of_threads_is_made_anew() -> None:
    with ThreadPoolExecutor(3) as pool:
        pool.submit(int, "5").result()
        made = kept(pool=pool)["pool"]
    assert made is not pool
    with made:
        assert made.submit(int, "7").result() == 7
    assert made._max_workers == 3


def test_methods_of_c_and_iterators() -> None:
    letters: Iterator[str] = iter("abc")
    next(letters)
    pairs = enumerate([7, 8, 9], 5)
    next(pairs)
    made = kept(match=re.compile("a+").match, letters=letters, pairs=pairs)
    assert made["match"]("aab").group() == "aa"
    assert list(made["letters"]) == ["b", "c"]
    assert list(made["pairs"]) == [(6, 8), (7, 9)]
    assert (next(letters), next(pairs)) == ("b", (6, 8))


def _made_in_a_function(rate: int) -> Any:
    class Base:
        __slots__ = ("name",)
        kind = ("a",)

        def __init__(self, name: str) -> None:
            self.name = name

        def price(self) -> int:
            return rate

    class Special(Base):
        @property
        def twice(self) -> int:
            return 2 * self.price()

        @classmethod
        def named(cls) -> str:
            return cls.__qualname__

        def price(self) -> int:
            return super().price() + 1

        def __hash__(self) -> int:
            return hash(self.name)

    return Special


def test_a_class_that_a_function_has_made_is_made_again() -> None:
    special = _made_in_a_function(3)
    one = special("pen")
    one.size = 4
    named = {"one": one, "by": {one: special}, "kinds": [special, special.__mro__[1]]}
    kept = keep(named.items())
    assert kept.obstacle == ""
    assert check(kept.document, keep) == ""
    found = rebuild(json.loads(json.dumps(kept.document)))
    again, cls = found["one"], found["kinds"][0]
    assert type(again) is cls is not special
    assert cls.__mro__[1] is found["kinds"][1]
    assert (again.name, again.size, again.price(), again.twice) == ("pen", 4, 4, 8)
    assert again.named() == special.__qualname__
    assert found["by"][again] is cls
    assert cls.kind == ("a",)
    assert not hasattr(found["kinds"][1].__new__(found["kinds"][1]), "__dict__")


class _Hears:
    def __init_subclass__(cls) -> None:
        """Whoever derives is told of, and might be entered somewhere."""


def test_a_class_that_more_than_its_statement_has_made_is_not() -> None:
    class Heard(_Hears):
        pass

    other = type("Meta", (type,), {})("Other", (), {"__module__": __name__})
    for kind in (Heard, other):
        assert "is no class that a module has" in keep([("kind", kind)]).obstacle


def test_an_abstract_class_that_a_function_has_made_is_made_again() -> None:
    class Shape(ABC):
        @abstractmethod
        def area(self) -> int: ...

    class Square(Shape):
        def area(self) -> int:
            return 4

    kept = keep([("one", Square()), ("kinds", [Shape, Square])])
    assert check(kept.document, keep) == ""
    found = rebuild(json.loads(json.dumps(kept.document)))
    one: Any = found["one"]
    shape, square = found["kinds"]  # type: ignore[misc]
    assert type(one) is square
    assert isinstance(one, shape)
    assert one.area() == 4
    with pytest.raises(TypeError, match="abstract"):
        shape()
    Shape.register(int)
    assert "is no class that a module has" in keep([("kind", Shape)]).obstacle


def test_what_operator_makes_is_made_again() -> None:
    asked = [
        attrgetter("real", "imag"),
        itemgetter(1),
        methodcaller("split", ","),
        attrgetter("real"),
    ]
    kept = keep([("asked", asked)])
    assert check(kept.document, keep) == ""
    parts, second, split, real = rebuild(kept.document or {})["asked"]  # type: ignore[misc]
    assert (parts(2j), second("ab"), split("a,b"), real(3)) == ((0, 2), "b", ["a", "b"], 3)
    assert "methodcaller lives" in keep([("one", methodcaller("split", sep=","))]).obstacle


def test_a_wrapper_is_found_in_the_module_of_its_code_whatever_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some_decorators.py").write_text(
        "import functools\n\n"
        "def twice(of):\n"
        "    @functools.wraps(of)\n"
        "    def both(x):\n"
        "        return of(x), of(x)\n"
        "    return both\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    module: Any = importlib.import_module("some_decorators")
    wrapped = module.twice(str.upper)
    wrapped.__module__ = __name__
    kept = keep([("one", wrapped)])
    assert kept.obstacle == ""
    document = json.loads(json.dumps(kept.document))
    assert check(document, keep) == ""
    found: Any = rebuild(document)
    assert found["one"]("a") == ("A", "A")
    assert (found["one"].__module__, found["one"].__wrapped__) == (__name__, str.upper)
    assert found["one"].__globals__ is vars(module)
