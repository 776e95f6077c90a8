"""A few connections that only read, lent to whichever thread asks."""

import queue
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leadline.store.sqlite.database import connect, explain
from leadline.wire.errors import UnavailableError

READERS = 4
"""Reads at the same time; SQLite's readers block neither each other nor the writer."""
READ_S = 5.0
"""How long a request waits for a free connection."""


class Readers:
    """Lends connections; each is used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        for _ in range(READERS):
            db = connect(path)
            self._free.put(db)
            db.execute("PRAGMA query_only = ON")

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection for one read. Raises `UnavailableError`."""
        try:
            db = self._free.get(timeout=READ_S)
        except queue.Empty:
            raise UnavailableError(
                "store-busy", "The database is too slow at the moment; try again."
            ) from None
        try:
            yield db
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        finally:
            self._free.put(db)

    def close(self) -> None:
        """Close those that nobody is using."""
        while not self._free.empty():
            self._free.get_nowait().close()
