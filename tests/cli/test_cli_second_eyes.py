"""What a second look at the command line found."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from live import LEADLINE, Leadline, Program


def run(*words: str | bytes) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LEADLINE, *words], env=os.environ, capture_output=True, text=True,
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


def test_switching_off_a_mistyped_service_says_that_nobody_knows_it(leadline, shop):
    done = run("off", "shopp")
    try:
        assert done.returncode == 0, done.stderr
        assert "service shopp is off" in done.stdout
        assert "no process and no probe of 'shopp' is known" in done.stderr
    finally:
        leadline.cli("on", "shopp")
    assert "is known" not in run("off", "shop").stderr
    leadline.cli("on", "shop")


def test_removing_the_probes_of_a_mistyped_service_is_no_success(leadline, shop):
    assert leadline.cli("rm", "--service", "shop") == "removed: nothing\n"
    done = run("rm", "--service", "shopp")
    assert done.returncode == 69
    assert "The server knows no service 'shopp'." in done.stderr
    assert "shop" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("hits", "--text", b"\xff"),
        ("tail", "--for", "100ms", "--text", b"\xff"),
        ("source", "shop", b"\xff.py"),
        ("off", "odd", "--reason", b"\xff"),
        ("on", "odd"),
    ],
)
def test_bytes_that_are_no_text_are_no_defect(leadline, shop, words):
    done = run(*words)
    assert done.returncode in (0, 64), done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_is_told_by_its_status_where_nobody_reads_its_words(tmp_path):
    """A status of 0 or 1 would be a verdict."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [LEADLINE, "verify", "--captured", tmp_path / "no.jsonl", "--patch", tmp_path],
            stdout=subprocess.DEVNULL, stderr=writing, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert done.returncode == 64
