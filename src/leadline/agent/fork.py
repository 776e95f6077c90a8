"""What a fork must not notice: CPython's warning about threads that only we have started.

`os.fork` in a process with more than one thread warns (a DeprecationWarning, an error under
`-W error`). A service that has no threads of its own would meet it only because of ours, so
then, and only then, that one warning is filtered out for the time of the fork. 3.12 warns
before the parent's hooks and 3.13 after them, which is why the filter is taken away by the
sender a moment later. `warnings` is not told of the change on purpose: it would forget which
warnings it has shown once already.
"""

import os
import re
import warnings

from leadline.agent.link import native

_TASKS = "/proc/self/task"


class ForkWarning:
    """Filters the warning when all threads but one are ours."""

    def __init__(self) -> None:
        self._filter = (
            "ignore",
            re.compile(r"This process \(pid=\d+\) is multi-threaded, use of fork"),
            DeprecationWarning,
            None,
            0,
        )

    def hide(self) -> None:
        """Called before a fork, on the forking thread."""
        self.show()
        if _threads_of_the_application() > 1:
            return
        warnings.filters.insert(0, self._filter)  # type: ignore[attr-defined]

    def show(self) -> None:
        """Take the filter away again, wherever `warnings.catch_warnings` has moved it."""
        if self._filter in warnings.filters:
            warnings.filters.remove(self._filter)  # type: ignore[attr-defined]


def _threads_of_the_application() -> int:
    try:
        return len(os.listdir(_TASKS)) - native.threads_alive
    except OSError:
        return 2  # elsewhere CPython counts only threads of `threading`: ours are not there
