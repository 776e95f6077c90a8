"""Waiting in tests: always for something, never without a deadline."""

import threading
import time
from collections.abc import Callable


def wait_for[T](happened: Callable[[], T], seconds: float = 10.0, why: str = "") -> T:
    """Return what `happened` returns once it is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        if result := happened():
            return result
        pause.wait(0.005)
    raise AssertionError(f"did not happen within {seconds} s: {why or happened}")
