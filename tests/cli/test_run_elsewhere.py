"""`leadline run` says where no agent will start: the program's Python has no leadline."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.cli.run import _interpreter, _without_agent
from live import LEADLINE

BASE = str(Path(sys._base_executable).absolute())


@pytest.fixture(autouse=True)
def base(monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert Path(BASE).parent != Path(sys.executable).parent, "the tests run in an environment"


def test_a_python_that_has_no_leadline_is_named_and_the_program_starts(tmp_path):
    environ = {name: one for name, one in os.environ.items() if name != "LEADLINE_KEY"}
    said = subprocess.run(
        [LEADLINE, "run", "--service", "s", "--", BASE, "-c", "print('started')"],
        env=environ | {"HOME": str(tmp_path)}, capture_output=True, text=True, check=True,
        timeout=20,
    )  # fmt: skip
    assert said.stdout == "started\n"
    assert f"no agent starts in this program: {BASE} has no leadline." in said.stderr


def test_a_script_is_run_by_what_its_first_line_names(tmp_path):
    script = tmp_path / "serve"
    script.write_text(f"#!{BASE} -u\nprint(1)\n")
    script.chmod(0o755)
    assert _interpreter(str(script)) == BASE
    assert _without_agent([str(script)]) == BASE
    script.write_text("#!/usr/bin/env python3\n")
    assert Path(_interpreter(str(script))).name == "python3"


@pytest.mark.parametrize("program", [sys.executable, "/bin/sh", "/nosuch/python", "nosuch", ""])
def test_of_what_is_no_other_python_nothing_is_said(program):
    assert _without_agent([program]) == ""
