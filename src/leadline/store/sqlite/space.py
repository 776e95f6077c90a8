"""Bytes: how many the database takes, and giving back to the disk those that hold nothing."""

import contextlib
import sqlite3
import time
from pathlib import Path

from leadline.store.keep import Kind, Sizes
from leadline.store.sqlite import shelves

INCREMENTAL = 2
"""SQLite's word for a file that can shrink a little at a time."""
SHRINK_PAGES = 1_000
"""Pages given back in one piece of work: four megabytes, some milliseconds."""
SLACK_PAGES = 2_000
"""Free pages that stay for what comes next: eight megabytes."""
WAL_BYTES = 16_000_000
"""The log beside the file is cut to this after a burst has passed through it."""
CONVERT_BYTES = 64_000_000
"""A smaller file of an older version is made able to shrink when it is opened: a second."""
COMPACT_S = 3.0
"""Space is given back for so long at most at a time. A larger file of an older version is
rewritten for it, while requests wait: they do for two seconds longer than this."""
_LOOK_EVERY = 10_000
"""Steps of SQLite's machine between two looks at the clock: well under a millisecond."""


def begin(db: sqlite3.Connection) -> None:
    """Have a new file shrink by itself, and an old one if that is quick. Before WAL is on."""
    if mode(db) == INCREMENTAL:
        return
    db.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
    if 0 < pragma(db, "page_count") * pragma(db, "page_size") < CONVERT_BYTES:
        with contextlib.suppress(sqlite3.OperationalError):  # no room now: another time
            db.execute("VACUUM")


def mode(db: sqlite3.Connection) -> int:
    """Return in which way the file gives back space."""
    return pragma(db, "auto_vacuum")


def used(db: sqlite3.Connection) -> int:
    """Return the bytes of the pages that hold something; cheap enough for every commit."""
    return (pragma(db, "page_count") - pragma(db, "freelist_count")) * pragma(db, "page_size")


def shrink(db: sqlite3.Connection, slack: int = SLACK_PAGES) -> bool:
    """Give a few pages back; whether there are more. In a transaction or not."""
    free = pragma(db, "freelist_count") - slack
    if free <= 0 or mode(db) != INCREMENTAL:
        return False
    # every row has to be fetched: a page is given back for each
    db.execute(f"PRAGMA incremental_vacuum({min(free, SHRINK_PAGES)})").fetchall()
    return free > SHRINK_PAGES


def compact(db: sqlite3.Connection, seconds: float = COMPACT_S) -> None:
    """Empty the log, and rewrite a file that cannot shrink by itself. Not in a transaction.

    A rewrite that takes longer than `seconds` is given up; the file stays as it was.
    """
    if mode(db) != INCREMENTAL:
        _rewrite(db, time.monotonic() + seconds)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _rewrite(db: sqlite3.Connection, end: float) -> None:
    db.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
    db.set_progress_handler(lambda: time.monotonic() > end, _LOOK_EVERY)
    try:
        db.execute("VACUUM")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_FULL):
            raise
    finally:
        db.set_progress_handler(None, 0)


def sizes(db: sqlite3.Connection, path: Path, at_most: dict[Kind, int]) -> Sizes:
    """Return how large the database is, and how much it holds."""
    return Sizes(
        path=str(path),
        schema=pragma(db, "user_version"),
        bytes=on_disk(path),
        free=pragma(db, "freelist_count") * pragma(db, "page_size"),
        stored=dict(shelves.stored(db, at_most)),
    )


def on_disk(path: Path) -> int:
    """Return the bytes of the database's files."""
    total = 0
    for suffix in ("", "-wal"):
        try:
            total += path.with_name(path.name + suffix).stat().st_size
        except FileNotFoundError:
            continue
    return total


def pragma(db: sqlite3.Connection, name: str) -> int:
    """Return one of SQLite's numbers about the file."""
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])
