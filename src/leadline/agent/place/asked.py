"""Which rows a run has asked for: what its statements say that they are.

A row that a call has taken away, such as a token that is good for once, is asked for by what
says so: `token = 't3' and purpose = 'reset'`. In another world it is there.
"""

import re
from collections.abc import Iterable
from typing import Any

MOST_ROWS, MOST_COLUMNS, MOST_CHARS = 12, 8, 80
"""Of what is told of a run: 10 kB at most, which goes back with each order of the call."""
_WHERE = re.compile(r"\bwhere\b", re.IGNORECASE)
_PAIR = re.compile(
    r"""(\w+)["`\]]?\s*(?:=|\bis\b)\s*('(?:[^']|'')*'|-?\d+(?:\.\d+)?)(?![\w.])""",
    re.IGNORECASE,
)

type Asked = dict[str, str | int | float]
"""The columns of a row that was asked for, in small letters, and what they were to hold."""


def asked_rows(records: Iterable[Any]) -> list[Asked]:
    """Return the rows that connections have asked for, by their records, the first ones."""
    found: dict[str, Asked] = {}
    for record in records:
        for text in record.asked:
            if row := _row_of(text):
                found.setdefault(repr(sorted(row.items())), row)
    return list(found.values())[:MOST_ROWS]


def _row_of(text: str) -> Asked:
    *_, condition = _WHERE.split(text)
    pairs = _PAIR.findall(condition)[:MOST_COLUMNS]
    return {
        name.lower(): value
        for name, said in pairs
        if not isinstance(value := _value(said), str) or len(value) <= MOST_CHARS
    }


def _value(said: str) -> str | int | float:
    if said[0] == "'":
        return said[1:-1].replace("''", "'")
    return float(said) if "." in said else int(said)
