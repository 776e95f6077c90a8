"""Runs the `console` blocks of a page as a reader would: in one shell, in order.

- A block with a file's name behind its language (```python shop.py) is written to that file.
- `$ command` is run in bash; the lines under it are what it prints, stdout and stderr together.
  `...` stands for any part of a line, and a line of `...` for any number of lines.
- A command that shows no output may print anything, and has to succeed; one that fails is
  followed by `$ echo $?`, or by the message that it fails with.
- `$ command &` goes on until the page ends; the output shown under it is waited for.
- `leadline status`, `probes` and `hits` are asked again until they show what the page shows;
  so is `leadline run --probe`, which shows more lines where a busy machine needs more seconds.
- `make` is not run. `leadline up` takes a free port, which is shown as 7357; times of day,
  process ids and the width of columns may differ.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pages

DEADLINE_S = 60.0
"""For one command; each takes less than a second, and a machine under load may not."""
ASKED_AGAIN = ("leadline status", "leadline probes", "leadline hits", "leadline run --probe")
_BIN = Path(sys.executable).parent
_SAME = (
    (re.compile(r"\d\d:\d\d:\d\d\.\d{3}"), "<time>"),
    (re.compile(r"(?<=\w)/\d+(?=  )"), "/<pid>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"[ \t]+"), " "),
)
"""What differs from run to run, and is no news; used in this order on both sides."""


@dataclass(frozen=True)
class Step:
    """One command and what is shown under it."""

    command: str
    shown: tuple[str, ...]
    line: int

    @property
    def background(self) -> bool:
        return self.command.endswith(" &")


def steps(block: pages.Block) -> Iterator[Step]:
    """Yield the commands of a console block."""
    command, shown, began, open_ended = "", list[str](), 0, False
    for number, line in enumerate(block.lines, block.line + 1):
        if open_ended:
            command += "\n" + line
        elif line.startswith("$ "):
            if command:
                yield Step(command, tuple(shown), began)
            command, shown, began = line[2:], [], number
        else:
            assert command, f"line {number}: output before the first command"
            shown.append(line)
            continue
        open_ended = command.endswith("\\")
    if command:
        yield Step(command, tuple(shown), began)


def same(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether what was printed is what is shown."""
    if not shown:
        return not printed
    if shown[0].strip() == "...":
        return any(same(shown[1:], printed[start:]) for start in range(len(printed) + 1))
    return bool(printed) and _fits(shown[0], printed[0]) and same(shown[1:], printed[1:])


def _fits(shown: str, printed: str) -> bool:
    parts = _plain(shown).split("...")
    return re.fullmatch(".*".join(map(re.escape, parts)), _plain(printed)) is not None


def _plain(line: str) -> str:
    for changing, name in _SAME:
        line = changing.sub(name, line)
    return line.strip()


class Shell:
    """One bash in a folder and a home of its own; everything in it ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self._logs = folder / "logs"
        home, programs = folder / "home", folder / "bin"
        for made in (self.folder, self._logs, home, programs):
            made.mkdir()
        wrapper = programs / "leadline"
        wrapper.write_text(
            '#!/bin/sh\n[ "$1" != up ] || set -- "$@" --port 0\n'
            f'exec {shlex.quote(str(_BIN / "leadline"))} "$@"\n'
        )
        wrapper.chmod(0o755)
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LEADLINE_", "XDG_", "PYTEST_", "COV_"))
        }
        environ |= {"HOME": str(home), "PATH": f"{programs}:{_BIN}:{environ['PATH']}"}
        environ |= {"PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8"}
        environ |= {
            "LEADLINE_TWIN_LOAD": "1000",
            "LEADLINE_TWIN_PAUSE": "10000",
            "LEADLINE_BUDGET": "30",
        }  # tests run beside each other
        self._commands = 0
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=environ,
            start_new_session=True,
            text=True,
        )

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._bash.pid, number)
            except ProcessLookupError:
                break
            time.sleep(0.3)
        self._bash.wait()
        self._bash.stdin.close()

    def run(self, step: Step) -> None:
        """Run one command; raises AssertionError when it does not do what is shown."""
        words = step.command.split()
        if words[0] == "make":
            return
        deadline = time.monotonic() + DEADLINE_S
        again = step.command.startswith(ASKED_AGAIN) and step.shown
        log = self._start(step)
        while True:
            ended, printed = self._look(log)
            good = same(step.shown, printed) if step.shown else True
            if good and (step.background or ended is not None):
                break
            assert time.monotonic() < deadline, self._complaint(step, printed, "in time")
            if ended is not None and not step.background:
                assert again, self._complaint(step, printed, f"(status {ended})")
                log = self._start(step)
            time.sleep(0.05)
        failed = ended not in (None, 0) and not step.shown
        assert not failed, self._complaint(step, printed, f"(status {ended})")

    def _start(self, step: Step) -> Path:
        self._commands += 1
        log = self._logs / str(self._commands)
        group = f'{{ {step.command.removesuffix(" &")}\n}} < /dev/null > "{log}" 2>&1'
        if step.background:
            group += " &"
        else:  # `$?` is the last command's, as in a terminal
            group = f"(exit $last)\n{group}\nlast=$?\n"
            group += f'echo $last > "{log}.draft"; mv "{log}.draft" "{log}.status"'
        self._bash.stdin.write(group + "\n")
        self._bash.stdin.flush()
        return log

    def _look(self, log: Path) -> tuple[int | None, list[str]]:
        """Return the exit status, once there is one, and the lines printed so far."""
        status = Path(f"{log}.status")
        ended = int(status.read_text()) if status.exists() else None
        return ended, log.read_text("utf-8").splitlines() if log.exists() else []

    def _complaint(self, step: Step, printed: Sequence[str], what: str) -> str:
        shown, real = "\n".join(step.shown), "\n".join(printed)
        return f"line {step.line}: $ {step.command}\nshows:\n{shown}\nprinted {what}:\n{real}"


def play(page: Path, folder: Path) -> int:
    """Run a page's blocks; returns how many commands there were."""
    count = 0
    with Shell(folder) as shell:
        for block in pages.blocks(page):
            if block.file:
                (shell.folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (shell.folder / block.file).write_text("\n".join(block.lines) + "\n")
            elif block.language == "console":
                for step in steps(block):
                    shell.run(step)
                    count += 1
    return count
