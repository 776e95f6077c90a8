"""The one door between the application's thread and our code: nothing of ours gets out.

Every function of ours that the interpreter or the application calls goes through `guarded`. A
failure of ours is swallowed, counted by its place and shown in the instance's status. What is
*not* ours passes: when a signal handler of the application (Ctrl-C, a worker's timeout) happens
to run while our code does, the exception that it raises is the application's and must arrive.
"""

import _thread
import threading
from collections.abc import Callable
from functools import wraps
from types import TracebackType

MAX_TEXT = 300
"""Characters kept of a failure's text: enough to name it, too few to carry somebody's data."""

_OUR_MODULES = ("leadline.", "json.", "ctypes", "dataclasses", "enum")
"""Where a failure that is ours can come from: us, and the library code that we call."""


class Faults:
    """Counts our own failures by place; the first text of each place is kept."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.first: dict[str, str] = {}

    def count(self, place: str, error: BaseException) -> None:
        """Record one failure. Never raises."""
        self.counts[place] = self.counts.get(place, 0) + 1
        if place not in self.first:
            try:
                text = f"{type(error).__name__}: {error}"[:MAX_TEXT]
            except BaseException:  # noqa: BLE001 - an error whose text fails is still counted
                text = "an error without a text"
            self.first[place] = text

    def clear(self) -> None:
        """Forget everything: a forked child starts from zero."""
        self.counts.clear()
        self.first.clear()


faults = Faults()
"""Of this process. Tests fail when it is not empty at their end."""


def foreign(error: BaseException) -> bool:
    """Tell whether `error` was raised into our code by a signal handler of the application.

    Handlers run in the main thread only. Python's own handler for SIGINT is written in C and
    leaves no frame, so there a `KeyboardInterrupt`, which our code never raises, is foreign.
    """
    if _thread.get_ident() != threading.main_thread().ident:
        return False
    if type(error) is KeyboardInterrupt:
        return True
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__")
        if type(module) is not str or not module.startswith(_OUR_MODULES):
            return True
        traceback = traceback.tb_next
    return False


def guarded[**P, R](place: str, otherwise: R) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Wrap an entry so that a failure of ours returns `otherwise` and is counted."""

    def decorate(entry: Callable[P, R]) -> Callable[P, R]:
        @wraps(entry)
        def enter(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return entry(*args, **kwargs)
            except BaseException as error:
                if foreign(error):
                    raise
                faults.count(place, error)
                return otherwise

        return enter

    return decorate
