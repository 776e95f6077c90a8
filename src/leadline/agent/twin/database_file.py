"""The content of a SQLite file as bytes, read in a sealed process: whole, and without a lock.

In the seal locks succeed without being done, so whoever writes the file never waits for us; nor
do we keep it from being written. What tells that nobody wrote meanwhile is read before and
after: the journal, the counter in the header, the times of the file, the salts of the log.
"""

import os
import stat
import struct
import time
from collections.abc import Callable

from leadline.agent.link.native import original

MOST_BYTES = 16_000_000
"""Of a file, its log included. One of that size takes a run 0.1 s, one of 1 MB 3 ms."""
WITHIN_S = 0.25
"""How long a file that is written all the while is tried again."""
MOST_KNOWN = 8
_MAGIC = b"SQLite format 3\0"
_HOT = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
"""How a journal begins that belongs to a transaction which is not over."""
_LOGS = (0x377F0682, 0x377F0683)
_MOST_OPEN = 4_096
"""Descriptors that are looked at."""
_HEADER, _FRAME, _LOG, _JOURNAL = 100, 24, 32, 28
_COUNTER = 24
"""Where in a database it is counted how often it was written."""
_LOOK_S = 0.002
_TICK_S = 0.012
"""Times of files are no finer than the kernel's ticks: two writes may have the same."""
_sleep: Callable[[float], None] = original("time", "sleep", time.sleep)

type _Sign = tuple[object, ...]
type _Times = tuple[tuple[int, int, int], ...]
"""Of a file and of its log: which it is, its size, when it was written, in nanoseconds."""


class UnreadError(Exception):
    """Why a file is not read."""


_taken: dict[str, bytes] = {}
_known: dict[str, None] = {}
_at_hit: dict[str, _Times] = {}
"""Of known files, when the live call began; and of which of them that is so still."""
_unmoved: set[str] = set()
_began = [0.0]


def content(path: str) -> bytes:
    """Return what a database holds, its log included, as one that has none; nothing of a file
    that is empty. Raises `OSError`, and `UnreadError` where that is not known."""
    if path in _taken:
        return _taken[path]
    until = time.monotonic() + WITHIN_S
    while True:
        found = _once(path)
        if found is not None:
            if _is_unmoved(path):
                _unmoved.add(path)
            return found
        if time.monotonic() > until:
            raise UnreadError("it is being written")
        _sleep(_LOOK_S)


def is_any_open() -> bool:
    """Tell whether this process has a database open: through such a connection it reads the
    file itself, at any time."""
    for descriptor in range(3, _MOST_OPEN):
        try:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            if is_file and os.pread(descriptor, len(_MAGIC), 0) == _MAGIC:
                return True
        except OSError:
            continue
    return False


def take(said: object) -> bool:
    """Read databases that a copy of this process has met: all further ones find them as they
    are now. Tells whether one was read that was not before."""
    before = len(_taken)
    for path in said if isinstance(said, list) else ():
        if type(path) is str and path not in _taken and len(_taken) < MOST_KNOWN:
            try:
                _taken[path] = content(path)
            except (OSError, UnreadError):
                continue
    return len(_taken) > before


def note(said: object) -> None:
    """In the live process: keep which databases a twin has met, so that the next one reads
    them first of all. What a twin says is not believed: it is no more than a name that another
    one will try to open, within its own fence."""
    for path in said if isinstance(said, list) else ():
        if type(path) is str and len(path) < 1_000 and len(_known) < MOST_KNOWN:
            _known[path] = None


def remember(*, forget: bool = False) -> None:
    """In the live process, before a twin is made at a hit: keep when the files that are known
    were written last, which tells the twin whether it has read what the call finds. 3 us for
    each of them, of eight at most; `forget` that for a twin of another use."""
    _began[0] = time.time()
    _at_hit.clear()
    for path in () if forget else tuple(_known):
        times = _times(path)
        if times is not None:
            _at_hit[path] = times


def is_as_it_was(path: str) -> bool:
    """Tell whether what was read of a file is what it held when the live call began."""
    return path in _unmoved


def take_known() -> None:
    """First of all in a twin: the live process goes on, and what it writes by then is there."""
    take(list(_known))


def _is_unmoved(path: str) -> bool:
    """Tell whether nobody has written a file since the live call began, for all that its times
    tell: if it was written shortly before, another write may have the same."""
    known = _at_hit.get(path)
    if known is None or known != _times(path):
        return False
    return max(written for _, _, written in known) / 1e9 < _began[0] - _TICK_S


def _times(path: str) -> _Times | None:
    found = []
    for name in (path, f"{path}-wal"):
        try:
            status = os.stat(name)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found) or None


def _once(path: str) -> bytes | None:
    """Return the content; None where somebody may have written it meanwhile."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    journal = _opened(f"{path}-journal")
    try:
        if journal is not None and os.pread(journal, len(_HOT), 0) == _HOT:
            return _rolled_back(path, descriptor, journal)
        before = _sign(path, descriptor)
        if before is None:
            return None
        main = _read(descriptor)
        log = _log(path)
        if _sign(path, descriptor) != before:
            return None
        if not log and _is_recent(descriptor):
            _sleep(_TICK_S)  # or somebody is in the midst of it who keeps no journal
            now = _begin(f"{path}-journal", len(_HOT))
            if now != _HOT and _sign(path, descriptor) != before:
                return None
    finally:
        os.close(descriptor)
        if journal is not None:
            os.close(journal)
    if main and not main.startswith(_MAGIC):
        raise UnreadError("it is no database of SQLite")
    return _without_log(main, log)


def _sign(path: str, descriptor: int) -> _Sign | None:
    """Return what is another once somebody has written; None while somebody writes."""
    if _begin(f"{path}-journal", len(_HOT)) == _HOT:
        return None
    if log := _begin(f"{path}-wal", _LOG):
        return (log,)  # what is moved from the log into the file is in the log as well
    status = os.fstat(descriptor)
    header = os.pread(descriptor, _HEADER, 0)
    return status.st_ino, status.st_size, status.st_mtime_ns, header


def _opened(path: str) -> int | None:
    """Return a descriptor; None where there is no such file, or an empty one."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError:
        if os.stat(path).st_size:
            raise UnreadError(f"{path} may not be read") from None
        return None


def _begin(path: str, many: int) -> bytes:
    descriptor = _opened(path)
    if descriptor is None:
        return b""
    try:
        return os.pread(descriptor, many, 0)
    finally:
        os.close(descriptor)


def _rolled_back(path: str, descriptor: int, journal: int) -> bytes | None:
    """Return what was there before a transaction that is under way, or was not ended. What
    it has overwritten is in its journal first, and stays there until it is over; that of one
    that ends meanwhile can be read still, since it is open here."""
    main = _read(descriptor)
    written = _read(journal)  # after the file: what has been changed in that is in here
    if not written.startswith(_HOT):
        return None
    count, size = struct.unpack_from(">I", written, 16)[0], _page(written)
    pages = _originals(written, size)
    whole = bytearray(main[: size * count].ljust(size * count, b"\0"))
    for page, at in pages.items():
        if page <= count:
            whole[(page - 1) * size : page * size] = written[at : at + size]
    now = os.pread(descriptor, 4, _COUNTER)
    was = bytes(whole[_COUNTER : _COUNTER + 4])
    is_over = _inode(f"{path}-journal") != os.fstat(journal).st_ino
    if is_over and whole and int.from_bytes(now) - int.from_bytes(was) > (1 in pages):
        return None  # and another one has begun by now
    return bytes(whole)


def _originals(journal: bytes, size: int) -> dict[int, int]:
    """Return where in a journal pages are as they were."""
    found: dict[int, int] = {}
    at = 0
    while journal[at : at + len(_HOT)] == _HOT and len(journal) >= at + _JOURNAL:
        count, chance, _, sector, _ = struct.unpack_from(">5I", journal, at + len(_HOT))
        at += sector
        while count and at + size + 8 <= len(journal):
            (page,) = struct.unpack_from(">I", journal, at)
            told = struct.unpack_from(">I", journal, at + 4 + size)[0]
            if told != (chance + sum(journal[at + 4 + size - 200 : at + 4 : -200])) % 2**32:
                return found
            found.setdefault(page, at + 4)
            at += size + 8
            count -= 1
        at = -(-at // sector) * sector
    return found


def _page(journal: bytes) -> int:
    return int(struct.unpack_from(">I", journal, 24)[0])


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _is_recent(descriptor: int) -> bool:
    return abs(time.time() - os.fstat(descriptor).st_mtime) < 2 * _TICK_S


def _log(path: str) -> bytes:
    descriptor = _opened(f"{path}-wal")
    if descriptor is None:
        return b""
    try:
        return _read(descriptor)
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > MOST_BYTES:
        raise UnreadError("it is too large")
    parts, at = [], 0
    while at < size and (part := os.pread(descriptor, size - at, at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def _without_log(main: bytes, log: bytes) -> bytes:
    """Return a database in which all is that its log adds to it."""
    pages, size, many = _committed(log)
    if not pages:
        if main[18:20] == b"\2\2":
            return main[:18] + b"\1\1" + main[20:]
        return main
    whole = bytearray(main[: size * many].ljust(size * many, b"\0"))
    for page, at in pages.items():
        if page <= many:
            whole[(page - 1) * size : page * size] = log[at : at + size]
    whole[18:20] = b"\1\1"
    return bytes(whole)


def _committed(log: bytes) -> tuple[dict[int, int], int, int]:
    """Return where in a log the pages are that were committed last, the size of a page, and
    how many the database has."""
    if len(log) < _LOG:
        return {}, 0, 0
    magic, _, size, _, *salts, _, _ = struct.unpack(">8I", log[:_LOG])
    if magic not in _LOGS or not size:
        return {}, 0, 0
    frames: list[tuple[int, int, int]] = []
    for at in range(_LOG, len(log) - _FRAME - size + 1, _FRAME + size):
        page, many, *salt = struct.unpack_from(">4I", log, at)
        if salt != salts or not page:
            break
        frames.append((page, many, at))
    while frames and not (frames[-1][1] and _is_whole(log, frames[-1][2], size, magic & 1)):
        frames.pop()  # a transaction that is being written
    if not frames:
        return {}, 0, 0
    return {page: at + _FRAME for page, _, at in frames}, size, frames[-1][1]


def _is_whole(log: bytes, at: int, size: int, big: int) -> bool:
    """Tell whether a frame is written to its end: its sum goes on from that of the last one."""
    before = at - size - 8 if at > _LOG else _LOG - 8
    one, other = struct.unpack_from(">2I", log, before)
    order = ">" if big else "<"
    told = log[at : at + 8] + log[at + _FRAME : at + _FRAME + size]
    for first, second in struct.iter_unpack(f"{order}2I", told):
        one = (one + first + other) & 0xFFFFFFFF
        other = (other + second + one) & 0xFFFFFFFF
    return (one, other) == struct.unpack_from(">2I", log, at + 16)
