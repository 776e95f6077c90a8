"""`leadline doctor`: what it finds on real interpreters, keys and servers."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from leadline import native
from live import LEADLINE, tool


def doctor(*words: str, status: int, **environ: str) -> list[dict[str, str]]:
    done = subprocess.run(
        [LEADLINE, "doctor", "--json", *words], env=os.environ | environ, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return list(json.loads(done.stdout)["findings"])


def messages(findings: list[dict[str, str]], level: str) -> str:
    return "\n".join(
        f"{one['subject']}: {one['message']} {one['hint']}"
        for one in findings
        if one["level"] == level
    )


def test_an_interpreter_that_carries_the_agent(home):
    for command in ([sys.executable, "app.py"], [sys.executable, "-W", "error", "-m", "app"]):
        assert "carries the agent" in messages(doctor("--", *command, status=0), "ok")


def test_a_script_is_followed_to_its_interpreter(home):
    findings = doctor("--", tool("gunicorn"), "-w", "2", "app:app", status=0)
    assert Path(sys.executable).name in messages(findings, "ok")


def test_a_program_is_never_started(home, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(f"open({str(tmp_path / 'started')!r}, 'w')")
    doctor("--", sys.executable, str(script), status=0)
    assert not (tmp_path / "started").exists()


def test_an_interpreter_without_leadline(home, tmp_path):
    venv.create(tmp_path / "bare", symlinks=True)
    findings = doctor("--", str(tmp_path / "bare/bin/python"), "app.py", status=1)
    assert "finds no Leadline" in messages(findings, "problem")
    assert "-m pip install leadline" in messages(findings, "problem")


def test_options_that_leave_out_what_is_installed(home):
    findings = doctor("--", sys.executable, "-S", "app.py", status=1)
    assert "-S leaves out what is installed" in messages(findings, "problem")


def test_a_hook_that_is_not_run(home, tmp_path):
    """Leadline on the path without being installed there."""
    venv.create(tmp_path / "bare", symlinks=True)
    source = str(Path(__file__).parents[2] / "src")
    findings = doctor(
        "--", str(tmp_path / "bare/bin/python"), "app.py", status=1, PYTHONPATH=source
    )
    assert "does not run its start-up hook" in messages(findings, "problem")


def test_who_else_sits_at_the_monitoring_is_said(home, tmp_path):
    assert "debugger" not in messages(doctor("--", sys.executable, "app.py", status=0), "note")
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.monitoring.use_tool_id(0, 'debugger')\n"
    )
    findings = doctor("--", sys.executable, "app.py", status=0, PYTHONPATH=str(tmp_path))
    assert "debugger holds 0" in messages(findings, "note")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["no-such-program"], "there is no such program"),
        ([tool("pip"), "install"], "a tool that the agent never enters"),
        ([sys.executable, "-m", "pip", "install"], "a tool that the agent never enters"),
        (["sh", "-c", "true"], "does not say which Python it starts"),
    ],
)
def test_commands_that_it_cannot_vouch_for(home, command, said):
    findings = doctor("--", *command, status=0 if "which" in said else 1)
    assert said in messages(findings, "problem") + messages(findings, "warning")


def test_what_is_set_here_is_said(home):
    findings = doctor("--", sys.executable, "app.py", status=0, LEADLINE_OFF="1")
    assert "no agent starts" in messages(findings, "warning")


def test_no_server_and_no_keys(home):
    findings = doctor(status=1, LEADLINE_URL="http://127.0.0.1:1")
    problems = messages(findings, "problem")
    assert "keys: There is no key file" in problems
    assert "server: " in problems
    assert "bad" not in messages(findings, "ok")


def test_an_address_that_is_none(home):
    problems = messages(doctor(status=1, LEADLINE_URL="http://h:abc"), "problem")
    assert "not the address of a server" in problems


def test_a_key_that_is_an_agents(home):
    problems = messages(doctor(status=1, LEADLINE_KEY="lla_x_y"), "problem")
    assert "agent's key" in problems


def test_a_wrong_key(harbour):
    problems = messages(doctor(status=1, LEADLINE_KEY="llu_wrong"), "problem")
    assert "not one of this server's" in problems


def test_a_key_file_that_others_can_read(leadline):
    (leadline.home / "config/leadline/keys.json").chmod(0o644)
    problems = messages(doctor(status=1), "problem")
    assert "can be read or changed by other users" in problems


def test_a_server_and_a_service_that_are_well(moored):
    findings = doctor("shop", status=0)
    good = messages(findings, "ok")
    for part in (
        "takes the key",
        "database: ",
        "clock: ",
        "keys: ",
        "shop: 1 connected: Python",
    ):
        assert part in good
    assert ("native core" in messages(findings, "note")) is (native.core() is None)


def test_a_service_that_is_not_there(harbour):
    problems = messages(doctor("nosuch", status=1), "problem")
    assert "no process of this service is connected" in problems


def test_what_is_switched_off(leadline):
    leadline.cli("off", "shop", "--reason", "incident 7")
    assert "service shop is off" in messages(doctor(status=0), "warning")
    assert "incident 7" in messages(doctor(status=0), "warning")
