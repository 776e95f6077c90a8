"""What a call can have done to what belongs to its process: put something into a queue, closed
a file, left a lock locked.

Only what the standard library says of its own objects is read, and nothing that waits, or that
changes by itself while a thread goes on.
"""

import re
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from leadline.agent.place.digests import digest

_FACTS = ("closed", "in_transaction", "locked", "is_set", "tell", "fileno", "qsize", "maxsize")
_HELD = re.compile(r"^<(locked|unlocked) .* count=(\d+)")
_MOST_PAGES = 2_000
"""Of a database in memory that is looked at as a whole, after each run: some 8 MB."""


def state_of(value: Any) -> str:
    """Return what is said of it in a few words; nothing where nothing can be said."""
    for module, name, tell in _TOLD:
        if _is(value, module, name) and (told := tell(value)):
            return told
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
    if issubclass(type(value), threading.Thread):  # until it has begun
        words = ("_target", "_args", "_kwargs")
        return {name: getattr(value, name) for name in words if hasattr(value, name)}
    if issubclass(type(value), threading.local):
        return {"here": dict(vars(value))}
    if issubclass(type(value), weakref.WeakKeyDictionary | weakref.WeakValueDictionary):
        return {"entries": dict(value.items())}
    if issubclass(type(value), weakref.WeakSet):
        return {"members": set(value)}
    return {}


def _rows_in_memory(connection: Any) -> str:
    """Return a digest of what a database in memory holds, such as the service has for itself;
    nothing for others, of which copies are compared."""
    if _is(connection, "leadline.agent.place.connections", "Noted"):
        return ""
    rows, connection.row_factory = connection.row_factory, None
    try:
        files = connection.execute("PRAGMA database_list").fetchall()
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        if any(file for _, _, file in files) or not pages:
            return ""
        if pages > _MOST_PAGES:
            return f"{connection.total_changes} rows changed"
        return f"holds #{digest(''.join(connection.iterdump()))}"
    except Exception:  # noqa: BLE001 - it is closed, or another thread's
        return ""
    finally:
        connection.row_factory = rows


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
    return isinstance(cls, type) and issubclass(type(value), cls)


def _asked(value: Any, name: str) -> Any:
    """Ask a class of the standard library; a class of the application is not asked."""
    for cls in type(value).__mro__:
        if name in vars(cls):
            if cls.__module__.partition(".")[0] not in sys.stdlib_module_names:
                raise AttributeError(name)
            found = getattr(value, name)
            return found() if callable(found) else found
    raise AttributeError(name)


def _held(lock: Any) -> str:
    found = _HELD.match(repr(lock))
    return f"held {found[2]} times" if found else ""


_TOLD: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("_thread", "RLock", _held),
    ("itertools", "count", repr),
    (
        "logging",
        "Logger",
        lambda one: f"name={one.name!r}, level={one.level}, disabled={bool(one.disabled)}",
    ),
    # the size of a queue waits for a lock
    (
        "queue",
        "Queue",
        lambda one: f"unfinished={one.unfinished_tasks}, maxsize={one.maxsize}",
    ),
    ("threading", "Semaphore", lambda one: f"value={one._value}"),  # noqa: SLF001
    ("asyncio", "Semaphore", lambda one: f"value={one._value}"),  # noqa: SLF001
    ("threading", "Barrier", lambda one: f"parties={one.parties}, broken={one.broken}"),
    (
        "concurrent.futures.thread",
        "ThreadPoolExecutor",
        lambda one: f"workers={one._max_workers}",  # noqa: SLF001
    ),
    ("sqlite3", "Connection", _rows_in_memory),
)
"""What tells of objects of a class, by its module and name: nothing else does."""
