"""`leadline capture`, from the running service to the file, and the file read again."""

import json
import os
import signal
import subprocess
import time
from types import SimpleNamespace

import pytest

from leadline.cli.capture import Capture
from leadline.cli.held_back import held_back
from leadline.wire.capture_file import read_capture_file
from leadline.wire.errors import UsageError
from leadline.wire.probe import CaptureProbe
from leadline.wire.target import parse_place
from live import LEADLINE, Leadline, Program, tool
from waiting import wait_for

APP = """\
import os, time

def quote(amount, people, note=None):
    return {"each": amount / people, "note": note}

def refuse(n):
    raise LookupError("password=hunter22")

def sign_in(name, password):
    return name

print("ready", flush=True)
step = 0
while not os.path.exists("stop"):
    step += 1
    sign_in("ann", "hunter22")
    try:
        quote(step, 0 if step % 10 == 0 else step % 3 + 1, ["tea"] * (step % 2))
    except ZeroDivisionError:
        pass
    time.sleep(0.005)
"""
ENTRY = "app:quote"


@pytest.fixture
def app(leadline: Leadline):
    (leadline.cwd / "app.py").write_text(APP, "utf-8")
    command = [LEADLINE, "run", "--service", "shop", "--", tool("python"), "app.py"]
    with Program(command, leadline.cwd) as program:
        program.wait_for("ready")
        wait_for(lambda: leadline.connected("shop"))
        yield program


def test_calls_come_into_a_file_that_can_be_read(leadline, app) -> None:
    fails = "raises ZeroDivisionError or result['each'] > 1e9"
    said = leadline.json(
        "capture", "shop", ENTRY, "-n", "20", "--fails", fails, "-o", "calls.jsonl",
        "--for", "30s", "--rate", "100",
    )  # fmt: skip
    assert said["schema_version"] == 1
    assert (said["calls"], said["repeatable"], said["unknown"]) == (20, 20, 0)
    assert said["failing"] >= 5
    assert said["probe"]["fails"] == fails
    file = leadline.cwd / "calls.jsonl"
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open(encoding="utf-8") as lines:
        found = read_capture_file(lines)
    assert (found.header.service, found.header.entry) == ("shop", ENTRY)
    assert found.header.fails == fails
    assert found.header.home is not None
    assert found.header.home.file == str(leadline.cwd / "app.py")
    assert found.header.python == found.header.home.python
    assert len(found.calls) == 20
    for call in found.calls:
        assert call.kept is not None
        assert call.returned is not call.fails
        assert set(call.arguments) == {"amount", "people", "note"}
    probe = leadline.probe(said["probe"]["id"])
    assert probe["ended_at"] is not None
    assert leadline.connected("shop")[0]["faults"] == {}


def test_calls_are_hits_like_others(leadline, app) -> None:
    out = leadline.cli("capture", "shop", ENTRY, "-n", "3", "--for", "30s", "--any-source")
    lines = out.splitlines()
    assert "app.py:4  quote(…) " in lines[0]
    assert ", kept " in lines[0]
    assert "3 calls, " in lines[-1]
    probe = leadline.json("probes")["probes"][-1]
    hits = leadline.hits(probe["id"])
    assert [bool(hit["call"]) for hit in hits] == [True] * 3
    full = leadline.cli("hits", "--probe", probe["id"], "--full")
    assert "arguments at its beginning" in full
    assert "amount" in full
    assert "called by" in full or "app:<module>" in full


def test_what_is_no_file_is_written_into_and_a_link_stays_one(leadline, app) -> None:
    (leadline.cwd / "link").symlink_to("calls.jsonl")
    os.mkfifo(leadline.cwd / "pipe")
    read = os.open(leadline.cwd / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    for name in ("link", "pipe"):
        leadline.cli("capture", "shop", ENTRY, "-n", "1", "--for", "30s", "-o", name)
    assert os.read(read, 20).startswith(b'{"leadline":"capture')
    os.close(read)
    assert (leadline.cwd / "pipe").is_fifo()
    assert (leadline.cwd / "link").is_symlink()
    with (leadline.cwd / "calls.jsonl").open(encoding="utf-8") as lines:
        assert len(read_capture_file(lines).calls) == 1


def test_ctrl_c_is_held_back_until_it_is_known_what_to_take_out() -> None:
    with held_back() as pressed:
        signal.raise_signal(signal.SIGINT)
        assert pressed == [signal.SIGINT]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


class Pressed:
    """A client at whose first request Ctrl-C is pressed, when it has been taken."""

    def __init__(self):
        self.asked = []

    def post(self, path, body):
        signal.raise_signal(signal.SIGINT)
        return {"probe": {"id": "p1", "ended_at": None}}

    def get(self, path, **query):
        return {"probe": {"id": "p1", "ended_at": None, "reason": "", "instances": []}}

    def delete(self, path):
        self.asked.append(path)


def test_ctrl_c_while_a_probe_is_placed_takes_it_out() -> None:
    probe = CaptureProbe(id="", target=parse_place(ENTRY))
    client = Pressed()
    with pytest.raises(KeyboardInterrupt):
        Capture(client, "shop", probe, SimpleNamespace(instance="", wait=1.0))
    assert client.asked == ["/v1/probes/p1"]


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held_back() as pressed:
            signal.raise_signal(signal.SIGINT)
        assert pressed == []
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_at_any_moment_leaves_no_probe(leadline, app) -> None:
    command = [LEADLINE, "capture", "shop", ENTRY, "-n", "10000", "-o", "calls.jsonl"]
    for wait_s in (0.05, 0.2, 0.25, 0.3, 0.35, 0.4):
        with Program(command, leadline.cwd) as capture:
            time.sleep(wait_s)
            capture.process.send_signal(signal.SIGINT)
            capture.end()
    assert [one for one in leadline.json("probes")["probes"] if one["ended_at"] is None] == []


def test_ctrl_c_keeps_what_came(leadline, app) -> None:
    command = [LEADLINE, "capture", "shop", ENTRY, "-n", "10000", "-o", "calls.jsonl"]
    with Program(command, leadline.cwd) as capture:
        capture.wait_for(" of 10000 calls")
        wait_for(lambda: leadline.ask("/v1/hits")["hits"])
        capture.wait_for("0 calls")
        capture.process.send_signal(signal.SIGINT)
        assert capture.end() == 0
    with (leadline.cwd / "calls.jsonl").open(encoding="utf-8") as lines:
        assert read_capture_file(lines).calls
    assert [one for one in leadline.json("probes")["probes"] if one["ended_at"] is None] == []


def test_what_was_left_out_and_who_is_gone_is_said(leadline, app) -> None:
    words = ["capture", "shop", "app:sign_in", "-n", "100", "--for", "4s", "--rate", "100"]
    with Program([LEADLINE, *words], leadline.cwd) as capture:
        wait_for(lambda: " of 100 calls" in capture.err)
        app.stop()
        capture.wait_for("no instance is connected")
        assert capture.end() == 0
        assert "of these lack what was withheld" in capture.out


def test_a_function_that_is_not_called_says_so(leadline, app) -> None:
    done = subprocess.run(
        [LEADLINE, "capture", "shop", "app:refuse", "--for", "2s"],
        cwd=leadline.cwd, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "its function was not called" in done.stderr


def test_mistakes_are_shown_before_a_server_is_asked(harbour) -> None:
    for words, wanted in (
        (("app.py:3",), "not a line"),
        ((ENTRY, "-n", "0"), "hits must be from 1"),
        ((ENTRY, "-o", "nowhere/calls"), "capture-file-unwritable"),
    ):
        said = harbour.cli("capture", "shop", *words, status=None)
        assert wanted in said, said


def test_a_predicate_that_cannot_be_read_is_pointed_at(harbour) -> None:
    said = harbour.cli(
        "capture", "shop", ENTRY, "--fails", "raises KeyError or open('x')", status=None
    )
    assert "raises KeyError or open('x')" in said
    assert "^^^^" in said


HEADER = {"leadline": "capture", "schema_version": 1, "service": "s", "entry": "m:f"}
CALL = {"entry": "m:f", "kind": "function", "returned": True}


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ([], "empty"),
        (["{"], "Line 1 is not JSON"),
        ([json.dumps(CALL)], "does not say that it is one"),
        ([json.dumps(HEADER | {"schema_version": 2})], "of version 2"),
        ([json.dumps({**HEADER, "service": 3})], "`service` of Line 1"),
        ([json.dumps(HEADER), '{"entry": "m:f", "kind"'], "Line 2 is not JSON.*cut off"),
        ([json.dumps(HEADER), "[]\n"], "Line 2 is not an object"),
        ([json.dumps(HEADER), "[" * 100_000], "Line 2"),
        ([json.dumps(HEADER), json.dumps(CALL | {"kind": "macro"})], "unknown kind"),
        ([json.dumps(HEADER), json.dumps(CALL | {"size": True})], "`size` of Line 2"),
        ([json.dumps(HEADER), json.dumps(CALL | {"callers": [1]})], "list of texts"),
        ([json.dumps(HEADER), json.dumps({"returned": True})], "no `entry`"),
        ([json.dumps(HEADER), json.dumps(CALL | {"home": {}})], "no `python`"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(lines, wanted) -> None:
    with pytest.raises(UsageError, match=wanted) as raised:
        read_capture_file(lines)
    assert raised.value.slug == "bad-capture-file"


def test_a_file_may_have_more_than_is_read() -> None:
    lines = [json.dumps(HEADER | {"new": 1}), json.dumps(CALL | {"time": 1.0}), "\n"]
    found = read_capture_file(lines)
    assert [call.entry for call in found.calls] == ["m:f"]
