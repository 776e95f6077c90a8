"""Greenlets in a twin: what does not hand over to another works, the rest is stopped clearly.

gevent's hub would run everybody's greenlets, on descriptors that are closed here; SQLAlchemy's
asynchronous sessions would run the live event loop on. A greenlet that hands over to the hub
asks its `switch_out` first, and one that hands over to its parent finds another there: both
turn it back.
"""

import sys
from types import TracebackType
from typing import Any, Self

from leadline.trial.loops import StandsStill

HANDS_OVER = "it hands over to another greenlet, and those stand still in a twin"


class StandingGreenlets:
    """While it is open, the code of this greenlet reaches no other that was there before.

    `refused` tells whether something tried, whatever became of the exception.
    """

    def __init__(self) -> None:
        self.refused = False
        self._current: Any = None
        self._parent: Any = None
        self._before: Any = None

    def __enter__(self) -> Self:
        greenlet: Any = sys.modules.get("greenlet")
        if greenlet is None:
            return self
        current: Any = greenlet.getcurrent()
        self._current, self._parent = current, current.parent
        if "gevent" in sys.modules:
            self._before = vars(current).get("switch_out")
            current.switch_out = self._refuse
        if self._parent is not None:
            gate = greenlet.greenlet(self._turn_back, self._parent)
            gate.switch()  # one that has not begun counts as none
            current.parent = gate
            _gates.append(gate)
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._current is None:
            return
        if self._parent is not None:
            self._current.parent = self._parent
        if self._before is not None:
            self._current.switch_out = self._before
        else:
            vars(self._current).pop("switch_out", None)

    def _refuse(self) -> None:
        self.refused = True
        raise StandsStill(HANDS_OVER)

    def _turn_back(self) -> None:
        """Run in the place of the parent, and hand back whatever comes."""
        given = self._current.switch()
        while True:
            self.refused = True
            if hasattr(given, "close"):  # a coroutine that nobody will await
                given.close()
            given = self._current.throw(StandsStill(HANDS_OVER))


_gates: list[Any] = []
"""Kept until the twin ends: one that is let go would be unwound, and hand over."""
