"""Who is measured: Leadline, what people write by hand, and the other tools of its kind.

Each is a module with a `Subject`, and lives in a process of its own (`benchmarks.worker`).
What a subject cannot do it does not have; the page shows a dash there.
"""

from collections.abc import Callable
from typing import Protocol

type Case = tuple[Callable[[], object], Callable[[], object], Callable[[bool], None]]
"""A plain call, the call with the subject in it, and what puts the subject in or out."""

CASES = ("cold", "condition", "over", "counter", "log", "snapshot")
"""What can be measured as nanoseconds of a call; `idle` is a call with nothing asked for."""


class Subject(Protocol):
    """One tool in one process."""

    version: str
    turns: int
    """How often it is put in and out within a round; what takes long is done seldom."""

    def cases(self) -> dict[str, Callable[[], Case]]:
        """Return how to set up each case that it has."""

    def between(self) -> None:
        """Empty its buffers, so that nothing is measured but the call."""

    def pauses(self) -> dict[str, list[int]]:
        """Return the times of single calls in nanoseconds, by what makes them long."""


SUBJECTS = {
    "nothing": "nothing",
    "nothing, a second process": "nothing",
    "leadline": "ours",
    "leadline, pure Python": "ours",
    "logging": "by_hand",
    "prometheus_client": "prometheus",
    "OpenTelemetry": "otel",
    "ddtrace": "datadog",
    "debugpy": "debug_adapter",
}
"""The module of each, in the order of the page's columns."""
OURS = ("leadline", "leadline, pure Python")
