"""The one thread that writes: it takes what is waiting, commits it together, and tells of it.

One writer means no lock is ever fought over; many small requests share one transaction.
"""

import contextlib
import queue
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NoReturn

from leadline.store.events import Event
from leadline.store.keep import Keep
from leadline.store.protocol import Listener
from leadline.store.sqlite.database import explain
from leadline.store.sqlite.retention import Retention
from leadline.wire.errors import InternalError, LeadlineError, UnavailableError
from leadline.wire.struct import dataclass, field

MAX_WAITING = 1_000
"""Pieces of work in the queue; beyond it a request is refused, and its sender may try again."""
MAX_BATCH = 100
"""Pieces of work in one transaction: far past the point where a commit's price is shared."""
WRITE_S = 5.0
"""A request waits for its commit for at most so many seconds."""
CLOSE_S = 1.0


@dataclass(slots=True)
class Transaction:
    """What a piece of work gets: the connection, a list to note what it changes, and who is to
    be told of hits that it deletes."""

    db: sqlite3.Connection
    retention: Retention
    events: list[Event] = field(default_factory=list)


type Work[T] = Callable[[Transaction], T]
type Alone[T] = Callable[[sqlite3.Connection], T]


@dataclass(frozen=True, slots=True)
class _Job:
    """`work` in a transaction with others, or `alone`, between two of them."""

    future: Future[Any]
    work: Work[Any] | None = None
    alone: Alone[Any] | None = None


class Writer:
    """Runs pieces of work, each whole or not at all, and tells of them after the commit."""

    def __init__(
        self, db: sqlite3.Connection, path: Path, listener: Listener, keep: Keep
    ) -> None:
        self._db = db
        self._path = path
        self._listener = listener
        self._retention = Retention(db, keep)
        self._waiting: queue.Queue[_Job | None] = queue.Queue(MAX_WAITING)
        self._closed = False
        self._thread = threading.Thread(
            target=self._run, name="leadline-store-writer", daemon=True
        )
        self._thread.start()

    def run[T](self, work: Work[T]) -> T:
        """Do `work` in a transaction and return what it returned, once it is committed."""
        future: Future[T] = Future()
        return self._wait(future, _Job(future, work))

    def run_alone[T](self, work: Alone[T]) -> T:
        """Do `work` outside of any transaction; whoever writes waits for it."""
        future: Future[T] = Future()
        return self._wait(future, _Job(future, alone=work))

    def post(self, work: Work[object]) -> None:
        """Do `work` when there is time; only for what may be lost."""
        with contextlib.suppress(LeadlineError):
            self._submit(_Job(Future(), work))

    def close(self) -> None:
        """Finish what is waiting, within `CLOSE_S`, and end the thread."""
        self._closed = True
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=CLOSE_S)
        self._thread.join(CLOSE_S)

    def _wait[T](self, future: Future[T], job: _Job) -> T:
        self._submit(job)
        try:
            return future.result(WRITE_S)
        except TimeoutError:
            future.cancel()  # if it has not been begun, it never will be
            _busy(self._path)

    def _submit(self, job: _Job) -> None:
        if self._closed:
            raise UnavailableError("stopping", "The server is stopping.")
        try:
            self._waiting.put_nowait(job)
        except queue.Full:
            _busy(self._path)

    def _run(self) -> None:
        going = True
        while going:
            jobs = [self._waiting.get()]
            with contextlib.suppress(queue.Empty):
                while len(jobs) < MAX_BATCH:
                    jobs.append(self._waiting.get_nowait())
            going = None not in jobs
            begun = [job for job in jobs if job and job.future.set_running_or_notify_cancel()]
            self._commit([job for job in begun if job.work])
            for job in begun:
                if job.alone:
                    self._do_alone(job.alone, job.future)
        self._db.close()

    def _commit(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        self._retention.begin()
        transaction = Transaction(self._db, self._retention)
        settle: list[Callable[[], None]] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            settle = [self._do(transaction, job.work, job.future) for job in jobs if job.work]
            self._retention.trim(transaction.events)
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it was, the thread must go on
            self._abandon(jobs, error)
            return
        self._retention.commit()
        for event in transaction.events:
            self._tell(event)
        for done in settle:
            done()

    def _do(
        self, transaction: Transaction, work: Work[Any], future: Future[Any]
    ) -> Callable[[], None]:
        """Do one piece; one that refuses takes back its own changes and nobody else's."""
        before, stored = len(transaction.events), self._retention.now
        self._db.execute("SAVEPOINT piece")
        try:
            result = work(transaction)
        except sqlite3.Error:
            raise  # full, locked, damaged: this concerns all of them
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            del transaction.events[before:]
            self._retention.now = stored
            self._db.execute("ROLLBACK TO piece")
            self._db.execute("RELEASE piece")
            failure = error
            return lambda: future.set_exception(failure)
        self._db.execute("RELEASE piece")
        return lambda: future.set_result(result)

    def _do_alone(self, work: Alone[Any], future: Future[Any]) -> None:
        try:
            future.set_result(work(self._db))
        except sqlite3.Error as error:
            future.set_exception(explain(error, self._path))
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            future.set_exception(error)

    def _abandon(self, jobs: list[_Job], error: Exception) -> None:
        with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back by itself
            self._db.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            reason: LeadlineError = explain(error, self._path)
        else:
            reason = InternalError(f"The store's writer failed: {type(error).__name__}.")
        for job in jobs:
            job.future.set_exception(reason)

    def _tell(self, event: Event) -> None:
        try:
            self._listener(event)
        except Exception as error:  # noqa: BLE001 - its fault must not stop the store
            print(f"leadline: a listener failed: {type(error).__name__}", file=sys.stderr)


def _busy(path: Path) -> NoReturn:
    raise UnavailableError(
        "store-busy", f"The database {path} is too slow at the moment; try again."
    )
