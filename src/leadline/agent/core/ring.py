"""The bounded buffer between the application's threads and the sender.

Putting never waits and takes no lock. When the ring is full the new record is dropped and
counted: the oldest hits are the ones that explain how it began.
"""

from collections import deque

from leadline.agent.core.passage import Record

MAX_RECORDS = 8_192
"""Ten seconds of a server's absence at the rate that the budget lets a pure core capture."""
MAX_BYTES = 4_000_000
"""The memory that a guest may keep for hits nobody has fetched."""
MAX_RECORD_BYTES = 64_000
"""One hit that is larger than this crowds out a thousand others."""


class Ring:
    """Many threads put, one takes.

    `_in` and `_out` are only ever increased, each by one side, so that no update is lost to
    the other; their difference bounds the memory.
    """

    def __init__(self) -> None:
        self.most_records = MAX_RECORDS
        self.most_bytes = MAX_BYTES
        self.most_record_bytes = MAX_RECORD_BYTES
        self.clear()

    def clear(self) -> None:
        """Forget records and counts."""
        self._records: deque[Record] = deque()
        self._in = 0
        self._out = 0
        self.full = 0
        self.too_large = 0

    def put(self, record: Record) -> bool:
        """Append `record`; returns whether there was room for it."""
        size = len(record.payload)
        if size > self.most_record_bytes:
            self.too_large += 1
            return False
        full = len(self._records) >= self.most_records
        if full or self._in - self._out + size > self.most_bytes:
            self.full += 1
            return False
        self._in += size
        self._records.append(record)
        return True

    def take(self, most: int) -> list[Record]:
        """Remove and return the oldest records, at most `most`."""
        taken: list[Record] = []
        while self._records and len(taken) < most:
            record = self._records.popleft()
            self._out += len(record.payload)
            taken.append(record)
        return taken

    def __len__(self) -> int:
        return len(self._records)
