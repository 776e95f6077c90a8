"""Tries at memory: what is shared with others, and what is the process's own."""

import ctypes
import mmap
import multiprocessing
import os
import struct
from multiprocessing import shared_memory, sharedctypes, synchronize
from pathlib import Path

from sealed import tries
from tries_files import Telling, call, libc

PAGE = 4096
LARGE = 70 << 20
"""More than a twin copies."""
READ, READ_AND_WRITE = 1, 3
FORK = multiprocessing.get_context("fork")


def file_of(place: Path, size: int = PAGE) -> Path:
    path = place / "shared"
    with path.open("wb") as file:
        file.truncate(size)
        file.write(b"ours")
    return path


@tries()
def write_into_a_mapped_file(place: Path) -> Telling:
    path = file_of(place)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), PAGE) as memory:
        outcome = yield lambda: memory.__setitem__(slice(0, 4), b"twin") or memory[:4]
        assert not outcome.facts or outcome.said == "b'twin'", outcome
        assert memory[:4] == b"ours", "it is changed"
    assert path.read_bytes()[:4] == b"ours", "the file is changed"


@tries()
def write_into_a_mapped_file_and_store_it(place: Path) -> Telling:
    path = file_of(place)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), PAGE) as memory:
        yield lambda: (memory.__setitem__(slice(0, 4), b"twin"), memory.flush())
    assert path.read_bytes()[:4] == b"ours", "the file is changed"


@tries()
def make_a_mapped_file_writable(place: Path) -> Telling:
    """It is mapped for reading, from a descriptor that may write: the map can be changed."""
    path = file_of(place)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), PAGE, prot=READ) as memory:
        libc.mmap.restype = ctypes.c_void_p
        at = libc.mmap(None, ctypes.c_size_t(PAGE), READ, 1, file.fileno(), ctypes.c_long(0))

        def code() -> None:
            assert (
                libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(PAGE), READ_AND_WRITE) == 0
            )
            ctypes.memmove(at, b"twin", 4)

        yield code
        assert memory[:4] == b"ours", "it is changed"


@tries()
def write_into_shared_memory_without_a_name(place: Path) -> Telling:
    with mmap.mmap(-1, PAGE) as memory:
        memory[:4] = b"ours"
        outcome = yield lambda: memory.__setitem__(slice(0, 4), b"twin") or memory[:4]
        assert outcome.said == "b'twin'", outcome
        assert memory[:4] == b"ours", "it is changed"


@tries()
def write_into_large_shared_memory(place: Path) -> Telling:
    """Not copied: the twin ends when it writes there; nothing it does makes it writable."""
    with mmap.mmap(-1, LARGE) as memory:
        memory[:4] = b"ours"

        def code() -> None:
            at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
            libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(LARGE), READ_AND_WRITE)
            memory[:4] = b"twin"

        outcome = yield code
        assert not outcome.facts, outcome
        assert memory[:4] == b"ours", "it is changed"


@tries()
def write_into_a_large_mapped_file(place: Path) -> Telling:
    path = file_of(place, LARGE)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), LARGE) as memory:

        def code() -> None:
            at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
            libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(LARGE), READ_AND_WRITE)
            memory[:4] = b"twin"

        yield code
        assert memory[:4] == b"ours", "it is changed"


@tries(harms=False)
def a_map_longer_than_its_file(place: Path) -> Telling:
    """Reading there would end the twin: it is not read while it is sealed."""
    path = file_of(place, 4 * PAGE)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 4 * PAGE) as memory:
        file.truncate(PAGE)
        outcome = yield lambda: (memory[:4], memory[PAGE])
        assert outcome.said == "(b'ours', 0)", outcome


@tries()
def shared_memory_with_a_name(place: Path) -> Telling:
    memory = shared_memory.SharedMemory(create=True, size=PAGE)
    memory.buf[0] = 7
    try:
        yield lambda: memory.buf.__setitem__(0, 99)
        assert memory.buf[0] == 7, "it is changed"
    finally:
        memory.close()
        memory.unlink()


@tries(error="PermissionError", refused="unlink")
def unlink_shared_memory(place: Path) -> Telling:
    memory = shared_memory.SharedMemory(create=True, size=PAGE)
    try:
        yield memory.unlink
        assert Path(f"/dev/shm/{memory.name.lstrip('/')}").exists(), "its name is gone"
    finally:
        memory.close()
        try:
            memory.unlink()
        except FileNotFoundError:
            multiprocessing.resource_tracker.unregister(memory._name, "shared_memory")


@tries(error="PermissionError|FileNotFoundError", refused="openat", harms=False)
def shared_memory_of_its_own(place: Path) -> Telling:
    yield lambda: shared_memory.SharedMemory(create=True, size=PAGE)


@tries()
def a_value_of_multiprocessing(place: Path) -> Telling:
    value = sharedctypes.Value("i", 7, ctx=FORK)
    yield lambda: setattr(value, "value", 99)
    assert value.value == 7, "it is changed"


@tries()
def a_lock_of_multiprocessing(place: Path) -> Telling:
    lock = synchronize.Semaphore(1, ctx=FORK)
    yield lambda: lock.acquire(timeout=1)
    assert lock.acquire(block=False), "it was taken"
    lock.release()


def segment() -> tuple[int, int]:
    number = call(29, 0, PAGE, 0o1600)
    libc.shmat.restype = ctypes.c_void_p
    at = libc.shmat(number, None, 0)
    assert at not in {None, ctypes.c_void_p(-1).value}
    ctypes.memmove(at, b"ours", 4)
    return number, at


@tries()
def write_into_a_system_v_segment(place: Path) -> Telling:
    number, at = segment()
    try:
        yield lambda: ctypes.memmove(at, b"twin", 4)
        assert ctypes.string_at(at, 4) == b"ours", "it is changed"
    finally:
        call(31, number, 0, None)


@tries(error="PermissionError", refused="shmctl")
def remove_a_system_v_segment(place: Path) -> Telling:
    number, at = segment()
    try:
        yield lambda: call(31, number, 0, None)
        status = ctypes.create_string_buffer(200)
        call(31, number, 2, status)
        mode = struct.unpack_from("I", status.raw, 20)[0]
        assert not mode & 0o1000, "it is marked to be removed"
    finally:
        libc.shmdt(ctypes.c_void_p(at))
        try:
            call(31, number, 0, None)
        except OSError:
            pass


@tries(error="PermissionError", refused="shmat", harms=False)
def attach_a_system_v_segment(place: Path) -> Telling:
    number, _ = segment()
    try:
        yield lambda: call(30, number, None, 0)
    finally:
        call(31, number, 0, None)


@tries(error="PermissionError", refused="process_vm_writev")
def write_into_the_parent(place: Path) -> Telling:
    memory = ctypes.create_string_buffer(b"ours")
    parent = os.getpid()
    libc.prctl(0x59616D61, -1)  # let anybody, where the kernel asks for that

    def code() -> int:
        new = ctypes.create_string_buffer(b"twin")
        mine = (ctypes.c_size_t * 2)(ctypes.addressof(new), 4)
        there = (ctypes.c_size_t * 2)(ctypes.addressof(memory), 4)
        return call(311, parent, mine, 1, there, 1, 0)

    yield code
    assert memory.value == b"ours", "it is changed"


@tries(error="PermissionError", refused="process_vm_readv", harms=False)
def read_from_the_parent(place: Path) -> Telling:
    memory = ctypes.create_string_buffer(b"ours")
    parent = os.getpid()

    def code() -> int:
        mine = (ctypes.c_size_t * 2)(ctypes.addressof(memory), 4)
        return call(310, parent, mine, 1, mine, 1, 0)

    yield code


@tries(error="PermissionError", refused="madvise", harms=False, root=True)
def poison_a_page(place: Path) -> Telling:
    """Of the hardware's pages, which are the parent's as well."""
    memory = mmap.mmap(-1, PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[0] = 1
    at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    yield lambda: call(28, ctypes.c_void_p(at), ctypes.c_size_t(PAGE), 101)


@tries(error="PermissionError", refused="memfd_create", harms=False)
def memory_in_a_file(place: Path) -> Telling:
    yield lambda: os.memfd_create("its own")
