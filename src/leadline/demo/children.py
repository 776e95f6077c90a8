"""The processes of the demo: started in order, ended in reverse, none left behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

STOP_S = 5.0
_LOOK_S = 0.05
_PR_SET_PDEATHSIG = 1
_LAST_WORDS_CHARS = 2_000


class Stopped(BaseException):
    """Somebody wants the demo to end."""


class StartError(RuntimeError):
    """A part of the demo did not start."""


class Child:
    """One process. What it prints goes to a file, and the terminal's Ctrl-C not to it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environ: dict[str, str],
        *,
        cwd: Path | None,
        shown: bool,
    ) -> None:
        self.name = name
        self.lasting = True
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._process = subprocess.Popen(
            command,
            env=environ,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=None if shown else self._output,
            stderr=None if shown else subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - this process has one thread only
        )

    def ready(self, line: str, seconds: float) -> str:
        """Wait for a line of output that begins with `line`; return the rest of it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for text in self._text().splitlines():
                if text.startswith(line):
                    return text.removeprefix(line).strip()
            if self.ended():
                break
            time.sleep(_LOOK_S)
        raise StartError(f"the {self.name} did not start:\n{self.last_words()}")

    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process.poll() is not None

    def wait(self) -> int:
        """Wait for its end; returns its exit status."""
        return self._process.wait()

    def last_words(self) -> str:
        """Return the end of what it printed."""
        return self._text()[-_LAST_WORDS_CHARS:]

    def stop(self) -> None:
        """End it, and whatever it has started; the hard way after `STOP_S`."""
        if not self.ended():
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):  # the next line is the answer
                self._process.wait(STOP_S)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._output.close()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def _text(self) -> str:
        return os.pread(self._output.fileno(), 1_000_000, 0).decode("utf-8", "replace")


class Children:
    """All of them; leaving the `with` ends them, last started first."""

    def __init__(self) -> None:
        self._all: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for child in reversed(self._all):
            child.stop()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environ: dict[str, str],
        *,
        cwd: Path | None = None,
        shown: bool = False,
    ) -> Child:
        """Start a process that belongs to the demo."""
        child = Child(name, command, environ, cwd=cwd, shown=shown)
        self._all.append(child)
        return child

    def run(self, command: Sequence[str], environ: dict[str, str]) -> int:
        """Run a command to its end, its output shown; returns its exit status."""
        child = self.start(command[-1], command, environ, shown=True)
        child.lasting = False
        return child.wait()

    def ended(self) -> list[Child]:
        """Return those that should still be running and are not."""
        return [child for child in self._all if child.lasting and child.ended()]


def _die_with(parent: int) -> Callable[[], None]:
    """Have the kernel end the child when we are killed, where the kernel can (Linux)."""

    def prepare() -> None:
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        except (OSError, AttributeError):
            return
        if os.getppid() != parent:
            os._exit(1)

    return prepare
