"""Which code `module:function` means, however the function came to be."""

import importlib
import subprocess
import sys
import textwrap

import pytest

from leadline.agent.locate.home import module_file_suffixes
from leadline.wire.probe import CounterProbe, LogProbe, Status

SHAPES = """\
import functools
from dataclasses import dataclass
from typing import NamedTuple, overload


def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


def bare(function):
    def wrapper(*args):
        return function(*args)
    return wrapper


@logged
@functools.lru_cache
@bare
def decorated(x):
    return x


class Basket:
    @property
    def total(self):
        return 4

    @total.setter
    def total(self, value):
        self.value = value

    @staticmethod
    def static(x):
        return x

    @classmethod
    def made(cls, x):
        return x

    @functools.cached_property
    def kept(self):
        return 1

    class Line:
        def price(self):
            return 2


class Big(Basket):
    pass


def outer():
    def inner(x):
        return x
    return inner


double = lambda x: 2 * x


def numbers():
    yield 1
    yield 2


async def fetched():
    return 3


@dataclass
class Order:
    number: int


class Point(NamedTuple):
    x: int


if sys_is_new := True:
    def chosen():
        return "new"
else:
    def chosen():
        return "old"

renamed = functools.partial(outer)
"""


def finished(coroutine):
    with pytest.raises(StopIteration):
        coroutine.send(None)


CALLS = {
    "decorated": lambda module: module.decorated(1),
    "Basket.static": lambda module: module.Basket.static(1),
    "Basket.made": lambda module: module.Basket.made(1),
    "Basket.kept": lambda module: module.Basket().kept,
    "Basket.Line.price": lambda module: module.Basket.Line().price(),
    "Big.static": lambda module: module.Big.static(1),
    "outer.inner": lambda module: module.outer()(1),
    "outer.<locals>.inner": lambda module: module.outer()(1),
    "<lambda>": lambda module: module.double(1),
    "double": lambda module: module.double(1),
    "numbers": lambda module: next(module.numbers()),
    "fetched": lambda module: finished(module.fetched()),
    "Order.__init__": lambda module: module.Order(1),
    "Order.__eq__": lambda module: module.Order(1) == module.Order(1),
    "Point.__new__": lambda module: module.Point(1),
    "chosen": lambda module: module.chosen(),
    "renamed": lambda module: module.renamed(),
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_function_is_found_by_its_name(soundings, make_module, name) -> None:
    module = make_module("shapely", SHAPES)
    probe = soundings.place(CounterProbe, f"shapely:{name}")
    assert soundings.state(probe).status is Status.ARMED, soundings.state(probe).reason
    assert soundings.state(probe).line > 0
    CALLS[name](module)
    assert [point.count for point in soundings.points()] == [1]


@pytest.mark.parametrize("name", ["decorated", "outer.inner", "Order.__init__", "chosen"])
def test_a_function_is_found_before_its_module_is_there(soundings, make_module, name) -> None:
    make_module("comes", SHAPES, load=False)
    probe = soundings.place(CounterProbe, f"comes:{name}")
    assert soundings.state(probe).status is Status.PENDING
    assert "comes is not imported yet" in soundings.state(probe).reason
    module = importlib.import_module("comes")
    soundings.tick()
    assert soundings.state(probe).status is Status.ARMED, soundings.state(probe).reason
    CALLS[name](module)
    assert [point.count for point in soundings.points()] == [1]


def test_a_function_that_runs_during_the_import_is_met(soundings, make_module) -> None:
    make_module("early", "def work(x):\n    return x\nwork(1)\n", load=False)
    soundings.place(CounterProbe, "early:work")
    importlib.import_module("early")
    assert [point.count for point in soundings.points()] == [1]


def test_all_that_one_name_means_is_armed_and_said(soundings, make_module) -> None:
    module = make_module("pairs", SHAPES)
    probe = soundings.place(CounterProbe, "pairs:Basket.total")
    assert (
        "2 functions are called Basket.total, at lines 27, 31" in soundings.state(probe).reason
    )
    basket = module.Basket()
    basket.total = basket.total
    assert [point.count for point in soundings.points()] == [2]


def test_what_a_name_leads_to_is_said_when_it_is_called_otherwise(
    soundings, make_module
) -> None:
    make_module("others", SHAPES)
    inherited = soundings.place(CounterProbe, "others:Big.made")
    assert "Big.made is Basket.made" in soundings.state(inherited).reason
    generated = soundings.place(CounterProbe, "others:Order.__init__")
    assert soundings.state(generated).function == "Order.__init__"
    assert "generated code" in soundings.state(generated).reason


def test_several_nameless_functions_are_an_error_with_their_lines(
    soundings, make_module
) -> None:
    make_module(
        "nameless", "one = lambda: 1\ntwo = lambda: 2\nthree = (lambda: 3, lambda: 4)\n"
    )
    state = soundings.state(soundings.place(CounterProbe, "nameless:<lambda>"))
    assert state.status is Status.ERROR
    assert "at lines 1, 2" in state.reason
    assert "[ambiguous-function]" in state.reason


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("decorate", "Nearest: decorated."),
        ("Basket.totl", "Nearest: Basket.total"),
        ("outr.inner", "outer.inner"),
        ("outer.innre", "outer.inner"),
        ("uoter", "outer"),
        ("Basket", "Basket is a class. Name one of its functions: Basket.Line.price"),
    ],
)
def test_an_unknown_function_names_the_nearest(soundings, make_module, name, said) -> None:
    make_module("known", SHAPES)
    state = soundings.state(soundings.place(CounterProbe, f"known:{name}"))
    assert state.status is Status.ERROR
    assert said in state.reason
    assert "[no-such-function]" in state.reason


def test_an_unknown_module_names_the_nearest(soundings, make_module, tmp_path) -> None:
    make_module("pricing_rules", "def quote():\n    return 1\n")
    state = soundings.state(soundings.place(CounterProbe, "pricing_rule:quote"))
    assert state.status is Status.PENDING
    assert "nearest: pricing_rules" in state.reason
    (tmp_path / "shopping").mkdir()
    (tmp_path / "shopping" / "basket.py").write_text("def total():\n    return 1\n")
    state = soundings.state(soundings.place(CounterProbe, "shopping.baskets:total"))
    assert "shopping.basket" in state.reason  # importable, though nobody has imported it


def test_a_module_of_the_import_path_is_not_one_of_a_package(
    soundings, tmp_path, monkeypatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "flasky").mkdir()
    for name in ("__init__", "apple"):
        (tmp_path / "flasky" / f"{name}.py").write_text("def main():\n    return 1\n")
    importlib.import_module("flasky.apple")
    try:
        state = soundings.state(soundings.place(CounterProbe, "apple:main"))
        assert state.status is Status.PENDING
        assert "flasky.apple" in state.reason
        package = soundings.place(CounterProbe, "flasky:main")
        assert soundings.state(package).file == str(tmp_path / "flasky" / "__init__.py")
        dotted = soundings.place(CounterProbe, "flasky.apple:main")
        assert soundings.state(dotted).status is Status.ARMED
        path = soundings.place(CounterProbe, "flasky/apple.py:main")
        assert soundings.state(path).status is Status.ARMED
    finally:
        for name in ("flasky.apple", "flasky"):
            sys.modules.pop(name, None)


def test_a_package_exports_what_another_module_defines(
    soundings, tmp_path, monkeypatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "stall").mkdir()
    (tmp_path / "stall" / "__init__.py").write_text("from stall.inner import sold as sold\n")
    (tmp_path / "stall" / "inner.py").write_text("def sold():\n    return 1\n")
    module = importlib.import_module("stall")
    try:
        state = soundings.state(soundings.place(CounterProbe, "stall:sold"))
        assert state.status is Status.ARMED, state.reason
        assert state.file.endswith("inner.py")
        module.sold()
        assert [point.count for point in soundings.points()] == [1]
    finally:
        for name in ("stall.inner", "stall"):
            sys.modules.pop(name, None)


def test_the_ends_of_a_modules_path() -> None:
    assert module_file_suffixes("shop.pricing") == (
        "shop/pricing.py",
        "shop/pricing/__init__.py",
    )
    assert module_file_suffixes("shop/pricing.py") == ("shop/pricing.py",)


@pytest.mark.parametrize(
    ("words", "target"),
    [(["app.py"], "app:main"), (["-m", "app"], "app:main"), (["sub/app.py"], "app:main")],
)
def test_a_script_is_named_by_its_stem(tmp_path, words, target) -> None:
    """By path, by `runpy`, and from another folder; the file that `__main__` is."""
    source = textwrap.dedent("""\
        def main(x):
            return x
        main(4)
    """)
    (tmp_path / "sub").mkdir()
    for place in ("app.py", "sub/app.py"):
        (tmp_path / place).write_text(source)
    probe = f'log {target} "x={{x}}"'
    run = [sys.executable, "-m", "leadline", "run", "--probe", probe, "--", sys.executable]
    done = subprocess.run(
        [*run, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    if "bad-probe" in done.stderr:
        pytest.fail(done.stderr)
    assert "x=4" in done.stderr, done.stderr


def test_a_hostile_class_on_the_way_is_not_asked(soundings, make_module) -> None:
    source = """\
class Meta(type):
    def __hash__(cls):
        raise AssertionError("asked for its hash")
    def __eq__(cls, other):
        raise AssertionError("asked whether it is equal")
    def __getattribute__(cls, name):
        raise AssertionError("asked for " + name)

class Hostile(metaclass=Meta):
    def work(self):
        return 1
    def __getattr__(self, name):
        raise AssertionError("asked")

one = object.__new__(Hostile)
"""
    make_module("hostile_target", source)
    probe = soundings.place(LogProbe, "hostile_target:Hostile.work", template="here")
    assert soundings.state(probe).status is Status.ARMED, soundings.state(probe).reason
    probe = soundings.place(LogProbe, "hostile_target:one.work", template="here")
    assert soundings.state(probe).status is Status.ERROR
