"""What is measured: one module a figure, each with `measure(quick, tell)`.

A figure is a dictionary from the subject to `[median, least, most]`, in the row's unit. The
rows and their goals are those of the table on the page, docs/performance.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

type Values = dict[str, list[float]]
type Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. `goal` is the most that Leadline should need, in `unit`."""

    name: str
    title: str
    unit: str
    goal: float | None
    goal_text: str


ROWS = (
    Row("idle", "the tool is in, nothing is asked for", "ratio", 1.0, "not told from 1.00 ×"),
    Row("cold", "a cold line of a hot function", "ratio", 1.0, "not told from 1.00 ×"),
    Row("condition", "condition false", "us", 0.5, "0.5 µs"),
    Row("over", "hit over its rate", "us", 0.1, "0.1 µs"),
    Row("counter", "counter", "us", 0.06, "0.06 µs"),
    Row("log", "log, two values", "us", 1.5, "1.5 µs"),
    Row("snapshot", "snapshot, depth 3, 8 frames", "us", 10.0, "10 µs"),
    Row("pause", "worst single pause", "ms", 1.0, "1 ms"),
    Row("placing", "placed to armed, 95th percentile", "ms", 50.0, "50 ms"),
    Row("command", "command to armed, 95th percentile", "ms", 100.0, "100 ms"),
    Row("start", "import and start, CPU", "ms", 40.0, "40 ms"),
    Row("memory", "import and start, memory", "MB", 4.0, "4 MB"),
)
BESIDES = ("kinds", "requests", "budget")
"""What is told below the table."""


def spread(values: list[float]) -> list[float]:
    """Return the median, the least and the most."""
    return [median(values), min(values), max(values)]
