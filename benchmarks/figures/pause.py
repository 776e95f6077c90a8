"""The longest that one call took: with a hostile value, a full buffer, a server that is dead.

Of a peer that was seen to stop the application for good, whether it still does is tried in a
process of its own.
"""

import json
import subprocess
import sys

from benchmarks.figures import Tell, Values, spread
from benchmarks.figures.calls import Worker, present
from benchmarks.subjects import SUBJECTS

HANG_S = 20.0
HANG_FRAMES = 40
"""An ordinary web stack."""
FOR_EVER = -1.0
"""Stands for a pause that did not end."""
_CONTROL = "control"


def measure(tell: Tell, *, quick: bool) -> tuple[Values, dict[str, dict[str, list[float]]]]:
    """Return the worst of each subject in milliseconds, and what each case took."""
    worst: dict[str, list[float]] = {}
    cases: dict[str, dict[str, list[float]]] = {}
    for _ in range(1 if quick else 3):
        for subject in SUBJECTS:
            tell(f"pauses of {subject}")
            worker = Worker(subject)
            try:
                if not present(subject, worker.about):
                    continue
                answer = worker.ask(pauses=True)
            finally:
                worker.close()
            for case, times in answer.items():
                cases.setdefault(subject, {}).setdefault(case, []).append(times["most"] / 1e6)
            longest = [times["most"] for case, times in answer.items() if case != _CONTROL]
            if longest:
                worst.setdefault(subject, []).append(max(longest) / 1e6)
    if not quick:
        tell("whether ddtrace's full buffer stops the application")
        if _hangs():
            worst["ddtrace"] = [FOR_EVER]
    told = {
        subject: {case: spread(times) for case, times in found.items()}
        for subject, found in cases.items()
    }
    return {subject: spread(times) for subject, times in worst.items()}, told


def _hangs() -> bool:
    words = ["-m", "benchmarks.subjects.datadog_hang", str(HANG_FRAMES), str(HANG_S)]
    try:
        done = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, timeout=90, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return bool(done.stdout) and bool(json.loads(done.stdout.splitlines()[-1])["hung"])
