"""Calls exported as tests: they fail on the old code, pass on the fix, and need no Leadline."""

import os
import shutil
import subprocess
import sys

from benchmarks.verify.calling import home

from leadline.verify.exporting import export_tests
from verify.shop import FIXES, SHOP, candidate_of, verified

EXPECT = 'result["total"] > 0'


def run(folder, code):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        capture_output=True, text=True, cwd=code, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(code)},
    )  # fmt: skip
    return done.stdout


def patched(tmp_path, fix):
    code = tmp_path / fix
    shutil.copytree(SHOP / "shop", code / "shop")
    subprocess.run(
        ["git", "apply", str(FIXES / f"{fix}.diff")],
        cwd=code, check=True, env={**os.environ, "GIT_DIR": "/nowhere"},
    )  # fmt: skip
    return code


def test_they_fail_before_and_pass_after(quotes, tmp_path):
    found = verified(quotes, candidate_of("plausible"), home(SHOP), EXPECT)
    folder = tmp_path / "exported"
    exported = export_tests(
        str(folder), "shop.pricing:quote", found.compared, "raises ZeroDivisionError", EXPECT
    )
    assert not exported.left_out
    text = (folder / exported.files[0]).read_text()
    assert "leadline" not in text.replace("captured by Leadline", "")
    assert "2 failed, 5 passed" in run(folder, SHOP)
    assert "5 failed, 2 passed" in run(folder, patched(tmp_path, "plausible"))
