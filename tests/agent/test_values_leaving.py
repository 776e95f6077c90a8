"""What leaves the process: scrubbed by pattern, and in a strict service no text at all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.agent import settings
from leadline.agent.capture import outlet
from leadline.agent.capture.tree import capture
from leadline.agent.locate.source import line_text
from leadline.wire.limits import CaptureLimits
from leadline.wire.redaction import redact_also, secret_name
from live import LEADLINE

CARD, JWT = "4111 1111 1111 1111", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_d"


@pytest.fixture
def strict():
    outlet.be_strict(True)
    yield
    outlet.be_strict(False)


PROGRAM = """
class Order:
    def __init__(self, card):
        self.card = card

def pay(header, order, rows, number):
    total = 12
    return total

def fails(text):
    raise ValueError(text)
"""


def test_patterns_are_withheld_from_hits_of_every_shape(soundings, make_module) -> None:
    module = make_module("leaving", PROGRAM)
    soundings.log("leaving.py:7", "{header} {order} {rows} {number} {rows['missing']}")
    module.pay(
        f"Bearer {JWT}", module.Order(CARD), {CARD: b"ghp_" + b"a1B2" * 9}, 4111111111111111
    )
    ((message, values),) = soundings.hits()
    for text in (message, json.dumps(values)):
        for secret in ("4111", "eyJ", "ghp_"):
            assert secret not in text
        for rule in ("jwt", "card", "github"):
            assert f"pattern:{rule}" in text
    assert message.startswith(
        "Bearer <redacted pattern:jwt> Order(card=<redacted pattern:card>)"
    )


def test_a_message_is_looked_at_once_more(soundings, make_module) -> None:
    module = make_module("joined", PROGRAM)
    soundings.log("joined.py:7", "{header}{rows}")
    module.pay("4111 1111", None, " 1111 1111", 0)
    ((message, _),) = soundings.hits()
    assert outlet.message(message) == "<redacted pattern:card>"


def test_the_reason_of_an_unknown_holds_no_secret() -> None:
    assert outlet.reason(f"no key '{CARD}'") == "no key '<redacted pattern:card>'"
    assert outlet.reason("") == ""


def test_a_strict_service_lets_no_text_out(soundings, make_module, strict) -> None:
    module = make_module("strictly", PROGRAM)
    probe = soundings.log("strictly.py:7", "{header} {order} {rows} {number} {rows['ada']!r}")
    other = soundings.log("strictly.py:7", "x", condition="rows[header] == 1")
    module.pay("ada", module.Order("ada"), {"ada": ["ada", 1.5, True, None]}, 7)
    module.pay("lovelace", module.Order("ada"), {}, ValueError("ada"))
    (first, _), (second, values) = soundings.hits()
    assert first == (
        "<redacted strict: str of 3> Order(card=<redacted strict: str of 3>) "
        "{<redacted strict: str of 3>: [<redacted strict: str of 3>, 1.5, True, None]} 7 "
        "[<redacted strict: str of 3>, 1.5, True, None]"
    )
    assert "ada" not in second
    assert "ValueError(<redacted strict: str of 3>)" in second
    assert "ada" not in json.dumps(list(values.values()))
    assert soundings.state(other).unknown == outlet.WITHHELD
    assert "ada" not in soundings.state(probe).unknown
    assert outlet.label("worker of ada", "thread 1") == "thread 1"


def test_a_snapshot_is_opened_as_strictly(strict) -> None:
    def value(one: object) -> object:
        return capture(one, CaptureLimits())

    taken = {
        "values": [value("ada"), value(5)],
        "exception": value(ValueError("ada")),
        "frames": [{"file": "a.py", "locals": {"name": value("ada")}}, {"omitted": "late"}],
        "context": {"user": value("ada")},
        "tasks": [{"name": "of ada", "function": "work"}],
    }
    opened = outlet.opened(json.dumps(taken).encode())
    assert "ada" not in json.dumps(opened)
    assert opened["values"][1] == 5
    assert opened["frames"][1] == {"omitted": "late"}
    assert opened["frames"][0]["locals"]["name"]["length"] == 3


def test_a_snapshot_is_scrubbed() -> None:
    taken = {
        "values": [CARD],
        "result": {"type": "dict", "entries": [["k", JWT]]},
        "frames": [{"locals": {"text": f"for {CARD}"}}],
        "context": {"request": JWT},
        "tasks": [{"name": f"pays {CARD}"}],
    }
    text = json.dumps(outlet.opened(json.dumps(taken).encode()))
    assert "4111" not in text
    assert "eyJ" not in text
    assert "for <redacted pattern:card>" in text
    assert "pays <redacted pattern:card>" in text


def test_source_lines_are_scrubbed(tmp_path: Path) -> None:
    path = tmp_path / "source.py"
    path.write_text(f"connect('amqp://ada:hunter2@mq')\nx = '{JWT}'\n", "utf-8")
    assert line_text(str(path), 1) == "connect('amqp://ada:<redacted pattern:url-password>@mq')"
    assert line_text(str(path), 2) == "x = '<redacted pattern:jwt>'"


@pytest.mark.parametrize(
    ("value", "on"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)]
)
def test_strict_is_set_by_the_environment(value, on, monkeypatch) -> None:
    monkeypatch.delenv("LEADLINE_STRICT", raising=False)
    if value is not None:
        monkeypatch.setenv("LEADLINE_STRICT", value)
    assert settings.read().strict is on


def test_a_service_adds_names_of_its_own() -> None:
    redact_also(["customer_number", " Diagnosis", ""])
    try:
        assert secret_name("primaryCustomerNumber") == "name:customer_number"
        assert secret_name("diagnosis_text") == "name:diagnosis"
        assert secret_name("customer") is None
        assert secret_name("number_of_customers") is None
        text = json.dumps(capture({"diagnosis": "flu"}, CaptureLimits()))
        assert "flu" not in text
    finally:
        redact_also([])
    assert secret_name("diagnosis") is None


SERVICE = f"""
import sys
def greet(user, card, diagnosis):
    text = "hello " + user
    return text
greet("ada", "{CARD}", "flu")
"""


@pytest.mark.parametrize("strictly", [False, True])
def test_a_program_under_run_keeps_its_secrets(strictly, tmp_path, home, monkeypatch) -> None:
    """The way without a server goes through the same outlet."""
    (tmp_path / "app.py").write_text(SERVICE, "utf-8")
    monkeypatch.setenv("LEADLINE_REDACT", "diagnosis")
    if strictly:
        monkeypatch.setenv("LEADLINE_STRICT", "1")
    probe = "log app.py:4 '{user} {card} {diagnosis} {len(user)}'"
    done = subprocess.run(
        [LEADLINE, "run", "--probe", probe, "--", sys.executable, "app.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "4111" not in done.stderr
    assert "flu" not in done.stderr
    assert "<redacted name:diagnosis> 3" in done.stderr
    if strictly:
        assert "ada" not in done.stderr
        assert "<redacted strict: str of 3>" in done.stderr
    else:
        assert "ada <redacted pattern:card> <redacted name:diagnosis> 3" in done.stderr
