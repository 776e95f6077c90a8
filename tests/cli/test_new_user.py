"""What somebody stumbles over who uses Leadline for the first time."""

import os
import subprocess
import sys

import pytest

from live import LEADLINE, Program
from waiting import wait_for

FORKING = """\
import os
import time

if os.fork() == 0:
    import worker
    worker.work()
while True:
    time.sleep(0.05)
"""
WORKER = """\
import time


def work():
    while True:
        time.sleep(0.02)
"""


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LEADLINE, *words], env=os.environ | environ, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def forked(leadline, tmp_path):
    """A main process that imports nothing of what its worker runs."""
    (tmp_path / "main.py").write_text(FORKING)
    (tmp_path / "worker.py").write_text(WORKER)
    command = [LEADLINE, "run", "--service", "forked", "--", sys.executable, "main.py"]
    with Program(command, tmp_path) as program:
        wait_for(lambda: len(leadline.connected("forked")) == 2, 20)
        yield program


def test_the_source_of_a_file_that_only_a_worker_has_loaded(leadline, forked):
    wait_for(lambda: run("source", "forked", "worker.py").returncode == 0, 20)
    found = leadline.json("source", "forked", "worker.py")
    assert found["instance"]["pid"] != forked.process.pid
    assert leadline.cli("source", f"forked/{found['instance']['pid']}", "worker.py")
    alone = run("source", f"forked/{forked.process.pid}", "worker.py")
    assert alone.returncode == 64, alone.stderr
    nowhere = run("source", "forked", "nowhere.py")
    assert nowhere.returncode == 64
    assert "2 processes of forked were asked" in nowhere.stderr
    assert "forked/PID" in nowhere.stderr


def test_an_inventory_says_that_there_are_others(leadline, forked):
    shown = run("inventory", "forked")
    assert shown.returncode == 0
    assert "1 more of forked: name one as forked/PID" in shown.stderr
    assert run("inventory", f"forked/{forked.process.pid}").stderr == ""


@pytest.mark.parametrize("option", ["", "--json"])
def test_sums_that_cannot_be_printed_are_one_sentence(leadline, shop, option):
    leadline.cli("count", "shop", "shop.py:9")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [LEADLINE, "tail", "shop", *filter(None, [option])], stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 69
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.stderr.endswith(
        "leadline: the output cannot be written: No space left on device\n"
    )


def test_a_reader_of_sums_who_has_seen_enough_ends_it(leadline, shop):
    leadline.cli("count", "shop", "shop.py:9")
    with subprocess.Popen(
        [LEADLINE, "tail", "shop"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watching:
        try:
            assert "shop.py:9" in watching.stdout.readline()
            watching.stdout.close()
            assert watching.wait(30) == 0
            assert "Traceback" not in watching.stderr.read()
        finally:
            watching.kill()
