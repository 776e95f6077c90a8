"""How much is kept: caps in number, size and age; the oldest go first, a little at a time."""

import sqlite3

from leadline.store.events import Event, Stored
from leadline.store.keep import Keep, Kind
from leadline.store.sqlite import shelves, space
from leadline.store.sqlite.shelves import SHELVES, Cleared, Shelf
from leadline.wire.struct import dataclass

MAX_HITS_STORED = 100_000
MAX_CHARS_STORED = 1_000_000_000
"""The sum of all hits' JSON: about a gigabyte on disk, whatever single hits look like."""
STEP = 500
"""Old hits looked at together when room is made."""
ROOM_STEP = 50
"""Rows deleted before the size is looked at again: so that no more goes than has to."""
ROOM_ROWS = 500
"""Rows deleted at most in one transaction to make room, beside twice as many as it added."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Stored hits, and the characters in them."""

    hits: int
    chars: int

    def without(self, gone: Cleared) -> "Totals":
        """Return what is left behind a deletion."""
        return Totals(self.hits - gone.count, self.chars - gone.chars)


class Retention:
    """Knows how much is stored without counting it every time. Used by the writer alone.

    `totals` are those of the last commit, `now` those of the transaction that is under way.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        keep: Keep,
        max_hits: int = MAX_HITS_STORED,
        max_chars: int = MAX_CHARS_STORED,
    ) -> None:
        self._db = db
        self.keep = keep
        self.max_hits = max_hits
        self.max_chars = max_chars
        row = db.execute("SELECT count(*), coalesce(sum(size), 0) FROM hits").fetchone()
        self.totals = self.now = Totals(*row)

    def begin(self) -> None:
        """Forget what a transaction did that was not committed."""
        self.now = self.totals

    def commit(self) -> None:
        """Believe what the transaction did."""
        self.totals = self.now

    def take_out(self, gone: Cleared, shelf: Shelf, *, trimmed: bool) -> None:
        """Note what a piece of work deleted, by itself (`trimmed`) or because it was asked."""
        if shelf.kind is Kind.HITS:
            self.now = self.now.without(gone)
        if trimmed:
            count_trimmed(self._db, shelf.kind, gone.count)

    def trim(self, events: list[Event]) -> None:
        """Make room for what `events` added, within this transaction."""
        added = [hit for event in events if isinstance(event, Stored) for hit in event.hits]
        points = sum(len(event.points) for event in events if isinstance(event, Stored))
        hits = self.now.hits + len(added)
        chars = self.now.chars + sum(len(hit.body) for hit in added)
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
        self.now = Totals(hits, chars)
        if events:
            self.make_room(max(ROOM_ROWS, 2 * (len(added) + points)))

    def make_room(self, rows: int) -> bool:
        """Delete the oldest, at most `rows`, until the size is kept; whether it is not yet."""
        while rows > 0 and space.used(self._db) > self.keep.bytes:
            shelf = self._next_to_go()
            if shelf is None:
                return False  # nothing may go any more: what is left is in use
            gone = shelves.clear_oldest(self._db, shelf, ROOM_STEP)
            self.take_out(gone, shelf, trimmed=True)
            rows -= gone.count
        return space.used(self._db) > self.keep.bytes

    def sweep(self, now: float) -> bool:
        """Delete what is too old or too much, a little of it; whether there is more."""
        more = False
        for shelf in SHELVES.values():
            gone = shelves.clear_old(self._db, shelf, now - self.keep.age_of(shelf.kind))
            self.take_out(gone, shelf, trimmed=True)
            more |= gone.after is not None
        more |= self.make_room(ROOM_ROWS)
        more |= space.shrink(self._db)
        return more

    def _next_to_go(self) -> Shelf | None:
        """Return the table that holds the oldest of what may go for its size."""
        hits, points, verdicts, *others = SHELVES.values()
        data = [
            (at, shelf)
            for shelf in (hits, points, verdicts)
            if (at := shelves.oldest_at(self._db, shelf)) is not None
        ]
        if data:
            return min(data, key=lambda item: item[0])[1]
        return next(
            (one for one in others if shelves.oldest_at(self._db, one) is not None), None
        )


def count_trimmed(db: sqlite3.Connection, kind: str, count: int) -> None:
    """Note that something was deleted to stay within a limit."""
    if count > 0:
        db.execute(
            "INSERT INTO trimmed VALUES (?, ?)"
            " ON CONFLICT (kind) DO UPDATE SET count = count + excluded.count",
            (kind, count),
        )
