"""T18 and T19: code of every make, found by its line and hit as `docs/probes.md` says."""

import gc
import importlib
import linecache
import py_compile
import subprocess
import sys
import types
import zipfile

import pytest

from leadline.agent.locate.files import file_of
from leadline.agent.locate.home import code_elsewhere
from leadline.agent.locate.lines import nested
from leadline.agent.locate.modules import code_of_module, modules_of
from leadline.agent.locate.place import place
from leadline.wire.probe import CounterProbe, Status

COMPREHENSIONS = """\
def listed(xs):
    return [y * 2 for y in xs if y]

def lazy(xs):
    return sum(y * 2 for y in xs)

def pairs(xs):
    return {key: value for key, value in xs}

def deep(xs):
    return [y for x in xs for y in x]

def shadow(y, xs):
    return [y for y in xs], y

def loop(xs):
    for y in xs: print(end="")

def several(xs):
    return [
        y * 2
        for y in xs
        if y
    ]

async def later(xs):
    return [y async for y in xs]
"""


@pytest.mark.parametrize(
    ("line", "template", "call", "expected"),
    [
        (2, "xs={xs}", lambda m: m.listed([1, 2]), ["xs=[1, 2]"]),
        (2, "y={y}", lambda m: m.listed([1, 0, 2]), ["y=1", "y=0", "y=2"]),
        (5, "xs={xs}", lambda m: m.lazy([1, 2]), ["xs=[1, 2]"]),
        (5, "y={y}", lambda m: m.lazy([1, 2]), ["y=1", "y=2"]),
        (8, "{key}={value}", lambda m: m.pairs([(1, 2), (3, 4)]), ["1=2", "3=4"]),
        (11, "{x} {y}", lambda m: m.deep([[1], [2, 3]]), ["[1] 1", "[2, 3] 2", "[2, 3] 3"]),
        (14, "y={y}", lambda m: m.shadow(7, [1, 2]), ["y=7"]),
        (17, "xs={xs}", lambda m: m.loop([1, 2]), ["xs=[1, 2]"]),
        (21, "y={y}", lambda m: m.several([1, 2]), ["y=1", "y=2"]),
    ],
)
def test_a_comprehension_hits_once_or_for_each_item_that_is_asked_for(
    soundings, make_module, line, template, call, expected
) -> None:
    module = make_module("lists", COMPREHENSIONS)
    probe = soundings.log(f"lists.py:{line}", template)
    assert soundings.state(probe).status is Status.ARMED, soundings.state(probe).reason
    call(module)
    assert soundings.messages() == expected


def test_a_factory_makes_functions_of_one_code(soundings, make_module) -> None:
    module = make_module(
        "factory",
        "def make(n):\n    def work(x):\n        return x + n\n    return work\n"
        "one, two = make(1), make(2)\n",
    )
    soundings.log("factory.py:3", "{x}+{n}")
    soundings.place(CounterProbe, "factory:make.work")
    module.one(1)
    module.two(1)
    module.make(3)(1)
    assert soundings.messages() == ["1+1", "1+2", "1+3"]
    assert [point.count for point in soundings.points()] == [3]


def test_definitions_under_a_condition(soundings, make_module) -> None:
    """Before the import both are armed; the one that runs is hit."""
    make_module(
        "either",
        "import sys\nif sys.maxsize:\n    def work():\n        return 1\n"
        "else:\n    def work():\n        return 2\n",
        load=False,
    )
    probe = soundings.place(CounterProbe, "either:work")
    module = importlib.import_module("either")
    module.work()
    soundings.tick()
    assert "2 functions are called work" in soundings.state(probe).reason
    assert [point.count for point in soundings.points()] == [1]


def test_a_module_that_is_loaded_as_main_and_by_its_name(
    soundings, make_module, monkeypatch
) -> None:
    """Each has code of its own, and both are hit."""
    module = make_module("double", "def work(x):\n    return x\n")
    twin = types.ModuleType("double_twin")
    twin.__file__ = module.__file__
    with open(module.__file__, encoding="utf-8") as stream:
        exec(compile(stream.read(), module.__file__, "exec"), twin.__dict__)
    monkeypatch.setitem(sys.modules, "double_twin", twin)
    soundings.log("double.py:2", "x={x}")
    module.work(1)
    twin.work(2)
    assert soundings.messages() == ["x=1", "x=2"]


def test_old_frames_and_new_code_of_a_reloaded_module(soundings, make_module) -> None:
    module = make_module(
        "looping", "def work():\n    while True:\n        yield 1\n        x = 2\n"
    )
    soundings.log("looping.py:4", "here")
    running = module.work()
    next(running)
    importlib.reload(module)
    soundings.tick()
    fresh = module.work()
    for one in (running, fresh, fresh):
        next(one)
    assert soundings.messages() == ["here", "here"]


def test_code_that_was_executed_under_a_files_name(soundings, tmp_path, monkeypatch) -> None:
    """A plugin system's `exec`: no module's file, but a namespace that holds it."""
    path = tmp_path / "plugin.py"
    path.write_text("def work(x):\n    return x\n")
    holder = types.ModuleType("holder")
    exec(compile(path.read_text(), str(path), "exec"), holder.__dict__)
    monkeypatch.setitem(sys.modules, "holder", holder)
    probe = soundings.log(f"{path}:2", "x={x}")
    soundings.tick()
    assert soundings.state(probe).status is Status.ARMED, soundings.state(probe).reason
    holder.work(3)
    assert soundings.messages() == ["x=3"]


def test_a_notebooks_cell_has_its_text_in_linecache(soundings, monkeypatch) -> None:
    name = "/tmp/ipykernel_77/1234567.py"
    source = "def work(x):\n    y = x\n    return y\n"
    holder = types.ModuleType("holder")
    exec(compile(source, name, "exec"), holder.__dict__)
    monkeypatch.setitem(sys.modules, "holder", holder)
    lines = source.splitlines(keepends=True)
    monkeypatch.setitem(linecache.cache, name, (len(source), None, lines, name))
    probe = soundings.log("ipykernel_77/1234567.py:2", "x={x}")
    soundings.tick()
    state = soundings.state(probe)
    assert (state.status, state.source) == (Status.ARMED, "y = x"), state.reason
    assert state.anchor is not None
    holder.work(3)
    assert soundings.messages() == ["x=3"]
    named = soundings.place(CounterProbe, "holder:work")
    assert soundings.state(named).status is Status.ARMED


def test_code_without_any_file_is_found_by_its_name(monkeypatch) -> None:
    holder = types.ModuleType("holder")
    exec(compile("def work(x):\n    return x\n", "<exec>", "exec"), holder.__dict__)
    monkeypatch.setitem(sys.modules, "holder", holder)
    codes = code_elsewhere(file_of("<exec>"))
    assert [site.code for site in place(codes, 2, frozenset()).sites] == [holder.work.__code__]


def test_a_module_that_is_only_compiled(soundings, tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "sourceless.py"
    path.write_text("def work(x):\n    return x\n")
    py_compile.compile(str(path), cfile=str(tmp_path / "sourceless.pyc"))
    path.unlink()
    late = soundings.log("sourceless.py:2", "late {x}")
    module = importlib.import_module("sourceless")
    try:
        early = soundings.log("sourceless.py:2", "x={x}")
        named = soundings.place(CounterProbe, "sourceless:work")
        soundings.tick()
        for probe in (late, early, named):
            assert soundings.state(probe).status is Status.ARMED, soundings.state(probe).reason
        assert soundings.state(early).source == "(the source cannot be read)"
        module.work(1)
        assert sorted(soundings.messages()) == ["late 1", "x=1"]
    finally:
        del sys.modules["sourceless"]


def test_a_module_in_an_archive(soundings, tmp_path, monkeypatch) -> None:
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zipped/__init__.py", "")
        made.writestr("zipped/inner.py", "def work(x):\n    return x\n")
    monkeypatch.syspath_prepend(str(archive))
    late = soundings.log("zipped/inner.py:2", "late {x}")
    module = importlib.import_module("zipped.inner")
    try:
        early = soundings.log("zipped/inner.py:2", "x={x}")
        soundings.tick()
        for probe in (late, early):
            state = soundings.state(probe)
            assert (state.status, state.source) == (Status.ARMED, "return x"), state.reason
            assert state.anchor is not None
        module.work(1)
        assert sorted(soundings.messages()) == ["late 1", "x=1"]
    finally:
        for name in ("zipped.inner", "zipped"):
            del sys.modules[name]


def test_code_in_an_archive_that_is_run(tmp_path) -> None:
    archive = tmp_path / "app.pyz"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("__main__.py", "import inner\ninner.work(3)\n")
        made.writestr("inner.py", "def work(x):\n    return x\n")
    run = [sys.executable, "-m", "leadline", "run", "--probe", 'log inner.py:2 "x={x}"', "--"]
    done = subprocess.run(
        [*run, sys.executable, str(archive)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "x=3" in done.stderr, done.stderr


WALKED = """
    argparse asyncio.tasks celery.app.base email.message flask.app gunicorn.config json.decoder
    msgspec.json pytest starlette.routing
""".split()


@pytest.mark.parametrize("name", WALKED)
def test_the_walk_of_a_module_finds_what_a_walk_of_the_heap_does(name) -> None:
    """All code of the module's file that any object of the process holds."""
    module = importlib.import_module(name)
    file = file_of(module.__file__)
    walked = {
        id(code): code
        for one in modules_of(file)
        for code in code_of_module(one, file, thorough=True)
    }
    held = {
        id(code): code
        for one in gc.get_objects()
        if type(one) is types.FunctionType and file.matches(one.__code__.co_filename)
        for code in nested(one.__code__)
    }
    missed = {code.co_qualname for key, code in held.items() if key not in walked}
    assert walked or not held
    assert missed == set()
