"""Modules that come later: armed before their first line, and nobody notices."""

import importlib
import importlib.abc
import importlib.util
import sys
import traceback

import pytest

from leadline.agent.locate import imports
from leadline.wire.probe import Status


def _events(soundings) -> list[int]:
    tool = soundings.monitor.tool
    return [sys.monitoring.get_local_events(tool, code) for code in imports._ENTRIES]


def test_a_module_is_armed_before_its_first_line(soundings, make_module) -> None:
    make_module("fresh", "level = 1\ndef work(x):\n    return x\nlevel = work(2)\n", load=False)
    soundings.log("fresh.py:1", "first line")
    soundings.log("fresh.py:3", "x={x}")
    fresh = importlib.import_module("fresh")
    assert fresh.level == 2
    assert soundings.messages() == ["first line", "x=2"]


def test_a_module_from_a_compiled_file_is_armed_too(soundings, make_module) -> None:
    make_module("cached", "def work(x):\n    return x\n")
    del sys.modules["cached"]
    soundings.log("cached.py:2", "x={x}")
    importlib.import_module("cached").work(3)
    assert soundings.messages() == ["x=3"]


def test_a_loader_that_makes_its_own_code(soundings, tmp_path, make_module) -> None:
    """As pytest's assertion rewriting does: the module is walked when it is complete."""
    path = tmp_path / "special.py"
    source = "def work(x):\n    return x\n"
    path.write_text(source, "utf-8")

    class Loader(importlib.abc.Loader):
        def create_module(self, spec):
            return None

        def exec_module(self, module):
            exec(compile(source, str(path), "exec"), module.__dict__)

    class Finder(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path_list, target=None):
            if name != "special":
                return None
            return importlib.util.spec_from_file_location(name, path, loader=Loader())

    finder = Finder()
    sys.meta_path.insert(0, finder)
    try:
        soundings.log(f"{path}:2", "x={x}")
        importlib.import_module("special").work(4)
    finally:
        sys.meta_path.remove(finder)
        sys.modules.pop("special", None)
    assert soundings.messages() == ["x=4"]


def test_imports_are_watched_only_while_there_are_probes(soundings, make_module) -> None:
    assert _events(soundings) == [0, 0, 0]
    make_module("awaited", "def work():\n    return 1\n", load=False)
    probe = soundings.log("awaited.py:2")
    assert all(_events(soundings))
    importlib.import_module("awaited")
    assert soundings.state(probe).status is Status.ARMED
    soundings.registry.remove([probe])
    assert _events(soundings) == [0, 0, 0]


def test_a_module_that_is_loaded_once_more_is_armed_again(soundings, make_module) -> None:
    """By `reload`, or as `app` besides `__main__`: the old code and the new both hit."""
    module = make_module("twice", "def work(x):\n    return x\n")
    soundings.log("twice.py:2", "x={x}")
    first = module.work
    importlib.reload(module)
    first(1)
    module.work(2)
    assert soundings.messages() == ["x=1", "x=2"]


def test_modules_are_walked_only_for_probes_on_their_file(
    soundings, make_module, monkeypatch
) -> None:
    """A hundred probes that wait must not slow every import down."""
    walked = []
    monkeypatch.setattr(
        "leadline.agent.probes.arming.code_of_module",
        lambda module, file, **_: walked.append(file.suffix) or [],
    )
    for number in range(100):
        soundings.log(f"not/there/yet{number}.py:1")
    make_module("plain", "x = 1\n")
    assert walked == []


def test_the_application_sees_no_trace_of_the_watch(soundings, make_module) -> None:
    """S2: same import machinery, same traceback."""

    def failing_import() -> tuple[list[str], list[object]]:
        sys.modules.pop("broken", None)
        with pytest.raises(ZeroDivisionError) as caught:
            importlib.import_module("broken")
        frames = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
        return frames, list(sys.meta_path)

    make_module("broken", "1 / 0\n", load=False)
    before = failing_import()
    soundings.log("not/there/yet.py:1")
    assert failing_import() == before


def test_news_that_come_while_the_lock_is_held_are_taken_later(soundings, make_module) -> None:
    make_module("busy", "def work(x):\n    return x\n", load=False)
    soundings.log("busy.py:2", "x={x}")
    with soundings.registry._lock:
        busy = importlib.import_module("busy")
        busy.work(1)
    assert soundings.messages() == []
    soundings.tick()
    busy.work(2)
    assert soundings.messages() == ["x=2"]
