"""Tries that nobody makes on purpose: what libraries do when a process forks or ends."""

import atexit
import logging
import os
import sqlite3
import sys
import threading
from pathlib import Path

from sealed import tries
from tries_descriptors import nothing_in
from tries_files import Telling

_at_fork: list[int] = []
os.register_at_fork(after_in_child=lambda: [os.write(one, b"hook") for one in _at_fork])


@tries()
def a_hook_that_writes(place: Path) -> Telling:
    """It runs in the twin, after it was sealed."""
    reading, writing = os.pipe()
    before = os.dup(1)
    os.dup2(writing, 1)
    _at_fork.append(1)
    try:
        yield lambda: 1
    finally:
        _at_fork.clear()
        os.dup2(before, 1)
        os.close(before)
    nothing_in(reading)
    os.close(reading)
    os.close(writing)


@tries()
def what_is_printed(place: Path) -> Telling:
    reading, writing = os.pipe()
    before = os.dup(2)
    os.dup2(writing, 2)
    yield lambda: print("from a twin", file=sys.__stderr__, flush=True)
    os.dup2(before, 2)
    os.close(before)
    nothing_in(reading)
    os.close(reading)
    os.close(writing)


@tries()
def what_lies_in_a_buffer(place: Path) -> Telling:
    """The process has written it into its buffer; the copy must not store it a second time."""
    path = place / "log"
    with path.open("w") as file:
        file.write("once\n")
        yield lambda: file.flush()
    assert path.read_text("utf-8") == "once\n", "it is there twice"


@tries()
def a_log_to_a_file(place: Path) -> Telling:
    path = place / "log"
    handler = logging.FileHandler(path)
    log = logging.getLogger("tries")
    log.propagate = False
    log.addHandler(handler)
    yield lambda: log.warning("from a twin")
    log.warning("ours")
    handler.close()
    assert path.read_text("utf-8") == "ours\n", path.read_text("utf-8")


@tries(harms=False)
def a_log_whose_lock_is_held(place: Path) -> Telling:
    handler = logging.StreamHandler((place / "log").open("w"))
    log = logging.getLogger("held")
    log.propagate = False
    log.addHandler(handler)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with handler.lock:
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    outcome = yield lambda: log.warning("from a twin")
    done.set()
    thread.join()
    assert not outcome.error, outcome


@tries(harms=False, error="nothing", life_s=0.1)
def a_lock_that_is_held(place: Path) -> Telling:
    lock = threading.Lock()
    lock.acquire()
    outcome = yield lock.acquire
    lock.release()
    assert outcome.why == "its time was over", outcome
    assert lock.acquire(blocking=False)


class Writes:
    """Its end is written to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __del__(self) -> None:
        with self.path.open("a") as file:
            file.write("ended")


@tries()
def an_end_that_writes(place: Path) -> Telling:
    path = place / "ended"
    held = [Writes(path)]
    yield held.clear
    seen = path.exists()
    held.clear()
    assert not seen, "it was written"


@tries()
def an_exit_that_writes(place: Path) -> Telling:
    path = place / "ended"
    hook = atexit.register(lambda: path.write_text("ended"))
    yield atexit._run_exitfuncs
    atexit.unregister(hook)
    assert not path.exists(), "it was written"


@tries()
def a_thread_that_a_hook_starts(place: Path) -> Telling:
    """As the exporters of telemetry do it after a fork: it would send what the parent sends."""
    reading, writing = os.pipe()
    begun = threading.Event()

    def send() -> None:
        try:
            os.write(writing, b"sent")
        finally:
            begun.set()

    restart: list[bool] = [True]
    os.register_at_fork(
        after_in_child=lambda: restart and threading.Thread(target=send, daemon=True).start()
    )
    yield lambda: begun.wait(0.1)
    restart.clear()
    nothing_in(reading)
    os.close(reading)
    os.close(writing)


TWINS = 15


def transactions(place: Path, journal: str) -> Telling:
    """A write transaction is open; the twin goes on with it, commits and closes."""
    path = place / "rows.db"
    ours = sqlite3.connect(path, isolation_level=None)
    ours.execute(f"pragma journal_mode={journal}")
    ours.execute("create table rows (number)")

    def code() -> list[object]:
        seen: list[object] = [ours.execute("select count(*) from rows").fetchone()[0]]
        for words in ("insert into rows values (99)", "commit"):
            try:
                ours.execute(words)
            except sqlite3.Error as error:
                seen.append(str(error))
        ours.close()
        other = sqlite3.connect(path)
        seen.append(other.execute("select count(*) from rows").fetchone()[0])
        other.close()
        return seen

    other = sqlite3.connect(path, isolation_level=None, timeout=1)
    for number in range(TWINS):
        ours.execute("begin immediate")
        ours.execute("insert into rows values (?)", (number,))
        outcome = yield code
        ours.execute("commit")
        other.execute("insert into rows values (?)", (number,))
        if (
            outcome.facts
        ):  # it sees the row that is not committed yet, and who opens anew does not
            assert outcome.said.startswith(f"[{2 * number + 1}, "), outcome
            assert outcome.said.endswith(f", {2 * number}]"), outcome
    rows = [row[0] for row in other.execute("select number from rows order by number")]
    intact = other.execute("pragma integrity_check").fetchone()[0]
    other.close()
    ours.close()
    assert rows == sorted([*range(TWINS), *range(TWINS)]), f"the rows are {rows}"
    assert intact == "ok", intact


@tries()
def transaction_with_a_journal(place: Path) -> Telling:
    yield from transactions(place, "delete")


@tries(harms=False)
def transaction_with_a_log(place: Path) -> Telling:
    """In a plain fork it goes well by luck: the process writes over what the copy wrote."""
    yield from transactions(place, "wal")
