"""The keys that are valid now: read again when their file changes, without a restart."""

import fcntl
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from leadline.control.context import say
from leadline.wire.errors import LeadlineError, UnavailableError
from leadline.wire.keys import (
    Holder,
    KeyKind,
    Keys,
    holder_by_digest,
    holder_of,
    load,
    load_or_create,
    write,
)

type _Stamp = tuple[int, int, int]
type _Row = tuple[KeyKind, str, float | None]


class KeyRing:
    """Lives as long as the server does. Every method may be called from any thread."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Read the key file, made first if there is none. `changed` is called after changes
        that were made here."""
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._keys = load_or_create(path)
        self._stamp: _Stamp | None = self._look()
        self._used: dict[_Row, float] = {}
        self.changed: Callable[[], None] = lambda: None

    def keys(self) -> Keys:
        """Return what the file holds; another server may have changed it."""
        stamp = self._look()
        if stamp != self._stamp:
            with self._lock:
                self._read(stamp)
        return self._keys

    def holder(self, presented: str) -> Holder | None:
        """Return whose key somebody shows, and remember that it was used."""
        now = self._clock()
        return self._seen(holder_of(self.keys(), presented, now), now)

    def holder_by_digest(self, digest: str) -> Holder | None:
        """Return whose user key has this SHA-256: what a browser's sign-in came from."""
        now = self._clock()
        return self._seen(holder_by_digest(self.keys(), digest, now), now)

    def _seen(self, holder: Holder | None, now: float) -> Holder | None:
        if holder is not None:
            self._used[holder.kind, holder.name, holder.until] = now
        return holder

    def valid(self, presented: str) -> bool:
        """Return whether a key that was let in is still one."""
        return holder_of(self.keys(), presented, self._clock()) is not None

    def valid_digest(self, digest: str) -> bool:
        """The same, of a user key's SHA-256."""
        return holder_by_digest(self.keys(), digest, self._clock()) is not None

    def used_at(
        self, kind: KeyKind, name: str, until: float | None, *, since: float
    ) -> float | None:
        """Return when a key was seen last; None if not since the server started.

        `since` is when it was made: what was seen before then was another.
        """
        seen = self._used.get((kind, name, until), -math.inf)
        return seen if seen >= since else None

    def change(self, change: Callable[[Keys, float], Keys]) -> Keys:
        """Replace the keys by what `change` makes of them and the time; `changed` is told.

        Raises what `change` does, and slugs `key-file-unwritable` and those of `keys.load`.
        """
        with self._lock, self._alone():
            keys = change(load(self._path), self._clock())
            write(self._path, keys, replace=True)
            self._keys, self._stamp = keys, self._look()
        self.changed()
        return keys

    def _read(self, stamp: _Stamp | None) -> None:
        if stamp == self._stamp:
            return  # another thread was faster
        self._stamp = stamp
        if stamp is None:
            return  # it was taken away: what was valid is until the server stops
        try:
            self._keys = load(self._path)
        except LeadlineError as error:
            say(f"[{error.slug}] {error.message} The keys read before stay valid.")

    def _look(self) -> _Stamp | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - asked at every request
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other servers that share the file from changing it at the same time."""
        try:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise UnavailableError(
                "key-file-unwritable", f"The folder of {self._path} cannot be opened."
            ) from error
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
