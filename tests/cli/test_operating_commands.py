"""Switches, keys, the audit log: what people do to a server that runs."""

import json
import os
import stat
import subprocess
import sys

import pytest

from live import LEADLINE, Program
from waiting import wait_for

pytestmark = pytest.mark.soak


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LEADLINE, *words], env=os.environ | environ, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_off_takes_probes_out_and_on_brings_them_back(leadline, shop):
    placed = leadline.log("shop", "shop.py:9", "x")
    shown = leadline.cli("off", "shop", "--reason", "incident 7", "--wait", "20s")
    assert "service shop is off since" in shown
    assert "by user: incident 7" in shown
    assert leadline.connected("shop")[0]["armed"] == 0
    refused = run("log", "shop", "shop.py:9", "x")
    assert refused.returncode == 77
    assert leadline.cli("on") == shown  # everything was not off; this service still is
    assert leadline.cli("on", "shop") == "nothing is switched off\n"
    wait_for(lambda: leadline.probe(placed["id"])["status"] == "armed", 20)


def test_the_audit_log_names_what_was_done(leadline):
    placed = leadline.log("shop", "shop.py:9", "x={x}")
    leadline.cli("rm", placed["id"])
    shown = leadline.cli("audit")
    assert "place" in shown
    assert "shop.py:9" in shown
    actions = [entry["action"] for entry in leadline.json("audit", "-n", "1")["entries"]]
    assert len(actions) == 1
    assert "older ones: leadline audit --before" in leadline.cli("audit", "-n", "1")


def test_a_rotated_user_key_is_where_commands_find_it(leadline):
    before = (leadline.home / "config/leadline/keys.json").read_text()
    shown = run("keys", "rotate")
    assert shown.returncode == 0, shown.stderr
    after = (leadline.home / "config/leadline/keys.json").read_text()
    old, new = (json.loads(text)["user"] for text in (before, after))
    assert old != new
    assert new not in shown.stdout + shown.stderr
    assert run("status").returncode == 0
    assert run("status", LEADLINE_KEY=old).returncode == 77


def test_a_key_for_a_person(leadline, tmp_path):
    lost = run("keys", "add", "ada")
    assert lost.returncode == 64
    assert "key-goes-nowhere" in lost.stderr
    file = tmp_path / "ada.key"
    made = run("keys", "add", "ada", "--to", str(file))
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = file.read_text().strip()
    assert key not in made.stdout
    assert run("log", "shop", "shop.py:9", "x", LEADLINE_KEY=key).returncode == 0
    assert "ada" in leadline.cli("keys", "list")
    assert "  ada  " in leadline.cli("audit")
    assert run("keys", "revoke", "ada").returncode == 0
    assert run("status", LEADLINE_KEY=key).returncode == 77
    assert run("keys", "add", "eve", "--to", str(file)).returncode == 64
    assert "eve" not in leadline.cli("keys", "list")


def test_a_key_is_printed_only_when_asked_for(leadline):
    shown = run("keys", "rotate", "--service", "shop", "--json")
    assert "key" not in json.loads(shown.stdout)
    shown = run("keys", "rotate", "--service", "shop", "--show", "--json")
    assert json.loads(shown.stdout)["key"].startswith("lla_")


def test_a_key_from_the_environment_is_not_rotated_into_nowhere(leadline):
    text = (leadline.home / "config/leadline/keys.json").read_text()
    key = json.loads(text)["user"]
    done = run("keys", "rotate", LEADLINE_KEY=key)
    assert done.returncode == 64
    assert run("status", LEADLINE_KEY=key).returncode == 0


def test_options_that_belong_to_another_word_are_refused(leadline):
    for words in (("list", "ada"), ("add",), ("list", "--agents"), ("revoke", "--grace", "1m")):
        assert run("keys", *words).returncode == 64, words


def test_a_pipe_in_place_of_the_key_file_keeps_nobody_waiting(leadline):
    leadline.close()
    file = leadline.home / "config/leadline/keys.json"
    file.unlink()
    os.mkfifo(file, 0o600)
    done = run("status")
    assert done.returncode == 69
    assert "bad-key-file" in done.stderr


def test_the_description_of_all_addresses(leadline):
    described = json.loads(leadline.cli("openapi"))
    assert described["openapi"].startswith("3.1")
    assert "/v1/probes" in described["paths"]


def test_what_is_stored_is_deleted_only_when_that_is_said(leadline, shop):
    probe = leadline.log("shop", "shop.py:9", "x", "--hits", "5")["id"]
    leadline.wait_hits(probe, 5)
    asked = run("purge", "shop")
    assert (asked.returncode, asked.stdout) == (1, "would delete: 5 hits; say --yes to do it\n")
    assert run("purge", "--before", "1d", "--yes").stdout.startswith("deleted: 0 hits")
    assert len(leadline.hits(probe)) == 5
    assert run("purge", "shop", "--yes").stdout.startswith("deleted: 5 hits")
    assert leadline.hits(probe) == []
    assert run("purge", "--what", "audit", "--yes").returncode == 64
    assert "purge" in leadline.cli("audit")


def test_status_shows_what_an_instance_was_started_with(leadline, shop, monkeypatch, tmp_path):
    monkeypatch.setenv("LEADLINE_TAGS", "zone=eu")
    command = [LEADLINE, "run", "--service", "eu", "--", sys.executable, "shop.py"]
    with Program(command, tmp_path):
        wait_for(lambda: leadline.connected("eu"), 20)
        shown = leadline.cli("status", "eu")
    assert shown.splitlines()[3].split()[:3] == ["PID", "ID", "HOST"]
    assert "TAGS" in shown
    assert "zone=eu" in shown
    assert "TAGS" not in leadline.cli("status", "shop")
    leadline.cli("off", "shop", "--reason", "incident 7")
    assert "service shop is off" in leadline.cli("status", "shop")
