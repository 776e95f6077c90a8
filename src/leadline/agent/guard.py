"""The one door between the application's thread and our code: nothing of ours gets out.

Every function of ours that the interpreter or the application calls goes through `guarded`. A
failure of ours is swallowed, counted by its place and shown in the instance's status. What is
*not* ours passes: an exception that strikes while our code happens to run, raised by a signal
handler of the application (Ctrl-C, a worker's timeout) or sent from another thread, is the
application's and must arrive.
"""

from collections.abc import Callable
from functools import wraps
from opcode import opmap
from types import TracebackType

MAX_TEXT = 300
"""Characters kept of a failure's text: enough to name it, too few to carry somebody's data."""

_OUR_MODULES = frozenset(("leadline", "json", "ctypes", "dataclasses", "enum", "functools"))
"""Whose frames can stand in a failure of ours: us, and the library code that we call."""
_OUR_ERRORS = frozenset(("builtins", "leadline", "json", "zlib", "ctypes", "_ctypes"))
"""Where the classes of exceptions come from that our code, or C code that it calls, raises."""
_order: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_module: Callable[[type], object] = type.__dict__["__module__"].__get__
"""Read so, a class cannot answer with code of its own."""
_RAISING = (opmap["RAISE_VARARGS"], opmap["RERAISE"])


class Faults:
    """Counts our own failures by place; the first text of each place is kept.

    The text stays here, for it may hold somebody's data. What leaves the process of a failure
    is its class and the line of ours where it happened.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.first: dict[str, str] = {}
        self._lines: dict[str, str] = {}

    def count(self, place: str, error: BaseException) -> None:
        """Record one failure. Never raises."""
        self.counts[place] = self.counts.get(place, 0) + 1
        if place not in self.first:
            try:
                text = f"{type(error).__name__}: {error}"[:MAX_TEXT]
            except BaseException:  # noqa: BLE001 - an error whose text fails is still counted
                text = "an error without a text"
            self.first[place] = text
            self._lines[place] = f"{type(error).__name__}{_line_of(error)}"

    def told(self) -> dict[str, int]:
        """Return the counts as they leave the process: `place: class at file:line`."""
        return {
            f"{place}: {self._lines.get(place, '')}": count
            for place, count in list(self.counts.items())
        }

    def clear(self) -> None:
        """Forget everything: a forked child starts from zero."""
        self.counts.clear()
        self.first.clear()
        self._lines.clear()


faults = Faults()
"""Of this process. Tests fail when it is not empty at their end."""


def foreign(error: BaseException) -> bool:
    """Tell whether `error` struck our code from outside instead of being raised by it.

    A handler written in Python leaves its frame in the traceback. One written in C, as
    Python's own for SIGINT, and an exception sent by another thread leave none: they strike
    between two instructions of ours. Then no `raise` stands where it happened, and the class
    is none that our code meets.
    """
    traceback, last = error.__traceback__, None
    while traceback is not None:
        last = traceback
        module = last.tb_frame.f_globals.get("__name__")
        if type(module) is not str or module.partition(".")[0] not in _OUR_MODULES:
            return True
        traceback = last.tb_next
    if last is None or _raised_at(last):
        return False
    ordinary = any(cls is Exception for cls in _order(type(error)))
    module = _module(type(error))
    return (
        not ordinary or type(module) is not str or module.partition(".")[0] not in _OUR_ERRORS
    )


def _raised_at(traceback: TracebackType) -> bool:
    return traceback.tb_frame.f_code.co_code[traceback.tb_lasti] in _RAISING


def _line_of(error: BaseException) -> str:
    """Return where a failure happened, as the last two parts of the path and the line."""
    traceback = error.__traceback__
    if traceback is None:
        return ""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    path = traceback.tb_frame.f_code.co_filename
    return f" at {'/'.join(path.split('/')[-2:])[:MAX_TEXT]}:{traceback.tb_lineno}"


def guarded[**P, R](place: str, otherwise: R) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Wrap an entry so that a failure of ours returns `otherwise` and is counted."""

    def decorate(entry: Callable[P, R]) -> Callable[P, R]:
        @wraps(entry)
        def enter(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return entry(*args, **kwargs)
            except BaseException as error:
                if type(error) is RecursionError:
                    return otherwise  # no room for a call, not even to count it
                if foreign(error):
                    raise
                faults.count(place, error)
                return otherwise

        return enter

    return decorate
