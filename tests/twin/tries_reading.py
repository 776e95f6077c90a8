"""Tries at what must not be read or opened, and at locks; and that the rest can be read."""

import ctypes
import fcntl
import os
import socket
import threading
import time
from pathlib import Path

from sealed import tries
from tries_files import TEXT, Telling, call, kept


@tries()
def read_moves_no_offset(place: Path) -> Telling:
    path = kept(place)
    with path.open("rb", buffering=0) as file:
        file.read(3)
        outcome = yield lambda: (file.tell(), file.read(4))
        assert outcome.said == "(3, b'it w')", outcome.said + outcome.error
        assert file.tell() == 3, f"the offset is {file.tell()}"


@tries()
def reading_a_folder_moves_no_offset(place: Path) -> Telling:
    for name in "abc":
        (place / name).touch()
    folder = os.open(place, os.O_RDONLY)
    room = ctypes.create_string_buffer(4096)
    outcome = yield lambda: call(217, folder, room, 4096)
    assert not outcome.error, outcome.said
    left = call(217, folder, room, 4096)
    os.close(folder)
    assert left > 0, "the folder was read to its end"


@tries(refused="openat", error="PermissionError", harms=False)
def read_outside(place: Path) -> Telling:
    outside = place.parent / "outside.txt"
    outside.write_text("secret", "utf-8")
    outcome = yield outside.read_text
    assert "secret" not in outcome.said


@tries(refused="openat", error="PermissionError", harms=False)
def read_through_a_link(place: Path) -> Telling:
    (place / "link").symlink_to("/etc/passwd")
    outcome = yield (place / "link").read_text
    assert "root:" not in outcome.said


@tries(refused="openat", error="PermissionError", harms=False)
def read_by_dots(place: Path) -> Telling:
    yield lambda: open(f"{place}/../../../../../../etc/passwd", "rb").read()


@tries(refused="openat", error="PermissionError", harms=False)
def read_by_a_place_outside(place: Path) -> Telling:
    """A place may be had (O_PATH); what is in it may not."""

    def code() -> bytes:
        etc = os.open("/etc", os.O_PATH)
        return os.read(os.open("passwd", os.O_RDONLY, dir_fd=etc), 10)

    yield code


@tries(refused="openat", error="PermissionError", harms=False)
def list_outside(place: Path) -> Telling:
    yield lambda: os.listdir("/etc")


@tries(harms=False)
def read_inside(place: Path) -> Telling:
    """What may be done works: a file, a folder, a file that is open, an error of its own."""
    path = kept(place)
    open_file = place.parent / "open.txt"
    open_file.write_text("open", "utf-8")

    def code() -> tuple[object, ...]:
        try:
            (place / "none").read_text()
        except FileNotFoundError:
            return path.read_text(), os.listdir(place), open_file.read_text()
        return ()

    with open_file.open():
        outcome = yield code
    assert outcome.said == f"({TEXT!r}, ['kept.txt'], 'open')", outcome
    assert outcome.names == set(), outcome.refused


@tries(refused="openat", error="PermissionError", policy=0, harms=False)
def read_inside_when_strict(place: Path) -> Telling:
    yield kept(place).read_text


@tries(refused="newfstatat|stat|statx", error="PermissionError", policy=0, harms=False)
def look_when_strict(place: Path) -> Telling:
    yield kept(place).stat


def disturbed(fifo: Path) -> Telling:
    """A writer waits for somebody to read; it would notice everybody who only opens it."""
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: os.close(os.open(fifo, os.O_WRONLY)))
    writer.start()
    yield lambda: os.open(fifo, os.O_RDONLY | os.O_NONBLOCK) and time.sleep(0.1)
    writer.join(0.05)
    was_disturbed = not writer.is_alive()
    os.close(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK))
    writer.join()
    assert not was_disturbed, "a writer was let in"


@tries(refused="openat", error="PermissionError")
def fifo_inside(place: Path) -> Telling:
    yield from disturbed(place / "fifo")


@tries(refused="openat", error="PermissionError")
def fifo_outside(place: Path) -> Telling:
    yield from disturbed(place.parent / "fifo")


@tries(refused="openat", error="PermissionError", root=True, harms=False)
def device_inside(place: Path) -> Telling:
    os.mknod(place / "zero", 0o20666, os.makedev(1, 5))
    yield lambda: os.open(place / "zero", os.O_RDONLY)


@tries(refused="socket", error="PermissionError")
def socket_by_its_path(place: Path) -> Telling:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(place / "door"))
        door.listen()
        door.setblocking(False)

        def code() -> None:
            socket.socket(socket.AF_UNIX).connect(str(place / "door"))

        yield code
        try:
            door.accept()[0].close()
        except BlockingIOError:
            return
        raise AssertionError("somebody came in")


@tries(refused="openat", error="PermissionError", harms=False)
def memory_of_the_parent(place: Path) -> Telling:
    parent = os.getpid()
    yield lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY)


@tries(refused="openat", error="PermissionError", harms=False)
def environment_of_the_parent(place: Path) -> Telling:
    parent = os.getpid()
    yield lambda: open(f"/proc/{parent}/environ", "rb").read()


@tries(refused="openat", error="PermissionError", harms=False)
def memory_of_its_own(place: Path) -> Telling:
    yield lambda: os.open("/proc/self/mem", os.O_RDWR)


@tries(error="OSError|PermissionError", harms=False)
def memory_of_the_parent_that_is_open(place: Path) -> Telling:
    path, how = ("mem", os.O_RDWR) if os.getuid() == 0 else ("stat", os.O_RDONLY)
    file = os.open(f"/proc/self/{path}", how)
    yield lambda: os.read(file, 1)
    os.close(file)


@tries(refused="openat", error="PermissionError", harms=False)
def memory_of_the_machine(place: Path) -> Telling:
    yield lambda: os.open("/dev/mem", os.O_RDWR)


@tries(refused="openat", error="PermissionError", harms=False)
def a_terminal(place: Path) -> Telling:
    yield lambda: os.open("/dev/ptmx", os.O_RDWR)


@tries(refused="chroot", error="PermissionError", harms=False)
def another_root(place: Path) -> Telling:
    yield lambda: os.chroot(place)


@tries(harms=False)
def another_folder(place: Path) -> Telling:
    """Its own folder and mask are its own."""
    here = os.getcwd()
    outcome = yield lambda: (os.chdir(place), os.umask(0o777))
    assert not outcome.error, outcome.said
    assert os.getcwd() == here
    mask = os.umask(0)
    os.umask(mask)
    assert mask != 0o777


@tries()
def give_back_a_lock_of_the_file(place: Path) -> Telling:
    with kept(place).open("r+b") as held, (place / "kept.txt").open("r+b") as other:
        fcntl.flock(held, fcntl.LOCK_EX)
        outcome = yield lambda: fcntl.flock(held, fcntl.LOCK_UN)
        assert not outcome.error, outcome.said
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        raise AssertionError("the lock is lost")


@tries(harms=False)
def take_a_lock_of_the_file(place: Path) -> Telling:
    """It is told that it has it, and does not wait for it: nobody else ever does for a twin."""
    with kept(place).open("r+b") as mine:
        fcntl.lockf(mine, fcntl.LOCK_EX)

        def code() -> None:
            with (place / "kept.txt").open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                fcntl.lockf(file, fcntl.LOCK_SH)

        outcome = yield code
        assert not outcome.error, outcome.said
        assert not outcome.refused, outcome.refused


@tries(refused="fcntl", error="PermissionError", harms=False)
def lease(place: Path) -> Telling:
    with kept(place).open("rb") as file:
        yield lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        assert fcntl.fcntl(file, fcntl.F_GETLEASE) == fcntl.F_UNLCK


@tries(refused="name_to_handle_at", error="PermissionError", harms=False)
def handle_of_a_file(place: Path) -> Telling:
    room = (ctypes.c_int * 40)(128)
    yield lambda: call(303, -100, b"/etc/passwd", room, (ctypes.c_int * 1)(), 0)


@tries(refused="inotify_init1", error="PermissionError", harms=False)
def watch_a_folder(place: Path) -> Telling:
    yield lambda: call(294, 0)
