"""What somebody stumbles over who uses Leadline for the first time."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from live import LEADLINE, Leadline, Program
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
def leadline(harbour: Leadline) -> Leadline:
    """One server for all of these."""
    return harbour


@pytest.fixture
def shop(leadline: Leadline, moored: Program) -> Iterator[Program]:
    """One service for all of these, without probes at the beginning of each."""
    yield moored
    leadline.cli("rm", "--service", "shop", status=None)


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


@pytest.mark.soak
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


@pytest.mark.parametrize("odd", ["fifo", "endless"])
def test_a_note_of_the_server_that_is_no_file_keeps_nobody_waiting(home, tmp_path, odd):
    noted = home / "state/leadline/server.json"
    noted.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(noted) if odd == "fifo" else noted.symlink_to("/dev/zero")
    assert run("status", LEADLINE_URL="").returncode == 69
    with contextlib.closing(Leadline(home, tmp_path)) as made:
        made.up()
        assert noted.is_file()
        assert run("status").returncode == 0
        assert made.server.stop() == 0
    assert not noted.exists()


def test_a_terminal_without_the_letters_shows_escapes(leadline, shop):
    placed = leadline.json("count", "shop", "shop.py:9", "--wait", "20s")["probe"]["id"]
    assert run("series", placed, "--wait", "20s").returncode == 0
    done = run("series", placed, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "\\u258" in done.stdout
    assert "Traceback" not in done.stderr
    refused = run("log", "shop", "shop.py:9", "{a…}", PYTHONIOENCODING="ascii:strict")
    assert refused.returncode == 64
    assert "Traceback" not in refused.stderr
    assert "\\u2026" in refused.stderr


def test_hints_name_what_can_be_typed(leadline):
    refused = run("purge", "--what", "audit", "--yes")
    assert refused.returncode == 64
    assert "--before" in refused.stderr
    try:
        leadline.cli("off", "shop")
        assert "`leadline on shop`" in run("log", "shop", "shop.py:9", "x").stderr
        leadline.cli("off")
        assert "`leadline on`" in run("log", "shop", "shop.py:9", "x").stderr
    finally:
        for words in (("on",), ("on", "shop")):
            leadline.cli(*words)


@pytest.mark.parametrize("port", ["99999", "65536", "9" * 5000])
def test_a_port_that_is_none(home, port):
    refused = run("up", "--port", port)
    assert refused.returncode == 64
    assert "_port" not in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "port" in refused.stderr


def test_a_key_whose_grace_is_over_has_no_time_left(leadline):
    leadline.cli("keys", "rotate", "--grace", "500ms")
    shown = wait_for(lambda: next(
        (one for one in leadline.cli("keys", "list").splitlines() if one.endswith("over")), ""
    ), 20)  # fmt: skip
    assert shown.startswith("user")
    assert "0s more" not in leadline.cli("keys", "list")


def test_probes_says_whose_a_probe_is(leadline):
    leadline.cli("log", "shop", "shop.py:9", "x", "--owner", "ada\x1b", status=None)
    assert "; of ada\\x1b" in leadline.cli("probes")
    leadline.cli("log", "mine", "shop.py:9", "x", "--owner", "", status=None)
    assert "; of" not in leadline.cli("probes", "mine")
