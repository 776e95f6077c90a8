"""What a fork must not notice: CPython's warning about threads that only we have started.

`os.fork` in a process with more than one thread warns (a DeprecationWarning, an error under
`-W error`). A service that has no threads of its own would meet it only because of ours, so
then, and only then, that one warning is filtered out for the time of the fork. 3.12 warns
before the parent's hooks, and 3.13 after all of them, the application's too: there the filter
itself hears when it has done its work, and the sender takes it away a moment later. `warnings`
is not told of the change on purpose: it would forget which warnings it has shown once already.
"""

import re
import time
import warnings
from typing import Any

from leadline.agent.link import native

GIVEN_UP_S = 10.0
"""A fork that fails does not warn. After so long nobody waits for it."""
_WARNING = re.compile(r"This process \(pid=\d+\) is multi-threaded, use of fork")


class ForkWarning:
    """Filters the warning when all threads but one are ours."""

    def __init__(self) -> None:
        self._message = _Message()
        self._filter: Any = ("ignore", self._message, DeprecationWarning, None, 0)
        self._since = 0.0

    def hide(self) -> None:
        """Called before a fork, on the forking thread."""
        self.show()
        if native.threads_of_others() > 1:
            return
        self._since = time.monotonic()
        self._message.met = False
        warnings.filters.insert(0, self._filter)  # type: ignore[attr-defined]

    def show_when_over(self) -> None:
        """Take the filter away if the warning has come; called on our threads, often."""
        if self._since and (self._message.met or time.monotonic() - self._since > GIVEN_UP_S):
            self.show()

    def show(self) -> None:
        """Take the filter away again, wherever `warnings.catch_warnings` has moved it."""
        self._since = 0.0
        if self._filter in warnings.filters:
            warnings.filters.remove(self._filter)  # type: ignore[attr-defined]


class _Message:
    """In the place of a pattern; `warnings` asks no more of one than to `match`."""

    pattern = _WARNING.pattern

    def __init__(self) -> None:
        self.met = False

    def match(self, text: str) -> object:
        found = _WARNING.match(text)
        if found is not None:
            self.met = True
        return found
