"""What all tests share: no failure of ours stays hidden, and what cannot run here is said."""

import gc
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from leadline.agent.guard import faults
from leadline.native import SETTING
from live import Leadline

if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # tests under `nohup`, likewise
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # tests in the background of a shell:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # their programs would inherit it

settings.register_profile(
    "leadline",
    deadline=None,  # a busy machine is no failure
    max_examples=int(os.environ.get("TEST_EXAMPLES", "25")),  # of laws: see docs/soak.md
)
settings.load_profile("leadline")


_DEMO = Path(__file__).parent / "demo"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Read the tests quickly, since each process of `-n` reads all of them: what they compile
    to is kept, whatever the environment says of other code, and there is no garbage yet."""
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        _out_of_sight()
        sys.dont_write_bytecode = kept


def _out_of_sight() -> None:
    """Leave what there is now out of every look for garbage, and at all objects: six thousand
    tests are half a million objects, which made a third of them take twice their time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def only_objects_of_this_file() -> Iterator[None]:
    """What the files before it have left is out of sight as well."""
    yield
    _out_of_sight()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the tests come file by file, the one first whose tests wait for the demo, then the
    largest, so that none is left over at the end (`--no-loadscope-reorder`)."""
    many = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.parent != _DEMO, -many[item.path]))


@pytest.fixture(autouse=True)
def signals_as_they_were() -> Iterator[None]:
    """Fail the test that leaves signals blocked or ignored: programs that are started after it
    would inherit that."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getsignal(signal.SIGINT)
    yield
    after = signal.pthread_sigmask(signal.SIG_SETMASK, before[0])
    handler = signal.getsignal(signal.SIGINT)
    assert (set(after), handler) == (set(before[0]), before[1]), "signals are left otherwise"


@pytest.fixture(autouse=True)
def nothing_swallowed() -> Iterator[None]:
    """Fail every test in which the agent swallowed an error that the test does not expect.

    A test that does expect one reads `faults` and clears it.
    """
    faults.clear()
    yield
    first = dict(faults.first)
    faults.clear()
    assert not first, f"the agent swallowed: {first}"


_MISSING = " is not installed on this machine"


@pytest.fixture(scope="session")
def needs() -> Callable[[str], str]:
    """Return the path of a program, or note that this test could not run on this machine."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"{program}{_MISSING}")
        return path

    return find


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for keys, database and state; no Leadline variable set but the one that
    says which core this run is of."""
    for name in [name for name in os.environ if name.startswith("LEADLINE_")]:
        if name != SETTING:
            monkeypatch.delenv(name)
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name.lower()))
    return tmp_path / "home"


@pytest.fixture
def leadline(home: Path, tmp_path: Path) -> Iterator[Leadline]:
    """A running server of the test's own."""
    made = Leadline(home, tmp_path).up()
    yield made
    made.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line each what was missing; the gate fails on such a line.

    It is read from the reports, since the tests may have run in other processes.
    """
    reasons = [str(one.longrepr) for one in terminalreporter.stats.get("skipped", [])]
    missing = {
        reason.split(_MISSING)[0].split()[-1] for reason in reasons if _MISSING in reason
    }
    for what in sorted(missing):
        terminalreporter.write_line(f"not run here: {what} (not installed)")
