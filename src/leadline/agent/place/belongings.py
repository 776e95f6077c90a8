"""What a call can have done to what belongs to its process: put something into a queue, closed
a file, left a lock locked.

Only what the standard library says of its own objects is read, and nothing that waits, or that
changes by itself while a thread goes on.
"""

import itertools
import logging
import re
import sys
import threading
import weakref
from contextlib import suppress
from typing import Any

_FACTS = ("closed", "in_transaction", "locked", "is_set", "tell", "fileno", "qsize", "maxsize")
_HELD = re.compile(r"^<(locked|unlocked) .* count=(\d+)")
_RLOCK = type(threading.RLock())


def state_of(value: Any) -> str:
    """Return what is said of it in a few words; nothing where nothing can be said."""
    if isinstance(value, _RLOCK):
        found = _HELD.match(repr(value))
        return f"held {found[2]} times" if found else ""
    if isinstance(value, itertools.count):
        return repr(value)
    if isinstance(value, logging.Logger):
        return f"name={value.name!r}, level={value.level}, disabled={bool(value.disabled)}"
    if _is(value, "queue", "Queue"):  # its size waits for a lock
        return f"unfinished={value.unfinished_tasks}, maxsize={value.maxsize}"
    if isinstance(value, threading.Barrier):
        return f"parties={value.parties}, broken={value.broken}"
    if _is(value, "concurrent.futures.thread", "ThreadPoolExecutor"):
        return f"workers={value._max_workers}"  # noqa: SLF001 - nothing else tells it
    if isinstance(value, threading.Semaphore) or _is(value, "asyncio", "Semaphore"):
        return f"value={value._value}"  # noqa: SLF001 - nothing else tells it
    said = []
    for name in _FACTS:
        with suppress(Exception):  # it has no such thing, or is closed
            fact = _asked(value, name)
            if name == "fileno":
                fact = fact >= 0
            if type(fact) in (bool, int):
                said.append(f"{name}={fact}")
    return ", ".join(said)


def contents_of(value: Any) -> dict[str, Any]:
    """Return what is inside, by name."""
    if _is(value, "queue", "Queue"):
        return {"queue": list(value.queue)}
    if _is(value, "asyncio", "Queue"):
        return {"queue": list(value._queue)}  # noqa: SLF001 - nothing else tells it
    if _is(value, "_queue", "SimpleQueue"):
        return {"queue": _taken_and_put(value)}
    if isinstance(value, threading.local):
        return {"here": dict(vars(value))}
    if isinstance(value, weakref.WeakKeyDictionary | weakref.WeakValueDictionary):
        return {"entries": dict(value.items())}
    if isinstance(value, weakref.WeakSet):
        return {"members": set(value)}
    return {}


def _taken_and_put(queue: Any) -> list[object]:
    """Return what is in a queue that does not show it. It is all there again afterwards, in its
    order; nobody else takes anything meanwhile, or there would be nothing in it."""
    found: list[object] = []
    with suppress(Exception):  # it is empty
        found.extend(queue.get_nowait() for _ in range(queue.qsize()))
    for one in found:
        queue.put(one)
    return found


def _is(value: Any, module: str, name: str) -> bool:
    """Tell whether it is of a class of a module that may not be there."""
    cls = getattr(sys.modules.get(module), name, None)
    return isinstance(cls, type) and isinstance(value, cls)


def _asked(value: Any, name: str) -> Any:
    """Ask a class of the standard library; a class of the application is not asked."""
    for cls in type(value).__mro__:
        if name in vars(cls):
            if cls.__module__.partition(".")[0] not in sys.stdlib_module_names:
                raise AttributeError(name)
            found = getattr(value, name)
            return found() if callable(found) else found
    raise AttributeError(name)
