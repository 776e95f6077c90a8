"""The default store: one SQLite file, written by one thread and read by many."""

from leadline.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
