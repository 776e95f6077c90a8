"""The course of one run: which lines were reached, what was raised, and what was swallowed.

Each line is heard of once; then its event is switched off. So a run pays for each line once,
however often it passes, and nothing at all in code that is not the service's own.
"""

import os
import sys
from _sha2 import sha256  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable, Mapping
from types import CodeType
from typing import Any

from leadline.expression.layout import layout_of
from leadline.trial.failure import short
from leadline.trial.monitoring import Monitor
from leadline.trial.withheld import Withheld
from leadline.wire.errors import WireError
from leadline.wire.struct import dataclass, field

MAX_LINES = 20_000
"""Of one run; a run that reaches more has no path that could be told apart from others."""
MAX_RAISED = 200
"""Exceptions of one run that are kept, the first ones."""

_OF_C = frozenset((TypeError, ValueError, AttributeError, BufferError, SystemError))
"""What code in C raises at what it cannot use, and names its class."""
_args_of = vars(BaseException)["args"].__get__

type InScope = Callable[[str], bool]
"""Tells whether the code of a file is the service's own."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception in code of the service: its class with those it inherits from, where it was
    raised, and where a handler took it, if one did."""

    classes: tuple[str, ...]
    at: str
    handled: str = ""


@dataclass(frozen=True, slots=True)
class Coursed:
    """What is known of a run's course.

    `path` is a digest of all lines of the service's own that were reached, `lines` how many
    there were, `touched` those that were looked out for, by file. `raised` is in order.
    """

    path: str = ""
    lines: int = 0
    touched: dict[str, list[int]] = field(default_factory=dict)
    raised: list[Raised] = field(default_factory=list)


def read_coursed(value: Any) -> Coursed:
    """Read a course that came as JSON; raises `WireError`."""
    try:
        raised = [Raised(tuple(one["classes"]), one["at"], one["handled"])
                  for one in value["raised"]]  # fmt: skip
        touched = {str(file): [int(line) for line in lines]
                   for file, lines in value["touched"].items()}  # fmt: skip
        return Coursed(str(value["path"]), int(value["lines"]), touched, raised)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WireError(f"The course of a run does not follow the contract: {error}.") from None


class Course:
    """Collects the course of one run."""

    def __init__(
        self,
        in_scope: InScope,
        wanted: Mapping[str, Iterable[int]],
        functions: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """`wanted` are the lines to look out for, by absolute file, and `functions` those of
        which it is asked whether they have run, by their qualified names."""
        self._in_scope = in_scope
        self._functions = {
            os.path.realpath(file): frozenset(names)
            for file, names in (functions or {}).items()
        }
        self._ran: list[CodeType] = []
        self._started: list[CodeType] = []
        self._called: set[tuple[str, str]] = set()
        self._wanted = {
            os.path.realpath(file): frozenset(lines) for file, lines in wanted.items()
        }
        self._known: dict[str, str] = {}
        self._lines: set[tuple[str, int]] = set()
        self._raised: list[Raised] = []
        self.refused_stand_in = False
        """Whether code in C has refused what stands in for a value, whoever caught that."""
        self._open: dict[int, int] = {}
        """Where in `_raised` an exception is, by its id. We keep none alive, so another of its
        class may be taken for it."""

    def watch(self, monitor: Monitor) -> None:
        """Hear of it all from now on."""
        events = sys.monitoring.events
        monitor.also(events.LINE, self._line)
        monitor.also(events.PY_START, self._start)
        monitor.also(events.RAISE, self._raise)
        monitor.also(events.EXCEPTION_HANDLED, self._handle)

    def found(self) -> Coursed:
        """Return what was met."""
        lines = sorted(self._lines)
        touched: dict[str, list[int]] = {}
        for file, line in lines:
            if line in self._wanted.get(file, ()):
                touched.setdefault(file, []).append(line)
        path = str(sha256(repr(lines).encode("utf-8", "surrogatepass")).hexdigest())[:16]
        return Coursed(path, len(lines), touched, self._raised)

    def ran(self) -> list[CodeType]:
        """Return the code of those functions that it was asked of, as far as they have run."""
        return self._ran

    def started(self) -> list[CodeType]:
        """Return the code of all functions of the service's own that have run."""
        return self._started

    def changed(self, file: str) -> str:
        """Return the real path of a file whose lines are looked out for; nothing for others."""
        real = os.path.realpath(file) if file else ""
        return real if real in self._wanted else ""

    def called(self) -> frozenset[tuple[str, str]]:
        """Return the functions of the service that were called, by real file and qualified
        name; of inner ones the outermost."""
        return frozenset(self._called)

    def _line(self, code: CodeType, line: int) -> object:
        file = self._own(code.co_filename)
        if file and len(self._lines) < MAX_LINES:
            self._lines.add((file, line))
        return sys.monitoring.DISABLE

    def _start(self, code: CodeType, _: int) -> object:
        """Of a function that stands on one line with its `def`, no line is ever heard."""
        file = self._own(code.co_filename)
        if file:
            self._started.append(code)
            self._called.add((file, code.co_qualname.partition(".<locals>")[0]))
        if code.co_qualname in self._functions.get(file, ()):
            self._ran.append(code)
        first = code.co_firstlineno
        if all(line in (first, None) for _, _, line in code.co_lines()):
            self._line(code, first)
        return sys.monitoring.DISABLE

    def _raise(self, code: CodeType, offset: int, error: BaseException) -> object:
        if type(error) in _OF_C and not self.refused_stand_in:
            self.refused_stand_in = _names_stand_in(_args_of(error))
        if not self._own(code.co_filename) or len(self._raised) >= MAX_RAISED:
            return None
        names = tuple(name.removeprefix("builtins.") for name in layout_of(type(error)).names)
        known = self._open.get(id(error))
        if known is None or self._raised[known].classes != names[:-2]:
            self._open[id(error)] = len(self._raised)
            self._raised.append(Raised(names[:-2], _at(code, offset)))
        return None

    def _handle(self, code: CodeType, offset: int, error: BaseException) -> object:
        index = self._open.get(id(error))
        if index is not None and self._own(code.co_filename):
            known = self._raised[index]
            self._raised[index] = Raised(known.classes, known.at, _at(code, offset))
        return None

    def _own(self, file: str) -> str:
        """Return the real path of a file of the service's own; nothing for any other."""
        known = self._known.get(file)
        if known is None:
            real = os.path.realpath(file)
            own = real in self._wanted or self._in_scope(file)
            known = self._known[file] = real if own else ""
        return known


def _names_stand_in(said: tuple[object, ...]) -> bool:
    return any(type(one) is str and Withheld.__name__ in one for one in said)


def _at(code: CodeType, offset: int) -> str:
    # what begins a handler has no line of its own: it is that of what comes next
    lines = (line for _, end, line in code.co_lines() if end > offset and line)
    return f"{short(code.co_filename)}:{next(lines, code.co_firstlineno)}"
