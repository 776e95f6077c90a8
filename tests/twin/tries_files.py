"""Tries at files: to change them, and to make some."""

import ctypes
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from sealed import Outcome, tries

libc = ctypes.CDLL(None, use_errno=True)

type Telling = Generator[Callable[[], object], Outcome, None]

TEXT = "as it was\n"


def call(number: int, *arguments: Any) -> int:
    """Make a system call; raises OSError as Python does."""
    words = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    answer = libc.syscall(number, *words)
    if answer == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return int(answer)


def kept(place: Path) -> Path:
    """A file that must stay as it is."""
    path = place / "kept.txt"
    path.write_text(TEXT, "utf-8")
    os.utime(path, (1, 1))
    path.chmod(0o644)
    return path


def unchanged(path: Path) -> None:
    """Look at everything of it."""
    assert path.exists(), "it is gone"
    assert path.read_text("utf-8") == TEXT, f"its text is {path.read_text('utf-8')!r}"
    status = path.stat()
    assert status.st_mode & 0o7777 == 0o644, f"its mode is {status.st_mode:o}"
    assert status.st_nlink == 1, "it has another name"
    assert status.st_mtime == 1, "its time is another"


def empty(place: Path, but: int = 0) -> None:
    """Nothing was made beside what the story made."""
    names = sorted(path.name for path in place.iterdir())
    assert len(names) == but, f"there are {names}"


@tries(refused="openat", error="PermissionError")
def write(place: Path) -> Telling:
    path = kept(place)
    yield lambda: path.write_text("other", "utf-8")
    unchanged(path)


@tries(refused="openat", error="PermissionError")
def append(place: Path) -> Telling:
    path = kept(place)
    yield lambda: path.open("a").close() or os.utime(path)
    unchanged(path)


@tries(refused="openat", error="PermissionError")
def read_and_write(place: Path) -> Telling:
    path = kept(place)
    yield lambda: os.write(os.open(path, os.O_RDWR), b"other")
    unchanged(path)


@tries(refused="openat", error="PermissionError")
def truncate_by_open(place: Path) -> Telling:
    path = kept(place)
    yield lambda: os.open(path, os.O_RDONLY | os.O_TRUNC)
    unchanged(path)


@tries(refused="openat", error="PermissionError")
def create(place: Path) -> Telling:
    yield lambda: (place / "new.txt").write_text("new", "utf-8")
    empty(place)


@tries(refused="openat", error="PermissionError")
def create_without_name(place: Path) -> Telling:
    def code() -> int:
        file = os.open(place, os.O_TMPFILE | os.O_RDWR)
        here, there = b"/proc/self/fd/%d" % file, os.fsencode(place / "named")
        return call(265, -100, here, -100, there, 0x400)

    yield code
    empty(place)


@tries(refused="openat2", error="PermissionError")
def open_another_way(place: Path) -> Telling:
    path = kept(place)
    how = (ctypes.c_uint64 * 3)(os.O_WRONLY | os.O_TRUNC, 0, 0)
    yield lambda: call(437, -100, os.fsencode(path), how, ctypes.sizeof(how))
    unchanged(path)


@tries(refused="openat", error="PermissionError")
def reopen_for_writing(place: Path) -> Telling:
    path = kept(place)
    with path.open("rb") as file:
        yield lambda: os.write(os.open(f"/proc/self/fd/{file.fileno()}", os.O_WRONLY), b"other")
    unchanged(path)


@tries(refused="truncate", error="PermissionError")
def truncate(place: Path) -> Telling:
    path = kept(place)
    yield lambda: os.truncate(path, 0)
    unchanged(path)


@tries(refused="rename", error="PermissionError")
def rename(place: Path) -> Telling:
    path = kept(place)
    yield lambda: path.rename(place / "other")
    unchanged(path)


@tries(refused="renameat2", error="PermissionError")
def exchange(place: Path) -> Telling:
    path = kept(place)
    other = place / "other"
    other.write_text("other", "utf-8")
    names = os.fsencode(path), os.fsencode(other)
    yield lambda: call(316, -100, names[0], -100, names[1], 2)
    unchanged(path)


@tries(refused="unlink", error="PermissionError")
def unlink(place: Path) -> Telling:
    path = kept(place)
    yield path.unlink
    unchanged(path)


@tries(refused="rmdir", error="PermissionError")
def remove_folder(place: Path) -> Telling:
    (place / "folder").mkdir()
    yield (place / "folder").rmdir
    empty(place, 1)


@tries(refused="mkdir", error="PermissionError")
def make_folder(place: Path) -> Telling:
    yield (place / "folder").mkdir
    empty(place)


@tries(refused="chmod", error="PermissionError")
def chmod(place: Path) -> Telling:
    path = kept(place)
    yield lambda: path.chmod(0o777)
    unchanged(path)


@tries(refused="fchmod", error="PermissionError")
def chmod_of_a_descriptor(place: Path) -> Telling:
    path = kept(place)
    with path.open("rb") as file:
        yield lambda: os.fchmod(file.fileno(), 0o777)
    unchanged(path)


@tries(refused="chown", error="PermissionError", root=True)
def chown(place: Path) -> Telling:
    path = kept(place)
    yield lambda: os.chown(path, 1, 1)
    assert path.stat().st_uid == 0, "it belongs to another"


@tries(refused="linkat|link", error="PermissionError")
def hard_link(place: Path) -> Telling:
    path = kept(place)
    yield lambda: os.link(path, place / "other")
    unchanged(path)


@tries(refused="symlink", error="PermissionError")
def symbolic_link(place: Path) -> Telling:
    yield lambda: (place / "link").symlink_to("/etc/passwd")
    empty(place)


@tries(refused="mknodat|mknod", error="PermissionError")
def make_fifo(place: Path) -> Telling:
    yield lambda: os.mkfifo(place / "fifo")
    empty(place)


@tries(refused="utimensat", error="PermissionError")
def set_times(place: Path) -> Telling:
    path = kept(place)
    yield lambda: os.utime(path)
    unchanged(path)


@tries(refused="utimensat", error="PermissionError")
def set_times_of_a_descriptor(place: Path) -> Telling:
    path = kept(place)
    with path.open("rb") as file:
        yield lambda: os.utime(file.fileno())
    unchanged(path)


@tries(refused="setxattr", error="PermissionError")
def set_attribute(place: Path) -> Telling:
    path = kept(place)
    yield lambda: os.setxattr(path, "user.x", b"1") or os.utime(path)
    unchanged(path)


@tries(refused="ftruncate", error="PermissionError")
def truncate_a_descriptor(place: Path) -> Telling:
    path = kept(place)
    with path.open("r+b") as file:
        yield lambda: os.ftruncate(file.fileno(), 0)
    unchanged(path)


@tries(error="OSError")
def write_to_a_descriptor(place: Path) -> Telling:
    path = kept(place)
    with path.open("r+b", buffering=0) as file:
        yield lambda: os.write(file.fileno(), b"other")
    unchanged(path)


@tries(refused="pwrite64", error="PermissionError")
def write_at_a_place(place: Path) -> Telling:
    path = kept(place)
    with path.open("r+b", buffering=0) as file:
        yield lambda: os.pwrite(file.fileno(), b"other", 0)
    unchanged(path)


@tries(refused="pwritev2", error="PermissionError")
def write_pieces_at_a_place(place: Path) -> Telling:
    path = kept(place)
    with path.open("r+b", buffering=0) as file:
        yield lambda: os.pwritev(file.fileno(), [b"other"], 0, os.RWF_DSYNC)
    unchanged(path)


@tries(refused="fallocate", error="PermissionError")
def allocate(place: Path) -> Telling:
    path = kept(place)
    with path.open("r+b") as file:
        yield lambda: os.posix_fallocate(file.fileno(), 0, 100_000)
    unchanged(path)


@tries(refused="sendfile", error="PermissionError")
def send_a_file(place: Path) -> Telling:
    path = kept(place)
    with path.open("r+b") as to, open(__file__, "rb") as source:
        yield lambda: os.sendfile(to.fileno(), source.fileno(), 0, 100)
    unchanged(path)


@tries(refused="copy_file_range", error="PermissionError")
def copy_a_range(place: Path) -> Telling:
    path = kept(place)
    with path.open("r+b") as to, open(__file__, "rb") as source:
        yield lambda: os.copy_file_range(source.fileno(), to.fileno(), 100)
    unchanged(path)
