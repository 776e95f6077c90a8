"""Which lines of a file a run has passed, on any of its threads: whether it met a change.

Instructions are watched and not lines, since no line event tells of a function that is all on
one line; each is seen once, and costs nothing after that.
"""

import os
import sys
from collections.abc import Mapping
from types import CodeType
from typing import Self

_SEATS = (5, 4, 3, 2, 1, 0)
_NAME = "leadline.reach"


class Reaching:
    """Watches as long as its `with` lasts; threads that were started before are not seen."""

    def __init__(self, lines: Mapping[str, frozenset[int]]) -> None:
        """`lines` are those that matter, by the file that code objects name."""
        self._lines = {os.path.realpath(file): wanted for file, wanted in lines.items()}
        self._files: dict[str, frozenset[int]] = {}
        self._codes: dict[int, tuple[CodeType, dict[int, int]]] = {}
        self._found: set[tuple[str, int]] = set()
        self._seat: int | None = None
        self.watched = False
        """Whether anybody could watch: there are six seats for tools."""

    def __enter__(self) -> Self:
        monitoring, events = sys.monitoring, sys.monitoring.events
        seat = next((one for one in _SEATS if monitoring.get_tool(one) is None), None)
        if seat is None:
            return self
        monitoring.use_tool_id(seat, _NAME)
        monitoring.register_callback(seat, events.PY_START, self._started)
        monitoring.register_callback(seat, events.PY_RESUME, self._started)
        monitoring.register_callback(seat, events.INSTRUCTION, self._passed)
        monitoring.set_events(seat, events.PY_START | events.PY_RESUME)
        self._seat, self.watched = seat, True
        return self

    def __exit__(self, *_: object) -> None:
        if self._seat is None:
            return
        monitoring, events = sys.monitoring, sys.monitoring.events
        monitoring.set_events(self._seat, 0)
        for code, _lines in self._codes.values():
            monitoring.set_local_events(self._seat, code, 0)
        for event in (events.PY_START, events.PY_RESUME, events.INSTRUCTION):
            monitoring.register_callback(self._seat, event, None)
        monitoring.free_tool_id(self._seat)
        self._seat = None

    def found(self) -> list[tuple[str, int]]:
        """Return the files and lines that were passed, in order."""
        return sorted(self._found)

    def _wanted(self, file: str) -> frozenset[int]:
        found = self._files.get(file)
        if found is None:
            found = self._lines.get(os.path.realpath(file), frozenset())
            self._files[file] = found
        return found

    def _started(self, code: CodeType, _: int) -> object:
        """Look at each code object once, and at its instructions where they matter."""
        disable: object = sys.monitoring.DISABLE
        try:
            wanted = self._wanted(code.co_filename)
            at: dict[int, int] = {}
            if wanted and id(code) not in self._codes:
                at |= {
                    offset: line
                    for start, end, line in code.co_lines()
                    if line in wanted
                    for offset in range(start, end, 2)
                }
            if at and self._seat is not None:
                self._codes[id(code)] = code, at
                sys.monitoring.set_local_events(
                    self._seat, code, sys.monitoring.events.INSTRUCTION
                )
        except BaseException:  # noqa: BLE001 - such as no stack left: the run goes on
            return disable
        return disable

    def _passed(self, code: CodeType, offset: int) -> object:
        disable: object = sys.monitoring.DISABLE
        try:
            line = self._codes[id(code)][1].get(offset)
            if line is not None:
                self._found.add((code.co_filename, line))
        except BaseException:  # noqa: BLE001 - as above
            return disable
        return disable
