"""Waiting in tests: always for something, never without a deadline."""

import threading
import time
from collections.abc import Callable

_FIRST_S, _LONGEST_S = 0.005, 0.03
"""Between two looks: many wait at a time, and what they wait for needs the processor too."""


def wait_for[T](happened: Callable[[], T], seconds: float = 10.0, why: str = "") -> T:
    """Return what `happened` returns once it is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    pause, length = threading.Event(), _FIRST_S
    while time.monotonic() < deadline:
        if result := happened():
            return result
        pause.wait(length)
        length = min(length * 1.3, _LONGEST_S)
    raise AssertionError(f"did not happen within {seconds} s: {why or happened}")
