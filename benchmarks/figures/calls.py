"""What a call of a probed function costs more: seven rows, measured by all subjects in turn.

Each subject is a process of its own. A round asks every one of them for every row, in an order
that changes, so that what the machine does beside meets all of them alike.
"""

import json
import os
import random
import subprocess
import sys
from contextlib import ExitStack
from statistics import mean
from typing import Any

from benchmarks.figures import Tell, Values, spread
from benchmarks.subjects import CASES, OURS, SUBJECTS

ROWS = ("idle", *CASES)
CONTROLS = ("nothing", "nothing, a second process")
"""Two processes of one program differ for good; the tools are compared with their mean."""
_CALLS = {"idle": 2_000, "cold": 2_000, "snapshot": 30, "over": 300}
_DEPTH = 4
"""Frames above the probed one, beside those of the worker: eight in all."""


class Worker:
    """A subject's process; `None` as an answer means that it ended or hung."""

    def __init__(self, subject: str) -> None:
        environ = dict(os.environ)
        if subject in OURS:
            environ["LEADLINE_CORE"] = "pure" if "pure" in subject else "native"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", SUBJECTS[subject]],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.about = self._read()

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Return the subject's answer; empty when it has died."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(asked) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return {}
        return self._read()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer


def present(subject: str, about: dict[str, Any]) -> bool:
    """Whether a subject is what it is meant to be: without a compiler there is one core, and
    a peer may not be installed."""
    if not about:
        return False
    return subject != "leadline" or "native" in about["version"]


def measure(
    rows: list[str], tell: Tell, *, quick: bool
) -> tuple[dict[str, Values], dict[str, str]]:
    """Return the figures of these rows, and the subjects' versions."""
    rounds, windows = (3, 24) if quick else (9, 60)
    seen: dict[str, dict[str, list[float]]] = {row: {} for row in rows}
    with ExitStack() as stack:
        workers = {}
        for subject in SUBJECTS:
            tell(f"starting {subject}")
            worker = Worker(subject)
            stack.callback(worker.close)
            if present(subject, worker.about):
                workers[subject] = worker
        for number in range(rounds):
            for row in rows:
                tell(f"{row}, round {number + 1} of {rounds}")
                answers = _round(row, workers, windows)
                for subject, value in answers.items():
                    seen[row].setdefault(subject, []).append(value)
        versions = {subject: worker.about["version"] for subject, worker in workers.items()}
    return {
        row: {subject: spread(values) for subject, values in found.items()}
        for row, found in seen.items()
    }, versions


def _round(row: str, workers: dict[str, Worker], windows: int) -> dict[str, float]:
    able = [
        subject
        for subject, worker in workers.items()
        if row == "idle" or row in worker.about["cases"]
    ]
    random.shuffle(able)
    calls = _CALLS.get(row, 100)
    found: dict[str, float] = {}
    for subject in able:
        if row == "idle":
            answer = workers[subject].ask(idle=True, windows=windows, calls=calls)
        else:
            answer = workers[subject].ask(case=row, windows=windows, calls=calls, depth=_DEPTH)
        if not answer:
            continue
        if row == "idle":
            found[subject] = answer["ns"]
        elif row == "cold":
            found[subject] = 1 + answer["added"] / answer["plain"]
        else:
            found[subject] = answer["added"] / 1e3
    if row == "idle":
        control = mean(found[subject] for subject in CONTROLS)
        del found[CONTROLS[0]]
        found = {subject: value / control for subject, value in found.items()}
    return found
