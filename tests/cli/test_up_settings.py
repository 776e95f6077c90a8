"""What `leadline up` is told by options and by variables arrives at the server."""

import contextlib
import json

import pytest

from leadline.cli.size import size
from leadline.wire.errors import LeadlineError
from live import Leadline


@pytest.fixture
def up(home, tmp_path):
    with contextlib.ExitStack() as stack:

        def start(*options):
            made = stack.enter_context(contextlib.closing(Leadline(home, tmp_path)))
            return made.up(*options)

        yield start


def limits(leadline):
    (line,) = (
        one["message"]
        for one in leadline.json("doctor", status=None)["findings"]
        if one["subject"] == "database" and one["level"] == "ok"
    )
    return line


def test_options_and_variables_say_what_is_kept(up, monkeypatch):
    monkeypatch.setenv("LEADLINE_KEEP", "3h")
    monkeypatch.setenv("LEADLINE_KEEP_SIZE", "5MB")
    monkeypatch.setenv("LEADLINE_KEEP_AUDIT", "9d")
    monkeypatch.setenv("LEADLINE_OTLP_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LEADLINE_OTLP_HEADERS", "api-key=hunter2")
    made = up("--keep", "7d")
    assert "kept for 7d" in limits(made)
    words = [word for word in made.server.process.args if isinstance(word, str)]
    assert "hunter2" not in " ".join(words)
    with open(f"/proc/{made.server.process.pid}/cmdline", "rb") as file:
        told = file.read().decode().split("\0")
    assert told[told.index("--keep") + 1] == "604800.0"
    assert told[told.index("--keep-size") + 1] == "5000000"
    assert told[told.index("--keep-audit") + 1] == "777600.0"
    assert told[told.index("--otlp") + 1] == "http://127.0.0.1:9"
    assert not any("hunter2" in word for word in told)
    findings = made.json("doctor", status=None)["findings"]
    assert any("http://127.0.0.1:9" in json.dumps(one) for one in findings)


@pytest.mark.parametrize(
    ("name", "value", "slug"),
    [
        ("LEADLINE_KEEP", "soon", "bad-duration"),
        ("LEADLINE_KEEP_SIZE", "much", "bad-size"),
        ("LEADLINE_OTLP_URL", "collector", "bad-otlp-url"),
        ("LEADLINE_OTLP_HEADERS", "hunter2", "bad-otlp-headers"),
    ],
)
def test_a_setting_that_cannot_be_read_stops_it_at_once(
    home, tmp_path, monkeypatch, name, value, slug
):
    monkeypatch.setenv("LEADLINE_OTLP_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(name, value)
    made = Leadline(home, tmp_path)
    said = made.cli("up", "--port", "0", status=None)
    assert slug in said
    assert "hunter2" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("text", "amount"),
    [("500MB", 500_000_000), ("2GB", 2 * 10**9), ("1.5kB", 1_500), ("77", 77), ("9B", 9)],
)
def test_amounts_of_storage(text, amount):
    assert size(text) == amount


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "0", "1 PB", "infGB", "nan", "1e999"])
def test_what_is_no_amount(text):
    with pytest.raises(LeadlineError) as caught:
        size(text)
    assert caught.value.slug == "bad-size"
