"""One subject in a process of its own, asked over its standard input, a line of JSON each time.

    python -m benchmarks.worker MODULE

`{"case": "log", "windows": 40, "calls": 100, "depth": 4}` answers nanoseconds of a plain call
and those that the subject adds; `{"idle": ...}` those of a call with nothing asked for;
`{"pauses": true}` the longest, the 99.9th percentile and the number of single calls.
"""

import json
import os
import sys
from importlib import import_module
from typing import Any

from benchmarks import target
from benchmarks.subjects import Subject
from benchmarks.windows import extra_ns, window_ns


def main(module: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a tool prints is no answer
    subject: Subject = import_module(f"benchmarks.subjects.{module}").Subject()
    _say(answers, {"version": subject.version, "cases": [*subject.cases()]})
    for line in sys.stdin:
        _say(answers, _answer(subject, json.loads(line)))
    answers.flush()
    os._exit(0)  # some tools take their time


def _answer(subject: Subject, asked: dict[str, Any]) -> dict[str, Any]:
    if "idle" in asked:
        return {"ns": _idle(asked["windows"], asked["calls"])}
    if "pauses" in asked:
        return {
            name: {"most": times[-1], "high": times[int(len(times) * 0.999)], "n": len(times)}
            for name, times in subject.pauses().items()
            if times
        }
    plain, probed, switch = subject.cases()[asked["case"]]()
    found: list[tuple[float, float]] = []

    def measured() -> int:
        found.append(
            extra_ns(
                plain,
                probed,
                switch,
                subject.between,
                windows=asked["windows"],
                turns=subject.turns,
                calls=asked["calls"],
            )
        )
        return 0

    target.deeper(asked["depth"], measured)
    ((plain_ns, added_ns),) = found
    return {"plain": plain_ns, "added": added_ns}


def _idle(windows: int, calls: int) -> float:
    return min(window_ns(lambda: target.price(3, 4), calls) for _ in range(windows))


def _say(answers: Any, answer: object) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
