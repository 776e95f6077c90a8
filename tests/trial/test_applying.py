"""A candidate put into imported modules does what a fresh import of it does, for whoever holds
what: the name, an object, a registry, a decorated function."""

import gc
import importlib
import linecache
import subprocess
import sys
import textwrap
import traceback
from pathlib import Path

import pytest
import twins
from loaded import loaded

from leadline import native
from leadline.trial import applying, candidate
from leadline.wire.errors import RefusedError

UNFREEZE = gc.unfreeze
"""Before conftest.py replaces it."""


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Import texts from files; afterwards nothing of it is left."""
    before = set(sys.modules), list(sys.meta_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def load(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        return [importlib.import_module(name) for name in texts]

    yield load
    for name in set(sys.modules) - before[0]:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    sys.meta_path[:] = before[1]
    linecache.clearcache()


def to(module, new):
    old = linecache.getlines(module.__file__)
    return candidate.make(
        "", [candidate.of_texts(module.__file__, "".join(old), textwrap.dedent(new))]
    )


def fresh(module, new):
    names = {"__name__": module.__name__, "__file__": module.__file__}
    exec(compile(textwrap.dedent(new), module.__file__, "exec"), names)
    return names


SAME = {
    "a function": ("def f(a):\n    return a\n", "# a line\ndef f(a):\n    return a + 1\n", "f(1)"),
    "a default": ("def f(a=1, *, b=[2]):\n    return a, b\n", "def f(a=3, *, b=[2]):\n    return b, a\n", "f()"),
    "more parameters": ("def f(a):\n    return a\n", "def f(a, b=2, *c, d=4, **e):\n    return a, b, c, d, e\n", "f(1, 5, 6, x=7)"),
    "a docstring": ('def f():\n    """old"""\n', 'def f():\n    """new"""\n', "f.__doc__"),
    "no docstring": ('def f():\n    """old"""\n', "def f():\n    return 1\n", "f.__doc__"),
    "a generator": ("def f(n):\n    yield n\n", "def f(n):\n    yield n\n    yield n + 1\n", "list(f(1))"),
    "a function becomes a generator": ("def f(n):\n    return [n]\n", "def f(n):\n    yield n\n", "list(f(1))"),
    "a constant": ("R = 1\ndef f():\n    return R\n", "R = 2\ndef f():\n    return R\n", "f()"),
    "what is made of a constant": ("R = 1\nT = {'a': R}\ndef f(x=R):\n    return T, x\n", "R = 2\nT = {'a': R}\ndef f(x=R):\n    return T, x\n", "f()"),
    "a helper": ("def f(n):\n    return n\n", "def g(n):\n    return n * 2\ndef f(n):\n    return g(n)\n", "f(3)"),
    "an import": ("def f():\n    return 1\n", "from decimal import Decimal\nD = Decimal('1.5')\ndef f():\n    return D\n", "f()"),
    "a class": ("def f():\n    return 1\n", "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 2\n    def g(self):\n        return self.x\ndef f():\n    return P().g()\n", "f()"),
    "a name is gone": ("R = 1\ndef f():\n    return 'R' in globals()\n", "def f():\n    return 'R' in globals()\n", "f()"),
    "a method": ("class A:\n    def m(self):\n        return 1\n", "class A:\n    def m(self):\n        return 2\n", "A().m()"),
    "a new method with super": ("class B:\n    def m(self):\n        return 1\nclass A(B):\n    pass\n", "class B:\n    def m(self):\n        return 1\nclass A(B):\n    def m(self):\n        return super().m() + 1, __class__.__name__\n", "A().m()"),
    "a private name": ("class A:\n    __x = 1\n    def m(self):\n        return self.__x\n", "class A:\n    __x = 1\n    __y = 2\n    def m(self):\n        return self.__x + self.__y + self.__z()\n    def __z(self):\n        return 5\n", "A().m()"),
    "a private method": ("class A:\n    def m(self):\n        return self.__z()\n    def __z(self):\n        return 5\n", "class A:\n    def m(self):\n        return self.__z()\n    def __z(self):\n        return 6\n", "A().m()"),
    "a set of constants": ("def f(a):\n    return a in {'r', 'rt', 'rb', 'x', 'y'}\n", "def f(a):\n    return a in {'r', 'rt', 'rb', 'x', 'z'}\n", "f('y'), f('z')"),
    "a class attribute": ("class A:\n    r = 1\n    s = r + 1\n    def m(self, x=s):\n        return self.r, self.s, x\n", "class A:\n    r = 5\n    s = r + 1\n    def m(self, x=s):\n        return self.r, self.s, x\n", "A().m()"),
    "a static method": ("class A:\n    @staticmethod\n    def m():\n        return 1\n    @classmethod\n    def c(cls):\n        return 1\n", "class A:\n    @staticmethod\n    def m():\n        return 2\n    @classmethod\n    def c(cls):\n        return cls.__name__\n", "A.m(), A.c(), A().m()"),
    "a property": ("class A:\n    @property\n    def p(self):\n        return 1\n    @p.setter\n    def p(self, v):\n        self.v = v\n", "class A:\n    @property\n    def p(self):\n        return self.v\n    @p.setter\n    def p(self, v):\n        self.v = v * 2\n", "[a := A(), setattr(a, 'p', 4), a.p][2]"),
    "a setter comes": ("class A:\n    @property\n    def p(self):\n        return self.v\n", "class A:\n    @property\n    def p(self):\n        return self.v\n    @p.setter\n    def p(self, v):\n        self.v = v * 2\n", "[a := A(), setattr(a, 'p', 4), a.p][2]"),
    "a cached property": ("from functools import cached_property\nclass A:\n    @cached_property\n    def p(self):\n        return 1\n", "from functools import cached_property\nclass A:\n    @cached_property\n    def p(self):\n        return 2\n    @cached_property\n    def q(self):\n        return 3\n", "A().p, A().q"),
    "a cache": ("from functools import lru_cache\n@lru_cache(maxsize=3)\ndef f(a):\n    return a\n", "from functools import lru_cache\n@lru_cache(maxsize=3)\ndef f(a):\n    return a + 1\n", "f(1)"),
    "a context": ("from contextlib import contextmanager\n@contextmanager\ndef f():\n    yield 1\n", "from contextlib import contextmanager\n@contextmanager\ndef f():\n    yield 2\n", "f().__enter__()"),
    "wraps": ("from functools import wraps\ndef d(f):\n    @wraps(f)\n    def w(*a):\n        return f(*a)\n    return w\n@d\ndef f(a):\n    return a\n", "from functools import wraps\ndef d(f):\n    @wraps(f)\n    def w(*a):\n        return f(*a)\n    return w\n@d\ndef f(a):\n    return a + 1\n", "f(1)"),
    "a decorator that hides": ("def d(f):\n    return lambda *a: f(*a)\n@d\ndef f(a):\n    return a\n", "def d(f):\n    return lambda *a: f(*a)\n@d\ndef f(a):\n    return a + 1\n", "f(1)"),
    "the wrapper itself": ("def d(f):\n    def w(*a):\n        return f(*a)\n    return w\n@d\ndef f(a):\n    return a\n", "def d(f):\n    def w(*a):\n        return f(*a) + 1\n    return w\n@d\ndef f(a):\n    return a\n", "f(1)"),
    "a partial": ("from functools import partial\ndef f(a, b):\n    return a, b\ng = partial(f, 1)\n", "from functools import partial\ndef f(a, b):\n    return b, a\ng = partial(f, 1)\n", "g(2)"),
    "a dataclass' method": ("from dataclasses import dataclass\n@dataclass(frozen=True, slots=True)\nclass P:\n    x: int = 1\n    def m(self):\n        return self.x\n", "from dataclasses import dataclass\n@dataclass(frozen=True, slots=True)\nclass P:\n    x: int = 1\n    def m(self):\n        return self.x + 1\n    def n(self):\n        return self.m()\n", "P().m(), P().n()"),
    "an enum's method": ("from enum import Enum\nclass E(Enum):\n    A = 1\n    def m(self):\n        return self.value\n", "from enum import Enum\nclass E(Enum):\n    A = 1\n    def m(self):\n        return self.value + 1\n", "E.A.m()"),
    "a nested class": ("class A:\n    class B:\n        r = 1\n        def m(self):\n            return self.r\n", "class A:\n    class B:\n        r = 2\n        def m(self):\n            return self.r, self.n()\n        def n(self):\n            return __class__.__qualname__\n", "A.B().m()"),
    "a lambda": ("f = lambda a: a\n", "f = lambda a: a + 1\n", "f(1)"),
    "an annotation alone": ("CACHE = {}\ndef f():\n    return len(CACHE)\n", "CACHE: dict = {}\ndef f():\n    return len(CACHE)\n", "f()"),
    "under an if": ("if True:\n    def f():\n        return 1\nelse:\n    def f():\n        return 3\n", "if True:\n    def f():\n        return 2\nelse:\n    def f():\n        return 3\n", "f()"),
    "a coroutine": ("async def f(a):\n    return a\n", "async def f(a):\n    return a + 1\n", "[c := f(1), run(c)][1]"),
    "type parameters": ("def f[T](a: T) -> T:\n    return a\n", "def f[T](a: T) -> T:\n    return a * 2\n", "f(1)"),
    "future annotations": ("from __future__ import annotations\ndef f(a: x):\n    return a\n", "from __future__ import annotations\ndef g(a: y):\n    return 5\ndef f(a: x):\n    return g(a), g.__annotations__\n", "f(1)"),
    "an overridden builtin": ("def f(a):\n    return len(a)\n", "def len(a):\n    return 7\ndef f(a):\n    return len(a)\n", "f('')"),
    "an exception class": ("def f():\n    raise ValueError\n", "class Wrong(ValueError):\n    pass\ndef f():\n    try:\n        raise Wrong\n    except ValueError as e:\n        return type(e).__name__\n", "f()"),
    "the order of definitions": ("def f():\n    return g()\ndef g():\n    return 1\n", "def g():\n    return 2\ndef f():\n    return g()\n", "f()"),
    "comments alone": ("def f():\n    return 1\n", "# more\n\ndef f():\n    return (1)  # one\n", "f()"),
    "a method leaves": ("class A:\n    def m(self):\n        return 1\nclass B(A):\n    def m(self):\n        return 2\n", "class A:\n    def m(self):\n        return 1\nclass B(A):\n    pass\n", "B().m()"),
    "an abstract method": ("from abc import ABC, abstractmethod\nclass A(ABC):\n    @abstractmethod\n    def m(self):\n        pass\nclass B(A):\n    pass\n", "from abc import ABC, abstractmethod\nclass A(ABC):\n    @abstractmethod\n    def m(self):\n        pass\nclass B(A):\n    def m(self):\n        return 1\n", "B().m()"),
}  # fmt: skip


def run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value


@pytest.mark.parametrize(
    ("old", "new", "asked"),
    [pytest.param(*one, id=name, marks=[pytest.mark.soak] * (at % 3 > 0))
     for at, (name, one) in enumerate(SAME.items())],
)  # fmt: skip
def test_what_is_asked_gives_what_a_fresh_import_gives(imported, old, new, asked):
    (module,) = imported(lived=old)
    held = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    made = to(module, new)
    if "lru_cache" in old:
        module.f(1)
    assert applying.check(made, loaded()) == []
    applying.apply(made, loaded())
    wanted = eval(asked, {**fresh(module, new), "run": run})
    assert eval(asked, {**vars(module), "run": run}) == wanted
    for name, value in held.items():
        if callable(value) and name in vars(module):
            assert vars(module)[name] is value


REFUSED = {
    "a decorator": ("def f():\n    pass\n", "@print\ndef f():\n    pass\n", ":2: the decorators of f"),
    "bases": ("class A:\n    pass\n", "class A(dict):\n    pass\n", ":1: the bases of A"),
    "a call": ("x = 1\n", "x = 1\nprint(x)\n", ":2: it would run once more"),
    "a call that is gone": ("x = 1\nprint(end='')\n", "x = 1\n", ":2: it has run"),
    "a maker": ("x = object()\n", "x = open('/dev/null')\n", ":1: it calls open"),
    "a registration": ("class R:\n    def route(self, f):\n        return f\nr = R()\n", "class R:\n    def route(self, f):\n        return f\nr = R()\n@r.route\ndef f():\n    pass\n", ":6: it is decorated by r.route"),
    "a field": ("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1\n", "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 2\n", ":4: the fields of a dataclass"),
    "a member": ("from enum import Enum\nclass E(Enum):\n    A = 1\n", "from enum import Enum\nclass E(Enum):\n    A = 2\n", ":3: its metaclass EnumType"),
    "slots": ("class A:\n    __slots__ = ('a',)\n", "class A:\n    __slots__ = ('b',)\n", ":2: objects that live have their slots"),
    "await": ("def f():\n    return 1\n", "async def f():\n    return 1\n", ":1: f is of another kind"),
    "free variables": ("class A:\n    def m(self):\n        return 1\n", "class A:\n    def m(self):\n        return super()\n", ":2: A.m closes over other"),
    "closures in use": ("def make(a):\n    def inner():\n        return a\n    return inner\nx = [make(1)]\n", "def make(a, b=2):\n    def inner():\n        return a + b\n    return inner\nx = [make(1)]\n", "make was called there at import"),
    "called at import": ("def g():\n    return 1\nX = g()\n", "def g():\n    return 2\nX = g()\n", ":3: g was called there at import"),
    "called inside at import": ("def h():\n    return 1\ndef g():\n    return h()\nX = g()\n", "def h():\n    return 2\ndef g():\n    return h()\nX = g()\n", ":5: h was called there at import"),
    "run with a constant": ("R = [1]\nprint(*R, end='')\n", "R = [2]\nprint(*R, end='')\n", ":2: it ran with what"),
    "made with a constant": ("from functools import lru_cache\nR = 1\n@lru_cache(R)\ndef f():\n    pass\n", "from functools import lru_cache\nR = 2\n@lru_cache(R)\ndef f():\n    pass\n", ":4: f was made with what"),
    "a star": ("x = 1\n", "from os import *\nx = 1\n", ":1: it would run once more"),
    "the future": ("x = 1\n", "from __future__ import annotations\nx = 1\n", ":1: it is for the whole"),
    "a try": ("try:\n    x = 1\nexcept OSError:\n    x = 2\n", "try:\n    x = 3\nexcept OSError:\n    x = 2\n", "depends on the `try`"),
    "a parameter of a route": ("def d(f):\n    return f\n@d\ndef f(a):\n    return a\n", "def d(f):\n    return f\n@d\ndef f(a, b):\n    return a\n", "a decorator of f has read"),
    "bound again": ("x = 1\nx = 5\n", "x = 2\nx = 5\n", ":2: x is bound there once more"),
    "syntax": ("x = 1\n", "x = (\n", ":1: cannot be compiled"),
    "a name that fails": ("x = 1\n", "x = y\n", "raises NameError"),
    "a part that fails": ("x = 1\nz = 1\n", "x = 2\nz = 1 / 0\n", "raises ZeroDivisionError"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_made_up_for_is_refused_before_anything_changes(
    imported, old, new, said
):
    (module,) = imported(lived=old)
    before = dict(vars(module))
    codes = {
        name: value.__code__ for name, value in before.items() if hasattr(value, "__code__")
    }
    made = to(module, new)
    with pytest.raises(RefusedError) as raised:
        applying.apply(made, loaded())
    assert raised.value.slug == "not-applicable"
    assert said in raised.value.message
    obstacles = applying.check(made, loaded())
    assert any(said in one for one in obstacles) == ("raises" not in said)
    assert dict(vars(module)) == before
    assert all(vars(module)[name].__code__ is code for name, code in codes.items())


def test_objects_registries_and_other_modules_run_the_candidate(imported):
    shop, views = imported(
        shop="""
            RATE = 0.2
            TABLE = {"a": 1}
            class Basket:
                def __init__(self):
                    self.items = []
                def total(self):
                    return sum(self.items)
            def quote(n):
                return n * RATE
            """,
        views="""
            from shop import RATE as R, TABLE, Basket, quote
            RATE = 0.2
            handlers = {"quote": quote}
            class Big(Basket):
                pass
            def rate():
                return R
            """,
    )
    views.handlers["total"] = views.Basket().total
    made = to(
        shop,
        """
        RATE = 0.5
        TABLE = {"b": 2}
        class Basket:
            def __init__(self):
                self.items = [1]
            def total(self):
                return sum(self.items) + 100
        def quote(n):
            return n * RATE + 1
        """,
    )
    applied = applying.apply(made, loaded())
    assert views.handlers["quote"](2) == 2.0
    assert views.handlers["total"]() == 100
    assert views.Big().total() == 101
    assert (views.rate(), views.RATE) == (0.5, 0.2)
    assert views.TABLE == {"b": 2}
    assert applied.functions == ("shop:Basket.__init__", "shop:Basket.total", "shop:quote")
    assert "objects that live already were made without Basket.__init__" in applied.notes
    assert "views.R was imported and is the new one too" in applied.notes


def test_closures_that_are_in_use_get_the_new_code(imported):
    old = """
        def make(a):
            def inner(b):
                return a + b
            return inner
        class Late:
            def hook(self):
                return lambda: self.x
        """
    (module,) = imported(lived=old)
    inner = module.make(1)
    late = module.Late()
    late.x = 1
    hook = late.hook()
    new = old.replace("a + b", "a * 10 + b").replace("self.x", "self.x + 5")
    applying.apply(to(module, new), loaded())
    assert inner(2) == 12
    assert hook() == 6
    inner = module.make(3)
    assert inner(2) == 32
    with pytest.raises(RefusedError, match="functions that make made are in use"):
        applying.apply(
            to(module, new.replace("a * 10 + b", "b")),
            loaded(),
        )


def test_what_a_server_has_put_out_of_sight_before_it_forked_is_reached(imported, monkeypatch):
    monkeypatch.setattr(gc, "unfreeze", UNFREEZE)
    old = "def make(a):\n    return lambda b: a + b\n"
    (module,) = imported(frozen=old)
    inner = module.make(1)
    gc.freeze()
    applying.apply(to(module, old.replace("a + b", "a * 10 + b")), loaded())
    assert inner(2) == 12


def test_functions_that_are_the_same_stand_on_the_lines_of_the_new_text(imported):
    old = "def f():\n    return 1\n\ndef g():\n    return f()\n"
    (module,) = imported(lived=old)
    applied = applying.apply(
        to(module, old.replace("return 1", "a = 1\n    return a")), loaded()
    )
    assert applied.functions == ("lived:f",)
    assert module.g.__code__.co_firstlineno == 5
    assert {module.f.__code__, module.g.__code__} <= applied.codes


def test_annotations_and_defaults_are_the_new_ones(imported):
    old = "def f(a: int, b: str = '', *, c: int = 3) -> int:\n    return a, b, c\n"
    (module,) = imported(lived=old)
    module.f.__kwdefaults__["c"] = 9  # somebody's own, which the candidate does not touch
    new = "def f(a: float, b: list[int] = (), *, c: int = 3) -> int:\n    return a, b, c\n"
    applying.apply(to(module, new), loaded())
    assert module.f(1) == (1, (), 9)
    assert module.f.__annotations__ == {"a": float, "b": list[int], "c": int, "return": int}


def test_what_was_imported_and_is_replaced_stays_where_it_came_from(imported):
    lib, shop, page, views = imported(
        lib="def helper():\n    return 'lib'\n",
        shop="from lib import helper\ndef f():\n    return helper()\n",
        page="from shop import helper as h\n",
        views="from page import h\nfrom lib import helper\n",
    )
    new = "def helper():\n    return 'shop'\ndef f():\n    return helper()\n"
    applying.apply(to(shop, new), loaded())
    assert shop.f() == page.h() == views.h() == "shop"
    assert lib.helper() == views.helper() == "lib"


def test_proxies_of_nothing_are_not_asked(imported):
    old = """
        from flask import current_app, request, session
        from werkzeug.local import LocalProxy
        basket = LocalProxy(lambda: 1 / 0)
        def f():
            return 1
        """
    (module,) = imported(lived=old)
    applying.apply(to(module, old.replace("return 1", "return 2") + "x = 1\n"), loaded())
    assert (module.f(), module.x) == (2, 1)


SEAL = native.twin()
LACKS = SEAL.missing() if SEAL is not None else native.twin_reason()


@pytest.mark.skipif(bool(LACKS), reason=f"no twins here: {LACKS}")
@pytest.mark.parametrize("policy", ["STRICT", "READONLY", "THREADS"])
def test_a_candidate_is_applied_in_a_sealed_copy_alone(imported, policy):
    (module,) = imported(
        lived="R = 1\ndef f(n):\n    return n * R\ndef g(n):\n    return f(n)\n"
    )
    new = "R = 2\ndef h(n):\n    return n + 1\ndef f(n):\n    return h(n * R)\ndef g(n):\n    return f(n)\n"
    made = candidate.encode(to(module, new))

    def inside(frame):
        applied = applying.apply(candidate.decode(made), loaded())
        return applied.functions, module.f(10)

    said = twins.twin_of(module.g, inside, lambda: module.g(10), getattr(SEAL, policy))
    assert said == (10, [["lived:f"], 21])
    assert module.f(10) == 10


def test_another_version_than_the_one_that_was_compared_is_refused(imported):
    (module,) = imported(lived="def f():\n    return 1\n")
    change = candidate.of_texts(
        module.__file__, "def f():\n    return 8\n", "def f():\n    return 2\n"
    )
    with pytest.raises(RefusedError, match="f runs another version"):
        applying.apply(candidate.make("", [change]), loaded())


@pytest.mark.parametrize("name", ["json.py", "json/__init__.py", "fractions.py"])
def test_a_new_file_does_not_stand_before_what_is_loaded(imported, tmp_path, name):
    (module,) = imported(lived="import json, fractions\n\ndef f():\n    return 1\n")
    text = Path(module.__file__).read_text()
    changes = [
        candidate.of_texts(module.__file__, text, text.replace("1", "2")),
        candidate.of_texts(str(tmp_path / name), None, "x = 3\n"),
    ]
    with pytest.raises(RefusedError, match=r"is new, and a module .* is loaded from elsewhere"):
        applying.apply(candidate.make("", changes), loaded())
    assert module.f() == 1


@pytest.mark.soak
def test_modules_that_are_not_imported_yet_are_served_later(imported, tmp_path):
    (module,) = imported(lived="def f():\n    return 1\n")
    changes = [
        candidate.of_texts(
            module.__file__,
            "def f():\n    return 1\n",
            "def f():\n    import lazily, brand_new\n    return lazily.x, brand_new.x\n",
        ),
        candidate.of_texts(str(tmp_path / "lazily.py"), "x = 1\n", "x = 2\n"),
        candidate.of_texts(str(tmp_path / "brand_new.py"), None, "x = 3\n"),
    ]
    (tmp_path / "lazily.py").write_text("x = 1\n")
    applying.apply(candidate.make("", changes), loaded())
    assert module.f() == (2, 3)


def test_a_traceback_shows_the_candidate(imported):
    (module,) = imported(lived="def f():\n    return 1\n")
    applying.apply(to(module, "# new\n\ndef f():\n    return 1 / 0  # here\n"), loaded())
    with pytest.raises(ZeroDivisionError) as raised:
        module.f()
    assert "# here" in traceback.format_exception(raised.value)[-2]


def test_a_flask_view_is_reached_through_its_routes(imported):
    old = """
        import flask
        app = flask.Flask("shop")
        @app.get("/quote/<int:n>")
        def quote(n):
            return {"total": n}
        @app.errorhandler(ZeroDivisionError)
        def wrong(error):
            return "old", 500
        @app.before_request
        def before():
            flask.g.more = 1
        """
    (module,) = imported(lived=old)
    client = module.app.test_client()
    assert client.get("/quote/3").json == {"total": 3}
    new = (
        old.replace('"total": n', '"total": 6 // n + flask.g.more')
        .replace('"old"', '"new"')
        .replace("more = 1", "more = 10")
    )
    applied = applying.apply(to(module, new), loaded())
    assert applied.functions == ("lived:quote", "lived:wrong", "lived:before")
    assert client.get("/quote/3").json == {"total": 12}
    assert client.get("/quote/0").text == "new"


@pytest.mark.soak
def test_a_celery_task_is_reached_through_its_registry(imported):
    old = """
        import celery
        app = celery.Celery("shop")
        app.conf.task_always_eager = True
        @app.task
        def early(n):
            return n
        @app.task(bind=True)
        def bound(self, n):
            return self.name, n
        @celery.shared_task
        def shared(n):
            return n
        """
    (module,) = imported(lived=old)
    assert module.early(1) == 1
    new = old.replace("return n", "return n + 1").replace("self.name, n", "self.name, n + 1")
    applying.apply(to(module, new), loaded())
    assert module.early(1) == module.shared(1) == 2
    assert module.app.tasks["lived.early"].apply(args=(1,)).get() == 2
    assert module.app.tasks["lived.bound"].apply(args=(1,)).get() == ("lived.bound", 2)


def test_a_django_view_is_reached_through_its_patterns(imported):
    old = """
        from django.conf import settings
        if not settings.configured:
            settings.configure(
                ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], DEBUG=False, SECRET_KEY="x"
            )
        import django
        django.setup()
        from django.http import HttpResponse
        from django.urls import path
        from django.views import View
        from django.views.decorators.http import require_GET
        @require_GET
        def quote(request, n):
            return HttpResponse(str(n))
        class Page(View):
            def get(self, request):
                return HttpResponse("old")
        urlpatterns = [path("quote/<int:n>", quote), path("page", Page.as_view())]
        """
    script = """
import sys, textwrap
import lived
from django.test import RequestFactory
from django.urls import resolve
from leadline.trial import applying, candidate
def get(url):
    match = resolve(url, urlconf="lived")
    request = RequestFactory().get(url)
    return match.func(request, *match.args, **match.kwargs).content.decode()
old = open(lived.__file__).read()
assert (get("/quote/1"), get("/page")) == ("1", "old")
new = old.replace("str(n)", "str(n + 1)").replace('"old"', '"new"')
made = candidate.make("", [candidate.of_texts(lived.__file__, old, new)])
print(applying.apply(made, sys.modules).functions)
print(get("/quote/1"), get("/page"))
"""
    folder = Path(sys.path[0])
    (folder / "lived.py").write_text(textwrap.dedent(old))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["('lived:quote', 'lived:Page.get')", "2 new"], (
        done.stderr
    )
