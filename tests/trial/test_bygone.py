"""What import has made of a name stays as it was: a candidate that changes such a name is not
put into running code, whichever module of the service has made what of it."""

import importlib
import linecache
import sys
import textwrap

import pytest
from loaded import loaded

from leadline.trial import applying, candidate
from leadline.wire.errors import RefusedError


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Import texts of files; afterwards nothing of it is left."""
    before, finders = set(sys.modules), list(sys.meta_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def load(texts):
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('.', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(text))
        importlib.invalidate_caches()
        for name in texts:
            importlib.import_module(name.removesuffix(".__init__"))

    yield load
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    sys.meta_path[:] = finders
    linecache.clearcache()


def changed(name, old, new):
    file = sys.modules[name].__file__
    text = "".join(linecache.getlines(file))
    assert old in text
    return candidate.make("", [candidate.of_texts(file, text, text.replace(old, new, 1))])


def obstacles(name, old, new):
    return applying.check(changed(name, old, new), loaded())


RATE = "RATE = 1\nTIMES = 1\nLIMITS = {'a': 1}\ndef norm(n):\n    return n * 2\n"

STALE = {
    "a default": ("import conf\ndef h(n, r=conf.RATE):\n    return n * r\n", 2),
    "a default by another name": ("import conf as c\ndef h(n, *, r=c.RATE):\n    return n\n", 2),
    "a class attribute": ("import conf\nclass K:\n    rate = conf.RATE\n", 3),
    "a table": ("import conf\nTABLE = {k: k * conf.RATE for k in range(5)}\n", 2),
    "a partial": ("import functools\nfrom conf import RATE, norm\nG = functools.partial(norm, RATE)\n", 3),
    "a decorator": ("import conf\ndef rep(k):\n    return lambda f: f\n@rep(conf.RATE)\ndef h():\n    pass\n", 5),
    "an item": ("from conf import LIMITS\nA = LIMITS['a']\n", 2, "'a': 1", "'a': 2"),
    "an object": ("import conf\nclass Client:\n    def __init__(self, t):\n        self.t = t\nC = Client(conf.RATE)\n", 5),
    "an alias": ("from conf import RATE as R\nTWICE = R * 2\n", 2),
    "a star": ("from conf import *\nTWICE = RATE * 2\n", 2),
    "a base": ("import conf\nclass K(*[dict] * conf.RATE):\n    pass\n", 2),
    "an annotation": ("import conf\ndef f(a: conf.RATE):\n    pass\n", 2),
    "a condition": ("import conf\nif conf.RATE == 1:\n    X = 1\n", 2),
    "a loop": ("import conf\nfor k in range(conf.RATE):\n    pass\n", 2),
    "inside a function": ("import conf\ndef make():\n    return conf.RATE\nX = make()\n", 4),
    "imported inside a function": ("def make():\n    from conf import RATE\n    return RATE\nX = make()\n", 4),
    "two functions away": ("import conf\ndef one():\n    return conf.RATE\ndef two():\n    return [one() for _ in 'ab']\nX = two()\n", 6),
    "a default of what was called": ("import conf\ndef make(r=conf.RATE):\n    return r\n", 2),
    "a method": ("import conf\nclass K:\n    def m(self):\n        return conf.RATE\nX = K().m()\n", 5),
    "a property": ("import conf\nclass K:\n    @property\n    def p(self):\n        return conf.RATE\nK1 = K()\nX = K1.p\n", 7),
    "a lambda that is called": ("import conf\nX = sorted([1], key=lambda n: n * conf.RATE)\n", 2),
    "a function that is handed on": ("import conf\ndef read():\n    return conf.RATE\ndef do(f):\n    return f()\nX = do(read)\n", 6),
    "a function that was called": ("import conf\nX = conf.norm(1)\n", 2, "n * 2", "n * 3"),
    "a function that was mapped": ("import conf\nX = list(map(conf.norm, [1]))\n", 2, "n * 2", "n * 3"),
    "a constructor": ("import conf\nclass S:\n    def __init__(self):\n        self.x = conf.norm(1)\nONE = S()\n", 5, "n * 2", "n * 3"),
    "an operator": ("from conf import norm\nclass S:\n    def __add__(self, n):\n        return norm(n)\nX = S() + 1\n", 5, "n * 2", "n * 3"),
    "a module that is handed on": ("import conf\nALL = vars(conf)\nT = {k: getattr(conf, k) for k in dir(conf) if k.isupper()}\n", 2),
    "a module by its name": ("import importlib\nX = importlib.import_module('conf').RATE\n", 2),
    "settings that a library reads": ("import flask, conf\napp = flask.Flask('a')\napp.config.from_object(conf)\n", 3),
    "settings by their name": ("import flask, conf\napp = flask.Flask('a')\napp.config.from_object('conf')\n", 3),
    "a factory of a field": ("import dataclasses, conf\ndef mk():\n    return conf.RATE\n@dataclasses.dataclass\nclass P:\n    x: int = dataclasses.field(default_factory=mk)\nONE = P()\n", 7),
}  # fmt: skip


@pytest.mark.parametrize("case", STALE.values(), ids=STALE)
def test_what_another_module_has_made_of_it_at_import_is_an_obstacle(imported, case):
    text, line, *change = case
    imported({"conf": RATE, "shop": text})
    found = obstacles("conf", *(change or ("RATE = 1", "RATE = 2")))
    assert any(f"shop.py:{line}: " in one for one in found), found
    assert any(word in found[0] for word in ("read there at import", "called there at import"))


FINE = {
    "a body": ("import conf\ndef f():\n    return conf.RATE\n",),
    "a body by name": ("from conf import RATE\ndef f():\n    return [RATE, lambda: RATE]\n",),
    "a method": ("import conf\nclass K:\n    def m(self):\n        return conf.RATE\nONE = K()\n",),
    "a closure": ("import conf\ndef d(f):\n    def w():\n        return f(conf.RATE)\n    return w\n@d\ndef f(n):\n    return n\n",),
    "its neighbour": ("import conf\nX = conf.TIMES\n",),
    "another of that name": ("import conf\nclass K:\n    RATE = 3\nX = K.RATE\n",),
    "a function in a table": ("from conf import norm\nT = {'norm': norm}\n", "n * 2", "n * 3"),
    "a function in a partial": ("import conf, functools\nT = functools.partial(conf.norm, 1)\n", "n * 2", "n * 3"),
    "a function in a default": ("from conf import norm\ndef f(by=norm):\n    return by(1)\n", "n * 2", "n * 3"),
    "a registry": ("import conf\nclass R:\n    def __init__(self):\n        self.t = {}\n    def route(self, p):\n        def d(f):\n            self.t[p] = f\n            return f\n        return d\nr = R()\n@r.route('/')\ndef view():\n    return conf.norm(1)\n", "n * 2", "n * 3"),
    "a route": ("import flask, conf\napp = flask.Flask('a')\n@app.get('/')\ndef view():\n    return conf.norm(1)\n", "n * 2", "n * 3"),
    "a common name": ("import os, conf\nX = os.environ.get('norm')\nY = {}.get(1)\n", "n * 2", "n * 3"),
    "types alone": ("import typing, conf\nif typing.TYPE_CHECKING:\n    X = conf.RATE\n",),
}  # fmt: skip


GUARDED = {
    "a guard": ("if __name__ == '__main__':\n    main()\n", ""),
    "a guard the other way round": ("if '__main__' == __name__ and input():\n    main()\nelse:\n    X = 1\n", ""),
    "the other branch": ("if not __name__ == '__main__':\n    pass\nelse:\n    main()\n", ""),
    "two names": ("if __name__ == 'x' or __name__ == '__main__':\n    main()\n", ""),
    "one that it met": ("if __name__ != '__main__':\n    main()\n", ":7: norm was called"),
    "what else was asked": ("if X or __name__ == '__main__':\n    main()\n", ":7: norm was called"),
    "another name": ("__name__ = '__main__'\nif __name__ == '__main__':\n    main()\n", ":8: norm was called"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), GUARDED.values(), ids=GUARDED)
def test_what_only_a_script_runs_has_not_run_where_it_was_imported(imported, text, said):
    imported({"lived": f"def norm(n):\n    return n\ndef main():\n    norm(1)\nX = 2\n{text}"})
    found = obstacles("lived", "return n", "return n + 1")
    assert any(said in one for one in found) if said else found == [], found


@pytest.mark.parametrize("case", FINE.values(), ids=FINE)
def test_what_is_read_when_calls_are_made_is_none(imported, case):
    text, *change = case
    imported({"conf": RATE, "shop": text})
    assert obstacles("conf", *(change or ("RATE = 1", "RATE = 2"))) == []


WITHIN = {
    "told of a subclass": ("class B:\n    def __init_subclass__(cls):\n        cls.t = 1\nclass S(B):\n    pass\n", "cls.t = 1", "cls.t = 2", ":4: B.__init_subclass__ was called"),
    "told of its name": ("class F:\n    def __set_name__(self, o, n):\n        self.k = 'k' + n\nclass C:\n    x = F()\n", "'k'", "'j'", ":4: F.__set_name__ was called"),
    "a constant of a constructor": ("R = 1\nclass S:\n    def __init__(self):\n        self.r = R\nONE = S()\n", "R = 1", "R = 2", ":5: R was read"),
    "a helper of a constructor": ("def norm(n):\n    return n * 2\nclass S:\n    def __init__(self):\n        self.r = norm(1)\nONE = S()\n", "n * 2", "n * 3", ":6: norm was called"),
    "a constructor": ("class S:\n    def __init__(self):\n        self.r = 1\nONE = [S()]\n", "= 1", "= 2", ":4: S.__init__ was called"),
    "an attribute of a class": ("class S:\n    R = 1\n    def __init__(self):\n        self.r = self.R\nONE = S()\n", "R = 1", "R = 2", ":5: S.R was read"),
    "a method of one": ("class S:\n    def __init__(self):\n        self.r = self.m()\n    def m(self):\n        return 1\nONE = S()\n", "return 1", "return 2", ":6: S.m was called"),
    "a method of a subclass": ("class B:\n    def __init__(self):\n        self.r = self.m()\nclass S(B):\n    def m(self):\n        return 1\nONE = S()\n", "return 1", "return 2", ":7: S.m was called"),
    "a method of an argument": ("class R:\n    def load(self):\n        return 1\nclass S:\n    def __init__(self, r):\n        self.r = r.load()\nONE = S(R())\n", "return 1", "return 2", ":7: R.load was called"),
    "a metaclass": ("class M(type):\n    def __call__(cls):\n        o = super().__call__()\n        o.t = 1\n        return o\nclass S(metaclass=M):\n    pass\nONE = S()\n", "o.t = 1", "o.t = 2", ":8: M.__call__ was called"),
    "a validator": ("from pydantic import BaseModel, field_validator\nclass P(BaseModel):\n    x: int\n    @field_validator('x')\n    @classmethod\n    def up(cls, v):\n        return v\nONE = P(x=1)\n", "return v", "return v + 1", ":8: P.up was called"),
    "an inner function that was called": ("def make():\n    def row(k):\n        return k\n    return {k: row(k) for k in 'ab'}\nT = make()\n", "return k", "return k * 2", ":5: make was called"),
    "a decorator with arguments": ("def tag(t):\n    def d(f):\n        f.t = 1\n        return f\n    return d\n@tag('a')\ndef f():\n    pass\n", "f.t = 1", "f.t = 2", ":7: tag was called"),
    "settings in a class": ("import flask\nclass Base:\n    RATE = 1\nclass Config(Base):\n    pass\napp = flask.Flask('a')\napp.config.from_object(Config)\n", "RATE = 1", "RATE = 2", ":7: Base.RATE was read"),
    "a constructor that comes": ("class S:\n    r = 1\nONE = S()\n", "r = 1\n", "r = 1\n    def __init__(self):\n        self.r = 2\n", ":5: S.__init__ was read"),
    "a constructor that goes": ("class S:\n    r = 1\n    def __init__(self):\n        self.r = 2\nONE = S()\n", "    def __init__(self):\n        self.r = 2\n", "", ":3: S.__init__ was read"),
    "a hook that comes": ("class B:\n    r = 1\nclass S(B):\n    pass\n", "r = 1\n", "r = 1\n    def __init_subclass__(cls):\n        cls.r = 2\n", ":5: B.__init_subclass__ was read"),
    "a method that comes below": ("class B:\n    def __init__(self):\n        self.r = self.m()\n    def m(self):\n        return 1\nclass S(B):\n    x = 1\nONE = S()\n", "x = 1\n", "x = 1\n    def m(self):\n        return 2\n", ":10: S.m was read"),
    "a method above": ("class B:\n    def setup(self):\n        self.r = 1\nclass S(B):\n    def setup(self):\n        super().setup()\nONE = S()\nONE.setup()\n", "self.r = 1", "self.r = 2", ":8: B.setup was called"),
    "all names": ("RATE = 1\nT = {k: v for k, v in list(globals().items()) if k.isupper()}\n", "RATE = 1", "RATE = 2", ":2: RATE was read"),
    "an indirect default": ("def one():\n    return 1\ndef f(a=one()):\n    return a\n", "return 1", "return 2", ":3: one was called"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "said"), WITHIN.values(), ids=WITHIN)
def test_the_same_within_one_file(imported, text, old, new, said):
    imported({"lived": text})
    found = obstacles("lived", old, new)
    assert any(said in one for one in found), found


def test_another_import_and_one_that_is_gone_are_seen(imported):
    old = "from math import floor as rnd\nfrom math import pi\n"
    imported({"conf": old, "shop": "import conf\nX = conf.rnd(1.5)\nY = conf.pi\n"})
    assert "shop.py:2: conf.rnd was read" in obstacles("conf", "floor", "ceil")[0]
    assert "shop.py:3: conf.pi was read" in obstacles("conf", "from math import pi\n", "")[0]


def test_names_are_followed_through_packages(imported):
    imported(
        {
            "pack.__init__": "from .conf import RATE\n",
            "pack.conf": "RATE = 1\ndef norm(n):\n    return n\n",
            "pack.shop": "from . import conf\nfrom pack import RATE as R\nA = conf.RATE\nB = [R]\n",
            "views": "import pack.conf\nimport pack as p\nA = p.RATE\nB = pack.conf.RATE\n",
        }
    )
    found = obstacles("pack.conf", "RATE = 1", "RATE = 2")
    said = [one.split("/")[-1].rpartition(": ")[0] for one in found]
    assert said == ["shop.py:3", "shop.py:4", "views.py:3", "views.py:4"]
    assert all("pack.conf.RATE was read there at import" in one for one in found)
    assert obstacles("pack.conf", "return n", "return n + 1") == []


SET = {
    "a constant": ("LIMIT = 5\ndef start():\n    global LIMIT\n    LIMIT = 100\n", "LIMIT = 5", "LIMIT = 6", ":1: LIMIT was given another value"),
    "a sum": ("LIMIT = 5 * 60\ndef start():\n    globals()['LIMIT'] = 7\n", "5 * 60", "6 * 60", ":1: LIMIT was given another value"),
    "a table": ("T = {'a': [1]}\ndef start():\n    T['a'].append(2)\n", "'a': [1]", "'a': [3]", ":1: T was given another value"),
    "what is made": ("T = list(range(3))\ndef start():\n    T.append(5)\n", "range(3)", "range(4)", ":1: T was given another value"),
    "what may have been set": ("T = object()\nU = [T]\ndef start():\n    global T\n    T = 1\n", "T = object()", "T = frozenset()", ":1: T is set by start"),
    "an attribute of a class": ("class K:\n    limit = None\ndef start():\n    K.limit = 9\n", "limit = None", "limit = 1", ":2: K.limit was given another value"),
    "what is taken away": ("LIMIT = 5\ndef start():\n    global LIMIT\n    LIMIT = 100\n", "LIMIT = 5\n", "", ":1: LIMIT was given another value"),
    "what was not set": ("LIMIT = 5\ndef start():\n    pass\n", "LIMIT = 5", "LIMIT = 6", ""),
    "what is no number alone": ("T = {'a': (1, None, 2.5, b'x', {1, 2})}\ndef start():\n    pass\n", "'a'", "'b'", ""),
    "an object": ("import re\nP = re.compile('a')\ndef start():\n    pass\n", "'a'", "'b'", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "said"), SET.values(), ids=SET)
def test_what_the_program_has_set_since_is_not_written_over(imported, text, old, new, said):
    imported({"lived": text})
    sys.modules["lived"].start()
    found = obstacles("lived", old, new)
    assert any(said in one for one in found) if said else found == [], found


CACHED = {
    "by name": ("def base(k):\n    return k\n@lru_cache\ndef h(k):\n    return base(k)\n", "h(1)", ["h"]),
    "a constant": ("R = 1\ndef other(k):\n    return k\n@cache\ndef h():\n    return R\n", "h()", []),
    "a method": ("class K:\n    def base(self, k):\n        return k\n    @lru_cache\n    def h(self, k):\n        return self.base(k)\nONE = K()\n", "ONE.h(1)", ["K.h"]),
    "a method of anything": ("class K:\n    def base(self, k):\n        return k\n@lru_cache\ndef h(k):\n    return next(iter([K()])).base(k)\n", "h(1)", ["h"]),
    "through a table": ("def base(k):\n    return k\nT = {'a': base}\n@lru_cache\ndef h(k):\n    return [T['a'](k) for _ in 'ab']\n", "h(1)", ["h"]),
    "a static method": ("def base(k):\n    return k\nclass K:\n    @staticmethod\n    @lru_cache\n    def h(k):\n        return (lambda: base(k))()\n", "K.h(1)", ["K.h"]),
    "in a closure": ("def base(k):\n    return k\ndef make():\n    @lru_cache\n    def h(k):\n        return base(k)\n    return h\nH = make()\n", "H(1)", ["make"]),
    "under a decorator": ("from functools import wraps\ndef d(f):\n    @wraps(f)\n    def w(*a):\n        return f(*a)\n    return w\ndef base(k):\n    return k\n@lru_cache\n@d\ndef h(k):\n    return base(k)\n", "h(1)", ["d"]),
    "of a library": ("class Kept:\n    def __init__(self, f):\n        self.__wrapped__ = f\n    def cache_clear(self):\n        pass\ndef base(k):\n    return k\n@Kept\ndef h(k):\n    return base(k)\n", "0", ["h"]),
    "an empty one": ("def base(k):\n    return k\n@lru_cache\ndef h(k):\n    return base(k)\n", "0", []),
    "of other things": ("def base(k):\n    return k\n@lru_cache\ndef h(k):\n    return k\n", "h(1)", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "asked", "names"), CACHED.values(), ids=CACHED)
def test_caches_of_what_leads_to_a_change_are_found(imported, text, asked, names):
    imported({"lived": f"from functools import cache, lru_cache\n{text}"})
    module = sys.modules["lived"]
    eval(asked, vars(module))
    made = changed("lived", "return k\n", "return k + 1\n")
    found = applying.planned(made, loaded()).caches
    assert [one.name for one in found] == [f"lived.{name}" for name in names]


KEY = """
import collections, heapq, weakref
def norm(text):
    return text
def other(text):
    return text + ""
class Key:
    def __init__(self, text):
        self.text = text
    def __eq__(self, key):
        return norm(self.text) == norm(key.text)
    def __hash__(self):
        return hash(len(self.text))
    def __lt__(self, key):
        return self.text < key.text
    def __repr__(self):
        return self.text
class Sub(Key):
    pass
class Own(Key):
    def __eq__(self, key):
        return self.text == key.text
    def __hash__(self):
        return 1
"""
EQUAL = ("norm(self.text) == norm(key.text)", "self.text == key.text")
HASH = ("hash(len(self.text))", "hash(len(self.text) // 2)")
LESS = ("self.text < key.text", "self.text > key.text")
NORM = ("return text\n", "return text.lower()\n")
DECIDED = {
    "a dictionary": ("T = {Key(k): k for k in 'ab'}\n", EQUAL, "Key.__eq__ has decided what is in a dictionary"),
    "a dictionary that was filled": ("T = dict()\ndef fill():\n    T[Key('a')] = 1\n", EQUAL, "Key.__eq__ has decided what is in a dictionary"),
    "a set": ("T = set()\ndef fill():\n    T.add(Key('a'))\n", EQUAL, "Key.__eq__ has decided what is in a set"),
    "a hash": ("T = {1: {Sub('a')}}\n", HASH, "Key.__hash__ "),
    "what it calls": ("T = set()\ndef fill():\n    T.add(Key('a'))\n", NORM, "Key.__eq__ has decided"),
    "a tuple": ("T = {}\ndef fill():\n    T[1, (2, Key('a'))] = 1\n", HASH, "Key.__hash__ has decided"),
    "a weak one": ("T = weakref.WeakSet()\nK = Key('a')\ndef fill():\n    T.add(K)\n", EQUAL, "Key.__eq__ has decided what is in a set"),
    "a counter": ("T = collections.Counter()\ndef fill():\n    T[Key('a')] += 1\n", EQUAL, "Key.__eq__ has decided"),
    "its own": ("T = set()\ndef fill():\n    T.add(Own('a'))\n", HASH, ""),
    "values alone": ("T = {k: Key(k) for k in 'ab'}\nL = [Key('b')]\n", EQUAL, ""),
    "what nothing of it calls": ("T = {Key('a')}\n", ("text + ''", "text + 'x'"), ""),
    "a sorted list": ("T = sorted([Key('b'), Key('a')])\n", LESS, "Key.__lt__ was called there"),
    "a list that is sorted": ("T = [Key('b'), Key('a')]\nT.sort()\n", LESS, "Key.__lt__ was called there"),
    "a heap": ("T = []\nfor _k in 'ba':\n    heapq.heappush(T, Key(_k))\n", LESS, "Key.__lt__ was called there"),
    "a list": ("T = [Key('b'), Key('a')]\n", LESS, ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "change", "said"), DECIDED.values(), ids=DECIDED)
def test_what_tells_the_keys_of_live_containers_apart_is_an_obstacle(
    imported, text, change, said
):
    imported({"lived": KEY.replace('""', "''") + text})
    getattr(sys.modules["lived"], "fill", lambda: None)()
    made = changed("lived", *change)
    if not said:
        assert applying.planned(made, loaded()).works
        return
    with pytest.raises(RefusedError, match=rf"lived\.py:\d+: .*{said}"):
        applying.planned(made, loaded())


ONCE = """
import functools
from django.utils import functional
from werkzeug import utils

def base(k):
    return k

def other(k):
    return 2 * k

class S:
    @functools.cached_property
    def a(self):
        return base(2)

    @functional.cached_property
    def b(self):
        return base(3)

    @utils.cached_property
    def c(self):
        return self.a + base(4)

    @functools.cached_property
    def e(self):
        return other(2)

class T(S):
    @functools.cached_property
    def a(self):
        return other(1)

class Far(From):
    def made(self):
        return base(7)

ALL = S(), S(), T(), Far()
"""
FAR = """
import functools

class From:
    @functools.cached_property
    def held(self):
        return self._make()
    def _make(self):
        return self.made()
    def made(self):
        return 1
    @functools.cached_property
    def aside(self):
        return 1
"""


def test_what_objects_keep_of_a_property_that_leads_to_a_change_is_taken_out(imported):
    imported({"far": FAR, "lived": f"from far import From\n{ONCE}"})
    module, far = sys.modules["lived"], sys.modules["lived"].ALL[3]
    assert (far.held, far.aside) == (7, 1)
    held = [{name: getattr(one, name) for name in "abce"} for one in module.ALL[1:3]]
    found = applying.planned(changed("lived", "return k\n", "return k + 1\n"), loaded())
    names = {
        one.name.partition(".")[2]: len(held) for one, held in found.reckoned.found.items()
    }
    assert names == {"S.a": 1, "S.b": 2, "S.c": 2, "From.held": 1}
    assert any("S.b was taken out of 2 objects" in note for note in found.notes)
    found.forget()
    assert [sorted(vars(one)) for one in module.ALL] == [[], ["e"], ["a", "e"], ["aside"]]
    assert {name: getattr(module.ALL[1], name) for name in "abce"} == held[0]
    assert far.held == 7


def test_no_value_is_taken_out_that_does_not_lead_there(imported):
    imported({"far": FAR, "lived": f"from far import From\n{ONCE}"})
    assert sys.modules["lived"].ALL[0].e == 4
    made = changed("lived", "return k\n", "return k + 1\n")
    assert applying.planned(made, loaded()).reckoned.found == {}


TRACES = {
    "a start": ("S = {}\ndef start():\n    S.setdefault('a', 1)\ndef f():\n    return S['a']\n", "1", "2", ":2: start may have changed S before, and no call of f"),
    "a name": ("S = None\ndef start():\n    global S\n    S = [1]\ndef f():\n    return S\n", "[1]", "[2]", ":2: start may have changed S"),
    "a helper of one": ("S = {}\ndef one():\n    return 1\ndef start():\n    S['a'] = one()\ndef f():\n    return S['a']\n", "1", "2", ":4: start may have changed S before by what one comes to"),
    "an object": ("class A:\n    n = 0\n    def set(self):\n        self.n = 1\nONE = A()\ndef f():\n    return ONE.n\n", "self.n = 1", "self.n = 2", ":3: A.set may have changed .n"),
    "what the entry calls": ("S = {}\ndef put():\n    S['a'] = 1\ndef f():\n    put()\n    return S['a']\n", "= 1", "= 2", ""),
    "what both call": ("S = {}\ndef one():\n    return 1\ndef start():\n    S['a'] = one()\ndef f():\n    return S['a'], one()\n", "1", "2", ":4: start may have changed S before by what one comes to"),
    "the entry": ("S = {}\ndef f():\n    S['a'] = 1\n    return S\n", "= 1", "= 2", ""),
    "of other state": ("S = {}\nT = {}\ndef put():\n    S['a'] = 1\ndef f():\n    return T\n", "= 1", "= 2", ""),
    "a dispatcher": ("S = {}\ndef put():\n    S['a'] = 1\ndef f(name='put'):\n    globals()[name]()\n    return S\n", "= 1", "= 2", ""),
    "of an entry that calls by a text": ("S = {}\ndef one():\n    return 1\ndef start():\n    S['a'] = one()\nclass O:\n    def m(self):\n        return 2\ndef f(by='m'):\n    return S['a'] * getattr(O(), by)()\n", "return 1", "return 2", ":4: start may have changed S before by what one"),
    "of an entry that calls an argument": ("S = {}\ndef one():\n    return 1\ndef start():\n    S['a'] = one()\ndef f(by=abs):\n    return S['a'] * by(1)\n", "return 1", "return 2", ":4: start may have changed S"),
    "of an entry that calls out of a table": ("S = {}\nT = {'abs': abs}\ndef one():\n    return 1\ndef start():\n    S['a'] = one()\ndef f():\n    return S['a'] * T['abs'](1)\n", "return 1", "return 2", ":5: start may have changed S"),
    "another name of a module": ("import sys\ndef one():\n    return 1\ndef start():\n    sys.zz = one()\ndef f(by=abs):\n    return sys.maxsize * by(1)\n", "return 1", "return 2", ""),
    "what writes nothing": ("S = {}\ndef other():\n    return S['a'] + 1\ndef f():\n    return S\n", "+ 1", "+ 2", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "said"), TRACES.values(), ids=TRACES)
def test_what_a_function_beside_the_entry_may_have_left_is_said(imported, text, old, new, said):
    imported({"lived": text})
    made = changed("lived", old, new)
    if not said:
        assert applying.planned(made, loaded(), ("lived", "f")).works
        return
    with pytest.raises(RefusedError) as raised:
        applying.planned(made, loaded(), ("lived", "f"))
    assert said in raised.value.message
