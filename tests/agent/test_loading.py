"""The larger part of the agent comes in with the first probe, and no way of coming in shows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadline import trial
from leadline.agent.loading import LIBRARY, PARTS, SEALED_PARTS, TWIN_PARTS
from live import Leadline, Program, tool
from waiting import wait_for

APP = """\
import os, sys, threading, time
class Finder:  # the application's: nothing of ours may ask it
    asked = []
    def find_spec(self, name, path=None, target=None):
        self.asked.append((name, threading.get_ident()))
        return None
mine = threading.get_ident()
import runpy
sys.meta_path.insert(0, Finder())
def work(n):
    return n
print("ready", flush=True)
while not os.path.exists("stop"):
    work(1)
    time.sleep(0.01)
print([name for name, thread in Finder.asked if thread != mine])
"""


ORDER = """\
import sys, leadline.agent.boot, leadline.agent.guest
from leadline.agent import loading
loading.import_library()
before, asked = set(sys.modules), []
class Finder:
    def find_spec(self, name, path=None, target=None):
        asked.append(name)
sys.meta_path.insert(0, Finder())
if sys.argv[1] == "load":
    loading.load()
    loading.load_capture()
    loading.load_twin()
else:
    import leadline.agent.works
    for name in [*loading.CAPTURE_PARTS, loading.native.TWIN, *loading.TWIN_PARTS]:
        __import__(name)
from leadline.agent.works import Works
from leadline.agent.core import Monitor, choose
opened = Monitor()
opened.open()
core = choose(opened)
if sys.argv[1] != "load":
    asked.clear()
print(core.name, asked, sorted(set(sys.modules) - before))
"""


def brought(core: str, how: str) -> str:
    """What a process finds and has after the parts were loaded, or imported."""
    done = subprocess.run(
        [sys.executable, "-c", ORDER, how],
        env=os.environ | {"LEADLINE_CORE": core},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("core", ["pure", "native"])
def test_the_parts_are_all_and_in_their_order(core) -> None:
    """Nothing of ours, and nothing of the library, is left to the interpreter's import."""
    loaded, imported = brought(core, "load"), brought(core, "import")
    assert loaded == imported, f"loading.PARTS or LIBRARY ({LIBRARY}) is not what is imported"
    assert " [] [" in loaded


OF_PLACES = ("predicate", "lineage", "mentions", "parts", "remade")
"""How the names begin of what runs in a fresh process, which imports it as any other does."""


def test_what_a_twin_runs_is_loaded_whole() -> None:
    """A module of the package that is in no list would be looked for inside the seal."""
    folder = Path(trial.__file__).parent
    there = {
        ".".join(("leadline.trial", *path.relative_to(folder).with_suffix("").parts))
        for path in folder.rglob("*.py")
    }
    of_places = tuple(f"leadline.trial.{name}" for name in OF_PLACES)
    there = {name for name in there if not name.startswith(of_places)}
    assert there - {"leadline.trial.__init__"} == {
        name for name in (*TWIN_PARTS, *SEALED_PARTS) if name.startswith("leadline.trial.")
    }


def test_a_process_without_probes_carries_the_link_alone() -> None:
    code = "import sys; print([one for one in sys.modules if one.startswith('leadline')])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"LEADLINE_URL": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "leadline.agent.guest" in done.stdout
    assert [name for name in PARTS if f"'{name}'" in done.stdout] == []


@pytest.fixture
def app(leadline: Leadline):
    """A service of which nothing was asked yet, with a module named as one of the library's."""
    (leadline.cwd / "app.py").write_text(APP, "utf-8")
    for name in ("keyword", "secrets", "tokenize"):
        (leadline.cwd / f"{name}.py").write_text("raise RuntimeError('not for you')\n", "utf-8")
    command = ["run", "--service", "late", "--", tool("python"), "app.py"]
    with Program([str(Path(tool("leadline"))), *command], leadline.cwd) as program:
        program.wait_for("ready")
        wait_for(lambda: leadline.connected("late"))
        yield program


def test_the_first_probe_brings_the_rest_and_asks_no_finder(leadline, app) -> None:
    probe = leadline.log("late", "app.py:11", "n={n}", "--wait", "30s")
    assert probe["status"] == "armed"
    wait_for(lambda: leadline.probe(probe["id"])["hits"] > 0)
    (instance,) = leadline.connected("late")
    assert instance["faults"] == {}
    (leadline.cwd / "stop").touch()
    assert app.end(30) == 0
    assert app.out.splitlines()[-1] == "[]"


def test_a_process_that_never_had_a_probe_says_goodbye(leadline, app) -> None:
    (leadline.cwd / "stop").touch()
    assert app.end(30) == 0
    wait_for(lambda: not leadline.connected("late"), 5)


FORKS = """\
import os, sys, threading, time
from leadline.agent import boot, loading
guest = boot._guest
def work(n):
    return n
count = int(sys.argv[1])
state = {"run": 0}
original = loading._run
def slowly(name):
    state["run"] += 1
    original(name)
    if state["run"] % 10 == 0:
        time.sleep(0.05)
loading._run = slowly
done = []
threading.Thread(target=lambda: done.append(guest.rouse())).start()
children = []
while not done:
    time.sleep(0.03)
    child = os.fork()
    if child == 0:
        loading._run = original
        works = guest.rouse()
        wanted = [one for one in loading.PARTS if one not in loading.others()]
        ok = all(name in sys.modules for name in wanted) and not loading._bare
        os._exit(0 if ok and works.registry is not None else 1)
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
print(len(codes) > 3, set(codes), len(sys.modules.keys() & set(loading.PARTS)) > 80)
"""


def test_a_fork_in_the_middle_of_loading(tmp_path) -> None:
    """The child loads what the parent had not finished, and no lock of the parent's is in
    its way."""
    (tmp_path / "forks.py").write_text(FORKS, "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "forks.py", "20"],
        cwd=tmp_path,
        env=os.environ | {"LEADLINE_URL": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "True {0} True\n", done.stderr


PATCHED = """\
import sys, leadline.agent.boot, leadline.agent.guest
from leadline.agent import loading
loading.import_library()
from gevent import monkey
monkey.patch_all()
loading.load()
loading.load_twin()
from leadline.agent.core import Monitor, choose
from leadline.agent.probes.registry import Registry
from leadline.agent.twin.nursery import Nursery
from leadline.agent.twin.terms import Terms
monitor = Monitor()
monitor.open()
nursery = Nursery(Terms(), None)
registry = Registry(choose(monitor), monitor)
locks = [registry._lock, nursery._lock, nursery._birth, nursery._ending]
print({f"{type(one).__module__}.{type(one).__name__}" for one in locks})
"""


def test_what_is_loaded_after_gevent_has_patched_has_the_interpreters_own_locks() -> None:
    """A lock of gevent's waits for a hub, and on a thread of ours there is none."""
    done = subprocess.run(
        [sys.executable, "-c", PATCHED], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "{'_thread.lock'}\n", done.stderr
