"""Databases that hold something else than they do: other worlds to run a call in.

A database that a call has left behind passes by whatever the call does only once. In a world in
which rows say something else, or are not there, both versions have to do it, or neither. What
the rows say is drawn from what the column holds in other rows and from what the code names, by
the number of the world alone: the same in all places.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from leadline.agent.place.rows import NOW, quoted, row_number, stored
from leadline.agent.place.world import Column, World
from leadline.wire.struct import dataclass

WITHIN_S = 0.5
"""What altering one database may take: 100,000 rows of six columns take 0.07 s, and 0.14 s at
most of 24 worlds."""
_BY_COLUMN, _AS_ANOTHER, _AS_NEW = 0.55, 0.25, 0.12
"""How often the columns of a table are altered by themselves, all rows are as some of them, and
as one is that was just made."""
_WHOLE, _BY_ROW = 0.35, 0.25
"""How often a column holds one value in all rows, and how often another one in most of them."""
_LOSES, _GAINS = 0.3, 0.3
"""How often rows of a table are not there, and how often there are more."""
_BY_GIVEN, _AS_ASKED, _MOST_ROWS = 0.4, 0.7, 6
"""How often a new row holds what the call is given, or is as it has asked for; and how many
there are. These shares, as all here, are choices under which all but a few of some 500 wrong
candidates were met within 96 runs (ADR 0049)."""
_OF_TEN_ROWS, _OF_TEN_GONE = 7, 4
_STEPS = 20_000
_PRIME = 1_000_003


class UnalteredError(Exception):
    """A database cannot be altered, or not in time."""


def alter(connection: Any, world: World) -> None:
    """Alter the rows of a private copy. Raises `UnalteredError`."""
    until = time.monotonic() + WITHIN_S
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, False)
    connection.text_factory = _text
    try:
        connection.execute("BEGIN IMMEDIATE")
        for name in world.of(_tables(connection)):
            _alter_table(connection, name, world)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise UnalteredError(f"a database cannot be altered: {error}") from None
    finally:
        connection.text_factory = str
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, True)
        connection.set_progress_handler(None, 0)


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _tables(connection: Any) -> list[str]:
    rows = connection.execute(f"PRAGMA {NOW}.table_list").fetchall()
    return [
        name
        for schema, name, kind, *_ in rows
        if schema == NOW and kind == "table" and not name.startswith("sqlite_")
    ]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table: its name, what is stored of a row, and by what rows are told apart. `defaults`
    are the values that a new row has, `types` the declared ones."""

    connection: Any
    name: str
    columns: Sequence[str]
    keys: Sequence[str]
    number: str
    defaults: Mapping[str, object]
    types: Mapping[str, str]

    @property
    def others(self) -> list[str]:
        return [one for one in self.columns if one not in self.keys]

    def column(self, name: str) -> Column:
        text = (
            f"SELECT DISTINCT {quoted(name)} FROM {quoted(self.name)} "  # noqa: S608
            f"WHERE {quoted(name)} IS NOT NULL LIMIT 200"
        )
        held = [one for (one,) in self.connection.execute(text)]
        defaults = [self.defaults[name]] if name in self.defaults else []
        return Column(name, self.types[name], held, defaults)

    def set(self, columns: Mapping[str, Sequence[object]], where: str, by: str) -> None:
        """Set columns to one of their values each, the one at the number `by`, in some rows."""
        texts = [f"{quoted(one)} = CASE {by} {_cases(columns[one])} END" for one in columns]
        text = f"UPDATE OR IGNORE {quoted(self.name)} SET {', '.join(texts)} WHERE {where}"  # noqa: S608
        _do(self.connection, text, [one for values in columns.values() for one in values])


def _table(connection: Any, name: str) -> _Table:
    columns, keys = stored(connection.execute, NOW, name)
    told = connection.execute(f"PRAGMA {NOW}.table_xinfo({quoted(name)})").fetchall()
    number = row_number(connection.execute, name, columns) or _number_of(keys)
    defaults = {row[1]: _default(connection, row[4]) for row in told if row[4] or not row[3]}
    types = {row[1]: str(row[2]) for row in told}
    return _Table(connection, name, columns, keys, number, defaults, types)


def _default(connection: Any, text: str | None) -> object:
    if text is None:
        return None
    try:
        return connection.execute(f"SELECT {text}").fetchone()[0]
    except sqlite3.Error:
        return None


def _alter_table(connection: Any, name: str, world: World) -> None:
    table, chance = _table(connection, name), world.chance(name)
    how = chance.random()
    if how < _BY_COLUMN:
        _alter_columns(table, world)
    elif how < _BY_COLUMN + _AS_ANOTHER:
        _be_as_another(table, chance)
    elif how < _BY_COLUMN + _AS_ANOTHER + _AS_NEW:
        columns = {one: [table.defaults[one]] for one in table.others if one in table.defaults}
        if columns:
            table.set(columns, "1", "0")
    if chance.random() < _LOSES:
        where = f"{_hashed(table.number, chance, 10)} < {_OF_TEN_GONE}"
        _do(connection, f"DELETE FROM {quoted(name)} WHERE {where}", [])  # noqa: S608
    if chance.random() < _GAINS:
        _add_rows(table, world, chance)


def _alter_columns(table: _Table, world: World) -> None:
    """Have each column hold another value, or the rows of it others."""
    for column in world.of(table.others):
        chance = world.chance(f"{table.name}.{column}")
        how = chance.random()
        if how >= _WHOLE + _BY_ROW:
            continue
        values = table.column(column).drawn(world, chance)
        values = values[:1] if how < _WHOLE else values
        where = f"{_hashed(table.number, chance, 10)} < {_OF_TEN_ROWS}"
        by = _hashed(table.number, chance, len(values))
        table.set({column: values}, "1" if how < _WHOLE else where, by)


def _be_as_another(table: _Table, chance: Random) -> None:
    """Have all rows hold what a few of them do, but for their keys: what holds of several of
    its columns at once holds of more rows, then."""
    names = ", ".join(map(quoted, table.others))
    if not names:
        return
    order = _hashed(table.number, chance, _PRIME)
    text = f"SELECT {names} FROM {quoted(table.name)} ORDER BY {order} LIMIT {_MOST_ROWS}"  # noqa: S608
    rows = table.connection.execute(text).fetchall()
    rows = rows[: chance.choice((1, len(rows)))]
    if rows:
        columns = dict(zip(table.others, zip(*rows, strict=True), strict=True))
        table.set(columns, "1", _hashed(table.number, chance, len(rows)))


def _add_rows(table: _Table, world: World, chance: Random) -> None:
    """Add rows that are known by what the call is given: it has taken them away, perhaps."""
    marks = ", ".join("?" * len(table.columns))
    names = ", ".join(map(quoted, table.columns))
    text = f"INSERT OR IGNORE INTO {quoted(table.name)} ({names}) VALUES ({marks})"  # noqa: S608
    columns = {one: table.column(one) for one in table.columns}
    drawn = {one: columns[one].drawn(world, chance) for one in table.others}
    known = {one.lower() for one in columns}
    asked = [one for one in world.asked if known.issuperset(one)]
    for _ in range(_MOST_ROWS):
        wanted = chance.choice(asked) if asked and chance.random() < _AS_ASKED else {}
        row: list[object] = []
        for one in table.columns:
            if one.lower() in wanted:
                row.append(wanted[one.lower()])
            elif one not in drawn or chance.random() < _BY_GIVEN:
                row.append(columns[one].given(world, chance))
            else:
                row.append(chance.choice(drawn[one]))
        _do(table.connection, text, row)


def _number_of(keys: Sequence[str]) -> str:
    """Return SQL for a number that depends on the keys of a row which has no number."""
    parts = [
        f"(CASE typeof({key}) WHEN 'integer' THEN {key} % {_PRIME} ELSE 31 * length({key}) "
        f"+ ifnull(unicode({key}), 0) + ifnull(unicode(substr({key}, -1)), 0) END)"
        for key in map(quoted, keys)
    ]
    return f"({' + '.join(parts)})"


def _do(connection: Any, text: str, values: Sequence[object]) -> None:
    """Run a statement; one that needs what is not here, such as a function, does nothing."""
    try:
        connection.execute(text, values)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise
    except (sqlite3.DatabaseError, OverflowError, UnicodeEncodeError):
        pass  # more than a column can hold: 64 bits, or text that is none


def _hashed(number: str, chance: Random, many: int) -> str:
    """Return SQL for a number below `many` that depends on the row."""
    by, more = chance.randrange(1, 9_973), chance.randrange(_PRIME)
    return f"((abs({number} % {_PRIME}) * {by} + {more}) % 7919 % {many})"


def _cases(values: Sequence[object]) -> str:
    return " ".join(f"WHEN {at} THEN ?" for at in range(len(values)))
