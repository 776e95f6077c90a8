"""The command line as scripts and accidents use it: one sentence, a status, never a key."""

import json
import os
import subprocess

import pytest

from live import LEADLINE, Program


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LEADLINE, *words], env=os.environ | environ, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("key", ["llu_very-secret\x01x", "llu_very-secret€"])
def test_a_key_is_never_shown(home, key) -> None:
    done = run("status", LEADLINE_KEY=key, LEADLINE_URL="http://127.0.0.1:1")
    assert done.returncode == 77
    assert "very-secret" not in done.stdout + done.stderr
    assert "docs/errors/bad-key.md" in done.stderr


def test_the_line_ending_of_a_key_is_no_part_of_it(leadline) -> None:
    key = leadline.cli("status") and (leadline.home / "config/leadline/keys.json").read_text()
    user = key.split('"user": "')[1].split('"')[0]
    done = run("status", LEADLINE_KEY=user + "\r\n")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("url", ["http://h:99999", "http://h:abc", "http://[::1", "foo"])
def test_an_address_that_is_none_is_one_sentence(home, url) -> None:
    done = run("status", LEADLINE_URL=url, LEADLINE_KEY="llu_x")
    assert done.returncode == 64
    assert "docs/errors/bad-url.md" in done.stderr
    assert "Traceback" not in done.stderr


def test_output_that_cannot_be_written_is_one_sentence(leadline) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [LEADLINE, "status"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
            check=False,
        )  # fmt: skip
    assert done.returncode == 69
    assert "the output cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_server_leaves_the_first_ones_address_alone(leadline, tmp_path) -> None:
    """Commands go on to find the first, also when the second has ended."""
    words = [LEADLINE, "up", "--port", "0", "--database", str(tmp_path / "other.db")]
    with Program(words, tmp_path) as second:
        second.wait_for("your other server")
        assert f":{leadline.port}\n" in leadline.cli("status")
    assert f":{leadline.port}\n" in leadline.cli("status")


def test_a_demo_whose_reader_has_gone_ends_without_a_word(home, tmp_path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"'{LEADLINE}' demo | head -n 1"], capture_output=True, text=True,
        timeout=60, check=True, env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.startswith("Starting a server")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("leadline-demo-*"))


@pytest.mark.parametrize(
    ("environ", "slug"),
    [
        ({"LEADLINE_URL": "http://h:abc", "LEADLINE_KEY": "lla_eA_x"}, "bad-url"),
        ({"LEADLINE_KEY": "lla_eA_x"}, "bad-key"),
    ],
)
def test_a_program_that_no_probe_can_reach_is_said_and_started(leadline, environ, slug) -> None:
    done = run("run", "--service", "x", "--", "echo", "started", **environ)
    assert (done.returncode, done.stdout) == (0, "started\n")
    assert f"docs/errors/{slug}.md" in done.stderr
    assert "lla_" not in done.stderr


def test_a_server_that_is_still_to_come_is_no_reason_for_a_word(leadline) -> None:
    leadline.close()
    done = run("run", "--service", "x", "--", "echo", "started")
    assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")


def test_a_program_with_a_good_key_is_started_without_a_word(leadline) -> None:
    done = run("run", "--service", "x", "--", "echo", "started")
    assert (done.returncode, done.stdout, done.stderr) == (0, "started\n", "")


@pytest.mark.parametrize("given", [True, False], ids=["in the environment", "in the key file"])
def test_the_user_key_never_enters_the_program(leadline, monkeypatch, given) -> None:
    (file,) = leadline.home.rglob("keys.json")
    user = json.loads(file.read_text("utf-8"))["user"]
    assert user.startswith("llu_")
    if given:
        monkeypatch.setenv("LEADLINE_KEY", user)
    done = run("run", "--service", "x", "--", "env")
    assert done.returncode == 0
    assert "LEADLINE_KEY=lla_" in done.stdout
    assert "llu_" not in done.stdout
