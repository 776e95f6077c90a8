"""Thread pools that died with the fork, given new threads.

After a fork only one thread is left, but a pool counts the others still and waits for them for
ever. Each is emptied to how it was made: its threads start again with the first task.
"""

import sys
import threading
from collections.abc import Iterator
from typing import Any

MAX_POOLS = 1_000


def revive() -> list[str]:
    """Revive every pool that had threads, and return what there is to say of it."""
    pools = _pools()
    for pool in pools:
        _empty(pool)
    if not pools:
        return []
    return [f"{len(pools)} thread pool{'s' if len(pools) > 1 else ''} revived"]


def _pools() -> list[Any]:
    """Return the executors that had a thread, from what those threads were started with.

    Not by walking the heap: that would touch, and so copy, all of the memory.
    """
    module: Any = sys.modules.get("concurrent.futures.thread")
    if module is None:
        return []
    found: dict[int, Any] = {}
    for thread in list(module._threads_queues):  # noqa: SLF001 - no other list of them
        for pool in _owners(thread, module):
            found[id(pool)] = pool
        if len(found) >= MAX_POOLS:
            break
    return list(found.values())


def _owners(thread: Any, module: Any) -> Iterator[Any]:
    args = getattr(thread, "_args", ())
    for reference in args[:1] if isinstance(args, tuple) else ():
        pool = reference() if callable(reference) else None
        if isinstance(pool, module.ThreadPoolExecutor):
            yield pool


def _empty(pool: Any) -> None:
    pool._threads = set()  # noqa: SLF001 - what its own __init__ sets
    pool._idle_semaphore = threading.Semaphore(0)  # noqa: SLF001
    pool._work_queue = type(pool._work_queue)()  # noqa: SLF001
    pool._shutdown_lock = threading.Lock()  # noqa: SLF001
