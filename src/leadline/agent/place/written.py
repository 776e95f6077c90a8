"""What a run has written to databases, told by path as a changed state of modules is.

Committed rows are the effect. What stands in a transaction that nobody has ended is told by
itself, and what has changed no row as well: where the row was so before, nobody sees whether a
candidate still writes it.
"""

import re
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from leadline.agent.capture import outlet
from leadline.agent.place import rows
from leadline.agent.place.connections import COMMITTED, OUTSIDE, ROWS, SCHEMA, Record, Statement
from leadline.agent.place.databases import Copy, Databases
from leadline.agent.place.deep import MeasuredWalk
from leadline.agent.place.digests import digest
from leadline.agent.place.globals import MAX_BYTES
from leadline.agent.place.inside import LARGE
from leadline.agent.place.rows import BEFORE, Changed, Row, Table
from leadline.agent.twin import database_file
from leadline.trial.outcome import UNSHOWN
from leadline.trial.place import BEGAN, IDLE, UNCOMPARED, UNMOVED, WRITTEN
from leadline.wire.redaction import secret_name
from leadline.wire.twin import Refusal
from leadline.wire.value import Value

GONE = "(no longer there)"
MOST_TOLD = 200
"""Rows of one table that are told by themselves: those of five columns are 40 kB of an answer.
Of more the digest says whether they are the same, and nobody reads where they differ."""
MOST_IDLE = 50
"""Statements that are told by themselves: they are to be read by a person, and the digest of
the rest says whether they are the same."""
MOST_KEY = 80
"""Characters of a key: it stands in the path of each of its row's values, on one line."""
MOST_CELL = 20_000
"""Characters or bytes of one value: of what is longer there is a digest. Ten such still fit in
what is told of one row as a whole (`MAX_BYTES`)."""
WITHIN_S = 1.0
"""For what SQLite compares: a table of which `MOST_ROWS` differ takes it a quarter of that."""
_LITERAL = re.compile(r"[xX]?'(?:[^']|'')*'")
_NUMBER = re.compile(r"(?<![\w.])\d[\w.]*")
_REPLACE = re.compile(r"\breplace\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")

NOTHING = Changed({}, [])
_STEPS = 20_000
"""Of SQLite's machine, between two looks at the clock."""


class Written:
    """One look at what all copies hold at the end of a run; the process ends with it."""

    def __init__(self, databases: Databases) -> None:
        self.found: dict[str, Value] = {}
        self._databases = databases
        self._until = time.monotonic() + WITHIN_S
        self._labels = _labels(databases.copies)

    def tell(self) -> dict[str, Value]:
        """Return what is told, by path."""
        records = self._databases.records()
        for record in records:
            record.end()
        for path, copy in self._databases.copies.items():
            label = self._labels[path]
            if copy.is_new:
                self.found[label] = "new"
            its = [one for one in records if one.path == path]
            if not any(one.is_used for one in its):
                continue
            self.found[f"{BEGAN}{label}"] = copy.began()
            if database_file.is_as_it_was(path):
                self.found[f"{BEGAN}{label}{UNMOVED}"] = ""
            before = len(self.found)
            try:
                self._copy(label, copy, its)
            except Exception as error:  # noqa: BLE001 - a class of the application's, perhaps
                why = str(error).partition(". ")[0]
                self.found[f"{UNCOMPARED}{label}"] = f"cannot be compared: {why}"
            if len(self.found) > before:
                self.found[f"{BEGAN}{label}{WRITTEN}"] = ""
        return self.found

    def refused(self) -> list[Refusal]:
        """Return what was tried that a copy cannot be asked for."""
        found = [
            one.verb.lower()
            for record in self._databases.records()
            for one in record.made
            if one.verb in OUTSIDE
        ]
        return [Refusal(what, "", found.count(what)) for what in dict.fromkeys(found)]

    def _copy(self, label: str, copy: Copy, records: list[Record]) -> None:
        under_way = [one for one in map(_open, records) if one is not None]
        looks = [NOTHING]
        if under_way or copy.committed() != copy.version:
            looks = self._looked(label, copy, under_way)
        self._idle(label, records, looks)

    def _looked(self, label: str, copy: Copy, under_way: list[Any]) -> list[Changed]:
        """Tell what differs, of what is committed and of what is not."""
        before = f"file:{quote(f'/leadline before {copy.path}')}?vfs=memdb"
        held: dict[str, Value] = {}
        looks: list[Changed] = []
        with closing(self._databases.filled(before, copy.start or b"")):
            for connection in under_way:
                looks.append(self._held(connection, before))
                held |= self._told(label, looks[-1])
            with closing(self._databases.open(copy.name)) as other:
                looks.append(self._compared(other, before))
        committed = self._told(label, looks[-1])
        self.found |= committed
        for path, value in held.items():
            if path not in committed or committed[path] != value:
                self.found[path.replace(label, f"{label}, not committed", 1)] = value
        return looks

    def _held(self, connection: Any, before: str) -> Changed:
        """Return what a transaction holds that is not over, and end it."""
        plain = sqlite3.Connection  # whatever its own class does
        plain.set_trace_callback(connection, None)
        plain.set_authorizer(connection, None)
        plain.setlimit(connection, sqlite3.SQLITE_LIMIT_ATTACHED, 2)
        found = self._compared(connection, before)
        sqlite3.Cursor(connection).execute("ROLLBACK")
        return found

    def _compared(self, connection: Any, before: str) -> Changed:
        connection.text_factory = _text
        plain = sqlite3.Connection
        plain.set_progress_handler(connection, lambda: time.monotonic() > self._until, _STEPS)

        def ask(text: str) -> sqlite3.Cursor:
            return sqlite3.Cursor(connection).execute(text)

        ask(f"ATTACH '{before}' AS {BEFORE}")
        return rows.changed(ask)

    def _told(self, label: str, changed: Changed) -> dict[str, Value]:
        found: dict[str, Value] = {
            f"{label}: schema of {name}": GONE if text is None else text
            for name, text in changed.schema.items()
        }
        for table in changed.tables:
            path = f"{label}: table {table.name}"
            if table.obstacle:
                found[f"{UNCOMPARED}{path}"] = table.obstacle
            elif table.is_index:
                found[f"{UNSHOWN}index {table.name} of {label}"] = self._in_short(table)
            elif len(table.changed) > MOST_TOLD:
                found[path] = self._in_short(table)
            else:
                self._rows(path, table, found)
            if any(table.numbers):
                found[f"{UNSHOWN}numbers of rows of {path}"] = _few(table.numbers)
        return found

    def _rows(self, path: str, table: Table, found: dict[str, Value]) -> None:
        for key in sorted(table.changed, key=repr):
            where = f"{path}[{', '.join(self._key(table, key))}]"
            row = table.now.get(key)
            if row is None:
                found[where] = GONE
                continue
            short: Row = {}
            for name, value in row.items():
                if isinstance(value, str | bytes) and len(value) > MOST_CELL:
                    kind = type(value).__name__
                    found[f"{where}.{name}"] = f"{kind} of {len(value)} #{_digest(value)}"
                else:
                    short[name] = value
            walk = MeasuredWalk(MAX_BYTES)
            found[where] = walk.take(short, 0)
            if walk.room.left <= 0:
                found[f"{UNCOMPARED}{where}"] = LARGE

    def _key(self, table: Table, key: rows.Key) -> list[str]:
        if not table.keys:
            return [f"{one:+}" for one in key]
        return [
            f"#{_digest(value)}"
            if secret_name(name) or len(str(value)) > MOST_KEY
            else outlet.label(repr(value), f"#{_digest(value)}")
            for name, value in zip(table.keys, key, strict=True)
        ]

    def _in_short(self, table: Table) -> str:
        return f"{len(table.changed)} rows #{rows.digest_of(table)}"

    def _idle(self, label: str, records: list[Record], looks: list[Changed]) -> None:
        """Tell the statements of which nobody sees what they have changed."""
        made = [one for record in records for one in record.made]
        if any(one.too_many for one in records):
            self.found[f"{UNCOMPARED}what is written to {label}"] = "is more than can be noted"
        told = [self._plain(one.text) + _fate(one) for one in _unseen(made, looks)]
        for number, text in enumerate(told[:MOST_IDLE], 1):
            self.found[f"{IDLE}{number} of {label}"] = text
        if rest := told[MOST_IDLE:]:
            self.found[f"{IDLE}{MOST_IDLE + 1} of {label}"] = (
                f"{len(rest)} more #{_digest(rest)}"
            )

    def _plain(self, text: str) -> str:
        """Return a statement in which what was put in for text is a digest; of one that names
        a secret, numbers as well."""
        told = _LITERAL.sub(lambda found: f"'{_digest(found[0])}'", text)
        if any(secret_name(word) for word in _WORD.findall(_LITERAL.sub("", text))):
            told = _NUMBER.sub(lambda found: f"'{_digest(found[0])}'", told)
        return outlet.label(" ".join(told.split()), f"#{_digest(text)}")


def _fate(one: Statement) -> str:
    """Return what to say of a statement that nobody can see the effect of."""
    return "" if one.fate in ("", COMMITTED) else f" ({one.fate})"


def _open(record: Record) -> Any:
    """Return the connection if it holds a transaction that is not over."""
    connection = None if record.over else record.connection()
    return connection if connection is not None and connection.in_transaction else None


def _unseen(made: list[Statement], looks: list[Changed]) -> list[Statement]:
    """Return statements that have changed nothing, or of which that is not known."""
    writes = [one for one in made if one.verb in ROWS]
    told = [one.changed for one in writes]
    counted = sum(one for one in told if one is not None)
    is_clear = None not in told and counted == _least(looks)
    if any(_REPLACE.search(one.text) for one in writes):
        is_clear = False  # the rows that went are not counted
    defining = [one for one in made if one.verb in SCHEMA]
    if len(defining) == len(looks[-1].schema):
        defining = []
    found = [one for one in writes if not (is_clear and one.changed)]
    return found + list({one.text: one for one in defining}.values())


def _digest(value: object) -> str:
    return digest(repr(value))


def _least(looks: list[Changed]) -> int:
    """Return how many rows have to be changed at least for what differs: where no more were,
    each change is seen."""
    now: dict[str, set[rows.Key]] = {}
    before: dict[str, set[rows.Key]] = {}
    for look in looks:
        for table in look.tables:
            if not (table.is_index or table.name.startswith("sqlite_")):
                now.setdefault(table.name, set()).update(table.now)
                before.setdefault(table.name, set()).update(table.before)
    return sum(max(len(now[name]), len(before[name])) for name in now)


def _few(numbers: list[list[object]]) -> str:
    told = repr(numbers)
    return told if len(told) < MOST_KEY else f"{len(told)} characters #{_digest(told)}"


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _labels(paths: Iterable[str]) -> dict[str, str]:
    """Return by what name each database is told: that of its file, if no other has it."""
    known = list(paths)
    names = [PurePath(path).name for path in known]
    return {
        path: f"database {name if names.count(name) == 1 else path}"
        for path, name in zip(known, names, strict=True)
    }
