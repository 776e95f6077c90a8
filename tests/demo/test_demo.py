"""`make demo` as somebody without a terminal runs it: it plays, and leaves nothing behind."""

import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from leadline.demo.__main__ import FIXES
from leadline.demo.probes import (
    FIRST_PROBES,
    NEXT_COMMANDS,
    TWIN_COMMANDS,
    VERIFY_COMMANDS,
)
from live import LEADLINE, Program
from waiting import wait_for

VERDICTS = {"good": "fixed", "swallow": "not fixed", "unrelated": "not exercised"}
"""Of the demo's candidates. What shows that the fourth is wrong may not be among few calls."""


@pytest.fixture
def scratch(tmp_path, home, monkeypatch) -> Path:
    """Where the demo's folder will be, so that what is left of it can be seen."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def living(word: str) -> list[int]:
    """Return the processes whose command line mentions `word`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it has ended meanwhile
            if word in line:
                found.append(int(entry.name))
    return found


def playing(scratch: Path, command: list[str] | None = None) -> Program:
    program = Program(command or [LEADLINE, "demo"], scratch)
    program.wait_for("Live hits")
    return program


def shown_in(text: str, part: str) -> int:
    return len(re.findall(rf"^\d\d:.*{re.escape(part)}", text, re.MULTILINE))


@pytest.mark.parametrize("ignored", [False, True], ids=["", "SIGINT ignored"])
def test_it_plays_and_ends_with_ctrl_c(scratch, ignored) -> None:
    command = ["/bin/sh", "-c", f"trap '' INT; exec {shlex.quote(LEADLINE)} demo"]
    with playing(scratch, command if ignored else None) as demo:
        (folder,) = scratch.glob("leadline-demo-*")
        shop = re.search(r"shop answers at (\S+),", demo.out).group(1)  # type: ignore[union-attr]
        assert living(str(folder))
        if not ignored:
            for probe in FIRST_PROBES:
                wait_for(lambda part=probe.shows: shown_in(demo.out, part), 60)
            for words in NEXT_COMMANDS:
                assert f"leadline {words}" in demo.out
                subprocess.run([LEADLINE, *shlex.split(words)], check=True, timeout=60)
            for words in TWIN_COMMANDS:
                assert f"leadline {words}" in demo.out
                asked = [LEADLINE, *shlex.split(words)]
                subprocess.run(asked, check=True, timeout=60, stdin=subprocess.DEVNULL)
            for words in VERIFY_COMMANDS:
                assert f"leadline {words.format(FIXES)}" in demo.out
            calls = scratch.parent / "calls.jsonl"
            capture = [LEADLINE, "capture", "shop", "shop.pricing:quote"]
            capture += ["--fails", "raises ZeroDivisionError"]
            capture += ["-n", "96", "--for", "45s", "-o", calls]  # or what came by then
            subprocess.run(capture, check=True, timeout=90)
            for name, verdict in VERDICTS.items():
                diff = FIXES / f"{name}.diff"
                expect = ["--expect", 'result["total"] > 0']
                # of the good quotes one in five comes by the lines that are changed
                most = ["--least", "5"] if verdict == "fixed" else ["-n", "24"]
                verify = [LEADLINE, "verify", "--captured", calls, *expect, "--patch", diff]
                verify += most
                done = subprocess.run(
                    verify, capture_output=True, text=True, timeout=90, check=False
                )
                assert done.stdout.startswith(f"{verdict}: "), done.stdout + done.stderr
            wait_for(lambda: "paid by <redacted name:token>" in demo.out, 60)
        demo.process.send_signal(signal.SIGINT)
        assert demo.end() == 0
        assert "Traceback" not in demo.out + demo.err
    assert list(scratch.iterdir()) == []
    assert living(str(folder)) == living(shop) == []


def test_it_ends_by_itself(scratch) -> None:
    with Program([LEADLINE, "demo", "--seconds", "1"], scratch) as demo:
        assert demo.end() == 0
    assert list(scratch.iterdir()) == []


def test_its_parts_end_even_when_it_is_killed(scratch) -> None:
    with playing(scratch) as demo:
        (folder,) = scratch.glob("leadline-demo-*")
        shop = re.search(r"shop answers at (\S+),", demo.out).group(1)  # type: ignore[union-attr]
        demo.process.send_signal(signal.SIGKILL)
        demo.end()
        wait_for(lambda: not living(str(folder)) and not living(shop))


def test_a_part_that_dies_is_said(scratch) -> None:
    with playing(scratch) as demo:
        (folder,) = scratch.glob("leadline-demo-*")
        shop = re.search(r"shop answers at (\S+),", demo.out).group(1)  # type: ignore[union-attr]
        (traffic,) = living(f"leadline.demo.traffic --url {shop}")
        os.kill(traffic, signal.SIGKILL)
        assert demo.end() == 70
        assert "the traffic has ended by itself" in demo.out
    assert list(scratch.iterdir()) == []
    assert not living(str(folder))
