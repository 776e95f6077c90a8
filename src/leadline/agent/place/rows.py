"""What differs between two databases that are attached to one connection: rows, and what the
tables are.

Rows are told apart by their primary key; where a table has none, by what is in them. Which
row of such a table is which nobody can tell, nor do applications.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from leadline.agent.place.digests import begin
from leadline.wire.struct import dataclass, field

BEFORE, NOW = "leadline_before", "main"
"""The names under which the two are attached."""
MOST_ROWS = 20_000
"""Of one table that differ: of more nothing is said. So many, of five columns, take 0.25 s and
20 MB to be found on both sides, and as long again to be made a digest of."""
_ROW_NUMBERS = ("rowid", "_rowid_", "oid")
_OWN, _VIRTUAL = "sqlite_", "CREATE VIRTUAL"
_COUNTS = "sqlite_sequence"
"""Where it is kept which numbers were given to rows, and never are again."""

type Ask = Callable[[str], Iterable[tuple[Any, ...]]]
"""Runs a statement and gives its rows out."""
type Row = dict[str, object]
type Key = tuple[object, ...]


@dataclass(slots=True, eq=False)
class Table:
    """What differs of one table: rows of now, and of before, by their keys. `keys` names the
    columns of these; without such, keys are numbers of ours. `is_index` says that the table
    belongs to another one, in the way of that."""

    name: str
    keys: list[str] = field(default_factory=list)
    now: dict[Key, Row] = field(default_factory=dict)
    before: dict[Key, Row] = field(default_factory=dict)
    obstacle: str = ""
    is_index: bool = False
    numbers: list[list[object]] = field(default_factory=list)
    """Of rows that are not as they were, now and before, where they have no other key."""

    @property
    def changed(self) -> set[Key]:
        """Return the keys of rows that are not as they were."""
        return {*self.now, *self.before}


@dataclass(frozen=True, slots=True)
class Changed:
    """`schema` holds the text of what is defined anew, None of what is not there any more."""

    schema: dict[str, str | None]
    tables: list[Table]


def changed(ask: Ask) -> Changed:
    """Compare what `BEFORE` and `NOW` are. Raises `sqlite3.Error`."""
    old, new = _schema(ask, BEFORE), _schema(ask, NOW)
    schema: dict[str, str | None] = {
        f"{kind} {name}": text
        for (kind, name), text in new.items()
        if old.get((kind, name)) != text
    }
    schema |= {f"{kind} {name}": None for kind, name in old if (kind, name) not in new}
    for name in ("user_version", "application_id"):
        was, is_now = (_one(ask, f"PRAGMA {side}.{name}") for side in (BEFORE, NOW))
        if was != is_now:
            schema[name] = str(is_now)
    shadows = _shadows(ask)
    tables = []
    for kind, name in new:
        if kind != "table" or (name.startswith(_OWN) and name != _COUNTS):
            continue
        table = Table(name, is_index=name in shadows)
        try:
            _compare(ask, table, new[kind, name], is_known=(kind, name) in old)
        except sqlite3.Error as error:  # what it needs, such as a function, is not here
            table.obstacle = f"cannot be read here: {error}"
        if table.changed or table.obstacle or any(table.numbers):
            tables.append(table)
    return Changed(schema, tables)


def _schema(ask: Ask, side: str) -> dict[tuple[str, str], str]:
    rows = ask(
        f"SELECT +type, +name, sql FROM {side}.sqlite_master "  # noqa: S608
        "WHERE sql IS NOT NULL ORDER BY name"
    )
    return {(kind, name): text for kind, name, text in rows}


def _shadows(ask: Ask) -> set[str]:
    """Return tables that a virtual one keeps what it has in."""
    rows = ask(f"PRAGMA {NOW}.table_list")
    return {row[1] for row in rows if row[2] == "shadow"}


def _one(ask: Ask, text: str) -> object:
    return next(iter(ask(text)))[0]


def _compare(ask: Ask, table: Table, text: str, *, is_known: bool) -> None:
    columns, keys = stored(ask, NOW, table.name)
    others = stored(ask, BEFORE, table.name)[0] if is_known else []
    if table.name == _COUNTS:
        keys = ["name"]
    number = row_number(ask, table.name, columns)
    known = is_known and columns == others
    if number and not keys:
        columns, others = [number, *columns], [number, *others] if others else []
        if text.upper().startswith(_VIRTUAL):
            keys = [number]  # another table knows its rows by that
    old: list[Row] = []
    new: list[Row] = []
    if known and (number or keys):
        by = [number] if number else keys
        new += _differing(ask, table.name, columns, by, (NOW, BEFORE))
        old += _differing(ask, table.name, columns, by, (BEFORE, NOW))
    else:
        new += _rows(ask, NOW, table.name, columns)
        old += _rows(ask, BEFORE, table.name, others) if others else []
    if max(len(new), len(old)) > MOST_ROWS:
        table.obstacle = "differs in more rows than can be compared"
        return
    if number and not keys:
        table.numbers = [[row.pop(number) for row in rows] for rows in (new, old)]
    _keyed(table, keys, new, old)


def stored(ask: Ask, side: str, name: str) -> tuple[list[str], list[str]]:
    """Return the names of all that is stored, and of the primary key."""
    rows = list(ask(f"PRAGMA {side}.table_xinfo({quoted(name)})"))
    keys = sorted((row[5], row[1]) for row in rows if row[5])
    return [row[1] for row in rows if not row[6]], [one for _, one in keys]


def row_number(ask: Ask, name: str, columns: list[str]) -> str:
    """Return by what the numbers of rows are had; nothing of a table that has none."""
    taken = {one.lower() for one in columns}
    for number in _ROW_NUMBERS:
        if number not in taken:
            try:
                ask(f"SELECT t.{number} FROM {NOW}.{quoted(name)} t LIMIT 0")  # noqa: S608
            except sqlite3.Error:
                return ""
            return number
    return ""


def _differing(
    ask: Ask, name: str, columns: list[str], by: list[str], sides: tuple[str, str]
) -> Iterator[Row]:
    """Yield the rows of the first side that are not, or are others, on the second one."""
    one, other = (f"{side}.{quoted(name)}" for side in sides)
    keys = [key if key in _ROW_NUMBERS and len(by) == 1 else quoted(key) for key in by]
    same = " AND ".join(f"a.{key} IS b.{key}" for key in keys)  # by an index: no + here
    differs = [f"b.{keys[0]} IS NULL"]
    for column in map(quoted, columns):
        differs.append(f"a.{column} COLLATE BINARY IS NOT b.{column}")
        differs.append(f"typeof(a.{column}) <> typeof(b.{column})")
    order = ", ".join(f"a.{key}" for key in keys)
    text = (
        f"SELECT {_all(columns)} FROM {one} a LEFT JOIN {other} b ON {same} "  # noqa: S608
        f"WHERE {' OR '.join(differs)} ORDER BY {order} LIMIT {MOST_ROWS + 1}"
    )
    for row in ask(text):
        yield dict(zip(columns, row, strict=True))


def _rows(ask: Ask, side: str, name: str, columns: list[str]) -> Iterator[Row]:
    text = f"SELECT {_all(columns)} FROM {side}.{quoted(name)} a LIMIT {MOST_ROWS + 1}"  # noqa: S608
    for row in ask(text):
        yield dict(zip(columns, row, strict=True))


def _all(columns: list[str]) -> str:
    return ", ".join(f"+a.{quoted(column)}" for column in columns) or "NULL"


def _keyed(table: Table, keys: list[str], new: list[Row], old: list[Row]) -> None:
    """Put rows beneath their keys, but for those that are there before and now."""
    if keys and all(_are_keys(keys, rows) for rows in (new, old)):
        table.keys = keys
        now = {tuple(row[key] for key in keys): row for row in new}
        before = {tuple(row[key] for key in keys): row for row in old}
        for key in now.keys() & before.keys():
            if exactly(now[key]) == exactly(before[key]):
                del now[key], before[key]
        table.now, table.before = now, before
        return
    kept = Counter(map(exactly, new)) & Counter(map(exactly, old))
    table.now = _numbered(new, kept.copy(), 1)
    table.before = _numbered(sorted(old, key=exactly), kept.copy(), -1)


def _are_keys(keys: list[str], rows: list[Row]) -> bool:
    found = {exactly({key: row[key] for key in keys}) for row in rows if set(keys) <= set(row)}
    return len(found) == len(rows)


def _numbered(rows: list[Row], kept: Counter[str], step: int) -> dict[Key, Row]:
    found: dict[Key, Row] = {}
    for row in rows:
        text = exactly(row)
        if kept[text] > 0:
            kept[text] -= 1
        else:
            found[(step * (len(found) + 1),)] = row
    return found


def exactly(row: Row) -> str:
    """Return a text that is the same for the same values, of the same types, only."""
    return repr(list(row.items()))


def digest_of(table: Table) -> str:
    """Return what is the same only where the same differs."""
    told = begin()
    for rows in (table.now, table.before):
        for key in sorted(rows, key=repr):
            told.update(f"{key!r} {exactly(rows[key])}\n".encode("utf-8", "surrogatepass"))
        told.update(b"\0")
    return str(told.hexdigest())


def quoted(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
