"""The control: a process in which nobody looks."""

from collections.abc import Callable

from benchmarks.subjects import Case


class Subject:
    """See `benchmarks.subjects.Subject`."""

    version = ""
    turns = 1

    def cases(self) -> dict[str, Callable[[], Case]]:
        return {}

    def between(self) -> None:
        return

    def pauses(self) -> dict[str, list[int]]:
        return {}
