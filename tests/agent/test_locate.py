"""Which code a `file:line` means, and what is said when it means none."""

import importlib
import sys

import pytest

from leadline.agent.locate.files import ends_with, nearest
from leadline.wire.probe import Status

SHAPES = '''\
import functools


def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper


@logged
def decorated(x):
    """A docstring is no statement."""
    return x


@functools.lru_cache
def cached(x):
    return x


class Registry:
    def __init__(self):
        self.callback = None

    def register(self, function):
        self.callback = function


registry = Registry()


@registry.register
def registered(x):
    return x


class Shape:
    name = "shape"

    @property
    def area(self):
        return 4

    @staticmethod
    def static(x):
        return x

    @classmethod
    def made(cls, x):
        return x

    class Inner:
        def deep(self, x):
            return x


partial = functools.partial(lambda x, y: x, 1)


def outer():
    def inner(x):

        # a comment
        return x
    return inner
'''

CALLS = {
    14: lambda module: module.decorated(1),
    19: lambda module: module.cached(1),
    35: lambda module: module.registry.callback(1),
    43: lambda module: module.Shape().area,
    47: lambda module: module.Shape.static(1),
    51: lambda module: module.Shape.made(1),
    55: lambda module: module.Shape.Inner().deep(1),
    58: lambda module: module.partial(2),
    65: lambda module: module.outer()(1),
}


@pytest.mark.parametrize("line", sorted(CALLS))
def test_code_is_found_however_it_is_wrapped(soundings, make_module, line) -> None:
    """T19, the part without exec and reload."""
    module = make_module("shapes", SHAPES)
    probe = soundings.log(f"shapes.py:{line}")
    assert soundings.state(probe).status is Status.ARMED, soundings.state(probe).reason
    CALLS[line](module)
    assert soundings.messages() == ["here"]


QUEUE = """\
class Queue:
    def __init__(self):
        self.tasks = {}

    def task(self, function):
        made = type(function.__name__, (), {"run": staticmethod(function)})()
        self.tasks[function.__name__] = [made]
        return None


queue = Queue()


@queue.task
def hidden(x):
    return x
"""


def test_a_function_that_only_a_registry_holds(soundings, make_module) -> None:
    """As task queues do: a class made for the function, an instance of it in a dictionary."""
    module = make_module("tasks", QUEUE)
    probe = soundings.log("tasks.py:16", "x={x}")
    assert soundings.state(probe).status is Status.ARMED, soundings.state(probe).reason
    module.queue.tasks["hidden"][0].run(4)
    assert soundings.messages() == ["x=4"]


def test_a_celery_task_that_is_loaded(soundings, make_module) -> None:
    module = make_module(
        "celery_tasks",
        "from celery import Celery\n"
        "app = Celery('x', broker='memory://', set_as_current=False)\n"
        "@app.task\n"
        "def add(a, b):\n"
        "    return a + b\n",
    )
    lazy = soundings.log("celery_tasks.py:5", "{a}+{b}")
    assert soundings.state(lazy).status is Status.ARMED, soundings.state(lazy).reason
    module.add.run(1, 2)
    evaluated = soundings.log("celery_tasks.py:5", "again {a}")
    assert soundings.state(evaluated).status is Status.ARMED
    module.add.run(3, 4)
    assert soundings.messages() == ["1+2", "3+4", "again 3"]


def test_the_head_of_a_function_that_is_not_imported_yet(soundings, make_module) -> None:
    """The module's own `def` statement is on that line as well, and is not what is meant."""
    make_module("headed", "x = 1\ndef work(y):\n    return y\n", load=False)
    probe = soundings.log("headed.py:2", "y={y}")
    module = importlib.import_module("headed")
    assert soundings.messages() == []
    module.work(3)
    assert soundings.messages() == ["y=3"]
    assert "head of work" in soundings.state(probe).reason


@pytest.mark.parametrize("line", [11, 12, 13])
def test_the_head_of_a_function_means_its_first_statement(soundings, make_module, line) -> None:
    module = make_module("heads", SHAPES)
    probe = soundings.log(f"heads.py:{line}", "x={x}")
    module.decorated(5)
    assert soundings.messages() == ["x=5"]
    assert soundings.state(probe).line == 14
    assert soundings.state(probe).source == "return x"
    assert "head of decorated" in soundings.state(probe).reason


def test_a_line_without_code_names_the_nearest(soundings, make_module) -> None:
    make_module("blank", SHAPES)
    probe = soundings.log("blank.py:9")
    state = soundings.state(probe)
    assert state.status is Status.ERROR
    assert "nearest lines that can be probed: 8, 14" in state.reason
    beyond = soundings.log("blank.py:4000")
    assert "the file has 66 lines" in soundings.state(beyond).reason


def test_a_file_that_is_not_imported_yet_is_waited_for(soundings, make_module) -> None:
    make_module("late", SHAPES, load=False)
    probe = soundings.log("late.py:14")
    state = soundings.state(probe)
    assert state.status is Status.PENDING
    assert "not imported yet" in state.reason


def test_an_unknown_file_names_the_nearest(soundings) -> None:
    probe = soundings.log("_pytest/registri/pythn.py:3")
    state = soundings.state(probe)
    assert state.status is Status.PENDING
    assert "_pytest/python.py" in state.reason


def test_two_files_that_fit_are_said_and_not_guessed(soundings) -> None:
    importlib.import_module("xml.dom")
    probe = soundings.log("__init__.py:3")
    state = soundings.state(probe)
    assert state.status is Status.ERROR
    assert "loaded files end with __init__.py" in state.reason


def test_a_file_of_the_working_directory_goes_before_others(
    soundings, tmp_path, monkeypatch, make_module
) -> None:
    """`app.py` of the project is meant, not the one of some package."""
    make_module("registry", "def mine():\n    return 1\n")
    monkeypatch.chdir(tmp_path)
    probe = soundings.log("registry.py:2")
    assert soundings.state(probe).file == str(tmp_path / "registry.py")


def test_a_symlinked_path_is_the_same_file(soundings, tmp_path, make_module) -> None:
    module = make_module("linked", "def work():\n    return 1\n")
    link = tmp_path / "elsewhere"
    link.symlink_to(tmp_path, target_is_directory=True)
    soundings.log(f"{link}/linked.py:2")
    module.work()
    assert soundings.messages() == ["here"]


def test_ends_with_compares_whole_components() -> None:
    assert ends_with("/srv/shop/pricing.py", "shop/pricing.py")
    assert ends_with("/srv/shop/pricing.py", "./pricing.py")
    assert not ends_with("/srv/workshop/pricing.py", "shop/pricing.py")
    assert not ends_with("/srv/shop/repricing.py", "pricing.py")


def test_nearest_prefers_the_same_name_in_a_like_folder() -> None:
    known = ["/a/shop/pricing.py", "/a/shop/prices.py", "/b/pricing.py"]
    assert nearest("ship/pricing.py", known) == ["/a/shop/pricing.py", "/b/pricing.py"]
    assert nearest("pricng.py", known)[0].endswith("pricing.py")


def test_a_module_that_lies_about_itself_does_no_harm(soundings, monkeypatch) -> None:
    class Liar:
        def __getattr__(self, name):
            raise AssertionError("asked")

    monkeypatch.setitem(sys.modules, "liar", Liar())
    probe = soundings.log("liar.py:1")
    assert soundings.state(probe).status is Status.PENDING
