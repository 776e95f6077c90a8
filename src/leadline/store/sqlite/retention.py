"""How much is kept: a hard cap on stored hits in number and size, the oldest go first."""

import sqlite3
from dataclasses import dataclass

from leadline.store.records import Event, Stored

MAX_HITS_STORED = 100_000
MAX_CHARS_STORED = 1_000_000_000
"""The sum of all hits' JSON: about a gigabyte on disk, whatever single hits look like."""
STEP = 500
"""Old hits looked at together when room is made."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Stored hits, and the characters in them."""

    hits: int
    chars: int


class Retention:
    """Knows how much is stored without counting it every time."""

    def __init__(
        self,
        db: sqlite3.Connection,
        max_hits: int = MAX_HITS_STORED,
        max_chars: int = MAX_CHARS_STORED,
    ) -> None:
        self._db = db
        self.max_hits = max_hits
        self.max_chars = max_chars
        row = db.execute("SELECT count(*), coalesce(sum(size), 0) FROM hits").fetchone()
        self.totals = Totals(*row)

    def trim(self, events: list[Event]) -> Totals:
        """Make room for what `events` added; returns the totals for after the commit."""
        added = [hit for event in events if isinstance(event, Stored) for hit in event.hits]
        hits = self.totals.hits + len(added)
        chars = self.totals.chars + sum(len(hit.body) for hit in added)
        before = hits
        while hits > self.max_hits or chars > self.max_chars:
            last = None
            for number, size in self._db.execute(
                "SELECT id, size FROM hits ORDER BY id LIMIT ?", (STEP,)
            ):
                if hits <= self.max_hits and chars <= self.max_chars:
                    break
                last, hits, chars = number, hits - 1, chars - size
            if last is None:
                break
            self._db.execute("DELETE FROM hits WHERE id <= ?", (last,))
        if before > hits:
            count_trimmed(self._db, "hits", before - hits)
        return Totals(hits, chars)


def count_trimmed(db: sqlite3.Connection, kind: str, count: int) -> None:
    """Note that something was deleted to stay within a limit."""
    if count > 0:
        db.execute(
            "INSERT INTO trimmed VALUES (?, ?)"
            " ON CONFLICT (kind) DO UPDATE SET count = count + excluded.count",
            (kind, count),
        )
