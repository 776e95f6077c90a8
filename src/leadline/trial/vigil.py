"""Somebody who stays awake: where the code stands that does not come to its end.

A lock that another thread held, a connection that is closed: in a twin these are waited for
without end. Where the twin may have threads, one of them says in time where the code waits.
"""

import _thread
import sys
import time
from collections.abc import Callable
from types import FrameType

from leadline.trial.failure import is_ours, short

STILL = "after {:.1f} s it was still at {}"
_MAX_FRAMES = 1_000


def keep_vigil(after_s: float, tell: Callable[[str], None]) -> None:
    """Call `tell` on a thread of its own in `after_s` seconds, with where this one stands then.

    Does nothing where no thread can be started, and under gevent, whose threads are none.
    `tell` ends the process, or the time has come in vain.
    """
    if "gevent" in sys.modules:
        return
    watched = _thread.get_ident()

    def watch() -> None:
        time.sleep(after_s)
        frame = sys._current_frames().get(watched)  # noqa: SLF001 - there is no other way
        tell(STILL.format(after_s, _place(frame)))

    try:
        _thread.start_new_thread(watch, ())
    except RuntimeError:  # refused
        return


def _place(frame: FrameType | None) -> str:
    """Return the innermost place that is not ours."""
    for _ in range(_MAX_FRAMES):
        if frame is None:
            break
        if not is_ours(frame):
            code = frame.f_code
            return f"{short(code.co_filename)}:{frame.f_lineno} {code.co_qualname}"
        frame = frame.f_back
    return "a place unknown"
