"""Tries at the machine: system calls, each made with arguments as they would do harm, that a
twin must not get through; most of them only root may make at all."""

import ctypes
import mmap
import os
import socket
import time
from pathlib import Path
from typing import Any

from sealed import tries
from tries_files import Telling, call

TEXT = b"leadline-try"
ROOM = 4096

CALLS: list[tuple[str, int, tuple[Any, ...]]] = [
    ("mount", 165, (b"none", b"/tmp", b"tmpfs", 0, None)),
    ("umount2", 166, (b"/tmp", 2)),
    ("pivot_root", 155, (b"/tmp", b"/tmp")),
    ("chroot", 161, (b"/tmp",)),
    ("setns", 308, (0, 0)),
    ("unshare", 272, (0x20000,)),
    ("fsopen", 430, (b"tmpfs", 0)),
    ("open_tree", 428, (-100, b"/", 1)),
    ("move_mount", 429, (-100, b"/tmp", -100, b"/tmp", 0)),
    ("sethostname", 170, (TEXT, len(TEXT))),
    ("setdomainname", 171, (TEXT, len(TEXT))),
    ("settimeofday", 164, (ctypes.create_string_buffer(16), None)),
    ("clock_settime", 227, (0, ctypes.create_string_buffer(16))),
    ("adjtimex", 159, (ctypes.create_string_buffer(208),)),
    ("clock_adjtime", 305, (0, ctypes.create_string_buffer(208))),
    ("reboot", 169, (0, 0, 0)),  # with numbers that would not do it either
    ("kexec_load", 246, (0, 0, None, 0)),
    ("init_module", 175, (None, 0, b"")),
    ("finit_module", 313, (0, b"", 0)),
    ("delete_module", 176, (TEXT, 0)),
    ("swapon", 167, (TEXT, 0)),
    ("swapoff", 168, (TEXT,)),
    ("acct", 163, (None,)),
    ("quotactl", 179, (0x800007, None, 0, None)),
    ("syslog", 103, (3, ctypes.create_string_buffer(64), 64)),
    ("iopl", 172, (3,)),
    ("ioperm", 173, (0, 1, 1)),
    ("modify_ldt", 154, (0, ctypes.create_string_buffer(64), 64)),
    ("personality", 135, (0x0040000,)),
    ("vhangup", 153, ()),
    ("io_uring_setup", 425, (4, ctypes.create_string_buffer(120))),
    ("io_uring_enter", 426, (0, 1, 0, 0, None, 0)),
    ("io_uring_register", 427, (0, 0, None, 0)),
    ("io_setup", 206, (1, ctypes.create_string_buffer(8))),
    ("userfaultfd", 323, (0,)),
    ("bpf", 321, (5, ctypes.create_string_buffer(128), 128)),
    ("perf_event_open", 298, (ctypes.create_string_buffer(128), 0, -1, -1, 0)),
    ("add_key", 248, (b"user", TEXT, b"x", 1, -2)),
    ("request_key", 249, (b"user", TEXT, None, 0)),
    ("keyctl", 250, (0, -3, 1)),
    ("fanotify_init", 300, (0, 0)),
    ("fanotify_mark", 301, (0, 1, 1, -100, b"/")),
    ("inotify_init", 253, ()),
    ("signalfd4", 289, (-1, ctypes.create_string_buffer(8), 8, 0)),
    ("timerfd_create", 283, (1, 0)),
    ("mq_open", 240, (TEXT, 0o102, 0o600, None)),
    ("mq_unlink", 241, (TEXT,)),
    ("shmget", 29, (0, ROOM, 0o1600)),
    ("semget", 64, (0, 1, 0o1600)),
    ("msgget", 68, (0, 0o1600)),
    ("open_by_handle_at", 304, (-100, ctypes.create_string_buffer(128), 0)),
    ("splice", 275, (0, None, 1, None, 1, 0)),
    ("tee", 276, (0, 1, 1, 0)),
    ("vmsplice", 278, (1, None, 0, 0)),
    ("process_madvise", 440, (0, None, 0, 21, 0)),
    ("process_mrelease", 448, (0, 0)),
    ("move_pages", 279, (0, 0, None, None, None, 0)),
    ("migrate_pages", 256, (0, 0, None, None)),
    ("mbind", 237, (None, 0, 0, None, 0, 0)),
    ("kcmp", 312, (1, 1, 0, 0, 0)),
    ("setuid", 105, (1,)),
    ("setgid", 106, (1,)),
    ("setresuid", 117, (1, 1, 1)),
    ("setgroups", 116, (0, None)),
    ("capset", 126, (ctypes.create_string_buffer(8), ctypes.create_string_buffer(24))),
    ("setsid", 112, ()),
    ("setpgid", 109, (0, 0)),
    ("ioprio_set", 251, (1, 0, 0)),
    ("sched_setattr", 314, (0, ctypes.create_string_buffer(48), 0)),
    ("seccomp", 317, (0, 0, None)),
    ("landlock_create_ruleset", 444, (None, 0, 0)),
    ("arch_prctl", 158, (0x1012, 0)),
    ("prctl", 157, (4, 1, 0, 0, 0)),  # PR_SET_DUMPABLE
    ("lookup_dcookie", 212, (0, None, 0)),
    ("remap_file_pages", 216, (None, 0, 0, 0, 0)),
    ("ustat", 136, (0, None)),
    ("sendmmsg", 307, (0, None, 0, 0)),
    ("recvmsg", 47, (0, None, 0)),
    ("mlockall", 151, (1,)),
    ("pkey_alloc", 330, (0, 0)),
    ("mseal", 462, (None, 0, 0)),
    ("statmount", 457, (None, None, 0, 0)),
    ("system call 600", 600, ()),
]


def outside() -> tuple[object, ...]:
    """What of the machine one of these could have changed."""
    mounts = Path("/proc/mounts").read_text("utf-8")
    drift = abs(time.time() - _begun[0] - (time.monotonic() - _begun[1])) > 5
    return socket.gethostname(), os.uname(), mounts, drift, os.getsid(0), os.getresuid()


_begun = time.time(), time.monotonic()


TOGETHER = 20
"""Of these calls in one twin: each has to be refused, and told."""


def _refused(name: str, some: list[tuple[str, int, tuple[Any, ...]]]) -> None:
    @tries(name, harms=False)
    def story(place: Path) -> Telling:
        def code() -> list[str]:
            done = []
            for which, number, arguments in some:
                try:
                    call(number, *arguments)
                except PermissionError:
                    continue
                except OSError as error:
                    done.append(f"{which}: {error}")
                else:
                    done.append(which)
            return done

        before = outside()
        outcome = yield code
        assert outcome.said == "[]", f"not refused: {outcome.said}"
        missing = {which for which, _, _ in some} - outcome.names
        assert not missing, f"not told: {missing}"
        assert outside() == before, f"it was {before} and is {outside()}"


for _at in range(0, len(CALLS), TOGETHER):
    _some = CALLS[_at : _at + TOGETHER]
    _refused(f"calls_from_{_some[0][0]}_on", _some)


def machine_code(code: bytes) -> Any:
    """Call these bytes."""
    memory = mmap.mmap(-1, ROOM, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
    memory[: len(code)] = code
    at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return ctypes.CFUNCTYPE(ctypes.c_int)(at)()


FOREIGN = "it made a system call of another kind (32 bit), or one that a sandbox does not bear"


@tries(error="nothing", harms=False)
def call_as_x32(place: Path) -> Telling:
    """mov eax, 0x40000027 (getpid); syscall; ret"""
    outcome = yield lambda: machine_code(b"\xb8\x27\x00\x00\x40\x0f\x05\xc3")
    assert outcome.why == FOREIGN, outcome


@tries(error="nothing", harms=False)
def call_as_i386(place: Path) -> Telling:
    """mov eax, 20 (getpid); int 0x80; ret"""
    outcome = yield lambda: machine_code(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    assert outcome.why in {FOREIGN, "it crashed (SIGSEGV)"}, outcome


@tries(refused="ioctl", error="OSError", harms=False)
def make_a_file_unchangeable(place: Path) -> Telling:
    path = place / "kept"
    path.touch()
    with path.open("rb") as file:
        flags = ctypes.c_long(0x10)
        yield lambda: call(16, file.fileno(), 0x40086602, ctypes.byref(flags))
    path.unlink()


@tries(harms=False)
def refusals_have_a_limit(place: Path) -> Telling:
    """64 kinds, and how many more; a path is cut, a pointer to nothing does no harm."""

    def code() -> None:
        for number in range(200):
            try:
                os.unlink(place / f"{number}{'x' * (number % 200)}")
            except PermissionError:
                pass
        for address in (0, 1, 2**47, 2**64 - 1):
            try:
                call(87, ctypes.c_void_p(address))
            except PermissionError:
                pass

    outcome = yield code
    assert len(outcome.refused) == 65, len(outcome.refused)
    assert outcome.refused[64] == ("others", "", 200 + 4 - 64), outcome.refused[64]
    assert all(len(detail) < 160 for _, detail, _ in outcome.refused)


@tries(harms=False, refused="unlink")
def a_pointer_to_nothing(place: Path) -> Telling:
    def code() -> None:
        try:
            call(87, ctypes.c_void_p(1))
        except PermissionError:
            return

    outcome = yield code
    assert ("unlink", "?", 1) in outcome.refused, outcome.refused
