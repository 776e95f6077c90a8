"""Whatever is asked of a twin, and however it ends, the live process goes on as before."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from live import LEADLINE, Leadline, Program, free_port, get, tool
from sites import TWINS
from surroundings import children, runs
from waiting import wait_for

BAY = Path(__file__).with_name("bay.py")
LINE = next(
    f"bay.py:{number}"
    for number, line in enumerate(BAY.read_text("utf-8").splitlines(), 1)
    if 'return {"total' in line
)


@dataclass
class Bay:
    """The service while it is driven: every answer is compared with what it has to be."""

    shore: Leadline
    name: str
    port: int
    program: Program
    wrong: list[object] = field(default_factory=list)
    slowest_s: float = 0.0
    answers: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self, *words: str, **environ: str) -> tuple[dict[str, Any], int]:
        """Ask once; returns what was said, and the exit status."""
        done = subprocess.run(
            [LEADLINE, "ask", self.name, LINE, *words, "--any-source", "--json"],
            cwd=self.shore.cwd, capture_output=True, text=True, timeout=90, check=False,
            env={**os.environ, **environ},
        )  # fmt: skip
        assert done.stdout, done.stderr
        return json.loads(done.stdout), done.returncode

    def twin(self, *words: str) -> dict[str, Any]:
        """Ask once; returns what became of the twin."""
        return dict(self.ask(*words)[0]["hit"]["twin"])

    def state(self) -> dict[str, Any]:
        """Return what the service says of itself."""
        return dict(json.loads(get(self.port, "/state")[2]))

    def drive(self) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            began = time.monotonic()
            try:
                status, _, body = get(self.port, f"/{number}")
            except (OSError, http.client.HTTPException) as error:
                if not self.over.is_set():
                    self.wrong.append(error)
                return
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            right = {"total": sum(range(number % 10)), "length": len(f"order {number}")}
            if status != 200 or json.loads(body) != right:
                self.wrong.append((number, status, body))
            self.answers += 1
            self.over.wait(0.02)


@contextlib.contextmanager
def bay(shore: Leadline, name: str, **more: str) -> Iterator[Bay]:
    """Start the service and drive it; at the end all of its answers have to be right."""
    port = free_port()
    command = [LEADLINE, "run", "--service", name, "--", tool("python"), BAY, str(port)]
    folder = shore.cwd / name
    folder.mkdir()
    with Program(command, folder, {**TWINS, **more}).serving(port) as program:
        made = Bay(shore, name, port, program)
        driver = threading.Thread(target=made.drive)
        driver.start()
        try:
            yield made
        finally:
            made.over.set()
            driver.join(30)
        assert made.wrong == []
        assert made.answers
        log = (folder / "bay.log").read_text("utf-8").splitlines()
        assert len(log) == len(set(log)), "a line was written twice: by a twin as well"


@pytest.fixture(scope="module")
def quay(shore: Leadline) -> Iterator[Bay]:
    with bay(shore, "quay") as made:
        made.twin("1")
        yield made


def test_values_are_told_as_trees_and_effects_are_refused(quay: Bay) -> None:
    said = quay.twin(
        "order.total", "order.discount(10) >= 0", "sorted(kept['names'])",
        "note('from a twin')", "kept.clear(); kept", "open('/etc/passwd').read()",
        "print('hello'); 1 / 0",
    )  # fmt: skip
    total, more, names, noted, cleared, passwd, divided = said["said"]
    assert type(total["value"]) is int
    assert more["value"] is True
    assert names["value"]["items"] == ["ann", "bob"]
    assert noted["raised"].startswith("OSError: [Errno 9] Bad file descriptor")
    assert noted["refused"][0]["what"] == "write"
    assert noted["refused"][0]["detail"].endswith("/bay.log")
    assert cleared["value"]["entries"] == []
    assert passwd["raised"].startswith("PermissionError"), passwd
    assert passwd["refused"][0]["what"] in ("open", "openat")
    assert "/etc/passwd" in passwd["refused"][0]["detail"]
    assert divided["printed"] == "hello\n"
    assert divided["raised"].startswith("ZeroDivisionError: division by zero")
    assert said["end"] == "done"
    assert 0 < said["pause_ms"] < 1_000
    assert quay.state()["kept"]["answer"] == 42


def test_secrets_stay_home_in_a_shell_too(quay: Bay) -> None:
    done = subprocess.run(
        [LEADLINE, "shell", "quay", LINE, "--any-source"],
        input="password = 'hunter' + '2'\nlocals\np password\npp kept['password']\np kept\n",
        cwd=quay.shore.cwd, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout
    assert done.stdout.count("name:password") >= 3, done.stdout


def test_what_is_sent_is_told_and_what_a_twin_makes_itself_works(quay: Bay) -> None:
    sent, own, pipe = quay.twin(
        "import fcntl, os\n"
        "for n in range(3, 40):\n"
        "    try:\n"
        "        if fcntl.fcntl(n, fcntl.F_GETFL) & os.O_PATH: os.write(n, b'x')\n"
        "    except OSError: pass\n",
        "import socket; a, b = socket.socketpair(); a.send(b'here'); b.recv(9)",
        "import os; r, w = os.pipe(); os.write(w, b'here'); os.read(r, 9)",
    )["said"]
    tried = {(one["what"], one["detail"]) for one in sent["refused"]}
    assert ("write", "a socket") in tried
    assert own["value"] == pipe["value"] == {"type": "bytes", "text": "here"}
    assert own["refused"] == pipe["refused"] == []


def test_secrets_stay_home(quay: Bay) -> None:
    said = quay.twin(
        "kept",
        "kept['password']",
        "password = kept['password']; password",
        "print('Authorization: Bearer ' + 'abcdefghijklmnop' * 3)",
        "len(kept['password'])",
    )
    assert said["said"][-1]["value"] == len("hunter2")
    shown = json.dumps([one["value"] for one in said["said"]])
    assert shown.count("name:password") == 3
    assert "hunter2" not in shown
    assert "abcdefghijklmnopabcdefghijklmnop" not in json.dumps(said)


@pytest.mark.parametrize(
    ("code", "end", "says"),
    [
        ("bytearray(3 << 30)", "done", "MemoryError"),
        ("[bytearray(1 << 20) for _ in range(100_000)]", "done", "MemoryError"),
        ("def f(): f()\nf()", "done", "RecursionError"),
        ("while True: pass", "cut_off", "its life"),
        ("import time; time.sleep(30)", "cut_off", "its life"),
        ("lock.acquire(); lock.acquire()", "cut_off", "its life"),
        ("import ctypes; ctypes.string_at(1)", "died", "SIGSEGV"),
        ("import os; os._exit(3)", "died", "ended with 3"),
        ("import os; os.kill(os.getppid(), 9)", "done", "PermissionError"),
        ("import os; os.killpg(0, 9)", "done", "PermissionError"),
        ("import os; os.fork()", "done", "PermissionError"),
        ("import sys; sys.exit(5)", "done", "SystemExit"),
        ("raise KeyboardInterrupt", "done", "KeyboardInterrupt"),
    ],
)
def test_a_twin_that_misbehaves(quay: Bay, code: str, end: str, says: str) -> None:
    before = quay.state()
    said = quay.twin(code, "--life", "1s" if end == "cut_off" else "6s")
    assert said["end"] == end, said
    assert says in said["reason"] + "".join(one["raised"] for one in said["said"]), said
    after = quay.state()
    assert after["pid"] == before["pid"]
    assert (after["signals"], after["waited"]) == (0, "none")


def test_a_twin_that_floods_its_channel_is_bounded_and_counted(quay: Bay) -> None:
    flood = (
        "import os, stat\n"
        "for n in range(3, 200):\n"
        "    try:\n"
        "        if stat.S_ISSOCK(os.fstat(n).st_mode):\n"
        "            for _ in range(2_000): os.write(n, b'x' * 65_536)\n"
        "    except OSError: pass\n"
    )
    before = quay.state()["kilobytes"]
    said = quay.twin(flood, "--life", "4s")
    assert said["lost"] > 1_000_000
    assert quay.state()["kilobytes"] - before < 20_000


def test_a_twin_that_is_killed_proves_nothing(quay: Bay) -> None:
    killed: list[int] = []

    def kill() -> None:
        pid = quay.state()["pid"]
        twins = wait_for(lambda: children(pid), 20, "a twin")
        os.kill(twins[0], signal.SIGKILL)
        killed.append(twins[0])

    killer = threading.Thread(target=kill)
    killer.start()
    said, status = quay.ask("import time; time.sleep(20)", "--life", "20s")
    killer.join(30)
    assert killed
    assert status == 1
    assert said["hit"]["twin"]["end"] == "died"
    wait_for(lambda: not children(quay.state()["pid"]), 5, "it is reaped")


@pytest.mark.soak
def test_the_service_goes_on_while_somebody_sits_at_the_prompt(quay: Bay) -> None:
    shell = subprocess.Popen(
        [LEADLINE, "shell", "quay", LINE, "--any-source"],
        cwd=quay.shore.cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert shell.stdin
    assert shell.stdout
    pid = quay.state()["pid"]
    (twin,) = wait_for(lambda: children(pid), 20, "a twin")
    quay.slowest_s, before = 0.0, quay.answers
    wait_for(lambda: quay.answers > before + 300, 60, "answers while it stands")
    assert runs(twin)
    assert quay.slowest_s < 2.0
    shell.communicate("order.number\n", timeout=30)
    assert shell.returncode == 0
    wait_for(lambda: not children(pid), 5, "the twin ends with its reader")


@pytest.mark.parametrize("how", ["off", "rm", "end"])
def test_a_twin_ends_with_its_order_and_with_its_process(shore: Leadline, how: str) -> None:
    with bay(shore, f"over-{how}") as made:
        pid = made.state()["pid"]
        asking = subprocess.Popen(
            [
                LEADLINE, "ask", made.name, LINE, "import time; time.sleep(30)",
                "--life", "30s", "--any-source",
            ],
            cwd=shore.cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        (twin,) = wait_for(lambda: children(pid), 20, "a twin")
        match how:
            case "off":
                shore.cli("off", made.name)
            case "rm":
                shore.cli("rm", "--service", made.name)
            case "end":
                made.over.set()
                made.program.stop(signal.SIGINT)
        wait_for(lambda: not runs(twin), 10, "the twin has ended")
        asking.terminate()
        asking.wait(20)
        shore.cli("on", made.name)


def test_an_answer_waits_for_a_server_that_was_killed(shore: Leadline) -> None:
    with bay(shore, "patient") as made:
        pid = made.state()["pid"]
        asking = subprocess.Popen(
            [LEADLINE, "ask", "patient", LINE, "import time; time.sleep(2)", "6 * 7",
             "--any-source"],
            cwd=shore.cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: children(pid), 20, "a twin")
        shore.kill()
        asking.wait(30)
        wait_for(lambda: not children(pid), 20, "the twin has ended")
        shore.up()
        (hit,) = wait_for(
            lambda: [
                one
                for one in shore.ask("/v1/hits", service="patient")["hits"]
                if one["twin"] is not None
            ],
            20,
            "its answer",
        )
        assert [one["value"] for one in hit["twin"]["said"]] == [None, 42]


@pytest.mark.soak
def test_a_hundred_twins_leave_nothing_behind(quay: Bay) -> None:
    _many(quay, 100)


@pytest.mark.soak
def test_a_thousand_twins_leave_nothing_behind(quay: Bay) -> None:
    _many(quay, 1_000)


def _many(quay: Bay, count: int) -> None:
    subprocess.run(
        [LEADLINE, "rerun", "quay", "bay:work", "-n", "5", "--rate", "100"],
        cwd=quay.shore.cwd, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    before = quay.state()
    done = subprocess.run(
        [
            LEADLINE, "rerun", "quay", "bay:work", "-n", str(count), "--rate", "100",
            "--wait", "200s", "--json",
        ],
        cwd=quay.shore.cwd, capture_output=True, text=True, timeout=220, check=False,
    )  # fmt: skip
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum("hit" in one for one in said) == count, done.stderr
    wait_for(lambda: not children(before["pid"]), 5, "all are reaped")
    time.sleep(0.6)  # our thread ends by then
    after = quay.state()
    assert abs(after["files"] - before["files"]) <= 2, (before, after)
    assert after["kilobytes"] - before["kilobytes"] < 4_000 + 4 * count, (before, after)
    assert (after["signals"], after["waited"]) == (0, "none")


def test_a_service_without_the_setting_makes_no_twin(shore: Leadline) -> None:
    with bay(shore, "closed", LEADLINE_TWIN="off"):
        done = subprocess.run(
            [LEADLINE, "ask", "closed", LINE, "order", "--any-source"],
            cwd=shore.cwd, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 77, done.stderr
        assert "LEADLINE_TWIN" in done.stderr


@pytest.mark.parametrize(
    ("policy", "code", "raises"),
    [
        ("strict", "open(__file__).read()", "PermissionError"),
        ("readonly", "len(open(__file__).read()) > 10", ""),
        ("readonly", "threading.Thread(target=print).start()", "RuntimeError"),
        ("threads", "t = threading.Thread(target=print, args=(5,)); t.start(); t.join()", ""),
    ],
)
def test_what_a_policy_allows(shore: Leadline, policy: str, code: str, raises: str) -> None:
    with bay(shore, f"{policy}-{len(code)}", LEADLINE_TWIN=policy) as made:
        said = made.twin(code)
        assert said["policy"] == policy
        assert said["said"][0]["raised"].startswith(raises), said
        assert bool(said["said"][0]["raised"]) is bool(raises), said


def test_a_service_with_a_key_runs_only_what_is_signed(shore: Leadline) -> None:
    with bay(shore, "signed", LEADLINE_TWIN_KEY="a key of its own") as made:
        key = {"LEADLINE_TWIN_KEY": "a key of its own"}
        said, status = made.ask("order.number >= 0", **key)
        assert status == 0, said
        for wrong in ({"LEADLINE_TWIN_KEY": ""}, {"LEADLINE_TWIN_KEY": "another"}):
            said, status = made.ask("order.number", **wrong)
            assert status == 77, said
            assert "twin-unsigned" in json.dumps(said)
