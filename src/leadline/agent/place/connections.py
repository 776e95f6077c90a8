"""Connections to private copies of databases: as those of `sqlite3`, and what was written
through each of them is noted.

What a statement has changed can be seen in no row where the rows were so before. That is why
all that write are noted, with how many rows each says it has changed.
"""

import re
import sqlite3
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from leadline.wire.struct import dataclass, field

MOST_STATEMENTS, MOST_CHARS = 20_000, 8_000_000
"""Of one connection; where there are more it is said that not all are known. It protects the
memory of a run: 20,000 short ones take 3.3 MB, and long ones hardly more than their text."""
MOST_ASKED, MOST_ASKED_CHARS = 50, 2_000
"""Statements that are kept to see which rows were asked for, 100 kB at most."""
_ASKS = re.compile(r"\bwhere\b", re.IGNORECASE)
_COMMENT = re.compile(r"\s*(?:--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z)|;)?", re.DOTALL)
_VERB = re.compile(r"[a-zA-Z]+")
_WITHIN = re.compile(r"\b(insert|update|delete|replace)\b", re.IGNORECASE)
_NAME = r"[\"'`\[]?(\w+)"
_SAVED = re.compile(rf"\s*savepoint\s+{_NAME}", re.IGNORECASE)
_BACK = re.compile(
    rf"\s*rollback\b(?:\s+transaction\b)?(?:\s+to\s+(?:savepoint\s+)?{_NAME})?", re.IGNORECASE
)
_KEPT = re.compile(r"\s*(?:\w+\s*\.\s*)?(?:user_version|application_id)\s*[=(]", re.IGNORECASE)
"""What a `PRAGMA` writes into the file."""
ROWS = frozenset(("INSERT", "UPDATE", "DELETE", "REPLACE"))
SCHEMA = frozenset(("CREATE", "DROP", "ALTER"))
OUTSIDE = frozenset(("ATTACH", "VACUUM"))
"""What needs another database: a place has only copies of what was asked for by `connect`."""


COMMITTED, ROLLED_BACK, NOT_COMMITTED = "committed", "rolled back", "not committed"


@dataclass(slots=True, eq=False)
class Statement:
    """One that was begun: its text with all that was put into it, and how many rows it has
    changed; None where nobody knows. `fate` is what became of it: `COMMITTED`, or that it was
    rolled back, or not committed; empty while its transaction goes on."""

    verb: str
    text: str
    changed: int | None = 0
    fate: str = ""

    def is_again(self, text: str) -> bool:
        """Tell whether a text is this statement's, as a trigger begins one again."""
        return self.text == text and not self.fate


@dataclass(slots=True, eq=False)
class Record:
    """What one connection has done; `path` is the database's."""

    path: str
    connection: Callable[[], Any]
    made: list[Statement] = field(default_factory=list)
    count: int = 0
    """Rows that it had changed when it was looked at last."""
    theirs: Callable[[str], object] | None = None
    chars: int = 0
    over: bool = False
    too_many: bool = False
    is_used: bool = False
    """Whether anything was asked of the database."""
    asked: list[str] = field(default_factory=list)
    """Statements that ask for some rows, the first ones, with all that was put into them."""
    _saved: list[tuple[str, int]] = field(default_factory=list)
    """Names of savepoints, and how many statements there were before each."""
    _stands: bool = False
    """Whether a transaction was under way when it was looked at last."""

    def begin(self) -> None:
        """Forget what was done so far."""
        self.catch_up()
        self.made.clear()
        self._saved.clear()
        self.is_used = False
        self.asked.clear()

    def catch_up(self, dying: Any = None) -> None:
        """Note what the last statement has changed. No weak reference leads to a connection
        that is `dying`, perhaps."""
        if self.over:
            return
        connection = self.connection() if dying is None else dying
        try:
            count = connection.total_changes
        except (AttributeError, sqlite3.Error):  # it is gone, closed, or another thread's
            if self.made and self.made[-1].verb in ROWS:
                self.made[-1].changed = None
            self.over = connection is None or _is_closed(connection)
            if self.over:
                self._end(NOT_COMMITTED if self._stands else COMMITTED)
            return
        self._stands = connection.in_transaction
        if not self._stands:
            self._end(COMMITTED)
        if count != self.count and not self.made:
            self.made.append(Statement("INSERT", ""))  # before anybody listened
        if count != self.count and (last := self.made[-1]).changed is not None:
            last.changed += count - self.count
        self.count = count

    def hear(self, text: str) -> None:
        """A statement begins."""
        self.is_used = True
        if len(self.asked) < MOST_ASKED and _ASKS.search(text):
            self.asked.append(text[:MOST_ASKED_CHARS])
        if not text.startswith("--"):  # what a trigger does is counted with what set it off
            self.catch_up()
            self._turn(text)
            verb = verb_of(text)
            if verb and not (self.made and self.made[-1].is_again(text)):
                self.chars += len(text)
                self.too_many |= self.chars > MOST_CHARS or len(self.made) >= MOST_STATEMENTS
                if not self.too_many:
                    self.made.append(Statement(verb, text))
        if self.theirs is not None:
            self.theirs(text)

    def end(self, dying: Any = None) -> None:
        """Nothing more is done: what is under way is never committed."""
        self.catch_up(dying)
        self._end(NOT_COMMITTED)

    def _turn(self, text: str) -> None:
        """Note where a transaction may go back to, and that it does."""
        if (found := _SAVED.match(text)) is not None:
            self._saved.append((found[1].lower(), len(self.made)))
        elif (found := _BACK.match(text)) is not None:
            name = (found[1] or "").lower()
            since = [at for saved, at in self._saved if saved == name]
            self._end(ROLLED_BACK, since[-1] if since else 0)

    def _end(self, fate: str, since: int = 0) -> None:
        for one in reversed(self.made[since:]):
            if one.fate:
                break
            one.fate = fate


def _is_closed(connection: Any) -> bool:
    try:
        return connection.in_transaction is None
    except sqlite3.Error:
        return True


def verb_of(text: str) -> str:
    """Return what a statement does to rows, to the schema or outside; empty for others."""
    at = 0
    while (found := _COMMENT.match(text, at)) is not None and found.end() > at:
        at = found.end()
    first = _VERB.match(text, at)
    verb = first[0].upper() if first else ""
    if verb in ("WITH", "EXPLAIN"):
        within = _WITHIN.search(text)
        return within[1].upper() if within and verb == "WITH" else ""
    if verb == "PRAGMA":
        return "ALTER" if _KEPT.match(text, at + len(verb)) else ""
    return verb if verb in ROWS | SCHEMA | OUTSIDE else ""


PLAIN = sqlite3.Connection

_records: dict[int, Record] = {}
"""Of connections that live, by their ids."""
_all: list[Record] = []
_paths: dict[str, str] = {}
"""Of which database each name is that its copy is opened by."""


def records() -> list[Record]:
    """Return what every connection to a private copy has done, in their order."""
    return list(_all)


def name_copy(name: str, path: str) -> None:
    """Say of which database `name` opens the copy."""
    _paths[name] = path


class Noted(sqlite3.Connection):
    """Stands between `sqlite3.Connection` and the class that a connection is of."""

    __slots__ = ("__weakref__",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = args[0] if args else kwargs.get("database")
        if type(name) is str and name in _paths:
            _listen(self, _paths[name])

    def set_trace_callback(self, trace_callback: Any) -> None:
        """As it is; ours is called as well."""
        record = _records.get(id(self))
        if record is None:
            super().set_trace_callback(trace_callback)
        else:
            record.theirs = trace_callback

    def setlimit(self, category: int, limit: int) -> int:
        """As it is, but that no other database can be attached."""
        if category == sqlite3.SQLITE_LIMIT_ATTACHED:
            return super().getlimit(category)
        return super().setlimit(category, limit)

    def backup(self, *args: Any, **kwargs: Any) -> None:
        """As it is, and no statement."""
        _use(self)
        super().backup(*args, **kwargs)

    def serialize(self, *args: Any, **kwargs: Any) -> bytes:
        """As it is, and no statement."""
        _use(self)
        return super().serialize(*args, **kwargs)

    def blobopen(self, *args: Any, **kwargs: Any) -> Any:
        """As it is, and no statement: what is written so, no count tells of."""
        record = _records.get(id(self))
        if record is not None:
            record.is_used = record.too_many = True
        return super().blobopen(*args, **kwargs)

    def close(self) -> None:
        """As it is; what was changed until then is noted."""
        record = _records.get(id(self))
        if record is not None:
            record.end()
        super().close()
        if record is not None:
            record.over = True

    def __del__(self) -> None:
        with suppress(Exception):
            record = _records.pop(id(self))
            record.end(self)
            record.over = True


del Noted.__slots__  # which would be told as a part of each


@cache
def noted(factory: type[sqlite3.Connection]) -> type[sqlite3.Connection]:
    """Return a class of connections as `factory` that are noted. Raises `TypeError` where
    there can be none."""
    names = {
        "__slots__": (),
        "__module__": factory.__module__,
        "__qualname__": factory.__qualname__,
        "__doc__": factory.__doc__,
    }
    bases = (Noted,) if factory is sqlite3.Connection else (factory, Noted)
    made: Any = type(factory)
    found: type[sqlite3.Connection] = made(factory.__name__, bases, names)
    del found.__slots__  # type: ignore[attr-defined]
    return found


def _use(connection: Any) -> None:
    record = _records.get(id(connection))
    if record is not None:
        record.is_used = True


def _listen(connection: Any, path: str) -> None:
    record = Record(path, weakref.ref(connection))
    _records[id(connection)] = record
    _all.append(record)
    sqlite3.Connection.setlimit(connection, sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    sqlite3.Connection.set_trace_callback(connection, record.hear)
