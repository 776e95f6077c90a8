"""T6: arming and disarming under threads, generators and asyncio; no result is wrong.

Two minutes of it are in `make soak`."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "arming_stress.py"


@pytest.mark.soak
def test_two_seconds_of_arming_change_no_result() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", PROGRAM, "2"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("armed ")
