"""Which core a process runs, what it says of that, and that it needs no compiler."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

from leadline import native

ROOT = Path(__file__).parents[2]
ASK = """
import sys
{before}
from leadline import native
from leadline.agent.abilities import notes
from leadline.agent.core import Monitor, choose
from leadline.agent.probes.registry import Registry
from leadline.wire.probe import LogProbe
from leadline.wire.target import Target
def work(n):
    return n
monitor = Monitor(); monitor.open(); core = choose(monitor); registry = Registry(core, monitor)
registry.apply([LogProbe("p", Target(__file__, work.__code__.co_firstlineno + 1), "{{n}}")])
work(7)
(record,) = core.drain(10)
print(core.name, record.payload, notes(core.name, monitor.tool).get("native core", "-"))
print("leadline.native._core" in sys.modules)
"""


def _ask(tmp_path: Path, before: str = "", **environ: str) -> list[str]:
    script = tmp_path / "ask.py"
    script.write_text(ASK.format(before=before), "utf-8")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=True,
        env={name: value for name, value in os.environ.items() if name != native.SETTING}
        | environ,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_native_core_is_the_first_choice(tmp_path) -> None:
    said, loaded = _ask(tmp_path)
    if loaded == "True":
        assert said == "native b'[7]' -"
    else:
        assert said.startswith("pure b'[7]' not in use")


def test_the_setting_keeps_it_out_altogether(tmp_path) -> None:
    said, loaded = _ask(tmp_path, LEADLINE_CORE="pure")
    assert said.startswith("pure b'[7]' not in use")
    assert "LEADLINE_CORE=pure asks for" in said
    assert loaded == "False"


def test_without_it_the_pure_one_runs_and_says_why(tmp_path) -> None:
    said, _ = _ask(tmp_path, "sys.modules['leadline.native._core'] = None")
    assert said.startswith("pure b'[7]' not in use")
    assert "not built: there was no C compiler" in said


def test_without_a_compiler_the_build_succeeds_without_it(tmp_path) -> None:
    """What `pip install` does on a machine that has none."""
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build", "--build-temp", tmp_path / "temp",
         "--build-lib", tmp_path / "lib"],
        cwd=ROOT, env=os.environ | {"CC": "/nonexistent/cc"}, capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip
    assert "the native core is not built, the one in Python runs" in done.stdout
    assert "Traceback" not in done.stderr
    said, loaded = _ask(tmp_path, PYTHONPATH=str(tmp_path / "lib"))
    assert said.startswith("pure b'[7]' not in use")
    assert "not built: there was no C compiler" in said
    assert loaded == "False"


def test_its_sources_are_in_what_is_published(tmp_path) -> None:
    subprocess.run(
        [sys.executable, "setup.py", "--quiet", "egg_info", "--egg-base", tmp_path, "sdist",
         "--dist-dir", tmp_path],
        cwd=ROOT, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    (made,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(made) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    core = ROOT / "src/leadline/native/core"
    for path in core.glob("*.[ch]"):
        assert str(path.relative_to(ROOT)) in names
    assert "src/leadline/native/_core.pyi" in names
