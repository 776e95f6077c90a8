"""The interpreter's own threads, locks and sockets, as they were before anybody patched them.

gevent replaces `threading` and `socket` so that they cooperate on one thread; an agent built on
those would run only when the application yields. The raw modules also keep us out of
`threading.enumerate()`, where the application would meet threads that it did not start, and
they cost no import: `http.client` alone brings `ssl`, which gevent must be able to patch first.
"""

import _signal  # type: ignore[import-not-found]
import _thread
import os
import sys
from collections.abc import Callable
from typing import Any

from leadline.agent.guard import faults


def original(module: str, name: str, current: Any) -> Any:
    """Return what gevent, if it came first, has put away."""
    monkey = sys.modules.get("gevent.monkey")
    saved = getattr(monkey, "saved", {}).get(module, {}) if monkey is not None else {}
    return saved.get(name, current)


_start_new_thread = original("_thread", "start_new_thread", _thread.start_new_thread)
_get_ident = original("_thread", "get_ident", _thread.get_ident)
_allocate_lock = original("_thread", "allocate_lock", _thread.allocate_lock)


def new_lock() -> Any:
    """Return a lock that holds up a thread, and no greenlet."""
    return _allocate_lock()


_TASKS = "/proc/self/task"
_starting = 0
"""Threads of ours that have been asked for and have not said who they are."""
_tasks: set[str] = set()
"""Those that have, as the kernel calls them: one is there a little longer than its Python."""
our_threads: set[int] = set()
"""Their identifiers: what is raised on them, in library code too, is not the application's."""


def start_thread(place: str, run: Callable[[], None]) -> None:
    """Run `run` on a new thread that takes no signals and whose failure is ours alone.

    It takes none from its first moment on, because it inherits what is blocked here: a signal
    that came to it, and not to the main thread, would leave the application in its `sleep`.
    """
    global _starting  # noqa: PLW0603 - a property of the process

    def main() -> None:
        global _starting  # noqa: PLW0603
        try:
            our_threads.add(_get_ident())
            _tasks.add(str(_thread.get_native_id()))
            _starting -= 1
            run()
        except BaseException as error:  # noqa: BLE001 - nobody stands above this frame
            faults.count(place, error)
        finally:
            our_threads.discard(_get_ident())

    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals())
    try:
        _starting += 1
        _start_new_thread(main, ())
    except RuntimeError:  # the machine, or a limit, has none left
        _starting -= 1
        raise
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def forget_threads() -> None:
    """In a forked child: the parent's threads did not come along."""
    global _starting  # noqa: PLW0603
    _starting = 0
    our_threads.clear()
    _tasks.clear()


def threads_of_others() -> int:
    """Return how many threads this process has that are not ours.

    Where the kernel does not list them, 2: CPython counts there only what is in `threading`,
    where ours are not.
    """
    starting, known = _starting, set(_tasks)
    try:
        there = set(os.listdir(_TASKS))
    except OSError:
        return 2
    _tasks.difference_update(known - there)
    return len(there - _tasks) - starting


class Bell:
    """Wakes one waiting thread of ours early; ringing it never waits."""

    def __init__(self) -> None:
        self._lock = _allocate_lock()
        self._lock.acquire()

    def wait(self, seconds: float) -> bool:
        """Return when rung, or after `seconds`; tells whether it was rung."""
        return bool(self._lock.acquire(timeout=seconds))

    def ring(self) -> None:
        """Wake the waiter, or let its next wait return at once."""
        try:
            self._lock.release()
        except RuntimeError:  # already rung
            return
