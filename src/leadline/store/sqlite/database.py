"""One SQLite file: opened by one server at a time, brought up to date, its errors explained."""

import contextlib
import errno
import fcntl
import json
import os
import sqlite3
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from leadline.store.records import Facets, facets_of
from leadline.store.sqlite import space
from leadline.store.value_filter import value_filter
from leadline.wire.errors import UnavailableError
from leadline.wire.hit import Hit

APPLICATION_ID = 0x4C454144
"""ASCII `LEAD`, written into the file's header: another program's database is left alone."""
BUSY_MS = 2_000
"""How long a statement waits for somebody else's lock, such as a `sqlite3` shell's."""


def hold(path: Path) -> int:
    """Take the lock that makes this process the database's only server; returns its handle.

    The lock dies with the process, however it dies. Raises slug `database-in-use`.
    """
    lock = path.with_name(path.name + ".lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise UnavailableError(
            "database-in-use",
            f"The database {path} is in use by another Leadline server.",
            "Stop that server, or name another file with --database.",
        ) from error
    return handle


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, made readable by its owner alone if it is new."""
    _make(path)
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise explain(error, path) from error
    try:
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        db.execute("PRAGMA foreign_keys = ON")
        db.create_function("hit_has", 2, _has, deterministic=True)
    except sqlite3.Error as error:
        db.close()
        raise explain(error, path) from error
    return db


def _make(path: Path) -> None:
    """Make the file if it is not there. One that is there is not opened: POSIX drops all locks
    that a process has on a file when it closes any descriptor of it, and whoever reads it next
    would take it for unused and remove the log that other connections of ours write to."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise unwritable(path, OSError(errno.EISDIR, os.strerror(errno.EISDIR))) from None
        if not os.access(path, os.R_OK | os.W_OK):
            raise unwritable(path, OSError(errno.EACCES, os.strerror(errno.EACCES))) from None
    except OSError as error:
        raise unwritable(path, error) from error


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Switch to WAL and run the migrations that the file has not seen yet.

    Raises `UnavailableError`: `newer-database`, `not-our-database`, or what `explain` says.
    """
    try:
        version = _one(db, "PRAGMA user_version")
        ours = _one(db, "PRAGMA application_id") == APPLICATION_ID
        if not ours and _one(db, "SELECT count(*) FROM sqlite_master"):
            raise UnavailableError(
                "not-our-database",
                f"{path} is the database of another program.",
                "Name another file with --database.",
            )
        migrations = sorted(
            (int(file.name[:4]), file.read_text("utf-8"))
            for file in files("leadline.store.sqlite").iterdir()
            if file.name.endswith(".sql")
        )
        if version > migrations[-1][0]:
            raise UnavailableError(
                "newer-database",
                f"The database {path} was written by a newer Leadline (version {version} of "
                f"its schema; this one knows {migrations[-1][0]}).",
                "Use that Leadline again, or name another file with --database.",
            )
        space.begin(db)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA journal_size_limit = {space.WAL_BYTES}")
        # a power cut may cost the last transactions, never the file; a killed server, nothing
        db.execute("PRAGMA synchronous = NORMAL")
        _offer(db)
        if missing := [script for number, script in migrations if number > version]:
            # all of them or none: whatever happens now, the version before can go on with it
            _migrate(db, migrations[-1][0], "\n".join(missing))
    except sqlite3.Error as error:
        raise explain(error, path) from error


def _offer(db: sqlite3.Connection) -> None:
    """Let migrations read what SQL cannot: stored hits with whatever text is in them."""

    def read(name: str, look: Callable[[Facets], str | bytes | float]) -> None:
        db.create_function(name, 1, lambda body: look(facets_of(Hit(**json.loads(body)))))

    read("hit_time", lambda facets: facets.time)
    read("hit_thread", lambda facets: facets.thread)
    read("hit_said", lambda facets: facets.said)


def _has(body: str, asked: str) -> bool:
    return value_filter(asked).matches(body)


def _migrate(db: sqlite3.Connection, number: int, script: str) -> None:
    try:
        db.executescript(
            f"BEGIN IMMEDIATE; {script}\n"
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        )
    except sqlite3.Error:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


def _one(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])


def unwritable(path: Path, error: OSError) -> UnavailableError:
    """Say why a file cannot be made or opened."""
    return UnavailableError(
        "database-unwritable",
        f"The database {path} cannot be opened for writing: {error.strerror}.",
        "Name another file with --database.",
    )


def explain(error: sqlite3.Error, path: Path) -> UnavailableError:
    """Turn what SQLite says into a situation that a person can do something about."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return UnavailableError(
                "disk-full",
                f"There is no room left for the database {path}; what came was not stored.",
                "Make room on that disk: the server goes on by itself.",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return UnavailableError(
                "database-locked",
                f"Another program keeps the database {path} locked; try again.",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return UnavailableError(
                "database-corrupt",
                f"The file {path} is damaged or is not a database.",
                "Stop the server, move the file away and start again with a new one.",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN:
            return UnavailableError(
                "database-unwritable",
                f"The database {path} cannot be read or written ({error.sqlite_errorname}).",
                "Look at the disk and at the rights of the file and its folder.",
            )
        case _:
            return UnavailableError("database-failed", f"The database {path} failed: {error}.")
